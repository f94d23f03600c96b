"""Miniature copies of the field's data sets: real names, layouts and forms of labels, a few tiny frames a clip.

`clips_of` says which clips a copy has, and `shortened` makes a row small; `copies` lays them
out as each set circulates. Nothing in them is of the data sets themselves but names and splits.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.io
from PIL import Image

from pagen.footage.catalogue import DataSet
from pagen.footage.known_clips import KnownClip

HEIGHT, WIDTH = 24, 32

Labels = npt.NDArray[np.uint8]
Interval = tuple[int, int]


@dataclass(frozen=True)
class Mini:
    """A clip of a miniature, of `name` on disk; abnormal from its second frame until its last two, or nowhere."""

    split: str
    name: str
    frames: int
    abnormal: bool
    fps: float = 25

    @property
    def intervals(self) -> list[Interval]:
        return [(1, self.frames - 2)] if self.abnormal else []

    @property
    def labels(self) -> Labels:
        return marked(self.intervals, self.frames)


def marked(intervals: Iterable[Interval], frames: int) -> Labels:
    """Labels (frames,) that are 1 inside the intervals, counted from 0, end excluded."""
    labels = np.zeros(frames, np.uint8)
    for start, end in intervals:
        labels[start:end] = 1
    return labels


def of(clips: Iterable[Mini], split: str) -> list[Mini]:
    return [clip for clip in clips if clip.split == split]


# The clips of a copy


def shortened(row: DataSet) -> DataSet:
    """The row for miniature copies: lengths of a few frames, no totals. `short` does the same to tables of clips."""
    layouts = tuple(
        replace(layout, labels=tuple(replace(source, abnormal=None) for source in layout.labels))
        for layout in row.layouts
    )
    lengths = {
        split: tuple(5 + index % 4 for index, _ in enumerate(getattr(row, split))) for split in ("train", "test")
    }
    counts = {split: len([one for one in UNLISTED.get(row.name, ()) if one[0] == split]) for split in row.counts}
    return replace(row, **lengths, layouts=layouts, abnormal=None, counts=counts)


def short(known: Sequence[KnownClip]) -> tuple[KnownClip, ...]:
    """Known clips with lengths of a few frames; where bounds alone are known, so they are here.

    Of more than 500 clips, one in eight of the training clips.
    """
    if len(known) > 500:
        training = [clip for clip in known if clip.split == "train"]
        known = (*training[::8], *(clip for clip in known if clip.split != "train"))
    return tuple(
        replace(clip, frames=4 + index % 4, most=6 + index % 4)
        if clip.most
        else replace(clip, frames=5 + index % 4 if clip.frames else None)
        for index, clip in enumerate(known)
    )


def clips_of(row: DataSet) -> list[Mini]:
    """The clips that are written of a shortened row; where nothing is known of that, one in five is normal."""
    normal = 10**9 if row.name in ALL_ABNORMAL else 5
    known = row.known_clips or tuple(KnownClip(*one) for one in UNLISTED[row.name])
    return [
        Mini(
            split=clip.split,
            name=clip.clip,
            frames=(clip.frames or 5 + index % 4) + bool(clip.most),
            abnormal=clip.split == "test" and index % normal > 0 if clip.abnormal is None else clip.abnormal,
            fps=clip.fps or row.fps,
        )
        for index, clip in enumerate(known)
    ]


ALL_ABNORMAL = ("shanghaitech", "street_scene")
"""Sets in which no test clip is normal."""

_XD = (
    ("train", "Bad.Boys.1995__#01-11-55_01-12-40_label_G-B2-B6", None, None, None, True),
    ("train", "v=0_ZAhCCK9qU__#1_label_A", None, None, None, False),
    ("train", "Kingsman.The.Secret.Service__#00-30-00_00-31-00_label_B1", None, None, None, True),
    ("train", "v=zz@x__#1_label_G", None, None, None, True),
    ("test", "v=S-7rRLrxnVQ__#1_label_B4-0-0", None, None, None, True),
    ("test", "Thelma...Louise.1991__#01-00-00_01-01-00_label_B2-0-0", None, None, None, True),
    ("test", "Before.Sunset.2004__#01-14-30_01-16-51_label_A", None, None, None, False),
    ("test", "Casino.Royale.2006__#00-50-05_00-51-16_label_B1-B2-B6", None, None, None, True),
)
_NWPU = (
    *(("train", f"D{scene:03}_{number:02}") for scene in range(1, 7) for number in range(1, 4)),
    *(("test", f"D{scene:03}_{number:02}") for scene in range(1, 6) for number in range(1, 4)),
)
_CHAD = (
    *(("train", f"{camera}_{number:03}_0", None, None, None, False) for camera in range(1, 5) for number in (1, 2)),
    *(
        ("test", f"{camera}_{60 + number:03}_{number}", None, None, None, number == 1)
        for camera in range(1, 5)
        for number in (0, 1)
    ),
)
_CHAD_2 = (*_CHAD[:7], ("train", "4_070_1", None, None, None, True), *_CHAD[8:])
_UMN = tuple(("test" if number in (2, 6, 7, 8, 10, 11) else "train", f"{number:02}") for number in range(1, 12))
UNLISTED: dict[str, tuple[tuple[Any, ...], ...]] = {
    "xd_violence": _XD,
    "nwpu_campus": _NWPU,
    "chad": _CHAD,
    "chad:split2": _CHAD_2,
    "umn": _UMN,
}
"""Clips of sets whose names pagen does not carry, as the arguments of `KnownClip`."""


# Frames


@cache
def _video(frames: int, fps: float, suffix: str) -> bytes:
    import av

    file = io.BytesIO()
    with av.open(file, "w", format=suffix.removeprefix(".")) as container:
        stream = container.add_stream("mpeg4", rate=Fraction(fps).limit_denominator(1000))
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for index in range(frames):
            picture = np.full((HEIGHT, WIDTH, 3), 20 + 5 * index, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return file.getvalue()


@cache
def _picture(suffix: str, value: int = 90, corner: int = 90) -> bytes:
    picture, file = np.full((HEIGHT, WIDTH), value, np.uint8), io.BytesIO()
    picture[4:9, 6:12] = corner
    Image.fromarray(picture).save(file, {".jpg": "JPEG", ".png": "PNG", ".tif": "TIFF", ".bmp": "BMP"}[suffix])
    return file.getvalue()


def write_bytes(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def write_text(path: Path, text: str) -> None:
    write_bytes(path, text.encode())


def write_video(path: Path, clip: Mini) -> None:
    write_bytes(path, _video(clip.frames, clip.fps, path.suffix))


def write_frames(folder: Path, clip: Mini, name: str) -> None:
    """Frames as pictures; `name` formats the frame's index, as `{:04}.jpg`, or one more, as `{+1:03}.jpg`."""
    first, name = ("{+1" in name), name.replace("{+1", "{")
    for index in range(clip.frames):
        write_bytes(folder / name.format(index + first), _picture(Path(name).suffix))


