"""LUSS-AE (Lohani et al., "Leveraging Unsupervised and Self-Supervised Learning for Video Anomaly Detection")."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Any, ClassVar, Literal

from pagen.errors import PagenError
from pagen.models.networks import NETWORKS
from pagen.registry import resolve
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
    stride_per: Literal["batch", "clip"] = "batch"
    """One stride for all accelerated clips of a step, as published, or one for each of them, as the released code."""
    accelerated: float = 0.5
    """Share of those clips that are accelerated."""
    weights: tuple[float, float, float] = (0.6, 0.4, 1.0)
    """Of reconstruction (VCR), future frame (FFP) and irregularity (PRP) in the loss; what has 0 is left out."""
    error: Literal["mse", "bpe"] = "mse"
    """What VCR and FFP are taught by: squared errors, or blur-pooled ones, which the paper proposes for later work."""
    ffp: Literal["conv2d", "released"] = "conv2d"
    """The head of the next frame: the paper's, or that of the released code."""
    prp: Literal["published", "conv"] = "published"
    """The head of irregularity: as published, for one size of frames; or fully convolutional, for any."""

    name: ClassVar[str] = "luss"
    scales: ClassVar[Scales] = {
        "paper": {},
        "cpu": {**CPU, "batch": 12, "stride_per": "clip", "prp": "conv"},
        "tiny": {**TINY, "stride_per": "clip", "prp": "conv"},
    }
    chief: ClassVar[str] = "prp"
    beyond: ClassVar[int] = 1
    normal_lines: ClassVar[int] = 4
    compared: ClassVar[tuple[str, str, str]] = ("error of the prediction", "prediction", "next frame")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.accelerated < 1:
            raise PagenError(f"expected --accelerated within (0, 1), found {self.accelerated}")
        if not all(0 <= weight < inf for weight in self.weights) or not any(self.weights):
            raise PagenError(f"expected --weights of 0 and more, one of them above, found {self.weights}")
        if self.prp == "published" and self.crop:
            raise PagenError("expected --prp conv with a --crop: the published head takes frames of one size alone")

    @property
    def by_set(self) -> tuple[str, ...]:
        """All but the strides, which irregularity is learnt from too."""
        return tuple(name for name in super().by_set if name != "strides")

    @property
    def idle(self) -> tuple[str, ...]:
        """All but the strides, which irregularity is learnt from too; choices that runs of 0.1.0 do not know of."""
        usual = {"stride_per": "clip", "error": "mse"}
        known = (name for name in super().idle if name != "strides")
        return (*known, *(name for name, value in usual.items() if getattr(self, name) == value))

    def network(self, batches: Any) -> Any:
        """The autoencoder with its three heads; those of weight 0 keep what they were drawn as."""
        network: Any = NETWORKS["LUSSAE"](self.channels, self.widths, self.window, self.ffp, self.prp, self.size)
        network.freeze(*(weight > 0 for weight in self.weights))
        return network

    def objective(self, network: Any, batch: dict[str, Any]) -> Parts:
        """Errors of the clip (VCR) and of the frame after it (FFP), cross-entropy of acceleration (PRP).

        No clip goes through the network for a task of weight 0: batch normalisation would count it.
        """
        from torch.nn.functional import cross_entropy

        vcr, ffp, prp = self.weights
        parts: Parts = {}
        if vcr or ffp:
            decoded = network.decoded(batch["clips"])
            parts |= {"vcr": self._error(decoded.tanh(), batch["targets"])} if vcr else {}
            parts |= {"ffp": self._error(network.ffp(decoded), batch["next"])} if ffp else {}
        if prp:
            parts["prp"] = cross_entropy(network.classify(batch["fast"]), batch["labels"].long())
        weights = dict(zip(("vcr", "ffp", "prp"), self.weights, strict=True))
        return {"loss": sum(weights[name] * part for name, part in parts.items()), **parts}

    def _error(self, answered: Any, wanted: Any) -> Any:
        """Mean error of (B, C, T, H, W), a number."""
        from torch.nn.functional import mse_loss

        if self.error == "mse":
            return mse_loss(answered, wanted)
        return resolve("pagen.scoring.errors:frame_bpe")(answered, wanted).mean().to(wanted.dtype)

    def sample(self, clips: Any, index: int, rng: Any) -> dict[str, Any]:
        """`clips` (C, T, H, W), normal or pseudo-anomalous; `targets` and `next` (C, 1, H, W), the normal clip and the
        frame after it; `fast` (C, T, H, W) from elsewhere, and `labels`, 1 where that is accelerated, if PRP counts.
        """
        drawn = clips.drawn(index, rng)
        box = clips.box(drawn.points, rng)
        target = clips.tensor(drawn.clip.target, box)
        shown = target if drawn.kind == "normal" else clips.tensor(drawn.clip.pseudo, box)
        clip = {"clips": shown[:, : self.window], "targets": target[:, : self.window]}
        known = {**clip, "next": target[:, self.window :]}
        if not self.weights[2]:
            return known
        strides = self.strides if self.stride_per == "clip" else clips.stride_of_step(index)
        fast, label = clips.accelerated(self.accelerated, strides, rng)
        return {**known, "fast": fast, "labels": clips.number(label)}

    def check_clips(self, clips: Any) -> None:
        """Raise PagenError where no clip can be accelerated, though some are to be."""
        if self.weights[2]:
            clips.accelerable(self.strides)

    def shown(self, sample: dict[str, Any], outputs: dict[str, Any], frame: int) -> dict[str, Any]:
        """The frame and its reconstruction, the next frame and its prediction."""
        rebuilt = {"last frame": sample["clips"][:, frame], "reconstruction": outputs["vcr"][:, frame]}
        return {**rebuilt, "next frame": sample["next"][:, 0], "prediction": outputs["ffp"][:, 0]}

    def frame_shown(self, changed: int | None) -> int:
        """The last one, next to the frame that is predicted."""
        return self.window - 1
