"""Flags that the verbs of evaluation have in common, with their help, each written once."""

from __future__ import annotations

from typing import Annotated

import tyro

from pagen.papers.all_papers import PROTOCOLS

NAMES = ("raw", "causal", "robust_causal", *PROTOCOLS)
"""Of all protocols that have a name: ours, and after them the papers'."""
OneProtocol = Annotated[str, tyro.conf.arg(help=f"Protocol ({' '.join(NAMES)}), or a JSON file of one's own.")]
Edition = Annotated[
    str,
    tyro.conf.arg(
        help="Edition of the data set's labels, as `pagen datasets check` lists them; by default the first there is."
    ),
]
Protocols = Annotated[
    tuple[str, ...],
    tyro.conf.arg(
        help=f"Protocols ({' '.join(NAMES)}), JSON files of one's own, or `all`; by default causal for runs, and raw "
        "for scores out of files."
    ),
]
