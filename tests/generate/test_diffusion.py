"""Diffusers inpainting pipelines, tiny and random, written by the test itself."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from pagen.errors import PagenError
from pagen.generate.config import Generate
from pagen.generate.diffusion import DiffusionInpainter, open_bundled, open_pipeline
from pagen.generate.generate import generate
from pagen.generate.inpaint import Painting
from pagen.generate.inpainters import open_inpainter
from pagen.seeds import generator

pytestmark = pytest.mark.slow

TWO = Painting(steps=2)


def tokenizer(folder: Path) -> Any:
    from transformers import CLIPTokenizer

    folder.mkdir()
    (folder / "vocab.json").write_text(json.dumps({"<|startoftext|>": 0, "<|endoftext|>": 1, "a</w>": 2}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    return CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=8)


def text_encoder() -> Any:
    from transformers import CLIPTextConfig, CLIPTextModel

    config = CLIPTextConfig(
        vocab_size=3,
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=8,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=1,
    )
    return CLIPTextModel(config)


def components(channels: int) -> dict[str, Any]:
    from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel

    vae = AutoencoderKL(
        block_out_channels=(8, 8),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        norm_num_groups=4,
    )
    unet = UNet2DConditionModel(
        in_channels=channels,
        sample_size=8,
        block_out_channels=(8, 16),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=16,
        attention_head_dim=2,
        norm_num_groups=4,
    )
    return {"vae": vae, "unet": unet, "scheduler": DDIMScheduler(clip_sample=False, steps_offset=1)}


def save(folder: Path, kind: str, channels: int, **how: Any) -> Path:
    import diffusers
    import torch

    torch.manual_seed(0)
    pipeline = getattr(diffusers, kind)(
        **components(channels),
        text_encoder=text_encoder(),
        tokenizer=tokenizer(folder.with_name(f"{folder.name}-vocabulary")),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.save_pretrained(folder, **how)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(tmp_path_factory.mktemp("pipelines") / "inpaint", "StableDiffusionInpaintPipeline", 9)


@pytest.fixture(scope="module")
def inpainter(folder: Path) -> DiffusionInpainter:
    return open_pipeline(str(folder), TWO)


def scene(
    channels: int = 1, size: tuple[int, int] = (24, 32), count: int = 3
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    rng = generator(0, "scene")
    frames = rng.integers(0, 256, size=(count, *size, channels), dtype=np.uint8)
    masks = np.zeros((count, *size), np.bool_)
    masks[:, 6:16, 8:20] = True
    return frames, masks


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(24, 32), (29, 39)])
def test_fills_the_hole_and_nothing_else(inpainter: DiffusionInpainter, channels: int, size: tuple[int, int]) -> None:
    frames, masks = scene(channels, size)
    filled = inpainter(frames, masks, generator(1))
    assert filled.dtype == np.uint8
    assert filled.shape == frames.shape
    np.testing.assert_array_equal(filled[~masks], frames[~masks])
    assert (filled[masks] != frames[masks]).mean() > 0.9


def test_bytes_depend_on_the_rng_alone(folder: Path, inpainter: DiffusionInpainter) -> None:
    frames, masks = scene()
    first = inpainter(frames, masks, generator(1))
    again = open_inpainter(str(folder), TWO)(frames, masks, generator(1))
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != inpainter(frames, masks, generator(2)).tobytes()


def test_rounded_numbers_fill_nearly_alike(folder: Path, inpainter: DiffusionInpainter) -> None:
    frames, masks = scene()
    exact = inpainter(frames, masks, generator(1)).astype(int)
    rounded = open_pipeline(str(folder), Painting(steps=2, precision="bf16"))(frames, masks, generator(1)).astype(int)
    np.testing.assert_array_equal(rounded[~masks], frames[~masks])
    assert 0 < np.abs(rounded - exact).mean() < 2


def test_frames_share_the_noise_unless_asked_otherwise(folder: Path, inpainter: DiffusionInpainter) -> None:
    frames, masks = scene(count=1)
    twins, holes = np.repeat(frames, 6, axis=0), np.repeat(masks, 6, axis=0)
    shared = inpainter(twins, holes, generator(1)).astype(int)
    assert np.abs(shared - shared[0]).max() <= 1
    own = open_pipeline(str(folder), Painting(steps=2, noise="frame"))(twins, holes, generator(1)).astype(int)
    assert min(np.abs(own[n] - own[m]).max() for n in range(6) for m in range(n)) > 1


@pytest.mark.parametrize(
    ("painting", "message"),
    [
        ({"noise": "none"}, "'clip' or 'frame', found 'none'"),
        ({"precision": "fp8"}, "'fp32' or 'bf16' or 'fp16', found 'fp8'"),
        ({"precision": "fp16"}, "fp16, which is for a GPU"),
        ({"steps": 0}, "steps of 1 and more, found 0"),
        ({"batch": 0}, "batch of 1 and more, found 0"),
        ({"feather": -1}, "feather of 0 and more, found -1"),
    ],
)
def test_paintings_that_there_are_not(folder: Path, painting: dict[str, Any], message: str) -> None:
    with pytest.raises(PagenError, match=message):
        open_pipeline(str(folder), Painting(**painting))


@pytest.mark.parametrize(("spacing", "most"), [("leading", 999), ("trailing", 1000), ("linspace", 1000)])
def test_more_steps_than_the_scheduler_can_take_are_refused(
    folder: Path, tmp_path: Path, spacing: str, most: int
) -> None:
    """Counted from 1, as the converted model's, a thousandth step of leading ones lies beyond what was learnt."""
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    path = copy / "scheduler/scheduler_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "timestep_spacing": spacing}))
    assert open_pipeline(str(copy), Painting(steps=most)).painting.steps == most
    for steps in (most + 1, 1001, 10**6):
        with pytest.raises(PagenError, match=f"expected --inference-steps of at most {most} for .*, found {steps}"):
            open_pipeline(str(copy), Painting(steps=steps))


