"""MemAE (Gong et al., "Memorizing Normality to Detect Anomaly", ICCV 2019)."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Any, ClassVar, Literal

from pagen.errors import PagenError
from pagen.models.networks import NETWORKS
from pagen.registry import resolve
from pagen.train.recipes.base import Parts, Scales
from pagen.train.recipes.clips import CPU, TINY, FrameRecipe


@dataclass(frozen=True)
class MemAERecipe(FrameRecipe):
    """The autoencoder that reconstructs out of a memory of normal codes (Gong et al. 2019; Ped2 94.1).

    `pagen train memae --dataset ped2`; a training as short as `cpu` leaves four times the baseline's error, and a third
    of the codes empty.
    """

    batch: int = 10
    epochs: int = 100
    memory: int = 2000
    """Items of the memory."""
    similarity: Literal["dot", "cosine"] = "dot"
    """How a code looks for items; `cosine` leaves most codes empty at the published threshold."""
    entropy: float = 0.0002
    """Weight of the entropy of the addresses in the loss."""

    name: ClassVar[str] = "memae"
    scales: ClassVar[Scales] = {"paper": {}, "cpu": {**CPU, "memory": 500}, "tiny": {**TINY, "memory": 50}}

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.memory < 2 or not 0 <= self.entropy < inf:
            found = f"{self.memory} and {self.entropy}"
            raise PagenError(f"expected --memory of 2 and more and --entropy not below 0, found {found}")

    def network(self, batches: Any) -> Any:
        """The autoencoder with its memory, drawn as published."""
        network = NETWORKS["MemAE"](self.channels, self.widths, self.memory, self.similarity)
        resolve("pagen.models.memae:published_initialisation")(network)
        return network

    def objective(self, network: Any, batch: dict[str, Any]) -> Parts:
        """The error, and the entropy of the addresses with its weight; `empty` is the share of codes without one."""
        from torch.nn.functional import mse_loss

        rebuilt, weights = network.addressed(batch["clips"])
        error, spread = mse_loss(rebuilt, batch["targets"]), resolve("pagen.models.memae:entropy")(weights)
        empty = resolve("pagen.models.memae:empty_share")(weights)
        return {"loss": error + self.entropy * spread, "error": error, "entropy": spread, "empty": empty}
