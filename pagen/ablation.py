"""A table of the papers, trained, scored and measured here, line by line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pagen.compute import Compute
from pagen.eval.baselines import score_baselines
from pagen.eval.protocol import Protocol
from pagen.eval.protocols import protocol_named
from pagen.eval.results import TRIVIAL, Row, between, percent
from pagen.eval.scores import Scores, score_run
from pagen.eval.series import series_of
from pagen.eval.settings import EvaluationSettings
from pagen.eval.tables import table_of
from pagen.footage.prepare import prepare
from pagen.generate.config import Generate
from pagen.generate.generate import generate
from pagen.options import Scale
from pagen.papers.forms import Ablation, Variant
from pagen.train.config import Train
from pagen.train.recipes.table import RECIPES
from pagen.train.session import train


@dataclass(frozen=True)
class Plan:
    """What a table is measured with.

    Attributes:
        protocol: in place of the table's own.
        seeds: runs of each variant, with the seeds 0, 1, ...
        boxes: where objects are, for variants of features of objects.
        out: folder of the PA sets and runs; what lies there is not made again.
    """

    dataset: str
    scale: Scale = "cpu"
    protocol: str | None = None
    seeds: int = 1
    boxes: str = "motion"
    out: Path = Path("ablation")


@dataclass(frozen=True)
class Measured:
    """A line of the table: the rows of its seeds."""

    label: str
    rows: tuple[Row, ...]
    published: str


def measure(ablation: Ablation, plan: Plan, compute: Compute) -> Iterator[Measured]:
    """Train, score and measure every line of the table; goes on where it was stopped."""
    protocol = protocol_named(plan.protocol or ablation.protocol, "an ablation")
    prepared = prepare(plan.dataset, compute.root, size=None, workers=compute.workers)
    trivial = (TRIVIAL, score_baselines(prepared, compute.workers))
    settings = EvaluationSettings(plan.dataset, prepared.fps)
    for variant in ablation.variants:
        runs = [_scores(plan, variant, seed, protocol.policy, compute) for seed in range(plan.seeds)]
        rows = tuple(_row(variant, protocol, trivial, scores, settings) for scores in runs)
        yield Measured(variant.label, rows, variant.published)


def _scores(plan: Plan, variant: Variant, seed: int, policy: str, compute: Compute) -> Scores:
    recipe: Any = replace(RECIPES[variant.recipe].at(plan.scale), **changes_of(plan, variant))
    path = plan.out / f"{named(plan, variant)}-{seed}"
    pseudo = _pa_set(plan, variant, recipe, compute) if variant.stored and recipe.probability > 0 else None
    where = {"device": compute.device, "workers": compute.workers}
    train(Train(recipe, plan.dataset, compute.root, pseudo, plan.scale, seed, path, **where))
    return score_run(path, plan.dataset, compute.root, policy, **where, measure=variant.measure)


def _pa_set(plan: Plan, variant: Variant, recipe: Any, compute: Compute) -> Path:
    out = plan.out / f"pa-{plan.dataset}-{plan.scale}-{_slug(variant.stored)}".replace(":", "-")
    form = {"size": recipe.size, "colour": recipe.colour, "workers": compute.workers, "device": compute.device}
    generate(Generate(plan.dataset, compute.root, **variant.stored, **form, out=out))
    return out


def _row(
    variant: Variant, protocol: Protocol, trivial: tuple[str, Scores], scores: Scores, settings: EvaluationSettings
) -> Row:
    several = len(variant.indicators) > 1
    fused = {variant.recipe: variant.indicators} if several else {}
    changed = replace(protocol, fused=fused, **variant.protocol)
    rows = table_of(changed, series_of(changed, [trivial, (variant.label, scores)], settings), settings).rows
    shown = "fused" if several else variant.indicators[0]
    return next(row for row in rows if (row.run, row.indicator) == (variant.label, shown))


def changes_of(plan: Plan, variant: Variant) -> dict[str, Any]:
    """Fields of a variant's recipe that differ from its scale's, the boxes of objects among them."""
    boxes = {"boxes": plan.boxes} if "features" in variant.changes and plan.boxes != "motion" else {}
    return {**variant.changes, **boxes}


def named(plan: Plan, variant: Variant) -> str:
    """What a variant's run is called: variants that are trained alike share one."""
    parts = [variant.recipe, plan.dataset, plan.scale, _slug({**changes_of(plan, variant), **variant.stored})]
    return "-".join(part for part in parts if part).replace(":", "-")


def _slug(values: Mapping[str, Any]) -> str:
    return re.sub(r"[^\w.]+", "-", "-".join(f"{name}-{value}" for name, value in values.items())).strip("-")


def as_text(plan: Plan, ablation: Ablation, measured: Sequence[Measured], form: Any) -> str:
    """The table with a title that says protocol, seeds and scale."""
    seeds = "seed 0" if plan.seeds == 1 else f"mean of seeds 0 to {plan.seeds - 1}"
    headers = ("variant", "micro AUROC", "seeds", "95 % interval, seed 0", "raw", "published")
    protocol = plan.protocol or ablation.protocol
    title = f"{ablation.title} on {plan.dataset}, {plan.scale} scale, {seeds}; protocol {protocol}"
    return f"{title}\n\n{form(headers, [_cells(line) for line in measured])}\n\nPublished: {ablation.where}."


def _cells(line: Measured) -> tuple[str, ...]:
    areas, first = [row.micro for row in line.rows], line.rows[0]
    mean, interval = percent(sum(areas) / len(areas)), between(first.low, first.high)
    return line.label, mean, " ".join(map(percent, areas)), interval, percent(first.raw), line.published
