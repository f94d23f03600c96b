"""Trains the bundled inpainter: first the autoencoder, then the denoiser over its latents.

    python -m pagen.train.inpainter --vtest vtest.avi --out OUT

Deterministic by step, so that the same command goes on where a kill left it. What `models/ldm` holds
was trained by these defaults in about two hours on two cores.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tyro
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn.functional import avg_pool2d

from pagen import console
from pagen.folders import atomic
from pagen.models.ldm import LDMInpaintPipeline, small_autoencoder, small_denoiser, small_scheduler
from pagen.models.memory import keep_memory
from pagen.seeds import entropy, generator, torch_generator
from pagen.train.inpainter_pictures import Draw, crops, hole, sources

HOLE_WEIGHT, SAVE_EVERY, SIDE = 5.0, 250, 64
COLOUR, COLOUR_AT_FIRST = 2.0, 4.0
"""Weight of errors in colour, which are small beside those in lightness; and how much stronger the first weights
see and paint colour. Without the two an autoencoder stays grey for thousands of steps."""
LATENT_NOISE, LATENT_SIZE = 0.03, 3e-4
"""What makes the decoder forgive the denoiser, and keeps the latents from growing to make up for it."""
OPPONENT = torch.tensor([[1.0, 1, 1], [1, 0, -1], [1, -2, 1]]) / torch.tensor([[3.0], [2], [6]]).sqrt()
"""Lightness, red against blue, both against green: an orthonormal basis."""


@dataclass(frozen=True)
class Stage:
    """How long and how fast a network learns.

    Attributes:
        steps: of the optimiser.
        batch: crops in a step.
        lr: highest learning rate of Adam; up over 200 steps, then half a cosine to zero.
        decay: of the exponential moving average of the weights, which is what is kept.
    """

    steps: int
    batch: int
    lr: float
    decay: float


@dataclass(frozen=True)
class TrainInpainter:
    """Train the bundled inpainter."""

    vtest: Path
    """`vtest.avi` of OpenCV's samples (Debian: package opencv-doc)."""
    out: Path
    """Folder of the pipeline, the state and the log."""
    autoencoder: Stage = Stage(3_000, 16, 1e-3, 0.998)
    """The first stage."""
    denoiser: Stage = Stage(8_000, 32, 6e-4, 0.999)
    """The second."""
    seed: int = 0
    """Of the weights and the crops."""
    device: str = "cpu"
    """cpu or cuda."""


Loss = Callable[[Any, int], Tensor]


def run(config: TrainInpainter) -> LDMInpaintPipeline:
    """Train, or go on; leaves the pipeline in `out/pipeline`."""
    keep_memory()
    draws = sources(config.vtest)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(entropy(config.seed, "inpainter") % 2**63)
        vae, unet = colourful(small_autoencoder()), small_denoiser()
    train(vae, _autoencoder_loss(draws, config), config.autoencoder, config, "autoencoder")
    vae.register_to_config(scaling_factor=_scale(vae, draws, config))
    pipeline = LDMInpaintPipeline(vae, unet, small_scheduler(), crop=SIDE)
    pipeline.to(config.device)
    train(unet, _denoiser_loss(pipeline, draws, config), config.denoiser, config, "denoiser")
    for parameter in [*vae.parameters(), *unet.parameters()]:
        parameter.data = parameter.data.half()
    pipeline.save_pretrained(config.out / "pipeline")
    return pipeline


def train(network: Any, loss_of: Loss, stage: Stage, config: TrainInpainter, name: str) -> None:
    """Train in place, from the state of `name` if one lies there; the averaged weights are what remains."""
    network.to(config.device, memory_format=torch.channels_last).train()
    optimiser = torch.optim.Adam(network.parameters(), lr=stage.lr, betas=(0.9, 0.99))
    average = {key: value.detach().clone() for key, value in network.named_parameters()}
    state, losses = config.out / f"{name}.safetensors", []
    first = _load(state, network, optimiser, average)
    for step in console.progress(range(first, stage.steps), name, stage.steps - first):
        for group in optimiser.param_groups:
            group["lr"] = rate(stage, step)
        loss = loss_of(network, step)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()
        blend(average, network, min(stage.decay, (step + 1) / (step + 10)))
        losses.append(loss.item())
        if (step + 1) % SAVE_EVERY == 0 or step + 1 == stage.steps:
            # first the log: a line of a step that was not saved is written again
            _log(config.out / "log.csv", name, step + 1, float(np.mean(losses)))
            _save(state, network, optimiser, average, step + 1)
            losses = []
    with torch.no_grad():
        for key, value in network.named_parameters():
            value.copy_(average[key])
    network.eval().requires_grad_(False)


def rate(stage: Stage, step: int) -> float:
    """The learning rate of a step."""
    return stage.lr * min(1, (step + 1) / 200) * 0.5 * (1 + math.cos(math.pi * step / stage.steps))


@torch.no_grad()
def blend(average: dict[str, Tensor], network: Any, decay: float) -> None:
    """Move the averaged weights towards the network's."""
    values = [value.detach() for _, value in network.named_parameters()]
    torch._foreach_lerp_(list(average.values()), values, 1 - decay)


