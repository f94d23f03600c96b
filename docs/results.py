"""Train every recipe on Ped2, score the runs, write `results.md`, `results_luss.md` and `localisation.md`; goes on
where it was stopped.

    python docs/results.py PA_SET [--out runs] [--seeds 3] [--objects ped2_objects.npz]

From the repository's root; PA_SET is made by `pagen generate --dataset ped2 --size 192 288`. Takes 10 to 25 minutes a
run on two cores, and 2 to 10 a run of density.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import tyro

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS.parent / "benchmarks"))
PAGE, LUSS_PAGE, PLACES = Path("docs/results.md"), Path("docs/results_luss.md"), Path("docs/localisation.md")
"""From the root, so that the command that the page shows names no place of the machine."""
UNIFIED = ("unified_pa", "unified_pa_without_d")
PROTOCOLS = ("causal", "robust_causal", "lntra", *UNIFIED, "mulde", "accivad", "accivad_frames", "raw")
LUSS_PROTOCOLS = ("luss", "luss_released")
"""They decode every window whole, so that one seed of each recipe is scored by them, and no density."""
SEEDED = ("baseline", "skip", "luss")
"""Recipes that are trained with several seeds."""
ONCE = ("patch", "steal", "memae", "unified")
MEMBERS = {"unified": ("spatial", "temporal")}
"""Run -> recipes that it holds as runs, which have rows of their own; `discriminator` is its row `semantic`."""
DENSITY = {
    "mulde-latents": ("mulde", "--features", "latents:{out}/baseline-ped2-cpu-0"),
    "mulde-luss": ("mulde", "--features", "latents:{out}/luss-ped2-cpu-{seed}"),
    "mulde-locations": ("mulde", "--features", "locations:{out}/baseline-ped2-cpu-0"),
    "mulde-motion": ("mulde", "--bins", "1", "--reduce", "max"),
    "accivad-motion": ("accivad", "--bins", "1", "--kinds", "velocity", "deep"),
    "knn-motion": ("knn", "--features", "deep"),
    "mulde-objects": ("mulde", "--bins", "1", "--boxes", "file:{objects}"),
    "msma-objects": ("msma", "--bins", "1", "--boxes", "file:{objects}"),
    "knn-objects": ("knn", "--bins", "1", "--boxes", "file:{objects}"),
    "accivad-objects": ("accivad", "--bins", "1", "--boxes", "file:{objects}"),
    "mulde-by-height": ("mulde", "--bins", "1", "--by-height", "--boxes", "file:{objects}"),
    "mulde-max": ("mulde", "--bins", "1", "--by-height", "--reduce", "max", "--boxes", "file:{objects}"),
    "accivad-by-height": ("accivad", "--bins", "1", "--by-height", "--boxes", "file:{objects}"),
}
"""Runs of density; those with a place for objects want the file of AccI-VAD's boxes and poses. Speeds
by height and the highest of the scales in place of their mixture are not what AccI-VAD and MULDE do on Ped2."""
LOCALISED = (
    "baseline",
    "skip",
    "steal",
    "mulde-objects",
    "knn-objects",
    "accivad-objects",
    "mulde-max",
    "accivad-by-height",
    "knn-motion",
)
"""What RBDC and TBDC are measured of."""
COSTS = """Scale cpu, two cores, one run at a time, other work beside it. Runs of density: from features that lay in the
cache; making them takes a core a minute for ten thousand crops, and less than two minutes for codes."""
SEEDED_DENSITY = ("mulde-latents", "mulde-luss", "mulde-objects", "mulde-max")


@dataclass(frozen=True)
class Results:
    """Train every recipe on Ped2 and write the table."""

    pseudo: tyro.conf.Positional[Path]
    """A PA set of Ped2 at 192x288."""
    out: Path = Path("runs")
    """Where the runs lie."""
    seeds: int = 3
    """Seeds of `baseline`, `skip` and `luss`."""
    objects: Path | None = None
    """AccI-VAD's boxes and poses of Ped2 as an npz; runs on them are left out without it."""
    only: tuple[str, ...] = ()
    """Only these recipes."""


