"""Codes of tubes against the network on a tube that loops cut out."""

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
from torch.nn import functional as F

from pagen.errors import PagenError
from pagen.features.tube import cut_tubes
from pagen.footage.prepare import Prepared
from pagen.models.conv_ae import ConvAE3d
from pagen.models.discriminator import Discriminator
from pagen.models.luss import LUSSAE
from pagen.models.memae import MemAE
from pagen.spread import one_thread

MakeClips = Callable[..., Prepared]
MakeRun = Callable[..., Path]
Open = Callable[..., Any]
WIDTHS, WINDOW = (2, 3, 4, 5), 8
ROWS = [[0, 2, 3, 18, 40], [5, 30, 5, 37, 15], [9, -1, 30, 9, 47], [9, 40, 20, 64, 48]]


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    with one_thread():
        yield


@pytest.fixture(scope="module")
def frames() -> npt.NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 255, (10, 48, 64, 3), np.uint8)


@pytest.fixture
def boxes(tmp_path: Path) -> str:
    (tmp_path / "boxes.json").write_text(json.dumps({"train_a": ROWS, "test_x": []}))
    return f"file:{tmp_path / 'boxes.json'}"


def network_of(kind: str, channels: int = 1) -> Any:
    torch.manual_seed(0)
    if kind == "luss":
        return LUSSAE(channels, WIDTHS, WINDOW, prp="conv").eval()
    return MemAE(channels, WIDTHS, memory=10).eval() if kind == "memae" else ConvAE3d(channels, WIDTHS).eval()


def expected(network: Any, frames: npt.NDArray[np.uint8], frame: int, box: Any) -> npt.NDArray[np.float32]:
    """The code of one tube, pixel by pixel."""
    height, width = frames.shape[1:3]
    left, top, right, bottom = np.clip(box, 0, (width, height, width, height))
    side = round(1.25 * max(right - left, bottom - top))
    corner = [round((low + high - side) / 2) for low, high in ((top, bottom), (left, right))]
    tube = np.empty((WINDOW, side, side, frames.shape[3]))
    for i in range(WINDOW):
        for row in range(side):
            for column in range(side):
                y, x = min(max(corner[0] + row, 0), height - 1), min(max(corner[1] + column, 0), width - 1)
                tube[i, row, column] = frames[max(frame - WINDOW + 1 + i, 0), y, x]
    seen = torch.tensor(tube / 127.5 - 1, dtype=torch.float32).permute(0, 3, 1, 2)
    seen = F.interpolate(seen, (64, 64), mode="bilinear", antialias=True)
    with torch.inference_mode():
        return np.asarray(network.encoder(seen.transpose(0, 1)[None])[0].mean(dim=(1, 2, 3)).numpy())


@pytest.mark.parametrize(("kind", "channels"), [("conv", 1), ("memae", 3), ("luss", 1)])
def test_a_code_is_the_encoders_of_the_tube(
    kind: str,
    channels: int,
    frames: npt.NDArray[np.uint8],
    boxes: str,
    make_clips: MakeClips,
    make_run: MakeRun,
    open_of: Open,
) -> None:
    frames = frames[..., :channels]
    clips, network = make_clips(train_a=frames, test_x=frames[:2]), network_of(kind, channels)
    source = pickle.loads(pickle.dumps(open_of(f"tube:{make_run(network, channels=channels)}", clips, boxes=boxes)))
    found = source("train_a")
    assert found.frames.tolist() == [row[0] for row in ROWS]
    assert source.config()["features"] == found.vectors.shape[1] == 5
    codes = [expected(network, frames, frame, box) for frame, *box in ROWS]
    np.testing.assert_allclose(found.vectors, codes, rtol=1e-3, atol=1e-5)
    assert source("test_x").vectors.shape == (0, 5)
    assert set(source.inputs()) == {"boxes", "run"}


def test_footage_comes_in_the_runs_channels(
    frames: npt.NDArray[np.uint8], boxes: str, make_clips: MakeClips, make_run: MakeRun, open_of: Open
) -> None:
    alike = np.repeat(frames[..., :1], 3, axis=3)
    for channels, given in ((1, alike), (3, alike[..., :1])):
        run = make_run(network_of("conv", channels), channels=channels)
        same = alike[..., :channels]
        one, other = (
            open_of(f"tube:{run}", make_clips(train_a=clip), boxes=boxes)("train_a") for clip in (given, same)
        )
        np.testing.assert_allclose(one.vectors, other.vectors, atol=1e-6)


def test_a_tube_shows_the_box_through_time() -> None:
    frames = np.arange(3 * 40 * 50, dtype=np.int64).reshape(3, 40, 50, 1) % 251
    (tube,) = cut_tubes(frames.astype(np.uint8), np.array([[20, 8, 28, 24]], np.float32), 16)
    assert tube.shape == (16, 20, 20, 1)
    np.testing.assert_array_equal(tube[-1], frames[-1, 6:26, 14:34])
    np.testing.assert_array_equal(tube[-2], frames[1, 6:26, 14:34])
    for earlier in tube[:-2]:
        np.testing.assert_array_equal(earlier, frames[0, 6:26, 14:34])


def test_the_newest_frame_of_a_stream(make_clips: MakeClips, make_run: MakeRun, open_of: Open) -> None:
    frames = np.repeat(np.random.default_rng(0).integers(0, 90, (1, 48, 64, 1), np.uint8), 12, axis=0)
    for t in range(12):
        frames[t, 10:30, 2 + 4 * t : 12 + 4 * t] += 120
    source = open_of(f"tube:{make_run(network_of('conv'))}", make_clips(train_a=frames))
    found = source("train_a")
    assert found.boxes is not None
    assert source.context == WINDOW
    for t in (1, 3, 7, 11):
        newest = source.newest(frames[max(t - WINDOW + 1, 0) : t + 1])
        assert len(newest.vectors) > 0
        np.testing.assert_allclose(newest.vectors, found.vectors[found.frames == t], atol=1e-6)
        np.testing.assert_array_equal(newest.boxes, found.boxes[found.frames == t])
    assert source.newest(frames[:1]).vectors.shape == (0, 5)


def test_runs_that_have_no_tubes_are_refused(
    make_clips: MakeClips, make_run: MakeRun, open_of: Open, tmp_path: Path
) -> None:
    clips = make_clips(train_a=np.zeros((2, 48, 64, 1), np.uint8))
    with pytest.raises(PagenError, match=r"expected a run of frames .* of flow"):
        open_of(f"tube:{make_run(ConvAE3d(3, WIDTHS), source='flow', channels=3)}", clips)
    with pytest.raises(PagenError, match="with a Discriminator"):
        open_of(f"tube:{make_run(Discriminator(4), source='features')}", clips)
    with pytest.raises(PagenError, match="expected a run folder of pagen at"):
        open_of(f"tube:{tmp_path}", clips)
