"""Protocols: which frames count, under which window policy, rescaled, added up and smoothed how.

The choice moves Ped2's AUROC by more than ten points, so it has a name and lines of its own that are printed
above every table. The headline protocol is `causal`: nothing but the past is used, and no video is stretched
to fit. The others repeat what was published; where a source is silent, `why` says what we read.

What compares two frames (flow, the trivial baselines) knows nothing of a video's first frame, which gets
the value of the second: the one look ahead of `causal`, by one frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pagen.errors import PagenError
from pagen.eval.fusion import FUSED
from pagen.eval.protocol import ANY, Protocol, read_protocol
from pagen.registry import Registry

LUSS = ("vcr", "ffp", "prp")

LUSS_WEIGHTS = {"ped2": (0.1, 0.8, 1.0), "avenue": (0.1, 1.0, 0.1), "shanghaitech": (0.2, 0.2, 0.9)}
"""Of LUSS-AE's paper, found by grid search; no validation set is mentioned."""

RAW = Protocol("raw", "scores as they are: every frame, nothing rescaled or smoothed", fused={})

CAUSAL = Protocol("causal", "raw scores, as a camera would have them", smooth="causal", sigma={ANY: 2.0})

LNTRA = Protocol(
    "lntra",
    "as LNTRA's and STEAL Net's released code: windows inside the video, their 9th frame",
    "ninth",
    dropped_first=8,
    dropped_last=7,
    each="min_max",
)

LUSS_PAPER = Protocol(
    "luss",
    "as LUSS-AE's paper, equations 11 to 16: the frame after the window; weights as published, found on test data",
    "window",
    dropped_first=16,
    plain_errors=True,
    probabilities=True,
    each="robust",
    fused={**FUSED, "luss": LUSS},
    weights={name: dict(zip(LUSS, each, strict=True)) for name, each in LUSS_WEIGHTS.items()},
)

LUSS_RELEASED = replace(
    LUSS_PAPER,
    name="luss_released",
    why="as LUSS-AE's released code: PRP by min-max, and ShanghaiTech's weights for every data set",
    each_of={"prp": "min_max"},
    weights={ANY: dict(zip(LUSS, LUSS_WEIGHTS["shanghaitech"], strict=True))},
)

UNIFIED_PA = Protocol(
    "unified_pa",
    "as the unified PA paper says: windows that do not overlap, their 9th frame alone; weights are not published, "
    "ours are alike",
    "block",
    dropped_first=8,
    dropped_last=7,
    every=16,
    probabilities=True,
    each="min_max",
    fused={**FUSED, "unified": ("psnr", "flow", "semantic")},
)

MULDE = Protocol(
    "mulde",
    "as MULDE: Gaussian smoothing of the scores, whose width is not published; ours is AccI-VAD's",
    each="z_positive",
    smooth="gaussian",
    sigma={ANY: 3.0, "shanghaitech": 7.0},
)

ACCIVAD = Protocol(
    "accivad",
    "as AccI-VAD's released code: each indicator by its training range, macro with two frames added to a video",
    each="trained_min_max",
    smooth="reflected",
    sigma={ANY: 3.0, "shanghaitech": 7.0},
    macro="accivad",
)

PROTOCOLS: Registry[Protocol] = Registry(
    "protocol",
    "pagen.protocols",
    {one.name: one for one in (RAW, CAUSAL, LNTRA, LUSS_PAPER, LUSS_RELEASED, UNIFIED_PA, MULDE, ACCIVAD)},
)


def protocols_named(names: Sequence[str]) -> list[Protocol]:
    """Protocols by name, by the path of a JSON file, or `all` that have a name.

    Raises:
        PagenError: an unknown name, or a file that does not hold a protocol.
    """
    return [
        read_protocol(Path(name)) if name.endswith(".json") else PROTOCOLS[name]
        for name in (PROTOCOLS.names() if "all" in names else names)
    ]


def protocol_named(name: str, what: str) -> Protocol:
    """The one protocol of a name or a file, for `what` takes no more. Raises PagenError as `protocols_named`."""
    chosen, *others = protocols_named([name])
    if others:
        raise PagenError(f"expected one protocol for {what}, found {name}; choose one")
    return chosen
