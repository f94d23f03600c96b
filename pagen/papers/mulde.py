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
_SUPPLEMENT: dict[tuple[str, ...], tuple[tuple[float, float], tuple[float, float]]] = {
    ("pose",): ((84.6, 86.5), (78.5, 83.6)),
    ("deep",): ((89.0, 88.0), (76.6, 82.3)),
    ("velocity",): ((86.6, 91.8), (82.0, 88.1)),
    ("deep", "pose"): ((91.5, 91.0), (82.6, 88.8)),
    ("deep", "velocity"): ((93.1, 94.7), (82.2, 87.9)),
    ("pose", "velocity"): ((91.1, 95.3), (86.6, 91.5)),
    ("deep", "pose", "velocity"): ((94.3, 96.1), (86.7, 90.6)),
}
"""Kinds of objects -> (micro, macro) on Avenue and on ShanghaiTech (supplement, Tables S3 and S4)."""
PUBLISHED |= {
    f"mulde_{'_'.join(kinds)}": column(
        f"MULDE's supplement, {' and '.join(kinds)}", "mulde", avenue=avenue, shanghaitech=shanghaitech
    )
    for kinds, (avenue, shanghaitech) in _SUPPLEMENT.items()
}
ROWS: dict[str, dict[str, Any]] = {
    **{f"mulde_{'_'.join(kinds)}": {"recipe": "mulde", "of": "objects", "kinds": kinds} for kinds in _SUPPLEMENT},
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


def _of_kinds(published: str, *kinds: str) -> Variant:
    changes = {"features": "objects", "kinds": ("velocity", "pose", "deep"), "bins": 1}
    return Variant(" and ".join(kinds), "mulde", changes, indicators=kinds, published=published)


def _joint(recipe: str) -> tuple[Variant, Variant]:
    kinds = ("velocity", "deep")
    added = Variant(f"{recipe}, added up", recipe, {"features": "objects", "kinds": kinds}, indicators=kinds)
    return added, Variant(f"{recipe}, joint", recipe, {"features": "+".join(kinds)}, indicators=("+".join(kinds),))


_BETAS = {0.0: "78.4", 0.01: "80.7", 0.1: "81.3", 1.0: "81.4"}
_LEVELS = {4: "72.16", 8: "72.80", 16: "72.89", 32: "72.95", 64: "72.99"}
_POOLING = {"mixture": "78.4", "max": "76.30", "mean": "76.02", "median": "75.83"}
_WIDTHS = {
    1024: ("77.3", "79.9", "81.2", "79.9"),
    2048: ("77.6", "80.4", "79.2", "79.4"),
    4096: ("78.4", "81.3", "79.5", "80.0"),
    8192: ("79.2", "79.4", "80.4", "79.3"),
}
"""Units -> figures of 1, 2, 3 and 4 layers of them."""
_SPEED = "mean speed by height"
_BEST = 0.334
"""Of the single scales on ShanghaiTech; the figure's other values are drawn, not printed."""
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
    "objects": Ablation(
        "Kinds of objects under MULDE, with poses of the file of boxes",
        "MULDE's Tables S3 and S4: Avenue / ShanghaiTech",
        "mulde",
        tuple(_of_kinds(f"{avenue[0]} / {campus[0]}", *kinds) for kinds, (avenue, campus) in _SUPPLEMENT.items()),
    ),
    "features": Ablation(
        "Features of MULDE",
        "MULDE's Table S3: Avenue",
        "mulde",
        (
            _of_objects("velocity, 8 directions", "velocity", "86.6"),
            _of_objects("velocity, mean speed", "velocity", bins=1),
            _speed("velocity, mean speed by height"),
            _speed("the same, highest of the scales", reduce="max"),
            _of_objects("deep", "deep", "89.0"),
        ),
    ),
    "joint": Ablation(
        "One density of velocity and deep features, beside the sum of two",
        "no paper has it",
        "mulde",
        (*_joint("mulde"), *_joint("knn")),
    ),
    "beta": Ablation(
        "Weight of MULDE's regulariser",
        "MULDE's Table 3: ShanghaiTech, Hiera-L",
        "mulde",
        tuple(_speed(f"{beta:g}", published, beta=beta) for beta, published in _BETAS.items()),
        _SPEED,
    ),
    "widths": Ablation(
        "Layers and units of MULDE's network",
        "MULDE's Table 4: ShanghaiTech, Hiera-L",
        "mulde",
        tuple(
            _speed(f"{layers} x {units}", published, widths=(units,) * layers)
            for units, row in _WIDTHS.items()
            for layers, published in enumerate(row, 1)
        ),
        _SPEED,
    ),
    "levels": Ablation(
        "Scales of MULDE",
        "MULDE's Table S6: UBnormal, Hiera-L",
        "mulde",
        tuple(_speed(str(count), published, levels=count) for count, published in _LEVELS.items()),
        _SPEED,
    ),
    "pooling": Ablation(
        "How MULDE's scales are joined, beta 0",
        "MULDE's text: ShanghaiTech, Hiera-L",
        "mulde",
        tuple(_speed(way, published, beta=0.0, reduce=way) for way, published in _POOLING.items()),
        _SPEED,
    ),
    "single": Ablation(
        "Single scales of MULDE and mixtures over all",
        "MULDE's Figure 4: ShanghaiTech, Hiera-L, of which the best single scale is named",
        "mulde",
        (
            *(
                _speed(f"sigma {sigma:g}", "best" if sigma == _BEST else "-", reduce="single", single=sigma)
                for sigma in (round(0.001 + step * 0.0666, 4) for step in range(16))
            ),
            *(_speed(f"mixture of {count}", components=(count,)) for count in (1, 3, 5)),
        ),
        _SPEED,
    ),
}
