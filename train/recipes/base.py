"""What recipes have: the footage's form, the optimiser, and which part of a clip a step looks at.

The defaults are LNTRA's (Astrid et al. 2021): Adam at 1e-4, four whole grey clips a step, 60 epochs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, Self

from pagen.errors import PagenError

Source = Literal["frames", "flow", "features", "density"]
Scale = Literal["paper", "cpu", "tiny"]
Kind = Literal["spatial", "temporal", "skip", "patch"]

CPU: dict[str, Any] = {
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
TINY: dict[str, Any] = {**CPU, "size": (96, 144), "widths": "tiny", "crop": 32, "batch": 4, "steps": 10, "epochs": 3}


@dataclass(frozen=True)
class FootageForm:
    """The form of the frames."""

    size: tuple[int, int] = (256, 256)
    """Height and width of the frames."""
    colour: bool = False
    """Three channels instead of grey."""

    name: ClassVar[str]
    source: ClassVar[Source] = "frames"
    scales: ClassVar[dict[str, dict[str, Any]]] = {"paper": {}, "cpu": CPU, "tiny": TINY}

    def __post_init__(self) -> None:
        if min(self.size) < 16:
            raise PagenError(f"expected --size of 16 and more, found {self.size}")

    @classmethod
    def at(cls, scale: str) -> Self:
        """The recipe at a scale."""
        return replace(cls(), **cls.scales[scale])

    @property
    def channels(self) -> int:
        """Channels of the footage, as the network sees it."""
        return 3 if self.colour else 1

    @property
    def members(self) -> dict[str, Any]:
        """The recipes that it consists of, by name; none where it is of one network."""
        return {}


@dataclass(frozen=True)
class Recipe(FootageForm):
    """What is trained step by step: the optimiser."""

    batch: int = 4
    """Clips in a step, over all processes together."""
    steps: int = 0
    """Steps in an epoch; 0 takes every window of the training split once."""
    epochs: int = 60
    """Epochs."""
    lr: float = 1e-4
    """Learning rate."""
    schedule: Literal["constant", "cosine"] = "constant"
    """How the learning rate goes over the run; cosine ends at zero."""
    accumulate: int = 1
    """Parts that a step is computed in, one after the other: less memory, the same number of clips."""
    max_norm: float = 0.0
    """Largest norm of the gradient; 0 leaves it as it is."""
    ema: float = 0.0
    """Decay of a moving average of the weights, which is kept instead of the last ones; 0 for none."""
    precision: Literal["no", "bf16", "fp16"] = "no"
    """Mixed precision of the forward pass; fp16 is for GPUs."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if min(self.batch, self.epochs, self.accumulate) < 1 or self.steps < 0 or not self.lr > 0:
            raise PagenError("expected --batch, --epochs, --accumulate and --lr above zero, and --steps not below")
        if self.batch % self.accumulate:
            raise PagenError(f"expected --accumulate to divide --batch {self.batch}, found {self.accumulate}")
        if not 0 <= self.ema < 1 or self.max_norm < 0:
            raise PagenError(
                f"expected --ema in [0, 1) and --max-norm of 0 and more, found {self.ema}, {self.max_norm}"
            )

    def optimiser(self, parameters: Any) -> Any:
        """Adam with torch's defaults."""
        import torch

        return torch.optim.Adam(parameters, lr=self.lr)


@dataclass(frozen=True)
class ClipRecipe(Recipe):
    """A network over clips, and the pseudo-anomalies among them."""

    widths: Literal["paper", "small", "tiny"] | tuple[int, int, int, int] = "paper"
    """Channels after each convolution: a name (paper, small, tiny) or four numbers."""
    window: int = 16
    """Frames in a clip; a multiple of 8."""
    crop: int = 0
    """Side of the square crops in pixels, a multiple of 16; 0 takes whole frames."""
    moving: float = 0.0
    """Share of the crops that are centred on something that moves, or that a pseudo-anomaly replaced."""
    probability: float = 0.0
    """Share of the clips that are pseudo-anomalies."""
    kinds: tuple[Kind, ...] = ()
    """Kinds of pseudo-anomalies."""
    shares: tuple[float, ...] = ()
    """How the pseudo-anomalies are divided among the kinds; equally, if left out."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.window % 8 or self.window < 8:
            raise PagenError(f"expected --window to be a multiple of 8, found {self.window}")
        if self.crop % 16 or not 0 <= self.crop <= min(self.size):
            raise PagenError(
                f"expected --crop to be a multiple of 16, or 0 for whole frames, within --size {self.size}, "
                f"found {self.crop}"
            )
        for flag, share in (("probability", self.probability), ("moving", self.moving)):
            if not 0 <= share <= 1:
                raise PagenError(f"expected --{flag} between 0 and 1, found {share}")
        if self.probability > 0 and not self.kinds:
            raise PagenError(
                f"expected --probability 0 for {self.name}, which sees no pseudo-anomalies, found {self.probability}; "
                "take the recipe skip, patch, spatial or temporal"
            )
        if self.shares and (len(self.shares) != len(self.kinds) or min(self.shares) <= 0):
            raise PagenError(f"expected --shares above 0, one for each of --kinds {self.kinds}, found {self.shares}")
