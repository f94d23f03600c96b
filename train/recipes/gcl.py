"""GCL (Zaheer et al., "Generative Cooperative Learning for Unsupervised Video Anomaly Detection", CVPR 2022)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from pagen.errors import PagenError
from pagen.features.spec import is_of_objects
from pagen.train.recipes.base import Scales
from pagen.train.recipes.density import DetectorRecipe
from pagen.train.recipes.features import PARTS


@dataclass(frozen=True)
class GclRecipe(DetectorRecipe):
    """GCL (Zaheer et al., CVPR 2022): two networks that teach each other on footage that may hold anomalies.

    `pagen train gcl --dataset ped2:mixed --features lite0`
    """

    features: str = "lite0"
    pool: int = 16
    """Frames of a segment, whose vectors an encoder of frames averages."""
    variant: Literal["B", "PT", "OCC", "WS"] = "PT"
    """From scratch; pre-trained on what changes little; or with the clips that are known to be normal (OCC, WS)."""
    targets: Literal["ones", "replace", "gaussian", "none"] = "ones"
    """What the generator is to make of what the discriminator calls abnormal."""
    epochs: int = 15
    """Epochs of cooperation."""
    pretraining: int = 15
    """Epochs of each network's pre-training."""
    batch: int = 8192
    """Segments in a step."""
    lr: float = 2e-5
    """Learning rate of RMSprop."""
    momentum: float = 0.6
    """Of RMSprop."""
    factor: float = 1.0
    """Deviations above the mean error from which on the generator calls a segment abnormal."""
    discriminator_factor: float = 0.1
    """The same of the discriminator's probabilities."""
    calm: float = 0.8
    """Share of the segments, those that change least, that PT is pre-trained on."""

    name: ClassVar[str] = "gcl"
    fitting: ClassVar[str] = "pagen.train.gcl_session:fit_segments"
    scales: ClassVar[Scales] = {
        "paper": {},
        "cpu": {"size": (192, 288), "batch": 64, "lr": 1e-4, "epochs": 30, "pretraining": 30},
        "tiny": {"size": (96, 144), "batch": 32, "lr": 1e-4, "epochs": 3, "pretraining": 2},
    }

    def __post_init__(self) -> None:
        if self.features.partition(":")[0] in PARTS or is_of_objects(self.features):
            found = f"{self.features}; take lite0 or latents:RUN"
            raise PagenError(f"expected --features of whole frames for gcl, found {found}")
        super().__post_init__()
