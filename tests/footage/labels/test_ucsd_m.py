from __future__ import annotations

from pathlib import Path

import pytest

from pagen.errors import PagenError
from pagen.footage.labels.ucsd_m import names_in_m, parse_m, read_m

PED1 = Path(__file__).parents[4] / "shared/data/ped1/UCSDped1.m"
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
    found = [read_m(path, str(number)).fit(length).labels for number, length in enumerate(PED2_FRAMES, 1)]
    assert [array.shape for array in found] == [(length,) for length in PED2_FRAMES]
    assert sum(int(array.sum()) for array in found) == 1648
    assert [int(array.argmax()) + 1 for array in found] == [61, 95, 1, 31, 1, 1, 46, 1, 1, 1, 1, 88]


@pytest.mark.skipif(not PED1.is_file(), reason="the real Ped1 is not at hand")
def test_the_real_ped1_gives_the_published_count() -> None:
    assert names_in_m(PED1) == [str(number) for number in range(1, 37)]
    assert sum(int(read_m(PED1, name).fit(200).labels.sum()) for name in names_in_m(PED1)) == 4045


def test_m_intervals_count_from_1_and_end_inclusive(tmp_path: Path) -> None:
    code = "% a comment\r\nTestVideoFile = {};\r\nTestVideoFile{end+1}.gt_frame = [5:90, 140:200];\r\n"
    code += "TestVideoFile{end+1}.gt_frame = [];\nTestVideoFile{end+1}.gt_frame = [7 9:10]\n"
    assert parse_m(code) == [[(5, 90), (140, 200)], [], [(7, 7), (9, 10)]]
    (tmp_path / "a.m").write_text(code)
    assert read_m(tmp_path / "a.m", "3").fit(11).labels.tolist() == [0] * 6 + [1, 0, 1, 1, 0]


@pytest.mark.parametrize(
    "line",
    [
        "TestVideoFile{end+1}.gt_frame = 61:180;",
        "[1:2]",
        "TestVideoFile{end+1}.gt_frame = [0:4];",
        "TestVideoFile{end+1}.gt_frame = [5:4];",
    ],
)
def test_m_lines_that_say_something_else_are_refused(line: str) -> None:
    with pytest.raises(PagenError, match=r"line 2 of x\.m"):
        parse_m(f"TestVideoFile = {{}};\n{line}\n", "x.m")


def test_m_has_a_line_for_each_clip(tmp_path: Path) -> None:
    path = tmp_path / "UCSDped2.m"
    path.write_text(PED2_M)
    with pytest.raises(PagenError, match="labels of test clip 13"):
        read_m(path, "13")
    with pytest.raises(PagenError, match="within the clip's 179"):
        read_m(path, "1").fit(179)
    assert names_in_m(path) == [str(number) for number in range(1, 13)]
