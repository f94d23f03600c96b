"""AccI-VAD: the protocol of its released code."""

from __future__ import annotations

WIDTHS = {"*": 3.0, "shanghaitech": 7.0}
"""Data set -> width of the Gaussian, in frames."""
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
