"""What files of labels are by their bytes: every reader refuses what is none of its own in one line."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pagen.errors import PagenError
from pagen.footage.labels import (
    arrays,
    avenue,
    boxes,
    images,
    labels_csv,
    msad,
    name_list,
    ubnormal,
    ucf_crime,
    ucsd_m,
    xd_violence,
)
from pagen.footage.labels.raw import bare, lines, text

Read = Callable[[Path], Any]
TEXTS: dict[str, Read] = {
    "m": lambda path: ucsd_m.read_m(path, "1"),
    "csv": lambda path: labels_csv.read_csv(path, "a"),
    "values": lambda path: arrays.read_values(path, "a"),
    "tracks": lambda path: ubnormal.read_tracks(path, "a"),
    "ucf": lambda path: ucf_crime.read_ucf(path, "a"),
    "xd": lambda path: xd_violence.read_xd(path, "a"),
    "msad": lambda path: msad.read_msad(path, "a"),
    "street_scene": lambda path: boxes.read_street_scene(path, "a"),
    "aed": lambda path: boxes.read_aed(path, "a"),
    "list": name_list.names_in_list,
}
BINARIES: dict[str, Read] = {
    "npy": lambda path: arrays.read_npy(path, "a"),
    "npz": lambda path: arrays.read_npz(path, "a"),
    "array masks": lambda path: list(images.array_masks((path,))),
    "mat masks": lambda path: avenue.read_mat_masks(path, "1"),
    "mat intervals": lambda path: avenue.read_mat_intervals(path, "1"),
    "mat frames": lambda path: avenue.read_mat_frames(path, "1"),
    "ucf mat": lambda path: ucf_crime.read_ucf_mat(path, "a"),
}
READERS = TEXTS | BINARIES


def array_bytes(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def archive_bytes(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def one_line(read: Read, path: Path) -> str:
    with pytest.raises(PagenError) as caught:
        read(path)
    said = str(caught.value)
    assert "\n" not in said
    assert str(path) in said
    return said


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("kind", READERS)
def test_a_pickle_is_refused_by_its_bytes_whatever_its_name(tmp_path: Path, kind: str, protocol: int) -> None:
    path = tmp_path / "gt_label.json"
    path.write_bytes(pickle.dumps({"01_0014.npy": np.zeros(3)}, protocol))
    assert "found a pickle whatever its name says" in one_line(READERS[kind], path)


@pytest.mark.parametrize("kind", READERS)
def test_an_empty_file_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "labels"
    path.touch()
    assert "found an empty file; copy it again" in one_line(READERS[kind], path)


@pytest.mark.parametrize("kind", READERS)
def test_a_file_that_is_not_there_or_a_folder_is_refused(tmp_path: Path, kind: str) -> None:
    one_line(READERS[kind], tmp_path / "no such file")
    one_line(READERS[kind], tmp_path)


@pytest.mark.parametrize("kind", READERS)
def test_noise_is_refused(tmp_path: Path, kind: str) -> None:
    for seed in range(8):
        path = tmp_path / f"labels {seed}"
        path.write_bytes(np.random.default_rng(seed).bytes(3000))
        one_line(READERS[kind], path)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("Abuse 1 2\n".encode("utf-16-le"), "bytes that are none"),
        ("Abusé 1 2\n".encode("latin-1"), "other bytes"),
        (b"\xff\xfe\x00", "other bytes"),
        (array_bytes(np.zeros(3)), "array in NumPy's format"),
        (archive_bytes(a=np.zeros(3)), "a zip or .npz archive"),
        (b"MATLAB 5.0 MAT-file".ljust(128) + b"\0" * 40, "a MATLAB file"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12\n", "git lfs pull"),
    ],
)
@pytest.mark.parametrize("kind", TEXTS)
def test_what_is_no_text_is_told_for_what_it_is(tmp_path: Path, kind: str, content: bytes, found: str) -> None:
    path = tmp_path / "labels.txt"
    path.write_bytes(content)
    said = one_line(TEXTS[kind], path)
    assert found in said or (kind == "tracks" and "mark NORMAL frames" in said)


@pytest.mark.parametrize("kind", [kind for kind in TEXTS if kind not in ("m", "csv")])
def test_blank_lines_alone_are_no_labels(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "labels.txt"
    path.write_text("\n \r\n")
    assert "blank lines alone" in one_line(TEXTS[kind], path)


def test_lines_may_end_in_any_way_and_the_last_need_not(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xef\xbb\xbfa 1 \r\n\r\n  b 2\nc 3")
    assert list(lines(path)) == [(1, "a 1"), (3, "b 2"), (4, "c 3")]
    assert text(path).startswith("a 1")


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("Normal_Videos003_x264.mp4", "Normal_Videos003_x264"),
        ("Normal_Videos_003_x264", "Normal_Videos_003_x264"),
        ("Normal_Videos_event/Normal_Videos_003_x264.MP4", "Normal_Videos_003_x264"),
        (
            "E:\\XD\\Bad.Boys.1995__#01-11-55_01-12-40_label_G-B2-B6.mp4",
            "Bad.Boys.1995__#01-11-55_01-12-40_label_G-B2-B6",
        ),
        (
            "Thelma...Louise.1991__#00-01-00_00-02-00_label_B1-0-0",
            "Thelma...Louise.1991__#00-01-00_00-02-00_label_B1-0-0",
        ),
        ("v=U6MC8@x=1__#1_label_A", "v=U6MC8@x=1__#1_label_A"),
        ("01_0014.npy", "01_0014"),
    ],
)
def test_dots_in_a_name_belong_to_it(name: str, stem: str) -> None:
    assert bare(name) == stem
