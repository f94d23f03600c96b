"""Train and measure the tables of density on Ped2, and write `ablations.md`; goes on where it was stopped.

    python docs/ablations.py ped2_objects.npz [--out ablation] [--seeds 1]

From the repository's root; the file holds AccI-VAD's boxes and poses. About two hours on two cores; `pagen ablate
widths`, whose largest network has 200 million numbers, is for a GPU.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import tyro

PAGE = Path("docs/ablations.md")
TABLES = ("detectors", "objects", "features", "joint", "beta", "levels", "pooling", "single")
HEAD = """# Ablations of density on ped2

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
    seeds: int = 1
    """Runs of each line."""


def main(config: Ablations) -> None:
    """One table after the other."""
    parts = [HEAD.format(words=" ".join(sys.argv[1:]))]
    with TemporaryDirectory() as folder:
        for table in TABLES:
            page = Path(folder) / f"{table}.md"
            how = ["--dataset", "ped2", "--boxes", f"file:{config.objects}", "--seeds", str(config.seeds)]
            command = ["ablate", table, *how, "--out", str(config.out), "--write", str(page)]
            subprocess.check_call([sys.executable, "-m", "pagen", *command])
            parts.append(f"## {page.read_text(encoding='utf-8')}")
    PAGE.write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main(tyro.cli(Ablations))
