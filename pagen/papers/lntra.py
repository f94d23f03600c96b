"""LNTRA and STEAL Net: the protocol of their released code, and the figures and ablations of their READMEs."""

from __future__ import annotations

from pagen.papers.forms import Ablation, Variant, column

README = "LNTRA's README"
PUBLISHED = {
    "baseline": column(README, "lntra", ped2=92.49, avenue=81.47, shanghaitech=71.28),
    "patch": column(f"{README}, SmoothMixS of CIFAR-100", "lntra", ped2=94.77, avenue=84.91, shanghaitech=72.46),
    "skip": column(README, "lntra", ped2=96.50, avenue=84.67, shanghaitech=75.97),
    "steal": column("STEAL Net's README", "lntra", ped2=98.4, avenue=87.1, shanghaitech=73.7),
}
PROTOCOLS = {
    "lntra": {
        "why": "as LNTRA's and STEAL Net's released code: windows inside the video, their 9th frame",
        "policy": "ninth",
        "dropped_first": 8,
        "dropped_last": 7,
        "each": "min_max",
    }
}


def _line(label: str, recipe: str, published: str, **changes: str) -> Variant:
    return Variant(label, recipe, changes, indicators=("psnr",), published=published)


_PATCHES = {"smoothmix_s": "94.77", "smoothmix_c": "94.22", "cutmix": "93.54", "mixup": "94.52"}
ABLATIONS = {
    "patches": Ablation(
        "Masks of patches",
        "LNTRA's README: Ped2",
        "lntra",
        tuple(_line(mask, "patch", published, patch=mask) for mask, published in _PATCHES.items()),
    ),
    "kinds": Ablation(
        "Kinds of pseudo-anomalies",
        "LNTRA's and STEAL Net's README: Ped2",
        "lntra",
        (
            _line("none", "baseline", "92.49"),
            _line("patches", "patch", "94.77"),
            _line("skipped frames", "skip", "96.50"),
            _line("skipped frames, pushed away", "steal", "98.4"),
            Variant("inpainted", "spatial", {}, {"kinds": ("spatial",)}, ("psnr",)),
        ),
    ),
}
