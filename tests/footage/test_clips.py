"""Clips of files: labels and masks that cannot be theirs are refused where they are read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import scipy.io

from pagen.errors import PagenError
from pagen.footage.clip_labels import ClipLabels
from pagen.footage.clips import FileClip
from pagen.footage.layout import LabelSource

STG_NF = LabelSource("npy_for_tracks", "gt/{clip}_tracks.txt", "exclusive", normal=1)


def clip_of(folder: Path, count: int = 3, size: tuple[int, int] = (4, 6)) -> FileClip:
    for frame in range(count):
        cv2.imwrite(str(folder / f"{frame}.png"), np.zeros(size, np.uint8))
    return FileClip("test_a", "test", folder, False, tuple(sorted(folder.glob("?.png"))), None, None)


@pytest.mark.parametrize(("abnormal", "refused"), [(False, True), (True, False), (None, False)])
def test_a_normal_clip_shows_labels_that_are_turned_round(tmp_path: Path, abnormal: bool | None, refused: bool) -> None:
    """An array under the name of tracks is read with 1 = normal; a copy that means the opposite is found out."""
    path = tmp_path / "normal_scene_1_scenario_1_tracks.txt"
    with path.open("wb") as file:
        np.save(file, np.zeros(3))
    clip = replace(clip_of(tmp_path), label=ClipLabels(STG_NF, path, "a"), abnormal=abnormal)
    if not refused:
        assert np.array_equal(clip.labels(), [1, 1, 1])
        return
    with pytest.raises(
        PagenError, match=r"a normal clip by its name or the lists, found 3 of 3 frames .*1 = abnormal\?"
    ):
        clip.labels()


def test_a_normal_clip_needs_no_labels_and_no_row_in_a_file_of_abnormal_ones(tmp_path: Path) -> None:
    (tmp_path / "annotations.txt").write_text("b 0 2")
    for place in (
        ClipLabels(LabelSource("xd", "annotations.txt", "xd"), tmp_path / "annotations.txt", "a"),
        ClipLabels(LabelSource("tracks", "a_tracks.txt", "inclusive"), tmp_path / "a_tracks.txt", "a"),
    ):
        clip = replace(clip_of(tmp_path), label=place, abnormal=False)
        assert np.array_equal(clip.labels(), [0, 0, 0])


@pytest.mark.parametrize("kind", ["images", "mat", "array", "objects"])
@pytest.mark.parametrize("size", [(4, 6), (6, 4)])
def test_masks_of_another_size_than_the_frames_are_refused(tmp_path: Path, kind: str, size: tuple[int, int]) -> None:
    masks = np.ones((3, *size), np.uint8)
    folder = tmp_path / "masks"
    folder.mkdir()
    cells = np.empty((1, 3), object)
    for frame, mask in enumerate(masks):
        cells[0, frame] = mask
        cv2.imwrite(str(folder / f"a_{frame:04d}_gt.png"), mask)
    np.save(folder / "a.npy", masks)
    scipy.io.savemat(folder / "a.mat", {"volLabel": cells})
    (folder / "a_tracks.txt").write_text("1,0,2")
    one = {"mat": "a.mat", "array": "a.npy", "objects": "a_tracks.txt"}
    files = tuple(sorted(folder.glob("*.png"))) if kind == "images" else (folder / one[kind],)
    clip = replace(clip_of(tmp_path), mask_files=files, mask_kind=kind)
    if size == (4, 6):
        np.testing.assert_array_equal(list(clip.masks() or ()), masks != 0)
        return
    with pytest.raises(PagenError, match=r"masks of the frames' size 4x6 in .*, found 6x4; of another clip\?"):
        list(clip.masks() or ())
