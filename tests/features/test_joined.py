"""Kinds of objects joined to one vector: rows of the same boxes, and refusals where they are not."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pagen.compute import Compute
from pagen.errors import PagenError
from pagen.features.open import check_sources, open_source, open_stream
from pagen.features.spec import FeatureSpec, is_of_objects


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Two boxes a frame of train_a and test_x, and a pose of each."""
    here: dict[str, Any] = {}
    rng = np.random.default_rng(0)
    for split, own, length in (("training", "a", 9), ("testing", "x", 6)):
        offsets = np.arange(length + 1) * 2
        here |= {f"{split}_clips": np.array([own]), f"{split}_clip_frames": np.array([length])}
        here |= {f"{split}_boxes": np.tile(np.array([[2, 4, 20, 28], [16, 2, 40, 30]], np.float32), (length, 1))}
        here |= {f"{split}_poses": rng.normal(9, 3, (2 * length, 6)).astype(np.float32)}
        here |= {f"{split}_box_offsets": offsets, f"{split}_pose_offsets": offsets}
    np.savez(tmp_path / "objects.npz", **here)
    return tmp_path / "objects.npz"


def opened(of: str, root: Path, file: Path, **options: Any) -> Any:
    spec = FeatureSpec(of, boxes=f"file:{file}", **options)
    return open_source(spec, "folder", Compute(root, "cpu", 0))


def test_vectors_of_the_same_objects_are_put_one_after_the_other(root: Path, file: Path) -> None:
    joined = pickle.loads(pickle.dumps(opened("velocity+pose", root, file, bins=3)))("train_a")
    velocity, pose = (opened(of, root, file, **how)("train_a") for of, how in (("velocity", {"bins": 3}), ("pose", {})))
    np.testing.assert_array_equal(joined.vectors, np.hstack([velocity.vectors, pose.vectors]))
    np.testing.assert_array_equal(joined.boxes, velocity.boxes)
    np.testing.assert_array_equal(joined.frames, velocity.frames)
    source = opened("velocity+pose", root, file, bins=3)
    assert (source.config()["features"], source.config()["of"]) == (9, "velocity+pose")
    assert set(source.inputs()) == {"velocity boxes", "velocity flow", "pose poses"}
    assert is_of_objects("velocity+pose")


def test_poses_of_other_objects_are_refused_before_anything_is_made(root: Path, file: Path) -> None:
    arrays = dict(np.load(file))
    arrays["testing_poses"] = arrays["testing_poses"][:-1]
    arrays["testing_pose_offsets"] = np.append(arrays["testing_pose_offsets"][:-1], 11)
    np.savez(file, **arrays)
    with pytest.raises(PagenError, match=r"found 12 boxes of 'file:.*' and 11 poses in clip test_x"):
        check_sources(FeatureSpec("velocity+pose", boxes=f"file:{file}"), "cpu")
    with pytest.raises(PagenError, match=r"found 0 boxes of 'motion' and 18 poses in clip train_a"):
        open_source(FeatureSpec("deep+pose", poses=f"file:{file}"), "folder", Compute(root, "cpu", 0))


@pytest.mark.parametrize(
    "of", ["velocity+lite0", "velocity+velocity", "velocity+tube:runs/x", "velocity+", "file+deep"]
)
def test_what_cannot_be_joined(of: str) -> None:
    with pytest.raises(
        PagenError, match=r"expected kinds of objects to join, each once, of deep, pose, velocity|named"
    ):
        FeatureSpec(of)


def test_options_of_each_kind_are_looked_at_and_no_others() -> None:
    spec = FeatureSpec("velocity+pose", bins=3, raw_poses=True)
    assert (spec.bins, spec.raw_poses) == (3, True)
    with pytest.raises(PagenError, match=r"expected no --side with features velocity\+pose, found 64"):
        FeatureSpec("velocity+pose", side=64)


def test_a_stream_has_them_too(make_clips: Callable[..., Any]) -> None:
    frames = np.repeat(np.random.default_rng(0).integers(0, 90, (1, 48, 64, 1), np.uint8), 4, axis=0)
    for t in range(4):
        frames[t, 10:30, 5 + 9 * t : 15 + 9 * t] += 120
    joined, alone = (open_stream(FeatureSpec(of), (48, 64), "cpu") for of in ("velocity+deep", "velocity"))
    assert joined.newest(frames[:1]).vectors.shape == (0, 8 + 1280)
    found, one = joined.newest(frames[:2]), alone.newest(frames[:2])
    np.testing.assert_array_equal(found.vectors[:, :8], one.vectors)
    np.testing.assert_array_equal(found.boxes, one.boxes)
    assert len(found.vectors) > 0
