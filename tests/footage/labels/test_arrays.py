from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pagen.errors import PagenError
from pagen.footage.labels.arrays import names_in_npz, read_npy, read_npz, read_values


@pytest.mark.parametrize("shape", [(5,), (1, 5)])
@pytest.mark.parametrize("kind", [np.uint8, np.int64, np.float32, bool])
def test_npy_of_any_number_type(tmp_path: Path, shape: tuple[int, ...], kind: type) -> None:
    np.save(tmp_path / "a.npy", np.array([0, 1, 1, 0, 1], kind).reshape(shape))
    found = read_npy(tmp_path / "a.npy", "a").fit(5).labels
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
        (np.array([0, 1, 0, 0, None], object), "an array of numbers, found pickled objects"),
        (np.array(["0"] * 5), "<U1 in place of numbers"),
    ],
)
def test_npy_that_does_not_fit_is_refused(tmp_path: Path, array: np.ndarray, message: str) -> None:
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(PagenError, match=message):
        read_npy(tmp_path / "a.npy", "a").fit(5)


def test_an_archive_and_an_array_are_not_taken_for_each_other(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", a=np.zeros(5))
    (tmp_path / "a.npz").rename(tmp_path / "a.npy")
    np.save(tmp_path / "b.npy", np.zeros(5))
    with pytest.raises(PagenError, match=r"an array in NumPy's format in .*, found something else"):
        read_npy(tmp_path / "a.npy", "a")
    with pytest.raises(PagenError, match=r"an archive \.npz .*, found something else"):
        read_npz(tmp_path / "b.npy", "b")


def test_an_array_one_shorter_than_its_video_is_extended_and_told(tmp_path: Path) -> None:
    """IITB Corridor: the array has a label less than the container says frames."""
    np.save(tmp_path / "000209.npy", np.array([0, 0, 1]))
    fitted = read_npy(tmp_path / "000209.npy", "000209").fit(4, slack=1)
    assert (fitted.labels.tolist(), fitted.surplus) == ([0, 0, 1, 1], -1)


def test_an_archive_names_its_clips_and_holds_normal_ones(tmp_path: Path) -> None:
    """NWPU Campus: one archive, a key a clip, and some clips without anything abnormal."""
    path = tmp_path / "NWPU_Campus_gt.npz"
    np.savez_compressed(path, D001_01=np.array([0, 1, 1, 0], np.uint8), D001_02=np.zeros(3, np.uint8))
    assert names_in_npz(path) == ["D001_01", "D001_02"]
    said = {name: read_npz(path, name) for name in ("D001_01", "D001_02", "D001_03")}
    assert said["D001_01"].fit(4).labels.tolist() == [0, 1, 1, 0]  # type: ignore[union-attr]
    assert said["D001_02"].fit(4, slack=1).surplus == -1  # type: ignore[union-attr]
    assert said["D001_03"] is None


def test_objects_in_an_archive_are_not_unpickled(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", a=np.array([None, 1], object))
    with pytest.raises(PagenError, match=r"expected an array of 0 and 1 in .*a.npz, found something else"):
        read_npz(tmp_path / "a.npz", "a")


@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
def test_every_cut_of_an_array_is_refused(tmp_path: Path, name: str) -> None:
    labels = np.arange(400) % 2
    (np.save if name == "a.npy" else np.savez_compressed)(tmp_path / name, labels)  # type: ignore[operator]
    whole = (tmp_path / name).read_bytes()
    for size in range(1, len(whole), max(1, len(whole) // 40)):
        (tmp_path / "cut").write_bytes(whole[:size])
        with pytest.raises(PagenError):
            read_npy(tmp_path / "cut", "a") if name == "a.npy" else read_npz(tmp_path / "cut", "arr_0")


def test_values_one_a_line_in_the_form_of_savetxt(tmp_path: Path) -> None:
    """`ground_truth_frame_level.txt`, which copies of UBnormal have, is what `numpy.savetxt` writes: 1 = abnormal."""
    path = tmp_path / "ground_truth_frame_level.txt"
    np.savetxt(path, np.array([0.0, 1, 1, 0]))
    assert path.read_text().startswith("0.000000000000000000e+00\n")
    assert read_values(path, "a").fit(4).labels.tolist() == [0, 1, 1, 0]
    path.write_text("0.0\nnan\n")
    with pytest.raises(PagenError, match="'0 or 1' in line 2"):
        read_values(path, "a")
    path.write_text("0.0\n1 0\n")
    with pytest.raises(PagenError, match="'0 or 1' in line 2"):
        read_values(path, "a")
