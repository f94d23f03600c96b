"""Boxes by track: Street Scene's lines and Georgescu et al.'s."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pagen.errors import PagenError
from pagen.footage.labels.boxes import aed_boxes, read_aed, read_street_scene, street_scene_boxes


@pytest.mark.parametrize("prefix", ["", "Test001/", "/data/Test/Test001/", "Test\\Test001\\"])
def test_images_of_street_scene_count_from_1_and_x_and_y_are_the_centre(tmp_path: Path, prefix: str) -> None:
    path = tmp_path / "Test001_gt.txt"
    path.write_bytes(
        f"{prefix}001.jpg 0 10 20 4 6\r\n{prefix}010.jpg 0 10.5 20 5 6\r\n{prefix}010.jpg 2 1 1 1 1".encode()
    )
    boxes = street_scene_boxes(path)
    assert [(box.track, box.frame) for box in boxes] == [(0, 0), (0, 9), (2, 9)]
    assert [box.box for box in boxes] == [(8, 17, 11, 22), (8, 17, 12, 22), (0.5, 0.5, 0.5, 0.5)]
    assert np.flatnonzero(read_street_scene(path, "Test001").fit(12).labels).tolist() == [0, 9]
    with pytest.raises(PagenError, match="within the clip's 9"):
        read_street_scene(path, "Test001").fit(9)


@pytest.mark.parametrize(
    "line",
    [
        "000.jpg 0 1 1 1 1",
        "a.jpg 0 1 1 1 1",
        "001 0 1 1 1 1",
        "001.jpg 0 1 1 1",
        "001.jpg 0 1 1 1 1 1",
        "001.jpg 0.5 1 1 1 1",
        "001.jpg -1 1 1 1 1",
        "001.jpg 0 nan 1 1 1",
        "001.jpg 0 a 1 1 1",
        "001.jpg",
    ],
)
def test_lines_of_another_form_than_street_scenes_are_refused(tmp_path: Path, line: str) -> None:
    (tmp_path / "a.txt").write_text(f"001.jpg 0 1 1 1 1\n{line}\n")
    with pytest.raises(PagenError, match=r"'NNN.jpg track x y width height' in line 2"):
        read_street_scene(tmp_path / "a.txt", "a")


def test_frames_of_aed_count_from_0(tmp_path: Path) -> None:
    path = tmp_path / "01_0014.txt"
    path.write_text("0,0,4,142,119,249\n0,3,6,145,129,254\n1,3,0,0,855,479")
    assert [(box.track, box.frame) for box in aed_boxes(path)] == [(0, 0), (0, 3), (1, 3)]
    assert aed_boxes(path)[1].box == (6, 145, 129, 254)
    assert read_aed(path, "01_0014").fit(5).labels.tolist() == [1, 0, 0, 1, 0]


@pytest.mark.parametrize(
    "line",
    ["0,1,4,4,9", "0,1,4,4,9,9,9", "0,-1,4,4,9,9", "0,1.5,4,4,9,9", "0,1,9,4,4,9", "0,1,4,9,9,4", "0,nan,4,4,9,9", "a"],
)
def test_lines_of_another_form_than_aeds_are_refused(tmp_path: Path, line: str) -> None:
    (tmp_path / "a.txt").write_text(f"0,1,4,4,9,9\n{line}\n")
    with pytest.raises(PagenError, match="'track,frame,x_min,y_min,x_max,y_max' in line 2"):
        read_aed(tmp_path / "a.txt", "a")
