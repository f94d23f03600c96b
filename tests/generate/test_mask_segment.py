"""Networks that find objects: tiny random ones, written by the test itself, and stand-ins whose objects are known."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from pagen.errors import PagenError
from pagen.generate.mask_kinds import open_masks
from pagen.generate.mask_motion import follow
from pagen.generate.mask_segment import Segmenter, SegmentMasks, load, open_segmenter
from pagen.generate.masks import bounded
from pagen.seeds import generator

SMALL_DETR = {
    **{"encoder_layers": 1, "decoder_layers": 1, "encoder_ffn_dim": 16, "decoder_ffn_dim": 16, "d_model": 32},
    **{"encoder_attention_heads": 8, "decoder_attention_heads": 8},
}
SMALL_MASK2FORMER = {
    **{"feature_size": 32, "mask_feature_size": 32, "hidden_dim": 32, "num_attention_heads": 2},
    **{"encoder_layers": 1, "decoder_layers": 2, "encoder_feedforward_dim": 16, "dim_feedforward": 16},
}
STAGES = {"depths": [1] * 4, "out_features": [f"stage{n}" for n in (1, 2, 3, 4)]}
PLAIN = {"size": {"height": 64, "width": 64}}
Frames = npt.NDArray[np.uint8]
Masks = npt.NDArray[np.bool_]


def mask2former() -> tuple[Any, Any]:
    from transformers import Mask2FormerConfig, Mask2FormerForUniversalSegmentation, Mask2FormerImageProcessorPil
    from transformers import SwinConfig as Backbone

    backbone = Backbone(image_size=64, embed_dim=8, window_size=4, num_heads=[1, 1, 2, 2], **STAGES)
    config = Mask2FormerConfig(backbone_config=backbone, num_labels=2, num_queries=5, **SMALL_MASK2FORMER)
    return Mask2FormerForUniversalSegmentation(config), Mask2FormerImageProcessorPil(**PLAIN)


def detr() -> tuple[Any, Any]:
    from transformers import DetrConfig, DetrForSegmentation, DetrImageProcessorPil, ResNetConfig

    backbone = ResNetConfig(embedding_size=8, hidden_sizes=[8] * 4, **STAGES)
    config = DetrConfig(backbone_config=backbone, num_labels=2, num_queries=5, **SMALL_DETR)
    return DetrForSegmentation(config), DetrImageProcessorPil(**PLAIN)


def make_certain(model: Any) -> None:
    """Every query is sure to see something of the first class."""
    import torch

    for name, layer in model.named_modules():
        if name.endswith(("class_predictor", "class_labels_classifier")):
            with torch.no_grad():
                layer.weight.zero_()
                layer.bias.copy_(torch.tensor([20.0, 0, 0]))


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Networks without training, in folders as `save_pretrained` writes them."""
    import torch

    root = tmp_path_factory.mktemp("networks")
    for make in (mask2former, detr):
        for seed in range(64):  # until the objects are under one half, which processors decide in the last bits
            torch.manual_seed(seed)
            model, processor = make()
            make_certain(model)
            model.save_pretrained(root / make.__name__)
            processor.save_pretrained(root / make.__name__)
            objects = [load(root / make.__name__)(frame) for frame in noise(3)]
            if all(len(found) > 1 for found in objects) and not bounded(follow(objects, generator(0)), generator(1))[1]:
                break
    return {make.__name__: root / make.__name__ for make in (mask2former, detr)}


@pytest.fixture
def copy(folders: dict[str, Path], tmp_path: Path) -> Path:
    """A folder to spoil."""
    return shutil.copytree(folders["mask2former"], tmp_path / "copy")


def noise(channels: int = 1, size: tuple[int, int] = (48, 80)) -> Frames:
    return generator(0, "noise").integers(0, 256, size=(4, *size, channels), dtype=np.uint8)


