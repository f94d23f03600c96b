"""LUSS-AE (Lohani et al., "Leveraging Unsupervised and Self-Supervised Learning for Video Anomaly Detection").

One encoder, and three things to do with its code: video clip reconstruction (VCR) gives the clip back,
future-frame prediction (FFP) gives the frame after it, and playback-rate prediction (PRP) tells whether frames were
skipped. Paper and released code differ in FFP: the code sees no more than the two oldest decoded frames ("released"),
the paper writes one 2D convolution over all of them ("conv2d"); both start from the decoder before its tanh.

Deviations: the decoder runs once, not once for each of its heads; PRP gives logits, where the released class applies a
softmax that the loss then applies again; PRP "conv" is ours: without a fixed frame size, it looks for the place that
looks most accelerated.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import isqrt
from typing import ClassVar, Literal, NamedTuple, get_args

from torch import Tensor, nn

from pagen.errors import PagenError, require_name
from pagen.models.clip_network import Answer
from pagen.models.conv_ae import SPACE_FACTOR, TIME_FACTOR, Autoencoder, padded, sizes_of, widths_of
from pagen.models.foreign import shape_of

FFP = Literal["conv2d", "released"]
PRP = Literal["published", "conv"]


class Luss(NamedTuple):
    """The answers of the three heads.

    Attributes:
        vcr: (B, C, T, H, W) in [-1, 1], the clip.
        ffp: (B, C, 1, H, W) in [-1, 1], the frame after it.
        logits: (B, 2), index 1 = accelerated.

    Example:
        >>> import torch
        >>> clips = torch.zeros(2, 1, 16, 32, 32)
        >>> Luss(clips, clips[:, :, :1], torch.zeros(2, 2)).ffp.shape
        torch.Size([2, 1, 1, 32, 32])
    """

    vcr: Tensor
    ffp: Tensor
    logits: Tensor


class LUSSAE(Autoencoder):
    """Autoencoder of clips that also predicts the next frame and the playback rate.

    Raises PagenError: no such widths, heads, window, or size.

    Args:
        channels, widths: as `Autoencoder` takes them.
        window: T, a multiple of 8; 16 and more with the published `prp`.
        ffp: `conv2d` as in the paper (145 parameters at 16 grey frames), `released` as in its code (28).
        prp: `published` for frames of `size` alone, `conv` for frames of any size.
        size: (H, W) of the frames, multiples of 16 and 64 at least; `conv` does not look at it.

    Shape:
        (B, C, T, H, W) -> `Luss`, H and W multiples of 16.

    Example:
        >>> import torch
        >>> network = LUSSAE(widths="tiny", window=8, prp="conv").eval()
        >>> [part.shape for part in network(torch.zeros(1, 1, 8, 32, 32))]
        [torch.Size([1, 1, 8, 32, 32]), torch.Size([1, 1, 1, 32, 32]), torch.Size([1, 2])]
    """

    measure: ClassVar[str] = "bpe"
    beyond: ClassVar[int] = 1
    outputs: ClassVar[tuple[str, ...]] = ("vcr", "ffp", "prp")
    published: ClassVar[str] = r"^encoder_model\."
    published_layers: ClassVar[Mapping[str, str]] = {
        **{f"encoder_model.encoder.{layer}": f"encoder.{layer}" for layer in range(12)},
        **{f"decoder_model.decoder.{layer // 3}.{layer % 3}": f"decoder.{layer}" for layer in range(11)},
        **{"decoder_model.prediction.0": "ffp.0", "feature_projector.conv2d": "prp.2"},
        **{"embed_1.fc": "prp.5", "embed_2.fc": "prp.7", "irreg_predictor.fc": "prp.9"},
    }

    def __init__(
        self,
        channels: int = 1,
        widths: str | Sequence[int] = "paper",
        window: int = 16,
        ffp: FFP = "conv2d",
        prp: PRP = "published",
        size: tuple[int, int] = (256, 256),
    ) -> None:
        require_name("ffp", ffp, get_args(FFP))
        require_name("prp", prp, get_args(PRP))
        least = 2 * TIME_FACTOR if prp == "published" else TIME_FACTOR
        if window < least or window % TIME_FACTOR:
            wanted = f"divisible by {TIME_FACTOR}, {least} and more with prp {prp!r}"
            raise PagenError(f"expected a window {wanted}, found {window}")
        if prp == "published" and any(side < 4 * SPACE_FACTOR or side % SPACE_FACTOR for side in size):
            wanted = f"divisible by {SPACE_FACTOR} and {4 * SPACE_FACTOR} at least for the published prp"
            raise PagenError(f"expected a size {wanted}, found {tuple(size)}; prp 'conv' takes any")
        super().__init__(channels, widths, window=window, ffp=ffp, prp=prp, size=tuple(size))
        self.ffp = _ffp(ffp, channels, window)
        width, depth = widths_of(widths)[3], window // TIME_FACTOR
        self.prp = _prp_conv(width, depth) if prp == "conv" else _prp_published(width, depth, size)

    def forward(self, clips: Tensor) -> Luss:
        """All three heads on clips (B, C, T, H, W). Raises PagenError for a shape that does not fit."""
        return self._heads(self.encoded(clips))

    def decoded(self, clips: Tensor) -> Tensor:
        """What both pictures are made of, (B, C, T, H, W): `tanh` of it is the clip, `ffp` of it the frame after."""
        decoded: Tensor = self.decoder(self.encoded(clips))
        return decoded

    def freeze(self, vcr: bool, ffp: bool, prp: bool) -> None:
        """Take what no task with a `True` uses out of training, so that several processes do not wait for it."""
        self.decoder.requires_grad_(vcr or ffp)
        self.ffp.requires_grad_(ffp)
        self.prp.requires_grad_(prp)

    def classify(self, clips: Tensor) -> Tensor:
        """The logits alone, (B, 2), without the decoder. Raises PagenError for a shape that does not fit."""
        return self._logits(self.encoded(clips))

    def answer_of(self, codes: Tensor, frames: Sequence[int], size: Sequence[int]) -> Answer:
        """The frames of the reconstruction, the frame after the window, and the log-odds of acceleration."""
        (answer,) = self.answers_of(codes, [frames], size)
        return answer

    def answers_of(self, codes: Tensor, frames: Iterable[Sequence[int]], size: Sequence[int]) -> list[Answer]:
        """The heads are asked once."""
        vcr, ffp, logits = self._heads(codes)
        height, width = size
        odds = logits.cpu().double()
        after, accelerated = {"ffp": ffp[..., :height, :width]}, {"prp": odds[:, 1] - odds[:, 0]}
        return [Answer({"vcr": vcr[:, :, chosen, :height, :width]}, after, accelerated) for chosen in frames]

    def graph(self, clips: Tensor) -> tuple[Tensor, ...]:
        return tuple(predict(self, clips))

    @classmethod
    def from_published(cls, weights: Mapping[str, Tensor]) -> Autoencoder:
        """The network that published weights fit, by their names here, not yet filled. Raises PagenError: none."""
        features = shape_of(weights, "prp.5.weight", 2)[1]
        side = 64 * isqrt(features // 32)  # 32 channels of pixels that are 64 wide; square, as published
        return cls(**sizes_of(weights), ffp="released", prp="published", size=(side, side))

    def check(self, clips: Tensor) -> None:
        """Raise PagenError for clips whose shape it does not take: the heads know one length, and maybe one size."""
        super().check(clips)
        window, size = self.config["window"], self.config["size"]
        if clips.shape[2] != window:
            raise PagenError(f"expected clips of {window} frames, found {clips.shape[2]}; the heads know no other")
        if self.config["prp"] == "published" and clips.shape[3:] != size:
            found = f"{tuple(clips.shape[3:])}; prepare them at that size, or take prp 'conv'"
            raise PagenError(f"expected frames of {size} for the published prp, found {found}")

    def _heads(self, code: Tensor) -> Luss:
        decoded = self.decoder(code)
        return Luss(decoded.tanh(), self.ffp(decoded), self._logits(code))

    def _logits(self, code: Tensor) -> Tensor:
        """The logits (B, 2); of many places those at which the second exceeds the first by most."""
        logits: Tensor = self.prp(code)
        if logits.ndim == 2:
            return logits
        places = logits.flatten(2)
        best = (places[:, 1] - places[:, 0]).argmax(1)
        # `take_along_dim` would fix the size of the batch in an exported graph
        return places.gather(2, best[:, None, None].expand(-1, 2, -1)).squeeze(2)


def predict(model: LUSSAE, clips: Tensor) -> Luss:
    """All three heads on clips (B, C, T, H, W) of any H and W: edges are repeated up to multiples of 16, and cut off.

    Errors are those of `LUSSAE.check`.

    Example:
        >>> import torch
        >>> network = LUSSAE(widths="tiny", window=8, prp="conv").eval()
        >>> predict(network, torch.zeros(1, 1, 8, 20, 30)).ffp.shape
        torch.Size([1, 1, 1, 20, 30])
    """
    height, width = clips.shape[-2:]
    vcr, ffp, logits = model(padded(clips))
    return Luss(vcr[..., :height, :width], ffp[..., :height, :width], logits)


def _ffp(kind: FFP, channels: int, window: int) -> nn.Sequential:
    if kind == "released":
        return nn.Sequential(nn.Conv3d(channels, channels, 3, (window, 1, 1), 1), nn.Tanh())
    convolution = nn.Conv2d(channels * window, channels, 3, padding=1)
    return nn.Sequential(nn.Flatten(1, 2), convolution, nn.Tanh(), nn.Unflatten(1, (channels, 1)))


def _prp_published(width: int, depth: int, size: tuple[int, int]) -> nn.Sequential:
    features = 32 * (size[0] // SPACE_FACTOR // 4) * (size[1] // SPACE_FACTOR // 4)
    pooled = [nn.MaxPool3d(2), nn.Flatten(1, 2), nn.Conv2d(width * (depth // 2), 32, 3, padding=1), nn.MaxPool2d(2)]
    connected = [nn.Linear(features, 128), nn.ReLU(), nn.Linear(128, 32), nn.ReLU(), nn.Linear(32, 2)]
    return nn.Sequential(*pooled, nn.Flatten(), *connected)


def _prp_conv(width: int, depth: int) -> nn.Sequential:
    pooled = [nn.MaxPool3d((depth, 2, 2), ceil_mode=True), nn.Flatten(1, 2), nn.Conv2d(width, 32, 3, padding=1)]
    pointwise = [nn.ReLU(), nn.Conv2d(32, 128, 1), nn.ReLU(), nn.Conv2d(128, 32, 1), nn.ReLU(), nn.Conv2d(32, 2, 1)]
    return nn.Sequential(*pooled, *pointwise)
