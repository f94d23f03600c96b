"""RBDC and TBDC of runs, of the trivial baseline, and of anybody's boxes, with intervals over videos, as a table.

Of runs it is that of their maps of errors (`maps`), with the thresholds of `metrics.rbdc_of_maps.map_thresholds`.
Ground truth is the connected parts of the data set's pixel masks at the footage's own size, to which maps are brought,
so that every row is measured against the same regions, as papers are. Clips with anomalies and without masks are left
out (Ped1 has masks of ten), and so are frames that the labels leave out. A clip goes through a process of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt

from pagen import console
from pagen.compute import Compute
from pagen.errors import PagenError
from pagen.eval.maps import Maps, detections_of, maps_of_parts, scored_parts, speed_maps
from pagen.eval.metrics.bootstrap import interval, multiplicities
from pagen.eval.metrics.rbdc import Localisation, Matches, match, measured, resampled_areas
from pagen.eval.metrics.rbdc_of_maps import MapCounts, count_maps, map_thresholds, measured_maps
from pagen.eval.metrics.regions import Detections, Mask, Regions, from_masks, moments
from pagen.eval.region_files import read_detections, read_tracks
from pagen.eval.results import BAR, TRIVIAL, Place, Places
from pagen.eval.settings import DRAWS
from pagen.footage.clips import LEFT_OUT
from pagen.footage.prepare import Prepared
from pagen.seeds import generator
from pagen.spread import Workers, spread

if TYPE_CHECKING:
    from pagen.scoring.over_density import OverDensity


def localise_runs(runs: Sequence[Path], native: Prepared, compute: Compute, seed: int = 0) -> Places:
    """The speed of flow, and each map of errors of each run; `native` is the data set at the footage's own size.

    Raises PagenError: no abnormal clip with pixel masks, no run with a map, or as `maps.maps_of_run`.
    """
    clips = len(require_masks(native))
    rows = [place_of_maps(TRIVIAL, BAR, partial(speed_maps, native), native, compute.workers, seed)]
    without = list[str]()
    for run in runs:
        places = _places_of(run, native, compute, seed)
        rows += places
        if not places:
            without.append(f"{run} has no map of errors: what it sees is of whole frames.")
    if without and len(rows) == 1:
        shown = " ".join(map(str, runs))
        raise PagenError(f"expected a run with a map of errors for --localise, found none among {shown}; leave it out")
    height, width = native.size
    title = (
        f"connected parts of maps of errors, brought to the footage's own size, {height} x {width}, against those of "
        "its pixel masks (of runs over objects: their boxes); overlap 0.1, share of a track 0.1; nothing looks ahead"
    )
    if native.part:
        title += f"; {native.part}"
    if clips < len(native.clips("test")):
        title += f"; of {clips} of {len(native.clips('test'))} test clips, those that have pixel masks"
    return Places(title, tuple(rows), (*_below(rows), *without))


def localise_boxes(detections: Path, tracks: Path, counted: Mapping[str, Mask], seed: int = 0) -> Places:
    """Of scored boxes in files VIDEO.txt, as `read_detections` reads them, against regions as `read_tracks` does.

    `counted` says of every frame (T,) of every test video whether it counts; a video without regions needs no file of
    tracks. Raises PagenError: folders
    without files, boxes or regions, or what `localise` refuses.
    """
    boxes = {path.stem: read_detections(path) for path in _files(detections, "detections")}
    truth = {path.stem: read_tracks(path) for path in _files(tracks, "tracks")}
    for folder, what, parts in ((detections, "box", boxes), (tracks, "region", truth)):
        if not any(len(part.frames) for part in parts.values()):
            raise PagenError(f"expected a {what} in {folder}, found none in its {len(parts)} files; are they complete?")
    measure = partial(measured, _matched(boxes, truth, counted))
    title = "scored boxes against regions and tracks, both ends inside a box; overlap 0.1, share of a track 0.1"
    return Places(title, (_place(str(detections), "boxes", measure, len(counted), seed),))


def place_of_maps(run: str, indicator: str, maps: Maps, native: Prepared, workers: Workers, seed: int) -> Place:
    """The row of heat maps: they are gone through once for the thresholds and once more to count."""
    counted, label = require_masks(native), f"localise {Path(run).name}"
    names = list(counted)
    maxima = dict(console.progress(spread(partial(_maxima, maps, counted), names, workers), label, len(names)))
    thresholds = map_thresholds({name: maxima[name] for name in names})
    counting = spread(partial(_counted, maps, native, counted, thresholds), names, workers)
    counts = dict(console.progress(counting, label, len(names)))
    measure = partial(measured_maps, _joined([counts[name] for name in names]))
    return _place(run, indicator, measure, len(names), seed)


def _places_of(run: Path, native: Prepared, compute: Compute, seed: int) -> list[Place]:
    """The rows of a run: one of its boxes where it scores objects, else one of each of its maps; none without maps."""
    parts = scored_parts(run, native.dataset, compute)
    detectors = [cast("OverDensity", scorer) for single, scorer in parts if single.detects]
    objects = [detector for detector in detectors if detector.of_objects]
    if not objects:
        maps = maps_of_parts(run, parts, native, compute)
        return [place_of_maps(str(run), indicator, each, native, compute.workers, seed) for indicator, each in maps]
    counted = require_masks(native)
    boxes = {name: detections_of(objects, name) for name in counted}
    truth = {name: from_masks(masks) for name in counted if (masks := native.each_mask(name)) is not None}
    measure = partial(measured, _matched(boxes, truth, counted))
    return [_place(str(run), "+".join(part.rows.indicator for part in objects), measure, len(counted), seed)]


def require_masks(prepared: Prepared) -> dict[str, Mask]:
    """Test clips that can be measured -> which frames (T,) count: clips that have pixel masks, and normal ones.

    Raises PagenError where no clip with an anomaly, or without labels, has any.
    """
    names = prepared.clips("test")
    masked = [name for name in names if prepared.each_mask(name) is not None]
    abnormal = [name for name in names if _abnormal(prepared, name)]
    if not set(masked) & set(abnormal):
        found = f"none for the {len(abnormal)} test clips of {prepared.dataset} with anomalies"
        raise PagenError(f"expected pixel masks for --localise, found {found}; leave --localise out")
    return {name: _counting(prepared, name) for name in names if name in masked or name not in abnormal}


def _matched(boxes: Mapping[str, Detections], truth: Mapping[str, Regions], counted: Mapping[str, Mask]) -> Matches:
    """Boxes against regions, in the frames that count."""
    lengths = {name: len(counts) for name, counts in counted.items()}
    moments(boxes, lengths)  # which say what is missing or lies beyond the end
    moments(truth, lengths)
    found = {name: part.among(counted[name]) for name, part in boxes.items()}
    regions = {name: part.among(counted[name]) for name, part in truth.items()}
    return match(found, regions, {name: int(counts.sum()) for name, counts in counted.items()})


def _place(run: str, indicator: str, measure: Callable[..., Localisation], videos: int, seed: int) -> Place:
    once = measure()
    areas = resampled_areas(measure, multiplicities(videos, generator(seed, "bootstrap"), DRAWS))
    rbdc, tbdc = (interval(column, videos) for column in areas.T)
    return Place(run, indicator, once.rbdc, *rbdc, once.tbdc, *tbdc, once.regions, once.tracks, once.frames, videos)


def _below(rows: Sequence[Place]) -> Iterator[str]:
    for row in rows[1:]:
        lower = [name for name in ("rbdc", "tbdc") if getattr(row, name) < getattr(rows[0], name)]
        if lower:
            shown = " and ".join(lower).upper().replace("AND", "and")
            yield f"{row.run} ({row.indicator}) lies below {BAR} in {shown}: it has not beaten arithmetic."


def _maxima(maps: Maps, counted: Mapping[str, Mask], name: str) -> npt.NDArray[np.float64]:
    return np.array([np.max(each) for each in compress(maps(name), counted[name])], np.float64)


def _counted(
    maps: Maps, native: Prepared, counted: Mapping[str, Mask], thresholds: npt.NDArray[np.float64], name: str
) -> MapCounts:
    masks = native.each_mask(name)
    regions = {} if masks is None else {name: from_masks(masks).among(counted[name])}
    return count_maps({name: compress(maps(name), counted[name])}, regions, thresholds)


def _joined(parts: Sequence[MapCounts]) -> MapCounts:
    counts, totals = (np.concatenate([getattr(part, of) for part in parts]) for of in ("counts", "totals"))
    return MapCounts(parts[0].thresholds, counts, totals)


def _abnormal(prepared: Prepared, name: str) -> bool:
    labels = prepared.labels(name)
    return labels is None or bool((np.asarray(labels) == 1).any())


def _counting(prepared: Prepared, name: str) -> Mask:
    labels = prepared.labels(name)
    return np.ones(prepared.length(name), bool) if labels is None else np.asarray(labels) != LEFT_OUT


def _files(folder: Path, what: str) -> list[Path]:
    files = sorted(path for path in folder.glob("*") if path.suffix in (".txt", ".csv"))
    if not files:
        raise PagenError(f"expected {what} of a video as VIDEO.txt in {folder}, found none; is the path right?")
    return files
