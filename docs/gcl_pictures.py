"""Draw the paper's figures 4, 5, 6 and 10 of runs of GCL: what they say of test segments, and how they came to it.

    python docs/gcl_pictures.py RUN RUN ... --dataset folder:mixed --root made-up --out docs

Histograms of scores (of either network) and t-SNE of what generators make of test segments are of the runs as they are
given; AUROC over the epochs is of those that hold a cooperation, one colour for all seeds of one kind.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import tyro
from matplotlib.figure import Figure

from pagen.compute import Compute
from pagen.errors import PagenError
from pagen.features.extract import extract
from pagen.features.open import open_source
from pagen.features.spec import spec_of
from pagen.figures import save_figure
from pagen.models.density.gcl import GCL
from pagen.models.runs import Run, open_run
from pagen.train.density_batches import FeatureClips
from pagen.train.gcl_pictures import Floats, History, Truth, convergence, embeddings, histograms
from pagen.train.gcl_session import abnormal


@dataclass(frozen=True)
class Pictures:
    """Draw them."""

    runs: tyro.conf.Positional[tuple[Path, ...]]
    """Finished runs of GCL over the same features."""
    dataset: str
    root: Path | None = None
    out: Path = Path()
    """Folder to write `gcl_NAME.png` to."""
    names: tuple[Literal["histograms", "reconstructions", "convergence"], ...] = ("histograms", "reconstructions")
    """Which of them."""


def main(config: Pictures) -> None:
    """The pictures that are wanted."""
    runs = [open_run(path) for path in config.runs]
    for name in config.names:
        save_figure(DRAWN[name](runs, config), config.out / f"gcl_{name}.png")


def of_scores(runs: list[Run], config: Pictures) -> Figure:
    """What either network of a run of each kind says of test segments: figure 4."""
    scores = dict[str, Floats]()
    for run in first_of_kind(runs):
        clips, detector = test_clips(run, config), detector_of(run)
        scores[f"{label(run)}, G"] = detector.errors(clips.videos)
        if detector.discriminates:
            detector.score = "D"
            scores[f"{label(run)}, D"] = detector.anomaly_score(clips.videos)
    return histograms(scores, truth_of(clips))


def of_reconstructions(runs: list[Run], config: Pictures) -> Figure:
    """What the generator of a run of each kind makes of test segments: figure 6."""
    answers = dict[str, Floats]()
    for run in first_of_kind(runs):
        clips = test_clips(run, config)
        answers[label(run)] = detector_of(run).rebuilt(clips.videos)
    return embeddings(answers, truth_of(clips))


def of_epochs(runs: list[Run], config: Pictures) -> Figure:
    """How AUROC of training segments goes: figures 5 and 10."""
    histories = dict[str, list[History]]()
    for run in runs:
        rows = read_history(run.path)
        if any(row["phase"] == "both" for row in rows):
            histories.setdefault(label(run), []).append(rows)
    return convergence(histories)


DRAWN = {"histograms": of_scores, "reconstructions": of_reconstructions, "convergence": of_epochs}


def first_of_kind(runs: list[Run]) -> list[Run]:
    """Of several seeds of one kind the first."""
    return list({label(run): run for run in reversed(runs)}.values())[::-1]


def detector_of(run: Run) -> GCL:
    """The run's detector. Raises PagenError for one of something else."""
    if not isinstance(run.detector, GCL):
        raise PagenError(f"expected runs of gcl, found {run.path} of {run.recipe['recipe']}; leave it out")
    return run.detector


def truth_of(clips: FeatureClips) -> Truth:
    """Whether test segments are abnormal."""
    return np.concatenate([abnormal(clips, name) for name in clips.names])


def label(run: Run) -> str:
    """What a run is: its variant, and what else is not the paper's own."""
    recipe = run.recipe
    noise = f" {recipe['noise']:g}" if recipe["targets"] == "gaussian" else ""
    targets = "" if recipe["targets"] == "ones" else f", targets {recipe['targets']}{noise}"
    return f"{recipe['variant']}{targets}{'' if recipe['teaching'] == 'mutual' else ', ' + recipe['teaching']}"


def test_clips(run: Run, config: Pictures) -> FeatureClips:
    """The segments of the test clips, in the run's features."""
    compute = Compute(config.root, "cpu", 0)
    source = open_source(spec_of(run.recipe), config.dataset, compute)
    names = tuple(source.prepared.clips("test"))
    return FeatureClips(extract(source, names, compute), source.prepared, names)


def read_history(path: Path) -> History:
    """What a run has left of its epochs, numbers as such."""
    with (path / "pseudo_labels.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [{key: value if key == "phase" else float(value) for key, value in row.items() if value} for row in rows]


if __name__ == "__main__":
    main(tyro.cli(Pictures))
