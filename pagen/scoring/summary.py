"""What is known of an indicator's scores on normal footage: enough to rescale others by it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def summary(values: npt.NDArray[np.float64]) -> dict[str, float]:
    """Mean, deviation, count, median and the percentiles p0 to p100 of scores (N,), linear between neighbours."""
    grid = np.percentile(values, range(101))
    about = {"mean": values.mean(), "std": values.std(), "count": len(values), "median": grid[50]}
    about |= {f"p{percent}": value for percent, value in enumerate(grid)}
    return {name: float(value) for name, value in about.items()}
