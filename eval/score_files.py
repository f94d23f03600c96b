"""Scores and labels out of anybody's files.

| file | holds |
|---|---|
| `.npz` | video -> (T,) or (1, T) |
| `.npy` | (N,) or (1, N): the frames of all videos, one after another in the order of the videos' names |
| `.csv` | lines `video,frame,score` or `video,frame,label` under such a header, in any order; frames count from 0 |
| `.json` | `{"video": [...], ...}` |
| a folder | VIDEO.npy or VIDEO.txt (numbers between spaces, commas or line ends), one a video |

Scores are higher where a frame is more anomalous; a label of 255 leaves a frame out of every figure. A `.npy` file does
not say where videos begin: it is split by the videos of the first of the files given (labels, then scores) that names
them, in the order of their numbers; where none does, all frames are one video, `all`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from annotated_types import Gt, Le

from pagen.arrays import read_foreign
from pagen.documents import read_json
from pagen.errors import PagenError, require_name
from pagen.eval.counted import matched
from pagen.eval.scores import Scores
from pagen.footage.clips import LEFT_OUT
from pagen.footage.listing import natural
from pagen.texts import number, read_text, table, whole

Values = npt.NDArray[np.float64]
Part = Values | dict[str, Values]
"""All frames one after another, or video -> (T,)."""
Marks = dict[str, npt.NDArray[np.uint8]]
Counts = dict[str, Annotated[int, Gt(0), Le(10**9)]]
"""Video -> number of frames."""
Lists = dict[str, list[bool | float]]
"""Video -> a value a frame."""


def read_score_files(files: Sequence[Path], labels: Path) -> list[tuple[str, Scores]]:
    """Each file's name, and its scores with a label for every frame, in any of the forms of the module.

    Raises PagenError: a file that cannot be read so, videos that scores or labels lack, lengths that differ, a score
    that is not finite, or a label other than 0, 1 and 255.
    """
    marked, *scored = [read(labels, "label"), *(read(path, "score") for path in files)]
    lengths = _lengths([marked, *scored])
    marks = _marks(labels, by_video(labels, marked, lengths))
    parts = zip(files, scored, strict=True)
    return [(str(path), _scores(path, by_video(path, part, lengths), marks, labels)) for path, part in parts]


def read_labels(path: Path) -> Marks:
    """Video -> (T,), 1 = abnormal, 255 = left out. Raises PagenError as `read_score_files`."""
    part = read(path, "label")
    return _marks(path, by_video(path, part, _lengths([part])))


def counted_of(labels: Path | None, counts: Path | None) -> dict[str, npt.NDArray[np.bool_]]:
    """Video -> whether each frame (T,) counts, by labels; all do by a JSON file {"video": number of frames}.

    Raises PagenError: both or neither of the two, as `read_labels`, or counts that are no whole numbers above 0.
    """
    if (labels is None) == (counts is None):
        wanted = "--labels FILE or --frames FILE with --detections, for the number of frames of every video"
        raise PagenError(f"expected {wanted}, found {'both' if labels else 'neither'}; give one of them")
    if labels is not None:
        return {name: marks != LEFT_OUT for name, marks in read_labels(labels).items()}
    frames = read_json(Path(str(counts)), Counts, '{"video": number of frames}')
    return {name: np.ones(count, bool) for name, count in frames.items()}


def read(path: Path, column: str) -> Part:
    """What a file or a folder holds, by its `column` if it has any. Raises PagenError: none of the module's forms."""
    reader = _folder if path.is_dir() else READERS.get(path.suffix.lower())
    if reader is None:
        raise PagenError(f"expected {column}s in a folder or in {' '.join(sorted(READERS))}, found {path}")
    try:
        part = reader(path, column)
        if len(part) == 0:
            raise ValueError("it is empty")
        return part
    except FileNotFoundError:
        raise PagenError(f"expected {column}s at {path}, found nothing there; is the path right?") from None
    except (OSError, ValueError) as error:
        raise PagenError(f"expected {column}s in {path}, found what cannot be read ({error}); mend it") from error


def by_video(path: Path, part: Part, lengths: Mapping[str, int]) -> dict[str, Values]:
    """Video -> (T,), split where all frames stand one after another."""
    if isinstance(part, dict):
        return part
    if len(part) != sum(lengths.values()):
        wanted = f"{sum(lengths.values())} values, those of {len(lengths)} videos in the order of their names"
        raise PagenError(f"{path}: expected {wanted}, found {len(part)}; give one a frame")
    return dict(zip(lengths, np.split(part, np.cumsum(list(lengths.values()))[:-1]), strict=True))


