"""Flags that several verbs have, with their help, each written once; a verb names the type and adds its default."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import tyro

from pagen.options import Precision

Root = Annotated[
    Path | None, tyro.conf.arg(help="Where the footage lies: the data set's folder or any folder above it.")
]
Called = Annotated[
    str | None,
    tyro.conf.arg(
        name="name", help="What to call the footage of --dataset folder --root DIR, in runs, scores and tables."
    ),
]
Partial = Annotated[
    bool,
    tyro.conf.arg(
        help="Work on what is there of a data set of which clips are missing; what is made of it says how many of them."
    ),
]
Dataset = Annotated[str, tyro.conf.arg(help="Name of the data set, as `pagen datasets` lists them.")]
Device = Annotated[str, tyro.conf.arg(help="Where networks run: cpu, cuda, cuda:1, mps, or the best there is.")]
Rounding = Annotated[
    Precision,
    tyro.conf.arg(
        name="precision",
        help="Numbers that networks over clips multiply: fp32, or bf16, about twice as fast on GPUs and on processors "
        "that have it (AMX, AVX512-BF16), slower on others. What is made of them is kept apart, and says so.",
    ),
]
Processes = Annotated[int | None, tyro.conf.arg(help="Processes; 0 works in this one, by default one for each core.")]
Overwrite = Annotated[bool, tyro.conf.arg(help="Start again instead of resuming or refusing.")]
Rescore = Annotated[
    bool, tyro.conf.arg(help="Score again, where scores of an earlier state of a run or of the footage are kept.")
]
Json = Annotated[bool, tyro.conf.arg(help="Print the result as JSON.")]
