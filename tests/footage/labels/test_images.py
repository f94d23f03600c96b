from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from pagen.errors import PagenError
from pagen.footage.labels.images import array_masks, read_masks


def test_a_folder_of_masks_is_read_by_number_and_hidden_files_are_passed_over(tmp_path: Path) -> None:
    for frame, value in {1: 0, 2: 255, 10: 0}.items():
        cv2.imwrite(str(tmp_path / f"{frame}.bmp"), np.full((3, 4), value, np.uint8))
    (tmp_path / "._.DS_Store").write_bytes(b"\0")
    (tmp_path / "._1.bmp").write_bytes(b"\0")
    assert read_masks(tmp_path, "a").fit(3).labels.tolist() == [0, 1, 0]


@pytest.mark.parametrize("kind", [np.uint8, bool, np.float32])
def test_an_array_of_masks_is_handed_out_frame_by_frame(tmp_path: Path, kind: type) -> None:
    made = (np.random.default_rng(0).random((4, 5, 6)) > 0.5).astype(kind)
    np.save(tmp_path / "01_0014.npy", made)
    np.testing.assert_array_equal(list(array_masks((tmp_path / "01_0014.npy",))), made != 0)


@pytest.mark.parametrize(
    ("array", "found"),
    [
        (np.zeros((4, 5)), r"masks \(T, H, W\) in .*, found float64 \(4, 5\)"),
        (np.array([None]), "found pickled objects"),
        (np.full((1, 2, 2), np.nan), "found NaN"),
        (np.full((1, 2, 2), "a"), "<U1 in place of numbers"),
    ],
)
def test_arrays_that_are_no_masks_are_refused(tmp_path: Path, array: np.ndarray, found: str) -> None:
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(PagenError, match=found):
        list(array_masks((tmp_path / "a.npy",)))


def test_an_array_of_masks_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((4, 5, 6), np.uint8))
    (tmp_path / "a.npy").write_bytes((tmp_path / "a.npy").read_bytes()[:-1])
    with pytest.raises(PagenError, match="it declares 120 bytes and holds 119"):
        list(array_masks((tmp_path / "a.npy",)))
