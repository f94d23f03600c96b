"""One frame's error by three measures side by side (LUSS-AE, figure 5): the frame, the network's answer, MSE, PSE, BPE.

The frame is the one after the window where the network predicts that, and else the last of the window, rebuilt. Each
measure has a scale of its own, since blurring lowers errors; above a map stands the error of the whole frame, its mean.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from matplotlib.figure import Figure
from torch import Tensor

from pagen.compute import Compute
from pagen.device import exact
from pagen.errors import PagenError
from pagen.eval.figures.grid import Grid, show_frame, show_heat
from pagen.eval.figures.request import Request
from pagen.footage.clip_input import open_input, taker
from pagen.footage.windows import Windows
from pagen.models.runs import open_run
from pagen.scoring.errors import Pool, frame_means, pooled_error_map
from pagen.scoring.sources import Task

POOLS = {"MSE": Pool(sigma=1 / 3, stride=1), "PSE": Pool(stride=1), "BPE": Pool()}
"""Measure -> the blur and the stride of its map; a sigma of 1/3 is no blur."""


def measures_figure(request: Request) -> tuple[Figure, dict[str, Any]]:
    """A row a frame: the frame, the answer to it, and its error by each measure."""
    (run,), (video,), frames = request.runs, request.videos, request.shown_frames()
    answers = [answer_to(run, request.prepared.dataset, video, frame, request.compute) for frame in frames]
    maps = {name: [pooled_error_map(*one[1:], pool) for one in answers] for name, pool in POOLS.items()}
    errors = {name: [float(frame_means(one)) for one in column] for name, column in maps.items()}
    height, width = answers[0][1].shape[3:]
    grid = Grid(request.width, len(frames), 2 + len(POOLS), height / width)
    for row, (frame, (what, shown, answered)) in enumerate(zip(frames, answers, strict=True)):
        for number, (title, picture) in enumerate([(video, shown), (what, answered)]):
            show_frame(grid.axes[row, number], _picture(picture))
            grid.title(row, number, title)
        grid.axes[row, 0].set_ylabel(f"frame {frame}")
    for number, (name, column) in enumerate(maps.items(), 2):
        highest = max(float(one.max()) for one in column)
        for row, (one, error) in enumerate(zip(column, errors[name], strict=True)):
            image = show_heat(grid.axes[row, number], one[0, 0].numpy(), highest)
            grid.title(row, number, f"{name} {error:#.3g}")
        grid.bar(number, image, "squared error")
    return grid.figure, {"frames": frames, "errors": errors}


def answer_to(run: Path, dataset: str, video: str, frame: int, compute: Compute) -> tuple[str, Tensor, Tensor]:
    """What the network did, the frame that it was to give, and what it gave; (1, C, 1, H, W) in [-1, 1].

    Raises PagenError for a run without a network over frames.
    """
    single = next((one for one in open_run(run).single() if one.recipe.get("source") == "frames"), None)
    if single is None:
        raise PagenError(f"expected a run of a network over frames, found {run}, which rebuilds none; give another")
    prepared = Task(dataset, compute=compute).prepared(single.recipe)
    take, count = taker(open_input(single.recipe, prepared), video)
    network, window = single.on(compute.place), int(single.recipe["window"])
    length = window + network.beyond
    clip = torch.from_numpy(take(Windows(length).indices(frame - length + 1, count)))[None]
    with torch.inference_mode(), exact():
        answer = network.answer(clip[:, :, :window].to(compute.place), [window - 1])
    what, answers = ("predicted", answer.after) if answer.after else ("rebuilt", answer.frames)
    return what, clip[:, :, -1:], next(iter(answers.values())).cpu()


def _picture(frame: Tensor) -> npt.NDArray[np.uint8]:
    """A frame (1, C, 1, H, W) in [-1, 1] as (H, W, C)."""
    values = frame[0, :, 0].permute(1, 2, 0).numpy()
    return np.asarray(np.rint((values + 1) * 127.5).clip(0, 255), np.uint8)
