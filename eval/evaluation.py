"""Evaluations: of runs beside trivial baselines, of anybody's scores, and of anybody's boxes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pagen.compute import Compute
from pagen.errors import PagenError
from pagen.eval.baselines import score_baselines
from pagen.eval.by_event import events_of
from pagen.eval.localise import localise_boxes, localise_runs, require_masks
from pagen.eval.protocol import Protocol
from pagen.eval.protocols import protocols_named
from pagen.eval.results import TRIVIAL, Evaluation, Places, Series
from pagen.eval.score_files import frames_of, read_score_files
from pagen.eval.scores import Scores, score_run
from pagen.eval.series import series_of
from pagen.eval.settings import EvaluationSettings
from pagen.eval.tables import table_of
from pagen.footage.anomalies import kinds_of
from pagen.footage.catalogue import DATASETS
from pagen.footage.prepare import Prepared, prepare
from pagen.version import __version__

ANYWHERE, DEFAULTS = Compute(), EvaluationSettings()


def evaluate(
    runs: Sequence[Path],
    dataset: str,
    protocols: Sequence[str] = ("causal",),
    settings: EvaluationSettings = DEFAULTS,
    compute: Compute = ANYWHERE,
    localise: bool = False,
    by_event: bool = False,
) -> Evaluation:
    """Score runs and the trivial baselines, and measure them under protocols.

    Frames a second are those of the footage, whatever the settings say. Raises PagenError: an unknown name, missing
    footage, labels or masks, or a test split of one class.

    Args:
        protocols: names, paths of JSON files, or `("all",)`.
        localise: also measure the runs' maps of errors against the data set's pixel masks.
        by_event: also measure each kind of anomaly on its own.
    """
    chosen = protocols_named(protocols)
    prepared = labelled(dataset, compute)
    if localise:
        require_masks(prepared)
    settings = replace(settings, dataset=dataset, fps=prepared.fps)
    scored = {_scored_by(protocol): protocol for protocol in chosen}
    scores = {form: scores_of(runs, prepared, protocol, compute) for form, protocol in scored.items()}
    series = [series_of(protocol, scores[_scored_by(protocol)], settings) for protocol in chosen]
    places = localise_runs(runs, prepared, compute, settings.seed) if localise else None
    edition = str(prepared.folder.config["label_edition"])
    evaluation = _evaluation(dataset, edition, chosen, series, settings, places)
    if not by_event:
        return evaluation
    kinds = kinds_of(prepared)
    pairs = zip(chosen, series, strict=True)
    return replace(evaluation, by_event=tuple(events_of(*pair, kinds, settings.seed) for pair in pairs))


def scores_of(
    runs: Sequence[Path], prepared: Prepared, protocol: Protocol, compute: Compute
) -> list[tuple[str, Scores]]:
    """The trivial baselines and runs, by name, with the scores that a protocol asks for, of footage at its own size."""
    policy, measure = _scored_by(protocol)
    scored = [(str(run), score_run(run, prepared.dataset, compute, policy, measure=measure)) for run in runs]
    return [(TRIVIAL, score_baselines(prepared, compute.workers)), *scored]


def _scored_by(protocol: Protocol) -> tuple[str, str | None]:
    """Window policy and error measure, by which scores differ on disk."""
    return protocol.policy, protocol.asked_measure


def evaluate_files(
    scores: Sequence[Path], labels: Path, protocols: Sequence[str] = ("raw",), settings: EvaluationSettings = DEFAULTS
) -> Evaluation:
    """Measure anybody's scores under protocols, as `read_score_files` takes them; neither footage nor a run is needed.

    Window policies play no part. Raises PagenError: files that cannot be read or do not belong together, an unknown
    name, or labels of one class.
    """
    chosen, scored = protocols_named(protocols), read_score_files(scores, labels)
    _require_classes(scored[0][1].labels, f"frames of {labels}")
    series = [series_of(protocol, scored, settings) for protocol in chosen]
    return _evaluation(None, str(labels), chosen, series, settings)


def evaluate_boxes(
    detections: Path, tracks: Path, labels: Path | None, frames: Path | None, settings: EvaluationSettings
) -> Evaluation:
    """Measure anybody's scored boxes against tracks; arguments as `localise_boxes` and `frames_of` take them."""
    places = localise_boxes(detections, tracks, frames_of(labels, frames), settings.seed)
    return _evaluation(None, str(tracks), (), (), settings, places)


def _evaluation(
    dataset: str | None,
    edition: str,
    protocols: Sequence[Protocol],
    series: Sequence[tuple[Series, ...]],
    settings: EvaluationSettings,
    places: Places | None = None,
) -> Evaluation:
    tables = tuple(table_of(protocol, rows, settings) for protocol, rows in zip(protocols, series, strict=True))
    about = (dataset, edition, settings.seed, settings.weights, settings.alarms, __version__)
    return Evaluation(*about, tables, places, tuple(series))


def labelled(dataset: str, compute: Compute) -> Prepared:
    """A data set at the footage's own size. Raises PagenError for test clips without labels, or of one class."""
    prepared = prepare(dataset, compute.root, size=None, workers=compute.workers, partial=compute.partial)
    labels = {name: prepared.labels(name) for name in prepared.clips("test")}
    if not labels:
        raise PagenError(f"expected test clips in {prepared.dataset}, found none; there is nothing to score")
    missing = [name for name, marks in labels.items() if marks is None]
    if missing:
        footage = prepared.folder.volatile
        layouts = [layout for layout in DATASETS[prepared.dataset].layouts if layout.name == footage["layout"]]
        files = " or ".join(source.path for layout in layouts for source in layout.labels)
        raise PagenError(
            f"expected frame labels for the {len(labels)} test clips of {prepared.dataset}, found none for "
            f"{len(missing)} ({missing[0]} first); put them into {files} below {footage['root']}"
        )
    _require_classes(labels, f"test frames of {prepared.dataset}")
    return prepared


def _require_classes(labels: Mapping[str, Any], what: str) -> None:
    """Raise PagenError for labels of one class: AUROC compares abnormal frames with normal ones."""
    frames, abnormal = sum(map(len, labels.values())), sum(int(marks.sum()) for marks in labels.values())
    if abnormal in (0, frames):
        which = "abnormal" if abnormal else "normal"
        raise PagenError(
            f"AUROC is undefined: all {frames} {what} are labelled {which}; expected both classes, check the labels"
        )
