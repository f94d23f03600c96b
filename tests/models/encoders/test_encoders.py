"""Encoders against transformers' own preprocessing, Pillow's resizing, and what a classifier says of known pictures."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image
from skimage import data
from torch import nn

from pagen.errors import PagenError
from pagen.models.encoders import encoder as module
from pagen.models.encoders.encoder import FRAMES_AT_ONCE, VIEWS, Encoder, pictures
from pagen.models.encoders.open import ENCODERS, open_encoder
from pagen.spread import one_thread

Frames = npt.NDArray[np.uint8]
SIDE = 32
SMALL = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
VISION = {**SMALL, "image_size": SIDE, "patch_size": 8, "projection_dim": 12}
TEXT = {**SMALL, "vocab_size": 99, "projection_dim": 12, "bos_token_id": 0, "eos_token_id": 2}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Random CLIPs as `save_pretrained` writes them: both halves, the picture's alone, and without its projection."""
    from transformers import CLIPConfig, CLIPModel, CLIPVisionConfig, CLIPVisionModel, CLIPVisionModelWithProjection

    torch.manual_seed(0)
    both = CLIPConfig(text_config=TEXT, vision_config=VISION, projection_dim=12)
    vision = CLIPVisionConfig(**VISION)
    models = {
        "both": CLIPModel(both),
        "vision": CLIPVisionModelWithProjection(vision),
        "bare": CLIPVisionModel(vision),
    }
    root = tmp_path_factory.mktemp("clips")
    for name, model in models.items():
        model.save_pretrained(root / name)
    return {name: root / name for name in models}


@pytest.fixture
def copy(folders: dict[str, Path], tmp_path: Path) -> Path:
    """A folder to spoil."""
    return shutil.copytree(folders["vision"], tmp_path / "copy")


@pytest.fixture(scope="module")
def lite0() -> Encoder:
    return open_encoder("lite0")


def photographs() -> list[torch.Tensor]:
    """Three of them, (1, H, W, 3)."""
    return [torch.from_numpy(photograph()[None]) for photograph in (data.chelsea, data.coffee, data.rocket)]


def strays(encoder: Encoder, seen: torch.Tensor) -> float:
    """Variance of what lite0's first layer makes of pictures (N, 3, side, side), by the variance that it remembers."""
    layer, memory = encoder.network.classifier._conv_stem, encoder.network.classifier._bn0
    mean, deviation = (torch.tensor(of).view(3, 1, 1) for of in (encoder.mean, encoder.deviation))
    with torch.inference_mode():
        shown = layer((seen - mean) / deviation).var((0, 2, 3))
    return float((shown / memory.running_var)[memory.running_var > 1e-6].median())


def noise(count: int = 3, channels: int = 3, size: tuple[int, int] = (48, 80)) -> Frames:
    return np.random.default_rng(0).integers(0, 256, (count, *size, channels), np.uint8)


def change(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps((json.loads(path.read_text()) if path.exists() else {}) | changes))


