"""Scores of the trivial baselines, which every table begins with, and those of runs beside them.

A model that does not beat the speed of the fastest object has learned nothing about anomalies. The percentile was fixed
beforehand (98 to 99.9 move Ped2 by six points), as was the flow (DIS, preset `medium`, at the footage's own size). Both
are causal but for frame 0, which has no predecessor and gets what frame 1 gets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from pagen.compute import Compute
from pagen.eval.protocol import Protocol
from pagen.eval.results import TRIVIAL
from pagen.eval.scores import Scores, fill_scores, score_looks
from pagen.folders import folder_name
from pagen.footage.flow import grey
from pagen.footage.prepare import Prepared
from pagen.footage.stretches import joined
from pagen.manifest import cache_folder
from pagen.scoring.baselines import BASELINES, PERCENTILE, Values
from pagen.spread import Workers


def score_baselines(prepared: Prepared, workers: Workers = None, split: str = "test") -> Scores:
    """Scores of the clips of a split at the footage's own size (`size=None`), computed once and kept in the cache."""
    what = "baselines" if split == "test" else f"baselines-{split}"
    path = cache_folder() / f"{what}-{folder_name(prepared.dataset)}-{prepared.fingerprint()[:12]}"
    config = {"percentile": PERCENTILE, "flow": "dis", "frame 0": "as frame 1"}
    return fill_scores(path, _of_clip, prepared, config, {}, workers, "trivial baselines", split=split)


def _of_clip(prepared: Prepared, clip: str) -> dict[str, Values]:
    return joined([_of_stretch(prepared, stretch) for stretch in prepared.stretches_of(clip)])


def _of_stretch(prepared: Prepared, stretch: str) -> dict[str, Values]:
    frames = prepared.frames(stretch)
    return {name: baseline(grey(frame) for frame in frames) for name, baseline in BASELINES.items()}


def scores_of(
    runs: Sequence[Path],
    prepared: Prepared,
    protocol: Protocol,
    compute: Compute,
    places: Mapping[str, Path] = MappingProxyType({}),
) -> list[tuple[str, Scores]]:
    """The trivial baselines and runs, by name, with the scores that a protocol asks for, of footage at its own size.

    `places` are run -> the checkpoint that stands for it.
    """
    (scored,) = scores_under(runs, prepared, [protocol], compute, places)
    return scored


def scores_under(
    runs: Sequence[Path],
    prepared: Prepared,
    protocols: Sequence[Protocol],
    compute: Compute,
    places: Mapping[str, Path] = MappingProxyType({}),
) -> list[list[tuple[str, Scores]]]:
    """What `scores_of` gives, for each of several protocols; footage is seen once for all of them."""
    looks = [(protocol.policy, protocol.asked_measure) for protocol in protocols]
    paths = {str(run): places.get(str(run), run) for run in runs}
    of_runs = {run: score_looks(path, prepared.dataset, compute, looks) for run, path in paths.items()}
    scored = {TRIVIAL: [score_baselines(prepared, compute.workers)] * len(protocols), **of_runs}
    return [[(name, each[place]) for name, each in scored.items()] for place in range(len(protocols))]
