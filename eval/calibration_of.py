"""Calibration of a run on another data set than its own: by that one's training clips, normal and unlabelled.

They are scored by the window policy `block`, a sixteenth of the work of `last`. Frames in the middle of a window are
rebuilt better than its last one: medians move by that, which changes no order, and ranges are somewhat wider, which
shifts the weight between indicators a little. Test clips and labels play no part.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pagen.eval.scores import score_run
from pagen.footage.catalogue import folder_name
from pagen.scoring.summary import summary

POLICY = "block"


def calibration_of(
    run: Path,
    dataset: str,
    root: Path | None = None,
    device: str = "auto",
    workers: int | None = None,
    overwrite: bool = False,
) -> dict[str, dict[str, float]]:
    """Indicator -> what `calibration.json` says of it, with the data set's training clips in place of the run's.

    `pseudo_auroc` stays that of the run, which knows of no other pseudo-anomalies. The scores are kept in
    RUN/scores/DATASET/calibration and resumed there. Arguments and errors are those of `score_run`.
    """
    out = Path(run) / "scores" / folder_name(dataset) / "calibration"
    scores = score_run(run, dataset, root, POLICY, out, device, workers, overwrite, "train")
    source = scores.config["calibration"]
    return {
        name: {**source.get(name, {}), **summary(np.concatenate([*scores.of(name).values()]))}
        for name in scores.indicators()
    }
