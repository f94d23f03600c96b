"""MSMA: its figures on video, as MULDE's paper gives them."""

from __future__ import annotations

from pagen.papers.forms import column

PUBLISHED = {
    "msma": column(
        "MULDE's Table 1, objects", "mulde", ped2=(99.5, 99.9), avenue=(90.2, 92.5), shanghaitech=(84.1, 90.2)
    ),
    "msma_frames": column(
        "MULDE's Table 2, Hiera-L", "mulde", shanghaitech=(76.7, 84.2), ucf_crime=(64.5, 83.4), ubnormal=(70.3, 85.1)
    ),
}