@torch.no_grad()
def colourful(vae: Any) -> Any:
    """The untrained autoencoder, in place, whose first and last layer respond to colour as much as to lightness."""
    stronger = OPPONENT.T @ torch.diag(torch.tensor([1, COLOUR_AT_FIRST, COLOUR_AT_FIRST])) @ OPPONENT
    first, last = vae.encoder.layers[0].weight, vae.decoder.layers[-1].weight
    first.copy_(torch.einsum("ocij,cd->odij", first, stronger))
    last.copy_(torch.einsum("dc,cfij->dfij", stronger, last))
    return vae


def _autoencoder_loss(draws: list[tuple[float, Draw]], config: TrainInpainter) -> Loss:
    """Absolute error of lightness and two opponent colours, and of their differences at two scales."""
    batches = _Ahead(draws, config.seed, "autoencoder", config.autoencoder)
    weight = torch.diag(torch.tensor([1, COLOUR, COLOUR])) @ OPPONENT

    def loss(vae: Any, step: int) -> Tensor:
        images, _ = batches(step)
        images = images.to(config.device).contiguous(memory_format=torch.channels_last)
        latents = vae.encode(images).latents
        noise = torch.randn(latents.shape, generator=torch_generator(config.seed, "latents", step))
        decoded = vae.decode(latents + LATENT_NOISE * noise.to(config.device)).sample
        error = torch.einsum("oc,nchw->nohw", weight.to(config.device), decoded - images)
        edges = _edges(error) + 0.5 * _edges(avg_pool2d(error, 2))
        whole: Tensor = error.abs().mean() + edges + LATENT_SIZE * latents.square().mean()
        return whole

    return loss


def _edges(error: Tensor) -> Tensor:
    return error.diff(dim=2).abs().mean() + error.diff(dim=3).abs().mean()


def _denoiser_loss(pipeline: LDMInpaintPipeline, draws: list[tuple[float, Draw]], config: TrainInpainter) -> Loss:
    """Squared error of v (Salimans and Ho, ICLR 2022), the hole weighted five times."""
    batches = _Ahead(draws, config.seed, "denoiser", config.denoiser)
    scheduler = pipeline.scheduler

    def loss(unet: Any, step: int) -> Tensor:
        images, masks = (drawn.to(config.device) for drawn in batches(step))
        chance = torch_generator(config.seed, "noise", step)
        with torch.no_grad():
            clean, known = pipeline.encode(images), pipeline.condition(images, masks)
        noise = torch.randn(clean.shape, generator=chance).to(config.device)
        times = torch.randint(scheduler.config.num_train_timesteps, (len(clean),), generator=chance).to(config.device)
        noisy = torch.cat([scheduler.add_noise(clean, noise, times), known], 1)
        predicted = unet(noisy.contiguous(memory_format=torch.channels_last), times).sample
        weight = 1 + (HOLE_WEIGHT - 1) * known[:, -1:]
        error = (predicted - scheduler.get_velocity(clean, noise, times)).square()
        weighted: Tensor = (weight * error).mean() / weight.mean()
        return weighted

    return loss


class _Ahead:
    """Crops and holes of a step, drawn while the step before it is computed."""

    def __init__(self, draws: list[tuple[float, Draw]], seed: int, name: str, stage: Stage) -> None:
        from concurrent.futures import ThreadPoolExecutor

        self.draws, self.seed, self.name, self.count = draws, seed, name, stage.batch
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


@torch.no_grad()
def _scale(vae: Any, draws: list[tuple[float, Draw]], config: TrainInpainter) -> float:
    """What brings the latents of 512 crops to a standard deviation of one."""
    images = torch.from_numpy(crops(draws, 512, generator(config.seed, "scale"))).to(config.device)
    latents = torch.cat([vae.encode(part).latents for part in images.split(32)])
    return round(float(1 / latents.std()), 5)


def _save(path: Path, network: Any, optimiser: Any, average: dict[str, Tensor], step: int) -> None:
    slots = optimiser.state_dict()["state"]
    tensors = {f"adam.{i}.{key}": value for i, of in slots.items() for key, value in of.items()}
    tensors |= {f"network.{key}": value for key, value in network.named_parameters()}
    tensors |= {f"average.{key}": value for key, value in average.items()} | {"step": torch.tensor(step)}
    with atomic(path) as temporary:
        save_file({key: value.detach().cpu().contiguous() for key, value in tensors.items()}, temporary)


def _load(path: Path, network: Any, optimiser: Any, average: dict[str, Tensor]) -> int:
    """Take up the state, if there is one; returns the step to go on with."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        return 0
    tensors = load_file(path)
    network.load_state_dict(_under(tensors, "network."))
    average.update({key: value.to(average[key].device) for key, value in _under(tensors, "average.").items()})
    slots: dict[int, dict[str, Tensor]] = {}
    for name, value in _under(tensors, "adam.").items():
        slot, key = name.split(".")
        slots.setdefault(int(slot), {})[key] = value
    optimiser.load_state_dict({**optimiser.state_dict(), "state": slots})
    return int(tensors["step"])


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}


def _log(path: Path, stage: str, step: int, loss: float) -> None:
    """One line more; lines of steps that a kill took back are dropped."""
    rows = [row for row in _rows(path) if row[0] != stage or int(row[1]) < step]
    with atomic(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([*rows, [stage, step, f"{loss:.5f}"]])
    console.say(f"{stage} step {step}  loss {loss:.5f}")


def _rows(path: Path) -> Iterator[list[str]]:
    if path.exists():
        with path.open(encoding="utf-8", newline="") as file:
            yield from list(csv.reader(file))


if __name__ == "__main__":
    run(tyro.cli(TrainInpainter))
