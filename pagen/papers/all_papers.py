"""What all papers published, in one table each of figures, protocols, ablations and transfers.

Figures are the authors' claims; none was measured here. They differ from each other by protocol, and by which epoch was
taken (most sources do not say; no validation set exists).
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from pagen import papers
from pagen.papers.forms import Ablation, Carried, Published

PAPERS = [
    import_module(f"pagen.papers.{module.name}")
    for module in iter_modules(papers.__path__)
    if module.name not in ("all_papers", "forms")
]
"""Every other file of the folder."""


def _joined(table: str) -> dict[str, Any]:
    return {name: entry for paper in PAPERS for name, entry in getattr(paper, table, {}).items()}


PUBLISHED: Mapping[str, Mapping[str, Published]] = _joined("PUBLISHED")
"""Row of a paper's table -> data set -> figures."""
ROWS: Mapping[str, Mapping[str, Any]] = _joined("ROWS")
"""Row -> what `recipe.json` says of the runs that it is of, where its name is not their recipe's. `of` is what their
features describe: `objects`, `places` or `frames`; `protocol` is the one that they are measured in."""
PROTOCOLS: Mapping[str, Mapping[str, Any]] = _joined("PROTOCOLS")
"""Name -> fields of `pagen.eval.protocol.Protocol`; `*` stands for every data set that has no entry of its own."""
FUSED: Mapping[str, tuple[str, ...]] = _joined("FUSED")
"""Recipe -> the indicators that are added up, at the worst place where there is one (the papers: of whole frames)."""
ABLATIONS: dict[str, Ablation] = _joined("ABLATIONS")
"""Name -> table."""
TRANSFERS: Mapping[str, tuple[Carried, ...]] = _joined("TRANSFERS")
"""What a table of transfers shows, in a sentence -> its lines."""
