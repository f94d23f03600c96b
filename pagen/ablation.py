"""A table of the papers, trained, scored and measured here, line by line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pagen.compute import Compute
from pagen.errors import PagenError
from pagen.eval.baselines import score_baselines
from pagen.eval.protocol import Protocol
from pagen.eval.protocols import protocol_named
from pagen.eval.results import TRIVIAL, Row, between, percent
from pagen.eval.scores import Scores, score_run
from pagen.eval.series import series_of
from pagen.eval.settings import EvaluationSettings
from pagen.eval.tables import table_of
from pagen.features.spec import takes
from pagen.footage.prepare import prepare
from pagen.generate.config import Generate
from pagen.generate.generate import generate
from pagen.papers.forms import Ablation, Variant
from pagen.scoring.density import indicator_of
from pagen.train.config import Train
from pagen.train.recipes.table import RECIPES
from pagen.train.session import begin_with, train
from pagen.train.stored import pa_flags_of


@dataclass(frozen=True)
class Measured:
    """A line of the table: the rows of its seeds."""

    label: str
    rows: tuple[Row, ...]
    published: str
    of: str = ""
    """The labels that figures are of, and of how many clips where that is not all."""


def measure(ablation: Ablation, config: Any) -> Iterator[Measured]:
    """Train, score and measure every line of the table, as the verb is told; goes on where it was stopped."""
    protocol = protocol_named(config.protocol or ablation.protocol, "an ablation")
    variants = [over_features(config, ablation, variant) for variant in ablation.variants]
    for variant in variants:
        for recipe in _recipe(config, variant).parts.values():
            recipe.check_sources(config.device)
            recipe.check_files(config.dataset, Compute.of(config))
    prepared = prepare(config.dataset, config.root, size=None, workers=config.workers, partial=config.partial)
    trivial = (TRIVIAL, score_baselines(prepared, config.workers))
    settings = EvaluationSettings(config.dataset, prepared.fps)
    scored: dict[tuple[str, str | None, int], Scores] = {}
    for variant in variants:
        keys = [(named(config, variant), variant.measure, seed) for seed in range(config.seeds)]
        for key in keys:  # lines that are trained alike share their run, and what is scored of it
            scored[key] = scored.get(key) or _scores(config, variant, key[2], protocol)
        rows = tuple(_row(variant, protocol, trivial, scored[key], settings) for key in keys)
        of = "; ".join(filter(None, (f"labels: {prepared.folder.config['label_edition']}", prepared.part)))
        yield Measured(variant.label, rows, variant.published, of)


def _scores(config: Any, variant: Variant, seed: int, protocol: Protocol) -> Scores:
    recipe: Any = _recipe(config, variant)
    pseudo: Path | None = None
    if variant.stored and any(getattr(part, "probability", 0) > 0 for part in recipe.parts.values()):
        pseudo = config.out / f"pa-{config.dataset}-{config.scale}-{_slug(variant.stored)}".replace(":", "-")
        generate(pa_set_of(config, recipe, variant, pseudo))
    path = _trained(config, variant, seed, pseudo)
    measure = variant.measure or protocol.asked_measure
    return score_run(path, config.dataset, Compute.of(config), protocol.policy, measure=measure)


def pa_set_of(config: Any, recipe: Any, variant: Variant, out: Path) -> Generate:
    """The PA set of a variant, which serves every part of its recipe."""
    where = {"root": config.root, "partial": config.partial, "workers": config.workers, "device": config.device}
    return Generate.at(config.scale, config.dataset, **where, **{**pa_flags_of(recipe), **variant.stored}, out=out)


def _recipe(config: Any, variant: Variant) -> Any:
    return replace(RECIPES[variant.recipe].at(config.scale), **changes_of(config, variant))


def _trained(config: Any, variant: Variant, seed: int, pseudo: Path | None) -> Path:
    """The run of a variant. What its steps do not look at is fitted to those of a run that differs in that alone."""
    recipe, path = _recipe(config, variant), Path(config.out) / f"{named(config, variant)}-{seed}"
    where = {"device": config.device, "workers": config.workers, "partial": config.partial}
    about = {"pseudo": pseudo, "scale": config.scale, "seed": seed, "out": path}
    wanted = Train(recipe, config.dataset, config.root, **about, **where)
    steps = {name: value for name, value in variant.changes.items() if name not in recipe.after}
    if len(steps) < len(variant.changes):
        begin_with(wanted, _trained(config, replace(variant, changes=steps), seed, pseudo))
    train(wanted)
    return path


def _row(
    variant: Variant, protocol: Protocol, trivial: tuple[str, Scores], scores: Scores, settings: EvaluationSettings
) -> Row:
    several = len(variant.indicators) > 1
    fused = {variant.recipe: variant.indicators} if several else {}
    changed = replace(protocol, fused=fused, **variant.protocol)
    rows = table_of(changed, series_of(changed, [trivial, (variant.label, scores)], settings), settings).rows
    shown = "fused" if several else variant.indicators[0]
    return next(row for row in rows if (row.run, row.indicator) == (variant.label, shown))


def over_features(config: Any, ablation: Ablation, variant: Variant) -> Variant:
    """A variant over the features that are asked for, in place of what stands for the paper's.

    Raises PagenError for a table that is of other features.
    """
    if not config.features:
        return variant
    if not ablation.stand_in:
        raise PagenError(f"expected no --features with table {config.table}, found {config.features}; leave it out")
    own = {name: value for name, value in variant.changes.items() if name not in takes(variant.changes["features"])}
    return replace(variant, changes={**own, "features": config.features}, indicators=(indicator_of(config.features),))


def changes_of(config: Any, variant: Variant) -> dict[str, Any]:
    """Fields of a variant's recipe that differ from its scale's, boxes and poses of objects among them."""
    if "features" not in variant.changes:
        return dict(variant.changes)
    boxes = {"boxes": config.boxes} if config.boxes != "motion" and not config.features else {}
    posed = "pose" in variant.changes.get("kinds", ()) and config.poses != "file"
    return {**variant.changes, **boxes, **({"poses": config.poses} if posed else {})}


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
    looked_at = f", {config.features or ablation.stand_in}" if ablation.stand_in else ""
    title = f"{ablation.title}{looked_at} on {config.dataset}, {config.scale} scale, {seeds}; protocol {protocol}"
    title += f"; {measured[0].of}" if measured else ""
    return f"{title}\n\n{form(headers, [_cells(line) for line in measured])}\n\nPublished: {ablation.where}."


def _cells(line: Measured) -> tuple[str, ...]:
    areas, first = [row.micro for row in line.rows], line.rows[0]
    mean, interval = percent(sum(areas) / len(areas)), between(first.low, first.high)
    return line.label, mean, " ".join(map(percent, areas)), interval, percent(first.raw), line.published
