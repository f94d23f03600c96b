"""LUSS-AE: protocols of its paper and released code; figures, those of MemAE among them, and ablations of the paper."""

from __future__ import annotations

import math
from typing import Any

from pagen.papers.forms import Ablation, Variant, column

_TABLE = "LUSS-AE's Table 1"
PUBLISHED = {
    "luss": column(_TABLE, "luss", ped2=98.52, avenue=89.04, shanghaitech=81.21),
    "memae": column(_TABLE, "lntra", ped2=94.10, avenue=83.30, shanghaitech=71.20),
}

TASKS = ("vcr", "ffp", "prp")
FUSED = {"luss": ("vcr_local", "ffp_local", "prp")}
WEIGHTS = {"ped2": (0.1, 0.8, 1.0), "avenue": (0.1, 1.0, 0.1), "shanghaitech": (0.2, 0.2, 0.9)}
"""Of the paper, found by grid search; no validation set is mentioned."""
_BELL = [math.exp(-(offset**2) / 2) / math.sqrt(2 * math.pi) for offset in range(-2, 3)]
AS_PRINTED = math.fsum(_BELL) ** 4 / 4
"""0.241: the blur-pooled error of equations 10 and 11 in parts of the one that is scored, which is the released code's.
Equation 10's kernel, five samples a side at sigma 1, sums to 0.982, and ours to 1; equation 11 divides by the pixels
of the frame, the code by those that the stride of 2 keeps, a fourth of them where height and width are even."""
_BOTH_FORMS = {
    "policy": "window",
    "dropped_first": 16,
    "plain_errors": True,
    "probabilities": True,
    "fused": {"luss": TASKS},
}
_PAPER = {
    **_BOTH_FORMS,
    "why": "as LUSS-AE's paper, equations 10 to 16: the frame after the window; what is added up is rescaled as a sum",
    "factors": {"vcr": AS_PRINTED, "ffp": AS_PRINTED},
    "each": "none",
    "weights": {dataset: dict(zip(TASKS, shares, strict=True)) for dataset, shares in WEIGHTS.items()},
    "total": "robust",
}
_RELEASED = {
    **_BOTH_FORMS,
    "why": "as LUSS-AE's released code: each rescaled before the sum, PRP by min-max",
    "each": "robust",
    "each_of": {"prp": "min_max"},
    "weights": {"*": dict(zip(TASKS, WEIGHTS["shanghaitech"], strict=True))},
}
PROTOCOLS = {"luss": _PAPER, "luss_released": _RELEASED}


def _tasks(label: str, indicators: tuple[str, ...], published: str, **changes: tuple[float, ...]) -> Variant:
    return Variant(label, "luss", changes, indicators=indicators, published=published)


def _error(indicator: str, measure: str, published: str) -> Variant:
    label = f"{indicator.upper()}, {measure.upper()}"
    return Variant(label, "luss", indicators=(indicator,), measure=measure, published=published)


def _rescaling(label: str, published: str = "-", **protocol: Any) -> Variant:
    return Variant(label, "luss", indicators=TASKS, protocol=protocol, published=published)


_BY_TRAINING: dict[str, Any] = {
    "plain_errors": False,
    "probabilities": False,
    "factors": {},
    "each": "calibrated",
    "total": "none",
}
"""Calibration is of errors in dB and of log-odds."""
_BOTH = "LUSS-AE's paper: Avenue / ShanghaiTech"
_MEASURES = ("mse", "pse", "bpe")
_ERRORS = {"vcr": ("84.95", "85.96", "86.48"), "ffp": ("85.38", "86.61", "87.00")}
ABLATIONS = {
    "tasks": Ablation(
        "Tasks of LUSS-AE",
        _BOTH,
        "luss",
        (
            _tasks("VCR", ("vcr",), "82.72 / 73.11", weights=(0.6, 0.0, 0.0)),
            _tasks("VCR + FFP", ("vcr", "ffp"), "87.95 / 76.35", weights=(0.6, 0.4, 0.0)),
            _tasks("VCR + PRP", ("vcr", "prp"), "87.43 / 79.20", weights=(0.6, 0.0, 1.0)),
            _tasks("VCR + FFP + PRP", TASKS, "89.04 / 81.21"),
            _tasks("all trained, VCR scored", ("vcr",), "86.48 / 75.37"),
        ),
    ),
    "measures": Ablation(
        "Error measures of LUSS-AE",
        "LUSS-AE's paper: Avenue",
        "luss",
        tuple(_error(task, *one) for task, row in _ERRORS.items() for one in zip(_MEASURES, row, strict=True)),
    ),
    "rescaling": Ablation(
        "Rescaling of LUSS-AE's scores",
        _BOTH,
        "luss",
        (
            _rescaling("by training clips, each", **_BY_TRAINING),
            _rescaling("robust, by each video's past", total="robust_causal"),
            _rescaling("min-max of each video", "89.01 / 79.15", total="min_max"),
            _rescaling("robust, of each video", "89.04 / 81.21", total="robust"),
        ),
    ),
}
