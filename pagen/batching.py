"""Items through a network in batches of one size, so that no batching changes a byte."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pagen.device import exact

T = TypeVar("T")


def in_batches(
    network: Callable[[list[T]], Tensor], items: Iterable[T], size: int, shape: tuple[int, ...]
) -> npt.NDArray[Any]:
    """What a network makes of items, (N, *shape).

    The network takes `size` items, and gives (size, *shape). Batches are counted from the first item, and the last is
    filled up by repeating its last item.

    Example:
        >>> sizes = []
        >>> def double(batch):
        ...     sizes.append(len(batch))
        ...     return 2 * torch.tensor(batch)
        >>> in_batches(double, [1.0, 2.0, 3.0], 2, ()).tolist(), sizes
        ([2.0, 4.0, 6.0], [2, 2])
    """
    stream, results = iter(items), [np.empty((0, *shape), np.float32)]
    with torch.inference_mode(), exact():
        while batch := list(islice(stream, size)):
            full = batch + batch[-1:] * (size - len(batch))
            results.append(network(full)[: len(batch)].cpu().numpy())
    return np.concatenate(results)
