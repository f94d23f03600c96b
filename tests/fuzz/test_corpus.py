"""Any bytes end in a value or in one line, in every reader; cases that once did not, reduced."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
from fuzz import fault_of
from mangle import mangled
from readers import ARRAYS, DOCUMENTS, MATLAB, PICTURES, READERS, TEXTS

NPY = b"\x93NUMPY\x01\x00\x76\x00"


def npy(header: str) -> bytes:
    """An array of a byte, under this header."""
    return NPY + header.encode().ljust(117) + b"\n\0"


CORPUS: list[tuple[str, bytes]] = [
    *(
        (name, content)
        for name in READERS
        for content in (b"", b"\0", b"[" * 5000, b"\x93NUMPY", b"PK\x03\x04", b"\xff\xfe")
    ),
    *(
        (name, npy(header))
        for name in ("npy", "masks .npy", "own array", "scores .npy")
        for header in (
            "{'descr': '<f8', 'fortran_order': False, 'shape': (962072674304,), }",
            "{'descr': '|u1', 'fortran_order': False, 'shape': (-1,), }",
            "{'descr': '<c8', 'fortran_order': False, 'shape': (0,), }",
            "{'descr': [('a', '|u1')], 'fortran_order': False, 'shape': (1,), }",
            "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }",
            "{'descr': '|u1', 'fortran_order': False, 'shape': (1L,), }",
            "{'descr': '|u1', 'fortran_order': False, 'shape': (1,",
            "{'descr': '<f', 'fortran_order': False, 'shape': (1,), }",
        )
    ),
    ("alarms.json", DOCUMENTS["alarms.json"].content.replace(b'"threshold": 0.5', b'"threshold": NaN')),
    ("alarms.json", DOCUMENTS["alarms.json"].content.replace(b'"fps": 10', b'"fps": 0')),
    ("labels.csv", b"video,start_frame,end_frame\na,1," + b"9" * 5000),
    ("XD-Violence", b"a 1 " + b"9" * 5000),
    ("MSAD", TEXTS["MSAD"].content.replace(b"4,2,3", b"4,2," + b"9" * 5000)),
    ("regions", b",,\n"),
    ("AED", b" , \n"),
    ("regions", b"9" * 40 + b".jpg 0 4 4 4 4"),
    ("tracks of regions", b"1e300,3,2,2,5,6"),
    ("tracks of regions", b"0,1e300,2,2,5,6"),
    ("detections", b"nan,2,2,5,6,0.9"),
    ("scores .csv", b'video,frame,score\n"a,0,1'),
    ("manifest.json", b'{"schema": 1, "items": {"a": 3}}'),
    ("zones", b'{"include": [[[0, NaN], [4, 0], [4, 8]]]}'),
    ("datasets.toml", b"[shop]\nroot = '.'\nfps = nan"),
    ("config.json", b"[]"),
]


@pytest.mark.parametrize(("name", "content"), CORPUS, ids=[f"{name} {place}" for place, (name, _) in enumerate(CORPUS)])
def test_reduced_cases_end_in_a_value_or_one_line(name: str, content: bytes) -> None:
    assert fault_of(READERS[name], content) == ""


@pytest.mark.parametrize("name", READERS)
def test_sound_files_are_read(name: str, tmp_path: Path) -> None:
    reader = READERS[name]
    (tmp_path / reader.name).write_bytes(reader.content)
    if name != "config.yaml":  # which is no whole model
        reader.read(tmp_path / reader.name)


@pytest.mark.parametrize(
    "kind", [TEXTS, DOCUMENTS, ARRAYS, MATLAB, PICTURES], ids=["text", "JSON", "npy", "mat", "picture"]
)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_bytes_are_a_value_or_one_line(kind: dict, data: st.DataObject) -> None:
    reader = READERS[data.draw(st.sampled_from(sorted(kind)))]
    sound = mangled(reader.content, TEXTS["AED"].content, random.Random(data.draw(st.integers(0, 2**32))))
    assert fault_of(reader, data.draw(st.one_of(st.binary(max_size=300), st.just(sound)))) == ""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("name", [*TEXTS, *DOCUMENTS])
def test_a_byte_order_mark_and_spaces_change_nothing(name: str, encoding: str, tmp_path: Path) -> None:
    if name == "config.yaml":
        pytest.skip("no whole model")
    reader, mark = READERS[name], "\ufeff" if encoding.endswith("-be") else ""
    found = []
    for place, content in enumerate((reader.content, (mark + reader.content.decode() + " \r\n").encode(encoding))):
        path = tmp_path / str(place) / reader.name
        path.parent.mkdir()
        path.write_bytes(content)
        found.append(repr(reader.read(path)).replace(str(path), "").replace(f"/{place}", ""))
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("name", "written", "floats"),
    [
        ("labels.csv", b"3,5", b"3.0, 5.000e+00"),
        ("tracks", b"4,0,2", b"4.0,0.0,2e0"),
        ("UCF-Crime", b"2  3", b"2.0  3.0"),
        ("XD-Violence", b"0 15", b"0.0 15.0"),
        ("MSAD", b"4,2,3", b"4.0,2.0,3.0"),
        ("AED", b"0,1", b"0.0,1.0"),
        ("scores .csv", b"a,1,", b"a, 1.0 ,"),
        ("detections", b"3,2", b"3.0,2"),
    ],
)
def test_a_whole_number_may_be_written_as_a_float(name: str, written: bytes, floats: bytes, tmp_path: Path) -> None:
    reader, found = READERS[name], []
    assert written in reader.content
    for content in (reader.content, reader.content.replace(written, floats)):
        (tmp_path / reader.name).write_bytes(content)
        found.append(repr(reader.read(tmp_path / reader.name)))
    assert found[0] == found[1]


def test_the_threshold_that_is_no_number_is_named(tmp_path: Path) -> None:
    name, content = CORPUS[[name for name, _ in CORPUS].index("alarms.json", 6 * len(READERS))]
    (tmp_path / "alarms.json").write_bytes(content)
    with pytest.raises(Exception, match=r"a finite number for threshold in .*alarms\.json, found nan; calibrate again"):
        READERS[name].read(tmp_path / "alarms.json")


def test_seven_tebibytes_are_refused_before_they_are_allocated(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    path.write_bytes(npy("{'descr': '<f8', 'fortran_order': False, 'shape': (962072674304,), }"))
    with pytest.raises(Exception, match="it declares 7696581394432 bytes and holds 1"):
        READERS["own array"].read(path)
