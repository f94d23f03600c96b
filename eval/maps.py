"""Where a run errs: a map of errors for every test frame, kept on disk; and its trivial counterpart, the map of speeds.

The map is that of the run's headline error, averaged over the same window as the local maximum is
(`pagen.scoring.errors.local_max`), so that the highest value of a map is what the frame's score says. Windows are
those of policy `last`: nothing looks ahead. Kept is the root of the error, in which the same regions are found, as
float16, which rounds it by up to 0.05 percent.

Maps are handed out brought to the footage's own size, one at a time, however long a clip is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import chain, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

from pagen import console
from pagen.arrays import read_array, write_slices
from pagen.errors import PagenError
from pagen.eval.density_scores import RowScores, row_scores
from pagen.eval.metrics.regions import Detections
from pagen.folders import Folder, digest, digests, folder_name
from pagen.footage.flow import dis, grey
from pagen.footage.prepare import Prepared, prepare
from pagen.models.runs import Run
from pagen.scoring.rescale import z_positive
from pagen.spread import spread

if TYPE_CHECKING:
    from pagen.eval.streamer import Streamer
    from pagen.models.runs import Run


Map = npt.NDArray[Any]

Maps = Callable[[str], Iterator[Map]]
"""Clip -> its maps (H, W), one a frame, at the footage's own size; picklable."""


def speed_maps(prepared: Prepared, name: str) -> Iterator[Map]:
    """Maps (H, W) of the speed of DIS flow from the frame before, in pixels per frame; frame 0 gets frame 1's.

    Args:
        prepared: at the footage's own size.
    """
    if prepared.length(name) == 1:
        return iter([np.zeros(prepared.size, np.float32)])
    flows = dis(grey(frame) for frame in prepared.frames(name))
    return _from_the_start(chain([None], (np.hypot(flow[0], flow[1]) for flow in flows)))


def maps_of_run(
    run: Path,
    native: Prepared,
    root: Path | None = None,
    device: str = "auto",
    workers: int | None = None,
    overwrite: bool = False,
) -> list[tuple[str, Maps]]:
    """Indicator and maps of each network of a run that has a map of errors; takes up where it was stopped.

    They are kept in RUN/scores/DATASET/maps/INDICATOR. Of a density run they are of its scores of objects or places.

    Args:
        native: the data set at the footage's own size.
        root, device, workers, overwrite: as `scores.score_run` takes them.

    Raises:
        PagenError: as `score_run`.
    """
    from pagen.device import device_named
    from pagen.models.runs import open_run

    place, opened = device_named(device), open_run(run)
    placed = placed_of(opened, native, root, place, workers)
    found: list[tuple[str, Maps]] = [(name, partial(each, native)) for name, each in placed]
    for single in opened.single():
        if single.detector is not None:
            continue
        indicator = headline(single)
        if indicator is not None:
            path = run / "scores" / folder_name(native.dataset) / "maps" / indicator
            folder = _kept(path, single, indicator, native.dataset, root, place, workers, overwrite)
            found.append((indicator, partial(_read, folder.path, native.size)))
    return found


def headline(run: Run) -> str | None:
    """The indicator of a run of one network whose map is taken; None for one over features, which have no place."""
    from pagen.eval.streamer import INDICATORS, kind_of
    from pagen.scoring.stream import MAPPED

    first = INDICATORS[kind_of(run)][0]
    return first if first in MAPPED else None


