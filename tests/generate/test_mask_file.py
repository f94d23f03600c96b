"""Masks from disk, as an array or as images, and each way in which they do not fit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from pagen.errors import PagenError
from pagen.generate.mask_file import open_mask_folder
from pagen.seeds import generator

FRAMES = np.zeros((20, 24, 32, 1), np.uint8)
Masks = npt.NDArray[np.bool_]


def squares() -> Masks:
    """Two squares a frame, which move; none in frame 3, nearly all of frame 12."""
    masks = np.zeros(FRAMES.shape[:3], np.bool_)
    for t in range(20):
        masks[t, 2:8, t : t + 6] = masks[t, 14:20, 20 - t : 26 - t] = True
    masks[3], masks[12] = False, True
    return masks


def as_bool(folder: Path, masks: Masks) -> None:
    np.save(folder / "train_01.npy", masks)


def as_numbers(folder: Path, masks: Masks) -> None:
    np.save(folder / "train_01.npy", masks.astype(np.uint8) * 3)


def as_images(folder: Path, masks: Masks) -> None:
    (folder / "train_01").mkdir()
    for t, mask in enumerate(masks):
        Image.fromarray(mask.astype(np.uint8) * 255).save(folder / "train_01" / f"frame{t}.bmp")
    (folder / "train_01" / "._frame0.bmp").write_text("of another system")


@pytest.mark.parametrize("save", [as_bool, as_numbers, as_images])
def test_every_object_of_every_frame(tmp_path: Path, save: Callable[[Path, Masks], None]) -> None:
    expected = squares()
    save(tmp_path, expected)
    kind = open_mask_folder(str(tmp_path))
    state = kind.prepare(FRAMES, "train_01")
    for start in (16, 0):
        masks, fell_back = kind.segment(FRAMES[start : start + 16], state, generator(0, start), start)
        assert fell_back == (0 if start else 2)
        for t, mask in enumerate(masks, start):
            if t in (3, 12):
                assert 0 < mask.mean() < 0.3
            else:
                np.testing.assert_array_equal(mask, expected[t])


def test_origin_follows_the_bytes(tmp_path: Path) -> None:
    as_images(tmp_path, squares())
    np.save(tmp_path / "train_02.npy", squares())
    where, first = open_mask_folder(str(tmp_path)).origin()
    assert where == str(tmp_path)
    (tmp_path / "notes.txt").write_text("no mask")
    assert open_mask_folder(str(tmp_path)).origin() == (where, first)
    np.save(tmp_path / "train_02.npy", ~squares())
    second = open_mask_folder(str(tmp_path)).origin()[1]
    Image.fromarray(np.ones((24, 32), np.uint8)).save(tmp_path / "train_01" / "frame7.bmp")
    assert len({first, second, open_mask_folder(str(tmp_path)).origin()[1]}) == 3


@pytest.mark.parametrize("save", [as_bool, as_images])
def test_masks_that_do_not_fit(tmp_path: Path, save: Callable[[Path, Masks], None]) -> None:
    save(tmp_path, squares())
    kind = open_mask_folder(str(tmp_path))
    with pytest.raises(PagenError, match=r"^expected masks of 48 x 64 .* found 24 x 32; resize the masks"):
        kind.prepare(np.zeros((20, 48, 64, 1), np.uint8), "train_01")
    with pytest.raises(PagenError, match=r"^expected 21 masks in .*train_01.* found 20; "):
        kind.prepare(np.zeros((21, 24, 32, 1), np.uint8), "train_01")
    with pytest.raises(PagenError, match=r"neither train_02\.npy nor a folder train_02; give masks of every"):
        kind.prepare(FRAMES, "train_02")


def test_one_image_of_another_size(tmp_path: Path) -> None:
    as_images(tmp_path, squares())
    Image.fromarray(np.ones((24, 33), np.uint8)).save(tmp_path / "train_01" / "frame7.bmp")
    with pytest.raises(PagenError, match="found 24 x 33"):
        open_mask_folder(str(tmp_path)).prepare(FRAMES, "train_01")


def test_arrays_that_are_none(tmp_path: Path) -> None:
    kind = open_mask_folder(str(tmp_path))
    for array in (np.zeros((20, 24, 32), np.float32), np.zeros((20, 24, 32, 1), np.uint8)):
        np.save(tmp_path / "train_01.npy", array)
        with pytest.raises(PagenError, match=r"expected masks bool or uint8 \(T, H, W\) .*found"):
            kind.prepare(FRAMES, "train_01")
    as_bool(tmp_path, squares())
    whole = (tmp_path / "train_01.npy").read_bytes()
    np.save(tmp_path / "pickled.npy", np.array([{}], dtype=object), allow_pickle=True)
    for damaged in (whole[:-100], whole[:20], b"", b"PK", (tmp_path / "pickled.npy").read_bytes()):
        (tmp_path / "train_01.npy").write_bytes(damaged)
        with pytest.raises(PagenError, match=r"found .*; remove it, and make it again"):
            kind.prepare(FRAMES, "train_01")


@pytest.mark.parametrize("option", ["", "nowhere"])
def test_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PagenError, match=f"found 'file:{option}'"):
        open_mask_folder(option)
