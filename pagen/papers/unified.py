"""The unified method of pseudo-anomalies (Rai et al., 2024): protocol, figures, ablations, transfers."""

from __future__ import annotations

from typing import Any

from pagen.papers.forms import Ablation, Variant, column

PUBLISHED = {
    "spatial": column("unified PA's Table 4, segmentation masks", "unified_pa", ped2=92.71, avenue=84.51),
    "unified": column(
        "unified PA's Tables 1 and 2", "unified_pa", ped2=93.53, avenue=86.61, shanghaitech=71.65, ubnormal=57.98
    ),
}
FUSED = {"unified": ("psnr_local", "flow_local", "semantic")}
PROTOCOLS = {
    "unified_pa": {
        "why": "as the unified PA paper says: windows that do not overlap, their 9th frame alone; weights are not "
        "published, ours are alike",
        "policy": "block",
        "dropped_first": 8,
        "dropped_last": 7,
        "every": 16,
        "probabilities": True,
        "each": "min_max",
        "fused": {"unified": ("psnr", "flow", "semantic")},
    }
}
TRANSFERS = {
    "As published (Rai et al., 2024, table 3; micro AUC x 100, without intervals; the last line is the unified "
    "method): trained in full, on another data set, and by another protocol, so not to be compared figure by figure.": (
        ("trained on UBnormal", "Ped2", "Avenue", "ShanghaiTech"),
        ("Patch (LNTRA)", "78.80", "43.94", "61.57"),
        ("Skip-Frame (LNTRA)", "85.21", "83.82", "70.52"),
        ("Ours with D", "85.37", "83.50", "70.07"),
    )
}


def _shares(title: str, kind: str, indicator: str, shares: tuple[float, ...]) -> Ablation:
    stored: dict[str, Any] = {"kinds": (kind,)}
    lines = (Variant(f"{share:g}", kind, {"probability": share}, stored, (indicator,)) for share in shares)
    return Ablation(title, "-", "unified_pa", tuple(lines))


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
    "p_s": _shares("Share of inpainted clips", "spatial", "psnr", (0.0, 0.2, 0.4, 0.6)),
    "p_t": _shares("Share of mixed flow", "temporal", "flow", (0.0, 0.25, 0.5, 0.75)),
}
