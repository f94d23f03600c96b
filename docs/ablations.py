"""Train and measure the tables of the papers on Ped2, and write `ablations.md`; goes on where it was stopped.

    python docs/ablations.py ped2_objects.npz [--out ablation] [--tables features beta ...]

From the repository's root; the file holds AccI-VAD's boxes and poses. On two cores the tables of density take about two
hours, those of networks 15 to 30 minutes a line that is trained; `pagen ablate widths`, whose largest network has 200
million numbers, is for a GPU.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import tyro

PAGE = Path("docs/ablations.md")
THREE_SEEDS = (("--seeds", "3", "--protocol", "mulde"), ("--seeds", "3", "--protocol", "causal"))
TABLES: dict[str, tuple[tuple[str, ...], ...]] = {
    "objects": THREE_SEEDS,
    **dict.fromkeys(("detectors", "features", "joint", "beta", "levels", "pooling", "single"), ((),)),
    **dict.fromkeys(("tasks", "measures", "rescaling", "discriminator"), ((),)),
    **dict.fromkeys(("kinds", "patches", "masks", "p_t", "p_s"), ((),)),
}
"""Table -> the flags of each of its versions on the page."""
HEAD = """# Ablations on ped2

Micro AUROC x 100, each line trained and measured here. What the papers published, mostly of other data sets and
features, stands beside it, not to be compared figure by figure. Intervals: 1,000 draws of whole videos. Written by:

    python docs/ablations.py {words}
"""


@dataclass(frozen=True)
class Ablations:
    """Train and measure the tables, and write the page."""

    objects: tyro.conf.Positional[Path]
    """AccI-VAD's boxes of Ped2 as an npz."""
    out: Path = Path("ablation")
    """Where the runs lie."""
    tables: tuple[str, ...] = tuple(TABLES)
    """Which tables stand on the page."""


def main(config: Ablations) -> None:
    """One table after the other."""
    shown = ["ped2_objects.npz", *(["--tables", *config.tables] if config.tables != tuple(TABLES) else [])]
    parts = [HEAD.format(words=" ".join(shown))]
    parts += [f"## {measured(config, table, how)}" for table in config.tables for how in TABLES[table]]
    PAGE.write_text("\n".join(parts), encoding="utf-8")


def measured(config: Ablations, table: str, how: tuple[str, ...]) -> str:
    """A table as Markdown."""
    with TemporaryDirectory() as folder:
        page = Path(folder) / "table.md"
        command = ["ablate", table, "--dataset", "ped2", "--boxes", f"file:{config.objects}", *how]
        command += ["--out", str(config.out), "--write", str(page)]
        subprocess.check_call([sys.executable, "-m", "pagen", *command])
        return page.read_text(encoding="utf-8")


if __name__ == "__main__":
    main(tyro.cli(Ablations))
