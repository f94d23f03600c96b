"""Intervals by drawing whole videos with replacement, of one run or of the difference of two.

Frames of a video hang together, so the video is what is drawn (a block bootstrap with the video as its block; Efron
and Tibshirani 1993, chapters 8 and 13). A set that is drawn is a row of multiplicities: how often each video stands
in it. A statistic maps rows to values, so that it can count once and only weigh afterwards; `resampled` makes one of
any measure, the slow way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from pagen.errors import PagenError
from pagen.eval.metrics.roc import ByVideo, resampled_auroc, same_videos
from pagen.eval.metrics.undefined import Undefined

Values = npt.NDArray[np.float64]
Multiplicities = npt.NDArray[np.int64]
"""(draws, videos), each row summing to the number of videos."""
Statistic = Callable[[Multiplicities], Values]
"""(draws, videos) -> (draws,); NaN where a draw has no value."""


@dataclass(frozen=True)
class Paired:
    """The difference of two runs, first less second, both measured on the same draws.

    Example:
        >>> Paired(difference=0.1, low=-0.02, high=0.3, above=0.9, first=(0.7, 0.95)).above
        0.9
    """

    difference: float
    """The difference of all videos, each once."""
    low: float
    high: float
    above: float
    """Share of the draws in which the first is higher; a tie is one half."""
    first: tuple[float, float]
    """The interval of the first alone: what `bootstrap` gives with the same generator."""


def multiplicities(videos: int, rng: np.random.Generator, draws: int) -> Multiplicities:
    """How often each video is drawn: (draws, videos). Raises PagenError for fewer than one draw.

    Example:
        >>> multiplicities(videos=3, rng=np.random.default_rng(0), draws=4).sum(axis=1)
        array([3, 3, 3, 3])
    """
    if draws < 1:
        raise PagenError(f"expected 1 draw and more, found {draws}; 1000 is a good number")
    return rng.multinomial(videos, np.full(videos, 1 / max(videos, 1)), size=draws)


def bootstrap(
    statistic: Statistic, videos: int, rng: np.random.Generator, draws: int = 1000, level: float = 0.95
) -> tuple[float, float]:
    """Percentile interval (low, high) of a statistic, as `interval` takes it from that many draws.

    Example:
        >>> lengths = np.array([10.0, 30.0])
        >>> bootstrap(lambda drawn: drawn @ lengths / 2, 2, np.random.default_rng(0), draws=100)  # of the mean length
        (10.0, 30.0)
    """
    return interval(statistic(multiplicities(videos, rng, draws)), videos, level)


def paired_bootstrap(
    first: Statistic, second: Statistic, videos: int, rng: np.random.Generator, draws: int = 1000, level: float = 0.95
) -> Paired:
    """Compare two runs on the same draws: what makes a draw easy or hard is in both and leaves the difference.

    Args:
        first, second: of the same videos in the same order.

    Example:
        >>> first, second = np.array([0.9, 0.8, 0.7]), np.array([0.8, 0.8, 0.6])
        >>> rng = np.random.default_rng(0)
        >>> pair = paired_bootstrap(lambda drawn: drawn @ first, lambda drawn: drawn @ second, 3, rng)
        >>> round(pair.difference, 4), pair.above > 0.9
        (0.2, True)
    """
    once_and_drawn = np.concatenate([np.ones((1, videos), np.int64), multiplicities(videos, rng, draws)])
    ours, theirs = first(once_and_drawn), second(once_and_drawn)
    difference, differences = ours[0] - theirs[0], ours[1:] - theirs[1:]
    low, high = interval(differences, videos, level)
    defined = differences[~np.isnan(differences)]
    above = low if np.isnan(low) else float(np.mean((defined > 0) + (defined == 0) / 2))
    return Paired(float(difference), low, high, above, interval(ours[1:], videos, level))


def interval(values: Values, videos: int, level: float = 0.95) -> tuple[float, float]:
    """The quantiles (1 - level) / 2 and (1 + level) / 2 of values (draws,) that draws of `videos` videos gave.

    Returns:
        NaN with a reason where there are fewer than two videos, or no draw has a value.

    Raises:
        PagenError: a level outside (0, 1).

    Example:
        >>> interval(np.arange(101.0), videos=5, level=0.5)
        (25.0, 75.0)
    """
    if not 0 < level < 1:
        raise PagenError(f"expected a level between 0 and 1, found {level}; 0.95 is usual")
    defined = values[~np.isnan(values)]
    if videos < 2 or len(defined) == 0:
        nothing = Undefined("fewer than two videos to draw from" if videos < 2 else "undefined in every draw")
        return nothing, nothing
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def resampled(measure: Callable[..., float], drawn: Multiplicities, *by_video: Mapping[str, Any]) -> Values:
    """Any measure of the videos drawn, each put in as often as it was drawn: (draws,).

    Args:
        measure: takes mappings video -> anything, as `by_video` holds them.
        drawn: (draws, videos), in the order of `by_video[0]`.
        by_video: of the same videos.

    Example:
        >>> lengths = {"a": 10, "b": 30}
        >>> resampled(lambda drawn: sum(drawn.values()), np.array([[1, 1], [2, 0]]), lengths)
        array([40., 20.])
    """
    names = list(by_video[0])
    values = []
    for row in drawn:
        copies = [(name, copy) for name, count in zip(names, row, strict=True) for copy in range(count)]
        parts = [{f"{name}#{copy}": part[name] for name, copy in copies} for part in by_video]
        values.append(measure(*parts))
    return np.array(values, np.float64)


def bootstrap_interval(
    scores: ByVideo, labels: ByVideo, rng: np.random.Generator, draws: int = 1000, level: float = 0.95
) -> tuple[float, float]:
    """Percentile interval of the micro AUROC when whole videos are drawn with replacement; see `bootstrap`.

    A draw without both classes has no AUROC and is left out. Each draw gives exactly `auroc` of the videos drawn,
    put together: the pairs are counted once for every two videos and then only weighted.

    Returns:
        (low, high) in [0, 1]; NaN with a reason where there are fewer than two videos or no draw has both classes.

    Example:
        >>> scores = {"a": [0.1, 0.9, 0.4], "b": [0.3, 0.2]}
        >>> labels = {"a": [0, 1, 0], "b": [1, 0]}
        >>> low, high = bootstrap_interval(scores, labels, np.random.default_rng(0), draws=20)
        >>> round(low, 4), high
        (0.8333, 1.0)
    """
    return bootstrap(partial(resampled_auroc, scores, labels), len(scores), rng, draws, level)


def paired_auroc(
    first: ByVideo, second: ByVideo, labels: ByVideo, rng: np.random.Generator, draws: int = 1000, level: float = 0.95
) -> Paired:
    """By how much the micro AUROC of one run exceeds that of another on the same frames; see `paired_bootstrap`.

    Example:
        >>> scores = {"a": [0.1, 0.9, 0.4], "b": [0.3, 0.2]}
        >>> labels = {"a": [0, 1, 0], "b": [1, 0]}
        >>> worse = {name: [0.5] * len(values) for name, values in scores.items()}
        >>> round(paired_auroc(scores, worse, labels, np.random.default_rng(0), draws=20).difference, 4)
        0.3333
    """
    same_videos(first, labels)
    same_videos(second, labels)
    ours, theirs = (partial(resampled_auroc, {name: run[name] for name in labels}, labels) for run in (first, second))
    return paired_bootstrap(ours, theirs, len(labels), rng, draws, level)
