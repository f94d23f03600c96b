"""Making the pseudo-anomalies of one clip: an item that any process can compute alone.

A clip goes through in segments of 16 frames. What is drawn for a segment (the object that is followed,
the noise, lambda and its place) is kept for all of its frames, as in a clip that a network sees, and
drawn again for the next, so that a long video does not hold a single pseudo-anomaly.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, get_args

import numpy as np
import numpy.typing as npt

from pagen import console
from pagen.arrays import growing, pack
from pagen.errors import PagenError
from pagen.folders import digests, write_text
from pagen.footage.flow import FlowFolder, flow_folder, open_flow
from pagen.footage.prepare import Prepared
from pagen.footage.windows import Windows
from pagen.generate.config import Generate, Kind
from pagen.generate.inpaint import Inpainter, Painting
from pagen.generate.inpainters import open_inpainter
from pagen.generate.intruders import open_intruders
from pagen.generate.mask_kinds import open_masks
from pagen.generate.patch import PATCH_MASKS, draw_shown
from pagen.generate.skip import draw_skip
from pagen.generate.temporal import draw_mix, mix_flow
from pagen.seeds import generator

Record = dict[str, Any]
Piece = tuple[dict[str, npt.NDArray[Any]], Record]
SEGMENT = 16
_NOT_BYTES = ("root", "workers", "engine", "address", "device", "out", "overwrite", "json")


@dataclass(frozen=True)
class Job:
    """The pseudo-anomalies of one kind out of one clip."""

    config: Generate
    kind: str
    name: str
    prepared: Prepared
    flow: FlowFolder | None
    path: Path
    masks: str
    """How the masks are called in the records: without the path of this machine."""

    @property
    def item(self) -> str:
        """What the manifest calls it."""
        return f"{self.kind}/{self.name}"


def settings(config: Generate) -> dict[str, Any]:
    """What the bytes of the PA set depend on."""
    kept = {key: value for key, value in asdict(config).items() if key not in _NOT_BYTES}
    bare = {name: getattr(config, name).partition(":")[0] for name in ("intruders", "flow")}
    bare["masks"] = _bare_masks(config.masks)
    return {**kept, **bare, "kinds": _kinds(config)}


def _bare_masks(spec: str) -> str:
    """The masks without the path of this machine, where they are read from one."""
    return spec.partition(":")[0] if open_masks(spec).origin() else spec


def check(config: Generate) -> None:
    """Raise PagenError for a name that nothing bears, before anything is computed."""
    if "temporal" in config.kinds:
        open_flow(config.flow)
    if {"spatial", "temporal"} & set(config.kinds):
        open_masks(config.masks)
    if "spatial" in config.kinds:
        inpainter = _inpainter(config.inpainter, _painting(config))
        if config.matched:
            inpainter.matched(np.zeros((1, 64, 64, 1), np.uint8), np.ones((1, 64, 64), np.bool_))
    if "patch" in config.kinds:
        PATCH_MASKS[config.patch]
        open_intruders(config.intruders)


def origins(config: Generate, prepared: Prepared) -> tuple[dict[str, str], dict[str, str]]:
    """Fingerprints of what the PA set is made of, and where that lies on this machine."""
    found: dict[str, tuple[str, str] | None] = {"prepared": (str(prepared.path), prepared.fingerprint())}
    if "patch" in config.kinds:
        found["intruders"] = open_intruders(config.intruders)(prepared).origin()
    if "temporal" in config.kinds:
        found["flow"] = _origin_of_flow(config.flow)
    if {"spatial", "temporal"} & set(config.kinds):
        found["masks"] = open_masks(config.masks).origin()
    outside = {name: origin for name, origin in found.items() if origin}
    where, inputs = ({name: origin[part] for name, origin in outside.items()} for part in (0, 1))
    return inputs, where


def _origin_of_flow(spec: str) -> tuple[str, str] | None:
    identity = open_flow(spec).identity()
    return (spec.partition(":")[2], identity) if identity else None


def clips_of(config: Generate, prepared: Prepared) -> dict[str, list[str]]:
    """Kind -> the training clips that are long enough for it.

    Raises:
        PagenError: there are no training clips, or none of them is long enough for a kind.
    """
    names = prepared.clips("train")[: config.limit_clips]
    if not names:
        raise PagenError(
            f"expected training clips in {prepared.dataset} ({prepared.folder.volatile['root']}), found none; "
            "pseudo-anomalies are made of normal clips, give some"
        )
    return {kind: _long_enough(config, prepared, names, kind) for kind in _kinds(config)}


def _long_enough(config: Generate, prepared: Prepared, names: list[str], kind: str) -> list[str]:
    span = (config.length - 1) * min(config.strides) + 1
    least = {"temporal": config.length + 1, "skip": span}.get(kind, config.length)
    long = [name for name in names if prepared.length(name) >= least]
    if not long:
        longest = max(prepared.length(name) for name in names)
        raise PagenError(
            f"expected training clips of at least {least} frames for {kind} pseudo-anomalies, "
            f"the longest has {longest}; give longer clips, a smaller --length, or leave {kind} out of --kinds"
        )
    if len(long) < len(names):
        console.say(f"{kind}: {len(names) - len(long)} of {len(names)} training clips are shorter than {least} frames")
    return long


def _kinds(config: Generate) -> list[str]:
    """The kinds, each once and always in the same order."""
    return [kind for kind in get_args(Kind) if kind in config.kinds]


def flow_of(config: Generate, prepared: Prepared, clips: Mapping[str, list[str]]) -> FlowFolder | None:
    """The flow that temporal pseudo-anomalies are made of."""
    return flow_folder(prepared, clips["temporal"], config.flow, config.spread_over) if "temporal" in clips else None


def make_clip(job: Job) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """Write the files of one item; returns their digests and how many frames, flow maps or clips they hold."""
    paths: list[Path] = []
    if job.kind in ("skip", "patch"):
        records = list(_skips(job) if job.kind == "skip" else _patches(job))
        count = len(records)
    else:
        paths, records = _write(job, _inpainted(job) if job.kind == "spatial" else _mixed(job))
        count = sum(record["frames"] for record in records)
    listing = job.path / job.kind / f"{job.name}.jsonl"
    write_text(listing, "".join(json.dumps(record, sort_keys=True) + "\n" for record in records))
    changed = float(np.mean([record["changed"] for record in records])) if paths else None
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
    inpainter = _inpainter(job.config.inpainter, _painting(job.config))
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
    for start in range(0, count, SEGMENT):
        segment = frames[start : min(start + SEGMENT, count)]
        rng = generator(job.config.seed, f"{job.kind} mask", job.name, start)
        masks, fell_back = kind.segment(segment, state, rng, start)
        record = {"clip": job.name, "start": start, "frames": len(segment), "mask": job.masks}
        yield start, masks, {**record, "coverage": _share(masks), "random_instead": fell_back}


def _skips(job: Job) -> Iterator[Record]:
    frames = job.prepared.length(job.name)
    config = job.config
    for start in Windows(config.length).inside(frames):
        skip = draw_skip(frames, start, config.length, config.strides, generator(config.seed, "skip", job.name, start))
        yield {"clip": job.name, "start": skip.start, "stride": skip.stride}


def _patches(job: Job) -> Iterator[Record]:
    config = job.config
    intruders = open_intruders(config.intruders)(job.prepared)
    for start in Windows(config.length).inside(job.prepared.length(job.name)):
        rng = generator(config.seed, "patch", job.name, start)
        options = (config.max_size, config.max_move, config.patch, config.vary)
        patch = draw_shown(intruders, job.name, job.prepared.size, config.length, rng, *options)
        yield {"clip": job.name, "start": start, **patch.to_json()}


def _share(changed: npt.NDArray[np.bool_]) -> float:
    return round(float(changed.mean()), 6)


def _painting(config: Generate) -> Painting:
    return Painting(config.device, config.inference_steps, config.noise, config.feather, config.precision, config.batch)


@lru_cache(maxsize=1)
def _inpainter(name: str, painting: Painting) -> Inpainter:
    """Opened once in each process."""
    return open_inpainter(name, painting)
