"""Features `file:DIR`: vectors that another program made, an npy or npz a clip; frames are not looked at.

A file is called as its clip (`test_01_0014.npy`); without the clip's split (`01_0014.npy`) in a folder `train` or
`test`, or where no clip of the other split is called so; `_i3d` may follow, as the files that circulate have it. Where
DIR holds a folder of the data set's name, files are looked for there, so that one DIR serves several data sets.

An array is (N, D) of floats, or (N, crops, D), of whose crops the mean is taken. Row t is of frame t, and N the number
of frames T; by `snippet` of frames K t to K t + K - 1, the last of all frames up to the clip's end, and N is T / K
rounded either way, or as if T were one less; by `window` of the K frames that end with frame t + K - 1, the first also
stands for the frames before, and N is T - K + 1. `features.json` beside the files can say `{"snippet": 16}` in place of
the flag.

An npz holds `features`, and by choice `frames` (N,), the frame that each row belongs to, and `boxes` (N, 4), x_min,
y_min, x_max, y_max in pixels of the footage's own size, of what each row is of; they may leave the frame by two
pixels, and are cut there. Nothing is unpickled.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt
from annotated_types import Ge

from pagen.arrays import read_foreign
from pagen.documents import read_json
from pagen.errors import PagenError
from pagen.features.boxes import BoxArray, cut
from pagen.features.source import Feed, Frames, FrameVectors, one_a_frame
from pagen.features.spec import FeatureSpec
from pagen.folders import fingerprint, folder_name
from pagen.footage.prepare import Prepared

SPLITS = {"train": "train", "training": "train", "test": "test", "testing": "test"}
"""What folders of a split are called."""
SUFFIX, FILES = "_i3d", (".npy", ".npz")
ABOUT = "features.json"


class Stored(NamedTuple):
    """What a file holds: floats (N, D) or (N, crops, D), frames (N,) and boxes (N, 4), each as the module says."""

    vectors: npt.NDArray[Any]
    frames: npt.NDArray[Any] | None = None
    boxes: npt.NDArray[Any] | None = None


@dataclass(frozen=True)
class About:
    """What `features.json` says: how many frames a row is of."""

    snippet: Annotated[int, Ge(0)] = 0
    window: Annotated[int, Ge(0)] = 0


@dataclass(frozen=True)
class FileVectors:
    """The vectors of files.

    Attributes:
        prepared: the clips, whose lengths and labels alone are known.
        directory: where the files lie.
        files: clip -> its file.
        fingerprint: of all files, which tells changed ones apart.
        features: D.
        snippet, window: frames that a row is of, as the module says; 0 where rows are of frames.
        objects: rows have boxes.
        about: the file that says what a row is of, where there is one.
    """

    prepared: Prepared
    directory: Path
    files: Mapping[str, Path]
    fingerprint: str = ""
    features: int = 0
    snippet: int = 0
    window: int = 0
    objects: bool = False
    about: Path | None = None
    context: ClassVar[int] = 1

    def config(self) -> Mapping[str, Any]:
        own = {"span": self.snippet, "window": self.window, "objects": self.objects}
        return {"of": "file", "features": self.features, **{name: value for name, value in own.items() if value}}

    def inputs(self) -> Mapping[str, str]:
        return {"files": self.fingerprint}

    def __call__(self, clip: str) -> FrameVectors:
        """The vectors of a clip. Raises PagenError: no file of it, or one that does not fit."""
        if clip not in self.files:
            raise _missing(self.directory, [clip], self.prepared)
        stored = read_stored(self.files[clip])
        self.check(clip, stored)
        crops = stored.vectors if stored.vectors.ndim == 2 else stored.vectors.mean(axis=1, dtype=np.float64)
        with np.errstate(over="ignore"):  # what float32 does not hold is infinite, which whoever writes it tells
            vectors = crops.astype(np.float32)
        if stored.frames is not None:
            order = np.argsort(stored.frames, kind="stable")
            boxes = None if stored.boxes is None else self._cut(clip, stored.boxes[order])
            return FrameVectors(vectors[order], stored.frames[order].astype(np.int64), boxes)
        if self.snippet > 1:
            return FrameVectors(vectors, np.arange(len(vectors)) * self.snippet, span=self.snippet)
        if self.window > 1:
            first = np.repeat(vectors[:1], self.window - 1, axis=0)
            return one_a_frame(np.concatenate([first, vectors])[: self.prepared.length(clip)])
        return one_a_frame(vectors)

    def newest(self, frames: Frames) -> FrameVectors:
        """Raises PagenError: files know nothing of a stream."""
        raise PagenError(
            f"expected features that can be computed in a stream, found those of files in {self.directory}; take a run "
            "over features of frames or objects"
        )

    def check(self, clip: str, stored: Stored) -> None:
        """Raise PagenError for a file that does not fit its clip."""
        count, length, file = len(stored.vectors), self.prepared.length(clip), self.files[clip]
        if stored.frames is None:
            wanted = counts_of(length, self.snippet, self.window)
            if count not in wanted:
                raise PagenError(
                    f"expected {' or '.join(map(str, wanted))} rows for the {length} frames of clip {clip} in {file}, "
                    f"{self._unit()}, found {count}; {self._advice(count, length)}"
                )
        elif self.snippet or self.window:
            raise PagenError(f"expected no --snippet and no --window with frames in {file}, found one; leave it out")
        elif count and not 0 <= stored.frames.min() <= stored.frames.max() < length:
            shown = f"{stored.frames.min()} to {stored.frames.max()}"
            raise PagenError(f"expected frames from 0 to {length - 1} of clip {clip} in {file}, found {shown}; mend it")
        if stored.boxes is not None:
            self._cut(clip, stored.boxes)

    def _cut(self, clip: str, boxes: npt.NDArray[Any]) -> BoxArray:
        return cut(boxes, self.prepared.size, clip, self.files[clip])

    def _unit(self) -> str:
        if self.snippet:
            return f"one a snippet of {self.snippet}"
        return f"one a window of {self.window}" if self.window else "one a frame"

    def _advice(self, count: int, length: int) -> str:
        if count and count in counts_of(length, 16, 0):
            return f"snippets of 16 frames fit: {f'say so in {self.about}' if self.about else 'give --snippet 16'}"
        how = f"mend {self.about}, which says" if self.about else "say by --snippet K or --window K"
        return f"take the files of these clips, or {how} what a row is of"


def counts_of(length: int, snippet: int, window: int) -> list[int]:
    """How many rows the files of a clip may have."""
    if snippet > 1:
        return sorted({max(count, 1) for count in ((length - 1) // snippet, length // snippet, -(-length // snippet))})
    return [max(length - max(window, 1) + 1, 1)]


def read_stored(path: Path) -> Stored:
    """What a file holds. Raises PagenError: damaged, pickled, of another shape or no floats."""
    try:
        content = read_foreign(path)
        arrays = content if isinstance(content, dict) else {"features": content}
        if "features" not in arrays:
            raise ValueError(f"no array of that name beside {' '.join(arrays) or 'no other'}")
        stored = Stored(arrays["features"], arrays.get("frames"), arrays.get("boxes"))
        _check_shapes(stored)
    except (OSError, ValueError) as error:
        raise PagenError(
            f"expected features (N, D) or (N, crops, D) of floats, without pickles, in {path}, found {error}; "
            "write it again"
        ) from error
    return stored


def _check_shapes(stored: Stored) -> None:
    vectors, frames, boxes = stored
    if vectors.ndim not in (2, 3) or not np.issubdtype(vectors.dtype, np.floating):
        raise ValueError(f"an array of {vectors.dtype} and shape {vectors.shape}")
    if 0 in vectors.shape[1:]:
        raise ValueError(f"rows without a number (shape {vectors.shape})")
    if frames is not None and (frames.shape != vectors.shape[:1] or not np.issubdtype(frames.dtype, np.integer)):
        raise ValueError(f"frames of {frames.dtype} and shape {frames.shape} beside {len(vectors)} rows")
    if boxes is not None and frames is None:
        raise ValueError("boxes without frames, which say where each row belongs")
    if boxes is not None and (boxes.shape != (len(vectors), 4) or boxes.dtype.kind not in "iuf"):
        raise ValueError(f"boxes of {boxes.dtype} and shape {boxes.shape} beside {len(vectors)} rows")
    if boxes is not None and not np.isfinite(boxes).all():
        raise ValueError("boxes with NaN or infinity")
    without_area = [] if boxes is None else boxes[~(boxes[:, :2] < boxes[:, 2:]).all(axis=1)].tolist()
    if without_area:
        shown = ", ".join(f"{value:g}" for value in without_area[0])
        raise ValueError(f"boxes without area, first {shown}, where x_min, y_min, x_max, y_max are wanted")


def open_vectors(spec: FeatureSpec, feed: Feed) -> FileVectors:
    """The features `file:DIR`; every file is looked at.

    Raises PagenError: no such folder, no file of any clip, or of some clips of a split, files that do not fit their
    clips or each other, or `features.json` and flags that differ.
    """
    above = Path(spec.option).expanduser().absolute()
    if not any(path.suffix in FILES for path in above.rglob("*")):
        raise PagenError(f"expected a folder of .npy or .npz files, one a clip, at {above}, found none; check its path")
    clips = feed.outline()
    if feed.live:  # nobody will ask for a clip
        return FileVectors(clips, above, {})
    directory = folder_of(spec.option, feed.dataset) or above
    about = next((path for path in (directory / ABOUT, above / ABOUT) if path.is_file()), None)
    snippet, window = _rows_of(about, spec) if about else (spec.snippet, spec.window)
    files = _files_of(directory, clips)
    prints = fingerprint(directory, files.values())
    source = FileVectors(clips, directory, files, prints, snippet=snippet, window=window, about=about)
    features, objects = _common({clip: _looked_at(source, clip) for clip in files}, files)
    return replace(source, features=features, objects=objects)


def folder_of(option: str, dataset: str) -> Path | None:
    """The folder of a data set's files below that of `file:DIR`; None where it has none of its own."""
    above = Path(option).expanduser().absolute()
    return next((path for path in (above / dataset, above / folder_name(dataset)) if path.is_dir()), None)


