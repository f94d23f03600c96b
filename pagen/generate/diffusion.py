"""Inpainting by any diffusers inpainting pipeline, from a folder or a hub id.

Text pipelines get an empty prompt and no guidance, as Rai et al. (unified pseudo-anomalies, 2024) use a
latent diffusion model: to fill a hole with something plausible that was not there. Nothing is
unpickled and no code of the folder is run. The pipelines return the whole frame through their
autoencoder: what lies outside of the mask is put back here.
"""

from __future__ import annotations

import inspect
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pagen.device import device_named
from pagen.errors import PagenError
from pagen.generate.inpaint import composite

Frames = npt.NDArray[np.uint8]
Masks = npt.NDArray[np.bool_]

NOISES = ("clip", "frame")


@dataclass(frozen=True)
class DiffusionInpainter:
    """A loaded pipeline as an `Inpainter`.

    Attributes:
        pipeline: the diffusers pipeline.
        multiple: height and width are padded to multiples of it, pixels.
        steps: denoising steps.
        noise: `"clip"`: all frames of a call start from the same noise; `"frame"`: each from its own.
        batch: frames that go through the pipeline at once.
    """

    pipeline: Any
    multiple: int
    steps: int = 20
    noise: str = "clip"
    batch: int = 4

    def __call__(self, frames: Frames, masks: Masks, rng: np.random.Generator) -> Frames:
        """Frames uint8 (N, H, W, C) and masks bool (N, H, W), True where to fill -> frames alike."""
        first, *others = (int(seed) for seed in rng.integers(2**63, size=len(frames)))
        seeds = [first] * len(frames) if self.noise == "clip" else [first, *others]
        parts = [slice(start, start + self.batch) for start in range(0, len(frames), self.batch)]
        filled = [self._fill(frames[part], masks[part], seeds[part]) for part in parts]
        return composite(frames, np.concatenate(filled), masks)

    def _fill(self, frames: Frames, masks: Masks, seeds: list[int]) -> Frames:
        import torch

        count, height, width, channels = frames.shape
        below, right = -height % self.multiple, -width % self.multiple
        padded = np.pad(frames, ((0, 0), (0, below), (0, right), (0, 0)), "reflect")
        holes = np.pad(masks, ((0, 0), (0, below), (0, right)))
        rgb = np.repeat(padded, 3 // channels, axis=3)
        answer = self.pipeline(
            image=torch.from_numpy(rgb).permute(0, 3, 1, 2).float() / 255,
            mask_image=torch.from_numpy(holes)[:, None].float(),
            generator=[torch.Generator().manual_seed(seed) for seed in seeds],
            height=height + below,
            width=width + right,
            num_inference_steps=self.steps,
            output_type="np",
            **self._options(count),
        )
        return _to_uint8(answer.images[:, :height, :width], channels)

    def _options(self, count: int) -> dict[str, Any]:
        # full strength: at less, what the mask hides would shine through
        options = {"prompt": [""] * count, "guidance_scale": 1.0, "strength": 1.0}
        accepted = inspect.signature(self.pipeline.__call__).parameters
        return {key: value for key, value in options.items() if key in accepted}


def _to_uint8(images: npt.NDArray[np.float32], channels: int) -> Frames:
    """RGB (N, H, W, 3) in [0, 1] -> uint8 (N, H, W, C); grey by the weights of ITU-R BT.601."""
    if channels == 1:
        images = images @ np.array([[0.299], [0.587], [0.114]], np.float32)
    return np.rint(np.clip(images, 0, 1) * 255).astype(np.uint8)


def open_pipeline(name: str, device: str = "cpu", steps: int = 20, noise: str = "clip") -> DiffusionInpainter:
    """Load an inpainting pipeline.

    Args:
        name: a folder that `save_pretrained` wrote, or a hub id `owner/name`.
        device: where it runs, as `device_named` takes it; noise is drawn on the CPU whatever it is.
        steps: denoising steps.
        noise: `"clip"` or `"frame"`, see `DiffusionInpainter`.

    Raises:
        PagenError: no pipeline there, not one for inpainting, pickled weights only, or code of its own.
    """
    if noise not in NOISES:
        raise PagenError(f"expected noise of 'clip' or 'frame', found {noise!r}; give one of the two")
    place = device_named(device)
    pipeline = _load(name).to(place)
    pipeline.set_progress_bar_config(disable=True)
    return DiffusionInpainter(pipeline, _multiple(pipeline), steps, noise)


def _load(name: str) -> Any:
    folder = Path(name).is_dir()
    if folder and not (Path(name) / "model_index.json").is_file():
        raise PagenError(f"expected a diffusers pipeline in {name}, found no model_index.json; is the path right?")
    with _quiet():
        import diffusers
        from safetensors import SafetensorError

        auto: Any = diffusers.AutoPipelineForInpainting
        try:
            config = auto.load_config(name, local_files_only=folder)
            off = {"safety_checker": None, "requires_safety_checker": False} if "safety_checker" in config else {}
            return auto.from_pretrained(
                name, local_files_only=folder, use_safetensors=True, low_cpu_mem_usage=False, **off
            )
        except (OSError, ValueError, ImportError, SafetensorError) as error:
            raise _refusal(name, str(error)) from error


def _refusal(name: str, reason: str) -> PagenError:
    """Diffusers tells its failures apart by their text alone."""
    if "trust_remote_code" in reason or "linked to [" in reason:
        return PagenError(
            f"expected a pipeline of diffusers' own classes, found own code in {name}; it is not run, take another"
        )
    if "AutoPipeline can't find" in reason:
        return PagenError(f"expected an inpainting pipeline, found another kind in {name} ({reason}); take another")
    if re.search(r"no file named \S+\.safetensors|necessary `safetensors`", reason):
        return PagenError(
            f"expected safetensors weights, found none in {name}; pickled weights are not read: "
            "save the pipeline again with save_pretrained"
        )
    first = reason.strip().partition("\n")[0]
    return PagenError(
        f"cannot load the pipeline {name} ({first}); give a whole folder, or a hub id in reach or in the cache"
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """No bars and no advice of the two libraries while they load."""
    found = [library for library in ("diffusers", "transformers") if find_spec(library)]
    libraries: list[Any] = [import_module(f"{library}.utils.logging") for library in found]
    levels = [library.get_verbosity() for library in libraries]
    for library in libraries:
        library.set_verbosity_error()
        library.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            # diffusers 0.42 passes an argument that huggingface_hub has retired
            warnings.filterwarnings("ignore", message=".*local_dir_use_symlinks", category=UserWarning)
            yield
    finally:
        for library, level in zip(libraries, levels, strict=True):
            library.set_verbosity(level)
            library.enable_progress_bar()


def _multiple(pipeline: Any) -> int:
    """What height and width must be multiples of, pixels: the autoencoder's factor times the denoiser's."""
    unet = getattr(pipeline, "unet", None)
    inner = 2 ** (len(unet.config.block_out_channels) - 1) if unet is not None else 2
    return int(getattr(pipeline, "vae_scale_factor", 8)) * inner
