"""Flags that several verbs have, with their help, each written once; a verb names the type and adds its default."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated, cast, get_args

import tyro

from pagen.errors import unknown_name
from pagen.options import Scale

Root = Annotated[
    Path | None, tyro.conf.arg(help="Where the footage lies: the data set's folder or any folder above it.")
]
Dataset = Annotated[str, tyro.conf.arg(help="Name of the data set, as `pagen datasets` lists them.")]
Device = Annotated[str, tyro.conf.arg(help="Where networks run: cpu, cuda, cuda:1, mps, or the best there is.")]
Processes = Annotated[int | None, tyro.conf.arg(help="Processes; 0 works in this one, by default one for each core.")]
Overwrite = Annotated[bool, tyro.conf.arg(help="Start again instead of resuming or refusing.")]
Rescore = Annotated[
    bool, tyro.conf.arg(help="Score again, where scores of an earlier state of a run or of the footage are kept.")
]
Json = Annotated[bool, tyro.conf.arg(help="Print the result as JSON.")]


def scale_in(argv: Sequence[str]) -> Scale:
    """The value of --scale, read ahead because other defaults depend on it. Raises PagenError: no such scale."""
    words = [word for argument in argv for word in argument.split("=", 1)]
    values = [value for flag, value in pairwise(words) if flag == "--scale"]
    scale = values[-1] if values else "cpu"
    if scale not in get_args(Scale):
        raise unknown_name("scale", scale, get_args(Scale))
    return cast("Scale", scale)
