"""The converted encoder against numbers of the official one, on random weights by the official names.

`data/vificlip_small.npz` holds the official image encoder's names and shapes at a small size and what it made of
drawn pictures; weights and pictures are not kept but drawn again, each from the frozen stream of its own name.
"""

from __future__ import annotations

import json
import math
import sys
import zlib
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor

from pagen import cli
from pagen.errors import PagenError
from pagen.models.convert.vificlip import assemble, convert
from pagen.models.encoders.open import open_encoder

DATA = Path(__file__).parent / "data" / "vificlip_small.npz"
Numbers = npt.NDArray[np.float32]


def drawn(name: str, shape: tuple[int, ...]) -> Tensor:
    """Normal numbers of a size that keeps activations near 1, from numpy's stream that never changes."""
    values = np.random.RandomState(zlib.crc32(name.encode())).standard_normal(shape)
    if name.startswith("ln") or ".ln" in name:
        values = 0.1 * values + name.endswith("weight")
    elif len(shape) > 1:
        values = values / math.sqrt(math.prod(shape[1:]))
    return torch.from_numpy(np.asarray(values, np.float32))


def official() -> tuple[dict[str, Tensor], Numbers]:
    """The image encoder's weights by their official names, and the features (3, 24)."""
    with np.load(DATA, allow_pickle=False) as numbers:
        shapes = {
            name: tuple(map(int, shape.split()))
            for name, shape in zip(numbers["names"], numbers["shapes"], strict=True)
        }
        features: Numbers = numbers["features"]
    return {str(name): drawn(str(name), shape) for name, shape in shapes.items()}, features


def checkpoint(**more: Tensor) -> dict[str, Tensor]:
    """The state_dict that the official training saves, through DDP."""
    images = {f"image_encoder.{name}": weight for name, weight in official()[0].items()}
    words = {"text_encoder.positional_embedding": torch.ones(77, 8), "text_encoder.ln_final.weight": torch.ones(8)}
    others = {"logit_scale": torch.tensor(4.6), "prompt_learner.complete_text_embeddings": torch.ones(2, 77, 8)}
    return {f"module.{name}": weight for name, weight in (images | words | others | more).items()}


def save_as_published(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the configuration as an object of yacs', which is a table that knows more, and numpy's best score."""

    class CfgNode(dict):  # type: ignore[type-arg]
        def __init__(self, **values: Any) -> None:
            super().__init__(values)
            self.__dict__["__immutable__"] = False

    module = ModuleType("yacs.config")
    module.CfgNode = CfgNode  # type: ignore[attr-defined]
    CfgNode.__module__, CfgNode.__qualname__ = "yacs.config", "CfgNode"
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "yacs", ModuleType("yacs"))
        patch.setitem(sys.modules, "yacs.config", module)
        config = CfgNode(MODEL=CfgNode(ARCH="ViT-B/16"), EPOCHS=10)
        state = {"model": checkpoint(), "optimizer": {"state": {0: {"exp_avg": torch.ones(3)}}, "param_groups": []}}
        torch.save({**state, "max_accuracy": np.float64(71.25), "epoch": 9, "config": config}, path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a published checkpoint was converted to by the command line."""
    top = tmp_path_factory.mktemp("vificlip")
    with pytest.MonkeyPatch.context() as patch:
        save_as_published(top / "published.pth", patch)
    cli.main(["convert", "vificlip", str(top / "published.pth"), str(top / "out")])
    return top / "out"


@pytest.mark.slow
def test_features_are_the_official_ones(folder: Path) -> None:
    from transformers import CLIPVisionModelWithProjection

    model = CLIPVisionModelWithProjection.from_pretrained(folder)
    with torch.inference_mode():
        found = model(pixel_values=drawn("pictures", (3, 3, 32, 32))).image_embeds.numpy()
    expected = official()[1]
    assert np.abs(expected).max() > 0.5
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_what_is_written_opens_as_an_encoder(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == {"config.json", "model.safetensors", "preprocessor_config.json"}
    encoder = open_encoder(f"vificlip:{folder}")
    assert (encoder.side, encoder.features) == (32, 24)
    assert [open_encoder(f"vificlip:{folder}", view=view).view for view in ("whole", "own")] == ["whole", "vifi"]
    frames = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), np.uint8)
    standard = (frames - np.float32([123.675, 116.28, 103.53])) / np.float32([58.395, 57.12, 57.375])
    with torch.inference_mode():
        model = assemble(checkpoint())
        expected = model(pixel_values=torch.from_numpy(standard).permute(0, 3, 1, 2)).image_embeds.numpy()
    np.testing.assert_allclose(encoder(frames), expected, atol=1e-5)