def averaged(errors: npt.NDArray[np.float64], window: int = 12) -> npt.NDArray[np.float64]:
    """A map (h, w) averaged over window x window pixels inside it, the border repeated: its highest is `local_max`."""
    rows, columns = (min(window, length) for length in errors.shape)
    means = cv2.blur(errors, (columns, rows), anchor=(0, 0), borderType=cv2.BORDER_REFLECT_101)
    inside = np.maximum(means, 0)[: errors.shape[0] - rows + 1, : errors.shape[1] - columns + 1]
    return np.pad(inside, [((size - 1) // 2, size // 2) for size in (rows, columns)], "edge")


def _kept(
    path: Path,
    run: Run,
    indicator: str,
    dataset: str,
    root: Path | None,
    device: str,
    workers: int | None,
    overwrite: bool,
) -> Folder:
    from pagen.models.pretrained import WEIGHTS
    from pagen.models.runs import MODEL

    prepared = prepare(dataset, root, tuple(run.recipe["size"]), colour=run.recipe["colour"], workers=workers)
    names, weights = prepared.clips("test"), digest(run.path / MODEL / WEIGHTS)["sha256"]
    config = {"dataset": dataset, "recipe": run.recipe, "indicator": indicator, "clips": names}
    sources = {"prepared": prepared.fingerprint(), "model": weights}
    folder = Folder.begin(path, "maps", config, sources, {"prepared": str(prepared.path)}, overwrite)
    pending = folder.pending(names)
    store = partial(_store, path, prepared, partial(_streamer, str(run.path), weights, indicator, device))
    done = spread(store, pending, workers if device == "cpu" else 0)
    for name, files in console.progress(done, f"maps of {run.path.name}", len(pending)):
        folder.record(name, files)
    folder.finish()
    return folder


def _store(path: Path, prepared: Prepared, opened: Callable[[], Streamer], name: str) -> dict[str, dict[str, Any]]:
    streamer, out = opened(), path / f"maps/{name}.npy"
    streamer.reset()
    frames = (frame if prepared.channels == 3 else frame[..., 0] for frame in prepared.frames(name))
    heats = _from_the_start(streamer(frame).heat for frame in frames)
    write_slices(out, (np.sqrt(averaged(heat)).astype(np.float16)[None] for heat in heats))
    return digests(path, [out])


@lru_cache(maxsize=3)
def _streamer(run: str, weights: str, indicator: str, device: str) -> Streamer:
    """Opened once in a process; `weights` tells a retrained run apart."""
    from pagen.eval.streamer import open_streamer

    return open_streamer(run, indicator, device=device)


def _read(path: Path, size: tuple[int, int], name: str) -> Iterator[Map]:
    for each in read_array(path / f"maps/{name}.npy"):
        yield np.asarray(cv2.resize(each.astype(np.float32), size[::-1], interpolation=cv2.INTER_LINEAR))


def _from_the_start(maps: Iterable[Map | None]) -> Iterator[Map]:
    """The maps; frames at the start that have none get the first one."""
    without = 1
    for each in maps:
        if each is None:
            without += 1
            continue
        for _ in range(without):
            yield each
        without = 1


Known = Mapping[str, float]


@dataclass(frozen=True)
class Placed:
    """Scores of parts of frames.

    Attributes:
        rows: the scores.
        known: what is known of the training frames' scores.
    """

    rows: RowScores
    known: Known

    def __call__(self, prepared: Prepared, name: str) -> Iterator[npt.NDArray[np.float32]]:
        """Maps (H, W) of the frames of a clip, one at a time.

        Args:
            prepared: at the footage's own size.
        """
        boxes: Any = self.rows.features.boxes(name)
        frames, scores = self.rows.features.frames(name), self.rows.scores(name)
        heights = np.maximum(scores - self.known["median"], 0).astype(np.float32)
        ends = np.searchsorted(frames, np.arange(prepared.length(name) + 1))
        for first, last in pairwise(ends):
            yield painted(prepared.size, boxes[first:last], heights[first:last])


def painted(size: tuple[int, int], boxes: npt.NDArray[Any], heights: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """A map (H, W) of boxes (n, 4), half-open, each as high as its height (n,); the highest counts, 0 beside them."""
    canvas = np.zeros(size, np.float32)
    order = np.argsort(heights, kind="stable")
    edges = np.rint(np.clip(boxes[order], 0, [size[1], size[0]] * 2)).astype(int)
    for (left, top, right, bottom), height in zip(edges, heights[order], strict=True):
        canvas[top:bottom, left:right] = height
    return canvas


def placed_of(
    run: Run, native: Prepared, root: Path | None, device: str, workers: int | None
) -> list[tuple[str, Placed]]:
    """Indicator and scores of each detector of a run whose features are of parts of frames; none of other runs.

    Args:
        native: the data set at the footage's own size.
        root, device, workers: as `row_scores` takes them.
    """
    found, names = list[tuple[str, Placed]](), native.clips("test")
    for single in run.single():
        if single.detector is None:
            continue
        rows = row_scores(single, native.dataset, root, names, device, workers)
        if all(rows.features.boxes(name) is not None for name in names):
            found.append((rows.indicator, Placed(rows, single.calibration[rows.indicator])))
    return found


def detections_of(placed: Sequence[tuple[str, Placed]], name: str) -> Detections:
    """The scored boxes of a clip's frames, both ends inside.

    Raises:
        PagenError: kinds of features whose boxes differ.
    """
    first = placed[0][1].rows.features
    frames, boxes = first.frames(name), np.asarray(first.boxes(name), np.float64)
    total = np.zeros(len(frames))
    for indicator, each in placed:
        others: Any = each.rows.features.boxes(name)
        if not np.array_equal(others, boxes):
            raise PagenError(f"clip {name}: expected the boxes of {placed[0][0]} for {indicator}, found others")
        scores = each.rows.scores(name)
        total += z_positive(scores, each.known) if len(placed) > 1 else scores
    return Detections(frames, np.hstack([boxes[:, :2], np.maximum(boxes[:, 2:] - 1, boxes[:, :2])]), total)
