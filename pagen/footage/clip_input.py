"""What a network over clips is shown: frames or optical flow, of prepared clips and of frames that come one by one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from pagen.arrays import Frames
from pagen.errors import PagenError
from pagen.footage.flow import Computed, FlowFolder, encode, flow_folder, grey, open_flow
from pagen.footage.prepare import Prepared
from pagen.footage.windows import as_input
from pagen.spread import Workers

Shown = npt.NDArray[np.float32]
Take = Callable[[npt.NDArray[np.int64]], Shown]
"""Indices (T,) of frames or flow maps -> the network's input (C, T, H, W) in [-1, 1]."""


class ClipInput(Protocol):
    """A kind of input; picklable.

    Attributes:
        rebuilt: indicator of its reconstruction.
        late: frames at a clip's start that have no input of their own.

    Example:
        >>> clip_input: ClipInput = FrameInput()
        >>> clip_input.rebuilt, clip_input.late
        ('psnr', 0)
    """

    rebuilt: ClassVar[str]
    late: ClassVar[int]

    def source(self, clip: str) -> npt.NDArray[Any]:
        """All that a clip has, along the first axis: frames uint8 (T, H, W, C), or flow float16 (T - 1, 2, H, W)."""

    def shown(self, part: npt.NDArray[Any]) -> Shown:
        """Some of that as the network sees it, (C, T, H, W) in [-1, 1]."""

    def newest(self, frames: Sequence[Frames]) -> Shown | None:
        """The input (C, 1, H, W) of the newest of the last `late` + 1 frames (H, W, C) of a stream; None of fewer.

        Raises PagenError: flow that is read from files.
        """


def taker(clip_input: ClipInput, clip: str) -> tuple[Take, int]:
    """What windows of a clip are taken by, and how many inputs there are to take from.

    Example:
        >>> from unittest.mock import Mock
        >>> clip_input = Mock(source=lambda clip: np.arange(5), shown=lambda part: part * 10)
        >>> take, count = taker(clip_input, "train_01")
        >>> take(np.array([0, 4])).tolist(), count
        ([0, 40], 5)
    """
    source = clip_input.source(clip)
    return partial(_taken, clip_input, source), len(source)


def _taken(clip_input: ClipInput, source: npt.NDArray[Any], indices: npt.NDArray[np.int64]) -> Shown:
    return clip_input.shown(source[indices])


@dataclass(frozen=True)
class FrameInput:
    """Frames, whose reconstruction is measured by `psnr`; `prepared` is None of a stream.

    Example:
        >>> FrameInput().newest([np.full((2, 2, 1), 255, np.uint8)]).ravel().tolist()
        [1.0, 1.0, 1.0, 1.0]
    """

    prepared: Prepared | None = None
    rebuilt: ClassVar[str] = "psnr"
    late: ClassVar[int] = 0

    def source(self, clip: str) -> Frames:
        assert self.prepared is not None, "a stream has no clips"
        return self.prepared.frames(clip)

    def shown(self, part: npt.NDArray[Any]) -> Shown:
        return as_input(part)

    def newest(self, frames: Sequence[Frames]) -> Shown | None:
        return as_input(frames[-1][None])


@dataclass(frozen=True)
class FlowInput:
    """Encoded flow, whose reconstruction is measured by `flow`; map t -> t + 1 belongs to frame t + 1.

    Attributes:
        folder: flow of the clips; None of a stream.
        spec: flow by `name` or `name:option`, as `open_flow` takes it.
        encoding, radius: as `encode` takes them.

    Example:
        >>> stream = FlowInput(None, "dis", "uv", radius=8.0)
        >>> frames = [np.zeros((32, 32, 1), np.uint8)] * 2
        >>> stream.newest(frames[:1]) is None, stream.newest(frames).shape
        (True, (2, 1, 32, 32))
    """

    folder: FlowFolder | None
    spec: str
    encoding: str
    radius: float
    rebuilt: ClassVar[str] = "flow"
    late: ClassVar[int] = 1

    def source(self, clip: str) -> npt.NDArray[np.float16]:
        assert self.folder is not None, "a stream has no clips"
        return self.folder.flow(clip)

    def shown(self, part: npt.NDArray[Any]) -> Shown:
        return encode(part, self.encoding, self.radius)

    def newest(self, frames: Sequence[Frames]) -> Shown | None:
        method = open_flow(self.spec)
        if not isinstance(method, Computed):
            raise PagenError(
                f"expected flow that can be computed of a stream, found {self.spec}; train with --flow dis or tvl1"
            )
        if len(frames) < 2:
            return None
        return self.shown(next(method.method(map(grey, frames[-2:])))[None].astype(np.float16))


def _flow(recipe: Mapping[str, Any], prepared: Prepared | None, names: Sequence[str], workers: Workers) -> FlowInput:
    folder = flow_folder(prepared, names, recipe["flow"], workers) if prepared else None
    return FlowInput(folder, recipe["flow"], recipe["encoding"], recipe["radius"])


INPUTS: dict[str, Callable[[Mapping[str, Any], Prepared | None, Sequence[str], Workers], ClipInput]] = {
    "frames": lambda recipe, prepared, names, workers: FrameInput(prepared),
    "flow": _flow,
}
"""Source of a recipe -> factory over the arguments of `open_input`."""


def open_input(
    recipe: Mapping[str, Any], prepared: Prepared | None, names: Sequence[str] = (), workers: Workers = None
) -> ClipInput:
    """The input of a recipe's network.

    Args:
        recipe: `source`, and of flow `flow`, `encoding`, `radius`.
        prepared: clips at the recipe's size; None of a stream.
        names: clips whose flow is computed where it has not been.
        workers: as `spread` takes them.

    Raises:
        PagenError: a recipe of features, which are no clips, or as `flow_folder`.

    Example:
        >>> open_input({"source": "frames"}, None)
        FrameInput(prepared=None)
    """
    if recipe.get("source") not in INPUTS:
        raise PagenError(
            f"expected a run of a network over clips of {' or '.join(INPUTS)}, found {recipe.get('recipe')} over "
            f"{recipe.get('source')}; name another run"
        )
    return INPUTS[recipe["source"]](recipe, prepared, names, workers)
