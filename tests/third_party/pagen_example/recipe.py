"""How the network is trained, and what its score is called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from pagen.models.networks import NETWORKS
from pagen.scoring.indicator_table import Indicator
from pagen.train.recipes.clips import FrameRecipe

DETAIL = Indicator("dB", False, "error of what is coarse: its PSNR, negative, in dB")


@dataclass(frozen=True)
class CoarseRecipe(FrameRecipe):
    """The coarse network on clips, which may be pseudo-anomalies."""

    width: int = 4
    """Channels between the two convolutions."""

    name: ClassVar[str] = "coarse"

    def network(self, batches: Any) -> Any:
        """The untrained network."""
        return NETWORKS["Coarse"](self.channels, self.width)
