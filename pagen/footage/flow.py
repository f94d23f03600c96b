"""Optical flow: computed once for each clip and kept, as an image for the eye, as channels for a network.

It is computed at the prepared size, so that its unit is a pixel of the prepared frame.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from pagen.arrays import read_array, write_slices
from pagen.errors import PagenError
from pagen.fill import Files, fill
from pagen.folders import Folder, digests, folder_name
from pagen.footage.flow_file import Flow
from pagen.footage.prepare import Prepared
from pagen.manifest import cache_folder
from pagen.registry import Registry
from pagen.spread import Workers

Grey = npt.NDArray[np.uint8]
FlowMethod = Callable[[Iterator[Grey]], Iterator[Flow]]


def dis(frames: Iterator[Grey]) -> Iterator[Flow]:
    """DIS flow, preset `medium` (Kroeger et al. 2016), of consecutive grey frames (H, W).

    Yields:
        Flow (2, H, W) float32 in pixels per frame, x then y, from each frame to the next.

    Example:
        >>> frame = np.random.default_rng(0).integers(0, 256, (32, 32), np.uint8)
        >>> (flow,) = dis(iter([frame, frame]))
        >>> flow.shape, bool(np.abs(flow).max() < 0.1)
        ((2, 32, 32), True)
    """
    method = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    previous = next(frames)
    for frame in frames:
        flow = method.calc(previous, frame, None)  # type: ignore[call-overload]  # a start flow, zeros too, changes it
        yield np.asarray(flow, np.float32).transpose(2, 0, 1)
        previous = frame


class FlowSource(Protocol):
    """Where the flow of a clip comes from.

    Example:
        >>> source: FlowSource = open_flow("dis")
        >>> source.identity().startswith("cv-")
        True
    """

    def maps(self, prepared: Prepared, name: str) -> Iterator[Flow]:
        """Flow (2, H, W) of a prepared clip in pixels per frame, x then y, from each frame to the next."""

    def identity(self) -> str:
        """What the flow depends on beside the prepared clips and the source's name; empty if on nothing."""


@dataclass(frozen=True)
class Computed:
    """Flow that a method makes of the grey frames; `edition` tells its present bytes from earlier ones.

    Example:
        >>> Computed(dis, "2").identity()
        '2'
    """

    method: FlowMethod
    edition: str = ""

    def maps(self, prepared: Prepared, name: str) -> Iterator[Flow]:
        return self.method(grey(frame) for frame in prepared.frames(name))

    def identity(self) -> str:
        return self.edition


def computed(name: str, method: FlowMethod, edition: str = "") -> Callable[[str], FlowSource]:
    """The factory of a method that takes no option.

    Example:
        >>> computed("dis", dis)("fast")
        Traceback (most recent call last):
        pagen.errors.PagenError: expected flow 'dis' without an option, found 'dis:fast'; leave 'fast' out
    """

    def factory(option: str) -> FlowSource:
        if option:
            raise PagenError(f"expected flow {name!r} without an option, found '{name}:{option}'; leave {option!r} out")
        return Computed(method, edition)

    return factory


FLOWS: Registry[Callable[[str], FlowSource]] = Registry(
    "flow",
    "pagen.flows",
    {
        "dis": computed("dis", dis, edition=f"cv-{cv2.__version__}"),
        "tvl1": "pagen.footage.tvl1:open_tvl1",
        "file": "pagen.footage.flow_file:open_flow_files",
    },
    callable,
)
"""Name -> factory over what follows the colon of `name:option`, empty without one."""


def open_flow(spec: str) -> FlowSource:
    """Flow by `name` or `name:option`: `dis`, `tvl1`, `file:DIR`.

    Raises PagenError: no such flow, no such option, or no such folder.

    Example:
        >>> open_flow("tvl2")
        Traceback (most recent call last):
        pagen.errors.PagenError: no flow named 'tvl2'; did you mean 'tvl1'? known: dis file tvl1
    """
    name, _, option = spec.partition(":")
    return FLOWS[name](option)


@dataclass(frozen=True)
class FlowFolder:
    """The flow of prepared clips.

    Example:
        >>> FlowFolder(Folder(Path("flow-dis-street"), "flow", {"method": "dis"}, {}), None).folder.config
        {'method': 'dis'}
    """

    folder: Folder
    prepared: Prepared

    def flow(self, name: str) -> npt.NDArray[np.float16]:
        """Flow (T - 1, 2, H, W) float16 of a clip or stretch in pixels per frame, a read-only memmap.

        A stretch of a single frame has one map, of no motion.
        """
        clip, section = self.prepared.section(name)
        maps = read_array(self.folder.path / f"flow/{clip}.npy")[section.start : section.stop - 1]
        return maps if len(maps) else np.zeros((1, *maps.shape[1:]), np.float16)


