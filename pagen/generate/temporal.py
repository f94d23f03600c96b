"""Temporal pseudo-anomalies: a region of the flow mixed with another of the same map (Rai et al. 2024, equation 3).

p' = lambda p + (1 - lambda) p_r, where p is the region of the mask, p_r a region of the same size at a random place of
the same flow map, and lambda ~ Beta(0.4, 0.4), which leaves 18 % with a lambda above 0.95, all but copies of the normal
flow. The text of the paper mixes the mask's rectangle, its figure 2 shows only the silhouette changed: both are here.

Our reading where the paper is silent: lambda multiplies the region's own flow, is one number for both directions of the
flow, and is kept, like the place, for a segment of 16 flow maps, unless each map is to have its own; the mask of frame
t goes with the flow from t to t + 1.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from pagen.arrays import Masks

Flow = npt.NDArray[np.floating[Any]]
Place = tuple[float, float]
Per = Literal["clip", "frame"]
BETA = 0.4


def mix_flow(
    flow: Flow, masks: Masks, weight: float | list[float], place: Place | list[Place], region: str = "silhouette"
) -> tuple[Flow, Masks]:
    """Mix the masked region of every flow map with another region of the map.

    Args:
        flow: (T, 2, H, W) in pixels per frame.
        masks: (T, H, W), none of them empty.
        weight: lambda, of the region's own flow, in [0, 1]; one, or a list of T.
        place: where the other region lies, (y, x) in [0, 1): the share of the room that its rectangle has; one,
            or a list of T.
        region: `"silhouette"` mixes the masked pixels, `"rectangle"` their bounding box.

    Returns:
        The mixed flow (T, 2, H, W), equal to `flow` outside the region, and the region (T, H, W).

    Example:
        >>> flow = np.arange(4.0).reshape(1, 1, 1, 4).repeat(2, axis=1)
        >>> mask = np.array([[[True, False, False, False]]])
        >>> mixed, region = mix_flow(flow, mask, weight=0.25, place=(0.0, 0.99))
        >>> mixed[0, 0].tolist()  # a quarter of 0 and three quarters of 3
        [[2.25, 1.0, 2.0, 3.0]]
    """
    mixed, regions = np.array(flow, np.float32), np.zeros_like(masks)
    weights, places = np.broadcast_to(weight, len(masks)).tolist(), np.broadcast_to(place, (len(masks), 2)).tolist()
    for t, (mask, own_share, corner) in enumerate(zip(masks, weights, places, strict=True)):
        top, left, height, width = bounding_box(mask)
        room = mask.shape[0] - height + 1, mask.shape[1] - width + 1
        other = int(corner[0] * room[0]), int(corner[1] * room[1])
        here = np.s_[top : top + height, left : left + width]
        there = np.s_[other[0] : other[0] + height, other[1] : other[1] + width]
        regions[t][here] = mask[here] if region == "silhouette" else True
        own, foreign = np.asarray(flow[t], np.float32)[:, *here], np.asarray(flow[t], np.float32)[:, *there]
        mixed[t][:, *here] = np.where(regions[t][here], own_share * own + (1 - own_share) * foreign, own)
    return mixed.astype(flow.dtype), regions


def draw_mix(
    rng: np.random.Generator, maps: int = 1, lambda_per: Per = "clip", place_per: Per = "clip", lambda_max: float = 1.0
) -> tuple[float | list[float], Place | list[Place]]:
    """Lambda ~ Beta(0.4, 0.4) and the place of the other region, as `mix_flow` takes them.

    Args:
        maps: how many flow maps a list is for.
        lambda_per, place_per: `"clip"` draws one, `"frame"` a list of one for each map.
        lambda_max: a lambda above it is drawn again; 1 keeps all, as published.

    Example:
        >>> weight, place = draw_mix(np.random.default_rng(0), lambda_max=0.9)
        >>> 0 <= weight <= 0.9, len(place)
        (True, 2)
    """
    weights = [_draw_lambda(rng, lambda_max) for _ in range(1 if lambda_per == "clip" else maps)]
    places: list[Place] = [(rng.random(), rng.random()) for _ in range(1 if place_per == "clip" else maps)]
    return weights[0] if lambda_per == "clip" else weights, places[0] if place_per == "clip" else places


def _draw_lambda(rng: np.random.Generator, largest: float) -> float:
    while (weight := float(rng.beta(BETA, BETA))) > largest:
        pass
    return weight


def bounding_box(mask: npt.NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """(top, left, height, width) of a mask (H, W) that is not empty.

    Example:
        >>> bounding_box(np.array([[False, False], [False, True]]))
        (1, 1, 1, 1)
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(rows[0]), int(columns[0]), int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1
