"""What all kinds of masks keep: names, bounds, and that a segment stands for itself."""

from __future__ import annotations

import inspect
import re
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pagen.errors import PagenError
from pagen.generate.config import Generate
from pagen.generate.inpainters import INPAINTERS
from pagen.generate.mask_file import open_mask_folder
from pagen.generate.mask_kinds import MASKS, open_masks
from pagen.generate.mask_motion import CHOICES, MotionMasks, components
from pagen.generate.mask_random import PRESETS, RandomMasks
from pagen.generate.mask_segment import SegmentMasks
from pagen.generate.masks import MaskKind, bounded
from pagen.seeds import generator

Masks = npt.NDArray[np.bool_]
SIZES = [(24, 40), (33, 20)]


def bright(frame: npt.NDArray[np.uint8]) -> Masks:
    """A stand-in for a network: what is bright."""
    return components(frame[..., 0] > 120)


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, MaskKind]:
    """One of each kind, over clips of 20 frames named by their size; masks of half of the files are out of bounds."""
    folder = tmp_path_factory.mktemp("masks")
    rng = generator(0, "files")
    for h, w in SIZES:
        masks = rng.random((20, h, w)) < rng.choice([0, 0.01, 0.3, 0.6, 1], size=(20, 1, 1))
        np.save(folder / f"{h}x{w}.npy", masks)
    drawn: dict[str, MaskKind] = {f"random:{name}": RandomMasks(name) for name in PRESETS}
    moving: dict[str, MaskKind] = {f"motion:{name}": MotionMasks(name) for name in CHOICES}
    return {**drawn, **moving, "file": open_mask_folder(str(folder)), "segment": SegmentMasks("stub", folder, bright)}


@lru_cache
def clip(size: tuple[int, int], seed: int) -> npt.NDArray[np.uint8]:
    """20 frames of blobs that come and go: none, some, or nearly all of the frame."""
    rng = generator(seed, "clip")
    video = rng.integers(90, 110, size=(20, *size, 1), dtype=np.uint8)
    for t in range(20):
        for _ in range(int(rng.integers(4))):
            y, x = int(rng.integers(size[0])), int(rng.integers(size[1]))
            h, w = (int(rng.integers(4, side)) for side in size)
            video[t, y : y + h, x : x + w] = 220
    return video


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(SIZES), st.integers(0, 20), st.integers(0, 19), st.integers(1, 19), st.data())
def test_bounds_and_segments(
    kinds: dict[str, MaskKind], size: tuple[int, int], seed: int, start: int, length: int, data: st.DataObject
) -> None:
    kind = kinds[data.draw(st.sampled_from(sorted(kinds)))]
    video, name = clip(size, seed), f"{size[0]}x{size[1]}"
    state = kind.prepare(video, name)
    masks, fell_back = kind.segment(video[start : start + length], state, generator(seed, start), start)
    assert masks.dtype == np.bool_
    assert masks.shape == video[start : start + length].shape[:3]
    assert masks.any(axis=(1, 2)).all()
    assert (masks.mean(axis=(1, 2)) <= 0.5).all()
    assert 0 <= fell_back <= len(masks)
    # again, after another part of the clip was read, and from the start
    kind.segment(video[:7], state, generator(1), 0)
    again, count = kind.segment(video[start : start + length], kind.prepare(video, name), generator(seed, start), start)
    assert again.tobytes() == masks.tobytes()
    assert count == fell_back


def test_what_is_out_of_bounds_becomes_a_small_mask_and_is_counted() -> None:
    given_masks = np.zeros((5, 32, 32), np.bool_)
    given_masks[1, 0, 0] = True
    given_masks[2, :16] = True
    given_masks[3, :17] = True
    given_masks[4] = True
    masks, fell_back = bounded(given_masks, generator(0))
    assert fell_back == 3
    np.testing.assert_array_equal(masks[1:3], given_masks[1:3])
    assert all(0 < masks[t].mean() < 0.25 for t in (0, 3, 4))


def test_names_and_errors(tmp_path: Path) -> None:
    assert MASKS.names() == ["file", "motion", "random", "segment"]
    assert open_masks("random") == RandomMasks("small")
    assert open_masks("random:thick_256") == RandomMasks("thick_256")
    assert open_masks("motion") == MotionMasks("follow")
    assert open_masks("motion:union") == MotionMasks("union")
    assert open_masks(f"file:{tmp_path}") == open_mask_folder(str(tmp_path))
    with pytest.raises(PagenError, match="did you mean 'motion'"):
        open_masks("moton")
    with pytest.raises(PagenError, match="did you mean 'thick_256'"):
        open_masks("random:thick256")
    with pytest.raises(PagenError, match="did you mean 'frame'"):
        open_masks("motion:frames")
    with pytest.raises(PagenError, match="folder of masks, found 'file:'"):
        open_masks("file")
    with pytest.raises(PagenError, match="a folder or a hub id owner/name, found 'segment:'"):
        open_masks("segment")


def test_the_help_names_every_kind_of_masks_and_every_inpainter() -> None:
    source = inspect.getsource(Generate)
    texts = {flag: source.partition(f"    {flag}: str")[2].split('"""')[1] for flag in ("masks", "inpainter")}
    assert [name for name in MASKS.names() if not re.search(rf"\b{name}\b", texts["masks"])] == []
    assert [name for name in INPAINTERS.names() if not re.search(rf"\b{name}\b", texts["inpainter"])] == []
    assert [choice for choice in CHOICES if choice != "follow" and f"motion:{choice}" not in texts["masks"]] == []