def test_transformers_own_processor_does_as_vificlip_tests(folder: Path) -> None:
    from transformers import CLIPImageProcessorPil

    frame = np.random.default_rng(0).integers(0, 256, (72, 108, 3), np.uint8)
    values = CLIPImageProcessorPil.from_pretrained(folder)(images=Image.fromarray(frame), return_tensors="np")
    large = np.asarray(Image.fromarray(frame).resize((54, 36), Image.Resampling.BILINEAR))[2:34, 11:43]
    expected = (large / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    np.testing.assert_allclose(values["pixel_values"][0], expected.transpose(2, 0, 1), atol=1e-5)


def test_sizes_are_those_of_the_tensors(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    wanted = {
        **{"hidden_size": 128, "intermediate_size": 512, "num_hidden_layers": 2, "num_attention_heads": 2},
        **{"patch_size": 8, "image_size": 32, "projection_dim": 24, "hidden_act": "quick_gelu"},
    }
    assert {key: config[key] for key in wanted} == wanted


def test_half_precision_and_safetensors_will_do_and_nothing_is_said(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    half = {name: weight.half() for name, weight in checkpoint().items()}
    save_file(half, tmp_path / "weights.safetensors")
    convert(tmp_path / "weights.safetensors", tmp_path / "out")
    assert capfd.readouterr() == ("", "")
    encoder = open_encoder(f"vificlip:{tmp_path / 'out'}")
    assert {parameter.dtype for parameter in encoder.network.parameters()} == {torch.float32}


BLOCK = "module.image_encoder.transformer.resblocks.1"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"module.image_encoder.VPT": torch.ones(4, 128)},
            r"without learned prompts, found module\.image_encoder\.VPT",
        ),
        ({"module.text_encoder.transformer.resblocks.0.VPT_shallow": torch.ones(4, 8)}, "without learned prompts"),
        ({"module.image_encoder.proj": None}, r"expected the weight image_encoder\.proj"),
        (
            {f"{BLOCK}.attn.in_proj_bias": None},
            r"the weight image_encoder\.transformer\.resblocks\.1\.attn\.in_proj_bias",
        ),
        ({f"{BLOCK}.adapter.weight": torch.ones(3)}, r"found 1 more weights, among them .*adapter"),
        ({f"{BLOCK}.ln_1.weight": torch.ones(3)}, "shapes that do not fit"),
        ({"module.image_encoder.positional_embedding": torch.ones(18, 128)}, "a square of patches"),
        ({"module.image_encoder.conv1.weight": torch.ones(100, 3, 8, 8)}, "heads 64 wide"),
        ({"module.image_encoder.conv1.weight": torch.ones(128, 3)}, r"image_encoder\.conv1\.weight of a vision"),
    ],
)
def test_other_weights_are_refused_in_one_line(changes: dict[str, Tensor | None], words: str) -> None:
    weights = {name: weight for name, weight in {**checkpoint(), **changes}.items() if weight is not None}
    with pytest.raises(PagenError, match=words) as caught:
        assemble(weights)
    assert "\n" not in str(caught.value)


def test_another_model_is_refused() -> None:
    with pytest.raises(PagenError, match=r"expected weights image_encoder\.\* of ViFi-CLIP, found fc\.bias fc\.weight"):
        assemble({"fc.weight": torch.ones(2, 2), "fc.bias": torch.ones(2)})
