"""XD-Violence's and MSAD's files, which name abnormal clips alone, and lists of names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pagen.errors import PagenError
from pagen.footage.labels.msad import names_in_msad, read_msad
from pagen.footage.labels.name_list import names_in_list
from pagen.footage.labels.xd_violence import names_in_xd, read_xd

HEADER = "name,scenario,total frames,starting frame of anomaly,ending frame of anomaly"


def test_xd_counts_from_0_and_leaves_the_last_frame_out(tmp_path: Path) -> None:
    path = tmp_path / "annotations.txt"
    dotted = "Thelma...Louise.1991__#00-01-00_00-02-00_label_B1-0-0"
    path.write_text(f"v=S-7rRLrxnVQ__#1_label_B4-0-0 0 2 5 6\n{dotted}.mp4 1 3\nv=a_label_B1 7 8")
    assert names_in_xd(path) == ["v=S-7rRLrxnVQ__#1_label_B4-0-0", dotted, "v=a_label_B1"]
    said = {name: read_xd(path, name) for name in (names_in_xd(path)[0], dotted, f"{dotted}.mp4")}
    assert [np.flatnonzero(one.fit(8).labels).tolist() for one in said.values() if one] == [[0, 1, 5], [1, 2], [1, 2]]
    assert read_xd(path, "Thelma") is None
    assert read_xd(path, "v=b_label_A") is None, "a normal clip"


@pytest.mark.parametrize("line", ["a", "a 1", "a 1 2 3", "a 1 b", "a 1 -1", "a 1 2.5", "a 1 nan"])
def test_xd_lines_of_another_form_are_refused(tmp_path: Path, line: str) -> None:
    (tmp_path / "a.txt").write_text(f"b 1 2\n{line}\n")
    with pytest.raises(PagenError, match="'NAME first end first end' in line 2"):
        read_xd(tmp_path / "a.txt", "b")


def test_xd_intervals_turned_round_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("b 4 2")
    said = read_xd(tmp_path / "a.txt", "b")
    assert said is not None
    with pytest.raises(PagenError, match="found 4 to 2"):
        said.fit(9)


def test_msad_counts_from_1_and_keeps_the_last_frame(tmp_path: Path) -> None:
    path = tmp_path / "anomaly_annotation.csv"
    path.write_bytes(f"{HEADER}\r\nAssault_1,shop,6,2,4\r\nFire_2,street highview,3,1,3".encode())
    assert names_in_msad(path) == ["Assault_1", "Fire_2"]
    said = read_msad(path, "Assault_1")
    assert said is not None
    assert said.fit(6).labels.tolist() == [0, 1, 1, 1, 0, 0]
    assert read_msad(path, "MSAD_normal_testing_1") is None


@pytest.mark.parametrize("row", ["a,shop,6,2", "a,shop,6,2,x", "a,shop,6,-1,4", "a,shop,6,,", "a,shop,6,nan,4"])
def test_msad_rows_of_another_form_are_refused(tmp_path: Path, row: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"{HEADER}\n{row}\n")
    with pytest.raises(PagenError, match="in line 2 of"):
        read_msad(path, "a")
    path.write_text(f"name,scenario\n{row}\n")
    with pytest.raises(PagenError, match="expected the header 'name,scenario,total frames"):
        read_msad(path, "a")


@pytest.mark.parametrize(
    ("content", "names"),
    [
        (b"01_001\n01_0015", ["01_001", "01_0015"]),
        (b"01_001,0,764\r\n01_0015,1,-1\r\n", ["01_001", "01_0015"]),
        (b"Abuse/Abuse001_x264.mp4\nAbuse/Abuse001_x264.mp4\n", ["Abuse001_x264"]),
        (b"Normal_Videos003_x264.mp4\nNormal_Videos_003_x264.mp4", ["Normal_Videos003_x264", "Normal_Videos_003_x264"]),
        (b"/scratch/MSAD-I3D-WS/Assault_2_i3d.npy\n", ["Assault_2"]),
        (b"Bad.Boys.1995__#01-11-55_01-12-40_label_G-B2-B6\n", ["Bad.Boys.1995__#01-11-55_01-12-40_label_G-B2-B6"]),
        (b"\xef\xbb\xbfnormal_scene_1_scenario1_9\n\n", ["normal_scene_1_scenario1_9"]),
    ],
)
def test_lists_name_clips_whatever_stands_around_the_names(tmp_path: Path, content: bytes, names: list[str]) -> None:
    (tmp_path / "list.txt").write_bytes(content)
    assert names_in_list(tmp_path / "list.txt") == names
