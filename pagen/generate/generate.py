"""The verb `generate`: pseudo-anomalies of all kinds out of a data set's normal clips, into a PA set."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pagen import console
from pagen.folders import folder_name
from pagen.footage.catalogue import DATASETS
from pagen.generate.config import Generate

if TYPE_CHECKING:
    from pagen.folders import Folder
    from pagen.footage.prepare import Prepared
    from pagen.generate.make import Job


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
