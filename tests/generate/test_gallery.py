"""The gallery is a picture of a sane size, the same whenever it is drawn, and shows where something was replaced."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pagen.generate.gallery import _around, _busiest, _chosen, gallery
from pagen.generate.pa_set import PASet
from pagen.options import PSEUDO_KINDS


def test_same_bytes_when_drawn_again(made: Path, pseudo: PASet, tmp_path: Path) -> None:
    content = (made / "gallery.png").read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    gallery(pseudo, tmp_path / "again.png")
    assert (tmp_path / "again.png").read_bytes() == content
    assert [path.name for path in tmp_path.iterdir()] == ["again.png"]


def test_shows_pictures_of_every_kind(made: Path) -> None:
    picture = cv2.imread(str(made / "gallery.png"))
    assert picture is not None
    height, width, _ = picture.shape
    assert 800 < width < 1600
    assert width < height < 4 * width
    # every stripe shows something else than white paper; the colour wheel shows colours, the frames none
    inked = (picture.min(axis=2) < 128).mean(axis=1)
    assert all(stripe.max() > 0.1 for stripe in np.array_split(inked, 12))
    assert (np.ptp(picture.astype(int), axis=2) > 100).sum() > 500


@pytest.mark.parametrize("kind", PSEUDO_KINDS)
def test_rows_are_the_clips_that_differ_most_of_five_of_each_third(pseudo: PASet, kind: str) -> None:
    items, chosen = pseudo.items(kind, 16), list(_chosen(pseudo, kind, 3))
    changes = []
    for item in items:
        clip = pseudo.render(item, 16)
        changes.append(np.abs(clip.pseudo[8].astype(float) - clip.target[8].astype(float)).mean())
    # skip can draw the same clip twice
    shown = [next(place for place, one in enumerate(items) if one is item) for item, _ in chosen]
    ends = np.cumsum([0, *(len(third) for third in np.array_split(items, 3))])
    for index, start, end in zip(shown, ends[:-1], ends[1:], strict=True):
        tried = [start + quarter * (end - 1 - start) // 4 for quarter in range(5)]
        assert index in tried
        assert changes[index] == pytest.approx(max(changes[place] for place in tried), rel=1e-5)
        assert changes[index] > 0


def test_a_set_of_few_clips_shows_each_once(pseudo: PASet) -> None:
    few = replace(pseudo)
    for kind in PSEUDO_KINDS:
        few._items[kind, 16] = pseudo.items(kind, 16)[:2]
        assert [item for item, _ in _chosen(few, kind, 3)] == pseudo.items(kind, 16)[:2]


@settings(max_examples=80, deadline=None)
@given(st.integers(16, 60), st.integers(16, 60), st.data())
def test_a_close_up_is_a_square_inside_the_frame_around_the_mask(h: int, w: int, data: st.DataObject) -> None:
    top, left = data.draw(st.integers(0, h - 1)), data.draw(st.integers(0, w - 1))
    height, width = data.draw(st.integers(1, h - top)), data.draw(st.integers(1, w - left))
    mask = np.zeros((h, w), np.bool_)
    mask[top : top + height, left : left + width] = True
    there = _around(mask)
    side, least = mask[there].shape[0], min(h, w)
    assert mask[there].shape == (side, side)
    assert side == min(max(2 * max(height, width), least // 3), least)
    if max(height, width) <= least:
        assert mask[there].sum() == mask.sum()
    elif 2 * height <= least or 2 * width <= least:
        assert mask[there].any()


@settings(max_examples=40, deadline=None)
@given(st.integers(4, 20), st.integers(4, 20), st.integers(0, 10**6))
def test_the_busiest_square_is_found_by_trying_all(h: int, w: int, seed: int) -> None:
    difference = np.random.default_rng(seed).random((h, w)).astype(np.float32)
    side = min(h, w) // 2
    best = max(difference[y : y + side, x : x + side].sum() for y in range(h - side + 1) for x in range(w - side + 1))
    there = _busiest(difference)
    assert difference[there].shape == (side, side)
    assert difference[there].sum() == pytest.approx(best, rel=1e-5)
