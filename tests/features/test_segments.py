"""Vectors of segments: what they are the means of, where they begin, and what a camera gets in their place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pagen.compute import Compute
from pagen.errors import PagenError
from pagen.features.extract import extract
from pagen.features.open import open_source, open_stream
from pagen.features.segments import Segmented, means
from pagen.features.source import FrameVectors
from pagen.features.spec import FeatureSpec
from pagen.scoring.density import highest

LENGTHS = {"training/a": 35, "testing/x": 32, "testing/y": 7}


@pytest.fixture(scope="module")
def footage(write_folder: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("segments"), LENGTHS)


@pytest.mark.slow
def test_segments_are_means_of_frames_that_do_not_overlap(footage: Path) -> None:
    compute = Compute(footage, "cpu", 0)
    plain = open_source(FeatureSpec("lite0", size=(32, 48)), "folder", compute)
    source = open_source(FeatureSpec("lite0", size=(32, 48), segment=16), "folder", compute)
    folder = extract(source, ["train_a", "test_x", "test_y"], compute)
    assert (folder.span, dict(source.config())["span"], dict(source.inputs())) == (16, 16, dict(plain.inputs()))
    for clip, firsts in (("train_a", [0, 16]), ("test_x", [0, 16]), ("test_y", [0])):
        vectors = plain(clip).vectors
        expected = [vectors[first : first + 16].mean(axis=0, dtype=np.float64) for first in firsts]
        np.testing.assert_allclose(folder.features(clip), expected, rtol=1e-5)
        assert folder.frames(clip).tolist() == firsts


def test_every_frame_gets_the_score_of_its_segment() -> None:
    scores = highest(np.array([1.0, 5.0]), np.array([0, 16]), 35, 0.0, span=16)
    np.testing.assert_array_equal(scores, [1.0] * 16 + [5.0] * 19)


@pytest.mark.parametrize(("frames", "count"), [(48, 3), (47, 2), (16, 1), (15, 1), (1, 1)])
def test_the_rest_of_a_clip_is_no_segment_but_a_short_clip_is_one(frames: int, count: int) -> None:
    vectors = np.random.default_rng(0).standard_normal((frames, 3)).astype(np.float32)
    found = means(vectors, 16)
    assert found.shape == (count, 3)
    np.testing.assert_allclose(found[0], vectors[:16].mean(axis=0), rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_a_camera_gets_the_mean_over_its_last_frames(footage: Path) -> None:
    spec, compute = FeatureSpec("lite0", size=(32, 48), segment=4), Compute(footage, "cpu", 0)
    plain = open_source(FeatureSpec("lite0", size=(32, 48)), "folder", compute)
    stream = open_stream(spec, (32, 48), "cpu")
    frames, vectors = plain.prepared.frames("train_a"), plain("train_a").vectors
    assert stream.context == 4
    for count in (1, 3, 4, 9):
        found = stream.newest(np.asarray(frames[max(count - 4, 0) : count]))
        np.testing.assert_allclose(found.vectors, [vectors[max(count - 4, 0) : count].mean(axis=0)], rtol=1e-4)


class Parts:
    """A source of two vectors a frame."""

    prepared: Any = None
    context = 1

    def config(self) -> dict[str, Any]:
        return {"of": "parts", "features": 1}

    def inputs(self) -> dict[str, str]:
        return {}

    def __call__(self, clip: str) -> FrameVectors:
        return FrameVectors(np.zeros((4, 1), np.float32), np.array([0, 0, 1, 1]))

    def newest(self, frames: Any) -> FrameVectors:
        raise NotImplementedError


def test_parts_of_frames_are_in_no_segment() -> None:
    with pytest.raises(PagenError, match="one vector a frame of parts to average over segments, found 4 of parts"):
        Segmented(Parts(), 2)("a")
    with pytest.raises(PagenError, match="expected no --segment with features velocity"):
        FeatureSpec("velocity", segment=16)
    with pytest.raises(PagenError, match="--segment of 1 and more"):
        FeatureSpec("lite0", segment=0)
