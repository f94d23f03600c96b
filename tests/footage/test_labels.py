from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pagen.errors import PagenError
from pagen.footage import labels
from pagen.footage.layout import LabelSource

SOURCE = LabelSource("any", "labels", "labels")
PED2_M = """TestVideoFile = {};
TestVideoFile{end+1}.gt_frame = [61:180];
TestVideoFile{end+1}.gt_frame = [95:180];
TestVideoFile{end+1}.gt_frame = [1:146];
TestVideoFile{end+1}.gt_frame = [31:180];
TestVideoFile{end+1}.gt_frame = [1:129];
TestVideoFile{end+1}.gt_frame = [1:159];
TestVideoFile{end+1}.gt_frame = [46:180];
TestVideoFile{end+1}.gt_frame = [1:180];
TestVideoFile{end+1}.gt_frame = [1:120];
TestVideoFile{end+1}.gt_frame = [1:150];
TestVideoFile{end+1}.gt_frame = [1:180];
TestVideoFile{end+1}.gt_frame = [88:180];
"""
PED2_FRAMES = (180, 180, 150, 180, 150, 180, 180, 180, 120, 150, 180, 180)


def test_the_published_m_file_gives_the_published_count(tmp_path: Path) -> None:
    path = tmp_path / "UCSDped2.m"
    path.write_text(PED2_M)
    found = [labels.read_m(path, str(number), length, SOURCE) for number, length in enumerate(PED2_FRAMES, 1)]
    assert [array.shape for array in found] == [(length,) for length in PED2_FRAMES]
    assert sum(int(array.sum()) for array in found) == 1648
    assert [int(array.argmax()) + 1 for array in found] == [61, 95, 1, 31, 1, 1, 46, 1, 1, 1, 1, 88]


def test_m_intervals_become_half_open_from_zero() -> None:
    text = "% a comment\r\nTestVideoFile = {};\r\nTestVideoFile{end+1}.gt_frame = [5:90, 140:200];\r\n"
    text += "TestVideoFile{end+1}.gt_frame = [];\nTestVideoFile{end+1}.gt_frame = [7 9:10]\n"
    assert labels.parse_m(text) == [[(4, 90), (139, 200)], [], [(6, 7), (8, 10)]]


@pytest.mark.parametrize(
    "line", ["TestVideoFile{end+1}.gt_frame = 61:180;", "[1:2]", "TestVideoFile{end+1}.gt_frame = [0:4];"]
)
def test_m_lines_that_say_something_else_are_refused(line: str) -> None:
    with pytest.raises(PagenError, match=r"line 2 of x\.m"):
        labels.parse_m(f"TestVideoFile = {{}};\n{line}\n", "x.m")


def test_m_has_a_line_for_each_clip(tmp_path: Path) -> None:
    path = tmp_path / "UCSDped2.m"
    path.write_text(PED2_M)
    with pytest.raises(PagenError, match="labels of test clip 13"):
        labels.read_m(path, "13", 180, SOURCE)
    with pytest.raises(PagenError, match="within the clip's 179"):
        labels.read_m(path, "1", 179, SOURCE)
    assert labels.names_in_m(path) == [str(number) for number in range(1, 13)]


def test_csv_tells_labelled_normal_and_unlabelled_videos_apart(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(
        "\ufeffvideo,start_frame,end_frame\nlift,3,5\ndoor.mp4, 0 ,2\nlift,6,7\n\nyard,,\n", encoding="utf-8"
    )
    assert labels.read_csv(path, "lift", 8, SOURCE).tolist() == [0, 0, 0, 1, 1, 0, 1, 0]  # type: ignore[union-attr]
    assert labels.read_csv(path, "door", 3, SOURCE).tolist() == [1, 1, 0]  # type: ignore[union-attr]
    assert labels.read_csv(path, "yard", 2, SOURCE).tolist() == [0, 0]  # type: ignore[union-attr]
    assert labels.read_csv(path, "roof", 2, SOURCE) is None
    assert labels.names_in_csv(path) == ["lift", "door.mp4", "yard"]
    with pytest.raises(PagenError, match="within the clip's 6"):
        labels.read_csv(path, "lift", 6, SOURCE)


@pytest.mark.parametrize("text", ["", "name,start,end\n", "lift,3,5\n"])
def test_csv_needs_its_header(text: str) -> None:
    with pytest.raises(PagenError, match="expected the header video,start_frame,end_frame"):
        labels.parse_csv(text)


@pytest.mark.parametrize("row", ["lift,5,5", "lift,5,3", "lift,-1,3", "lift,a,b", "lift,1", "lift,1,2,3", "lift,1.0,2"])
def test_csv_rows_that_are_no_interval_are_refused(row: str) -> None:
    with pytest.raises(PagenError, match="line 2 of"):
        labels.parse_csv(f"video,start_frame,end_frame\n{row}\n")


def test_labels_that_are_not_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PagenError, match="text in UTF-8"):
        labels.read_csv(path, "lift", 3, SOURCE)


@pytest.mark.parametrize("shape", [(5,), (1, 5)])
@pytest.mark.parametrize("kind", [np.uint8, np.int64, np.float32, bool])
def test_npy_of_any_number_type(tmp_path: Path, shape: tuple[int, ...], kind: type) -> None:
    np.save(tmp_path / "a.npy", np.array([0, 1, 1, 0, 1], kind).reshape(shape))
    found = labels.read_npy(tmp_path / "a.npy", "a", 5, SOURCE)
    assert found.dtype == np.uint8
    assert found.tolist() == [0, 1, 1, 0, 1]


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros(4), r"\(5,\)"),
        (np.zeros(6), r"\(5,\)"),
        (np.zeros((5, 1)), r"\(5, 1\)"),
        (np.array([0, 1, 2, 0, 0]), "labels 0 and 1"),
        (np.array([0, np.nan, 0, 0, 0]), "labels 0 and 1"),
        (np.array([0, 1, 0, 0, None], object), "an array of 0 and 1"),
    ],
)
def test_npy_that_does_not_fit_is_refused(tmp_path: Path, array: np.ndarray, message: str) -> None:
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(PagenError, match=message):
        labels.read_npy(tmp_path / "a.npy", "a", 5, SOURCE)


def test_masks_label_a_frame_by_any_pixel() -> None:
    masks = np.zeros((4, 3, 5), bool)
    masks[1, 2, 4] = masks[3] = True
    assert labels.from_masks(masks).tolist() == [0, 1, 0, 1]


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 10)), max_size=5))
@settings(max_examples=50, deadline=None)
def test_a_frame_is_abnormal_where_any_interval_holds_it(starts_and_lengths: list[tuple[int, int]]) -> None:
    intervals = [(start, start + length) for start, length in starts_and_lengths]
    expected = [int(any(start <= frame < end for start, end in intervals)) for frame in range(31)]
    assert labels.from_intervals(intervals, 31).tolist() == expected