def main(config: Results) -> None:
    """One run after the other, then the table."""
    runs = wanted(config)
    for name, seed in runs:
        trained(config, name, seed)
    rows = [path for run in runs for path in rows_of(config, *run)]
    evaluate(rows, ["--protocol", *PROTOCOLS, "--write", str(PAGE)])
    once = [(name, seed) for name, seed in runs if name in (*SEEDED, *ONCE) and seed == 0]
    evaluate([run_of(config, *run) for run in once], ["--protocol", *LUSS_PROTOCOLS, "--write", str(LUSS_PAGE)])
    placed = [run_of(config, name, seed) for name, seed in runs if name in LOCALISED and seed == 0]
    evaluate(placed, ["--localise", "--write", str(PLACES)])
    PAGE.write_text(PAGE.read_text(encoding="utf-8") + costs(config, runs), encoding="utf-8")


def evaluate(runs: list[Path], how: list[str]) -> None:
    """The verb, as a user would call it."""
    command = ["evaluate", *map(str, runs), "--dataset", "ped2", *how]
    subprocess.check_call([sys.executable, "-m", "pagen", *command])


def wanted(config: Results) -> list[tuple[str, int]]:
    """Names and seeds of the runs, in the order in which they are trained."""
    usable = [name for name, words in DENSITY.items() if config.objects or not any("objects" in word for word in words)]
    seeds = range(1, config.seeds)
    runs = [(name, 0) for name in (*SEEDED, *ONCE)] + [(name, seed) for seed in seeds for name in SEEDED]
    runs += [(name, 0) for name in usable] + [(n, s) for s in seeds for n in usable if n in SEEDED_DENSITY]
    return [(name, seed) for name, seed in runs if not config.only or name in config.only]


def command_of(config: Results, name: str, seed: int) -> list[str]:
    """The recipe and its flags."""
    if name in DENSITY:
        return [word.format(out=config.out, objects=config.objects, seed=seed) for word in DENSITY[name]]
    return [name, *(["--pseudo", str(config.pseudo)] if name == "unified" else [])]


def run_of(config: Results, name: str, seed: int) -> Path:
    """Where a run lies."""
    return config.out / f"{name}-ped2-cpu-{seed}"


def rows_of(config: Results, name: str, seed: int) -> list[Path]:
    """A run, and those that it holds."""
    path = run_of(config, name, seed)
    return [path, *(path / member for member in MEMBERS.get(name, ()))]


def trained(config: Results, name: str, seed: int) -> None:
    """Train a run, or go on with it; what the attempt that ended took is kept beside it."""
    from generate import measured

    from pagen import console

    path = run_of(config, name, seed)
    cost = path.with_suffix(".json")
    if cost.exists():
        return
    how = ["--dataset", "ped2", "--seed", str(seed), "--out", str(path), "--json"]
    command = ["train", *command_of(config, name, seed), *how]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds, peak, _ = measured([sys.executable, "-m", "pagen", *command])
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    cost.write_text(json.dumps({"minutes": seconds / 60, "cpu": cpu / 60, "peak": peak / 1e6}), encoding="utf-8")
    console.say(f"{path}: {seconds / 60:.1f} minutes, {cpu / 60:.1f} of a core, {peak / 1e6:.0f} MB")


def costs(config: Results, runs: list[tuple[str, int]]) -> str:
    """A table of what the trainings with seed 0 took."""
    from pagen import console

    rows = []
    for name, seed in (run for run in runs if run[1] == 0):
        cost = json.loads(run_of(config, name, seed).with_suffix(".json").read_text(encoding="utf-8"))
        rows.append([name, str(seed), f"{cost['minutes']:.0f}", f"{cost['cpu']:.0f}", f"{cost['peak']:.0f}"])
    table = console.markdown(("recipe", "seed", "minutes", "minutes of a core", "memory at its highest, MB"), rows)
    return f"\n## What training took\n\n{COSTS}\n\n{table}\n"


if __name__ == "__main__":
    main(tyro.cli(Results))
