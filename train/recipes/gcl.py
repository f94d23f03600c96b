"""GCL (Zaheer et al., "Generative Cooperative Learning for Unsupervised Video Anomaly Detection", CVPR 2022)."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar

from pagen.errors import PagenError
from pagen.features.spec import is_of_objects
from pagen.models.density.gcl_settings import GCLSettings, Network, Target, Teaching, Variant
from pagen.train.recipes.base import Scales
from pagen.train.recipes.density import DetectorRecipe
from pagen.train.recipes.features import PARTS

NARROW: dict[str, Any] = {"widths": (256, 128, 64, 128, 256), "discriminator_widths": (128, 32)}


@dataclass(frozen=True)
class GclRecipe(DetectorRecipe):
    """GCL (Zaheer et al., CVPR 2022): two networks that teach each other on footage that may hold anomalies.

    `pagen train gcl --dataset ped2:mixed --features lite0`
    """

    features: str = "lite0"
    segment: int = 16
    """Frames of the segments that videos are cut into, over which vectors of frames are averaged."""
    variant: Variant = "PT"
    """From scratch (B); pre-trained on what changes little (PT), or on videos known to be normal (OCC, WS); or the
    generator alone, on everything, on videos known to be normal, or on what changes little."""
    targets: Target = "ones"
    """What the generator is to make of what is called abnormal; none leaves that out: no negative learning."""
    noise: float = 1.5
    """Deviation of gaussian targets, in deviations of the features where these are standardised; the paper: 1.5, 6."""
    teaching: Teaching = "mutual"
    """Either network by the other's labels; the generator by its own; or the discriminator by errors, not labels."""
    score: Network | None = None
    """Whose score counts: the discriminator's, or the generator's error; by default D's where it is trained."""
    weak_share: float = 1.0
    """Share of the videos whose label WS knows, drawn by the seed; with 0 it is PT."""
    anomaly_share: float | None = None
    """Train on so many videos with anomalies among the others, 0 to 0.5, drawn by the seed; by default on all there
    are. All shares have the same number of videos."""
    widths: tuple[int, ...] = (1024, 512, 256, 512, 1024)
    """Of the generator's hidden layers."""
    discriminator_widths: tuple[int, ...] = (512, 32)
    """Of the discriminator's."""
    epochs: int = 15
    """Epochs of cooperation, or of the generator alone."""
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
    difference: float | None = None
    """In place of --calm, the largest distance of a segment to the one before; the paper: 0.70, of its own features."""
    standardise: bool = True
    """Features are brought to mean 0 and deviation 1; otherwise they are left as they are."""

    name: ClassVar[str] = "gcl"
    choosing: ClassVar[str] = "pagen.train.gcl_clips:chosen_clips"
    fitting: ClassVar[str] = "pagen.train.gcl_session:fit_segments"
    scales: ClassVar[Scales] = {
        "paper": {},
        "cpu": {"size": (192, 288), **NARROW, "batch": 64, "lr": 1e-4, "epochs": 30, "pretraining": 30},
        "tiny": {"size": (96, 144), **NARROW, "batch": 32, "lr": 1e-4, "epochs": 3, "pretraining": 2},
    }

    def __post_init__(self) -> None:
        if self.features.partition(":")[0] in PARTS or is_of_objects(self.features):
            found = f"{self.features}; take lite0 or latents:RUN"
            raise PagenError(f"expected --features of whole frames for gcl, found {found}")
        if not 0 <= self.weak_share <= 1 or not 0 <= (self.anomaly_share or 0) <= 0.5:
            shares = f"{self.weak_share} and {self.anomaly_share}"
            raise PagenError(f"expected --weak-share from 0 to 1 and --anomaly-share from 0 to 0.5, found {shares}")
        if self.weak_share < 1 and self.variant != "WS":
            raise PagenError(f"expected --variant WS with --weak-share, found {self.variant}; leave --weak-share out")
        GCLSettings(**{each.name: getattr(self, each.name) for each in fields(GCLSettings) if hasattr(self, each.name)})
        super().__post_init__()

    def detector(self, seed: int, device: str) -> Any:
        """A `GCL` that has learnt nothing; WS that knows no label is PT."""
        if self.weak_share == 0:
            return replace(self, variant="PT", weak_share=1.0).detector(seed, device)
        return super().detector(seed, device)
