"""Train and measure the tables of the papers on a data set, and write its page; goes on where it was stopped.

    python docs/ablations.py --objects ped2_objects.npz [--out ablation] [--tables features beta ...]
    python docs/ablations.py --dataset umn:lawn --scale tiny

From the repository's root. Of Ped2, AccI-VAD's file of boxes and poses is needed; of other data sets boxes are those of
what moves, and tables that want poses stay out. Ped2's page is `ablations.md`, that of others `ablations_NAME.md`. At
scale `cpu` on two cores the tables of density take about two hours, those of networks 15 to 30 minutes a line that is
trained, and `widths`, whose largest network has 200 million numbers, is for a GPU; at `tiny` all take about one hour.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import tyro

from pagen.options import Scale

THREE_SEEDS = (("--seeds", "3", "--protocol", "mulde"), ("--seeds", "3", "--protocol", "causal"))
TABLES: dict[str, tuple[tuple[str, ...], ...]] = {
    "objects": THREE_SEEDS,
    **dict.fromkeys(("detectors", "features", "joint", "beta", "levels", "pooling", "single"), ((),)),
    **dict.fromkeys(("tasks", "measures", "rescaling", "discriminator"), ((),)),
    **dict.fromkeys(("kinds", "patches", "masks", "p_t", "p_s"), ((),)),
}
"""Table -> the flags of each of its versions on the page."""
POSED = ("objects",)
"""Tables that look at poses."""
HEAD = """# Ablations on {dataset}

Micro AUROC x 100, each line trained and measured here at scale {scale}. What the papers published, mostly of other
data sets and features, stands beside it, not to be compared figure by figure. Intervals: 1,000 draws of whole videos.
Written by:

    python docs/ablations.py {words}
"""


@dataclass(frozen=True)
class Ablations:
    """Train and measure the tables, and write the page."""

    dataset: str = "ped2"
    """Data set."""
    scale: Scale = "cpu"
    """Scale of all lines."""
    objects: Path | None = None
    """Boxes and poses of objects as an npz; none for boxes of what moves."""
    root: Path | None = None
    """Where the footage lies."""
    out: Path = Path("ablation")
    """Where the runs lie."""
    tables: tuple[str, ...] = ()
    """Which tables stand on the page; by default all for which there is what they look at."""

    @property
    def shown(self) -> tuple[str, ...]:
        """The tables on the page."""
        return self.tables or tuple(table for table in TABLES if self.objects or table not in POSED)

    @property
    def words(self) -> str:
        """The command that writes the page, with names of files alone."""
        own = [] if self.dataset == "ped2" else ["--dataset", self.dataset, "--scale", self.scale]
        own += ["--objects", self.objects.name] if self.objects else []
        return " ".join([*own, *(["--tables", *self.tables] if self.tables else [])])

    @property
    def page(self) -> Path:
        """Where it is written."""
        return Path("docs/ablations" + ("" if self.dataset == "ped2" else f"_{self.dataset.replace(':', '_')}") + ".md")


def main(config: Ablations) -> None:
    """One table after the other; the page holds what there is of it."""
    parts = [HEAD.format(dataset=config.dataset, scale=config.scale, words=config.words)]
    for table in config.shown:
        parts += [f"## {measured(config, table, how)}" for how in TABLES[table]]
        config.page.write_text("\n".join(parts), encoding="utf-8")


def measured(config: Ablations, table: str, how: tuple[str, ...]) -> str:
    """A table as Markdown."""
    with TemporaryDirectory() as folder:
        page = Path(folder) / "table.md"
        command = ["ablate", table, "--dataset", config.dataset, "--scale", config.scale, *how]
        command += ["--boxes", f"file:{config.objects}"] if config.objects else []
        command += ["--root", str(config.root)] if config.root else []
        command += ["--out", str(config.out), "--write", str(page)]
        subprocess.check_call([sys.executable, "-m", "pagen", *command])
        return page.read_text(encoding="utf-8")


if __name__ == "__main__":
    main(tyro.cli(Ablations))
