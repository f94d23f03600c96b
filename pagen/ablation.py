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
from pagen.papers.forms import Ablation, Variant
from pagen.train.config import Train
from pagen.train.recipes.table import RECIPES
from pagen.train.session import train


@dataclass(frozen=True)
class Measured:
    """A line of the table: the rows of its seeds."""

    label: str
    rows: tuple[Row, ...]
    published: str


def measure(ablation: Ablation, config: Any) -> Iterator[Measured]:
    """Train, score and measure every line of the table, as the verb is told; goes on where it was stopped."""
    protocol = protocol_named(config.protocol or ablation.protocol, "an ablation")
    prepared = prepare(config.dataset, config.root, size=None, workers=config.workers)
    trivial = (TRIVIAL, score_baselines(prepared, config.workers))
    settings = EvaluationSettings(config.dataset, prepared.fps)
    for variant in ablation.variants:
        runs = [_scores(config, variant, seed, protocol.policy) for seed in range(config.seeds)]
        rows = tuple(_row(variant, protocol, trivial, scores, settings) for scores in runs)
        yield Measured(variant.label, rows, variant.published)


def _scores(config: Any, variant: Variant, seed: int, policy: str) -> Scores:
    recipe: Any = replace(RECIPES[variant.recipe].at(config.scale), **changes_of(config, variant))
    path = config.out / f"{named(config, variant)}-{seed}"
    pseudo: Path | None = None
    if variant.stored and recipe.probability > 0:
        pseudo = config.out / f"pa-{config.dataset}-{config.scale}-{_slug(variant.stored)}".replace(":", "-")
        made = {**recipe.pa_flags, **variant.stored, "workers": config.workers, "device": config.device}
        generate(Generate.at(config.scale, config.dataset, root=config.root, **made, out=pseudo))
    device, workers = config.device, config.workers
    train(Train(recipe, config.dataset, config.root, pseudo, config.scale, seed, path, device=device, workers=workers))
    return score_run(path, config.dataset, Compute.of(config), policy, measure=variant.measure)


def _row(
    variant: Variant, protocol: Protocol, trivial: tuple[str, Scores], scores: Scores, settings: EvaluationSettings
) -> Row:
    several = len(variant.indicators) > 1
    fused = {variant.recipe: variant.indicators} if several else {}
    changed = replace(protocol, fused=fused, **variant.protocol)
    rows = table_of(changed, series_of(changed, [trivial, (variant.label, scores)], settings), settings).rows
    shown = "fused" if several else variant.indicators[0]
    return next(row for row in rows if (row.run, row.indicator) == (variant.label, shown))


def changes_of(config: Any, variant: Variant) -> dict[str, Any]:
    """Fields of a variant's recipe that differ from its scale's, the boxes of objects among them."""
    boxes = {"boxes": config.boxes} if "features" in variant.changes and config.boxes != "motion" else {}
    return {**variant.changes, **boxes}


def named(config: Any, variant: Variant) -> str:
    """What a variant's run is called: variants that are trained alike share one."""
    parts = [variant.recipe, config.dataset, config.scale, _slug({**changes_of(config, variant), **variant.stored})]
    return "-".join(part for part in parts if part).replace(":", "-")


def _slug(values: Mapping[str, Any]) -> str:
    return re.sub(r"[^\w.]+", "-", "-".join(f"{name}-{value}" for name, value in values.items())).strip("-")


def as_text(config: Any, ablation: Ablation, measured: Sequence[Measured], form: Any) -> str:
    """The table with a title that says protocol, seeds and scale."""
    seeds = "seed 0" if config.seeds == 1 else f"mean of seeds 0 to {config.seeds - 1}"
    headers = ("variant", "micro AUROC", "seeds", "95 % interval, seed 0", "raw", "published")
    protocol = config.protocol or ablation.protocol
    title = f"{ablation.title} on {config.dataset}, {config.scale} scale, {seeds}; protocol {protocol}"
    return f"{title}\n\n{form(headers, [_cells(line) for line in measured])}\n\nPublished: {ablation.where}."


def _cells(line: Measured) -> tuple[str, ...]:
    areas, first = [row.micro for row in line.rows], line.rows[0]
    mean, interval = percent(sum(areas) / len(areas)), between(first.low, first.high)
    return line.label, mean, " ".join(map(percent, areas)), interval, percent(first.raw), line.published
