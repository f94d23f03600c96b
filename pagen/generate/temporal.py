"""Temporal pseudo-anomalies: a region of the flow mixed with another of the same map (Rai et al. 2024, equation 3).

p' = lambda p + (1 - lambda) p_r, where p is the region of the mask, p_r a region of the same size at
a random place of the same flow map, and lambda ~ Beta(0.4, 0.4). The text of the paper mixes the
mask's rectangle, its figure 2 shows only the silhouette changed: both are here.

Our reading where the paper is silent: lambda multiplies the region's own flow, is one number for both
directions of the flow, and is kept, like the place, for a segment of 16 flow maps; the mask of frame t
goes with the flow from t to t + 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Flow = npt.NDArray[np.floating[Any]]
Masks = npt.NDArray[np.bool_]
BETA = 0.4


def mix_flow(
    flow: Flow, masks: Masks, weight: float, place: tuple[float, float], region: str = "silhouette"
) -> tuple[Flow, Masks]:
    """Mix the masked region of every flow map with another region of the map.

    Args:
        flow: (T, 2, H, W) in pixels per frame.
        masks: (T, H, W), none of them empty.
        weight: lambda, of the region's own flow, in [0, 1].
        place: where the other region lies, (y, x) in [0, 1): the share of the room that its rectangle has.
        region: `"silhouette"` mixes the masked pixels, `"rectangle"` their bounding box.

    Returns:
        The mixed flow (T, 2, H, W), equal to `flow` outside the region, and the region (T, H, W).
    """
    mixed, regions = np.array(flow, np.float32), np.zeros_like(masks)
    for t, mask in enumerate(masks):
        top, left, height, width = bounding_box(mask)
        room = mask.shape[0] - height + 1, mask.shape[1] - width + 1
        other = int(place[0] * room[0]), int(place[1] * room[1])
        here = np.s_[top : top + height, left : left + width]
        there = np.s_[other[0] : other[0] + height, other[1] : other[1] + width]
        regions[t][here] = mask[here] if region == "silhouette" else True
        own, foreign = np.asarray(flow[t], np.float32)[:, *here], np.asarray(flow[t], np.float32)[:, *there]
        mixed[t][:, *here] = np.where(regions[t][here], weight * own + (1 - weight) * foreign, own)
    return mixed.astype(flow.dtype), regions


def draw_mix(rng: np.random.Generator) -> tuple[float, tuple[float, float]]:
    """Lambda ~ Beta(0.4, 0.4) and the place of the other region."""
    weight = float(rng.beta(BETA, BETA))
    return weight, (float(rng.random()), float(rng.random()))


def bounding_box(mask: npt.NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """(top, left, height, width) of a mask (H, W) that is not empty."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(rows[0]), int(columns[0]), int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1