def test_the_bundled_inpainter_takes_as_many_steps_as_it_learnt() -> None:
    assert open_bundled(Painting(steps=1000)).painting.steps == 1000
    with pytest.raises(PagenError, match="at most 1000 for this inpainter, found 1001"):
        open_bundled(Painting(steps=1001))


@pytest.mark.parametrize("kinds", ["spatial", "temporal skip spatial"])
@pytest.mark.parametrize("name", ["bundled", "folder"])
def test_such_a_command_leaves_nothing(name: str, kinds: str, folder: Path, tmp_path: Path) -> None:
    inpainter = str(folder) if name == "folder" else name
    out = tmp_path / "pa"
    with pytest.raises(PagenError, match="expected --inference-steps of at most"):
        generate(Generate("street", kinds=tuple(kinds.split()), inpainter=inpainter, inference_steps=1001, out=out))  # type: ignore[arg-type]  # words
    assert not out.exists()


@pytest.mark.parametrize("noise", ["clip", "frame"])
def test_the_batch_does_not_matter(folder: Path, noise: Any) -> None:
    frames, masks = scene(count=5)
    several, alone = (open_pipeline(str(folder), Painting(steps=2, noise=noise, batch=batch)) for batch in (4, 1))
    apart = several(frames, masks, generator(1)).astype(int) - alone(frames, masks, generator(1))
    assert np.abs(apart).max() <= 1


def test_a_matched_normal_is_the_autoencoders_own_and_only_in_the_hole(inpainter: DiffusionInpainter) -> None:
    import torch

    frames, masks = scene(3)
    matched = inpainter.matched(frames, masks)
    np.testing.assert_array_equal(matched[~masks], frames[~masks])
    vae = inpainter.pipeline.vae
    with torch.no_grad():
        images = torch.from_numpy(frames).permute(0, 3, 1, 2).float() / 127.5 - 1
        decoded = vae(images).sample  # which encodes, takes the mode and decodes
    expected = ((decoded + 1) * 127.5).clamp(0, 255).permute(0, 2, 3, 1).numpy()
    np.testing.assert_allclose(matched[masks], expected[masks], atol=0.51)


