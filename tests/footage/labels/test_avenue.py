"""Avenue's labels in `.mat`: masks a cell at a time, intervals by columns, one variable a clip."""

from __future__ import annotations

import io
import json
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io

from pagen.errors import PagenError
from pagen.footage.labels import avenue
from pagen.footage.labels.mat import variable, variables
from pagen.footage.labels.mat_cells import cells

FACTS = Path(__file__).parents[4] / "shared/facts/datasets.json"
REAL = Path(__file__).parents[4] / "shared/data/avenue/ground_truth_demo/testing_label_mask"
needs_avenue = pytest.mark.skipif(not REAL.is_dir(), reason="the real Avenue is not at hand")
LENGTHS = [1439, 1211, 923, 947, 1007, 1283, 605, 36, 1175, 841, 472, 1271, 549, 507, 1001, 740, 426, 294, 248, 273, 76]


def cell(parts: Iterable[Any]) -> np.ndarray:
    parts = list(parts)
    array = np.empty((1, len(parts)), object)
    for place, part in enumerate(parts):
        array[0, place] = part
    return array


def masks(count: int = 5, size: tuple[int, int] = (6, 8)) -> np.ndarray:
    """Every second one with something in it."""
    made = np.zeros((count, *size), np.uint8)
    made[1::2, 2, 3] = 255
    return made


def write_masks(path: Path, compressed: bool, made: Iterable[Any], before: dict[str, Any] | None = None) -> None:
    scipy.io.savemat(path, {**(before or {}), "volLabel": cell(made)}, do_compression=compressed)


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("kind", [np.uint8, bool, np.float64, np.int16, np.uint32, np.int64])
def test_masks_are_read_a_cell_at_a_time_as_scipy_reads_them_whole(
    tmp_path: Path, compressed: bool, kind: type
) -> None:
    path, made = tmp_path / "1_label.mat", masks().astype(kind)
    made[3] = np.random.default_rng(0).integers(0, 2, made.shape[1:])
    write_masks(path, compressed, made, before={"other": np.arange(5000.0), "text": "before it"})
    whole = scipy.io.loadmat(path)["volLabel"]
    for ours, scipys, truth in zip(cells(path, "volLabel"), whole[0], made, strict=True):
        np.testing.assert_array_equal(ours, scipys)
        np.testing.assert_array_equal(ours, truth)
    assert avenue.read_mat_masks(path, "1").fit(5).labels.tolist() == [0, 1, 0, 1, 0]
    np.testing.assert_array_equal(list(avenue.mat_masks((path,))), made != 0)


def write_many(path: Path, count: int) -> None:
    """The masks of a clip of `count` frames of Avenue's size, compressed as MATLAB does, without holding them."""
    one = io.BytesIO()
    scipy.io.savemat(one, {"volLabel": cell([np.eye(360, 640, dtype=np.uint8)])})
    raw = one.getvalue()
    top, variable, mask = raw[:128], bytearray(raw[136:184]), raw[184:]
    variable[28:32] = struct.pack("<i", count)
    deflate = zlib.compressobj(1)
    parts = [deflate.compress(struct.pack("<II", 14, len(variable) + count * len(mask)) + variable)]
    parts += [deflate.compress(mask) for _ in range(count)]
    parts.append(deflate.flush())
    path.write_bytes(top + struct.pack("<II", 15, sum(map(len, parts))) + b"".join(parts))


@pytest.mark.slow
@pytest.mark.parametrize("real", [False, pytest.param(True, marks=needs_avenue)])
def test_memory_does_not_grow_with_the_masks(tmp_path: Path, real: bool) -> None:
    """The peak of a process that reads 1,439 masks, which are 332 MB."""
    path = REAL / "1_label.mat" if real else tmp_path / "1_label.mat"
    if not real:
        write_many(path, 1439)
    code = (
        "from pathlib import Path; from pagen.footage.labels.avenue import read_mat_masks;"
        f"assert read_mat_masks(Path({str(path)!r}), '1').fit(1439).labels.any();"
        "print(*[line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')])"
    )
    run = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert int(run.stdout) < 150_000, "kilobytes"


@needs_avenue
@pytest.mark.slow  # inflates 3.5 GB
def test_the_real_masks_give_the_published_frames() -> None:
    labels = [
        avenue.read_mat_masks(REAL / f"{number}_label.mat", str(number)).fit(length).labels
        for number, length in enumerate(LENGTHS, 1)
    ]
    assert sum(map(len, labels)) == 15_324
    assert sum(int(array.sum()) for array in labels) == 3_712
    assert [number for number, array in enumerate(labels, 1) if array.all()] == [8, 18]
    facts = json.loads(FACTS.read_text(encoding="utf-8"))["avenue"]["editions"]["volLabel"] if FACTS.is_file() else {}
    for clip, intervals in facts.items():
        edges = np.flatnonzero(np.diff(np.pad(labels[int(clip) - 1].astype(int), 1)))
        assert edges.reshape(-1, 2).tolist() == intervals, f"clip {clip}, frame by frame"


