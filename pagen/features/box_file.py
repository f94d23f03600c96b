"""Objects that another program found, in a file: an `.npz`, or boxes alone as `.json`.

An `.npz` has for a split, `training` or `testing`: `SPLIT_clips` (K,), names; `SPLIT_clip_frames` (K,), their lengths;
`SPLIT_boxes` (N, 4), x_min, y_min, x_max, y_max; and `SPLIT_box_offsets` (frames + 1,), where in them each frame of all
clips, one after the other, begins. Poses lie beside them: `SPLIT_poses` (M, D) and `SPLIT_pose_offsets`; they need not
belong to the boxes. Clip `01` of `training` is `train_01` here.

JSON is `{"train_01": [[frame, x_min, y_min, x_max, y_max], ...], ...}`, a list for every clip, be it empty.

Pixels are those of the footage's own size. A file may have more clips than are asked for; nothing is unpickled.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from annotated_types import Ge, Le, MultipleOf

from pagen.arrays import read_foreign
from pagen.documents import read_json
from pagen.errors import PagenError
from pagen.features.boxes import BoxArray, Located, cut
from pagen.features.source import Frames
from pagen.folders import digest
from pagen.footage.prepare import Prepared

Kind = Literal["box", "pose"]
PLURAL = {"box": "boxes", "pose": "poses"}
SPLITS = {"training": "train", "testing": "test"}


Frame = Annotated[float, Ge(0), Le(2**31), MultipleOf(1)]
Boxes = dict[str, list[tuple[Frame, float, float, float, float]]]
"""Clip -> rows frame, x_min, y_min, x_max, y_max."""


class Rows(NamedTuple):
    """A clip's objects: the frame of each (N,) int64, ascending; its numbers (N, D) float32; and the clip's length."""

    frames: npt.NDArray[np.int64]
    values: npt.NDArray[np.float32]
    length: int | None


@dataclass(frozen=True)
class ObjectFile:
    """What a file holds of a kind; the fingerprint tells changed content apart."""

    path: Path
    kind: Kind
    fingerprint: str

    def clips(self) -> Mapping[str, Rows]:
        """Clip -> its objects. Raises PagenError for content that is not as the module says."""
        return _read(self.path, self.kind, self.fingerprint)

    def rows(self, prepared: Prepared, clip: str) -> Rows:
        """The objects of a clip, or of a stretch of it, whose frames count from its own first one.

        Raises PagenError: other content than the module describes, no such clip, another length, or clips of another
        size.
        """
        if prepared.folder.config["size"] is not None:
            raise PagenError(
                f"expected clips of the footage's own size for {self.path}, found them prepared at "
                f"{'x'.join(map(str, prepared.size))}; prepare them with --size native"
            )
        (clip, section), clips = prepared.section(clip), self.clips()
        length = prepared.length(clip)
        if clip not in clips:
            raise PagenError(
                f"expected {PLURAL[self.kind]} of clip {clip} in {self.path}, found {' '.join(clips) or 'no clip'}; "
                "take the file of these clips"
            )
        rows = clips[clip]
        frames = rows.length if rows.length is not None else max(length, int(rows.frames.max(initial=0)) + 1)
        if frames != length:
            raise PagenError(
                f"expected {length} frames of clip {clip} in {self.path}, found {frames}; take the file of these clips"
            )
        inside = (section.start <= rows.frames) & (rows.frames < section.stop)
        return Rows(rows.frames[inside] - section.start, rows.values[inside], rows.length)

    def no_stream(self) -> PagenError:
        """The answer to a stream."""
        return PagenError(
            f"expected {PLURAL[self.kind]} that can be found in a stream, found those of {self.path}; "
            "take features of boxes 'motion' or 'detector:MODEL'"
        )


def object_file(option: str, kind: Kind) -> ObjectFile:
    """The file of `file:PATH`. Raises PagenError when there is none."""
    path = Path(option).expanduser().absolute()
    if not path.is_file():
        raise PagenError(f"expected 'file:PATH' with a .npz or .json of {PLURAL[kind]}, found no file {option!r}")
    return ObjectFile(path, kind, digest(path)["sha256"][:32])


@lru_cache(maxsize=4)
def _read(path: Path, kind: Kind, fingerprint: str) -> Mapping[str, Rows]:
    if path.suffix == ".json":
        return dict(_of_json(path))
    try:
        return dict(_of_npz(path, kind))
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, MemoryError) as error:
        raise PagenError(
            f"expected {PLURAL[kind]} of clips in {path}, as the documentation of box_file says and without pickles, "
            f"found others ({str(error).partition(chr(10))[0]}); write it again"
        ) from error


def _of_json(path: Path) -> Iterator[tuple[str, Rows]]:
    for clip, rows in read_json(path, Boxes, "boxes of clips").items():
        table = np.array(rows or np.empty((0, 5)), np.float64)
        table = table[np.argsort(table[:, 0], kind="stable")]
        yield clip, Rows(table[:, 0].astype(np.int64), table[:, 1:].astype(np.float32), None)


def _of_npz(path: Path, kind: Kind) -> Iterator[tuple[str, Rows]]:
    arrays = read_foreign(path)
    if not isinstance(arrays, dict):
        raise ValueError("one array, not several by name")
    splits = [split for split in SPLITS if f"{split}_{PLURAL[kind]}" in arrays]
    if not splits:
        raise ValueError(f"neither training_{PLURAL[kind]} nor testing_{PLURAL[kind]}")
    for split in splits:
        names, lengths = arrays[f"{split}_clips"], arrays[f"{split}_clip_frames"]
        values, offsets = arrays[f"{split}_{PLURAL[kind]}"], arrays[f"{split}_{kind}_offsets"]
        if kind == "box" and values.shape[1:] != (4,):
            raise ValueError(f"{split}: a table of {values.dtype} {values.shape}")
        yield from _clips(split, names, lengths, values, offsets)


def _clips(split: str, names: Any, lengths: Any, values: Any, offsets: Any) -> Iterator[tuple[str, Rows]]:
    if values.ndim != 2 or not np.issubdtype(values.dtype, np.floating):
        raise ValueError(f"{split}: a table of {values.dtype} {values.shape}")
    if len(names) != len(lengths) or offsets.shape != (lengths.sum() + 1,):
        raise ValueError(f"{split}: {len(names)} names, {len(lengths)} lengths, offsets {offsets.shape}")
    if offsets[0] != 0 or offsets[-1] != len(values) or (np.diff(offsets) < 0).any():
        raise ValueError(f"{split}: offsets that do not lead from 0 up to {len(values)}")
    first = 0
    for name, length in zip(names.tolist(), lengths.tolist(), strict=True):
        counts = np.diff(offsets[first : first + length + 1])
        here = values[offsets[first] : offsets[first + length]]
        yield f"{SPLITS[split]}_{name}", Rows(np.repeat(np.arange(length), counts), here.astype(np.float32), length)
        first += length


@dataclass(frozen=True)
class FileBoxes:
    """The boxes of a file."""

    file: ObjectFile
    context: ClassVar[int] = 1

    def config(self) -> Mapping[str, Any]:
        return {"by": "file"}

    def inputs(self) -> Mapping[str, str]:
        return {"boxes": self.file.fingerprint}

    def __call__(self, prepared: Prepared, clip: str) -> Located:
        """The boxes of a clip, cut at the frame's borders.

        Raises PagenError as `ObjectFile.rows` and `cut`.
        """
        frames, boxes, _ = self.file.rows(prepared, clip)
        return Located(frames, cut(boxes, prepared.size, clip, self.file.path))

    def newest(self, frames: Frames) -> BoxArray:
        """Raises PagenError: a file knows nothing of a stream."""
        raise self.file.no_stream()


def open_file(option: str, device: str) -> FileBoxes:
    """The boxes of `file:PATH`. Raises PagenError when there is none, or for other content."""
    file = object_file(option, "box")
    file.clips()  # refuses a damaged one at once
    return FileBoxes(file)