def rest(frame: Frames) -> Any:
    """Pixel values as the papers of both networks have them: 64 x 64, ImageNet's mean and deviation."""
    import torch

    picture = Image.fromarray(np.repeat(frame, 3 // frame.shape[2], axis=2)).resize((64, 64), Image.Resampling.BILINEAR)
    values = (np.asarray(picture) / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    return torch.from_numpy(values.transpose(2, 0, 1)[None]).float()


@pytest.mark.slow
@pytest.mark.parametrize("channels", [1, 3])
def test_mask2former_sees_the_picture_and_answers_at_its_size(folders: dict[str, Path], channels: int) -> None:
    import torch

    segmenter = load(folders["mask2former"])
    frame = noise(channels)[0]
    objects = segmenter(frame)
    with torch.inference_mode():
        logits = segmenter.model(pixel_values=rest(frame)).masks_queries_logits
    at = [(np.arange(n) * 384 // n) for n in frame.shape[:2]]
    large = torch.nn.functional.interpolate(logits, (384, 384), mode="bilinear")[0, :, at[0]][:, :, at[1]] > 0
    # all five are sure, and under one half, in whatever order
    assert len(objects) == 5
    for expected in large.numpy():
        assert max((one == expected).mean() for one in objects) > 0.995


@pytest.mark.slow
def test_detr_by_a_folder(folders: dict[str, Path]) -> None:
    kind = open_masks(f"segment:{folders['detr']}")
    video = noise(3)
    objects = [load(folders["detr"])(frame) for frame in video]
    assert all(len(found) > 1 and (found.sum(axis=0) <= 1).all() for found in objects)
    expected, fallen = bounded(follow(objects, generator(0)), generator(1))
    masks, fell_back = kind.segment(video, kind.prepare(video, "train_01"), generator(0), 0)
    assert fell_back == fallen
    np.testing.assert_array_equal(masks[0], expected[0])


def answers(masks: Masks, scores: list[float]) -> Segmenter:
    """A network of two classes that gives these masks (N, 64, 64), and transformers' own reading of them."""
    import torch
    from transformers import Mask2FormerImageProcessorPil

    sure = torch.tensor([[[np.log(score), -9.0, np.log(1 - score)] for score in scores]])
    outputs = SimpleNamespace(
        class_queries_logits=sure,
        masks_queries_logits=torch.from_numpy(np.where(masks, 20.0, -20.0)[None]).float(),
    )
    return Segmenter(lambda **inputs: outputs, Mask2FormerImageProcessorPil(**PLAIN))


def test_objects_lie_where_the_network_sees_them() -> None:
    masks = np.zeros((4, 64, 64), np.bool_)
    masks[0, 8:16, 32:48] = True
    masks[1, 40:60, 4:8] = True
    masks[2, 20:30, 50:60] = True
    masks[3, :, 20:60] = True
    found = answers(masks[:3], [0.9, 0.6, 0.4])(noise(size=(32, 128))[0])
    # 64 x 64 -> 32 x 128: half as high, twice as wide; the third is unsure
    expected = np.zeros((2, 32, 128), np.bool_)
    expected[0, 4:8, 64:96] = True
    expected[1, 20:30, 8:16] = True
    assert len(answers(masks[[0, 0]], [0.9, 0.9])(noise()[0])) == 2
    assert len(found) == 2
    for one in expected:
        assert max((one & other).sum() / (one | other).sum() for other in found) > 0.95
    assert len(answers(masks[3:], [0.9])(noise()[0])) == 0
    assert answers(masks[2:3], [0.4])(noise()[0]).shape == (0, 48, 80)


def test_one_object_is_followed_and_where_there_is_none_the_mask_is_random(tmp_path: Path) -> None:
    boxes = [(np.s_[4:16, 2 * t : 2 * t + 10], np.s_[10:22, 50 - 2 * t : 60 - 2 * t]) for t in range(16)]

    def objects(frame: Frames) -> Masks:
        found = np.zeros((2, 40, 70), np.bool_)
        for mask, box in zip(found, boxes[int(frame[0, 0, 0])], strict=True):
            mask[box] = True
        return found if frame[0, 0, 0] != 7 else found[:0]

    video = np.arange(16, dtype=np.uint8)[:, None, None, None] * np.ones((1, 40, 70, 1), np.uint8)
    first = set()
    for seed in range(8):
        masks, fell_back = SegmentMasks("stub", tmp_path, objects).segment(video[:7], None, generator(seed))
        assert fell_back == 0
        chosen = int(np.argmax([masks[0][box].mean() for box in boxes[0]]))
        first.add(chosen)
        # widened by one pixel
        assert all(mask[boxes[t][chosen]].all() and mask.sum() <= 14 * 12 for t, mask in enumerate(masks))
    assert first == {0, 1}
    masks, fell_back = SegmentMasks("stub", tmp_path, objects).segment(video, None, generator(0))
    assert fell_back == 1
    assert masks.any(axis=(1, 2)).all()


@pytest.mark.slow
def test_loaded_once_and_in_silence(folders: dict[str, Path], capfd: pytest.CaptureFixture[str]) -> None:
    first = open_segmenter(str(folders["mask2former"]))
    assert open_masks(f"segment:{folders['mask2former']}") is first
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
def test_origin_follows_the_weights(copy: Path) -> None:
    kind = SegmentMasks("owner/name", copy, answers(np.zeros((1, 64, 64), np.bool_), [0.5]))
    before = kind.origin()
    assert before[0] == "owner/name"
    assert kind.origin() == before
    with open(copy / "model.safetensors", "ab") as weights:
        weights.write(b"1")
    assert kind.origin()[1] != before[1]


def change_config(folder: Path, **changes: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.slow
def test_a_folder_that_is_no_model_or_another(copy: Path, tmp_path: Path) -> None:
    with pytest.raises(PagenError, match=r"found no config\.json"):
        open_segmenter(str(tmp_path))
    change_config(copy, model_type="resnet")
    with pytest.raises(PagenError, match=r"\(detr eomt mask2former maskformer\) in .*, found 'resnet'"):
        open_segmenter(str(copy))
    (copy / "config.json").write_text("{")
    with pytest.raises(PagenError, match=r"cannot load the model .*copy"):
        open_segmenter(str(copy))


@pytest.mark.slow
def test_code_of_a_folder_is_not_run(copy: Path) -> None:
    (copy / "own.py").write_text("raise SystemExit('own code ran')")
    own = {"AutoConfig": "own.Config", "AutoModelForUniversalSegmentation": "own.Model"}
    change_config(copy, auto_map=own)
    assert type(load(copy).model).__module__.startswith("transformers.")
    change_config(copy, auto_map=own, model_type="own")
    with pytest.raises(PagenError, match=r"own code in .*; it is not run"):
        load(copy)


@pytest.mark.slow
def test_pickled_weights_are_not_read(copy: Path) -> None:
    import torch
    from safetensors.torch import load_file

    torch.save(load_file(copy / "model.safetensors"), copy / "pytorch_model.bin")
    (copy / "model.safetensors").unlink()
    with pytest.raises(PagenError, match="expected safetensors weights, found none in"):
        load(copy)


@pytest.mark.slow
def test_incomplete_weights_are_not_filled_up_at_random(copy: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(copy / "model.safetensors")
    kept = {name: weight for name, weight in weights.items() if not name.startswith("class_predictor")}
    save_file(kept, copy / "model.safetensors", {"format": "pt"})
    with pytest.raises(PagenError, match=r"found 2 missing \(class_predictor\.bias\)"):
        load(copy)
    (copy / "model.safetensors").write_bytes((copy / "model.safetensors").read_bytes()[:1000])
    with pytest.raises(PagenError, match="cannot load the model"):
        load(copy)
    (copy / "preprocessor_config.json").unlink()
    with pytest.raises(PagenError, match="cannot load the model"):
        load(copy)


def test_neither_folder_nor_network_nor_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PagenError, match="a folder or a hub id owner/name, found 'segment:nowhere'"):
        open_segmenter("nowhere")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(PagenError, match="cannot load the model nobody/nothing"):
        open_segmenter("nobody/nothing")
    monkeypatch.setattr("pagen.hub.find_spec", lambda name: None)
    with pytest.raises(PagenError, match=r"expected the package transformers .*pip install 'pagen\[hub\]'"):
        open_segmenter("nobody/nothing")


@pytest.mark.slow
def test_a_hub_id_is_read_from_its_snapshot(
    folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def snapshot(name: str, allow_patterns: list[str]) -> str:
        asked.append((name, allow_patterns))
        return str(folders["detr"])

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot)
    kind = open_segmenter("owner/name")
    assert kind.origin() == ("owner/name", SegmentMasks("", folders["detr"], kind.objects).origin()[1])
    assert asked == [("owner/name", ["*.json", "*.safetensors"])]
