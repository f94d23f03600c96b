"""Where a run errs: a map of errors for every test frame, kept on disk; and its trivial counterpart, the map of speeds.

The map is that of the run's first indicator at the worst place, averaged over the same window as the local maximum is
(`pagen.scoring.errors.local_max`), so that the highest value of a map is what the frame's score says. Windows are
those of policy `last`: nothing looks ahead. Kept is the root of the error, in which the same regions are found, as
float16, which rounds it by up to 0.05 percent.

Maps are handed out brought to the footage's own size, one at a time, however long a clip is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

from pagen.arrays import read_array, write_slices
from pagen.compute import Compute
from pagen.errors import PagenError
from pagen.eval.metrics.regions import Detections
from pagen.fill import fill
from pagen.folders import Folder, digests, folder_name
from pagen.footage.flow import grey
from pagen.footage.prepare import Prepared, Size
from pagen.models.runs import Run, open_run
from pagen.scoring.baselines import speeds
from pagen.scoring.rescale import z_positive
from pagen.scoring.sources import ClipScorer, Task, source_of

if TYPE_CHECKING:
    from pagen.scoring.over_density import OverDensity

Map = npt.NDArray[Any]
Maps = Callable[[str], Iterator[Map]]
"""Clip -> its maps (H, W), one a frame, at the footage's own size; picklable."""
Scored = tuple[Run, ClipScorer]
"""A run of one network or detector, and what scores clips with it."""


def speed_maps(prepared: Prepared, clip: str) -> Iterator[Map]:
    """Maps (H, W) of the speed of DIS flow from the frame before, in pixels per frame; frame 0 gets frame 1's."""
    for stretch in prepared.stretches_of(clip):
        maps = speeds(grey(frame) for frame in prepared.frames(stretch))
        yield from repeat(next(maps, np.zeros(prepared.size, np.float32)), min(prepared.length(stretch), 2))
        yield from maps


def scored_parts(run: Path, dataset: str, compute: Compute) -> list[Scored]:
    """The parts of a run that score the test clips. Raises PagenError as `score_run`."""
    task = Task(dataset, compute=compute)
    return [(single, source_of(single).clips(single, task)) for single in open_run(run).single()]


def maps_of_run(run: Path, native: Prepared, compute: Compute) -> list[tuple[str, Maps]]:
    """Indicator and maps of each part of a run that has maps of errors; takes up where it was stopped.

    `native` is the data set at the footage's own size. Maps that take long are kept in
    RUN/scores/DATASET/maps/INDICATOR. Raises PagenError as `score_run`.
    """
    return maps_of_parts(run, scored_parts(run, native.dataset, compute), native, compute)


def maps_of_parts(run: Path, parts: Sequence[Scored], native: Prepared, compute: Compute) -> list[tuple[str, Maps]]:
    """`maps_of_run` of a run whose parts have been opened."""
    maps = list[tuple[str, Maps]]()
    for single, scorer in parts:
        if scorer.mapped is None:
            continue
        of_clip: Maps = partial(scorer.maps, size=native.size)
        if not scorer.instant:
            name = "-".join(filter(None, (scorer.mapped, compute.precision)))
            path = run / "scores" / folder_name(native.dataset) / "maps" / name
            _keep(path, single, scorer, native, compute)
            of_clip = partial(_read, path, native.size)
        maps.append((scorer.mapped, of_clip))
    return maps


def averaged(errors: npt.NDArray[np.float64], window: int = 12) -> npt.NDArray[np.float64]:
    """A map (h, w) averaged over window x window pixels inside it, the border repeated: its highest is `local_max`."""
    rows, columns = (min(window, length) for length in errors.shape)
    means = cv2.blur(errors, (columns, rows), anchor=(0, 0), borderType=cv2.BORDER_REFLECT_101)
    inside = np.maximum(means, 0)[: errors.shape[0] - rows + 1, : errors.shape[1] - columns + 1]
    return np.pad(inside, [((size - 1) // 2, size // 2) for size in (rows, columns)], "edge")


def detections_of(parts: Sequence[OverDensity], clip: str) -> Detections:
    """The scored boxes of a clip's frames, both ends inside.

    Raises PagenError: kinds of features whose boxes differ.
    """
    first = parts[0].rows
    frames, boxes = first.features.frames(clip), np.asarray(first.features.boxes(clip), np.float64)
    total = np.zeros(len(frames))
    for part in parts:
        others: Any = part.rows.features.boxes(clip)
        if not np.array_equal(others, boxes):
            kinds = f"expected the boxes of {first.indicator} for {part.rows.indicator}"
            raise PagenError(f"clip {clip}: {kinds}, found others")
        scores = part.rows.scores(clip)
        total += z_positive(scores, part.known) if len(parts) > 1 else scores
    return Detections(frames, np.hstack([boxes[:, :2], np.maximum(boxes[:, 2:] - 1, boxes[:, :2])]), total)


def _keep(path: Path, run: Run, scorer: ClipScorer, native: Prepared, compute: Compute) -> None:
    names = scorer.prepared.clips("test")
    config = {"dataset": native.dataset, "recipe": run.recipe, "indicator": scorer.mapped, "clips": names}
    inputs = {"prepared": scorer.prepared.fingerprint(), "model": run.weights}
    folder = Folder.begin(path, "maps", config, inputs, {"prepared": str(scorer.prepared.path)}, compute.overwrite)
    fill(folder, names, partial(_store, path, scorer, native.size), compute, f"maps of {run.path.name}")


def _store(path: Path, scorer: ClipScorer, size: Size, clip: str) -> dict[str, dict[str, Any]]:
    out = path / f"maps/{clip}.npy"
    write_slices(out, (np.sqrt(averaged(errors)).astype(np.float16)[None] for errors in scorer.maps(clip, size)))
    return digests(path, [out])


def _read(path: Path, size: Size, clip: str) -> Iterator[Map]:
    for errors in read_array(path / f"maps/{clip}.npy"):
        yield np.asarray(cv2.resize(errors.astype(np.float32), size[::-1], interpolation=cv2.INTER_LINEAR))
