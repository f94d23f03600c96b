"""The papers' own tables as data: which runs are trained, how they are scored, and what was published.

A variant is a run (a recipe with changes, on a PA set with changes) and what is measured of it. Variants that differ
in nothing but what is measured share one run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Variant:
    """One line of a table."""

    label: str
    recipe: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the recipe that differ from its scale's."""
    stored: Mapping[str, Any] = field(default_factory=dict)
    """Flags of `pagen generate` for its PA set; none, if the recipe makes its own."""
    indicators: tuple[str, ...] = ()
    """What is added up, or the one that counts."""
    protocol: Mapping[str, Any] = field(default_factory=dict)
    """Fields in which its protocol differs."""
    measure: str | None = None
    """Of a whole frame's error: mse, pse, bpe, or the network's own."""
    published: str = "-"
    """The paper's figures, in the order of `Ablation.where`."""


@dataclass(frozen=True)
class Ablation:
    """A table of a paper."""

    title: str
    where: str
    """Which figures are beside ours."""
    protocol: str
    """In which it is measured, where none is asked for."""
    variants: tuple[Variant, ...]


VCR, FFP, PRP = ("vcr",), ("vcr", "ffp"), ("vcr", "ffp", "prp")


def _error(measure: str, indicator: str, published: str) -> Variant:
    return Variant(
        f"{indicator.upper()}, {measure.upper()}", "luss", indicators=(indicator,), measure=measure, published=published
    )


def _patch(name: str, published: str) -> Variant:
    return Variant(name, "patch", {"patch": name}, indicators=("psnr",), published=published)


def _share(recipe: str, indicator: str, kinds: tuple[str, ...], share: float) -> Variant:
    return Variant(f"{share:g}", recipe, {"probability": share}, {"kinds": kinds}, (indicator,))


def _of_objects(label: str, recipe: str, kind: str, published: str = "-", **changes: Any) -> Variant:
    return Variant(label, recipe, {"features": kind, **changes}, indicators=(kind,), published=published)


def _detector(label: str, recipe: str, published: str = "-") -> Variant:
    kinds = ("velocity", "deep")
    made = {"features": "objects", "kinds": kinds, "bins": 1}
    return Variant(label, recipe, made, indicators=kinds, published=published)


def _speed(label: str, published: str = "-", **changes: Any) -> Variant:
    return _of_objects(label, "mulde", "velocity", published, bins=1, by_height=True, **changes)


ABLATIONS: dict[str, Ablation] = {
    "tasks": Ablation(
        "Tasks of LUSS-AE",
        "LUSS-AE's paper: Avenue / ShanghaiTech",
        "luss",
        (
            Variant("VCR", "luss", {"weights": (0.6, 0.0, 0.0)}, indicators=VCR, published="82.72 / 73.11"),
            Variant("VCR + FFP", "luss", {"weights": (0.6, 0.4, 0.0)}, indicators=FFP, published="87.95 / 76.35"),
            Variant(
                "VCR + PRP", "luss", {"weights": (0.6, 0.0, 1.0)}, indicators=("vcr", "prp"), published="87.43 / 79.20"
            ),
            Variant("VCR + FFP + PRP", "luss", indicators=PRP, published="89.04 / 81.21"),
            Variant("all trained, VCR scored", "luss", indicators=VCR, published="86.48 / 75.37"),
        ),
    ),
    "measures": Ablation(
        "Error measures of LUSS-AE",
        "LUSS-AE's paper: Avenue",
        "luss",
        (
            *(_error(*each) for each in (("mse", "vcr", "84.95"), ("pse", "vcr", "85.96"), ("bpe", "vcr", "86.48"))),
            *(_error(*each) for each in (("mse", "ffp", "85.38"), ("pse", "ffp", "86.61"), ("bpe", "ffp", "87.00"))),
        ),
    ),
    "rescaling": Ablation(
        "Rescaling of LUSS-AE's scores",
        "LUSS-AE's paper: Avenue / ShanghaiTech",
        "luss",
        (
            Variant("by training clips", "luss", indicators=PRP, protocol={"each": "calibrated"}),
            Variant(
                "min-max of each video", "luss", indicators=PRP, protocol={"each": "min_max"}, published="89.01 / 79.15"
            ),
            Variant(
                "robust, of each video", "luss", indicators=PRP, protocol={"each": "robust"}, published="89.04 / 81.21"
            ),
        ),
    ),
    "masks": Ablation(
        "What is painted over",
        "the unified PA paper: Ped2 / Avenue; its second line is of segmentation masks",
        "unified_pa",
        (
            Variant(
                "random",
                "spatial",
                {},
                {"kinds": ("spatial",), "masks": "random:medium_256"},
                ("psnr",),
                published="91.18 / 83.13",
            ),
            Variant(
                "motion",
                "spatial",
                {},
                {"kinds": ("spatial",), "masks": "motion"},
                ("psnr",),
                published="92.71 / 84.51",
            ),
        ),
    ),
    "patches": Ablation(
        "Masks of patches",
        "LNTRA's README: Ped2",
        "lntra",
        (
            _patch("smoothmix_s", "94.77"),
            _patch("smoothmix_c", "94.22"),
            _patch("cutmix", "93.54"),
            _patch("mixup", "94.52"),
        ),
    ),
    "kinds": Ablation(
        "Kinds of pseudo-anomalies",
        "LNTRA's and STEAL Net's README: Ped2",
        "lntra",
        (
            Variant("none", "baseline", indicators=("psnr",), published="92.49"),
            Variant("patches", "patch", indicators=("psnr",), published="94.77"),
            Variant("skipped frames", "skip", indicators=("psnr",), published="96.50"),
            Variant("skipped frames, pushed away", "steal", indicators=("psnr",), published="98.4"),
            Variant("inpainted", "spatial", {}, {"kinds": ("spatial",)}, ("psnr",)),
        ),
    ),
    "p_s": Ablation(
        "Share of inpainted clips",
        "-",
        "unified_pa",
        tuple(_share("spatial", "psnr", ("spatial",), share) for share in (0.0, 0.2, 0.4, 0.6)),
    ),
    "p_t": Ablation(
        "Share of mixed flow",
        "-",
        "unified_pa",
        tuple(_share("temporal", "flow", ("temporal",), share) for share in (0.0, 0.25, 0.5, 0.75)),
    ),
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
            _of_objects("velocity, 8 directions", "mulde", "velocity", "86.6"),
            _of_objects("velocity, mean speed", "mulde", "velocity", bins=1),
            _speed("velocity, mean speed by height"),
            _speed("the same, highest of the scales", reduce="max"),
            _of_objects("deep", "mulde", "deep", "89.0"),
        ),
    ),
    "beta": Ablation(
        "Weight of MULDE's regulariser, mean speed by height",
        "MULDE's Table 2: ShanghaiTech, Hiera-L",
        "mulde",
        tuple(
            _speed(f"{beta:g}", published, beta=beta)
            for beta, published in ((0.0, "78.4"), (0.01, "80.7"), (0.1, "81.3"), (1.0, "81.4"))
        ),
    ),
    "levels": Ablation(
        "Scales of MULDE, mean speed by height",
        "MULDE's supplement: UBnormal, Hiera-L",
        "mulde",
        tuple(
            _speed(str(count), published, levels=count)
            for count, published in ((4, "72.16"), (8, "72.80"), (16, "72.89"), (64, "72.99"))
        ),
    ),
}
