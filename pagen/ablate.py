"""The verb `ablate`: a table of the papers, trained and measured here, with what was published beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import tyro

from pagen import console
from pagen.ablations import ABLATIONS, Ablation, Variant
from pagen.errors import PagenError, unknown_name
from pagen.folders import write_text
from pagen.footage.catalogue import DATASETS

if TYPE_CHECKING:
    from pagen.eval.results import Row
    from pagen.eval.scores import Scores
    from pagen.eval.tables import EvaluationSettings


@dataclass(frozen=True)
class Ablate:
    """Train and measure what a table of the papers compares; `pagen ablate list` names the tables."""

    table: tyro.conf.Positional[str]
    """tasks, measures, rescaling (LUSS-AE), masks, p_s, p_t (unified PA), patches, kinds (LNTRA), or list."""
    dataset: str = ""
    """Name of the data set; `list` needs none."""
    root: Path | None = None
    """Where the footage lies: the data set's folder or any folder above it."""
    scale: Literal["paper", "cpu", "tiny"] = "cpu"
    """Scale of the recipes."""
    boxes: str = "motion"
    """Where objects are, for tables of density: motion, file:PATH, or detector:MODEL."""
    protocol: str | None = None
    """Protocol, by default the table's own."""
    seeds: int = 1
    """Runs of each kind, with the seeds 0, 1, ..."""
    out: Path = Path("ablation")
    """Folder of the PA sets and runs; what lies there is not made again."""
    device: str = "auto"
    """Where networks run: cpu, cuda, cuda:1, or the best there is."""
    workers: int | None = None
    """Processes; 0 works in this one, by default one for each core."""
    json: bool = False
    """Print the result as JSON."""
    write: Path | None = None
    """Also write the table to this Markdown file."""


@dataclass(frozen=True)
class Measured:
    """A line of the table: the rows of its seeds."""

    label: str
    rows: tuple[Row, ...]
    published: str


def run(config: Ablate) -> None:
    """The verb `ablate`."""
    if config.table == "list":
        lines = [(name, one.title, str(len(one.variants))) for name, one in ABLATIONS.items()]
        console.result(dict(ABLATIONS), config.json, console.table(("table", "of", "lines"), lines))
        return
    if config.table not in ABLATIONS:
        raise unknown_name("table", config.table, ABLATIONS)
    if config.seeds < 1:
        raise PagenError(f"expected --seeds of 1 and more, found {config.seeds}")
    DATASETS[config.dataset]
    ablation = ABLATIONS[config.table]
    found = list(ablate(config))
    text = as_text(config, ablation, found, console.table)
    if config.write is not None:
        write_text(config.write, as_text(config, ablation, found, console.markdown) + "\n")
        console.say(f"wrote {config.write}")
    console.result([asdict(line) for line in found], config.json, text)


def ablate(config: Ablate) -> Iterator[Measured]:
    """Train, score and measure every line of the table; goes on where it was stopped."""
    from pagen.eval.baselines import score_baselines
    from pagen.eval.protocols import protocol_named
    from pagen.eval.results import TRIVIAL
    from pagen.eval.tables import EvaluationSettings
    from pagen.footage.prepare import prepare

    ablation = ABLATIONS[config.table]
    protocol = protocol_named(config.protocol or ablation.protocol, "an ablation")
    prepared = prepare(config.dataset, config.root, size=None, workers=config.workers)
    trivial = (TRIVIAL, score_baselines(prepared, config.workers))
    how = EvaluationSettings(config.dataset, prepared.fps)
    for variant in ablation.variants:
        scores = [_scores(config, variant, seed, protocol.policy) for seed in range(config.seeds)]
        yield Measured(
            variant.label, tuple(_row(variant, protocol, trivial, one, how) for one in scores), variant.published
        )


def _scores(config: Ablate, variant: Variant, seed: int, policy: str) -> Scores:
    from pagen.eval.scores import score_run
    from pagen.train.config import Train
    from pagen.train.recipes.table import RECIPES
    from pagen.train.session import train

    recipe: Any = replace(RECIPES[variant.recipe].at(config.scale), **changes_of(config, variant))
    path = config.out / f"{named(config, variant)}-{seed}"
    needed = bool(variant.stored) and recipe.probability > 0
    pseudo = _pa_set(config, variant, recipe) if needed else None
    device, workers = config.device, config.workers
    root, scale = config.root, config.scale
    train(Train(recipe, config.dataset, root, pseudo, scale, seed, path, device=device, workers=workers))
    return score_run(path, config.dataset, root, policy, device=device, workers=workers, measure=variant.measure)


def _pa_set(config: Ablate, variant: Variant, recipe: Any) -> Path:
    from pagen.generate.config import Generate
    from pagen.generate.generate import generate

    out = config.out / f"pa-{config.dataset}-{config.scale}-{_slug(variant.stored)}".replace(":", "-")
    form = {"size": recipe.size, "colour": recipe.colour, "workers": config.workers, "device": config.device}
    generate(Generate(config.dataset, config.root, **variant.stored, **form, out=out))
    return out


def _row(variant: Variant, protocol: Any, trivial: tuple[str, Scores], scores: Scores, how: EvaluationSettings) -> Row:
    from pagen.eval.tables import table_of

    several = len(variant.indicators) > 1
    fused = {variant.recipe: variant.indicators} if several else {}
    changed = replace(protocol, fused=fused, **variant.protocol)
    rows = table_of(changed, [trivial, (variant.label, scores)], how).rows
    wanted = "fused" if several else variant.indicators[0]
    return next(row for row in rows if (row.run, row.indicator) == (variant.label, wanted))


def changes_of(config: Ablate, variant: Variant) -> dict[str, Any]:
    """Fields of a variant's recipe that differ from its scale's, the boxes of objects among them."""
    boxes = {"boxes": config.boxes} if "features" in variant.changes and config.boxes != "motion" else {}
    return {**variant.changes, **boxes}


def named(config: Ablate, variant: Variant) -> str:
    """What a variant's run is called: variants that are trained alike share one."""
    parts = [variant.recipe, config.dataset, config.scale, _slug({**changes_of(config, variant), **variant.stored})]
    return "-".join(part for part in parts if part).replace(":", "-")


def _slug(values: Any) -> str:
    return re.sub(r"[^\w.]+", "-", "-".join(f"{name}-{value}" for name, value in values.items())).strip("-")


def as_text(config: Ablate, ablation: Ablation, found: list[Measured], form: Any) -> str:
    """The table with a title that says protocol, seeds and scale."""
    from pagen.eval.results import between, percent

    seeds = "seed 0" if config.seeds == 1 else f"mean of seeds 0 to {config.seeds - 1}"
    headers = ("variant", "micro AUROC", "seeds", "95 % interval, seed 0", "raw", "published")
    lines = []
    for line in found:
        areas = [row.micro for row in line.rows]
        first = line.rows[0]
        lines.append(
            (
                line.label,
                percent(sum(areas) / len(areas)),
                " ".join(percent(area) for area in areas),
                between(first.low, first.high),
                percent(first.raw),
                line.published,
            )
        )
    protocol = config.protocol or ablation.protocol
    title = f"{ablation.title} on {config.dataset}, {config.scale} scale, {seeds}; protocol {protocol}"
    return f"{title}\n\n{form(headers, lines)}\n\nPublished: {ablation.where}."
