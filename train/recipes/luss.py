"""LUSS-AE (Lohani et al., "Leveraging Unsupervised and Self-Supervised Learning for Video Anomaly Detection")."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from pagen.errors import PagenError
from pagen.models.networks import NETWORKS
from pagen.train.recipes.base import Parts, Scales
from pagen.train.recipes.clips import CPU, STRIDES, TINY, FrameRecipe


@dataclass(frozen=True)
class LussRecipe(FrameRecipe):
    """LUSS-AE (Lohani et al.): one code that reconstructs, predicts the next frame, and knows skipped frames (98.5).

    `pagen train luss --dataset ped2`
    """

    batch: int = 16
    strides: tuple[int, ...] = STRIDES
    """Strides of the clips that are to be told from normal ones, and of `skip`."""
    accelerated: float = 0.5
    """Share of those clips that are accelerated."""
    weights: tuple[float, float, float] = (0.6, 0.4, 1.0)
    """Of reconstruction (VCR), future frame (FFP) and irregularity (PRP) in the loss."""
    ffp: Literal["conv2d", "released"] = "conv2d"
    """The head of the next frame: the paper's, or that of the released code."""
    prp: Literal["published", "conv"] = "published"
    """The head of irregularity: as published, for one size of frames; or fully convolutional, for any."""

    name: ClassVar[str] = "luss"
    scales: ClassVar[Scales] = {
        "paper": {},
        "cpu": {**CPU, "batch": 12, "prp": "conv"},
        "tiny": {**TINY, "prp": "conv"},
    }
    chief: ClassVar[str] = "prp"
    beyond: ClassVar[int] = 1
    normal_lines: ClassVar[int] = 4
    compared: ClassVar[tuple[str, str, str]] = ("error of the prediction", "prediction", "next frame")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.accelerated < 1 or min(self.weights) < 0:
            raise PagenError("expected --accelerated within (0, 1) and --weights not below 0")
        if self.prp == "published" and self.crop:
            raise PagenError("expected --prp conv with a --crop: the published head takes frames of one size alone")

    @property
    def idle(self) -> tuple[str, ...]:
        """All but the strides, which irregularity is learnt from too."""
        return tuple(name for name in super().idle if name != "strides")

    def network(self, batches: Any) -> Any:
        """The autoencoder with its three heads."""
        return NETWORKS["LUSSAE"](self.channels, self.widths, self.window, self.ffp, self.prp, self.size)

    def objective(self, network: Any, batch: dict[str, Any]) -> Parts:
        """Errors of the clip (VCR) and of the frame after it (FFP), cross-entropy of acceleration (PRP)."""
        from torch.nn.functional import cross_entropy, mse_loss

        heads = network(batch["clips"])
        vcr, ffp = mse_loss(heads.vcr, batch["targets"]), mse_loss(heads.ffp, batch["next"])
        prp = cross_entropy(network.classify(batch["fast"]), batch["labels"].long())
        loss = self.weights[0] * vcr + self.weights[1] * ffp + self.weights[2] * prp
        return {"loss": loss, "vcr": vcr, "ffp": ffp, "prp": prp}

    def sample(self, clips: Any, index: int, rng: Any) -> dict[str, Any]:
        """`clips` (C, T, H, W), normal or pseudo-anomalous; `targets` and `next` (C, 1, H, W), the normal clip and the
        frame after it; `fast` (C, T, H, W) from elsewhere, and `labels`, 1 where that is accelerated.
        """
        drawn = clips.drawn(index, rng)
        box = clips.box(drawn.points, rng)
        target = clips.tensor(drawn.clip.target, box)
        shown = target if drawn.kind == "normal" else clips.tensor(drawn.clip.pseudo, box)
        fast, label = clips.accelerated(self.accelerated, rng)
        pair = {"clips": shown[:, : self.window], "targets": target[:, : self.window]}
        return {**pair, "next": target[:, self.window :], "fast": fast, "labels": clips.number(label)}

    def check_clips(self, clips: Any) -> None:
        """Raise PagenError where no clip can be accelerated."""
        clips.accelerable  # noqa: B018  # raises

    def shown(self, sample: dict[str, Any], outputs: dict[str, Any], frame: int) -> dict[str, Any]:
        """The frame and its reconstruction, the next frame and its prediction."""
        rebuilt = {"last frame": sample["clips"][:, frame], "reconstruction": outputs["vcr"][:, frame]}
        return {**rebuilt, "next frame": sample["next"][:, 0], "prediction": outputs["ffp"][:, 0]}

    def frame_shown(self, changed: int | None) -> int:
        """The last one, next to the frame that is predicted."""
        return self.window - 1
