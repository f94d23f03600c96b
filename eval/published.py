"""What was published: the papers' headline figures, to stand beside one's own.

They are the authors' claims; none was measured here. They differ from each other by protocol, and by which epoch was
taken (most sources do not say; no validation set exists). `protocol` is the one of pagen's that comes nearest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Published:
    """A figure of a paper: frame-level AUROC in percent."""

    micro: float
    macro: float | None
    """None where it was not published."""
    source: str
    """Where it stands, and what of."""
    protocol: str | None = None
    """The name of pagen's protocol that comes nearest; None where nothing is known."""


def _column(source: str, protocol: str | None, **figures: float | tuple[float, float]) -> dict[str, Published]:
    """Data set -> its figures: micro, or (micro, macro)."""
    pairs = {name: each if isinstance(each, tuple) else (each, None) for name, each in figures.items()}
    return {name: Published(micro, macro, source, protocol) for name, (micro, macro) in pairs.items()}


def _zhong(micro: float, ucf_crime: float, source: str) -> dict[str, Published]:
    """GCL's ShanghaiTech is another split (Zhong et al. 2019), hence another data set."""
    return {"shanghaitech:zhong": Published(micro, None, source), "ucf_crime": Published(ucf_crime, None, source)}


_LNTRA = "LNTRA's README"
_ACCIVAD = _column(
    "MULDE's Table 1; AccI-VAD's whole chain (velocity by gmm, pose and deep by knn)",
    "accivad",
    ped2=(99.1, 99.9),
    avenue=(93.3, 96.2),
    shanghaitech=(85.9, 89.6),
)

PUBLISHED: Mapping[str, Mapping[str, Published]] = {
    "baseline": _column(_LNTRA, "lntra", ped2=92.49, avenue=81.47, shanghaitech=71.28),
    "patch": _column(f"{_LNTRA}, SmoothMixS of CIFAR-100", "lntra", ped2=94.77, avenue=84.91, shanghaitech=72.46),
    "skip": _column(_LNTRA, "lntra", ped2=96.50, avenue=84.67, shanghaitech=75.97),
    "steal": _column("STEAL Net's README", "lntra", ped2=98.4, avenue=87.1, shanghaitech=73.7),
    "memae": _column("LUSS-AE's Table 1", "lntra", ped2=94.10, avenue=83.30, shanghaitech=71.20),
    "luss": _column("LUSS-AE's Table 1", "luss", ped2=98.52, avenue=89.04, shanghaitech=81.21),
    "spatial": _column("unified PA's Table 4, segmentation masks", "unified_pa", ped2=92.71, avenue=84.51),
    "unified": _column(
        "unified PA's Tables 1 and 2", "unified_pa", ped2=93.53, avenue=86.61, shanghaitech=71.65, ubnormal=57.98
    ),
    "mulde": _column(
        "MULDE's Table 1, objects, beta 0.1",
        "mulde",
        ped2=(99.7, 99.9),
        avenue=(94.3, 96.1),
        shanghaitech=(86.7, 91.5),
    ),
    "mulde_frames": _column(
        "MULDE's Table 2, Hiera-L, beta 0.1",
        "mulde",
        shanghaitech=(81.3, 85.9),
        ucf_crime=(78.5, 84.9),
        ubnormal=(72.8, 85.5),
    ),
    "msma": _column(
        "MULDE's Table 1, objects", "mulde", ped2=(99.5, 99.9), avenue=(90.2, 92.5), shanghaitech=(84.1, 90.2)
    ),
    "msma_frames": _column(
        "MULDE's Table 2, Hiera-L", "mulde", shanghaitech=(76.7, 84.2), ucf_crime=(64.5, 83.4), ubnormal=(70.3, 85.1)
    ),
    "accivad": _ACCIVAD,
    "gmm_frames": _column(
        "MULDE's Table 2, Hiera-L", "mulde", shanghaitech=(76.2, 82.9), ucf_crime=(60.3, 84.5), ubnormal=(66.8, 83.2)
    ),
    "knn_frames": _column(
        "MULDE's Table 2, Hiera-L", "mulde", shanghaitech=(71.9, 83.1), ucf_crime=(53.0, 82.7), ubnormal=(65.2, 82.5)
    ),
    "gcl_b": _zhong(72.41, 68.17, "GCL's Tables 1 and 2, GCL_B"),
    "gcl": _zhong(78.93, 71.04, "GCL's Tables 1 and 2, GCL_PT"),
    "gcl_occ": _zhong(79.62, 74.20, "GCL's Tables 1 and 2, GCL_OCC"),
    "gcl_ws": _zhong(86.21, 79.84, "GCL's Tables 1 and 2, GCL_WS"),
}
"""Recipe -> data set -> figures. `_frames` are those of one vector a frame, where the recipe's own are of objects."""


def published_row(recipe: str, dataset: str) -> str:
    """A cell of a table: `99.7 (99.9)`, micro and macro in percent with one decimal; `-` where none is known."""
    found = PUBLISHED.get(recipe, {}).get(dataset)
    if found is None:
        return "-"
    return f"{found.micro:.1f}" + (f" ({found.macro:.1f})" if found.macro is not None else "")
