"""Poses of files against what was written, those of a random ViTPose against its own heat maps."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from pagen.errors import PagenError
from pagen.features.pose import normalised
from pagen.footage.prepare import Prepared
from pagen.spread import one_thread

MakeClips = Callable[..., Prepared]
Open = Callable[..., Any]
ROWS = [[0, 2, 3, 18, 40], [2, 30, 5, 37, 21], [2, 5, 5, 25, 45]]


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    with one_thread():
        yield


@pytest.fixture(scope="module")
def clips(make_clips: MakeClips) -> Prepared:
    frames = np.random.default_rng(0).integers(0, 255, (3, 48, 64, 1), np.uint8)
    return make_clips(train_01=frames, test_01=frames[:2])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """An npz of poses of 3 joints: none, two and one in the frames of train_01, none in those of test_01."""
    poses = np.random.default_rng(1).normal(10, 5, (3, 6)).astype(np.float32)
    here: dict[str, Any] = {"training_poses": poses, "training_pose_offsets": np.array([0, 0, 2, 3])}
    here |= {"testing_poses": poses[:0], "testing_pose_offsets": np.array([0, 0, 0])}
    for split, length in (("training", 3), ("testing", 2)):
        here |= {f"{split}_clips": np.array(["01"]), f"{split}_clip_frames": np.array([length])}
    np.savez(tmp_path / "poses.npz", **here)
    return tmp_path / "poses.npz"


def by_hand(pose: npt.NDArray[Any]) -> list[float]:
    """A pose by its own extent, number by number."""
    x, y = pose[0::2], pose[1::2]
    height = max(max(y) - min(y), 1)
    return [value for pair in zip((x - min(x)) / height, (y - min(y)) / height, strict=True) for value in pair]


def test_poses_of_a_file(clips: Prepared, file: Path, open_of: Open) -> None:
    source = pickle.loads(pickle.dumps(open_of("pose", clips, boxes=f"file:{file}")))
    poses, found = np.load(file)["training_poses"], source("train_01")
    assert found.frames.tolist() == [1, 1, 2]
    assert found.boxes is None
    np.testing.assert_allclose(found.vectors, [by_hand(pose) for pose in poses], rtol=1e-5)
    np.testing.assert_array_equal(
        open_of("pose", clips, boxes=f"file:{file}", raw_poses=True)("train_01").vectors, poses
    )
    assert source.config()["features"] == 6
    assert source("test_01").vectors.shape == (0, 6)
    assert set(source.inputs()) == {"poses"}
    with pytest.raises(PagenError, match="found in a stream"):
        source.newest(np.array(clips.frames("train_01")))


def test_neither_place_nor_distance_counts() -> None:
    poses = np.random.default_rng(0).normal(0, 20, (5, 34)).astype(np.float32)
    moved = poses * 3 + np.tile([100, -50], 17)
    np.testing.assert_allclose(normalised(moved.astype(np.float32)), normalised(poses), atol=1e-5)
    found = normalised(poses).reshape(5, 17, 2)
    np.testing.assert_allclose(found.min(axis=1), 0, atol=1e-6)
    np.testing.assert_allclose(found[..., 1].max(axis=1), 1, rtol=1e-6)
    assert np.isfinite(normalised(np.full((1, 34), 7, np.float32))).all()
    assert normalised(np.empty((0, 34), np.float32)).shape == (0, 34)


def test_poses_that_are_none_are_refused(clips: Prepared, file: Path, open_of: Open, tmp_path: Path) -> None:
    with pytest.raises(PagenError, match=r"expected poses for pose, found none with boxes 'motion'; give --poses"):
        open_of("pose", clips)
    with pytest.raises(PagenError, match="expected 'vitpose:MODEL'"):
        open_of("pose", clips, poses="vitpose:")
    arrays = dict(np.load(file))
    np.savez(tmp_path / "none.npz", **{name: each for name, each in arrays.items() if not name.endswith("poses")})
    with pytest.raises(PagenError, match="neither training_poses nor testing_poses"):
        open_of("pose", clips, boxes=f"file:{tmp_path / 'none.npz'}")
    given = open_of("pose", clips, poses=f"file:{file}")  # whatever finds the boxes
    np.testing.assert_array_equal(
        given("train_01").vectors, open_of("pose", clips, boxes=f"file:{file}")("train_01").vectors
    )
    arrays["training_poses"][0, 0] = np.nan
    np.savez(tmp_path / "nan.npz", **arrays)
    with pytest.raises(PagenError, match="expected finite poses"):
        open_of("pose", clips, boxes=f"file:{tmp_path / 'nan.npz'}")("train_01")


@pytest.fixture(scope="module")
def vitpose(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a pose model with random weights, of pictures 32 x 24 and 5 joints."""
    from transformers import VitPoseBackboneConfig, VitPoseConfig, VitPoseForPoseEstimation, VitPoseImageProcessorPil

    torch.manual_seed(0)
    small = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "mlp_ratio": 2}
    backbone = VitPoseBackboneConfig(**small, image_size=[32, 24], patch_size=[8, 8])
    config = VitPoseConfig(backbone_config=backbone, num_labels=5, use_simple_decoder=True)
    folder = tmp_path_factory.mktemp("models") / "vitpose"
    VitPoseForPoseEstimation(config).save_pretrained(folder)
    VitPoseImageProcessorPil(size={"height": 32, "width": 24}).save_pretrained(folder)
    return folder


