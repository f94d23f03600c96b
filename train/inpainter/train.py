"""Trains the bundled inpainter: the autoencoder, the denoiser over its latents, and the decoder's texture.

    python -m pagen.train.inpainter.train --vtest vtest.avi --out OUT

Deterministic by step, so that the same command goes on where a kill left it. What `models/ldm` holds
was trained by these defaults in about three hours on two cores.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
import tyro
from torch import nn

from pagen.models.ldm import LDMInpaintPipeline, small_autoencoder, small_denoiser, small_scheduler
from pagen.models.speed import keep_memory
from pagen.seeds import entropy, generator
from pagen.train.inpainter.loop import Stage, train
from pagen.train.inpainter.losses import Ahead, autoencoder_loss, colourful, critic, denoiser_loss, texture_loss
from pagen.train.inpainter.pictures import SIDE, Draws, crops, sources

AUTOENCODER = Stage(steps=3_000, batch=16, lr=1e-3, decay=0.998)
DENOISER = Stage(steps=14_000, batch=32, lr=6e-4, decay=0.999)
TEXTURE = Stage(steps=1_500, batch=16, lr=2e-4, decay=0.998)


@dataclass(frozen=True)
class TrainInpainter:
    """Train the bundled inpainter."""

    vtest: Path
    """`vtest.avi` of OpenCV's samples (Debian: package opencv-doc)."""
    out: Path
    """Folder of the pipeline, the state and the log."""
    autoencoder: Stage = AUTOENCODER
    """The first stage."""
    denoiser: Stage = DENOISER
    """The second."""
    texture: Stage = TEXTURE
    """The third, in which nothing but the decoder changes."""
    seed: int = 0
    """Of the weights and the crops."""
    device: str = "cpu"
    """cpu or cuda."""


def run(config: TrainInpainter) -> LDMInpaintPipeline:
    """Train, or go on; leaves the pipeline in `out/pipeline`."""
    keep_memory()
    draws = sources(config.vtest)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(entropy(config.seed, "inpainter") % 2**63)
        vae, unet, judge = colourful(small_autoencoder()), small_denoiser(), critic()
    for network in (vae, unet, judge):
        network.to(config.device)

    ahead = partial(Ahead, draws, config.seed)
    loss = autoencoder_loss(ahead("autoencoder", config.autoencoder.batch), config.seed)
    train(vae, loss, config.autoencoder, config.out, "autoencoder")
    vae.register_to_config(scaling_factor=_scale(vae, draws, config))
    pipeline = LDMInpaintPipeline(vae, unet, small_scheduler(), crop=SIDE)
    loss = denoiser_loss(pipeline, ahead("denoiser", config.denoiser.batch), config.seed)
    train(unet, loss, config.denoiser, config.out, "denoiser")
    loss = texture_loss(vae, ahead("texture", config.texture.batch), config.seed)
    train(nn.ModuleDict({"decoder": vae.decoder, "critic": judge}), loss, config.texture, config.out, "texture")
    for parameter in [*vae.parameters(), *unet.parameters()]:
        parameter.data = parameter.data.half()
    pipeline.save_pretrained(config.out / "pipeline")
    return pipeline


@torch.no_grad()
def _scale(vae: Any, draws: Draws, config: TrainInpainter) -> float:
    """What brings the latents of 512 crops to a standard deviation of one."""
    images = torch.from_numpy(crops(draws, 512, generator(config.seed, "scale"))).to(config.device)
    latents = torch.cat([vae.encode(part).latents for part in images.split(32)])
    return round(float(1 / latents.std()), 5)


if __name__ == "__main__":
    run(tyro.cli(TrainInpainter))
