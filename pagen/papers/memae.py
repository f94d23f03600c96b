"""MemAE: its figures, as LUSS-AE's paper gives them."""

from __future__ import annotations

from pagen.papers.forms import column

PUBLISHED = {"memae": column("LUSS-AE's Table 1", "lntra", ped2=94.10, avenue=83.30, shanghaitech=71.20)}
