"""The converted pipeline against numbers of the official classes, on random models of the official layout.

`data/ldm_*.npz` holds what the official encoder, denoiser, sampler, decoder and script gave; the weights are
not kept but drawn again, each from the frozen stream of its own name. `data/ldm_names.json.gz` holds the
official names and shapes, of the published model ("big") too.
"""

from __future__ import annotations

import gzip
import json
import math
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from torch import Tensor

from pagen.errors import PagenError
from pagen.models import ldm
from pagen.models.convert.ldm import assemble, convert
from pagen.models.convert.ldm_config import InpaintingConfig, read_config
from pagen.models.ldm import LDMInpaintPipeline

pytestmark = pytest.mark.slow

DATA = Path(__file__).parent / "data"
NAMES: dict[str, dict[str, list[int]]] = json.loads(gzip.decompress((DATA / "ldm_names.json.gz").read_bytes()))

Edit = Callable[[dict[str, Any]], None]


def drawn(name: str, shape: list[int]) -> Tensor:
    """A weight: normal, of a size that keeps activations near 1, from numpy's stream that never changes."""
    values = np.random.RandomState(zlib.crc32(name.encode())).standard_normal(shape)
    if len(shape) == 1:
        values = 0.1 * values + name.endswith("weight")
    elif not name.endswith("embedding.weight"):
        values = values / math.sqrt(math.prod(shape[1:]))
    return torch.from_numpy(np.asarray(values, np.float32))


def checkpoint(which: str) -> dict[str, Tensor]:
    """The official state_dict: denoiser, its average, autoencoder, the same by a second name, schedule buffers."""
    weights = {}
    for name, shape in NAMES[which].items():
        source = name.replace("cond_stage_model.", "first_stage_model.")
        buffer = "model" not in name or name in ("model_ema.decay", "model_ema.num_updates")
        weights[name] = torch.ones(shape) if buffer else drawn(source, shape)
    weights["betas"] = torch.linspace(0.0015**0.5, 0.0205**0.5, 1000, dtype=torch.float64).square().float()
    return weights


def official(which: str) -> dict[str, Tensor]:
    with np.load(DATA / f"ldm_{which}.npz") as numbers:
        return {name: torch.from_numpy(numbers[name]) for name in numbers.files}


def config_of(which: str) -> InpaintingConfig:
    return read_config(DATA / f"ldm_{which}.yaml")


@pytest.fixture(scope="module")
def small() -> dict[str, Tensor]:
    return checkpoint("small")


