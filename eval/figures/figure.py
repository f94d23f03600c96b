"""The verb `figure`: scores, error maps, measures of error or indicators of runs as a picture for a paper."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro

from pagen import console
from pagen.compute import Compute
from pagen.errors import PagenError
from pagen.eval.flags import Edition, OneProtocol
from pagen.figures import require_form
from pagen.flags import Called, Dataset, Device, Json, Partial, Processes, Rescore, Root
from pagen.folders import Folder
from pagen.footage.catalogue import DATASETS
from pagen.footage.own import asked_as

Kind = Literal["scores", "maps", "measures", "indicators"]


@dataclass(frozen=True)
class Figure:
    """Draw a figure for a paper: `scores` of runs over videos, error `maps` of runs side by side, one frame's error by
    three `measures`, or the `indicators` of a run and their sum over a video.
    """

    kind: tyro.conf.Positional[Kind]
    """What is drawn."""
    runs: tyro.conf.Positional[tuple[Path, ...]]
    """Run folders; one for measures and indicators."""
    dataset: Dataset
    out: Path
    """The file, whose name ends with .png, .pdf or .svg."""
    root: Root = None
    video: tuple[str, ...] = ()
    """Test videos: any number for scores, by default all; one for each other kind."""
    frame: tuple[int, ...] = ()
    """Frames of the video, from 0, for all kinds but scores; by default the one that the first run scores highest, and
    of indicators five at equal distances."""
    protocol: OneProtocol = "causal"
    labels: Edition = ""
    names: tuple[str, ...] = ()
    """What the runs are called, one for each; by default their folders' names."""
    width: float | None = None
    """Inches: by default 3.4, a column, and 7, a page, for maps and measures."""
    device: Device = "auto"
    workers: Processes = None
    overwrite: Rescore = False
    partial: Partial = False
    called: Called = None
    json: Json = False


ONE_RUN, ONE_VIDEO = ("measures", "indicators"), ("maps", "measures", "indicators")
"""Kinds that are of one run, and those that are of one video."""


def run(config: Figure) -> None:
    """The verb `figure`."""
    require_request(config)
    from pagen.eval.figures.draw import KINDS, draw
    from pagen.eval.figures.request import request_of
    from pagen.eval.labelled import to_test
    from pagen.footage.locate import locate

    compute = to_test(Compute.of(config), locate(config.dataset, config.root))
    request = request_of(
        *(config.runs, config.dataset, config.video, config.frame, config.protocol, compute),
        *(config.names, config.width or KINDS[config.kind].width, config.labels),
    )
    about = draw(config.kind, request, config.out)
    console.result({"figure": str(config.out), **about}, config.json, f"wrote {config.out}")


def require_request(config: Figure) -> None:
    """Raise PagenError for what can be told to be wrong without reading footage or scores."""
    require_form(config.out)
    DATASETS[config.dataset]
    most = 1 if config.kind in ONE_RUN else None
    asked = shlex.join(asked_as(config.dataset))
    _require("run folders", len(config.runs), most, f"pagen figure {config.kind} RUN {asked}")
    if config.kind in ONE_VIDEO:
        _require(
            "videos as --video", len(config.video), 1, f"--video test_01, as `pagen prepare {config.dataset}` names it"
        )
    elif config.frame:
        raise PagenError(f"expected no --frame for scores, which are drawn of all frames, found {config.frame}")
    if config.names and len(config.names) != len(config.runs):
        raise PagenError(f"expected a name for each of {len(config.runs)} runs, found {len(config.names)}")
    if config.width is not None and not 1 <= config.width <= 40:
        raise PagenError(f"expected a width from 1 to 40 inches, found {config.width:g}; a column of a paper has 3.4")
    for path in config.runs:
        Folder.open(path, "run", verify=False)


def _require(what: str, count: int, most: int | None, advice: str) -> None:
    if count == 0 or count > (most or count):
        raise PagenError(f"expected {'one of the ' if most else ''}{what}, found {count or 'none'}; as in: {advice}")