def flow_folder(prepared: Prepared, names: Sequence[str], method: str = "dis", workers: Workers = None) -> FlowFolder:
    """The flow of the named clips, computed, or read and rescaled, where it has not been.

    Raises PagenError: unknown method, a clip of a single frame, or a file that is not its flow.

    Example:
        >>> flow_folder(None, [], "diss")
        Traceback (most recent call last):
        pagen.errors.PagenError: no flow named 'diss'; did you mean 'dis'? known: dis file tvl1
    """
    name, identity = method.partition(":")[0], open_flow(method).identity()
    edition = f"{name}-{identity[:12]}" if identity else name
    path = cache_folder() / f"flow-{edition}-{folder_name(prepared.dataset)}-{prepared.fingerprint()[:12]}"
    inputs = {"prepared": prepared.fingerprint()} | ({"source": identity} if identity else {})
    folder = Folder.begin(path, "flow", {"method": name}, inputs, {"prepared": str(prepared.path)})
    clips = list(dict.fromkeys(prepared.section(name)[0] for name in names))
    fill(folder, clips, partial(_flow_of, path, prepared, method), workers, f"flow {method}")
    return FlowFolder(Folder.open(path, "flow", partial=True), prepared)  # another command may be adding other clips


def _flow_of(path: Path, prepared: Prepared, method: str, name: str) -> Files:
    frames = prepared.length(name)
    if frames < 2:
        raise PagenError(f"clip {name}: expected two frames or more for flow, found {frames}; leave it out")
    out = path / f"flow/{name}.npy"
    write_slices(out, (flow[None].astype(np.float16) for flow in open_flow(method).maps(prepared, name)))
    return digests(path, [out])


def grey(frame: Grey) -> Grey:
    """A frame (H, W, C) as grey (H, W).

    Example:
        >>> grey(np.full((1, 2, 3), (255, 0, 0), np.uint8)).tolist()
        [[76, 76]]
    """
    if frame.shape[-1] == 1:
        return np.ascontiguousarray(frame[..., 0])
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_RGB2GRAY), np.uint8)


def encode(flow: Flow, encoding: str, radius: float) -> npt.NDArray[np.float32]:
    """Flow as input of a network.

    Args:
        flow: (T, 2, H, W) in pixels per frame.
        encoding: `"uv"`; `"uvm"`, which adds the magnitude; or `"rgb"`, the colours of `colour_wheel`, as the
            figures of Rai et al. (2024) show their inputs.
        radius: the speed that becomes 1; faster ones are cut to it in each channel, or darkened in the
            colours. A fixed one, since a radius of each frame's own would erase speed.

    Returns:
        (C, T, H, W) in [-1, 1].

    Example:
        >>> flow = np.array([[[[2.5]], [[-40.0]]]])  # one map of one pixel
        >>> encode(flow, "uv", radius=10.0).ravel().tolist()
        [0.25, -1.0]
    """
    if encoding == "rgb":
        return 2 * _colours(flow[:, 0], flow[:, 1], radius) - 1
    channels = [flow[:, 0], flow[:, 1]]
    if encoding == "uvm":
        channels.append(np.hypot(channels[0].astype(np.float32), channels[1]))
    scaled: npt.NDArray[np.float32] = np.stack(channels).astype(np.float32) / np.float32(radius)
    return np.clip(scaled, -1, 1, out=scaled)


def colour_wheel(flow: Flow, radius: float) -> Grey:
    """Flow (2, H, W) as an RGB picture (H, W, 3): direction as hue, speed as saturation, white at rest.

    The colours are those of the Middlebury benchmark (Baker et al. 2011); speeds beyond the radius are darkened.

    Example:
        >>> colour_wheel(np.zeros((2, 1, 1)), radius=1.0).tolist()  # rest is white
        [[[255, 255, 255]]]
    """
    return (255 * _colours(flow[0], flow[1], radius)).astype(np.uint8).transpose(1, 2, 0)


def _colours(u: Flow, v: Flow, radius: float) -> npt.NDArray[np.float32]:
    """Red, green and blue (3, ...) in [0, 1] of flow of any shape (...)."""
    u, v = u.astype(np.float32) / np.float32(radius), v.astype(np.float32) / np.float32(radius)
    speed = np.hypot(u, v)
    wheel = _middlebury_wheel().astype(np.float32)
    position = (np.arctan2(-v, -u) / np.float32(np.pi) + 1) / 2 * np.float32(len(wheel) - 1)
    low = position.astype(np.intp)
    part, high = position - low, (low + 1) % len(wheel)
    colours = np.empty((3, *speed.shape), np.float32)
    for channel, hue in zip(colours, wheel.T, strict=True):
        colour = (1 - part) * hue[low] + part * hue[high]
        channel[...] = np.where(speed <= 1, 1 - speed * (1 - colour), colour * np.float32(0.75))
    return colours


def _middlebury_wheel() -> npt.NDArray[np.float64]:
    """The 55 colours (N, 3) from red by yellow, green, cyan, blue and magenta to red, in whole 255ths, as there."""
    corners = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 1, 1], [0, 0, 1], [1, 0, 1], [1, 0, 0]])
    pieces = [
        first + 255 * np.arange(count)[:, None] // count * (second - first) / 255
        for first, second, count in zip(corners[:-1], corners[1:], (15, 6, 4, 11, 13, 6), strict=True)
    ]
    return np.concatenate(pieces)
