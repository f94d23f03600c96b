"""The verb `generate`: pseudo-anomalies of all kinds out of a data set's normal clips, into a PA set."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pagen import console
from pagen.errors import PagenError
from pagen.footage.catalogue import DATASETS, folder_name
from pagen.spread import Workers
from pagen.spread_ray import Cluster

if TYPE_CHECKING:
    from pagen.folders import Folder
    from pagen.footage.prepare import Prepared
    from pagen.generate.make import Job

Kind = Literal["spatial", "temporal", "skip", "patch"]


@dataclass(frozen=True)
class Generate:
    """Make pseudo-anomalies out of normal footage."""

    dataset: str
    """Name of the data set."""
    root: Path | None = None
    """Where the footage lies: the data set's folder or any folder above it."""
    kinds: tuple[Kind, ...] = ("spatial", "temporal", "skip", "patch")
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
    precision: Literal["fp32", "fp16"] = "fp32"
    """Numbers of a diffusion inpainter; fp16 on a GPU alone."""
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
    strides: tuple[int, ...] = (2, 3, 4, 5)
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
    size: tuple[int, int] = (256, 256)
    """Height and width of the frames."""
    colour: bool = False
    """Three channels instead of grey."""
    seed: int = 0
    """Seed of everything that is drawn."""
    limit_clips: int | None = None
    """Only the first so many training clips."""
    workers: int | None = None
    """Processes; 0 works in this one, by default one for each core."""
    engine: Literal["local", "ray"] = "local"
    """Where they run: local processes, or a Ray cluster whose machines see the same folders under the same paths."""
    address: str | None = None
    """HOST:PORT of the Ray cluster's head; by default Ray is started on this machine."""
    device: str = "auto"
    """Where a diffusion inpainter runs: cpu, cuda, or the best there is."""
    out: Path | None = None
    """PA set to write; by default pa/DATASET."""
    overwrite: bool = False
    """Start again instead of resuming or refusing."""
    json: bool = False
    """Print the result as JSON."""

    def __post_init__(self) -> None:
        if not self.kinds:
            raise PagenError("expected at least one of --kinds spatial temporal skip patch, found none")
        if self.length < 2 or min(self.size) < 16 or (self.limit_clips is not None and self.limit_clips < 1):
            raise PagenError("expected --length of 2 and more, --size of 16 and more, --limit-clips of 1 and more")
        if not 0 < self.max_size <= 1 or not 0 < self.lambda_max <= 1 or self.max_move < 0:
            raise PagenError("expected --max-size and --lambda-max in (0, 1] and --max-move of 0 and more")
        if min(self.strides, default=0) < 2 or min(self.inference_steps, self.batch) < 1 or self.feather < 0:
            raise PagenError(
                "expected --strides of 2 and more, --inference-steps and --batch of 1 and more, --feather of 0 and more"
            )
        if self.address is not None and self.engine != "ray":
            raise PagenError(f"expected --engine ray with --address, found --engine {self.engine}; give both or none")

    @property
    def spread_over(self) -> Workers:
        """What the items are spread over."""
        return Cluster(self.address, self.workers) if self.engine == "ray" else self.workers


def run(config: Generate) -> None:
    """The verb `generate`."""
    summary = generate(config)
    lines = [f"{kind:<9} {count:>6,} {unit}  {how}" for kind, (count, unit, how) in summary["kinds"].items()]
    look = f"look at {summary['gallery']} and, in a browser, at {summary['page']}"
    console.result(summary, config.json, "\n".join([summary["footage"], *lines, look]))


def generate(config: Generate) -> dict[str, Any]:
    """Write the PA set, or go on where it was left, or find that all is done."""
    DATASETS[config.dataset]
    from pagen.generate import make

    make.check(config)
    from pagen.folders import Folder
    from pagen.footage.prepare import prepare

    prepared = prepare(config.dataset, config.root, config.size, config.colour, workers=config.spread_over)
    clips = make.clips_of(config, prepared)
    path = config.out or Path("pa") / folder_name(config.dataset)
    inputs, where = make.origins(config, prepared)
    folder = Folder.begin(path, "pa_set", make.settings(config), inputs, where, config.overwrite)
    flow = make.flow_of(config, prepared, clips)
    masks = folder.config["masks"]
    jobs = [make.Job(config, kind, name, prepared, flow, path, masks) for kind in clips for name in clips[kind]]
    _make_all(folder, jobs)
    _draw_gallery(folder, prepared)
    return _summary(folder, prepared, config)


def _make_all(folder: Folder, jobs: list[Job]) -> None:
    from pagen.generate.make import make_clip
    from pagen.spread import spread

    wanted = set(folder.pending([job.item for job in jobs]))
    pending = [job for job in jobs if job.item in wanted]
    if pending:
        done = spread(make_clip, pending, pending[0].config.spread_over)
        for job, (files, info) in console.progress(done, "generate", len(pending), "items"):
            folder.record(job.item, files, **info)


def _draw_gallery(folder: Folder, prepared: Prepared) -> None:
    from pagen.folders import digests
    from pagen.generate.gallery import gallery
    from pagen.generate.gallery_html import gallery_html
    from pagen.generate.pa_set import PASet

    picture, page = folder.path / "gallery.png", folder.path / "gallery.html"
    if folder.pending(["gallery"]):
        pseudo = PASet(folder, prepared)
        gallery(pseudo, picture)
        gallery_html(pseudo, page)
        folder.record("gallery", digests(folder.path, [picture, page]))
    folder.finish()


def _summary(folder: Folder, prepared: Prepared, config: Generate) -> dict[str, Any]:
    how = {
        "spatial": f"{config.inpainter}, {config.masks} masks",
        "temporal": f"{config.flow}, {config.region}, {config.masks} masks",
        "skip": f"strides {' '.join(map(str, config.strides))}",
        "patch": f"{folder.config['intruders']}{', varied' if config.vary else ''}, {config.patch} masks",
    }
    units = {"spatial": "frames", "temporal": "flow maps"}
    kinds = folder.config["kinds"]
    counts = {
        kind: sum(item["count"] for name, item in folder.items.items() if name.startswith(f"{kind}/")) for kind in kinds
    }
    return {
        "path": str(folder.path),
        "footage": str(prepared),
        "kinds": {kind: (counts[kind], units.get(kind, "clips"), how[kind]) for kind in kinds},
        "gallery": str(folder.path / "gallery.png"),
        "page": str(folder.path / "gallery.html"),
    }
