"""Recipes: what a paper trains, as one frozen dataclass each, at three scales.

`paper` holds the published hyper-parameters. `cpu` trains within 20 minutes on two cores: a
narrower network on crops that follow what moves, which the fully convolutional network then scores
whole frames with. `tiny` takes seconds, for tests and the demo. Scores and times of each recipe
stand in `docs/results.md`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, Self

from pagen.errors import PagenError

Source = Literal["frames", "flow"]
Scale = Literal["paper", "cpu", "tiny"]

_CPU: dict[str, Any] = {
    "size": (192, 288),
    "colour": False,
    "widths": "small",
    "crop": 64,
    "moving": 0.85,
    "batch": 16,
    "steps": 100,
    "epochs": 20,
    "lr": 1e-3,
    "schedule": "cosine",
}
_TINY: dict[str, Any] = {**_CPU, "size": (96, 144), "widths": "tiny", "crop": 32, "batch": 4, "steps": 10, "epochs": 3}


@dataclass(frozen=True)
class Recipe:
    """What all recipes have; the defaults are LNTRA's (Astrid et al. 2021)."""

    size: tuple[int, int] = (256, 256)
    """Height and width of the frames."""
    colour: bool = False
    """Three channels instead of grey."""
    widths: Literal["paper", "small", "tiny"] | tuple[int, int, int, int] = "paper"
    """Channels after each convolution: a name (paper, small, tiny) or four numbers."""
    window: int = 16
    """Frames in a clip; a multiple of 8."""
    crop: int = 0
    """Side of the square crops in pixels, a multiple of 16; 0 takes whole frames."""
    moving: float = 0.0
    """Share of the crops that are centred on something that moves, or that a pseudo-anomaly replaced."""
    batch: int = 4
    """Clips in a step."""
    steps: int = 0
    """Steps in an epoch; 0 takes every window of the training split once."""
    epochs: int = 60
    """Epochs."""
    lr: float = 1e-4
    """Learning rate of Adam."""
    schedule: Literal["constant", "cosine"] = "constant"
    """How the learning rate goes over the run; cosine ends at zero."""
    probability: float = 0.0
    """Share of the clips that are pseudo-anomalies; their target is the normal clip."""

    name: ClassVar[str]
    kind: ClassVar[str | None] = None
    source: ClassVar[Source] = "frames"
    scales: ClassVar[dict[str, dict[str, Any]]] = {"paper": {}, "cpu": _CPU, "tiny": _TINY}

    def __post_init__(self) -> None:
        if self.window % 8 or self.window < 8:
            raise PagenError(f"expected --window to be a multiple of 8, found {self.window}")
        if self.crop % 16 or self.crop < 0:
            raise PagenError(f"expected --crop to be a multiple of 16, or 0 for whole frames, found {self.crop}")
        if min(self.size) < max(self.crop, 16):
            raise PagenError(f"expected --size of 16 and more, and --crop within, found {self.size} and {self.crop}")
        for flag, share in (("probability", self.probability), ("moving", self.moving)):
            if not 0 <= share <= 1:
                raise PagenError(f"expected --{flag} between 0 and 1, found {share}")
        if self.kind is None and self.probability > 0:
            raise PagenError(
                f"expected --probability 0 for {self.name}, which sees no pseudo-anomalies, found {self.probability}; "
                "take the recipe skip, spatial or temporal"
            )
        if min(self.batch, self.epochs) < 1 or self.steps < 0 or not self.lr > 0:
            raise PagenError("expected --batch, --epochs and --lr above zero, and --steps not below")

    @classmethod
    def at(cls, scale: str) -> Self:
        """The recipe at a scale."""
        return replace(cls(), **cls.scales[scale])

    @property
    def channels(self) -> int:
        """Channels of the network."""
        return 3 if self.colour else 1


@dataclass(frozen=True)
class Baseline(Recipe):
    """The autoencoder on normal clips alone: what every pseudo-anomaly has to beat."""

    name: ClassVar[str] = "baseline"


@dataclass(frozen=True)
class Skip(Recipe):
    """LNTRA with skipped frames: faster motion in, the clip at its own speed out (paper: Ped2 96.5)."""

    probability: float = 0.2
    strides: tuple[int, ...] = (2, 3, 4, 5)
    """Strides, of which one is drawn for each pseudo-anomalous clip."""

    name: ClassVar[str] = "skip"
    kind: ClassVar[str | None] = "skip"

    def __post_init__(self) -> None:
        super().__post_init__()
        if min(self.strides, default=0) < 2:
            raise PagenError(f"expected --strides of 2 and more, found {self.strides}; LNTRA takes 2 3 4 5")


@dataclass(frozen=True)
class Spatial(Recipe):
    """The spatial autoencoder of the unified PA paper (Rai et al. 2024): inpainted regions in, normal clip out."""

    colour: bool = True
    batch: int = 24
    epochs: int = 25
    probability: float = 0.4

    name: ClassVar[str] = "spatial"
    kind: ClassVar[str | None] = "spatial"


@dataclass(frozen=True)
class Temporal(Recipe):
    """The temporal autoencoder of the unified PA paper: flow with mixed-up regions in, the flow itself out."""

    batch: int = 24
    epochs: int = 25
    probability: float = 0.5
    flow: str = "dis"
    """Optical flow: dis, tvl1, or file:DIR (CLIP.npy, from another program)."""
    encoding: Literal["uvm", "rgb", "uv"] = "uvm"
    """Channels: x, y and magnitude; the colours of the colour wheel, as the paper's figures; or x and y."""
    radius: float = 20.0
    """Speed in pixels per frame that becomes 1."""

    name: ClassVar[str] = "temporal"
    kind: ClassVar[str | None] = "temporal"
    source: ClassVar[Source] = "flow"
    scales: ClassVar[dict[str, dict[str, Any]]] = {
        "paper": {},
        "cpu": {**_CPU, "radius": 8.0},
        "tiny": {**_TINY, "radius": 8.0},
    }

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.radius > 0:
            raise PagenError(f"expected --radius above zero (pixels per frame), found {self.radius}")

    @property
    def channels(self) -> int:
        """Channels of the network."""
        return len(self.encoding)


RECIPES: dict[str, type[Recipe]] = {recipe.name: recipe for recipe in (Baseline, Skip, Spatial, Temporal)}
