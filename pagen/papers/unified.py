"""The unified method of pseudo-anomalies (Rai et al., 2024): protocol, figures, ablations, transfers."""

from __future__ import annotations

from typing import Any

from pagen.papers.forms import Ablation, Carried, Published, Variant, column

WITH_D, WITHOUT_D = ("psnr", "flow", "semantic"), ("psnr", "flow")


def _whole(variant: str, protocol: str, validation: float, **test: float) -> dict[str, Published]:
    """Of UBnormal the paper gives the validation split, where others give the test split."""
    figures = {**test, "ubnormal:validation": validation}
    return column(f"unified PA's Tables 1 and 2, {variant}", protocol, **figures)


def _by_rai(what: str, validation: float) -> dict[str, Published]:
    return column(f"unified PA's Table 2, {what}", "lntra", **{"ubnormal:validation": validation})


PUBLISHED = {
    "spatial": column("unified PA's Table 4, segmentation masks", "unified_pa", ped2=92.71, avenue=84.51),
    "unified": _whole("with D", "unified_pa", 57.98, ped2=93.53, avenue=86.61, shanghaitech=71.65),
    "unified_without_d": _whole(
        "without D", "unified_pa_without_d", 57.53, ped2=93.52, avenue=86.51, shanghaitech=71.76
    ),
    "baseline_by_rai": _by_rai("baseline", 54.06),
    "patch_by_rai": _by_rai("LNTRA, patches", 57.09),
    "skip_by_rai": _by_rai("LNTRA, skipped frames", 55.48),
}
ROWS = {
    "unified_without_d": {"recipe": "unified", "protocol": "unified_pa_without_d"},
    **{f"{recipe}_by_rai": {"recipe": recipe} for recipe in ("baseline", "patch", "skip")},
}
FUSED = {"unified": ("psnr_local", "flow_local", "semantic")}
_PAPER: dict[str, Any] = {
    "why": "as the unified PA paper says: windows that do not overlap, of 16 frames and the 16 maps of flow from each "
    "to the next; their 9th frame and 9th map alone, by squared errors; weights are not published, ours are alike",
    "policy": "ninth_block",
    "measure": "mse",
    "dropped_first": 8,
    "dropped_last": 8,
    "every": 16,
    "probabilities": True,
    "each": "min_max",
    "each_of": {"semantic": "none"},
    "fused": {"unified": WITH_D},
}
PROTOCOLS = {
    "unified_pa": _PAPER,
    "unified_pa_without_d": {
        **_PAPER,
        "why": f"{_PAPER['why']}; the discriminator left out",
        "fused": {"unified": WITHOUT_D},
    },
}


def _carried(method: str, ped2: str, avenue: str, shanghaitech: str) -> Carried:
    return Carried(method, "ubnormal", {"ped2": ped2, "avenue": avenue, "shanghaitech": shanghaitech})


TRANSFERS = {
    "As published (Rai et al., 2024, table 3; micro AUC x 100, without intervals): trained in full, on another data "
    "set, and by another protocol, so not to be compared figure by figure.": (
        _carried("patch (LNTRA)", "78.80", "43.94", "61.57"),
        _carried("skip (LNTRA)", "85.21", "83.82", "70.52"),
        _carried("unified, with D", "85.37", "83.50", "70.07"),
    )
}


def _shares(title: str, kind: str, indicator: str, shares: tuple[float, ...]) -> Ablation:
    stored: dict[str, Any] = {"kinds": (kind,)}
    lines = (Variant(f"{share:g}", kind, {"probability": share}, stored, (indicator,)) for share in shares)
    return Ablation(title, "-", "unified_pa", tuple(lines))


def _whole_method(label: str, indicators: tuple[str, ...], published: str) -> Variant:
    return Variant(label, "unified", {}, {"kinds": ("spatial", "temporal")}, indicators, published=published)


_MASKS = {"random": ("random:medium_256", "91.18 / 83.13"), "motion": ("motion", "92.71 / 84.51")}
ABLATIONS = {
    "masks": Ablation(
        "What is painted over",
        "the unified PA paper: Ped2 / Avenue; its second line is of segmentation masks",
        "unified_pa",
        tuple(
            Variant(label, "spatial", {}, {"kinds": ("spatial",), "masks": masks}, ("psnr",), published=published)
            for label, (masks, published) in _MASKS.items()
        ),
    ),
    "discriminator": Ablation(
        "The unified method with and without its discriminator",
        "the unified PA paper's Table 1: Ped2 / Avenue / ShanghaiTech",
        "unified_pa",
        (
            _whole_method("without D", WITHOUT_D, "93.52 / 86.51 / 71.76"),
            _whole_method("with D", WITH_D, "93.53 / 86.61 / 71.65"),
        ),
    ),
    "p_s": _shares("Share of inpainted clips", "spatial", "psnr", (0.0, 0.2, 0.4, 0.6)),
    "p_t": _shares("Share of mixed flow", "temporal", "flow", (0.0, 0.25, 0.5, 0.75)),
}
