"""AccI-VAD: the protocol of its released code, and its figures, as MULDE's paper gives them."""

from __future__ import annotations

from pagen.papers.forms import column

WIDTHS = {"*": 3.0, "shanghaitech": 7.0}
"""Data set -> width of the Gaussian, in frames."""
PUBLISHED = {
    "accivad": column(
        "MULDE's Table 1; AccI-VAD's whole chain (velocity by gmm, pose and deep by knn)",
        "accivad",
        ped2=(99.1, 99.9),
        avenue=(93.3, 96.2),
        shanghaitech=(85.9, 89.6),
    )
}
PROTOCOLS = {
    "accivad": {
        "why": "as AccI-VAD's released code: each indicator by its training range, macro with two frames added to a "
        "video",
        "each": "trained_min_max",
        "smooth": "reflected",
        "sigma": WIDTHS,
        "macro": "accivad",
    }
}