def _paths(directory: Path) -> Iterator[tuple[str, Path]]:
    """Each file below the folder, and the split whose folder it lies in."""
    for split, folder in [("", directory), *((split, directory / name) for name, split in SPLITS.items())]:
        if folder.is_dir():
            yield from ((split, path) for path in sorted(folder.iterdir()) if path.suffix in FILES)


def _rows_of(path: Path, spec: FeatureSpec) -> tuple[int, int]:
    """Snippet and window, by that file. Raises PagenError for other content, and for flags that say otherwise."""
    said = read_json(path, About, "what rows are of")
    rows, given = (said.snippet, said.window), (spec.snippet, spec.window)
    if all(rows):
        raise PagenError(f'expected {{"snippet": 16}} or {{"window": 16}} in {path}, found both; leave one out')
    if any(given) and given != rows:
        raise PagenError(
            f"expected --snippet and --window as in {path}, {rows}, found {given}; leave them out, or mend it"
        )
    return rows[0], rows[1]


def _files_of(directory: Path, clips: Prepared) -> dict[str, Path]:
    """Clip -> its file, of every split that has any."""
    found: dict[tuple[str, str], list[Path]] = {}
    for split, path in _paths(directory):
        found.setdefault((split, path.stem.removesuffix(SUFFIX)), []).append(path)
    names, files = clips.clips(), dict[str, Path]()
    for name in names:
        split, _, own = name.partition("_")
        alone = sum(other.partition("_")[2] == own for other in names) == 1
        keys = [("", name), (split, name), (split, own), *([("", own)] if alone else [])]
        paths = [path for key in keys for path in found.get(key, [])]
        if len(paths) > 1:
            raise PagenError(f"expected one file of clip {name}, found {paths[0]} and {paths[1]}; remove one")
        files |= dict.fromkeys([name] if paths else [], *paths)
    for split in dict.fromkeys(SPLITS.values()):
        of_split = [name for name in names if name.startswith(f"{split}_")]
        without = [name for name in of_split if name not in files]
        if without and (len(without) < len(of_split) or not files):
            raise _missing(directory, without, clips)
    return files


