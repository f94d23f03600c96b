"""Inpainting by a diffusion pipeline: the bundled one, CompVis' converted, or any of diffusers'.

Text pipelines get an empty prompt and no guidance, as Rai et al. (unified pseudo-anomalies, 2024) use a
latent diffusion model: to fill a hole with something plausible that was not there. The pipelines return
the whole picture through their autoencoder: what lies outside of the mask is put back here.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

import numpy as np
import numpy.typing as npt
import torch
from kornia.color import grayscale_to_rgb
from safetensors import SafetensorError

from pagen.arrays import Frames, Masks
from pagen.device import device_named, rounding
from pagen.errors import PagenError
from pagen.generate.hole_crops import hole_crops
from pagen.generate.inpaint import Painting, composite
from pagen.hub import quiet, refusal
from pagen.models.ldm import LDMInpaintPipeline, bundled, latents


def load_pipeline(name: str, device: str, dtype: torch.dtype) -> Any:
    """The pipeline of a folder that `save_pretrained` wrote or of a hub id `owner/name`, on a device of torch's.

    Raises PagenError: no pipeline there, not one for inpainting, pickled weights only, or code of its own.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     try:
        ...         load_pipeline(folder, "cpu", torch.float32)
        ...     except PagenError as error:
        ...         print(str(error).partition(", ")[2])
        found no model_index.json; is the path right?
    """
    is_folder = Path(name).is_dir()
    if is_folder and not (Path(name) / "model_index.json").is_file():
        raise PagenError(f"expected a diffusers pipeline in {name}, found no model_index.json; is the path right?")
    options = {"use_safetensors": True, "low_cpu_mem_usage": False, "local_files_only": is_folder}
    with quiet("diffusers", "transformers"):
        from diffusers import AutoPipelineForInpainting  # which has advice to give while it is imported

        try:
            config = AutoPipelineForInpainting.load_config(name, local_files_only=is_folder)
            if config.get("_class_name") == LDMInpaintPipeline.__name__:
                return LDMInpaintPipeline.from_pretrained(name, **options).to(device, dtype)
            off = {"safety_checker": None, "requires_safety_checker": False} if "safety_checker" in config else {}
            return AutoPipelineForInpainting.from_pretrained(name, **options, **off).to(device, dtype)
        except (OSError, ValueError, ImportError, SafetensorError) as error:
            raise refusal("pipeline", "diffusers", name, str(error)) from error


@dataclass(frozen=True)
class DiffusionInpainter:
    """A loaded pipeline with the methods of `Inpainter`.

    Attributes:
        pipeline: the diffusers pipeline.
        multiple: height and width of what it sees are multiples of it, pixels.
        crop: least side of the crops round the holes that it sees, pixels; 0: it sees whole frames.
        painting: how it works.

    Example:
        >>> inpainter = open_bundled(Painting(steps=1))
        >>> frames, masks = np.full((1, 64, 64, 1), 90, np.uint8), np.zeros((1, 64, 64), np.bool_)
        >>> masks[:, 24:40, 24:40] = True
        >>> filled = inpainter(frames, masks, np.random.default_rng(0))
        >>> bool((filled[~masks] == 90).all()), filled.shape
        (True, (1, 64, 64, 1))
    """

    pipeline: Any
    multiple: int
    crop: int
    painting: Painting

    def __call__(self, frames: Frames, masks: Masks, rng: np.random.Generator) -> Frames:
        seeds = [int(seed) for seed in rng.integers(2**63, size=len(frames))]
        if self.painting.noise == "clip":
            seeds = seeds[:1] * len(frames)
        return self._through(lambda images, holes, part: self._paint(images, holes, seeds[part]), frames, masks)

    def matched(self, frames: Frames, masks: Masks) -> Frames:
        return self._through(lambda images, holes, part: self._autoencode(images), frames, masks)

    def _through(self, work: Callable[[Any, Masks, slice], Any], frames: Frames, masks: Masks) -> Frames:
        """Crops, in batches through `work` on RGB images in [0, 1], and back into the frames."""
        crops = hole_crops(masks, self.crop, self.multiple)
        parts, holes, worked = crops.cut(frames), crops.cut(masks), []
        for start in range(0, len(frames), self.painting.batch):
            part = slice(start, start + self.painting.batch)
            worked.append(_to_uint8(work(_to_images(parts[part]), holes[part], part), frames.shape[3]))
        return composite(frames, crops.paste(frames, np.concatenate(worked)), masks, self.painting.feather)

    def _paint(self, images: Any, holes: Masks, seeds: list[int]) -> Any:
        height, width = images.shape[2:]
        # full strength: at less, what the mask hides would shine through
        text = {"prompt": [""] * len(images), "guidance_scale": 1.0, "strength": 1.0}
        accepted = inspect.signature(self.pipeline.__call__).parameters
        with self._rounding():
            return self.pipeline(
                image=images,
                mask_image=torch.from_numpy(holes)[:, None].float(),
                generator=[torch.Generator().manual_seed(seed) for seed in seeds],
                height=height,
                width=width,
                num_inference_steps=self.painting.steps,
                output_type="pt",
                **{key: value for key, value in text.items() if key in accepted},
            ).images

    def _autoencode(self, images: Any) -> Any:
        vae = self.pipeline.vae
        with torch.no_grad(), self._rounding():
            latent = latents(vae, (images * 2 - 1).to(vae.device, vae.dtype))
            return vae.decode(latent).sample / 2 + 0.5

    def _rounding(self) -> AbstractContextManager[None]:
        return rounding(self.painting.precision, self.pipeline.vae.device.type)


def _to_images(frames: Frames) -> torch.Tensor:
    """uint8 (N, H, W, C), C 1 or 3 -> float32 tensor (N, 3, H, W) in [0, 1]."""
    images = torch.from_numpy(np.ascontiguousarray(frames.transpose(0, 3, 1, 2))).float() / 255
    return grayscale_to_rgb(images) if frames.shape[3] == 1 else images


def _to_uint8(images: torch.Tensor, channels: int) -> Frames:
    """RGB (N, 3, H, W) in [0, 1] -> uint8 (N, H, W, C); grey by the weights of ITU-R BT.601."""
    rgb: npt.NDArray[np.float32] = images.float().clamp(0, 1).permute(0, 2, 3, 1).cpu().numpy()
    if channels == 1:
        rgb = rgb @ np.array([[0.299], [0.587], [0.114]], np.float32)
    return np.rint(rgb * 255).astype(np.uint8)


def open_pipeline(name: str, painting: Painting | None = None) -> DiffusionInpainter:
    """The inpainting pipeline that `load_pipeline` loads; noise is drawn on the CPU whatever the device.

    Raises PagenError: as `load_pipeline`, a value that `Painting` does not allow, or more steps than the model learnt.

    Example:
        >>> open_pipeline(str(bundled()), Painting(batch=0))
        Traceback (most recent call last):
        pagen.errors.PagenError: expected batch of 1 and more, found 0; give more
    """
    painting = painting or Painting()
    _check(painting)
    device = device_named(painting.device)
    if painting.precision == "fp16" and device == "cpu":
        raise PagenError("expected --precision fp32 or bf16 on the CPU, found fp16, which is for a GPU; leave it out")
    pipeline = load_pipeline(name, device, torch.float16 if painting.precision == "fp16" else torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    _check_steps(pipeline.scheduler, painting.steps)
    return DiffusionInpainter(pipeline, _multiple(pipeline), int(pipeline.config.get("crop", 0)), painting)


def open_bundled(painting: Painting) -> DiffusionInpainter:
    """The small model that lies in the package.

    Example:
        >>> inpainter = open_bundled(Painting(steps=1))
        >>> inpainter.crop, inpainter.multiple
        (64, 16)
    """
    return open_pipeline(str(bundled()), painting)


def _check(painting: Painting) -> None:
    for name, hint in get_type_hints(Painting).items():
        choices, given = get_args(hint), getattr(painting, name)
        if choices and given not in choices:
            raise PagenError(f"expected {name} of {' or '.join(map(repr, choices))}, found {given!r}; give one of them")
    for name, least in (("steps", 1), ("batch", 1), ("feather", 0)):
        if getattr(painting, name) < least:
            raise PagenError(f"expected {name} of {least} and more, found {getattr(painting, name)}; give more")


def _check_steps(scheduler: Any, steps: int) -> None:
    """Raise PagenError for more denoising steps than the scheduler can take among those that the model learnt."""
    if _fits(scheduler, steps):
        return
    most = next((fewer for fewer in range(min(steps, _learnt(scheduler)), 0, -1) if _fits(scheduler, fewer)), 1)
    raise PagenError(f"expected --inference-steps of at most {most} for this inpainter, found {steps}; give fewer")


def _fits(scheduler: Any, steps: int) -> bool:
    """Whether every one of so many steps is one that the model learnt."""
    if steps > _learnt(scheduler):
        return False
    trial = copy.deepcopy(scheduler)
    try:
        trial.set_timesteps(steps)
    except (TypeError, ValueError):  # one that wants more than a number, which its pipeline gives
        return True
    return bool(torch.as_tensor(trial.timesteps).max() < _learnt(scheduler))


def _learnt(scheduler: Any) -> int:
    return int(scheduler.config.num_train_timesteps)


def _multiple(pipeline: Any) -> int:
    """What height and width must be multiples of, pixels: the autoencoder's factor times the denoiser's."""
    unet = getattr(pipeline, "unet", None)
    inner = 2 ** (len(unet.config.block_out_channels) - 1) if unet is not None else 2
    return int(getattr(pipeline, "vae_scale_factor", 8)) * inner
