"""The unified PA paper (Rai et al., "Video Anomaly Detection via Spatio-Temporal Pseudo-Anomaly Generation", 2024)."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import Any, ClassVar, Literal, Self

from pagen.compute import Compute
from pagen.errors import PagenError
from pagen.models.networks import NETWORKS
from pagen.options import POOLED, PseudoKind, Scale, Source
from pagen.registry import resolve
from pagen.train.recipes.base import BaseRecipe, Parts, Recipe, Scales
from pagen.train.recipes.clips import CPU, TINY, ClipRecipe, FrameRecipe

FRAME_BY_FRAME: dict[str, Any] = {"pool": "none", "view": "whole"}


@dataclass(frozen=True)
class SpatialRecipe(FrameRecipe):
    """The spatial autoencoder of the unified PA paper (Rai et al. 2024): inpainted regions in, normal clip out.

    `pagen train spatial --dataset ped2 --pseudo pa/ped2`
    """

    colour: bool = True
    batch: int = 24
    epochs: int = 25
    probability: float = 0.4
    kinds: tuple[PseudoKind, ...] = ("spatial",)

    name: ClassVar[str] = "spatial"


@dataclass(frozen=True)
class TemporalRecipe(ClipRecipe):
    """The temporal autoencoder of the unified PA paper: flow with mixed-up regions in, the flow itself out.

    `pagen train temporal --dataset ped2 --pseudo pa/ped2`
    """

    batch: int = 24
    epochs: int = 25
    probability: float = 0.5
    kinds: tuple[PseudoKind, ...] = ("temporal",)
    flow: str = "tvl1"
    """Optical flow: dis, tvl1, or file:DIR (CLIP.npy, from another program)."""
    encoding: Literal["uvm", "rgb", "uv"] = "uvm"
    """Channels: x, y and magnitude; the colours of the colour wheel, as the paper's figures; or x and y."""
    radius: float = 20.0
    """Speed in pixels per frame that becomes 1."""

    name: ClassVar[str] = "temporal"
    source: ClassVar[Source] = "flow"
    rows: ClassVar[int] = 2
    scales: ClassVar[Scales] = {
        "paper": {},
        "cpu": {**CPU, "flow": "dis", "radius": 8.0},
        "tiny": {**TINY, "flow": "dis", "radius": 8.0},
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.radius < inf:
            raise PagenError(f"expected --radius above zero (pixels per frame), found {self.radius}")
        if self.colour:
            raise PagenError(f"expected no --colour for {self.name}, whose flow is of grey frames; leave it out")
        if set(self.kinds) - {"temporal"}:
            raise PagenError(f"expected --kinds temporal, of flow, for {self.name}, found {self.kinds}")

    @property
    def pa_flags(self) -> dict[str, Any]:
        """The same, and the flow; whether frames have colours is nothing to it."""
        return {**super().pa_flags, "flow": self.flow} if self.taken else {}

    @property
    def channels(self) -> int:
        """Channels of the encoded flow."""
        return len(self.encoding)

    @property
    def vectors(self) -> bool:
        """Whether the channels are x and y, not colours already."""
        return self.encoding != "rgb"

    def check_sources(self, device: str) -> None:
        """Raise PagenError for flow that nobody makes, or a folder of it that is missing."""
        resolve("pagen.footage.flow:open_flow")(self.flow)

    def check_files(self, dataset: str, compute: Compute) -> None:
        """Raise PagenError for a folder of flow that is not of these clips."""
        resolve("pagen.footage.flow_file:check_flow_files")(self.flow, dataset, compute)

    def note(self, fast: float) -> str:
        """What the colours mean."""
        return f"\nhue is direction, saturation speed, full at {fast * self.radius:.2g} pixels per frame"


@dataclass(frozen=True)
class DiscriminatorRecipe(Recipe):
    """The discriminator of the unified PA paper: painted frames against normal ones, on features of a frame.

    `pagen train discriminator --dataset ped2 --pseudo pa/ped2`; it knows what is painted, and what is abnormal is not.
    """

    batch: int = 16
    epochs: int = 20
    lr: float = 0.02
    encoder: str = "lite0"
    """Features: lite0, clip:MODEL, or vificlip:FOLDER (the paper's)."""
    hidden: int = 256
    """Width of the hidden layer."""
    dropout: float = 0.5
    """Dropout after it."""
    pool: Literal["none", "mean"] = "mean"
    """Judge frame by frame, or the mean over windows of 16 frames."""
    view: Literal["own", "whole", "vifi"] = "own"
    """What the encoder sees of a frame: whole (squeezed into its square), vifi (the middle, as ViFi-CLIP was trained),
    or own (vifi of vificlip, else whole)."""
    momentum: float = 0.9
    """Of SGD."""
    weight_decay: float = 1e-3
    """Of SGD."""
    matched: bool = False
    """Normal frames that the inpainter's autoencoder has touched too (PA set: --matched): its traces tell nothing."""

    name: ClassVar[str] = "discriminator"
    source: ClassVar[Source] = "features"
    inputs: ClassVar[str] = "pagen.train.painted_features:feature_batches"
    picture: ClassVar[str] = "pagen.train.painted_features:histogram"
    scales: ClassVar[Scales] = {
        "paper": {"colour": True},
        "cpu": {**FRAME_BY_FRAME, "size": (192, 288)},
        "tiny": {**FRAME_BY_FRAME, "size": (96, 144), "epochs": 2, "steps": 10},
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.hidden < 1 or not 0 <= self.dropout < 1:
            found = f"{self.hidden} and {self.dropout}"
            raise PagenError(f"expected --hidden of 1 and more and --dropout in [0, 1), found {found}")
        if not 0 <= self.momentum < 1 or not 0 <= self.weight_decay < inf:
            found = f"{self.momentum} and {self.weight_decay}"
            raise PagenError(f"expected --momentum in [0, 1) and --weight-decay of 0 and more, found {found}")

    @property
    def idle(self) -> tuple[str, ...]:
        """The view, where it is that of runs which do not know of any."""
        return ("view",) if self.view == "whole" else ()

    @property
    def taken(self) -> tuple[PseudoKind, ...]:
        """Painted frames."""
        return ("spatial",)

    needed = taken

    def check_sources(self, device: str) -> None:
        """Raise PagenError for an encoder that is missing."""
        resolve("pagen.features.frames:encoder_handle")(self.encoder, device)

    @property
    def pa_flags(self) -> dict[str, Any]:
        """Painted frames as large as its own, in clips as long as its windows; matched normals where it takes those."""
        pooled = {"length": POOLED} if self.pool == "mean" else {}
        form = {"kinds": self.taken, "size": self.size, "colour": self.colour}
        return {**form, **pooled, "matched": self.matched}

    def optimiser(self, parameters: Any) -> Any:
        """SGD, as published."""
        import torch

        return torch.optim.SGD(parameters, self.lr, self.momentum, weight_decay=self.weight_decay)

    def network(self, batches: Any) -> Any:
        """The perceptron, for vectors as wide as those of the batches."""
        return NETWORKS["Discriminator"](batches.size, self.hidden, self.dropout, self.pool)

    def objective(self, network: Any, batch: dict[str, Any]) -> Parts:
        """Binary cross-entropy: features of pseudo-anomalies are 1, of normal frames 0."""
        from torch.nn.functional import binary_cross_entropy_with_logits

        return {"loss": binary_cross_entropy_with_logits(network(batch["features"]), batch["labels"])}


@dataclass(frozen=True)
class UnifiedRecipe(BaseRecipe):
    """The unified PA paper's detector: `spatial`, `temporal` and `discriminator` as one run (paper: Ped2 93.5).

    `pagen train unified --dataset ped2 --pseudo pa/ped2`
    """

    spatial: SpatialRecipe = field(default_factory=SpatialRecipe)
    """The autoencoder of frames."""
    temporal: TemporalRecipe = field(default_factory=TemporalRecipe)
    """The autoencoder of flow."""
    discriminator: DiscriminatorRecipe = field(default_factory=DiscriminatorRecipe)
    """The discriminator."""

    name: ClassVar[str] = "unified"

    @classmethod
    def at(cls, scale: Scale) -> Self:
        """The three at a scale."""
        return cls(SpatialRecipe.at(scale), TemporalRecipe.at(scale), DiscriminatorRecipe.at(scale))

    @property
    def members(self) -> dict[str, Any]:
        """The three, by name, in the order in which they are trained."""
        return {member.name: member for member in (self.spatial, self.temporal, self.discriminator)}
