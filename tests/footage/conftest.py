"""Miniature copies of Ped2, in both layouts in which it circulates, with the irregularities of the original."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from copies import COPIES
from miniature import clips_of, short, shortened
from PIL import Image

from pagen.footage import catalogue
from pagen.footage import locate as module
from pagen.footage.catalogue import DATASETS, DataSet
from pagen.footage.clips import Footage
from pagen.footage.known_clips import read_known
from pagen.footage.locate import locate

SIZE = (24, 36)
TRAIN = (5, 4)
TEST = (6, 5, 4)
INTERVALS = (((2, 6),), ((0, 2), (3, 5)), ())
M_LINES = ("[3:6]", "[1:2, 4:5]", "[]")

Frames = npt.NDArray[np.uint8]
Write = Callable[[Path], Path]


def _frames(split: str, number: int, length: int) -> Frames:
    """What a JPEG keeps of noise, so that both layouts can hold the same pixels."""
    rng = np.random.default_rng([len(split), number])
    return np.stack([np.array(Image.open(io.BytesIO(_jpeg(frame)))) for frame in rng.integers(0, 256, (length, *SIZE))])


def _jpeg(frame: npt.NDArray[np.integer]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(frame.astype(np.uint8)).save(file, "JPEG", quality=95)
    return file.getvalue()


def _masks(number: int, length: int) -> Frames:
    masks = np.zeros((length, *SIZE), np.uint8)
    for start, end in INTERVALS[number - 1]:
        masks[start:end, 4:9, number : number + 6] = 255
    return masks


def _m(lines: tuple[str, ...]) -> str:
    return "TestVideoFile = {};\n" + "".join(f"TestVideoFile{{end+1}}.gt_frame = {line};\n" for line in lines)


def _save(path: Path, frame: Frames) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(frame).save(path)


def write_official(top: Path) -> Path:
    """`UCSDped2/Train/Train001/001.tif`; returns the folder UCSDped2."""
    root = top / "UCSDped2"
    for split, lengths in (("Train", TRAIN), ("Test", TEST)):
        for number, length in enumerate(lengths, 1):
            folder = root / split / f"{split}{number:03d}"
            for index, frame in enumerate(_frames(split, number, length), 1):
                _save(folder / f"{index:03d}.tif", frame)
            (folder / "._001.tif").write_bytes(b"\0\5\x16\7AppleDouble")
            (folder / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    for number, length in enumerate(TEST, 1):
        prefix = "frame" if number == 2 else ""
        for index, mask in enumerate(_masks(number, length), 1):
            _save(root / "Test" / f"Test{number:03d}_gt" / f"{prefix}{index:03d}.bmp", mask)
    (root / "Test/UCSDped2.m").write_text(_m(M_LINES))
    (root / "Test/UCSDped2.m~").write_text(_m(("[1:6]", *M_LINES[1:])))
    (root / "Test/._UCSDped2.m").write_bytes(b"\0\5\x16\7AppleDouble")
    return root


def write_common(top: Path) -> Path:
    """`ped2/training/frames/01/000.jpg`; returns the folder ped2."""
    root = top / "ped2"
    for split, folder, lengths in (("Train", "training", TRAIN), ("Test", "testing", TEST)):
        for number, length in enumerate(lengths, 1):
            rng = np.random.default_rng([len(split), number])
            for index, frame in enumerate(rng.integers(0, 256, (length, *SIZE))):
                path = root / folder / "frames" / f"{number:02d}" / f"{index:03d}.jpg"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(_jpeg(frame))
    for number, length in enumerate(TEST, 1):
        for index, mask in enumerate(_masks(number, length)):
            _save(root / "testing/masks" / f"{number:02d}" / f"{index:03d}.png", mask)
    (root / "UCSDped2.m").write_text(_m(M_LINES))
    return root


@pytest.fixture
def miniature(monkeypatch: pytest.MonkeyPatch) -> DataSet:
    """The row of Ped2, with the counts of the miniature, under the name of Ped2."""
    row = replace(DATASETS["ped2"], train=TRAIN, test=TEST, abnormal=8)
    monkeypatch.setitem(DATASETS._table, "ped2", row)
    monkeypatch.delenv("PAGEN_DATA", raising=False)
    return row


@pytest.fixture
def official(miniature: DataSet, tmp_path: Path) -> Path:
    """A miniature in UCSD's own layout."""
    return write_official(tmp_path / "UCSD_Anomaly_Dataset.v1p2")


@pytest.fixture
def common(miniature: DataSet, tmp_path: Path) -> Path:
    """The same miniature in the field's layout."""
    return write_common(tmp_path / "data")


@pytest.fixture(scope="session")
def videos() -> Callable[..., Path]:
    """A function that writes a video whose frame i is a plain picture of grey 20 + 5 i."""
    return write_video


def write_video(
    path: Path, times: list[float], codec: str = "libx264", pixels: str = "yuv420p", rotation: int = 0
) -> Path:
    """Frames (48, 64) at these times (seconds); the upper left quarter is white."""
    from fractions import Fraction

    import av

    path.parent.mkdir(parents=True, exist_ok=True)
    base = Fraction(1, 25) if path.suffix in (".avi", ".mpg") else Fraction(1, 1000)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, pixels
        stream.codec_context.time_base = base
        if rotation:
            stream.set_display_rotation(rotation)
        for index, time in enumerate(times):
            picture = np.full((48, 64, 3), 20 + 5 * index, np.uint8)
            picture[:24, :32] = 255
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = round(time / base), base
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], DataSet]:
    """A function that makes a row small: for locate and check its counts are those of its miniature."""
    monkeypatch.setattr(module, "listed_file", lambda: tmp_path / "nowhere/data.json")
    monkeypatch.delenv("PAGEN_DATA", raising=False)
    monkeypatch.setattr(catalogue, "read_known", lambda name: short(read_known(name)))

    def make(name: str) -> DataSet:
        row = shortened(DATASETS[name])
        monkeypatch.setitem(DATASETS._table, name, row)
        return row

    return make


@pytest.fixture
def copy(small: Callable[[str], DataSet], tmp_path: Path) -> Callable[[str, str], Footage]:
    """A function that writes a miniature copy, and finds it in the folder above; `clips_of(row)` says what is in it."""

    def write(name: str, form: str) -> Footage:
        clips = clips_of(small(name))
        shutil.rmtree(tmp_path / "data", ignore_errors=True)
        COPIES[name][form](tmp_path / "data", clips)
        return locate(name, tmp_path / "data")

    return write
