"""MULDE: protocol, figures and ablations of its paper and supplement, with the densities that it compares itself to."""

from __future__ import annotations

from typing import Any

from pagen.papers.accivad import WIDTHS
from pagen.papers.forms import Ablation, Variant, column

_TABLE1, _TABLE2 = "MULDE's Table 1, objects", "MULDE's Table 2, Hiera-L"
_CHAIN = "MULDE's Table 1; AccI-VAD's whole chain (velocity by gmm, pose and deep by knn)"
PUBLISHED = {
    "mulde": column(f"{_TABLE1}, beta 0.1", "mulde", ped2=(99.7, 99.9), avenue=(94.3, 96.1), shanghaitech=(86.7, 91.5)),
    "mulde_frames": column(
        f"{_TABLE2}, beta 0.1", "mulde", shanghaitech=(81.3, 85.9), ucf_crime=(78.5, 84.9), ubnormal=(72.8, 85.5)
    ),
    "msma": column(_TABLE1, "mulde", ped2=(99.5, 99.9), avenue=(90.2, 92.5), shanghaitech=(84.1, 90.2)),
    "msma_frames": column(_TABLE2, "mulde", shanghaitech=(76.7, 84.2), ucf_crime=(64.5, 83.4), ubnormal=(70.3, 85.1)),
    "accivad": column(_CHAIN, "accivad", ped2=(99.1, 99.9), avenue=(93.3, 96.2), shanghaitech=(85.9, 89.6)),
    "gmm_frames": column(_TABLE2, "mulde", shanghaitech=(76.2, 82.9), ucf_crime=(60.3, 84.5), ubnormal=(66.8, 83.2)),
    "knn_frames": column(_TABLE2, "mulde", shanghaitech=(71.9, 83.1), ucf_crime=(53.0, 82.7), ubnormal=(65.2, 82.5)),
}
_KINDS: dict[tuple[str, ...], tuple[tuple[float, float], tuple[float, float]]] = {
    ("pose",): ((84.6, 86.5), (78.5, 83.6)),
    ("deep",): ((89.0, 88.0), (76.6, 82.3)),
    ("velocity",): ((86.6, 91.8), (82.0, 88.1)),
    ("deep", "pose"): ((91.5, 91.0), (82.6, 88.8)),
    ("deep", "velocity"): ((93.1, 94.7), (82.2, 87.9)),
    ("pose", "velocity"): ((91.1, 95.3), (86.6, 91.5)),
    ("deep", "pose", "velocity"): ((94.3, 96.1), (86.7, 90.6)),
}
"""Kinds of objects -> figures of Avenue and ShanghaiTech (supplement, Tables 3 and 4)."""
PUBLISHED |= {
    f"mulde_{'_'.join(kinds)}": column(
        f"MULDE's supplement, {' and '.join(kinds)}", "mulde", avenue=avenue, shanghaitech=shanghaitech
    )
    for kinds, (avenue, shanghaitech) in _KINDS.items()
}
ROWS: dict[str, dict[str, Any]] = {
    **{f"mulde_{'_'.join(kinds)}": {"recipe": "mulde", "of": "objects", "kinds": kinds} for kinds in _KINDS},
    **{name: {"recipe": name, "of": "objects"} for name in ("mulde", "msma")},
    **{f"{name}_frames": {"recipe": name, "of": "frames"} for name in ("mulde", "msma", "gmm", "knn")},
}
PROTOCOLS = {
    "mulde": {
        "why": "as MULDE: Gaussian smoothing of the scores, whose width is not published; ours is AccI-VAD's",
        "each": "z_positive",
        "smooth": "gaussian",
        "sigma": WIDTHS,
    }
}


def _detector(label: str, recipe: str, published: str = "-") -> Variant:
    kinds = ("velocity", "deep")
    changes = {"features": "objects", "kinds": kinds, "bins": 1}
    return Variant(label, recipe, changes, indicators=kinds, published=published)


def _of_objects(label: str, kind: str, published: str = "-", **changes: Any) -> Variant:
    return Variant(label, "mulde", {"features": kind, **changes}, indicators=(kind,), published=published)


def _speed(label: str, published: str = "-", **changes: Any) -> Variant:
    return _of_objects(label, "velocity", published, bins=1, by_height=True, **changes)


_BETAS = {0.0: "78.4", 0.01: "80.7", 0.1: "81.3", 1.0: "81.4"}
_LEVELS = {4: "72.16", 8: "72.80", 16: "72.89", 64: "72.99"}
ABLATIONS = {
    "detectors": Ablation(
        "Detectors of velocity and deep features",
        "MULDE's Table 1: Ped2, with poses",
        "mulde",
        (
            _detector("nearest neighbour", "knn"),
            _detector("mixture of velocity, neighbour of deep", "accivad", "99.1"),
            _detector("MSMA", "msma", "99.5"),
            _detector("MULDE", "mulde", "99.7"),
        ),
    ),
    "features": Ablation(
        "Features of MULDE",
        "MULDE's supplement, Table 3: Avenue",
        "mulde",
        (
            _of_objects("velocity, 8 directions", "velocity", "86.6"),
            _of_objects("velocity, mean speed", "velocity", bins=1),
            _speed("velocity, mean speed by height"),
            _speed("the same, highest of the scales", reduce="max"),
            _of_objects("deep", "deep", "89.0"),
        ),
    ),
    "beta": Ablation(
        "Weight of MULDE's regulariser, mean speed by height",
        "MULDE's Table 2: ShanghaiTech, Hiera-L",
        "mulde",
        tuple(_speed(f"{beta:g}", published, beta=beta) for beta, published in _BETAS.items()),
    ),
    "levels": Ablation(
        "Scales of MULDE, mean speed by height",
        "MULDE's supplement: UBnormal, Hiera-L",
        "mulde",
        tuple(_speed(str(count), published, levels=count) for count, published in _LEVELS.items()),
    ),
}