@pytest.fixture(scope="module")
def saved(small: dict[str, Tensor], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that a checkpoint file, as Lightning leaves it, was converted to."""
    folder = tmp_path_factory.mktemp("ldm")
    torch.save({"epoch": 3, "state_dict": small, "optimizer_states": []}, folder / "last.ckpt")
    convert(folder / "last.ckpt", DATA / "ldm_small.yaml").save_pretrained(folder / "out")
    return folder / "out"


@pytest.fixture(scope="module", params=["small", "other"])
def both(request: pytest.FixtureRequest, saved: Path) -> tuple[LDMInpaintPipeline, dict[str, Tensor]]:
    """A pipeline and its official numbers: one opened from disk, one of the other options of the layout."""
    if request.param == "other":
        pipeline = assemble(checkpoint("other"), config_of("other"))
    else:
        pipeline = LDMInpaintPipeline.from_pretrained(saved)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline, official(request.param)


def inputs(numbers: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    """Image in [0, 1] and mask, with values about a half, as the script reads them."""
    return numbers["image"][None] / 255, numbers["mask"][None, None] / 255


@torch.no_grad()
def test_encoder_and_condition_are_the_official_ones(both: tuple[LDMInpaintPipeline, dict[str, Tensor]]) -> None:
    pipeline, numbers = both
    image, mask = inputs(numbers)
    black = image * (mask < 0.5) * 2 - 1
    torch.testing.assert_close(pipeline.encode(black), numbers["encoded"], atol=1e-4, rtol=0)
    torch.testing.assert_close(pipeline.condition(image * 2 - 1, mask), numbers["known"], atol=1e-4, rtol=0)


@torch.no_grad()
def test_denoiser_is_the_official_average(both: tuple[LDMInpaintPipeline, dict[str, Tensor]]) -> None:
    pipeline, numbers = both
    predicted = pipeline.unet(torch.cat([numbers["noise"], numbers["known"]], 1), torch.tensor(481)).sample
    torch.testing.assert_close(predicted, numbers["eps"], atol=1e-4, rtol=0)


@torch.no_grad()
def test_decoder_is_the_official_one(both: tuple[LDMInpaintPipeline, dict[str, Tensor]]) -> None:
    pipeline, numbers = both
    torch.testing.assert_close(pipeline.decode(numbers["latents"][-1:]), numbers["decoded"], atol=1e-4, rtol=0)


def test_a_call_goes_through_the_official_latents_to_the_official_picture(
    both: tuple[LDMInpaintPipeline, dict[str, Tensor]], monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline, numbers = both
    image, mask = inputs(numbers)
    seen: list[tuple[Tensor, int]] = []
    decode, channels = pipeline.decode, numbers["noise"].shape[1]
    monkeypatch.setattr(ldm, "_noise", lambda *_: numbers["noise"])
    monkeypatch.setattr(pipeline, "decode", lambda latent: seen.append((latent, -1)) or decode(latent))
    watch = pipeline.unet.register_forward_pre_hook(lambda _, given: seen.append((given[0][:, :channels], given[1])))
    painted = pipeline(image, mask, num_inference_steps=len(numbers["times"])).images
    watch.remove()
    assert [int(time) for _, time in seen] == [*numbers["times"].tolist(), -1]
    torch.testing.assert_close(torch.cat([latent for latent, _ in seen]), numbers["latents"], atol=1e-4, rtol=0)
    torch.testing.assert_close(torch.where(mask >= 0.5, painted, image), numbers["inpainted"], atol=1e-4, rtol=0)


def test_what_is_saved_opens_with_the_conventions_of_the_model(saved: Path) -> None:
    pipeline = LDMInpaintPipeline.from_pretrained(saved, local_files_only=True)
    assert {key: pipeline.config[key] for key in ("hole_value", "mask_kept", "mask_hole", "mask_resize", "crop")} == {
        "hole_value": -1.0,
        "mask_kept": -1.0,
        "mask_hole": 1.0,
        "mask_resize": "nearest",
        "crop": 0,
    }
    assert pipeline.vae_scale_factor == 4
    assert pipeline.vae.config.scaling_factor == 1.0
    assert {parameter.dtype for parameter in pipeline.unet.parameters()} == {torch.float32}


def test_heads_are_as_many_at_every_width(saved: Path) -> None:
    unet = LDMInpaintPipeline.from_pretrained(saved).unet
    attentions = [module for module in unet.modules() if hasattr(module, "to_q")]
    assert {(module.inner_dim, module.heads, module.scale) for module in attentions} == {
        (64, 8, 8**-0.5),
        (128, 8, 16**-0.5),
    }


@torch.no_grad()
def test_without_an_average_the_raw_weights_are_taken_and_that_is_said(
    small: dict[str, Tensor], capsys: pytest.CaptureFixture[str]
) -> None:
    raw = {name: weight for name, weight in small.items() if not name.startswith("model_ema.")}
    unet = assemble(raw, config_of("small")).unet
    assert "no moving average" in capsys.readouterr().err
    numbers = official("small")
    predicted = unet(torch.cat([numbers["noise"], numbers["known"]], 1), 481).sample
    torch.testing.assert_close(predicted, numbers["eps_raw"], atol=1e-4, rtol=0)
    assert not torch.allclose(numbers["eps"], numbers["eps_raw"], atol=0.1)


def test_the_average_alone_suffices_and_half_precision_becomes_whole(
    small: dict[str, Tensor], capsys: pytest.CaptureFixture[str]
) -> None:
    pruned = {
        name: weight.half()
        for name, weight in small.items()
        if name.startswith(("model_ema.diffusion_model", "first_stage_model."))
    }
    unet = assemble(pruned, config_of("small")).unet
    assert capsys.readouterr().err == ""
    assert {parameter.dtype for parameter in unet.parameters()} == {torch.float32}


def test_every_weight_of_the_published_model_finds_its_place(tmp_path: Path) -> None:
    """Names and shapes alone: all of them are taken, none is missing."""

    def big(config: dict[str, Any]) -> None:
        params = config["model"]["params"]
        params["unet_config"]["params"] |= {
            "model_channels": 256,
            "channel_mult": [1, 2, 3, 4],
            "attention_resolutions": [8, 4, 2],
        }
        params["first_stage_config"]["params"] |= {"n_embed": 8192}
        params["first_stage_config"]["params"]["ddconfig"] |= {"ch": 128, "resolution": 256}

    weights = {name: torch.empty(shape, device="meta") for name, shape in NAMES["big"].items()}
    pipeline = assemble(weights, read_config(edited(tmp_path, big)))
    count = sum(parameter.numel() for parameter in pipeline.unet.parameters())
    assert count == sum(math.prod(shape) for name, shape in NAMES["big"].items() if name.startswith("model.diff"))


def edited(folder: Path, edit: Edit) -> Path:
    config = yaml.safe_load((DATA / "ldm_small.yaml").read_text())
    edit(config)
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    return folder / "config.yaml"


def setting(path: str, value: Any) -> Edit:
    """An edit of the configuration: a value at a dotted path below `model.params`; ... removes the key."""

    def edit(config: dict[str, Any]) -> None:
        *parents, key = path.split(".")
        section = config["model"]["params"]
        for parent in parents:
            section = section[parent]
        if value is ...:
            del section[key]
        else:
            section[key] = value

    return edit


UNET, STAGE = "unet_config.params.", "first_stage_config.params."


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (setting("cond_stage_config", {"target": "ldm.modules.encoders.modules.BERTEmbedder"}), "BERTEmbedder"),
        (setting("cond_stage_key", "caption"), "cond_stage_key masked_image .* caption"),
        (setting("conditioning_key", "crossattn"), "conditioning_key None or concat .* crossattn"),
        (setting("concat_mode", False), "concat_mode True"),
        (setting("parameterization", "x0"), "parameterization eps"),
        (setting("beta_schedule", "cosine"), "beta_schedule linear"),
        (setting("scale_factor", 0.18215), "scale_factor 1.0"),
        (setting("linear_end", ...), "expected linear_end .* found none"),
        (setting("linear_start", "slow"), "positive number .* slow"),
        (setting("linear_end", 0.001), "linear_start < linear_end"),
        (setting("timesteps", True), "positive whole number .* True"),
        (setting(UNET + "in_channels", 9), "in_channels 7 .* 9"),
        (setting(UNET + "use_spatial_transformer", True), "use_spatial_transformer False"),
        (setting(UNET + "num_head_channels", 32), "num_head_channels -1"),
        (setting(UNET + "channel_mult", [2, 4]), "first level"),
        (setting(UNET + "channel_mult", []), "first level"),
        (setting(UNET + "channel_mult", "1,2"), "list of positive whole numbers .* 1,2"),
        (setting(UNET + "model_channels", 48), "multiples of 32"),
        (setting(UNET + "num_heads", 5), "5 heads"),
        (setting(UNET + "resblock_updown", "yes"), "true or false"),
        (setting("unet_config.target", "other.UNet"), "the class UNetModel"),
        (setting("unet_config", "none"), "unet_config a table"),
        (setting("first_stage_config.target", "ldm.models.autoencoder.AutoencoderKL"), "AutoencoderKL"),
        (setting(STAGE + "ddconfig.double_z", True), "double_z False"),
        (setting(STAGE + "ddconfig.ch_mult", []), "at least one level"),
        (setting(STAGE + "ddconfig.attn_type", "linear"), "attn_type none or vanilla"),
        (setting(STAGE + "n_embed", ...), "expected n_embed"),
    ],
)
def test_a_config_of_another_model_is_refused(tmp_path: Path, edit: Edit, said: str) -> None:
    with pytest.raises(PagenError, match=said) as caught:
        read_config(edited(tmp_path, edit))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "[1, 2]", "model: 3", "a: [b", "!!python/object/apply:os.getcwd []", "\x00"])
def test_a_file_that_is_no_config_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(PagenError, match=r"expected .* found"):
        read_config(tmp_path / "config.yaml")


def test_numbers_that_yaml_takes_for_words_are_read(tmp_path: Path) -> None:
    assert read_config(edited(tmp_path, setting("linear_start", "1e-4"))).first_beta == 1e-4


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (setting(UNET + "num_res_blocks", 3), "expected the weight model_ema.diffusion_model"),
        (setting(UNET + "num_res_blocks", 1), "input_blocks31normweight .* found none"),
        (setting(UNET + "model_channels", 128), r"shape \(.*128"),
        (setting(UNET + "resblock_updown", False), "found none of that name"),
        (setting(UNET + "attention_resolutions", [4]), "found none of that name"),
        (setting(STAGE + "n_embed", 32), r"quantize.embedding.weight in the shape \(32, 3\)"),
        (setting(STAGE + "ddconfig.attn_type", "vanilla"), "mid.attn_1"),
        (setting("linear_end", 0.012), "noise schedule"),
        (setting("timesteps", 500), "noise schedule"),
    ],
)
def test_a_config_of_other_sizes_is_refused(tmp_path: Path, small: dict[str, Tensor], edit: Edit, said: str) -> None:
    with pytest.raises(PagenError, match=said):
        assemble(small, read_config(edited(tmp_path, edit)))


def test_weights_without_a_place_are_refused(small: dict[str, Tensor]) -> None:
    more = small | {"first_stage_model.encoder.extra.weight": torch.ones(1)}
    with pytest.raises(PagenError, match=r"found 1 more, among them first_stage_model\.encoder\.extra\.weight"):
        assemble(more, config_of("small"))
