"""Flow of another program: read as it is, rescaled by closed forms, refused with one line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from pagen.errors import PagenError
from pagen.footage.flow import flow_folder, open_flow
from pagen.footage.flow_file import rescale
from pagen.footage.prepare import Prepared, prepare

WriteFolder = Callable[..., Path]


@pytest.fixture
def prepared(write_folder: WriteFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Prepared:
    monkeypatch.setenv("PAGEN_CACHE", str(tmp_path / "cache"))
    root = write_folder(tmp_path / "footage", {"training/a": 6, "testing/x": 5})
    return prepare("folder", root, size=(48, 64), colour=False, workers=0)


@pytest.fixture
def directory(prepared: Prepared, tmp_path: Path) -> Path:
    path = tmp_path / "flows"
    path.mkdir()
    rng = np.random.default_rng(0)
    for name in prepared.clips():
        np.save(path / f"{name}.npy", rng.normal(0, 3, (prepared.length(name) - 1, 2, 48, 64)).astype(np.float32))
    return path


def ramp(height: int, width: int) -> npt.NDArray[np.float32]:
    """u and v linear in the position of the pixel's middle, as a share of the frame."""
    ys, xs = (np.mgrid[:height, :width] + 0.5) / np.array([height, width])[:, None, None]
    return np.stack([width * (0.1 * xs + 0.05), height * (0.2 * ys - 0.1)]).astype(np.float32)


@pytest.mark.parametrize("size", [(24, 32), (12, 32), (48, 64), (36, 80), (96, 128)])
def test_a_linear_flow_stays_the_same_motion(size: tuple[int, int]) -> None:
    inner = np.s_[:, 4:-4, 4:-4]
    scaled = rescale(ramp(48, 64), size)
    assert scaled.shape == (2, *size)
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaled[inner], ramp(*size)[inner], atol=0.02)


def test_shrunk_flow_is_the_mean_of_what_it_covers() -> None:
    flow = np.random.default_rng(0).normal(size=(2, 12, 20))
    means = flow.reshape(2, 4, 3, 10, 2).mean(axis=(2, 4)) / np.array([2, 3])[:, None, None]
    np.testing.assert_allclose(rescale(flow, (4, 10)), means, atol=1e-5)


def test_it_is_the_motion_of_the_rescaled_frames() -> None:
    texture = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, (96, 128), np.uint8), (0, 0), 3)
    later = cv2.warpAffine(texture, np.float32([[1, 0, 4], [0, 1, -2]]), (128, 96))
    small = [cv2.resize(frame, (96, 48), interpolation=cv2.INTER_AREA) for frame in (texture, later)]
    scaled = rescale(np.float32([4, -2])[:, None, None] * np.ones((2, 96, 128), np.float32), (48, 96))
    np.testing.assert_allclose(scaled.mean(axis=(1, 2)), (3, -1), atol=1e-6)
    ys, xs = np.mgrid[:48, :96].astype(np.float32)
    back = cv2.remap(small[1], xs + scaled[0], ys + scaled[1], cv2.INTER_LINEAR)
    assert np.abs(back[8:-8, 8:-8].astype(int) - small[0][8:-8, 8:-8]).mean() < 2


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_files_of_the_prepared_size_are_taken_as_they_are(prepared: Prepared, directory: Path, kind: type) -> None:
    for path in directory.iterdir():
        np.save(path, np.load(path).astype(kind))
    folder = flow_folder(prepared, prepared.clips(), f"file:{directory}", workers=0)
    for name in prepared.clips():
        np.testing.assert_array_equal(folder.flow(name), np.load(directory / f"{name}.npy").astype(np.float16))


def test_files_of_another_size_are_rescaled(prepared: Prepared, directory: Path) -> None:
    flow = np.broadcast_to(ramp(96, 64), (5, 2, 96, 64))
    np.save(directory / "train_a.npy", flow)
    kept = flow_folder(prepared, ["train_a"], f"file:{directory}", workers=0).flow("train_a")
    assert kept.shape == (5, 2, 48, 64)
    np.testing.assert_allclose(kept[3, :, 4:-4, 4:-4], ramp(48, 64)[:, 4:-4, 4:-4], atol=0.02)


def test_the_cache_goes_with_the_bytes_of_the_files(prepared: Prepared, directory: Path, tmp_path: Path) -> None:
    first = flow_folder(prepared, ["train_a"], f"file:{directory}", workers=0)
    elsewhere = directory.rename(tmp_path / "moved")
    assert flow_folder(prepared, ["train_a"], f"file:{elsewhere}", workers=0).folder.path == first.folder.path
    np.save(elsewhere / "train_a.npy", 1 + np.load(elsewhere / "train_a.npy"))
    again = flow_folder(prepared, ["train_a"], f"file:{elsewhere}", workers=0)
    assert again.folder.path != first.folder.path
    np.testing.assert_allclose(again.flow("train_a"), first.flow("train_a") + 1.0, atol=0.01)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (np.zeros((6, 2, 48, 64), np.float32), r"expected floats \(5, 2, H, W\) .*found float32 \(6, 2, 48, 64\)"),
        (np.zeros((5, 48, 64, 2), np.float32), r"found float32 \(5, 48, 64, 2\)"),
        (np.zeros((5, 2, 48, 64), np.int16), r"found int16"),
        (np.zeros((5, 2, 0, 64), np.float32), r"found float32 \(5, 2, 0, 64\)"),
        (np.full((5, 2, 48, 64), np.nan, np.float32), "expected finite flow"),
        (np.full((5, 2, 48, 64), -np.inf, np.float32), "expected finite flow"),
        (np.full((5, 2, 48, 64), 1e9, np.float32), "expected finite flow"),
    ],
)
def test_what_is_no_flow_of_the_clip_is_refused(
    prepared: Prepared, directory: Path, content: npt.NDArray[np.generic], message: str
) -> None:
    np.save(directory / "train_a.npy", content)
    with pytest.raises(PagenError, match=message) as told:
        flow_folder(prepared, ["train_a"], f"file:{directory}", workers=0)
    assert "\n" not in str(told.value)


def test_missing_and_foreign_files_and_folders_are_told(prepared: Prepared, directory: Path, tmp_path: Path) -> None:
    (directory / "train_a.npy").write_bytes(b"no array")
    with pytest.raises(PagenError, match=r"damaged file .*train_a\.npy"):
        flow_folder(prepared, ["train_a"], f"file:{directory}", workers=0)
    (directory / "train_a.npy").unlink()
    with pytest.raises(PagenError, match=r"expected the flow of clip train_a in .*, found no such file"):
        flow_folder(prepared, ["train_a"], f"file:{directory}", workers=0)
    with pytest.raises(PagenError, match="expected a folder of flow files"):
        open_flow(f"file:{tmp_path / 'none'}")
    with pytest.raises(PagenError, match="expected flow 'file:DIR'"):
        open_flow("file")
