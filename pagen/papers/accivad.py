"""AccI-VAD: the protocol of its released code."""

from __future__ import annotations

WIDTHS = {"*": 3.0, "shanghaitech": 7.0}
"""Data set -> width of the Gaussian, in frames."""
_RELEASED = {
    "why": "as AccI-VAD's released code: each indicator by the range of all training objects, macro with two frames "
    "added to a video",
    "each": "object_min_max",
    "each_of": {"pose": "object_min_most", "velocity": "object_min_most"},
    "smooth": "reflected",
    "sigma": WIDTHS,
    "macro": "accivad",
}
_FRAMES = {
    "why": "as protocol accivad, but for the ranges, which are those of each training frame's highest object",
    "each": "trained_min_max",
    "each_of": {},
}
PROTOCOLS = {"accivad": _RELEASED, "accivad_frames": {**_RELEASED, **_FRAMES}}
