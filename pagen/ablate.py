"""The verb `ablate`: a table of the papers, trained and measured here, with what was published beside it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import tyro

from pagen import console
from pagen.errors import PagenError, require_name
from pagen.flags import Called, Device, Json, Partial, Processes, Root
from pagen.folders import write_text
from pagen.footage.catalogue import DATASETS
from pagen.options import Scale
from pagen.papers.all_papers import ABLATIONS


@dataclass(frozen=True)
class Ablate:
    """Train and measure what a table of the papers compares; `pagen ablate list` names the tables."""

    table: Annotated[tyro.conf.Positional[str], tyro.conf.arg(help=f"{' '.join(ABLATIONS)}, or list.")]
    dataset: str = ""
    """Name of the data set; `list` needs none."""
    root: Root = None
    scale: Scale = "cpu"
    """Scale of the recipes."""
    features: str = ""
    """Features for tables that papers have of features of whole frames: file:DIR, hiera:MODEL, latents:RUN, ...; by
    default what the table names stands for them."""
    boxes: str = "motion"
    """Where objects are, for tables of density: motion, file:PATH, or detector:MODEL."""
    poses: str = "file"
    """Where poses come from, for tables that look at them: file (the file of boxes), file:PATH, or vitpose:MODEL."""
    protocol: str | None = None
    """Protocol, by default the table's own."""
    seeds: int = 1
    """Runs of each kind, with the seeds 0, 1, ..."""
    out: Path = Path("ablation")
    """Folder of the PA sets and runs; what lies there is not made again."""
    device: Device = "auto"
    workers: Processes = None
    partial: Partial = False
    called: Called = None
    json: Json = False
    write: Path | None = None
    """Also write the table to this Markdown file."""


def run(config: Ablate) -> None:
    """The verb `ablate`."""
    if config.table == "list":
        lines = [(name, one.title, str(len(one.variants))) for name, one in ABLATIONS.items()]
        console.result(dict(ABLATIONS), config.json, console.table(("table", "of", "lines"), lines))
        return
    require_name("table", config.table, ABLATIONS)
    if config.seeds < 1:
        raise PagenError(f"expected --seeds of 1 and more, found {config.seeds}")
    DATASETS[config.dataset]
    from pagen.ablation import as_text, measure

    ablation = ABLATIONS[config.table]
    measured = list(measure(ablation, config))
    if config.write is not None:
        write_text(config.write, as_text(config, ablation, measured, console.markdown) + "\n")
        console.say(f"wrote {config.write}")
    text = as_text(config, ablation, measured, console.table)
    console.result([asdict(line) for line in measured], config.json, text)
