"""Recipes: what a paper trains, as one frozen dataclass each, at three scales.

`paper` holds the published hyper-parameters. `cpu` trains within 25 minutes on two cores: a narrower
network on crops that follow what moves, which the fully convolutional network then scores whole frames
with. `tiny` takes seconds, for tests and the demo. Each is trained by

    pagen train RECIPE --dataset NAME [--pseudo PA_SET] [--scale cpu]

What stands beside a recipe is of Ped2 at `cpu` scale, seed 0: minutes on two cores, and micro AUROC under the protocols
`causal` and `lntra`, by the error at the worst place where nothing else is named. All of it: `docs/results.md`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Self

from pagen.errors import PagenError
from pagen.train.recipes.base import CPU, TINY, ClipRecipe, FootageForm, Kind, Recipe, Source


@dataclass(frozen=True)
class Baseline(ClipRecipe):
    """The autoencoder on normal clips alone: what every pseudo-anomaly has to beat.

    `pagen train baseline --dataset ped2`: 9 minutes, 85.1 and 82.3.
    """

    name: ClassVar[str] = "baseline"


@dataclass(frozen=True)
class MemAE(ClipRecipe):
    """The autoencoder that reconstructs out of a memory of normal codes (Gong et al. 2019; Ped2 94.1).

    `pagen train memae --dataset ped2`: 11 minutes, 57.2 and 53.9. So short a training leaves four times the
    baseline's error, and a third of the codes empty.
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
    scales: ClassVar[dict[str, dict[str, Any]]] = {
        "paper": {},
        "cpu": {**CPU, "memory": 500},
        "tiny": {**TINY, "memory": 50},
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.memory < 2 or self.entropy < 0:
            raise PagenError(f"expected --memory of 2 and more and --entropy not below 0, found {self.memory}")


@dataclass(frozen=True)
class OnTheFly(ClipRecipe):
    """Pseudo-anomalies of frames; those of skipped frames and patches can do without a PA set."""

    strides: tuple[int, ...] = (2, 3, 4, 5)
    """Strides of `skip`, of which one is drawn for each clip."""
    patch: str = "smoothmix_s"
    """Mask of `patch`: smoothmix_s, smoothmix_c, cutmix or mixup."""
    intruders: str = "pictures"
    """What `patch` shows: pictures, clips, or folder:DIR."""
    max_size: float = 0.5
    """Largest side of a patch, as a share of the frame's."""
    max_move: int = 10
    """Largest step of a patch from frame to frame, pixels."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if min(self.strides, default=0) < 2:
            raise PagenError(f"expected --strides of 2 and more, found {self.strides}; LNTRA takes 2 3 4 5")
        if "temporal" in self.kinds:
            raise PagenError(f"expected --kinds of frames for {self.name}, found temporal, of flow; take `temporal`")


@dataclass(frozen=True)
class Skip(OnTheFly):
    """LNTRA with skipped frames: faster motion in, the clip at its own speed out (paper: Ped2 96.5).

    `pagen train skip --dataset ped2`: 10 minutes, 87.6 and 92.0.
    """

    probability: float = 0.2
    kinds: tuple[Kind, ...] = ("skip",)

    name: ClassVar[str] = "skip"


@dataclass(frozen=True)
class Patch(OnTheFly):
    """LNTRA with patches: something foreign moves over the clip, which comes out without it (paper: Ped2 94.8).

    `pagen train patch --dataset ped2`: 10 minutes, 85.7 and 82.9.
    """

    probability: float = 0.2
    kinds: tuple[Kind, ...] = ("patch",)

    name: ClassVar[str] = "patch"


@dataclass(frozen=True)
class Steal(OnTheFly):
    """STEAL Net (Astrid et al. 2021): clips of skipped frames are to be reconstructed badly (paper: Ped2 98.4).

    `pagen train steal --dataset ped2`: 10 minutes, 88.6 and 94.6.
    """

    probability: float = 0.01
    kinds: tuple[Kind, ...] = ("skip",)

    name: ClassVar[str] = "steal"


@dataclass(frozen=True)
class Spatial(OnTheFly):
    """The spatial autoencoder of the unified PA paper (Rai et al. 2024): inpainted regions in, normal clip out.

    `pagen train spatial --dataset ped2 --pseudo pa/ped2`: 11 minutes, 85.3 and 85.0.
    """

    colour: bool = True
    batch: int = 24
    epochs: int = 25
    probability: float = 0.4
    kinds: tuple[Kind, ...] = ("spatial",)

    name: ClassVar[str] = "spatial"


@dataclass(frozen=True)
class Temporal(ClipRecipe):
    """The temporal autoencoder of the unified PA paper: flow with mixed-up regions in, the flow itself out.

    `pagen train temporal --dataset ped2 --pseudo pa/ped2`: 11 minutes, 82.3 and 84.4 (whole frames 86.8 and 79.5).
    """

    batch: int = 24
    epochs: int = 25
    probability: float = 0.5
    kinds: tuple[Kind, ...] = ("temporal",)
    flow: str = "dis"
    """Optical flow: dis, tvl1, or file:DIR (CLIP.npy, from another program)."""
    encoding: Literal["uvm", "rgb", "uv"] = "uvm"
    """Channels: x, y and magnitude; the colours of the colour wheel, as the paper's figures; or x and y."""
    radius: float = 20.0
    """Speed in pixels per frame that becomes 1."""

    name: ClassVar[str] = "temporal"
    source: ClassVar[Source] = "flow"
    scales: ClassVar[dict[str, dict[str, Any]]] = {
        "paper": {},
        "cpu": {**CPU, "radius": 8.0},
        "tiny": {**TINY, "radius": 8.0},
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.radius > 0:
            raise PagenError(f"expected --radius above zero (pixels per frame), found {self.radius}")
        if set(self.kinds) - {"temporal"}:
            raise PagenError(f"expected --kinds temporal, of flow, for {self.name}, found {self.kinds}")

    @property
    def channels(self) -> int:
        """Channels of the encoded flow."""
        return len(self.encoding)


@dataclass(frozen=True)
class Luss(ClipRecipe):
    """LUSS-AE (Lohani et al.): one code that reconstructs, predicts the next frame, and knows skipped frames (98.5).

    `pagen train luss --dataset ped2`: 15 minutes, fused 86.2 and 86.8, skipped frames (PRP) alone 88.8 and 94.9.
    """

    batch: int = 16
    strides: tuple[int, ...] = (2, 3, 4, 5)
    """Strides of the clips that are to be told from normal ones."""
    accelerated: float = 0.5
    """Share of those clips that are accelerated."""
    weights: tuple[float, float, float] = (0.6, 0.4, 1.0)
    """Of reconstruction (VCR), future frame (FFP) and irregularity (PRP) in the loss."""
    ffp: Literal["conv2d", "released"] = "conv2d"
    """The head of the next frame: the paper's, or that of the released code."""
    prp: Literal["published", "conv"] = "published"
    """The head of irregularity: as published, for one size of frames; or fully convolutional, for any."""

    name: ClassVar[str] = "luss"
    scales: ClassVar[dict[str, dict[str, Any]]] = {
        "paper": {},
        "cpu": {**CPU, "batch": 12, "prp": "conv"},
        "tiny": {**TINY, "prp": "conv"},
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        if min(self.strides, default=0) < 2 or not 0 < self.accelerated < 1 or min(self.weights) < 0:
            raise PagenError("expected --strides of 2 and more, --accelerated within (0, 1), --weights not below 0")
        if self.prp == "published" and self.crop:
            raise PagenError("expected --prp conv with a --crop: the published head takes frames of one size alone")


@dataclass(frozen=True)
class Discriminator(Recipe):
    """The discriminator of the unified PA paper: painted frames against normal ones, on features of a frame.

    `pagen train discriminator --dataset ped2 --pseudo pa/ped2`: 3 minutes, 53.3 and 50.4: it knows what is painted,
    and what is abnormal is not.
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
    pool: Literal["none", "mean"] = "none"
    """Judge frame by frame, or the mean over windows of 16 frames."""
    momentum: float = 0.9
    """Of SGD."""
    weight_decay: float = 1e-3
    """Of SGD."""
    matched: bool = False
    """Normal frames that the inpainter's autoencoder has touched too (PA set: --matched): its traces tell nothing."""

    name: ClassVar[str] = "discriminator"
    source: ClassVar[Source] = "features"
    scales: ClassVar[dict[str, dict[str, Any]]] = {
        "paper": {"colour": True},
        "cpu": {"size": (192, 288)},
        "tiny": {"size": (96, 144), "epochs": 2, "steps": 10},
    }

    def optimiser(self, parameters: Any) -> Any:
        """SGD, as published."""
        import torch

        return torch.optim.SGD(parameters, self.lr, self.momentum, weight_decay=self.weight_decay)


@dataclass(frozen=True)
class Unified:
    """The unified PA paper's detector: `spatial`, `temporal` and `discriminator` as one run (paper: Ped2 93.5).

    `pagen train unified --dataset ped2 --pseudo pa/ped2`: 25 minutes, fused 82.1 and 85.2.
    """

    spatial: Spatial = field(default_factory=Spatial)
    """The autoencoder of frames."""
    temporal: Temporal = field(default_factory=Temporal)
    """The autoencoder of flow."""
    discriminator: Discriminator = field(default_factory=Discriminator)
    """The discriminator."""

    name: ClassVar[str] = "unified"

    @classmethod
    def at(cls, scale: str) -> Self:
        """The three at a scale."""
        return cls(Spatial.at(scale), Temporal.at(scale), Discriminator.at(scale))

    @property
    def members(self) -> dict[str, FootageForm]:
        """The three, by name, in the order in which they are trained."""
        return {each.name: each for each in (self.spatial, self.temporal, self.discriminator)}