def _lengths(parts: Sequence[Part]) -> dict[str, int]:
    """Video -> T of the first part that names videos, in the order of their names, 2 before 10."""
    named = next((part for part in parts if isinstance(part, dict)), {"all": parts[0]})
    return {name: len(named[name]) for name in sorted(named, key=lambda name: natural(Path(name)))}


def _marks(path: Path, labels: Mapping[str, Values]) -> Marks:
    for name, values in labels.items():
        odd = np.flatnonzero(~np.isin(values, (0, 1, LEFT_OUT)))
        if len(odd):
            found = f"{values[odd[0]]:g} at frame {odd[0]}; mark abnormal frames with 1"
            wanted = f"labels 0 and 1, and {LEFT_OUT} of frames that are left out"
            raise PagenError(f"{path}: video {name}: expected {wanted}, found {found}")
    return {name: labels[name].astype(np.uint8) for name in sorted(labels)}


def _scores(path: Path, values: Mapping[str, Values], marks: Marks, labels: Path) -> Scores:
    try:
        matched(values, marks)
    except PagenError as error:
        raise PagenError(f"{path}: {error}") from None
    missing = sorted(marks.keys() - values.keys())
    if missing:
        raise PagenError(f"{path}: expected scores of every video of {labels}, found none for {missing[0]}; add them")
    return Scores(path, {"dataset": str(labels)}, {name: {"score": values[name]} for name in marks}, marks)


def _arrays(path: Path, column: str) -> Part:
    loaded = read_foreign(path)
    if isinstance(loaded, dict):
        return {name: _vector(f"{path}: video {name}", values) for name, values in loaded.items()}
    return _vector(path, loaded)


def _lists(path: Path, column: str) -> Part:
    content = read_json(path, Lists, f'{{"video": [{column}, ...]}}')
    return {name: _vector(f"{path}: video {name}", np.array(values, np.float64)) for name, values in content.items()}


def _lines(path: Path, column: str) -> Part:
    videos: dict[str, dict[int, float]] = {}
    (_, header), *rows = [*table(read_text(path, f"{column}s"), path)] or [(1, [""])]
    for name in ("video", "frame", column):
        require_name(f"column of {path}", name, header)
    places = [header.index(name) for name in ("video", "frame", column)]
    for line, row in rows:
        try:
            video, written, value = (row[place] for place in places)
            values, frame = videos.setdefault(video, {}), whole(written)
            if frame in values:
                raise PagenError(f"{path}: video {video}: frame {frame} stands there twice; leave one out")
            values[frame] = number(value)
        except (IndexError, ValueError):
            raise ValueError(f"line {line} is no video,frame,{column}") from None
    return {name: _in_order(name, values) for name, values in videos.items()}


def _in_order(name: str, values: Mapping[int, float]) -> Values:
    missing = next((frame for frame in range(len(values)) if frame not in values), None)
    if missing is not None:
        raise ValueError(f"video {name}: frame {missing} is missing; frames count from 0")
    return np.array([values[frame] for frame in range(len(values))], np.float64)


def _folder(path: Path, column: str) -> Part:
    videos: dict[str, Values] = {}
    for file in sorted(file for kind in ("*.npy", "*.txt") for file in path.glob(kind)):
        if file.stem in videos:
            raise ValueError(f"video {file.stem} stands there twice")
        videos[file.stem] = _file(file)
    if not videos:
        raise ValueError("it has neither VIDEO.npy nor VIDEO.txt")
    return videos


def _file(path: Path) -> Values:
    if path.suffix == ".npy":
        part = _arrays(path, "")
        if isinstance(part, dict):
            raise ValueError(f"{path.name} holds several arrays")
        return part
    words = read_text(path, "numbers").replace(",", " ").split()
    return _vector(path, np.array([number(word) for word in words], np.float64))


def _vector(source: object, values: npt.NDArray[Any]) -> Values:
    """(T,) out of (T,) or (1, T)."""
    flat = values[0] if values.ndim == 2 and len(values) == 1 else values
    if flat.ndim != 1 or len(flat) == 0 or flat.dtype.kind not in "biuf":
        raise PagenError(f"{source}: expected numbers (T,), found {values.dtype} {values.shape}; give one a frame")
    return flat.astype(np.float64)


READERS: dict[str, Callable[[Path, str], Part]] = {".npz": _arrays, ".npy": _arrays, ".csv": _lines, ".json": _lists}
