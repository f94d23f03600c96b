"""The flags of `pagen generate`, which every part of the generator reads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from pagen.engine import Address, Engine, workers_of
from pagen.errors import PagenError
from pagen.flags import Called, Dataset, Device, Json, Overwrite, Partial, Processes, Root
from pagen.generate.frame_flags import check_frames, check_kinds
from pagen.options import PSEUDO_KINDS, SIZE, SMALLEST_SIDE, STRIDES, PseudoKind, Scale
from pagen.spread import Workers

SCALES: dict[Scale, dict[str, Any]] = {
    "paper": {"size": (256, 256), "colour": True, "flow": "tvl1", "inference_steps": 50},
    "cpu": {},
    "tiny": {"size": (96, 144)},
}
"""Scale -> the fields in which it differs from the defaults. `paper` is Rai et al. (2024), with the fifty steps of
CompVis' script: one such set serves every member of the unified method."""
LEAST_LAMBDA = 1e-3
"""Lambdas are drawn until one is small enough; of a smaller --lambda-max hardly one in thirty would be."""


@dataclass(frozen=True)
class Generate:
    """Make pseudo-anomalies out of normal footage.

    Example:
        >>> Generate("street").kinds
        ('spatial', 'temporal', 'skip', 'patch')
        >>> Generate("street", kinds=())
        Traceback (most recent call last):
        pagen.errors.PagenError: expected at least one of --kinds spatial temporal skip patch, found none
    """

    dataset: Dataset
    root: Root = None
    kinds: tuple[PseudoKind, ...] = PSEUDO_KINDS
    """Kinds of pseudo-anomalies."""
    masks: str = "motion"
    """What is replaced: motion (one moving thing, followed), motion:frame (another in each frame), motion:union (all
    that moves), random or random:PRESET (LaMa's thin_256 ...), file:DIR (your own), segment:MODEL (a transformers
    segmentation model)."""
    inpainter: str = "bundled"
    """What fills spatial ones: bundled (a small latent diffusion model), telea, or a folder or hub id of a diffusers
    inpainting pipeline."""
    inference_steps: int = 20
    """Denoising steps of a diffusion inpainter."""
    noise: Literal["clip", "frame"] = "clip"
    """The noise that a fill starts from: one for 16 frames, or each frame's own."""
    feather: int = 0
    """Soft rim round a fill, pixels; kept pixels in it change too."""
    matched: bool = False
    """Write matched normals too: the same region gone through the autoencoder, not repainted."""
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    """Numbers of a diffusion inpainter: bf16 on GPUs and on processors that multiply it, fp16 on a GPU alone."""
    batch: int = 8
    """Frames that go through a diffusion inpainter at once."""
    flow: str = "dis"
    """Optical flow of temporal ones."""
    region: Literal["silhouette", "rectangle"] = "silhouette"
    """What temporal ones mix: the mask itself (the paper's figure) or its bounding box (its text)."""
    lambda_per: Literal["clip", "frame"] = "clip"
    """How much of a region stays: drawn once for 16 frames, or for each."""
    place_per: Literal["clip", "frame"] = "clip"
    """Where the other region lies: drawn once for 16 frames, or for each."""
    lambda_max: float = 1.0
    """Most that stays of a region; a fifth of the published draws lie above 0.95 and are near-copies."""
    strides: tuple[int, ...] = STRIDES
    """Strides of skip ones; one is drawn for each clip."""
    patch: str = "smoothmix_s"
    """How patches blend in: smoothmix_s (a soft rim), smoothmix_c (a Gaussian), cutmix (a hard box), mixup (half)."""
    intruders: str = "pictures"
    """What patches show: pictures (bundled ones), folder:DIR (images), or clips (other training clips, which move)."""
    vary: bool = False
    """Vary what patches show: flips, a random part of it, brightness and contrast."""
    max_size: float = 0.5
    """Largest side of a patch, as a share of the frame's."""
    max_move: int = 10
    """Most pixels that a patch moves from frame to frame along an axis."""
    length: int = 16
    """Frames in a clip."""
    size: tuple[int, int] = SIZE
    """Height and width of the frames."""
    colour: bool = False
    """Three channels instead of grey."""
    scale: Scale = "cpu"
    """What the defaults of --size, --colour, --flow and --inference-steps are: the unified paper's, cpu, or tiny."""
    seed: int = 0
    """Seed of everything that is drawn."""
    limit_clips: int | None = None
    """Only the first so many training clips."""
    workers: Processes = None
    engine: Engine = "local"
    address: Address = None
    device: Device = "auto"
    out: Path | None = None
    """PA set to write; by default pa/DATASET."""
    overwrite: Overwrite = False
    partial: Partial = False
    called: Called = None
    json: Json = False

    @classmethod
    def at(cls, scale: Scale, dataset: str, **changes: Any) -> Self:
        """The configuration of a scale, with changes.

        Example:
            >>> Generate.at("paper", "street").flow, Generate.at("paper", "street", flow="dis").flow
            ('tvl1', 'dis')
        """
        return cls(dataset, scale=scale, **{**SCALES[scale], **changes})

    def __post_init__(self) -> None:
        if not self.kinds:
            raise PagenError(f"expected at least one of --kinds {' '.join(PSEUDO_KINDS)}, found none")
        check_kinds(self.kinds)
        check_frames(self.strides, self.patch, self.intruders, self.max_size, self.max_move)
        if self.length < 2 or min(self.size) < SMALLEST_SIDE or (self.limit_clips is not None and self.limit_clips < 1):
            raise PagenError(
                f"expected --length of 2 and more, --size of {SMALLEST_SIDE} and more, --limit-clips of 1 and more"
            )
        if not LEAST_LAMBDA <= self.lambda_max <= 1:
            raise PagenError(f"expected --lambda-max from {LEAST_LAMBDA} to 1, found {self.lambda_max}")
        if min(self.inference_steps, self.batch) < 1 or self.feather < 0:
            raise PagenError("expected --inference-steps and --batch of 1 and more, --feather of 0 and more")
        workers_of(self)  # refuses an address that nothing would go to

    @property
    def spread_over(self) -> Workers:
        """What the items are spread over: processes, or a Ray cluster."""
        return workers_of(self)
