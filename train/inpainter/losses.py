"""What the networks of the bundled inpainter learn by: a faithful autoencoder, its texture, and a denoiser."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import avg_pool2d

from pagen.models.ldm import LDMInpaintPipeline
from pagen.seeds import generator, torch_generator
from pagen.train.inpainter.loop import Loss
from pagen.train.inpainter.pictures import Draws, crops, hole

COLOUR, COLOUR_AT_FIRST = 2.0, 4.0
"""Weight of errors in colour, which are small beside those in lightness; and how much stronger the first weights
see and paint colour. Without the two an autoencoder stays grey for thousands of steps."""
LATENT_NOISE, LATENT_SIZE = 0.03, 3e-4
"""What makes the decoder forgive the denoiser, and keeps the latents from growing to make up for it."""
HOLE_WEIGHT = 5.0
TEXTURE = 0.03
"""Weight of the critic's opinion beside the error."""
OPPONENT = torch.tensor([[1.0, 1, 1], [1, 0, -1], [1, -2, 1]]) / torch.tensor([[3.0], [2], [6]]).sqrt()
"""Lightness, red against blue, both against green: an orthonormal basis."""


@torch.no_grad()
def colourful(vae: Any) -> Any:
    """The untrained autoencoder, in place, whose first and last layer respond to colour as much as to lightness."""
    stronger = OPPONENT.T @ torch.diag(torch.tensor([1, COLOUR_AT_FIRST, COLOUR_AT_FIRST])) @ OPPONENT
    first, last = vae.encoder.layers[0].weight, vae.decoder.layers[-1].weight
    first.copy_(torch.einsum("ocij,cd->odij", first, stronger))
    last.copy_(torch.einsum("dc,cfij->dfij", stronger, last))
    return vae


def autoencoder_loss(batches: Ahead, seed: int) -> Loss:
    """Error of what is decoded from noisy latents, and the size of the latents."""

    def loss(vae: Any, step: int) -> Tensor:
        images = batches(step)[0].to(vae.device).contiguous(memory_format=torch.channels_last)
        latents = vae.encode(images).latents
        decoded = vae.decode(_noisy(latents, seed, step)).sample
        whole: Tensor = _error(decoded, images) + LATENT_SIZE * latents.square().mean()
        return whole

    return loss


def texture_loss(vae: Any, batches: Ahead, seed: int) -> Loss:
    """For a decoder and its critic: error, the critic's opinion of what was decoded, and the critic's hinge loss.

    As in VQGAN (Esser et al., CVPR 2021): errors alone are least where texture is blurred.
    """

    def loss(pair: Any, step: int) -> Tensor:
        images = batches(step)[0].to(vae.device).contiguous(memory_format=torch.channels_last)
        with torch.no_grad():
            latents = _noisy(vae.encode(images).latents, seed, step)
        decoded = pair["decoder"](latents)
        fixed = {key: value.detach() for key, value in pair["critic"].named_parameters()}
        opinion = functional_call(pair["critic"], fixed, (decoded,)).mean()
        hinge = (1 - pair["critic"](images)).relu().mean() + (1 + pair["critic"](decoded.detach())).relu().mean()
        whole: Tensor = _error(decoded, images) - TEXTURE * opinion + hinge
        return whole

    return loss


def critic() -> nn.Module:
    """Judges overlapping patches of 22 pixels: high for pictures, low for what was decoded."""
    layers: list[nn.Module] = []
    for channels, wider, kernel, stride in ((3, 32, 4, 2), (32, 64, 4, 2), (64, 64, 3, 1)):
        layers += [nn.Conv2d(channels, wider, kernel, stride, 1), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.Conv2d(64, 1, 3, 1, 1))


def _noisy(latents: Tensor, seed: int, step: int) -> Tensor:
    noise = torch.randn(latents.shape, generator=torch_generator(seed, "latents", step))
    return latents + LATENT_NOISE * noise.to(latents.device)


def _error(decoded: Tensor, images: Tensor) -> Tensor:
    """Absolute error of lightness and two opponent colours, and of their differences at two scales."""
    weight = torch.diag(torch.tensor([1, COLOUR, COLOUR])) @ OPPONENT
    error = torch.einsum("oc,nchw->nohw", weight.to(images.device), decoded - images)
    whole, half = (one.diff(dim=2).abs().mean() + one.diff(dim=3).abs().mean() for one in (error, avg_pool2d(error, 2)))
    return error.abs().mean() + whole + 0.5 * half


def denoiser_loss(pipeline: LDMInpaintPipeline, batches: Ahead, seed: int) -> Loss:
    """Squared error of v (Salimans and Ho, ICLR 2022), the hole weighted five times."""
    scheduler = pipeline.scheduler

    def loss(unet: Any, step: int) -> Tensor:
        images, masks = (drawn.to(unet.device) for drawn in batches(step))
        chance = torch_generator(seed, "noise", step)
        with torch.no_grad():
            clean, known = pipeline.encode(images), pipeline.condition(images, masks)
        noise = torch.randn(clean.shape, generator=chance).to(unet.device)
        times = torch.randint(scheduler.config.num_train_timesteps, (len(clean),), generator=chance).to(unet.device)
        noisy = torch.cat([scheduler.add_noise(clean, noise, times), known], 1)
        predicted = unet(noisy.contiguous(memory_format=torch.channels_last), times).sample
        weight = 1 + (HOLE_WEIGHT - 1) * known[:, -1:]
        error = (predicted - scheduler.get_velocity(clean, noise, times)).square()
        weighted: Tensor = (weight * error).mean() / weight.mean()
        return weighted

    return loss


class Ahead:
    """Crops and holes of a step, drawn while the step before it is computed."""

    def __init__(self, draws: Draws, seed: int, name: str, count: int) -> None:
        self.draws, self.seed, self.name, self.count = draws, seed, name, count
        self.pool = ThreadPoolExecutor(1)
        self.next: dict[int, Any] = {}

    def __call__(self, step: int) -> tuple[Tensor, Tensor]:
        drawn = self.next.pop(step, None) or self.pool.submit(self._draw, step)
        self.next = {step + 1: self.pool.submit(self._draw, step + 1)}
        images, masks = drawn.result()
        return images, masks

    def _draw(self, step: int) -> tuple[Tensor, Tensor]:
        rng = generator(self.seed, self.name, step)
        images = crops(self.draws, self.count, rng)
        masks = np.stack([hole(rng) for _ in range(self.count)])
        return torch.from_numpy(images), torch.from_numpy(masks)[:, None].float()
