"""How strong pseudo-anomalies are: how many pixels they change, how far, and how often they hardly do.

A near-copy, of which a model learns nothing, is a clip whose pixels differ by less than 0.05 grey levels (flow: 0.0005
pixels per frame) in the mean over all pixels, or a temporal one with lambda above 0.95 throughout. Both are little even
for a mask of half a percent: 10 grey levels, 0.1 pixels per frame.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from pagen.generate.pa_set import Item, PASet, Pseudo

AT_MOST = 200
LAMBDA = 0.95
UNITS = {"spatial": "grey levels", "temporal": "px/frame", "skip": "grey levels", "patch": "grey levels"}
LEAST = {"grey levels": 0.05, "px/frame": 0.0005}
"""Unit -> the mean difference below which a clip is a near-copy."""
EDGES = (0, 0.5, 1, 2, 5, 10, 50, 100)
"""Edges of the histogram of mask coverage, %."""
_WHY = {
    "spatial": "masks are tiny, or what was painted looks like what was there",
    "temporal": "lambda is near 1, masks are tiny, or a region was mixed with one that moves alike",
    "skip": "hardly anything moves in these clips",
    "patch": "their patches are small or much like what they cover",
}


@dataclass(frozen=True)
class Change:
    """How a pseudo-anomalous clip differs from the normal one.

    Attributes:
        share: of the pixels of all frames that changed, [0, 1].
        strength: mean change of the changed pixels, grey levels (mean of the channels' absolute changes) or
            pixels per frame (length of the change of the flow vector); NaN where nothing changed.
        difference: the same mean over all pixels.
        covered: share of the pixels that the mask replaces at least by half, [0, 1].

    Example:
        >>> Change(share=0.5, strength=9.0, difference=4.5, covered=0.5).difference
        4.5
    """

    share: float
    strength: float
    difference: float
    covered: float


def measure(clip: Pseudo, kind: str) -> Change:
    """Compare a clip with what it was made of.

    Example:
        >>> clip = Pseudo(np.array([[[[9]]], [[[0]]]]), np.zeros((2, 1, 1, 1)), np.array([[[1]], [[0]]]))
        >>> measure(clip, "skip")
        Change(share=0.5, strength=9.0, difference=4.5, covered=0.5)
    """
    change = np.asarray(clip.pseudo, np.float32) - np.asarray(clip.target, np.float32)
    apart = np.hypot(change[:, 0], change[:, 1]) if kind == "temporal" else np.abs(change).mean(axis=-1)
    changed = apart > 0
    strength = float(apart[changed].mean(dtype=np.float64)) if changed.any() else np.nan
    assert clip.mask is not None
    covered = float((np.asarray(clip.mask) >= 0.5).mean())
    return Change(float(changed.mean()), strength, float(apart.mean(dtype=np.float64)), covered)


def is_near_copy(pseudo: PASet, item: Item, change: Change) -> bool:
    """Whether an item of the set's own length hardly differs from what it was made of.

    Example:
        >>> item = Item("patch", "train_01", 0, {})
        >>> is_near_copy(None, item, Change(share=0.1, strength=0.1, difference=0.01, covered=0.1))
        True
    """
    if item.kind == "temporal" and (_weights(pseudo, item) > LAMBDA).all():
        return True
    return change.difference < LEAST[UNITS[item.kind]]


def _weights(pseudo: PASet, item: Item) -> npt.NDArray[np.float64]:
    """Lambda of each flow map of a temporal item."""
    drawn = [np.broadcast_to(record["lambda"], record["frames"]) for record in pseudo.records("temporal", item.clip)]
    return np.concatenate(drawn)[item.start : item.start + pseudo.length]


def inspect_set(pseudo: PASet) -> dict[str, Any]:
    """The report of the verb `inspect` on a PA set, as plain data.

    Pixels are looked at in at most 200 items of a kind, evenly spread; strides, intruders, random masks and
    lambda are counted in all records.

    Example:
        >>> from unittest.mock import Mock
        >>> inspect_set(Mock(kinds=[], length=16))["warnings"]
        []
    """
    kinds = {kind: _measured(pseudo, kind) | _recorded(pseudo, kind) for kind in pseudo.kinds}
    warnings = [line for kind in kinds for line in _warnings(kind, kinds[kind], pseudo.folder.config)]
    about = {"path": str(pseudo.folder.path), "dataset": pseudo.prepared.dataset, "length": pseudo.length}
    return {**about, "kinds": kinds, "warnings": warnings}


def _measured(pseudo: PASet, kind: str) -> dict[str, Any]:
    """What is measured in the pixels."""
    items = pseudo.items(kind, pseudo.length)
    count = min(len(items), AT_MOST)
    chosen = [items[index * len(items) // count] for index in range(count)]
    changes = [measure(pseudo.render(item, pseudo.length), kind) for item in chosen]
    copies = sum(is_near_copy(pseudo, *pair) for pair in zip(chosen, changes, strict=True))
    measured = {
        "items": len(items),
        "looked_at": count,
        "changed_share": _spread([change.share for change in changes]),
        "strength": _spread([change.strength for change in changes if change.share]),
        "unit": UNITS[kind],
        "near_copies": copies,
    }
    # a skip clip replaces every frame but the first: its mask tells nothing
    if kind == "skip":
        return measured
    counts, _ = np.histogram([100 * change.covered for change in changes], EDGES)
    names = [f"{low:g}-{high:g}" for low, high in pairwise(EDGES)]  # an edge belongs to the bin above it
    return {**measured, "coverage": dict(zip(names, counts.tolist(), strict=True))}


def _recorded(pseudo: PASet, kind: str) -> dict[str, Any]:
    """What is counted in the records of all items."""
    records = [record for name in pseudo.clips(kind) for record in pseudo.records(kind, name)]
    if kind == "skip":
        strides = Counter(record["stride"] for record in records)
        return {"strides": {stride: strides[stride] for stride in sorted({*strides, *pseudo.folder.config["strides"]})}}
    if kind == "patch":
        return {"intruders": dict(Counter(sorted(record["intruder"] for record in records)).most_common())}
    frames, fallen = (sum(record[key] for record in records) for key in ("frames", "random_instead"))
    counts = {"frames": frames, "random_masks": fallen}
    if kind == "spatial":
        return counts
    near = sum(int(np.min(record["lambda"]) > LAMBDA) for record in records)
    return {**counts, "segments": len(records), "lambda_above": near}


def _spread(values: Sequence[float]) -> dict[str, float]:
    """Mean and quantiles over items; NaN where there are none."""
    if not values:
        return dict.fromkeys(("mean", "q05", "q50", "q95"), np.nan)
    low, middle, high = (float(value) for value in np.quantile(values, (0.05, 0.5, 0.95)))
    return {"mean": float(np.mean(values)), "q05": low, "q50": middle, "q95": high}


def _warnings(kind: str, measured: dict[str, Any], config: dict[str, Any]) -> list[str]:
    """What a person should know before training on it."""
    lines = []
    copies = measured["near_copies"] / measured["looked_at"]
    if copies >= 0.05:
        normal, why = "flow" if kind == "temporal" else "frames", _WHY[kind]
        lines.append(f"{copies:.0%} of the {kind} pseudo-anomalies are near-copies of the normal {normal}: {why}")
    if kind == "temporal" and measured["lambda_above"] >= 0.05 * measured["segments"]:
        share = measured["lambda_above"] / measured["segments"]
        lines.append(f"{share:.0%} of the temporal segments have lambda above {LAMBDA}: lambda is U-shaped")
    if measured.get("random_masks", 0) >= 0.2 * measured.get("frames", 1):
        share = measured["random_masks"] / measured["frames"]
        lines.append(f"{share:.0%} of the {kind} masks are random ones: nothing moved there that could be followed")
    missing = [str(stride) for stride in config["strides"] if measured.get("strides", {}).get(stride) == 0]
    if missing:
        strides = " or ".join(missing)
        lines.append(f"no skip pseudo-anomaly has stride {strides}, though asked for: videos are too short")
    return [line.replace("%", " %") for line in lines]