def _missing(directory: Path, without: Sequence[str], clips: Prepared) -> PagenError:
    split, _, own = without[0].partition("_")
    found = " ".join(path.relative_to(directory).as_posix() for _, path in list(_paths(directory))[:4]) or "none at all"
    return PagenError(
        f"expected a file of each clip of {clips.dataset} in {directory}, found none of {len(without)}, first "
        f"{without[0]} ({without[0]}.npy or {split}/{own}.npy; there are {found}); add what is missing"
    )


def _looked_at(source: FileVectors, clip: str) -> tuple[int, bool]:
    """The width of a file's vectors, and whether they have boxes."""
    stored = read_stored(source.files[clip])
    source.check(clip, stored)
    return stored.vectors.shape[-1], stored.boxes is not None


def _common(found: Mapping[str, tuple[int, bool]], files: Mapping[str, Path]) -> tuple[int, bool]:
    """What all files have alike."""
    (first, (width, boxed)), *others = found.items()
    for clip, (other, other_boxed) in others:
        if other != width:
            where = f"found {width} in {files[first]} and {other} in {files[clip]}"
            raise PagenError(f"expected vectors of one width in all files, {where}; write them alike")
        if other_boxed != boxed:
            where = f"found {files[first]} {'with' if boxed else 'without'} and {files[clip]} otherwise"
            raise PagenError(f"expected boxes in all files or in none, {where}; write them alike")
    return width, boxed