def test_masks_of_several_sizes_or_without_any_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "1_label.mat"
    write_masks(path, True, [np.zeros((6, 8), np.uint8), np.zeros((8, 6), np.uint8)])
    with pytest.raises(PagenError, match=r"masks \(6, 8\) all through .*1_label.mat, found one \(8, 6\)"):
        avenue.read_mat_masks(path, "1")
    write_masks(path, True, [np.zeros((6, 8), np.uint8), np.zeros((0, 0))])
    with pytest.raises(PagenError, match="all through"):
        avenue.read_mat_masks(path, "1")
    write_masks(path, True, ["text"])
    with pytest.raises(PagenError, match="has no numbers"):
        avenue.read_mat_masks(path, "1")
    scipy.io.savemat(path, {"vol": masks(), "gt": cell([[1, 2]])})
    with pytest.raises(
        PagenError, match=r"expected a cell array volLabel in .*1_label.mat, found 'vol' 5x6x8, 'gt' 1x1"
    ):
        avenue.read_mat_masks(path, "1")
    scipy.io.savemat(path, {"volLabel": masks()})
    with pytest.raises(PagenError, match=r"expected a cell array volLabel in .*, found 'volLabel' 5x6x8"):
        avenue.read_mat_masks(path, "1")


READ: dict[str, tuple[str, Callable[[Path], Any]]] = {
    "masks": ("volLabel", lambda path: avenue.read_mat_masks(path, "1")),
    "intervals": ("gt", lambda path: avenue.read_mat_intervals(path, "1")),
    "frames": ("01", lambda path: avenue.read_mat_frames(path, "1")),
}


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("kind", READ)
def test_every_cut_of_a_file_is_refused_in_a_line(tmp_path: Path, kind: str, compressed: bool) -> None:
    name, read = READ[kind]
    noise = np.random.default_rng(0).integers(0, 2, (3, 9, 9)).astype(np.uint8)
    value = {"masks": cell(noise), "intervals": cell([[[5, 140], [90, 200]]] * 3), "frames": noise[0].reshape(1, -1)}
    path = tmp_path / "a.mat"
    scipy.io.savemat(path, {name: value[kind]}, do_compression=compressed)
    whole = path.read_bytes()
    read(path)
    for size in range(1, len(whole) - 8, max(1, len(whole) // 60)):
        path.write_bytes(whole[:size])
        with pytest.raises(PagenError) as caught:
            read(path)
        assert "\n" not in str(caught.value)
        assert str(path) in str(caught.value)


@pytest.mark.parametrize("kind", READ)
def test_bytes_that_are_turned_over_end_in_labels_or_in_a_line(tmp_path: Path, kind: str) -> None:
    name, read = READ[kind]
    value = {"masks": cell(masks()), "intervals": cell([[[5, 140], [90, 200]]] * 3), "frames": np.array([[0, 1, 1]])}
    path, rng = tmp_path / "a.mat", np.random.default_rng(0)
    scipy.io.savemat(path, {name: value[kind]}, do_compression=True)
    whole = path.read_bytes()
    for _ in range(200):
        damaged = bytearray(whole)
        damaged[rng.integers(128, len(whole))] ^= int(rng.integers(1, 256))
        path.write_bytes(damaged)
        with suppress(PagenError):
            read(path)


@pytest.mark.parametrize("kind", READ)
@pytest.mark.parametrize("size", [20, 300, 600, 4096])
def test_files_of_matlab_7_3_are_refused_with_what_to_type(tmp_path: Path, kind: str, size: int) -> None:
    """Whole or cut short, they are told by their header or by HDF5's own, after a user block of 512 bytes."""
    path = tmp_path / "a.mat"
    header = b"MATLAB 7.3 MAT-file, Platform: GLNXA64, Created on: Mon HDF5 schema 1.00 .".ljust(512, b"\0")
    path.write_bytes((header + b"\x89HDF\r\n\x1a\n" + bytes(4096))[:size])
    with pytest.raises(PagenError, match=r"MATLAB 7.3 \(HDF5\); open it in MATLAB, type: save\('a.mat', '-v7'\)"):
        READ[kind][1](path)


def test_columns_are_intervals_whatever_was_squeezed(tmp_path: Path) -> None:
    path = tmp_path / "ped1.mat"
    forms = [
        np.array([[5, 140], [90, 200]], np.uint8),
        np.array([[5], [90]], np.uint8),
        np.array([5, 90], np.uint8),
        np.array([[1, 20, 300], [2, 30, 400]], np.uint16),
        np.array([[5.0, 140.0], [90.0, 200.0]]),
        np.zeros((0, 0)),
    ]
    truth = [((5, 90), (140, 200)), ((5, 90),), ((5, 90),), ((1, 2), (20, 30), (300, 400)), ((5, 90), (140, 200)), ()]
    scipy.io.savemat(path, {"gt": cell(forms)})
    assert avenue.names_in_mat_intervals(path) == ["1", "2", "3", "4", "5", "6"]
    for number, pairs in enumerate(truth, 1):
        assert avenue.read_mat_intervals(path, str(number)).pairs == pairs
    labels = avenue.read_mat_intervals(path, "1").fit(200).labels
    assert np.flatnonzero(np.diff(np.pad(labels.astype(int), 1))).tolist() == [4, 90, 139, 200]
    scipy.io.savemat(path, {"gt": cell(forms).T})
    assert avenue.read_mat_intervals(path, "4").pairs == truth[3]


@pytest.mark.parametrize(
    ("intervals", "found"),
    [
        (np.array([[1, 2], [3, 4], [5, 6]]), r"2 x k whole numbers, a column an interval, in .*clip 1, found \(3, 2\)"),
        (np.array([[1.0], [np.nan]]), "whole numbers"),
        (np.array([[1.5], [2]]), "whole numbers"),
        (np.array([[1.0], [np.inf]]), "whole numbers"),
        (np.arange(3), "2 x k"),
        ("text", "2 x k"),
    ],
)
def test_intervals_of_another_form_are_refused(tmp_path: Path, intervals: Any, found: str) -> None:
    scipy.io.savemat(tmp_path / "a.mat", {"gt": cell([intervals])})
    with pytest.raises(PagenError, match=found):
        avenue.read_mat_intervals(tmp_path / "a.mat", "1")


def test_intervals_of_no_clip_or_turned_round_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.mat"
    scipy.io.savemat(path, {"gt": cell([np.array([[90], [5]])])})
    for key in ("0", "2"):
        with pytest.raises(PagenError, match=rf"labels of test clip {key} in .*a.mat, found those of 1 clips"):
            avenue.read_mat_intervals(path, key)
    with pytest.raises(PagenError, match="end after they begin, found 90 to 5"):
        avenue.read_mat_intervals(path, "1").fit(100)
    scipy.io.savemat(path, {"gt": np.array([[1, 2, 3], [2, 3, 4]])})
    with pytest.raises(PagenError, match="expected a cell gt, 1 x clips"):
        avenue.read_mat_intervals(path, "1")


def test_one_variable_a_clip_is_found_by_its_number(tmp_path: Path) -> None:
    path = tmp_path / "avenue.mat"
    labels = {f"{number:02d}": np.arange(number + 1, dtype=np.int32) % 2 for number in range(1, 22)}
    scipy.io.savemat(path, labels)
    assert avenue.names_in_mat_frames(path) == [str(number) for number in range(1, 22)]
    for key in ("1", "10", "21", "02"):
        said = avenue.read_mat_frames(path, key)
        assert said is not None
        np.testing.assert_array_equal(said.values, labels[f"{int(key):02d}"])
    assert avenue.read_mat_frames(path, "22") is None


def test_the_two_editions_called_avenue_mat_are_told_apart_by_what_they_hold(tmp_path: Path) -> None:
    path, held = tmp_path / "avenue.mat", (avenue.holds_mat_intervals, avenue.holds_mat_frames)
    for value, expected in (({"gt": cell([[1, 2]])}, (True, False)), ({"01": np.zeros((1, 9))}, (False, True))):
        scipy.io.savemat(path, value)
        assert tuple(holds(path) for holds in held) == expected
        with pytest.raises(PagenError, match=f"expected the variable nothing in .*, found '{next(iter(value))}'"):
            variable(path, "nothing")
    path.write_bytes(b"MATLAB 5.0 MAT-file")
    assert tuple(holds(path) for holds in held) == (True, False), "what is damaged is read, and said to be"


def test_variables_are_named_without_being_read(tmp_path: Path) -> None:
    scipy.io.savemat(tmp_path / "a.mat", {"volLabel": cell(masks()), "b": 1})
    assert variables(tmp_path / "a.mat") == {"volLabel": (1, 5), "b": (1, 1)}
