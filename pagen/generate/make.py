"""Making the pseudo-anomalies of one clip: an item that any process can compute alone.

A clip goes through in segments of `length` frames, each of which is one pseudo-anomaly. What is drawn for a segment
(the object that is followed, the noise, lambda and its place) is kept for all of its frames, as in a clip that a
network sees, and drawn again for the next, so that a long video does not hold a single pseudo-anomaly.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pagen.arrays import growing, pack
from pagen.fill import Made
from pagen.folders import digests, write_text
from pagen.footage.flow import FlowFolder
from pagen.footage.prepare import Prepared
from pagen.footage.windows import Windows
from pagen.generate.config import Generate
from pagen.generate.inpaint import Inpainter, Painting
from pagen.generate.inpainters import open_inpainter
from pagen.generate.intruders import open_intruders
from pagen.generate.mask_kinds import open_masks
from pagen.generate.patch import draw_shown
from pagen.generate.skip import draw_skip
from pagen.generate.temporal import draw_mix, mix_flow
from pagen.seeds import generator

Record = dict[str, Any]
Piece = tuple[dict[str, npt.NDArray[Any]], Record]


@dataclass(frozen=True)
class Job:
    """The pseudo-anomalies of one kind out of one clip.

    Example:
        >>> job = Job(Generate("street"), "skip", "train_01", None, None, Path("pa"), "motion")
        >>> job.kind in MAKERS
        True
    """

    config: Generate
    kind: str
    name: str
    prepared: Prepared
    flow: FlowFolder | None
    path: Path
    masks: str
    """How the masks are called in the records: without the path of this machine."""


def make_clip(job: Job) -> Made:
    """Write the files of one item; returns their digests and how many frames, flow maps or clips they hold.

    Example:
        >>> import tempfile
        >>> from unittest.mock import Mock
        >>> prepared = Mock(length=lambda name: 40)
        >>> with tempfile.TemporaryDirectory() as path:
        ...     job = Job(Generate("street"), "skip", "train_01", prepared, None, Path(path), "motion")
        ...     files, info = make_clip(job)
        >>> list(files), info
        (['skip/train_01.jsonl'], {'count': 25, 'changed': None})
    """
    paths, records = _write(job, MAKERS[job.kind](job))
    listing = job.path / job.kind / f"{job.name}.jsonl"
    write_text(listing, "".join(json.dumps(record, sort_keys=True) + "\n" for record in records))
    changed = float(np.mean([record["changed"] for record in records])) if paths else None
    count = sum(record.get("frames", 1) for record in records)  # a skip or patch record is a clip
    return digests(job.path, [*paths, listing]), {"count": count, "changed": changed}


def _write(job: Job, pieces: Iterator[Piece]) -> tuple[list[Path], list[Record]]:
    """Write what the pieces hold (folder -> array) as they come; a clip never lies in memory whole."""
    appends: dict[Path, Callable[[npt.NDArray[Any]], None]] = {}
    records = []
    with ExitStack() as stack:
        for arrays, record in pieces:
            for folder, array in arrays.items():
                path = job.path / folder / f"{job.name}.npy"
                if path not in appends:
                    appends[path] = stack.enter_context(growing(path))
                appends[path](array)
            records.append(record)
    return list(appends), records


def _inpainted(job: Job) -> Iterator[Piece]:
    """Segments of frames with a region painted over (Rai et al. 2024, equation 2), and their masks."""
    inpainter = inpainter_of(job.config)
    frames = job.prepared.frames(job.name)
    for start, masks, record in _masked(job, len(frames)):
        normal = np.asarray(frames[start : start + len(masks)])
        pseudo = inpainter(normal, masks, generator(job.config.seed, "spatial", job.name, start))
        arrays = {"spatial": pseudo, "spatial_mask": pack(masks)}
        if job.config.matched:
            arrays["spatial_matched"] = inpainter.matched(normal, masks)
        yield arrays, {**record, "changed": _share((pseudo != normal).any(axis=-1))}


def _mixed(job: Job) -> Iterator[Piece]:
    """Segments of flow with a region mixed, and the regions."""
    assert job.flow is not None
    flow = job.flow.flow(job.name)
    for start, masks, record in _masked(job, len(flow)):
        rng = generator(job.config.seed, "temporal", job.name, start)
        weight, place = draw_mix(rng, len(masks), job.config.lambda_per, job.config.place_per, job.config.lambda_max)
        normal = np.asarray(flow[start : start + len(masks)])
        pseudo, regions = mix_flow(normal, masks, weight, place, job.config.region)
        changed = _share((pseudo != normal).any(axis=1))
        arrays = {"temporal": pseudo, "temporal_mask": pack(regions)}
        yield arrays, {**record, "lambda": weight, "place": place, "changed": changed}


def _masked(job: Job, count: int) -> Iterator[tuple[int, npt.NDArray[np.bool_], Record]]:
    """Segments of masks for the first `count` frames of the clip."""
    frames = job.prepared.frames(job.name)
    kind = open_masks(job.config.masks)
    state = kind.prepare(frames, job.name)
    for start in range(0, count, job.config.length):
        segment = frames[start : min(start + job.config.length, count)]
        rng = generator(job.config.seed, f"{job.kind} mask", job.name, start)
        masks, fell_back = kind.segment(segment, state, rng, start)
        record = {"clip": job.name, "start": start, "frames": len(segment), "mask": job.masks}
        yield start, masks, {**record, "coverage": _share(masks), "random_instead": fell_back}


def _skips(job: Job) -> Iterator[Piece]:
    """A record for every start; the frames are read again when they are asked for."""
    config, frames = job.config, job.prepared.length(job.name)
    for start in Windows(config.length).inside(frames):
        skip = draw_skip(frames, start, config.length, config.strides, generator(config.seed, "skip", job.name, start))
        yield {}, {"clip": job.name, "start": skip.start, "stride": skip.stride}


def _patches(job: Job) -> Iterator[Piece]:
    """A record for every start; the frames are drawn again when they are asked for."""
    config = job.config
    intruders = open_intruders(config.intruders)(job.prepared)
    for start in Windows(config.length).inside(job.prepared.length(job.name)):
        rng = generator(config.seed, "patch", job.name, start)
        options = (config.max_size, config.max_move, config.patch, config.vary)
        patch = draw_shown(intruders, job.name, job.prepared.size, config.length, rng, *options)
        yield {}, {"clip": job.name, "start": start, **patch.to_json()}


MAKERS: dict[str, Callable[[Job], Iterator[Piece]]]
MAKERS = {"spatial": _inpainted, "temporal": _mixed, "skip": _skips, "patch": _patches}
"""Kind -> what makes a clip's pseudo-anomalies, piece by piece: arrays by their folder, and a record."""


def _share(changed: npt.NDArray[np.bool_]) -> float:
    return round(float(changed.mean()), 6)


def inpainter_of(config: Generate) -> Inpainter:
    """The inpainter of a configuration, opened once in each process. Raises PagenError as `open_inpainter`.

    Example:
        >>> inpainter_of(Generate("street", inpainter="telea"))
        Telea(radius=3)
    """
    painting = (config.device, config.inference_steps, config.noise, config.feather, config.precision, config.batch)
    return _opened(config.inpainter, Painting(*painting))


_opened = lru_cache(maxsize=1)(open_inpainter)
