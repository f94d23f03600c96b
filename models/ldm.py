"""A latent diffusion model that inpaints, out of diffusers' parts (Rombach et al., CVPR 2022).

The denoiser sees the noisy latent, the latent of the image without its hole, and the mask, stacked in this order: how
the inpainting model works that equation 2 of Rai et al. (2024) calls. One pipeline class serves our own small model and
the converted one of CompVis; what a hole holds and how a mask is written stand in the pipeline's configuration.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple, cast

import torch
from diffusers import AutoencoderTiny, DDIMScheduler, DiffusionPipeline, UNet2DModel
from torch import Tensor
from torch.nn.functional import interpolate

from pagen.errors import PagenError
from pagen.models import unet_heads  # noqa: F401  diffusers finds a component's class only where it was imported

LATENTS = 6


class Inpainted(NamedTuple):
    """The result, named as in diffusers: (N, 3, H, W) float32 in [0, 1]; numpy (N, H, W, 3) by `output_type="np"`.

    Example:
        >>> Inpainted(torch.zeros(2, 3, 64, 64)).images.shape
        torch.Size([2, 3, 64, 64])
    """

    images: Any


class LDMInpaintPipeline(DiffusionPipeline):  # type: ignore[misc]  # diffusers' types are not followed
    """Inpainting by latent diffusion with a mask as its only condition.

    Args:
        vae: `AutoencoderTiny`, `AutoencoderKL` or `VQModel`, images in [-1, 1].
        unet: `UNet2DModel` over 2 L + 1 channels, L of the latent.
        scheduler: `DDIMScheduler`.
        hole_value: what the masked image holds in the hole, in [-1, 1].
        mask_kept, mask_hole: what the mask's channel holds where the image is kept, and in the hole.
        mask_resize: how the mask shrinks to the latent: `"area"` (the share that is hole) or `"nearest"`.
        crop: the least side of the crops that the model is meant to work on, pixels; 0 for whole frames.

    Example:
        >>> pipeline = LDMInpaintPipeline(small_autoencoder(), None, small_scheduler(), crop=64)
        >>> pipeline.vae_scale_factor, pipeline.config.crop
        (4, 64)
    """

    def __init__(
        self,
        vae: Any,
        unet: Any,
        scheduler: Any,
        hole_value: float = 0.0,
        mask_kept: float = 0.0,
        mask_hole: float = 1.0,
        mask_resize: str = "area",
        crop: int = 0,
    ) -> None:
        super().__init__()
        self.register_modules(vae=vae, unet=unet, scheduler=scheduler)
        masks = {"hole_value": hole_value, "mask_kept": mask_kept, "mask_hole": mask_hole, "mask_resize": mask_resize}
        self.register_to_config(**masks, crop=crop)

    @property
    def vae_scale_factor(self) -> int:
        """Pixels of the image to one of the latent, along each side."""
        return int(2 ** (len(self.vae.config.block_out_channels) - 1))

    @torch.no_grad()
    def __call__(
        self,
        image: Tensor,
        mask_image: Tensor,
        generator: list[torch.Generator] | torch.Generator | None = None,
        num_inference_steps: int = 20,
        output_type: str = "pt",
        height: int | None = None,
        width: int | None = None,
    ) -> Inpainted:
        """Paint the holes. Raises PagenError: H or W does not divide.

        Args:
            image: (N, 3, H, W) in [0, 1]; H and W multiples of what the networks shrink by.
            mask_image: (N, 1, H, W), 1 where to paint.
            generator: of the noise, on the CPU; a list gives each image its own.
            num_inference_steps: DDIM steps.
            output_type: `"pt"` or `"np"`.
            height, width: H and W, as other pipelines are told them; nothing is resized.

        Returns:
            Whole images as the autoencoder gives them: paste their holes into the original yourself.
        """
        self._check(image, mask_image, height, width)
        image, mask = (given.to(self.device, self.unet.dtype) for given in (image, mask_image))
        condition = self.condition(image * 2 - 1, mask)
        generators = generator if isinstance(generator, list) else [generator] * len(image)
        noise = torch.cat([_noise(one, condition) for one in generators])
        images = (self.decode(self.denoise(noise, condition, num_inference_steps)) / 2 + 0.5).clamp(0, 1).float()
        return Inpainted(images.permute(0, 2, 3, 1).cpu().numpy() if output_type == "np" else images)

    def denoise(self, noise: Tensor, condition: Tensor, steps: int) -> Tensor:
        """DDIM without added noise: noise (N, L, h, w) and condition (N, L + 1, h, w) -> latent (N, L, h, w)."""
        self.scheduler.set_timesteps(steps, device=noise.device)
        latent: Tensor = noise * self.scheduler.init_noise_sigma
        for time in self.progress_bar(self.scheduler.timesteps):
            predicted = self.unet(torch.cat([latent, condition], 1), time).sample
            latent = self.scheduler.step(predicted, time, latent).prev_sample
        return latent

    def condition(self, image: Tensor, mask: Tensor) -> Tensor:
        """Images (N, 3, H, W) in [-1, 1] and masks (N, 1, H, W) -> latent without the hole, and the mask, stacked."""
        mask = (mask >= 0.5).to(image.dtype)
        latent = self.encode(image * (1 - mask) + self.config.hole_value * mask)
        low, high = self.config.mask_kept, self.config.mask_hole
        small = interpolate(mask, latent.shape[2:], mode=self.config.mask_resize) * (high - low) + low
        return torch.cat([latent, small], 1)

    def encode(self, image: Tensor) -> Tensor:
        """Images (N, 3, H, W) in [-1, 1] -> scaled latents (N, L, h, w); the mean, nothing is drawn."""
        return cast(Tensor, latents(self.vae, image) * self.vae.config.scaling_factor)

    def decode(self, latent: Tensor) -> Tensor:
        """Scaled latents (N, L, h, w) -> images (N, 3, H, W), about [-1, 1]."""
        return cast(Tensor, self.vae.decode(latent / self.vae.config.scaling_factor).sample)

    def _check(self, image: Tensor, mask: Tensor, height: int | None, width: int | None) -> None:
        size = tuple(image.shape[2:])
        multiple = self.vae_scale_factor * 2 ** (len(self.unet.config.block_out_channels) - 1)
        if size != (height or size[0], width or size[1]) or size != tuple(mask.shape[2:]):
            raise PagenError(f"expected masks of the frames' size {size}, found {tuple(mask.shape[2:])}; resize them")
        if any(side % multiple for side in size):
            raise PagenError(f"expected height and width in multiples of {multiple}, found {size}; pad the frames")


def latents(vae: Any, image: Tensor) -> Tensor:
    """The latents (N, L, h, w) of images (N, 3, H, W) in [-1, 1] by an autoencoder of diffusers: means, nothing drawn.

    Example:
        >>> latents(small_autoencoder(), torch.zeros(1, 3, 16, 16)).shape
        torch.Size([1, 6, 4, 4])
    """
    encoded = vae.encode(image)
    return cast(Tensor, encoded.latents if "latents" in encoded else encoded.latent_dist.mode())


def _noise(generator: torch.Generator | None, condition: Tensor) -> Tensor:
    """Drawn on the CPU, one image at a time: the same for any batch and on any device."""
    return torch.randn((1, condition.shape[1] - 1, *condition.shape[2:]), generator=generator).to(condition)


def small_autoencoder() -> Any:
    """The bundled model's autoencoder: factor 4, six latent channels, 0.5 M parameters.

    It has no normalisation, which would take the mean colour of a crop out of every block.

    Example:
        >>> small_autoencoder().config.latent_channels
        6
    """
    widths = {f"{side}_block_out_channels": (40, 40, 40) for side in ("encoder", "decoder")}
    blocks = {"num_encoder_blocks": (1, 2, 2), "num_decoder_blocks": (2, 2, 1)}
    return AutoencoderTiny(**widths, **blocks, latent_channels=LATENTS, scaling_factor=1.0)


def small_denoiser() -> Any:
    """The bundled model's denoiser: three levels of one block, attention at the lowest, 4.7 M parameters.

    Example:
        >>> with torch.device("meta"):
        ...     small_denoiser().config.in_channels
        13
    """
    down, up = ("DownBlock2D", "DownBlock2D", "AttnDownBlock2D"), ("AttnUpBlock2D", "UpBlock2D", "UpBlock2D")
    levels = {"down_block_types": down, "up_block_types": up, "block_out_channels": (64, 112, 144)}
    sizes = {"sample_size": 16, "layers_per_block": 1, "attention_head_dim": 16, "norm_num_groups": 16}
    return UNet2DModel(in_channels=2 * LATENTS + 1, out_channels=LATENTS, **levels, **sizes)


def small_scheduler() -> Any:
    """v-prediction down to pure noise (Lin et al., WACV 2024), so that few steps suffice.

    Example:
        >>> small_scheduler().config.prediction_type
        'v_prediction'
    """
    betas = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012, "rescale_betas_zero_snr": True}
    return DDIMScheduler(**betas, prediction_type="v_prediction", timestep_spacing="trailing", clip_sample=False)


def bundled() -> Path:
    """The folder of the bundled model: beside this file, in the wheel too.

    Example:
        >>> (bundled() / "model_index.json").is_file()
        True
    """
    return Path(__file__).parent / "ldm"
