"""Recipes of networks over clips, of frames or of optical flow, and the pseudo-anomalies among the clips."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf
from typing import Any, ClassVar, Literal, Self

from pagen.errors import PagenError
from pagen.generate.frame_flags import check_frames, check_kinds
from pagen.models.networks import NETWORKS
from pagen.options import PseudoKind
from pagen.train.recipes.base import Parts, Recipe, Scales

CPU: dict[str, Any] = {
    "size": (192, 288), "colour": False, "widths": "small", "crop": 64, "moving": 0.85,
    "batch": 16, "steps": 100, "epochs": 20, "lr": 1e-3, "schedule": "cosine",
}  # fmt: skip
TINY: dict[str, Any] = {**CPU, "size": (96, 144), "widths": "tiny", "crop": 32, "batch": 4, "steps": 10, "epochs": 3}
MADE: tuple[PseudoKind, ...] = ("skip", "patch")
"""Kinds of pseudo-anomalies that are made on the fly where no PA set is given."""
HOW_MADE = ("strides", "patch", "intruders", "max_size", "max_move")
"""Flags of pseudo-anomalies that are made on the fly."""
STRIDES = (2, 3, 4, 5)
"""Of skipped frames, LNTRA's."""


@dataclass(frozen=True)
class ClipRecipe(Recipe):
    """A network over clips, and the pseudo-anomalies among them.

    Attributes:
        beyond: frames after the window that a sample holds.
        rows: the axis of a clip's rows in its source: frames are (T, H, W, C), flow is (T, 2, H, W).
        normal_lines: normal clips that the sheet shows.
        compared: title of the sheet's error, and the two columns that it is of.
    """

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
    warm_up: int = 0
    """Epochs over which that share grows from nothing, in equal steps; 0 has all of it from the start."""
    kinds: tuple[PseudoKind, ...] = ()
    """Kinds of pseudo-anomalies."""
    shares: tuple[float, ...] = ()
    """How the pseudo-anomalies are divided among the kinds; equally, if left out."""

    scales: ClassVar[Scales] = {"paper": {}, "cpu": CPU, "tiny": TINY}
    inputs: ClassVar[str] = "pagen.train.batches:clip_batches"
    picture: ClassVar[str] = "pagen.train.pictures:sheet"
    beyond: ClassVar[int] = 0
    rows: ClassVar[int] = 1
    normal_lines: ClassVar[int] = 2
    compared: ClassVar[tuple[str, str, str]] = ("error against the input", "reconstruction", "input")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.window % 8 or self.window < 8:
            raise PagenError(f"expected --window to be a multiple of 8, found {self.window}")
        if not isinstance(self.widths, str) and min(self.widths) < 1:
            raise PagenError(f"expected --widths of 1 and more, found {self.widths}")
        if self.crop % 16 or not 0 <= self.crop <= min(self.size):
            expected = f"a multiple of 16, or 0 for whole frames, within --size {self.size}"
            raise PagenError(f"expected --crop to be {expected}, found {self.crop}")
        for flag, share in (("probability", self.probability), ("moving", self.moving)):
            if not 0 <= share <= 1:
                raise PagenError(f"expected --{flag} between 0 and 1, found {share}")
        if self.warm_up < 0:
            raise PagenError(f"expected --warm-up of 0 epochs and more, found {self.warm_up}")
        if self.probability > 0 and not self.kinds:
            raise PagenError(
                f"expected --kinds with --probability {self.probability} for {self.name}, found none; give "
                f"{'temporal' if self.source == 'flow' else 'some of skip patch spatial'}"
            )
        check_kinds(self.kinds)
        if self.shares and (len(self.shares) != len(self.kinds) or not all(0 < share < inf for share in self.shares)):
            raise PagenError(f"expected --shares above 0, one for each of --kinds {self.kinds}, found {self.shares}")

    def check_training(self) -> None:
        """Raise PagenError for whole frames that no convolution divides, or for kinds or a warm-up without a share."""
        if self.crop == 0 and any(side % 16 for side in self.size):
            found = f"{self.size}; give a --crop"
            raise PagenError(f"expected --size in multiples of 16 to train on whole frames, found {found}")
        if self.kinds and self.probability == 0 and not type(self).kinds:
            kinds = " ".join(self.kinds)
            raise PagenError(f"expected --probability above 0 with --kinds {kinds}, found 0; LNTRA takes 0.2")
        if self.warm_up and self.probability == 0:
            raise PagenError(
                f"expected --probability above 0 with --warm-up {self.warm_up}, which grows that share, found 0; "
                "give both, or leave --warm-up out"
            )

    @property
    def taken(self) -> tuple[PseudoKind, ...]:
        """Its kinds, where it has a share of them."""
        return self.kinds if self.probability > 0 else ()

    @property
    def needed(self) -> tuple[PseudoKind, ...]:
        """Those among them that are not made on the fly."""
        return tuple(kind for kind in self.taken if kind not in MADE)

    @property
    def pa_flags(self) -> dict[str, Any]:
        """Its kinds, the size of its frames, and clips as long as its window."""
        return {"kinds": self.taken, "size": self.size, "length": self.window} if self.taken else {}

    @property
    def idle(self) -> tuple[str, ...]:
        """The warm-up, where there is none: runs of 0.1.0 do not know of any."""
        return () if self.warm_up else ("warm_up",)

    def share_at(self, step: int, steps: int) -> float:
        """The share of pseudo-anomalies in a step of the run, of which an epoch has `steps`."""
        grown = (step + 1) / (self.warm_up * steps) if self.warm_up else 1.0
        return self.probability * min(grown, 1.0)

    def network(self, batches: Any) -> Any:
        """The autoencoder, with torch's own initialisation, as LNTRA's."""
        return NETWORKS["ConvAE3d"](self.channels, self.widths)

    def objective(self, network: Any, batch: dict[str, Any]) -> Parts:
        """Mean squared error over clips (B, C, T, H, W) in [-1, 1], all clips alike, all frames of each.

        The target of a pseudo-anomaly is the normal clip (LNTRA; Rai et al., equation 4), so that the network learns
        to put right what is not normal.
        """
        from torch.nn.functional import mse_loss

        rebuilt, targets = network(batch["clips"]), batch["targets"]
        if getattr(rebuilt, "shape", None) != targets.shape:
            found = getattr(rebuilt, "shape", None) or type(rebuilt).__name__
            raise PagenError(f"expected {tuple(targets.shape)} of the network of {self.name}, found {found}; mend it")
        return {"loss": mse_loss(rebuilt, targets)}

    def sample(self, clips: Any, index: int, rng: Any) -> dict[str, Any]:
        """`clips` and `targets` (C, T, H, W) in [-1, 1] of a sample of the run.

        `clips` are `pagen.train.batches.ClipBatches`; all that is drawn for it is drawn from `rng`.
        """
        drawn = clips.drawn(index, rng)
        box = clips.box(drawn.points, rng)
        return {"clips": clips.tensor(drawn.clip.pseudo, box), "targets": clips.tensor(drawn.clip.target, box)}

    def check_clips(self, clips: Any) -> None:
        """Raise PagenError where `sample` finds no clip that is long enough, pseudo-anomalies aside."""

    def validation(self, stored: bool) -> Self | None:
        """The recipe whose whole clips tell how good a network is; None where its kinds need a PA set to be stored."""
        drawable = stored or set(self.kinds) <= set(MADE)
        return replace(self, crop=0, warm_up=0) if self.kinds and drawable else None

    def shown(self, sample: dict[str, Any], outputs: dict[str, Any], frame: int) -> dict[str, Any]:
        """What a line of the sheet shows of a frame, title -> picture (C, H, W).

        `sample` is as the method gives it; `outputs` are those of `ClipNetwork.outputs`, without the first axis.
        """
        target = {"target": sample["targets"][:, frame]} if self.probability > 0 else {}
        return {"input": sample["clips"][:, frame], **target, "reconstruction": outputs["reconstruction"][:, frame]}

    def frame_shown(self, changed: int | None) -> int:
        """The frame of a sheet's line, where `changed` is that which a pseudo-anomaly changed most."""
        return self.window // 2 if changed is None else changed

    @property
    def vectors(self) -> bool:
        """Whether the first two channels are flow along x and y, which the sheet shows in colours."""
        return False

    def note(self, fast: float) -> str:
        """What the sheet's title adds, where colours are full at the speed `fast` of 1."""
        return ""


@dataclass(frozen=True)
class FrameRecipe(ClipRecipe):
    """A network over frames; pseudo-anomalies of skipped frames and patches can do without a PA set."""

    strides: tuple[int, ...] = STRIDES
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
        check_frames(self.strides, self.patch, self.intruders, self.max_size, self.max_move)
        if "temporal" in self.kinds:
            raise PagenError(f"expected --kinds of frames for {self.name}, found temporal, of flow; take `temporal`")

    @property
    def pa_flags(self) -> dict[str, Any]:
        """The same, and whether frames have colours."""
        return {**super().pa_flags, "colour": self.colour} if self.taken else {}

    @property
    def by_set(self) -> tuple[str, ...]:
        """How pseudo-anomalies are made."""
        return HOW_MADE

    @property
    def idle(self) -> tuple[str, ...]:
        """How pseudo-anomalies are made, where there are none."""
        return (*super().idle, *(() if self.kinds else HOW_MADE))

    def validation(self, stored: bool) -> Self:
        """By its own kinds, or by skipped frames where it has none that can be drawn."""
        skipped: dict[str, Any] = {"kinds": ("skip",), "shares": (), "strides": STRIDES}
        return super().validation(stored) or replace(self, crop=0, warm_up=0, **skipped)