def test_what_the_mask_hides_does_not_matter(inpainter: DiffusionInpainter) -> None:
    frames, masks = scene()
    other = np.where(masks[..., None], 255 - frames, frames)
    same = inpainter(frames, masks, generator(1)) == inpainter(other, masks, generator(1))
    assert same[masks].all()


def test_a_text_to_image_pipeline_inpaints_too(tmp_path: Path) -> None:
    folder = save(tmp_path / "text", "StableDiffusionPipeline", 4)
    frames, masks = scene()
    filled = open_inpainter(str(folder), TWO)(frames, masks, generator(0))
    np.testing.assert_array_equal(filled[~masks], frames[~masks])


def test_pickled_weights_are_not_read(tmp_path: Path) -> None:
    folder = save(tmp_path / "pickled", "StableDiffusionInpaintPipeline", 9, safe_serialization=False)
    with pytest.raises(PagenError, match="expected safetensors weights"):
        open_pipeline(str(folder))


def test_another_kind_of_pipeline_is_refused(tmp_path: Path) -> None:
    from diffusers import DDPMPipeline, DDPMScheduler, UNet2DModel

    blocks = {"down_block_types": ("DownBlock2D",) * 2, "up_block_types": ("UpBlock2D",) * 2}
    unet = UNet2DModel(8, block_out_channels=(32, 32), **blocks)
    DDPMPipeline(unet, DDPMScheduler()).save_pretrained(tmp_path / "ddpm")
    with pytest.raises(PagenError, match=r"expected an inpainting pipeline, found another kind .*DDPMPipeline"):
        open_pipeline(str(tmp_path / "ddpm"))


def own_pipeline(folder: Path, index: dict[str, Any]) -> None:
    index["_class_name"] = ["pipeline", "Own"]
    (folder / "pipeline.py").write_text("raise SystemExit('own code ran')")


def own_component(folder: Path, index: dict[str, Any]) -> None:
    index["unet"] = ["my_unet", "Own"]
    (folder / "unet" / "my_unet.py").write_text("raise SystemExit('own code ran')")


@pytest.mark.parametrize("spoil", [own_pipeline, own_component])
def test_code_of_a_folder_is_not_run(
    folder: Path, tmp_path: Path, spoil: Callable[[Path, dict[str, Any]], None]
) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    index = json.loads((copy / "model_index.json").read_text())
    spoil(copy, index)
    (copy / "model_index.json").write_text(json.dumps(index))
    with pytest.raises(PagenError, match="own code"):
        open_pipeline(str(copy))


def test_damaged_and_missing_folders(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PagenError, match=r"found no model_index\.json"):
        open_inpainter(str(tmp_path))
    copy = shutil.copytree(folder, tmp_path / "copy")
    shutil.rmtree(copy / "unet")
    with pytest.raises(PagenError, match="cannot load the pipeline"):
        open_pipeline(str(copy))
    (copy / "model_index.json").write_text("{")
    with pytest.raises(PagenError, match="not a valid JSON"):
        open_pipeline(str(copy))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(PagenError, match="cannot load the pipeline nobody/nothing"):
        open_inpainter("nobody/nothing")


@pytest.mark.parametrize("file", ["unet/diffusion_pytorch_model.safetensors", "text_encoder/model.safetensors"])
def test_a_truncated_file_is_named_as_what_it_is(folder: Path, tmp_path: Path, file: str) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    whole = (copy / file).read_bytes()
    (copy / file).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(PagenError, match="cannot load the pipeline"):
        open_pipeline(str(copy))


def test_loading_is_silent(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    open_pipeline(str(folder))
    assert capfd.readouterr() == ("", "")
