"""Train on every data set at hand, test on all of them, write `docs/transfer.md`; goes on where it was stopped.

    python docs/transfer.py [--data DIR] [--out runs] [--scale cpu] [--seeds 3] [--recipes skip mulde]

From the repository's root; DIR holds the data sets as `pagen datasets` names them, and those of `OWN` in the folders
that stand there, as `--dataset folder` takes them. Nothing is chosen on a label. Shorter: `--scale tiny --seeds 1`,
fewer `--recipes`, `--trained-on` or `--tested-on`. What a run took is kept beside it, and written below the tables.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import tyro

OWN = {"le2i_coffee": "le2i_coffee", "upcam": "upcam"}
"""Data sets that the catalogue does not have: name -> folder below DIR."""
SCENES = ("umn:lawn", "umn:indoor", "umn:plaza")
"""Whose labels circulate in editions that disagree: a column for each."""
TRAINED_ON = ("ped2", *SCENES, "le2i_coffee", "upcam", "street")
TESTED_ON = (*TRAINED_ON, "ped1", "avenue")
RECIPES = {"baseline": (), "skip": (), "luss": (), "mulde": ("--features", "objects")}
"""Recipe -> its flags; mulde's objects are found by motion, the only boxes that need no file and no model."""


@dataclass(frozen=True)
class Transfers:
    """Train what is missing, and write the tables of transfers."""

    data: Path = Path("../shared/data")
    """Where the footage lies."""
    out: Path = Path("runs")
    """Where the runs lie."""
    scale: str = "cpu"
    seeds: int = 3
    recipes: tuple[str, ...] = tuple(RECIPES)
    trained_on: tuple[str, ...] = TRAINED_ON
    tested_on: tuple[str, ...] = TESTED_ON
    page: Path = Path("docs/transfer.md")
    plot: Path = Path("docs/transfer.png")
    workers: int | None = None


def main(config: Transfers) -> None:
    """One run after the other, the first seeds first; then the tables."""
    place(config)
    runs = wanted(config)
    for recipe, dataset, seed in runs:
        trained(config, recipe, dataset, seed)
    paths = [str(run_of(config, *run)) for run in runs]
    written = ["--write", str(config.page), "--plot", str(config.plot)]
    several = [f"{name}=all" for name in config.tested_on if name in SCENES]
    editions = ["--labels", *several] if several else []
    how = ["--partial", "--leave-one-out", *workers(config), *written]
    pagen(["transfer", *paths, "--datasets", *config.tested_on, *editions, *how])
    title, tables = config.page.read_text(encoding="utf-8").split("\n", 1)
    page = f"{title}\n\n{about(config)}\n{tables}{costs(config, runs)}"
    config.page.write_text(page, encoding="utf-8")


def place(config: Transfers) -> None:
    """Say to all commands that follow where the footage is, and what one's own data sets are called."""
    file, lines = config.out.absolute() / "datasets.toml", list[str]()
    for name, folder in OWN.items():
        lines += [f"[{name}]", f"root = {json.dumps(str(config.data.absolute() / folder))}"]
    config.out.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    os.environ |= {"PAGEN_DATA": str(config.data.absolute()), "PAGEN_DATASETS": str(file)}


def wanted(config: Transfers) -> list[tuple[str, str, int]]:
    """Recipe, data set and seed of each run, in the order in which they are trained."""
    runs = [(recipe, dataset) for recipe in config.recipes for dataset in config.trained_on]
    return [(*run, seed) for seed in range(config.seeds) for run in runs]


def run_of(config: Transfers, recipe: str, dataset: str, seed: int) -> Path:
    """Where a run lies."""
    return config.out / f"{recipe}-{dataset.replace(':', '-')}-{config.scale}-{seed}"


def trained(config: Transfers, recipe: str, dataset: str, seed: int) -> None:
    """Train a run, or go on with it; how long the attempt that ended took is kept beside it."""
    path = run_of(config, recipe, dataset, seed)
    cost, begin = path.with_suffix(".json"), time.perf_counter()
    if cost.exists():
        return
    how = ["--scale", config.scale, "--seed", str(seed), "--out", str(path), "--json"]
    pagen(["train", recipe, *RECIPES[recipe], "--dataset", dataset, *how, *workers(config)])
    cost.write_text(json.dumps({"minutes": (time.perf_counter() - begin) / 60}), encoding="utf-8")


def pagen(words: list[str]) -> None:
    """A verb, as a user would call it."""
    subprocess.check_call([sys.executable, "-m", "pagen", *words])


def workers(config: Transfers) -> list[str]:
    """The flag, where it is given."""
    return [] if config.workers is None else ["--workers", str(config.workers)]


def about(config: Transfers) -> str:
    """How much the figures say, by the scale that they were made at."""
    known = f"Scale {config.scale}, seeds 0 to {config.seeds - 1}; the last table says how long a training took."
    if config.scale != "tiny":
        return known
    small = "At `tiny` that is seconds: autoencoders so small tell what a transfer changes, not what a method can."
    return f"{known} {small}"


def costs(config: Transfers, runs: list[tuple[str, str, int]]) -> str:
    """A table of the minutes that a training took, its preparation of footage included: mean over the seeds."""
    from pagen import console

    rows = []
    for dataset in config.trained_on:
        row = [dataset]
        for recipe in config.recipes:
            files = [run_of(config, *run).with_suffix(".json") for run in runs if run[:2] == (recipe, dataset)]
            minutes = [json.loads(file.read_text(encoding="utf-8"))["minutes"] for file in files]
            row.append(f"{sum(minutes) / len(minutes):.1f}")
        rows.append(row)
    table = console.markdown(("trained on", *config.recipes), rows)
    return f"\n## What a training took\n\nMinutes at scale {config.scale}, mean over {config.seeds} seeds.\n\n{table}\n"


if __name__ == "__main__":
    main(tyro.cli(Transfers))
