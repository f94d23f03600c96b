"""GCL: figures of its paper. Its ShanghaiTech is another split (Zhong et al., 2019), hence another data set."""

from __future__ import annotations

from pagen.papers.forms import Published, column


def _figures(variant: str, shanghaitech: float, ucf_crime: float) -> dict[str, Published]:
    figures = {"shanghaitech:zhong": shanghaitech, "ucf_crime": ucf_crime}
    return column(f"GCL's Tables 1 and 2, {variant}", None, **figures)


PUBLISHED = {
    "gcl_b": _figures("GCL_B", 72.41, 68.17),
    "gcl": _figures("GCL_PT", 78.93, 71.04),
    "gcl_occ": _figures("GCL_OCC", 79.62, 74.20),
    "gcl_ws": _figures("GCL_WS", 86.21, 79.84),
}
_VARIANTS = {"gcl_b": "B", "gcl": "PT", "gcl_occ": "OCC", "gcl_ws": "WS"}
ROWS = {row: {"recipe": "gcl", "variant": variant} for row, variant in _VARIANTS.items()}