def write_masks(folder: Path, labels: Labels, name: str, value: int = 255) -> None:
    """One picture a frame, `value` in a corner where the frame is abnormal."""
    for index, label in enumerate(labels):
        path = folder / name.replace("{+1", "{").format(index + ("{+1" in name))
        write_bytes(path, _picture(path.suffix, 0, value * int(label)))


def write_npy(path: Path, array: npt.NDArray[np.generic]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:  # which keeps the name as it is, whatever it ends in
        np.save(file, array)


# Labels as each set writes them


def write_vol_label(path: Path, labels: Labels) -> None:
    """Avenue's masks: a cell (1, T) of arrays (H, W)."""
    cells = np.empty((1, len(labels)), object)
    for index, label in enumerate(labels):
        cells[0, index] = np.zeros((HEIGHT, WIDTH), np.uint8)
        cells[0, index][4:9, 6:12] = label
    path.parent.mkdir(parents=True, exist_ok=True)
    scipy.io.savemat(path, {"volLabel": cells}, do_compression=True)


def write_gt(path: Path, clips: Sequence[Mini]) -> None:
    """Hasan et al.'s intervals: a cell (1, clips) of arrays 2 x k, starts above ends, counted from 1, end included."""
    cells = np.empty((1, len(clips)), object)
    for index, clip in enumerate(clips):
        columns = [(start + 1, end) for start, end in clip.intervals]
        cells[0, index] = np.array(columns, np.uint16).reshape(-1, 2).T
    path.parent.mkdir(parents=True, exist_ok=True)
    scipy.io.savemat(path, {"gt": cells})


def write_by_clip(path: Path, clips: Sequence[Mini]) -> None:
    """A `.mat` of one variable a clip, (1, T) int32."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scipy.io.savemat(path, {clip.name: clip.labels[None].astype(np.int32) for clip in clips})


def write_tracks(path: Path, clip: Mini, floats: bool = False) -> None:
    """UBnormal's tracks: `object,first,last` from 0, last included, CRLF; one file in five as numpy's floats."""
    rows = [(4, start, end - 1) for start, end in clip.intervals]
    numbers = [",".join(f"{number:.18e}" if floats else str(number) for number in row) for row in rows]
    write_text(path, "".join(f"{line}\r\n" for line in numbers))


def ucf_line(clip: Mini) -> str:
    """A line of `Temporal_Anomaly_Annotation.txt`: frames from 1, the last included, -1 for none; two spaces apart."""
    kind = "Normal" if "Normal" in clip.name else ucf_class(clip.name)
    pairs = [(start + 1, end) for start, end in clip.intervals][:2]
    numbers = [number for pair in [*pairs, (-1, -1), (-1, -1)][:2] for number in pair]
    return "  ".join([f"{clip.name}.mp4", kind, *map(str, numbers)]) + "  \n"


def ucf_class(name: str) -> str:
    return name.removesuffix("_x264").rstrip("0123456789")


def box_line(clip: Mini, index: int) -> str:
    """Street Scene: file (counted from 1), track, x, y, w, h; x and y are the box's centre."""
    return f"Test/Test{clip.name:>03}/{index + 1:03}.jpg 0 8 6 6 5\n"


def pixels(labels: Labels) -> npt.NDArray[np.uint8]:
    masks = np.zeros((len(labels), HEIGHT, WIDTH), np.uint8)
    masks[:, 4:9, 6:12] = labels[:, None, None]
    return masks


def write_m(path: Path, clips: Sequence[Mini]) -> None:
    lines = [", ".join(f"{start + 1}:{end}" for start, end in clip.intervals) for clip in clips]
    write_text(path, "".join(f"TestVideoFile{{end+1}}.gt_frame = [{line}];\n" for line in lines))
