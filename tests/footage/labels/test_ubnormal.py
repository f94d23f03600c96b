"""UBnormal's tracks and maps of objects, and what circulates under the same names."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from pagen.errors import PagenError
from pagen.footage.labels.ubnormal import (
    Track,
    holds_npy_for_tracks,
    holds_tracks,
    object_masks,
    parse_tracks,
    read_npy_for_tracks,
    read_tracks,
)

CLIP = "abnormal_scene_10_scenario_2"


def write_maps(folder: Path, maps: np.ndarray, clip: str = CLIP) -> None:
    for frame, numbers in enumerate(maps):
        cv2.imwrite(str(folder / f"{clip}_{frame:04d}_gt.png"), numbers)


@pytest.mark.parametrize(
    "content",
    [
        b"4,2,5\r\n1,7,7\r\n",
        b"4,2,5\n1,7,7",
        b"4.000000000000000000e+00,2.000000000000000000e+00,5.000000000000000000e+00\r\n1.0,7.0,7.0\r\n",
    ],
)
def test_tracks_count_from_0_and_their_last_frame_is_abnormal(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / f"{CLIP}_tracks.txt"
    path.write_bytes(content)
    assert parse_tracks(path) == [Track(4, 2, 5), Track(1, 7, 7)]
    said = read_tracks(path, CLIP)
    assert np.flatnonzero(said.fit(8).labels).tolist() == [2, 3, 4, 5, 7]
    assert np.flatnonzero(said.fit(8, counting="half-open").labels).tolist() == [2, 3, 4], "the exclusive edition"
    with pytest.raises(PagenError, match="within the clip's 7, found 7 to 7"):
        said.fit(7)


def test_a_file_of_one_row_is_a_file_of_rows(tmp_path: Path) -> None:
    (tmp_path / "a_tracks.txt").write_bytes(b"4,0,450\r\n")
    assert read_tracks(tmp_path / "a_tracks.txt", "a").fit(451).labels.sum() == 451


@pytest.mark.parametrize(
    "row", ["4,5,2", "4,-1,2", "4,1", "4,1,2,3", "4,1.5,2", "nan,1,2", "4,1,nan", "4,1,inf", "a,1,2", "0,1,2", "4 1 2"]
)
def test_rows_that_are_no_track_are_refused(tmp_path: Path, row: str) -> None:
    (tmp_path / "a_tracks.txt").write_text(f"1,0,3\n{row}\n")
    with pytest.raises(PagenError, match=r"'object,first,last' in line 2 of .*a_tracks.txt"):
        parse_tracks(tmp_path / "a_tracks.txt")


def test_an_array_under_the_name_of_tracks_is_told_by_its_bytes_and_its_polarity_is_not_assumed(tmp_path: Path) -> None:
    """STG-NF's copy: NPY files called `_tracks.txt`, float64, 1 = NORMAL."""
    path = tmp_path / f"{CLIP}_tracks.txt"
    with path.open("wb") as file:
        np.save(file, np.array([1.0, 1, 0, 0, 1]))
    assert (holds_tracks(path), holds_npy_for_tracks(path)) == (False, True)
    with pytest.raises(PagenError, match=r"found an array in NumPy's format; .* mark NORMAL frames by 1"):
        read_tracks(path, CLIP)
    assert read_npy_for_tracks(path, CLIP).fit(5, normal=1).labels.tolist() == [0, 0, 1, 1, 0]


@pytest.mark.parametrize("suffix", ["_tracks.txt", "_new_tracks.txt"])
def test_pixels_are_abnormal_where_their_object_has_a_track_in_the_frame(tmp_path: Path, suffix: str) -> None:
    maps = np.random.default_rng(0).integers(0, 4, (6, 5, 7)).astype(np.uint8)
    write_maps(tmp_path, maps)
    write_maps(tmp_path, maps[:1], f"{CLIP}_fog")
    path = tmp_path / f"{CLIP}{suffix}"
    path.write_text("1,0,2\n3,2,4\n1,5,5\n")
    abnormal = {0: [1], 1: [1], 2: [1, 3], 3: [3], 4: [3], 5: [1]}
    masks = list(object_masks((path,)))
    assert len(masks) == 6
    for frame, mask in enumerate(masks):
        np.testing.assert_array_equal(mask, np.logical_or.reduce([maps[frame] == thing for thing in abnormal[frame]]))
    assert not any((mask & (picture == 2)).any() for mask, picture in zip(masks, maps, strict=True)), "a walker"


def test_maps_that_do_not_go_with_the_tracks_are_refused(tmp_path: Path) -> None:
    path = tmp_path / f"{CLIP}_tracks.txt"
    path.write_text("1,0,2\n9,0,0\n")
    with pytest.raises(PagenError, match=rf"expected a map of each frame up to 2|expected maps {CLIP}_0000_gt.png"):
        list(object_masks((path,)))
    write_maps(tmp_path, np.ones((3, 2, 2), np.uint8))
    with pytest.raises(PagenError, match="on the maps beside it, found no 9"):
        list(object_masks((path,)))
    cv2.imwrite(str(tmp_path / f"{CLIP}_0002_gt.png"), np.ones((3, 2), np.uint8))
    with pytest.raises(PagenError, match=r"\(2, 2\).*found \(3, 2\)"):
        list(object_masks((path,)))
    (tmp_path / f"{CLIP}_0001_gt.png").unlink()
    with pytest.raises(PagenError, match="found no 1"):
        list(object_masks((path,)))


def test_text_or_what_is_damaged_is_read_as_tracks(tmp_path: Path) -> None:
    for content in (b"4,0,450\r\n", b"", b"\x93NUM"):
        path = tmp_path / f"{CLIP}_tracks.txt"
        path.write_bytes(content)
        assert (holds_tracks(path), holds_npy_for_tracks(path)) == (True, False)
