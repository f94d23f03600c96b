"""Calibrations by unlabelled normal clips: training clips of the data set tested on, all together or scene by scene."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np

from pagen.compute import Compute
from pagen.errors import PagenError
from pagen.eval.baselines import score_baselines
from pagen.eval.metrics.roc import ByVideo
from pagen.eval.protocol import Protocol
from pagen.eval.results import TRIVIAL
from pagen.eval.scores import Scores, Values, score_run
from pagen.folders import folder_name
from pagen.footage.clips import Footage
from pagen.footage.prepare import Prepared
from pagen.models.runs import Run, open_run
from pagen.scoring.indicator_table import fused_of
from pagen.scoring.rescale import of_objects, summary
from pagen.scoring.row_scores import RowScores, row_scores

Known = dict[str, dict[str, float]]
"""Indicator -> figures of its values on normal clips, as `calibration.json` has them."""


@dataclass(frozen=True)
class Normal:
    """What a run, or the trivial baselines, says of the normal clips of a data set.

    `shown` are of each detector of a density run: indicator -> clip -> scores (N,) of all that its frames show.
    """

    scores: Scores
    shown: Mapping[str, ByVideo] = field(default_factory=dict)

    def known(self, clips: Sequence[str]) -> Known:
        """The calibration by the named clips; `pseudo_auroc` stays that of the run, which knows no others."""
        trained, indicators = self.scores.config.get("calibration", {}), self.scores.indicators()
        judged = {name: {key: of[key] for key in ("pseudo_auroc",) if key in of} for name, of in trained.items()}
        objects = {name: of_objects(np.concatenate([of[clip] for clip in clips])) for name, of in self.shown.items()}
        frames = {name: np.concatenate([self.scores.clips[clip][name] for clip in clips]) for name in indicators}
        return {name: judged.get(name, {}) | summary(frames[name]) | objects.get(name, {}) for name in indicators}


def normal_of(path: Path, dataset: str, compute: Compute) -> Normal:
    """A run over the training clips of a data set, none of which it knows to be normal but by their split.

    The scores are kept in RUN/scores/DATASET/calibration, or calibration-bf16, and resumed there. Of the clips that a
    detector was trained on, its own training scores count, for nearest neighbours know these by heart. Errors are those
    of `score_run`.
    """
    name = "-".join(filter(None, ("calibration", compute.precision)))
    run, out = open_run(path), path / "scores" / folder_name(dataset) / name
    scores = score_run(path, dataset, compute, "block", out, "train")
    names, shown = scores.config["clips"], dict[str, ByVideo]()
    for one in (single for single in run.single() if single.detects):
        rows = row_scores(one, dataset, names, compute)
        values = {clip: rows.scores(clip) for clip in names}
        if one.recipe["dataset"] == dataset:
            values = learnt(one, rows, names, compute)
            scores = _of_frames(scores, rows, values)
        shown[rows.indicator] = values
    return Normal(scores, shown)


def learnt(run: Run, rows: RowScores, names: Sequence[str], compute: Compute) -> dict[str, Values]:
    """Clip -> scores (N,) of a detector's own training clips, as its calibration has them."""
    videos = {clip: rows.features.features(clip) for clip in names}
    filled = [clip for clip in names if len(videos[clip])]
    scores = run.on(compute.place).training_score([videos[clip] for clip in filled])
    parts = np.split(scores, np.cumsum([len(videos[clip]) for clip in filled])[:-1])
    return {**dict.fromkeys(names, np.empty(0)), **dict(zip(filled, parts, strict=True))}


def _of_frames(scores: Scores, rows: RowScores, values: ByVideo) -> Scores:
    """Scores with those of an indicator made of other values of what frames show."""
    name = rows.indicator
    made = {clip: rows.of_frames(clip, len(of[name]), values[clip]) for clip, of in scores.clips.items()}
    return replace(scores, clips={clip: {**of, name: made[clip]} for clip, of in scores.clips.items()})


def calibration_of(run: Path, dataset: str, compute: Compute) -> Known:
    """A run's calibration, with all training clips of a data set in place of the run's. Errors as `normal_of`."""
    normal = normal_of(run, dataset, compute)
    return normal.known(normal.scores.config["clips"])


def by_target(
    protocol: Protocol, run: str, scores: Scores, footage: Footage, prepared: Prepared, compute: Compute
) -> Scores:
    """Calibrates what a protocol adds up by all training clips of the data set tested on.

    A run that was trained on it has that calibration.
    """
    recipe = scores.config.get("recipe", {})
    if len(fused_of(recipe, protocol.fused)) < 2 or recipe["dataset"] == prepared.dataset:
        return scores
    calibration = calibration_of(Path(run), prepared.dataset, compute)
    return replace(scores, config={**scores.config, "calibration": calibration})


def by_scene(run: str, scores: Scores, footage: Footage, prepared: Prepared, compute: Compute) -> Scores:
    """Calibrates every indicator by the training clips of each scene, that of trivial baselines, too.

    A data set without scenes is one scene.
    """
    if run == TRIVIAL:
        normal = Normal(score_baselines(prepared, compute.workers, "train"))
    else:
        normal = normal_of(Path(run), prepared.dataset, compute)
    scenes = {clip.name: clip.scene for clip in footage.clips}
    trained = [clip.name for clip in footage.split("train")]
    known = {
        scene: normal.known([clip for clip in trained if scenes[clip] == scene])
        for scene in dict.fromkeys(scenes[clip] for clip in scores.clips)
    }
    return replace(scores, by_clip={clip: known[scenes[clip]] for clip in scores.clips})


Calibrating = Callable[[str, Scores, Footage, Prepared, Compute], Scores]
"""A run by name (or the trivial baselines), its scores, and the data set tested on -> the scores, calibrated."""


def calibrating(how: str, protocol: Protocol) -> Calibrating:
    """By `source` (as the run is), `target` or `scene`."""
    ways: Mapping[str, Calibrating] = {
        "source": lambda run, scores, *_: scores,
        "target": partial(by_target, protocol),
        "scene": by_scene,
    }
    return ways[how]


def require_calibrating(how: str, footage: Footage) -> None:
    """Raise PagenError for a data set that lacks the training clips that a calibration is made of."""
    if how == "source":
        return
    trained = footage.split("train")
    if not trained:
        raise PagenError(
            f"expected train clips of {footage.name} for --calibrate {how}, found none in {footage.root}; put them "
            "there, or take --calibrate source"
        )
    scenes = {clip.scene for clip in footage.split("test")} - {clip.scene for clip in trained}
    if how == "scene" and scenes:
        raise PagenError(
            f"expected train clips of every scene of {footage.name} for --calibrate scene, found none of "
            f"{', '.join(sorted(scenes))}; put them there, or take --calibrate target"
        )
