"""Objects cut out of frames, and through a network in batches of a fixed size."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pagen.device import exact

AT_ONCE = 8
"""A constant, so that the bytes of a clip's vectors do not depend on settings."""


def in_batches(network: Callable[[Tensor], Tensor], items: Iterable[Tensor], features: int) -> npt.NDArray[np.float32]:
    """Vectors (N, features) of items (...) by a network (AT_ONCE, ...) -> (AT_ONCE, features).

    Batches are counted from the first item, and the last is filled up by repetition: no batching changes a byte.
    """
    stream = iter(items)
    vectors = [np.empty((0, features), np.float32)]
    with torch.inference_mode(), exact():
        while chunk := list(islice(stream, AT_ONCE)):
            filled = torch.stack(chunk + chunk[-1:] * (AT_ONCE - len(chunk)))
            vectors.append(network(filled)[: len(chunk)].float().cpu().numpy())
    return np.concatenate(vectors)
