"""Evaluations: of runs beside trivial baselines, of anybody's scores, and of anybody's boxes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

from pagen.compute import Compute
from pagen.eval.baselines import scores_under
from pagen.eval.by_event import events_of
from pagen.eval.choose import Judge, judge_of, places_of, require_other
from pagen.eval.counted import require_classes
from pagen.eval.labelled import Labelled, labelled_by_each, to_test
from pagen.eval.localise import localise_boxes, localise_runs, require_masks
from pagen.eval.protocol import Protocol
from pagen.eval.protocols import protocols_named
from pagen.eval.results import Evaluation, Events, Places, Series, Table
from pagen.eval.score_files import counted_of, read_score_files
from pagen.eval.scores import Scores
from pagen.eval.series import Choices, series_of
from pagen.eval.settings import EvaluationSettings
from pagen.eval.tables import table_of
from pagen.footage.anomalies import kinds_of
from pagen.footage.locate import locate
from pagen.footage.prepare import Prepared
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

    Frames a second are those of the footage, whatever the settings say. With `labels="all"` in the settings there is a
    table for each edition of labels, protocol by protocol. Raises PagenError: an unknown name, missing footage, labels
    or masks, a test split of one class, or a data set to choose on that shares test clips with this one.

    Args:
        protocols: names, paths of JSON files, or `("all",)`.
        localise: also measure the runs' maps of errors against the data set's pixel masks.
        by_event: also measure each kind of anomaly on its own.
    """
    chosen = protocols_named(protocols)
    require_other(settings.choose_on, [dataset])
    compute = to_test(compute, locate(dataset, compute.root))
    every = labelled_by_each(dataset, compute, settings.labels)
    return evaluate_labelled(runs, every, chosen, settings, compute, localise, by_event)


def evaluate_labelled(
    runs: Sequence[Path],
    every: Sequence[Labelled],
    protocols: Sequence[Protocol],
    settings: EvaluationSettings = DEFAULTS,
    compute: Compute = ANYWHERE,
    localise: bool = False,
    by_event: bool = False,
) -> Evaluation:
    """`evaluate`, on a data set with the labels of each of these editions, whatever the settings say of labels."""
    prepared = every[0].prepared
    dataset = prepared.dataset
    if localise:
        require_masks(prepared)
    judge = judge_of(runs, [prepared], settings, compute)
    found = list(_measured(runs, protocols, every, replace(settings, dataset=dataset), compute, judge))
    places = localise_runs(runs, prepared, compute, settings.seed) if localise else None
    evaluation = _evaluation(
        dataset, "; ".join(one.edition for one in every), settings, places, *zip(*found, strict=True)
    )
    if judge:
        evaluation = replace(evaluation, chosen_on=judge.chosen_on)
    if by_event:
        evaluation = replace(evaluation, by_event=tuple(_events(every, protocols, found, settings.seed)))
    return evaluation


def _measured(
    runs: Sequence[Path],
    protocols: Sequence[Protocol],
    every: Sequence[Labelled],
    settings: EvaluationSettings,
    compute: Compute,
    judge: Judge | None,
) -> Iterator[tuple[Table, tuple[Series, ...]]]:
    """Protocol by protocol, the table of each edition of labels and what it was measured on."""
    chosen = [judge.choices(protocol, settings.dataset) if judge else {} for protocol in protocols]
    for protocol, choices, scored in zip(
        protocols, chosen, _scored(runs, protocols, every[0].prepared, compute, chosen), strict=True
    ):
        for labelled in every:
            how = labelled.settings(settings if judge is None else replace(settings, chosen_on=judge.chosen_on))
            series = series_of(protocol, labelled.of(scored), how, choices)
            yield table_of(protocol, series, how), series


def _scored(
    runs: Sequence[Path],
    protocols: Sequence[Protocol],
    prepared: Prepared,
    compute: Compute,
    chosen: Sequence[Choices],
) -> list[list[tuple[str, Scores]]]:
    """The scores that each protocol asks for, of runs at the states that are `chosen` for it; each is made once."""
    states = [tuple(places_of(choices).items()) for choices in chosen]
    scored: dict[int, list[tuple[str, Scores]]] = {}
    for state in dict.fromkeys(states):
        alike = [place for place, other in enumerate(states) if other == state]
        found = scores_under(runs, prepared, [protocols[place] for place in alike], compute, dict(state))
        scored |= zip(alike, found, strict=True)
    return [scored[place] for place in range(len(protocols))]


def _events(
    every: Sequence[Labelled],
    protocols: Sequence[Protocol],
    found: Sequence[tuple[Table, tuple[Series, ...]]],
    seed: int,
) -> Iterator[Events]:
    """Of each table, the kinds of anomalies one by one."""
    pairs = product(protocols, every)
    for (protocol, labelled), (_, series) in zip(pairs, found, strict=True):
        events = events_of(protocol, series, kinds_of(labelled.prepared.dataset, labelled.labels), seed)
        yield replace(events, label_edition=labelled.edition)


def evaluate_files(
    scores: Sequence[Path], labels: Path, protocols: Sequence[str] = ("raw",), settings: EvaluationSettings = DEFAULTS
) -> Evaluation:
    """Measure anybody's scores under protocols, as `read_score_files` takes them; neither footage nor a run is needed.

    Window policies play no part. Raises PagenError: files that cannot be read or do not belong together, an unknown
    name, or labels of one class.
    """
    chosen, scored = protocols_named(protocols), read_score_files(scores, labels)
    require_classes(scored[0][1].labels, f"frames of {labels}")
    settings = replace(settings, labels=str(labels))
    series = [series_of(protocol, scored, settings) for protocol in chosen]
    tables = [table_of(protocol, rows, settings) for protocol, rows in zip(chosen, series, strict=True)]
    return _evaluation(None, str(labels), settings, None, tables, series)


def evaluate_boxes(
    detections: Path, tracks: Path, labels: Path | None, frames: Path | None, settings: EvaluationSettings
) -> Evaluation:
    """Measure anybody's scored boxes against tracks; arguments as `localise_boxes` and `counted_of` take them."""
    places = localise_boxes(detections, tracks, counted_of(labels, frames), settings.seed)
    return _evaluation(None, str(tracks), settings, places)


def _evaluation(
    dataset: str | None,
    edition: str,
    settings: EvaluationSettings,
    places: Places | None,
    tables: Sequence[Table] = (),
    series: Sequence[tuple[Series, ...]] = (),
) -> Evaluation:
    about = (dataset, edition, settings.seed, settings.weights, settings.alarms, __version__)
    return Evaluation(*about, tuple(tables), places, tuple(series))
