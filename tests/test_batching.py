"""Batches of one size against what the network makes of all items at once."""

from __future__ import annotations

import numpy as np
import torch

from pagen.batching import in_batches


def test_batches_are_full_and_change_nothing() -> None:
    sizes = []

    def network(batch: list[torch.Tensor]) -> torch.Tensor:
        sizes.append(len(batch))
        return torch.stack(batch) * 2

    for count in (0, 1, 8, 9):
        items = torch.arange(count * 3, dtype=torch.float32).view(count, 3)
        np.testing.assert_array_equal(in_batches(network, iter(items), 8, (3,)), items.numpy() * 2)
    assert sizes == [8] * 4


def test_numbers_keep_their_width() -> None:
    values = in_batches(lambda batch: torch.tensor(batch, dtype=torch.float64), [1.0, 2.0, 3.0], 2, ())
    assert (values.dtype, values.tolist()) == (np.float64, [1, 2, 3])