def picture_of(frame: Frames) -> Image.Image:
    return Image.fromarray(np.repeat(frame, 3 // frame.shape[2], axis=2))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(48, 80), (20, 24), (32, 32), (90, 31)])
def test_the_whole_frame_is_seen_as_pillow_resizes_it(size: tuple[int, int], channels: int) -> None:
    frames = noise(2, channels, size)
    seen = pictures(torch.from_numpy(frames), SIDE).numpy()
    assert seen.shape == (2, 3, SIDE, SIDE)
    for frame, values in zip(frames, seen, strict=True):
        expected = picture_of(frame).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
        np.testing.assert_allclose(values.transpose(1, 2, 0), np.asarray(expected), atol=1.01)


@pytest.mark.parametrize("size", [(56, 105), (105, 56), (56, 56)])
def test_the_view_vifi_is_the_middle_at_8_7ths(size: tuple[int, int]) -> None:
    frames = noise(1, 3, size)
    seen = pictures(torch.from_numpy(frames), 28, "vifi").numpy()[0].transpose(1, 2, 0)
    large = picture_of(frames[0]).resize((size[1] * 32 // 56, size[0] * 32 // 56), Image.Resampling.BILINEAR)
    left, top = (large.width - 28) // 2, (large.height - 28) // 2
    np.testing.assert_allclose(seen, np.asarray(large.crop((left, top, left + 28, top + 28))), atol=1.01)


@pytest.mark.parametrize(
    ("size", "short", "around"),
    [
        ((240, 360), 73, (73, 109)),
        ((360, 240), 73, (109, 73)),
        ((240, 360), 256, (256, 384)),
        ((158, 238), 256, (256, 386)),
    ],
)
def test_the_view_vifi_rounds_as_the_official_code(
    size: tuple[int, int], short: int, around: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which divides the wanted short side by the present one first, and then rounds each side's product."""
    asked = []
    monkeypatch.setattr(module, "interpolate", lambda frames, size, **how: asked.append(size) or frames)
    pictures(torch.zeros(1, *size, 3, dtype=torch.uint8), {73: 64, 256: 224}[short], "vifi")
    assert asked == [around]


def test_each_encoder_has_a_view_of_its_own(folders: dict[str, Path], lite0: Encoder) -> None:
    assert open_encoder(f"clip:{folders['vision']}", view="own").view == "whole"
    assert lite0.view == "whole"


def test_lite0_knows_a_cat_and_a_cup_of_coffee(lite0: Encoder) -> None:
    """The classes are ImageNet's."""
    classify = lite0.network.classifier._fc
    with torch.inference_mode():
        cat, coffee = (
            classify(torch.from_numpy(lite0(picture[None]))).softmax(1)[0]
            for picture in (data.chelsea(), data.coffee())
        )
    assert 281 <= int(cat.argmax()) <= 285
    assert cat[281:286].sum() > 0.5
    assert int(coffee.argmax()) == 967
    assert lite0.features == 1280


def test_lite0_is_fed_as_it_was_trained(lite0: Encoder) -> None:
    """Its first layer remembers what it was shown: a mean colour, red first, and how far pictures stray from it.

    ImageNet's mean colour gives the remembered means; with blue first the correlation is 0.55, with pixels from 0
    to 1 it is -0.89. Photographs stray 0.7 times as far as remembered; 3.3 times if divided by ImageNet's deviation.
    """
    layer, memory = lite0.network.classifier._conv_stem, lite0.network.classifier._bn0
    alive = memory.running_var > 1e-6
    mean, deviation = torch.tensor(lite0.mean), torch.tensor(lite0.deviation)
    colour = (255 * torch.tensor([0.485, 0.456, 0.406]) - mean) / deviation
    expected = (layer.weight.detach().sum((2, 3)) @ colour)[alive]
    assert np.corrcoef(expected, memory.running_mean[alive])[0, 1] > 0.95
    assert 0.4 < strays(lite0, torch.cat([pictures(each, lite0.side) for each in photographs()])) < 1.5


def test_lite0_of_imagenet_is_nearer_to_what_is_small(lite0: Encoder) -> None:
    """Photographs stray 0.7 and 3.3 times as far as remembered; shrunk to 24 pixels and enlarged, 0.3 and 1.7 times."""
    other = open_encoder("lite0:imagenet")
    large = torch.cat([pictures(each, lite0.side) for each in photographs()])
    small = torch.cat([pictures(each, 24) for each in photographs()])
    enlarged = torch.nn.functional.interpolate(small, (128, 128), mode="bilinear")
    assert 1 / strays(lite0, large) < strays(other, large)
    assert strays(other, enlarged) < 1 / strays(lite0, enlarged)


def test_lite0_of_imagenet_standardises_as_imagenet_is(lite0: Encoder) -> None:
    frames = data.chelsea()[None, :224, :224]  # no resizing
    values = torch.from_numpy(frames).permute(0, 3, 1, 2) / 255
    mean, deviation = (torch.tensor(of).view(3, 1, 1) for of in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    with torch.inference_mode():
        expected = lite0.network((values - mean) / deviation).numpy()
    np.testing.assert_allclose(open_encoder("lite0:imagenet")(frames), expected, atol=1e-4)


def test_lite0_is_what_its_package_pools_before_the_classifier(lite0: Encoder) -> None:
    frame = data.chelsea()
    small = frame[None, :224, :224]  # no resizing
    seen: list[torch.Tensor] = []
    model = lite0.network.classifier
    watch = model._fc.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    with torch.inference_mode():
        model((torch.from_numpy(small).permute(0, 3, 1, 2).float() - 127) / 128)
    watch.remove()
    np.testing.assert_allclose(lite0(small), seen[0].numpy(), atol=1e-4)


@pytest.mark.parametrize("which", ["both", "vision"])
@pytest.mark.parametrize("channels", [1, 3])
def test_clip_gives_its_own_embedding(folders: dict[str, Path], which: str, channels: int) -> None:
    from transformers import CLIPImageProcessorPil, CLIPModel, CLIPVisionModelWithProjection

    frames = noise(3, channels, (SIDE, SIDE))
    square = {"height": SIDE, "width": SIDE}
    processor = CLIPImageProcessorPil(size=square, do_center_crop=False, resample=2)
    inputs = processor(images=[picture_of(frame) for frame in frames], return_tensors="pt")
    kind = CLIPModel if which == "both" else CLIPVisionModelWithProjection
    model = kind.from_pretrained(folders[which])
    with torch.inference_mode():
        if which == "both":
            expected = model.visual_projection(model.vision_model(**inputs).pooler_output)
        else:
            expected = model(**inputs).image_embeds
    found = open_encoder(f"clip:{folders[which]}")(frames)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected.numpy(), atol=1e-5)
    assert not np.allclose(np.linalg.norm(found, axis=1), 1, atol=0.05)


@pytest.mark.parametrize("name", ["preprocessor_config.json", "processor_config.json"])
def test_statistics_come_from_the_folder(copy: Path, name: str) -> None:
    usual = open_encoder(f"clip:{copy}")
    from transformers.image_utils import OPENAI_CLIP_MEAN, OPENAI_CLIP_STD

    np.testing.assert_allclose(usual.mean, 255 * np.array(OPENAI_CLIP_MEAN))
    np.testing.assert_allclose(usual.deviation, 255 * np.array(OPENAI_CLIP_STD))
    own = {"image_mean": [0, 0.5, 1], "image_std": [1, 0.5, 0.2]}
    change(copy / name, **(own if name.startswith("pre") else {"image_processor": own}))
    changed = open_encoder(f"clip:{copy}")
    assert changed.mean == (0, 127.5, 255)
    assert changed.deviation == (255, 127.5, 51)
    assert not np.allclose(usual(noise()), changed(noise()))


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"image_mean": 3}', '{"image_std": [1, 2]}', '{"image_mean": ["a", 1, 1]}']
)
def test_statistics_that_are_none_are_refused(copy: Path, content: str) -> None:
    (copy / "preprocessor_config.json").write_text(content)
    with pytest.raises(PagenError, match="expected image_mean and image_std"):
        open_encoder(f"clip:{copy}")


@pytest.mark.parametrize("view", VIEWS)
def test_no_batching_changes_a_byte(folders: dict[str, Path], view: str) -> None:
    encoder = open_encoder(f"clip:{folders['vision']}", view=view)
    frames = noise(2 * FRAMES_AT_ONCE + 3, 1)
    with one_thread():
        whole = encoder(frames)
        for count in (1, FRAMES_AT_ONCE - 1, FRAMES_AT_ONCE, FRAMES_AT_ONCE + 1):
            np.testing.assert_array_equal(encoder(frames[:count]), whole[:count])
    assert encoder(frames[:0]).shape == (0, 12)


def test_a_read_only_memory_map_will_do(folders: dict[str, Path], tmp_path: Path) -> None:
    np.save(tmp_path / "clip.npy", noise())
    mapped = np.load(tmp_path / "clip.npy", mmap_mode="r")
    encoder = open_encoder(f"clip:{folders['vision']}")
    np.testing.assert_array_equal(encoder(mapped), encoder(noise()))


def test_half_precision_on_disk_becomes_whole(copy: Path) -> None:
    from transformers import CLIPVisionModelWithProjection

    CLIPVisionModelWithProjection.from_pretrained(copy).half().save_pretrained(copy)
    encoder = open_encoder(f"clip:{copy}")
    assert {parameter.dtype for parameter in encoder.network.parameters()} == {torch.float32}
    assert encoder(noise()).shape == (3, 12)


def test_origin_follows_the_weights(copy: Path, lite0: Encoder) -> None:
    encoder = open_encoder(f"clip:{copy}")
    assert encoder.name == "clip"
    assert encoder.origin() == open_encoder(f"clip:{copy}").origin()
    place, before = encoder.origin() or ("", "")
    assert place == str(copy)
    change(copy / "preprocessor_config.json", image_mean=[0, 0, 0])
    assert (open_encoder(f"clip:{copy}").origin() or ("", ""))[1] != before
    assert lite0.origin() == open_encoder("lite0").origin()


def test_vificlip_takes_only_what_has_imagenets_statistics(copy: Path) -> None:
    with pytest.raises(PagenError, match="expected what pagen convert vificlip wrote"):
        open_encoder(f"vificlip:{copy}")
    change(copy / "preprocessor_config.json", image_mean=[0.485, 0.456, 0.406], image_std=[0.229, 0.224, 0.225])
    encoder = open_encoder(f"vificlip:{copy}")
    assert encoder.name == "vificlip"
    np.testing.assert_allclose(encoder.mean, (123.675, 116.28, 103.53))
    np.testing.assert_allclose(encoder.deviation, (58.395, 57.12, 57.375))


def test_opening_is_silent(folders: dict[str, Path], capfd: pytest.CaptureFixture[str]) -> None:
    open_encoder("lite0")
    open_encoder(f"clip:{folders['both']}")  # the words' half is left out
    assert capfd.readouterr() == ("", "")


def test_a_folder_that_is_no_clip_or_none(copy: Path, tmp_path: Path) -> None:
    with pytest.raises(PagenError, match=r"found no config\.json"):
        open_encoder(f"clip:{tmp_path}")
    change(copy / "config.json", model_type="siglip")
    with pytest.raises(PagenError, match=r"expected a CLIP .* found 'siglip'"):
        open_encoder(f"clip:{copy}")
    (copy / "config.json").write_text("{")
    with pytest.raises(PagenError, match="cannot load the model"):
        open_encoder(f"clip:{copy}")


def test_a_clip_without_its_projection_is_refused(folders: dict[str, Path]) -> None:
    with pytest.raises(PagenError, match=r"found 1 missing \(visual_projection\.weight\); give a CLIP with its"):
        open_encoder(f"clip:{folders['bare']}")


def test_pickled_weights_are_not_read(copy: Path) -> None:
    from safetensors.torch import load_file

    torch.save(load_file(copy / "model.safetensors"), copy / "pytorch_model.bin")
    (copy / "model.safetensors").unlink()
    with pytest.raises(PagenError, match="expected safetensors weights, found none in"):
        open_encoder(f"clip:{copy}")


def test_neither_folder_nor_network_nor_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for spec in ("clip", "clip:", "clip:nowhere", "vificlip:nowhere"):
        with pytest.raises(PagenError, match="with a folder or a hub id owner/name, found"):
            open_encoder(spec)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(PagenError, match="cannot load the model nobody/nothing"):
        open_encoder("clip:nobody/nothing")
    monkeypatch.setattr("pagen.hub.find_spec", lambda name: None)
    with pytest.raises(PagenError, match=r"the package transformers for encoder 'clip'.*pagen\[hub\]"):
        open_encoder("clip:nobody/nothing")
    with pytest.raises(PagenError, match=r"the package efficientnet_lite_pytorch .*pagen\[lite\]"):
        open_encoder("lite0")


def test_a_hub_id_is_read_from_its_snapshot(
    folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda name, allow_patterns: str(folders["vision"]))
    local = open_encoder(f"clip:{folders['vision']}")
    encoder = open_encoder("clip:owner/name")
    assert encoder.origin() == ("owner/name", (local.origin() or ("", ""))[1])
    np.testing.assert_array_equal(encoder(noise()), local(noise()))


@pytest.mark.parametrize(
    ("spec", "options", "words"),
    [
        ("lite0:x", {}, "expected encoder lite0 or lite0:imagenet, found 'lite0:x'"),
        ("lite1", {}, "no encoder named 'lite1'; did you mean 'lite0'"),
        ("lite0", {"view": "vify"}, "no view named 'vify'; did you mean 'vifi'"),
        ("lite0", {"device": "tpu0"}, "expected a device that torch has"),
    ],
)
def test_other_specs_are_refused(spec: str, options: dict[str, str], words: str) -> None:
    with pytest.raises(PagenError, match=words):
        open_encoder(spec, **options)


@pytest.mark.parametrize("frames", [noise()[0], noise().astype(np.float32), noise(3, 2)])
def test_other_frames_are_refused(folders: dict[str, Path], frames: Any) -> None:
    with pytest.raises(PagenError, match=r"expected frames uint8 \(N, H, W, C\)"):
        open_encoder(f"clip:{folders['vision']}")(frames)


def test_third_parties_add_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mean colour of the frame, from 0 to 1, under a name of one's own."""
    mean = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    plain = Encoder("mean", 3, mean, 8, (0.0,) * 3, (255.0,) * 3)
    monkeypatch.setitem(ENCODERS._table, "mean", lambda option: replace(plain, place=(option, "0")))
    encoder = open_encoder("mean:here")
    assert encoder.origin() == ("here", "0")
    colour = np.array([0, 51, 255], np.uint8)
    np.testing.assert_allclose(encoder(np.broadcast_to(colour, (2, 20, 30, 3))), [[0, 0.2, 1]] * 2, atol=1e-6)
