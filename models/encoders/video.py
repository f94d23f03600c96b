"""Networks of transformers that describe a window of frames: `hiera`, an image network or a VideoMAE.

transformers' Hiera (Ryali et al., ICML 2023) is of images alone: each frame is encoded, and the window's vectors are
averaged. MULDE takes the Hiera-L of videos, trained on Kinetics-400, which sees 16 frames as a whole and which
transformers lacks; a VideoMAE (Tong et al., NeurIPS 2022) does see them as a whole, and its vector is the mean over
its last tokens. Frames are squeezed into the network's square as the encoders of frames do it, and standardised by
what the model's folder says, or by ImageNet's statistics.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from pagen.device import exact
from pagen.errors import PagenError
from pagen.hub import contents, loading, need, place_of, require_whole
from pagen.models.encoders.clip import IMAGENET, of_255, statistics_of
from pagen.models.encoders.encoder import Encoder, pictures

WINDOW = 16
WINDOWS_AT_ONCE = 2
KINDS = ("hiera", "videomae")


@dataclass(frozen=True)
class VideoEncoder:
    """A network as a function from windows of frames to vectors.

    Attributes:
        encoder: the network, what it sees of a frame, and where it lies. Of images: pictures (N, 3, side, side) to
            (N, D); of videos: (N, window, 3, side, side) to (N, D).
        window: frames in a window.
        moving: it sees a window as a whole.
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
            means: npt.NDArray[np.float32] = self.encoder(frames)[windows].mean(axis=1)
            return means
        vectors = np.empty((len(windows), self.encoder.features), np.float32)
        with torch.inference_mode(), exact():
            for first in range(0, len(windows), WINDOWS_AT_ONCE):
                chunk = windows[first : first + WINDOWS_AT_ONCE]
                full = np.concatenate([chunk, np.repeat(chunk[-1:], WINDOWS_AT_ONCE - len(chunk), axis=0)])
                vectors[first : first + len(chunk)] = self._seen(frames, full)[: len(chunk)].cpu().numpy()
        return vectors

    def _seen(self, frames: npt.NDArray[np.uint8], windows: npt.NDArray[np.int64]) -> Tensor:
        encoder = self.encoder
        colours = (encoder.mean, encoder.deviation)
        mean, deviation = (torch.tensor(of, device=encoder.device).view(3, 1, 1) for of in colours)
        shown = torch.from_numpy(frames[windows.ravel()]).to(encoder.device)
        seen = (pictures(shown, encoder.side) - mean) / deviation
        vectors: Tensor = encoder.network(seen.unflatten(0, windows.shape))
        return vectors


class Described(nn.Module):
    """What a model of transformers is given, to its vectors (N, D)."""

    def __init__(self, model: Any, vectors: Callable[[Any], Tensor]) -> None:
        super().__init__()
        self.model, self.vectors = model, vectors

    def forward(self, pixels: Tensor) -> Tensor:
        """See the class."""
        return self.vectors(self.model(pixel_values=pixels))


def open_video(option: str, device: str = "cpu") -> VideoEncoder:
    """The network of a folder that `save_pretrained` wrote, or of a hub id `owner/name`, on a device of torch's.

    Raises:
        PagenError: transformers or the model is missing, the model is of another kind, has pickled weights only, or
            code of its own.
    """
    need("transformers", "features 'hiera'", "hub")
    found = place_of(option)
    if found is None:
        raise PagenError(
            f"expected features 'hiera:MODEL' with a folder or a hub id owner/name, found 'hiera:{option}'; "
            "give for example hiera:facebook/hiera-large-224-hf"
        )
    place, folder = found
    with loading(folder):
        model, missing = _pretrained(folder)
        mean, deviation = map(of_255, statistics_of(folder, IMAGENET))
    require_whole(folder, missing, "a HieraModel with its pooler, or a VideoMAEModel")
    moving = model.config.model_type == "videomae"
    network = Described(model, _mean_token if moving else _pooler).to(device).eval()
    about = (_side(model.config.image_size, folder), mean, deviation, (place, contents(folder)))
    encoder = Encoder(model.config.model_type, model.config.hidden_size, network, *about, device=device)
    return VideoEncoder(encoder, model.config.num_frames if moving else WINDOW, moving)


def _pretrained(folder: Path) -> tuple[Any, set[str]]:
    """The model, and names of the weights that the folder lacks."""
    from transformers import AutoConfig, HieraModel, VideoMAEModel

    options: dict[str, Any] = {"local_files_only": True}
    kind = AutoConfig.from_pretrained(folder, trust_remote_code=False, **options).model_type
    if kind not in KINDS:
        raise PagenError(f"expected a model of one of {' '.join(KINDS)} in {folder}, found {kind!r}; take another")
    options |= {"use_safetensors": True, "output_loading_info": True}
    network: Any = VideoMAEModel if kind == "videomae" else HieraModel
    model, info = network.from_pretrained(folder, **options)
    return model.float(), set(info["missing_keys"])


def _pooler(said: Any) -> Tensor:
    vectors: Tensor = said.pooler_output
    return vectors


def _mean_token(said: Any) -> Tensor:
    vectors: Tensor = said.last_hidden_state.mean(dim=1)
    return vectors


def _side(size: Any, folder: Path) -> int:
    """The side of a square input, which a configuration gives as one number or two."""
    sides = {size} if isinstance(size, int) else set(size)
    if len(sides) != 1:
        raise PagenError(f"expected a model of square pictures in {folder}, found {tuple(size)}; take another")
    return int(sides.pop())
