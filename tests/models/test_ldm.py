"""The inpainting pipeline: its condition, its steps against a plain twin, what it promises, and the bundled weights."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL, AutoencoderTiny, DDIMScheduler, UNet2DModel

from pagen.errors import PagenError
from pagen.models.ldm import LDMInpaintPipeline, bundled, small_autoencoder, small_denoiser, small_scheduler
from pagen.models.unet_heads import UNet2DHeadsModel

pytestmark = pytest.mark.slow


def tiny(scheduler: Any = None, **config: Any) -> LDMInpaintPipeline:
    """A random pipeline of factor 2 over 2 latent channels."""
    torch.manual_seed(0)
    vae = AutoencoderTiny(
        encoder_block_out_channels=(8, 8),
        decoder_block_out_channels=(8, 8),
        num_encoder_blocks=(1, 1),
        num_decoder_blocks=(1, 1),
        latent_channels=2,
    )
    unet = UNet2DModel(
        in_channels=5,
        out_channels=2,
        down_block_types=("DownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "UpBlock2D"),
        block_out_channels=(8, 8),
        layers_per_block=1,
        norm_num_groups=4,
    )
    pipeline = LDMInpaintPipeline(vae.eval(), unet.eval(), scheduler or small_scheduler(), **config)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def scene(count: int = 2, size: tuple[int, int] = (16, 24)) -> tuple[torch.Tensor, torch.Tensor]:
    images = torch.rand(count, 3, *size, generator=torch.Generator().manual_seed(1))
    masks = torch.zeros(count, 1, *size)
    masks[:, :, 5:10, 6:17] = 1
    return images, masks


def test_the_condition_is_the_latent_without_the_hole_and_then_the_mask() -> None:
    pipeline = tiny(hole_value=-1.0, mask_kept=-1.0, mask_hole=1.0, mask_resize="nearest")
    images, masks = scene()
    known = pipeline.condition(images * 2 - 1, masks)
    black = torch.where(masks > 0, torch.tensor(-1.0), images * 2 - 1)
    torch.testing.assert_close(known[:, :2], pipeline.vae.encode(black).latents)
    torch.testing.assert_close(known[:, 2:], masks[:, :, ::2, ::2] * 2 - 1)
    share = tiny().condition(images * 2 - 1, masks)[:, 2:]
    torch.testing.assert_close(share, masks.unfold(2, 2, 2).unfold(3, 2, 2).mean(dim=(4, 5)))


def v_to_clean(latent: np.ndarray, v: np.ndarray, kept: float) -> np.ndarray:
    return np.sqrt(kept) * latent - np.sqrt(1 - kept) * v


@pytest.mark.parametrize("steps", [4, 10, 20])
def test_denoising_is_ddim_as_the_papers_write_it(steps: int) -> None:
    """Song et al. 2021, equation 12 with sigma 0; v as Salimans and Ho; the schedule as Lin et al., algorithm 1."""
    pipeline = tiny()
    images, masks = scene(1)
    known = pipeline.condition(images * 2 - 1, masks)
    noise = torch.randn(1, 2, 8, 12, generator=torch.Generator().manual_seed(2))
    root = np.sqrt(np.cumprod(1 - np.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2))
    kept = ((root - root[-1]) * root[0] / (root[0] - root[-1])) ** 2
    latent = noise.double().numpy()
    times = np.round(np.arange(1000, 0, -1000 / steps)).astype(int) - 1
    for time, before in zip(times, [*times[1:], None], strict=True):
        stack = torch.cat([torch.from_numpy(latent).float(), known], 1)
        with torch.no_grad():
            v = pipeline.unet(stack, int(time)).sample.double().numpy()
        clean = v_to_clean(latent, v, kept[time])
        rest = (latent - np.sqrt(kept[time]) * clean) / np.sqrt(1 - kept[time])
        next_kept = 1.0 if before is None else kept[before]
        latent = np.sqrt(next_kept) * clean + np.sqrt(1 - next_kept) * rest
    with torch.no_grad():
        found = pipeline.denoise(noise, known, steps)
    np.testing.assert_allclose(found.numpy(), latent, atol=1e-4)


def test_an_image_does_not_depend_on_its_batch_and_its_seed_matters() -> None:
    pipeline = tiny()
    images, masks = scene(3)
    seeds = [torch.Generator().manual_seed(seed) for seed in (1, 2, 3)]
    together = pipeline(images, masks, seeds, 3).images
    alone = pipeline(images[1:2], masks[1:2], [torch.Generator().manual_seed(2)], 3).images
    torch.testing.assert_close(together[1:2], alone, atol=1e-5, rtol=0)
    other = pipeline(images[1:2], masks[1:2], [torch.Generator().manual_seed(4)], 3).images
    assert (other - alone).abs().max() > 1e-3
    pictures = pipeline(images, masks, [torch.Generator().manual_seed(s) for s in (1, 2, 3)], 3, "np").images
    np.testing.assert_array_equal(pictures, together.permute(0, 2, 3, 1).numpy())


def test_what_the_mask_hides_does_not_matter() -> None:
    pipeline = tiny()
    images, masks = scene()
    other = torch.where(masks > 0, 1 - images, images)
    one, two = (pipeline(x, masks, torch.Generator().manual_seed(0), 2).images for x in (images, other))
    torch.testing.assert_close(one, two, atol=0, rtol=0)


def test_sizes_that_do_not_divide_and_masks_of_another_size() -> None:
    pipeline = tiny()
    images, masks = scene(size=(16, 22))
    with pytest.raises(PagenError, match=r"multiples of 4, found \(16, 22\)"):
        pipeline(images, masks)
    with pytest.raises(PagenError, match="masks of the frames' size"):
        pipeline(images, masks[..., :20])


def test_saved_and_loaded_the_way_of_diffusers(tmp_path: Path) -> None:
    pipeline = tiny(crop=16, hole_value=-1.0)
    pipeline.save_pretrained(tmp_path / "ldm")
    assert not list((tmp_path / "ldm").rglob("*.bin"))
    loaded = LDMInpaintPipeline.from_pretrained(tmp_path / "ldm", low_cpu_mem_usage=False)
    loaded.set_progress_bar_config(disable=True)
    assert (loaded.config.crop, loaded.config.hole_value) == (16, -1.0)
    images, masks = scene()
    one, two = (p(images, masks, torch.Generator().manual_seed(0), 2).images for p in (pipeline, loaded))
    torch.testing.assert_close(one, two, atol=0, rtol=0)


def test_a_converted_folder_opens_in_a_process_that_imported_nothing_else(tmp_path: Path) -> None:
    unet = UNet2DHeadsModel(
        in_channels=9,
        out_channels=4,
        down_block_types=("DownBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "UpBlock2D"),
        block_out_channels=(8, 8),
        layers_per_block=1,
        norm_num_groups=4,
        attention_head_dim=2,
    )
    vae = AutoencoderKL(block_out_channels=(8,), norm_num_groups=4)
    LDMInpaintPipeline(vae, unet, DDIMScheduler()).save_pretrained(tmp_path / "ldm")
    folder = str(tmp_path / "ldm")
    program = f"from pagen.models.ldm import LDMInpaintPipeline as L; print(type(L.from_pretrained({folder!r}).unet))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert "UNet2DHeadsModel" in done.stdout
    assert "annotation" not in done.stderr


def test_the_bundled_weights_are_small_safe_and_of_the_small_networks() -> None:
    files = [path for path in bundled().rglob("*") if path.is_file()]
    weights = [path for path in files if path.suffix == ".safetensors"]
    assert {path.suffix for path in files} <= {".json", ".safetensors", ".md", ".csv", ".png"}
    assert len(weights) == 2
    assert sum(path.stat().st_size for path in weights) <= 12_000_000
    assert json.loads((bundled() / "model_index.json").read_text())["crop"] == 64
    loaded = LDMInpaintPipeline.from_pretrained(bundled(), low_cpu_mem_usage=False)
    for network, small in ((loaded.vae, small_autoencoder()), (loaded.unet, small_denoiser())):
        assert {k: v.shape for k, v in network.state_dict().items()} == {
            k: v.shape for k, v in small.state_dict().items()
        }
        assert all(value.isfinite().all() for value in network.state_dict().values())