def test_a_models_poses_are_those_of_its_heat_maps(
    clips: Prepared, vitpose: Path, open_of: Open, tmp_path: Path
) -> None:
    (tmp_path / "boxes.json").write_text(json.dumps({"train_01": ROWS, "test_01": []}))
    spec = f"file:{tmp_path / 'boxes.json'}"
    source = pickle.loads(pickle.dumps(open_of("pose", clips, boxes=spec, poses=f"vitpose:{vitpose}", raw_poses=True)))
    found = source("train_01")
    assert found.frames.tolist() == [0, 2, 2]
    np.testing.assert_array_equal(found.boxes, np.array(ROWS)[:, 1:])
    assert source.config()["features"] == found.vectors.shape[1] == 10
    assert set(source.inputs()) == {"boxes", "poses"}
    heat = heat_maps(vitpose, clips, ROWS)
    for vector, maps, (_, left, top, right, bottom) in zip(found.vectors, heat, ROWS, strict=True):
        width, height = right - left, bottom - top
        wide, high = 1.25 * max(width, height * 24 / 32), 1.25 * max(height, width * 32 / 24)
        rows, columns = np.unravel_index(maps.reshape(5, -1).argmax(axis=1), maps.shape[1:])
        x = columns * wide / (maps.shape[2] - 1) - (wide - width) / 2
        y = rows * high / (maps.shape[1] - 1) - (high - height) / 2
        # the best cell, which the model's own processing then refines
        assert np.abs(vector[0::2] - x).max() <= 1.5 * wide / (maps.shape[2] - 1)
        assert np.abs(vector[1::2] - y).max() <= 1.5 * high / (maps.shape[1] - 1)
    scaled = open_of("pose", clips, boxes=spec, poses=f"vitpose:{vitpose}")
    np.testing.assert_allclose(scaled("train_01").vectors, normalised(found.vectors), rtol=1e-5)
    assert scaled("test_01").vectors.shape == (0, 10)


def heat_maps(vitpose: Path, clips: Prepared, rows: list[list[int]]) -> npt.NDArray[np.float32]:
    """The heat maps (N, 5, h, w) of boxes, one picture of one box at a time."""
    from transformers import VitPoseForPoseEstimation, VitPoseImageProcessorPil

    network, processor = (
        VitPoseForPoseEstimation.from_pretrained(vitpose).eval(),
        VitPoseImageProcessorPil(size={"height": 32, "width": 24}),
    )
    found = []
    for frame, left, top, right, bottom in rows:
        picture = np.repeat(clips.frames("train_01")[frame], 3, axis=2)
        seen = processor(picture, boxes=[[[left, top, right - left, bottom - top]]], return_tensors="pt")
        with torch.inference_mode():
            found.append(network(**seen).heatmaps[0].numpy())
    return np.array(found)


def test_the_newest_frame_of_a_stream(make_clips: MakeClips, vitpose: Path, open_of: Open) -> None:
    frames = np.repeat(np.random.default_rng(0).integers(0, 90, (1, 48, 64, 1), np.uint8), 4, axis=0)
    for t in range(4):
        frames[t, 10:30, 5 + 9 * t : 15 + 9 * t] += 120
    source = open_of("pose", make_clips(train_a=frames), poses=f"vitpose:{vitpose}")
    found = source("train_a")
    assert found.boxes is not None
    assert source.context == 2
    for t in range(1, 4):
        newest = source.newest(frames[t - 1 : t + 1])
        assert len(newest.vectors) > 0
        np.testing.assert_allclose(newest.vectors, found.vectors[found.frames == t], atol=1e-4)
        np.testing.assert_array_equal(newest.boxes, found.boxes[found.frames == t])
    assert source.newest(frames[:1]).vectors.shape == (0, 10)
