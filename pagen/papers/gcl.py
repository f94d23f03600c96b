"""GCL: figures and tables of its paper. Its ShanghaiTech is another split (Zhong et al., 2019), another data set."""

from __future__ import annotations

from typing import Any

from pagen.papers.forms import Ablation, Published, Variant, column

STAND_IN = "lite0"
"""Features in place of the paper's ResNext3d, which are at nobody's hand."""


def _figures(variant: str, ucf_crime: float, shanghaitech: float | None = None) -> dict[str, Published]:
    figures = {"ucf_crime": ucf_crime} | ({} if shanghaitech is None else {"shanghaitech:weak": shanghaitech})
    return column(f"GCL's Tables 1 and 2, {variant}", None, **figures)


PUBLISHED = {
    "gcl_ae_alldata": _figures("AE_AllData", 56.32, 62.73),
    "gcl_ae_occ": _figures("AE_OCC", 65.76),
    "gcl_ae_td": _figures("AE_TD", 63.84),
    "gcl_without_nl": _figures("GCL_w/oNL", 64.23),
    "gcl_own": column("GCL's section 4.2, own labels", None, ucf_crime=62.28),
    "gcl_soft": column("GCL's section 4.2, soft labels", None, ucf_crime=63.58),
    "gcl_b": _figures("GCL_B", 68.17, 72.41),
    "gcl": _figures("GCL_PT", 71.04, 78.93),
    "gcl_occ": _figures("GCL_OCC", 74.20, 79.62),
    "gcl_ws": _figures("GCL_WS", 79.84, 86.21),
}
ROWS = {
    "gcl_ae_alldata": {"recipe": "gcl", "variant": "AE_AllData"},
    "gcl_ae_occ": {"recipe": "gcl", "variant": "AE_OCC"},
    "gcl_ae_td": {"recipe": "gcl", "variant": "AE_TD"},
    "gcl_without_nl": {"recipe": "gcl", "variant": "B", "targets": "none"},
    "gcl_own": {"recipe": "gcl", "variant": "PT", "teaching": "own"},
    "gcl_soft": {"recipe": "gcl", "variant": "PT", "teaching": "soft"},
    "gcl_b": {"recipe": "gcl", "variant": "B"},
    "gcl": {"recipe": "gcl", "variant": "PT"},
    "gcl_occ": {"recipe": "gcl", "variant": "OCC"},
    "gcl_ws": {"recipe": "gcl", "variant": "WS"},
}
"""Row of `PUBLISHED` -> what `recipe.json` of a run says that it fits; of several that fit, the one that asks most."""


def _line(label: str, published: str = "-", **changes: Any) -> Variant:
    return Variant(label, "gcl", {"features": STAND_IN, **changes}, indicators=("density",), published=published)


def _of(row: str) -> str:
    """The paper's figures of a row, in the order that the tables' `where` says."""
    figures = [PUBLISHED[row].get(dataset) for dataset in ("ucf_crime", "shanghaitech:weak")]
    return " / ".join("-" if one is None else f"{one.micro:.2f}" for one in figures)


ABLATIONS = {
    "gcl": Ablation(
        "GCL and what it is made of",
        "GCL's Tables 1 and 2 and section 4.2: UCF-Crime / ShanghaiTech, split of Zhong and others",
        "raw",
        (
            _line("autoencoder of everything (AE_AllData)", _of("gcl_ae_alldata"), variant="AE_AllData"),
            _line("of normal videos (AE_OCC)", _of("gcl_ae_occ"), variant="AE_OCC"),
            _line("of what changes little (AE_TD)", _of("gcl_ae_td"), variant="AE_TD"),
            _line("B, without negative learning", _of("gcl_without_nl"), variant="B", targets="none"),
            _line("B", _of("gcl_b"), variant="B"),
            _line("B, scored by G", variant="B", score="G"),
            _line("PT", _of("gcl"), variant="PT"),
            _line("PT, scored by G", variant="PT", score="G"),
            _line("PT, G by its own labels", _of("gcl_own"), variant="PT", teaching="own"),
            _line("PT, soft labels", _of("gcl_soft"), variant="PT", teaching="soft"),
            _line("OCC", _of("gcl_occ"), variant="OCC"),
            _line("WS", _of("gcl_ws"), variant="WS"),
        ),
        STAND_IN,
    ),
    "gcl_targets": Ablation(
        "What GCL's generator is to make of an anomaly, variant B",
        "GCL's Table 2: UCF-Crime; its Figure 5 has curves of the other targets, below that of ones, without figures",
        "raw",
        (
            _line("left out: no negative learning", "64.23", variant="B", targets="none"),
            _line("ones", "68.17", variant="B", targets="ones"),
            _line("a normal feature (replace)", variant="B", targets="replace"),
            _line("itself with noise of 1.5", variant="B", targets="gaussian", noise=1.5),
            _line("itself with noise of 6", variant="B", targets="gaussian", noise=6.0),
        ),
        STAND_IN,
    ),
    "gcl_weak": Ablation(
        "Share of weak labels that GCL_WS knows",
        "GCL's Table 1, PT and WS: UCF-Crime; its Figure 9 has a rising curve between them, without figures",
        "raw",
        tuple(
            _line(f"{share:.0%}".replace("%", " %"), published, variant="WS", weak_share=share)
            for share, published in ((0.0, "71.04"), (0.33, "-"), (0.66, "-"), (1.0, "79.84"))
        ),
        STAND_IN,
    ),
    "gcl_anomalies": Ablation(
        "Share of training videos with anomalies, variant PT",
        "no paper has it",
        "raw",
        tuple(
            _line(f"{share:.0%}".replace("%", " %"), anomaly_share=share) for share in (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)
        ),
        STAND_IN,
    ),
}
