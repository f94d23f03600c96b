"""Histograms against a plain twin that resizes every box as AccI-VAD does, and flow whose histogram is known."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pagen.compute import Compute
from pagen.errors import PagenError
from pagen.features.extract import extract
from pagen.features.velocity import histograms
from pagen.footage.flow import flow_folder
from pagen.footage.prepare import Prepared
from pagen.spread import one_thread

MakeClips = Callable[..., Prepared]
Open = Callable[..., Any]
SIZE = (48, 64)


@pytest.fixture(autouse=True)
def _one_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PAGEN_CACHE", str(tmp_path / "cache"))
    with one_thread():
        yield


@pytest.fixture(scope="module")
def clips(make_clips: MakeClips) -> Prepared:
    """A textured square of 20 pixels that moves by 2 to the right and 1 down; and a clip where nothing moves."""
    rng = np.random.default_rng(0)
    ground, square = (
        rng.integers(100, 120, SIZE, np.uint8),
        cv2.GaussianBlur(rng.integers(0, 255, (20, 20), np.uint8), (5, 5), 1),
    )
    moving = np.repeat(ground[None], 6, axis=0)
    for t, frame in enumerate(moving):
        frame[10 + t : 30 + t, 12 + 2 * t : 32 + 2 * t] = square
    return make_clips(train_a=moving[..., None], test_x=np.repeat(ground[None, ..., None], 4, axis=0))


def slow(flow: npt.NDArray[Any], box: npt.NDArray[Any], bins: int, side: int = 0) -> npt.NDArray[np.float64]:
    """The histogram of a box (4,) over flow (2, H, W), pixel by pixel; resized where a side is given."""
    left, top, right, bottom = (int(each) for each in box)
    crop = np.ascontiguousarray(flow[:, top:bottom, left:right].transpose(1, 2, 0), np.float64)
    if side:
        crop = cv2.resize(crop, (side, side), interpolation=cv2.INTER_LINEAR)
    found = np.zeros(bins)
    for u, v in crop.reshape(-1, 2):
        angle = np.degrees(np.arctan2(v, u)) % 360
        for i in range(bins):
            if 360 * i / bins <= angle < 360 * (i + 1) / bins:
                found[i] += abs(u) + abs(v)
    return found / (crop.shape[0] * crop.shape[1])


def smooth_flow(seed: int) -> npt.NDArray[np.float32]:
    """Flow (2, H, W) of blobs that move their own ways over rest."""
    rng = np.random.default_rng(seed)
    flow = np.stack([cv2.GaussianBlur(rng.normal(0, 30, SIZE), (0, 0), 5) for _ in range(2)])
    return np.where(np.abs(flow).sum(axis=0) > 1, flow, 0).astype(np.float32)


@given(st.integers(0, 50), st.sampled_from([1, 4, 8, 12]))
@settings(max_examples=15, deadline=None)
def test_a_histogram_is_that_of_the_loop(seed: int, bins: int) -> None:
    flow, boxes = smooth_flow(seed), np.array([[3, 5, 20, 40], [30, 0, 64, 48], [7, 7, 8, 9]], np.float32)
    np.testing.assert_allclose(histograms(flow, boxes, bins), [slow(flow, box, bins) for box in boxes], atol=1e-5)


def test_resizing_boxes_hardly_changes_it() -> None:
    boxes = np.array([[3, 5, 20, 40], [30, 0, 64, 48], [20, 10, 35, 40]], np.float32)
    for seed in range(2):
        flow = smooth_flow(seed)
        ours = histograms(flow, boxes, 8)
        theirs = np.array([slow(flow, box, 8, 56) for box in boxes])
        assert np.abs(ours - theirs).sum(axis=1).max() < 0.04 * ours.sum(axis=1).max()


def test_directions_go_to_their_bins() -> None:
    ways = [(1, 0), (2, 1), (1, 2), (-1, 2), (-2, 1), (-2, -1), (-1, -2), (1, -2), (2, -1), (1, -1e-30)]
    bins = [0, 0, 1, 2, 3, 4, 5, 6, 7, 7]
    for (u, v), slot in zip(ways, bins, strict=True):
        flow = np.broadcast_to(np.array([u, v], np.float64)[:, None, None], (2, 4, 4))
        expected = np.zeros(8)
        expected[slot] = abs(u) + abs(v)
        np.testing.assert_allclose(histograms(flow, np.array([[0, 0, 4, 4]], np.float32), 8)[0], expected)


def test_rest_counts_among_the_pixels() -> None:
    flow = np.zeros((2, 10, 10))
    flow[0, :, :3] = -4
    box = np.array([[0, 0, 10, 10], [0, 2, 3, 4]], np.float32)
    np.testing.assert_allclose(histograms(flow, box, 1), [[1.2], [4]], rtol=1e-6)
    np.testing.assert_allclose(histograms(flow, box, 2), [[0, 1.2], [0, 4]], rtol=1e-6)


def test_a_frame_takes_the_flow_that_leads_to_it(clips: Prepared, open_of: Open) -> None:
    source = open_of("velocity", clips, bins=8)
    found, maps = source("train_a"), flow_folder(clips, clips.clips(), "dis", 0).flow("train_a")
    assert found.boxes is not None
    assert set(found.frames.tolist()) == set(range(6))
    for vector, frame, box in zip(found.vectors, found.frames, found.boxes, strict=True):
        np.testing.assert_allclose(vector, slow(maps[max(frame - 1, 0)].astype(float), box, 8), atol=1e-5)
    inside = found.vectors[np.bincount(found.frames).argmax()]
    assert inside.argmax() == 0  # to the right and down: between 0 and 45 degrees
    assert source.config()["features"] == found.vectors.shape[1] == 8


def test_speeds_by_the_height_of_the_box(clips: Prepared, open_of: Open) -> None:
    plain, scaled = (open_of("velocity", clips, bins=1, by_height=by)("train_a") for by in (False, True))
    assert plain.boxes is not None
    heights = plain.boxes[:, 3] - plain.boxes[:, 1]
    np.testing.assert_allclose(scaled.vectors[:, 0] * heights, plain.vectors[:, 0], rtol=1e-6)
    assert 1.5 < np.median(plain.vectors) < 3.5  # 3 inside of the square, 0 round it


def test_the_newest_frame_of_a_stream(clips: Prepared, open_of: Open) -> None:
    source, frames = open_of("velocity", clips), np.array(clips.frames("train_a"))
    found = source("train_a")
    assert found.boxes is not None
    assert source.context == 2
    for t in range(1, 6):
        newest = source.newest(frames[t - 1 : t + 1])
        np.testing.assert_array_equal(newest.vectors, found.vectors[found.frames == t])
        np.testing.assert_array_equal(newest.boxes, found.boxes[found.frames == t])
        assert newest.frames.tolist() == [0] * len(newest.vectors)
    alone = source.newest(frames[:1])
    assert alone.vectors.shape == (0, 8)


def test_clips_where_nothing_moves_have_no_rows(clips: Prepared, open_of: Open) -> None:
    source = pickle.loads(pickle.dumps(open_of("velocity", clips)))
    folder = extract(source, clips.clips(), Compute(device="cpu", workers=0))
    assert folder.features("test_x").shape == (0, 8)
    boxes = folder.boxes("train_a")
    assert boxes is not None
    assert len(boxes) == len(folder.features("train_a")) == len(folder.frames("train_a"))
    np.testing.assert_array_equal(folder.features("train_a"), source("train_a").vectors)


def test_boxes_of_a_file_and_flow_of_a_folder(clips: Prepared, open_of: Open, tmp_path: Path) -> None:
    rows = {"train_a": [[0, 0, 0, 10, 10], [3, 5, 5, 15, 15]], "test_x": []}
    (tmp_path / "boxes.json").write_text(json.dumps(rows))
    for name in clips.clips():
        flow = np.full((clips.length(name) - 1, 2, *SIZE), 0.5, np.float32)
        flow[2:] = -3
        np.save(tmp_path / f"{name}.npy", flow)
    source = open_of("velocity", clips, boxes=f"file:{tmp_path / 'boxes.json'}", flow=f"file:{tmp_path}", bins=2)
    np.testing.assert_allclose(source("train_a").vectors, [[1, 0], [0, 6]])
    assert source("test_x").vectors.shape == (0, 2)
    assert {"boxes", "flow"} <= set(source.inputs())
    with pytest.raises(PagenError, match="found in a stream"):
        source.newest(np.array(clips.frames("train_a")[:2]))
    moving = open_of("velocity", clips, flow=f"file:{tmp_path}", bins=2)
    with pytest.raises(PagenError, match="flow that can be computed in a stream"):
        moving.newest(np.array(clips.frames("train_a")[:2]))


def test_no_bins_are_refused(clips: Prepared, open_of: Open) -> None:
    with pytest.raises(PagenError, match="--bins, --pool and --segment of 1 and more, found 128, 0, 1 and 1"):
        open_of("velocity", clips, bins=0)
