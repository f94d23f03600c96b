"""Protocols: which frames count, under which window policy, rescaled, added up and smoothed how.

The choice moves Ped2's AUROC by more than ten points, so it has a name and lines of its own that are printed
above every table. The headline protocol is `causal`: nothing but the past is used, and no video is stretched
to fit. The others repeat what was published (`pagen.papers`); where a source is silent, `why` says what we read.

What compares two frames (flow, the trivial baselines) knows nothing of a video's first frame, which gets
the value of the second: the one look ahead of `causal`, by one frame.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pagen.errors import PagenError
from pagen.eval.protocol import ANY, Protocol
from pagen.eval.protocol_file import read_protocol
from pagen.papers import all_papers
from pagen.papers.all_papers import FUSED
from pagen.registry import Registry

RAW = Protocol("raw", "scores as they are: every frame, nothing rescaled or smoothed", fused={})
CAUSAL = Protocol("causal", "raw scores, as a camera would have them", smooth="causal", sigma={ANY: 2.0})
ROBUST_CAUSAL = replace(
    CAUSAL,
    name="robust_causal",
    why="as causal, each indicator by the median and the range of its video's past in place of training clips",
    each="robust_causal",
)


def _published(name: str, fields: Mapping[str, Any]) -> Protocol:
    """A paper's protocol; what it fuses stands in place of what we fuse of the same recipe."""
    return Protocol(**{**fields, "name": name, "fused": {**FUSED, **fields.get("fused", {})}})


PROTOCOLS: Registry[Protocol] = Registry(
    "protocol",
    "pagen.protocols",
    {one.name: one for one in (RAW, CAUSAL, ROBUST_CAUSAL)}
    | {name: _published(name, one) for name, one in all_papers.PROTOCOLS.items()},
    lambda one: isinstance(one, Protocol),
)


def protocols_named(names: Sequence[str]) -> list[Protocol]:
    """Protocols by name, by the path of a JSON file, or `all` that have a name.

    Raises PagenError: an unknown name, or a file that does not hold a protocol.
    """
    chosen = PROTOCOLS.names() if "all" in names else names
    return [_of_file(Path(name)) if name.endswith(".json") else PROTOCOLS[name] for name in chosen]


def _of_file(path: Path) -> Protocol:
    """One's own protocol. Raises PagenError as `read_protocol`, and where it is called as one that is known."""
    own = read_protocol(path)
    if own.name in PROTOCOLS:
        raise PagenError(f'expected a name of its own for the protocol in {path}, found {own.name}; give it a "name"')
    return own


def protocol_named(name: str, what: str) -> Protocol:
    """The one protocol of a name or a file, for `what` takes no more. Raises PagenError as `protocols_named`."""
    chosen, *others = protocols_named([name])
    if others:
        raise PagenError(f"expected one protocol for {what}, found {name}; choose one")
    return chosen
