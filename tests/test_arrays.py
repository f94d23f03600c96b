from __future__ import annotations

import pickle
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pagen.arrays import growing, pack, read_array, read_foreign, unpack, write_array, write_slices
from pagen.errors import PagenError


@pytest.mark.parametrize("counts", [(1,), (9,), (9, 1), (10, 90), (1, 998, 1), (500, 500, 1)])
@pytest.mark.parametrize(("shape", "kind"), [((3, 2), np.uint8), ((), np.float64), ((2, 2, 3), np.float16)])
def test_slices_give_the_very_bytes_of_numpy(
    counts: tuple[int, ...], shape: tuple[int, ...], kind: type[np.generic], tmp_path: Path
) -> None:
    array = (np.arange(sum(counts) * int(np.prod(shape))) % 251).astype(kind).reshape(sum(counts), *shape)
    np.save(tmp_path / "plain.npy", array)
    total = write_slices(tmp_path / "new/grown.npy", np.split(array, np.cumsum(counts)[:-1]))
    assert total == len(array)
    assert (tmp_path / "new/grown.npy").read_bytes() == (tmp_path / "plain.npy").read_bytes()
    np.testing.assert_array_equal(np.load(tmp_path / "new/grown.npy"), array)


def test_the_header_grows_past_every_digit(tmp_path: Path) -> None:
    with growing(tmp_path / "long.npy") as append:
        for _ in range(11):
            append(np.ones((10_007, 1), np.uint8))
    assert np.load(tmp_path / "long.npy").shape == (110_077, 1)


def test_pieces_may_lie_in_memory_as_they_like(tmp_path: Path) -> None:
    frames = np.arange(60, dtype=np.uint8).reshape(3, 4, 5)
    write_slices(tmp_path / "a.npy", [frames.transpose(0, 2, 1), frames[:, ::-1].transpose(0, 2, 1)])
    expected = np.concatenate([frames.transpose(0, 2, 1), frames[:, ::-1].transpose(0, 2, 1)])
    np.testing.assert_array_equal(read_array(tmp_path / "a.npy"), expected)


def test_nothing_to_write_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(PagenError, match=r"nothing to write to .*a\.npy"):
        write_slices(tmp_path / "a.npy", [])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("odd", [np.zeros((1, 2, 4), np.uint8), np.zeros((1, 2, 3), np.float32)])
def test_pieces_that_differ_are_refused_and_leave_nothing(odd: np.ndarray, tmp_path: Path) -> None:
    with pytest.raises(PagenError, match=r"expected uint8 \(2, 3\) all through"):
        write_slices(tmp_path / "a.npy", [np.zeros((4, 2, 3), np.uint8), odd])
    assert list(tmp_path.iterdir()) == []


def test_arrays_are_read_and_not_written(tmp_path: Path) -> None:
    write_array(tmp_path / "a.npy", np.arange(5))
    array = read_array(tmp_path / "a.npy")
    assert isinstance(array, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 1


@pytest.mark.parametrize("keep", [0, 5, 20, 100, 150])
def test_damaged_arrays_are_told(keep: int, tmp_path: Path) -> None:
    write_array(tmp_path / "a.npy", np.arange(50))
    whole = (tmp_path / "a.npy").read_bytes()
    (tmp_path / "a.npy").write_bytes(whole[:keep])
    with pytest.raises(PagenError, match=r"damaged file .*a\.npy"):
        read_array(tmp_path / "a.npy")


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([{"a": 1}], object), allow_pickle=True)
    with pytest.raises(PagenError, match=r"damaged file .*, found pickled objects; remove it"):
        read_array(tmp_path / "a.npy")


FOREIGN = {
    "pickled objects": lambda file: np.save(file, np.array([{}], object), allow_pickle=True),
    "a pickle or something else": lambda file: file.write(pickle.dumps({"rows": [1]})),
    "that is no array": lambda file: file.write(b"0.5,0.25\n"),
    "an empty file|EOF": lambda file: None,
    "a damaged one": lambda file: file.write(b"\x93NUMPY\x01"),
    "not a zip file|no array": lambda file: file.write(b"PK\x03\x04 cut"),
}


@pytest.mark.parametrize("found", FOREIGN)
def test_files_that_hold_no_array_are_told_without_numpys_advice(found: str, tmp_path: Path) -> None:
    """Numpy's own words advise to unpickle what somebody else made."""
    with open(tmp_path / "theirs", "wb") as file:
        FOREIGN[found](file)
    for read in (read_foreign, read_array):
        with pytest.raises((ValueError, PagenError), match=found) as caught:
            read(tmp_path / "theirs")
        assert not re.search("allow_pickle|unsafe|trust", str(caught.value))


def test_pickled_objects_in_an_archive_are_not_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", good=np.arange(2), bad=np.array([{}], object))
    with pytest.raises(ValueError, match=r"^bad that are pickled objects$"):
        read_foreign(tmp_path / "a.npz")


@settings(max_examples=60, deadline=None)
@given(hnp.arrays(np.bool_, st.tuples(st.integers(0, 3), st.integers(1, 5), st.integers(1, 20))))
def test_masks_come_back_out_of_bits(masks: np.ndarray) -> None:
    bits = pack(masks)
    assert bits.dtype == np.uint8
    assert bits.shape == (*masks.shape[:2], -(-masks.shape[2] // 8))
    back = unpack(bits, masks.shape[2])
    assert back.dtype == np.bool_
    np.testing.assert_array_equal(back, masks)
