"""A step as one module, for several processes: a network with its objective, and norms that count over all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from pagen.errors import PagenError
from pagen.train.batches import Batch

Objective = Callable[[Any, Batch], dict[str, Tensor]]
"""Network and batch -> `loss`, and the parts that it is made of."""


class Step(nn.Module):
    """A network with its objective as one module: what several processes must call as one."""

    def __init__(self, network: nn.Module, objective: Objective) -> None:
        super().__init__()
        self.network, self.objective = network, objective

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """The parts of the loss. Raises PagenError where the objective gives something else."""
        parts = self.objective(self.network, batch)
        if not isinstance(parts, dict) or not isinstance(parts.get("loss"), Tensor) or parts["loss"].numel() != 1:
            raise PagenError(
                f"expected a tensor of one number as 'loss' of the objective, found {parts!r:.120}; mend it"
            )
        return parts


class SyncedBatchNorm3d(nn.BatchNorm3d):
    """Batch normalisation over the clips of all processes, so that a step is that of one process with all of them.

    torch's own SyncBatchNorm is for GPUs alone.
    """

    def forward(self, clips: Tensor) -> Tensor:
        """(B, C, T, H, W) -> the same."""
        if not self.training:
            return super().forward(clips)
        from torch.distributed import get_world_size
        from torch.distributed.nn.functional import all_reduce

        axes = (0, 2, 3, 4)
        count = clips.numel() // clips.shape[1] * get_world_size()
        mean = all_reduce(clips.sum(axes)) / count
        centred = clips - mean[:, None, None, None]
        variance = all_reduce(centred.square().sum(axes)) / count
        tracked: Any = self  # to torch the three may be None; all of ours keep them
        with torch.no_grad():
            tracked.num_batches_tracked += 1
            tracked.running_mean.lerp_(mean, self.momentum)
            tracked.running_var.lerp_(variance * count / (count - 1), self.momentum)
        scale = (variance + self.eps).rsqrt() * self.weight
        normal: Tensor = centred * scale[:, None, None, None] + self.bias[:, None, None, None]
        return normal


def synchronise_norms(network: nn.Module) -> None:
    """Make the batch normalisations of a network count over all processes, in place; its weights keep their names."""
    for module in network.modules():
        if type(module) is nn.BatchNorm3d:
            module.__class__ = SyncedBatchNorm3d
