"""Networks of transformers that describe a window of frames: `hiera`, an image network or a VideoMAE.

transformers' Hiera (Ryali et al., ICML 2023) is of images alone: each frame is encoded, and the window's vectors are
averaged. MULDE takes the Hiera-L of videos, trained on Kinetics-400, which sees 16 frames as a whole and which
transformers lacks; a VideoMAE (Tong et al., NeurIPS 2022) does see them as a whole, and its vector is the mean over
its last tokens. Frames are squeezed into the network's square as the encoders of frames do it, and standardised by
what the model's folder says, or by ImageNet's statistics.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt
from torch import Tensor

from pagen.batching import in_batches
from pagen.errors import PagenError
from pagen.hub import contents, loading, require_whole
from pagen.models.encoders.clip import IMAGENET, Described, located, of_255, pretrained, statistics_of
from pagen.models.encoders.encoder import Encoder

WINDOW = 16
WINDOWS_AT_ONCE = 2
NETWORKS = {"hiera": "HieraModel", "videomae": "VideoMAEModel"}


@dataclass(frozen=True)
class VideoEncoder:
    """A network as a function from windows of frames to vectors.

    Attributes:
        encoder: the network, what it sees of a frame, and where it lies. Of images: pictures (N, 3, side, side) to
            (N, D); of videos: (N, window, 3, side, side) to (N, D).
        window: frames in a window.
        moving: it sees a window as a whole.

    Example:
        >>> from torch import nn
        >>> network = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        >>> encoder = Encoder("mean", 3, network, side=8, mean=(0.0, 0.0, 0.0), deviation=(255.0, 255.0, 255.0))
        >>> windows = np.arange(8).reshape(2, 4)
        >>> VideoEncoder(encoder, window=4, moving=False)(np.zeros((8, 20, 30, 1), np.uint8), windows).shape
        (2, 3)
    """

    encoder: Encoder
    window: int
    moving: bool

    def __call__(self, frames: npt.NDArray[np.uint8], windows: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Vectors (N, D) of windows.

        Args:
            frames: (T, H, W, C), C 1 (grey) or 3 (RGB).
            windows: (N, window): the indices of their frames.
        """
        if not self.moving:
            return cast(npt.NDArray[np.float32], self.encoder(frames)[windows].mean(axis=1))

        def encode(batch: list[npt.NDArray[np.int64]]) -> Tensor:
            indices = np.stack(batch)
            shown = self.encoder.standardised(frames[indices.ravel()]).unflatten(0, indices.shape)
            return cast(Tensor, self.encoder.network(shown))

        return in_batches(encode, windows, WINDOWS_AT_ONCE, (self.encoder.features,))


def open_video(option: str, device: str = "cpu") -> VideoEncoder:
    """The network of a folder that `save_pretrained` wrote, or of a hub id `owner/name`, on a device of torch's.

    Errors are those of `open_encoder`.

    Example:
        >>> open_video("no folder")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        pagen.errors.PagenError: expected features 'hiera:MODEL' with a folder or a hub id owner/name, found ...
    """
    address, folder = located("features", "hiera", option, "for example hiera:facebook/hiera-large-224-hf")
    with loading(folder):
        model, missing = pretrained(folder, f"a model of one of {' '.join(NETWORKS)}", NETWORKS)
        mean, deviation = map(of_255, statistics_of(folder, IMAGENET))
    require_whole(folder, missing, "a HieraModel with its pooler, or a VideoMAEModel")
    sides = set(np.atleast_1d(model.config.image_size).tolist())
    if len(sides) != 1:
        sizes = tuple(model.config.image_size)
        raise PagenError(f"expected a model of square pictures in {folder}, found {sizes}; take another")
    moving = model.config.model_type == "videomae"
    network = Described(model, "last_hidden_state" if moving else "pooler_output").to(device).eval()
    about = sides.pop(), mean, deviation, (address, contents(folder))
    encoder = Encoder(model.config.model_type, model.config.hidden_size, network, *about, device=device)
    return VideoEncoder(encoder, model.config.num_frames if moving else WINDOW, moving)
