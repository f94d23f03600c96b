"""Where objects are: boxes of every frame, by name.

`motion` (what moves), `file:PATH` (what another program found, see `box_file`), `detector:MODEL` (a detector of
transformers, see `box_detector`). A clip's boxes are cheap enough to be found again by every kind of features, and
are always the same. A frame may have none.

Boxes are half-open x_min, y_min, x_max, y_max in pixels of the prepared clips, which have the footage's own size here.
The rules are AccI-VAD's (Reiss and Hoshen 2022), with areas of half-open boxes where theirs count both ends. Its
motion boxes only fill up what a detector leaves; ours have to do alone, so that their constants are our own, picked on
training clips of Ped2, where people stand about 15 x 30 pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from pagen.errors import PagenError
from pagen.features.box_file import ObjectFile, object_file
from pagen.footage.flow import dis, grey
from pagen.footage.prepare import Prepared
from pagen.registry import Registry

Frames = npt.NDArray[np.uint8]
BoxArray = npt.NDArray[np.float32]
OUTSIDE = 2.0
"""Pixels by which a box of a file may leave the frame: rounding, and growth."""


class Located(NamedTuple):
    """The boxes of a clip: the frame of each (N,) int64, ascending, and the boxes (N, 4) float32."""

    frames: npt.NDArray[np.int64]
    boxes: BoxArray


class Finder(Protocol):
    """A way to find boxes; picklable, and the same boxes in every process."""

    @property
    def context(self) -> int:
        """How many frames, the newest last, a frame's boxes are made of."""

    def config(self) -> Mapping[str, Any]:
        """All that the boxes depend on, as plain data."""

    def inputs(self) -> Mapping[str, str]:
        """Fingerprints of what else they depend on: a file, weights."""

    def __call__(self, prepared: Prepared, clip: str) -> Located:
        """The boxes of a clip."""

    def newest(self, frames: Frames) -> BoxArray:
        """The boxes (n, 4) of the newest of the last frames (K, H, W, C) of a stream, K up to `context`."""


@dataclass(frozen=True)
class Motion:
    """What moves: where a frame differs from the one before it, pieces of one person joined.

    What moves to different sides is told apart by optical flow (DIS), so that people who pass each other have boxes of
    their own: on training clips of Ped2 this finds 70 % of AccI-VAD's boxes at an IoU of 0.5, in place of 56 %. Those
    who touch and go the same way share a box, and those who stand still have none.

    The first frame of a clip has none before it and is compared with the one after it; that of a stream has no boxes.

    Attributes:
        blur: side of the Gaussian that both frames are smoothed by, pixels.
        threshold: grey levels that they have to differ by.
        ways: directions that are told apart, the first around the right, the next downwards with four.
        around: side of the square over which flow is averaged, pixels.
        joined: (width, height) of the closing that joins head, trunk and legs: high and narrow, since people walk side
            by side.
        cut: (width, height) of the opening that then takes away noise and thin bridges.
        area: what a piece's bounding box has to exceed, square pixels.
        aspect: what its longer side over its shorter one has to stay below.
        grown: pixels that are added all around.
    """

    blur: int = 3
    threshold: int = 6
    ways: int = 4
    around: int = 9
    joined: tuple[int, int] = (3, 13)
    cut: tuple[int, int] = (3, 9)
    area: int = 100
    aspect: int = 10
    grown: int = 1

    @property
    def context(self) -> int:
        """Two frames."""
        return 2

    def config(self) -> Mapping[str, Any]:
        """The constants."""
        return {"by": "motion", **asdict(self)}

    def inputs(self) -> Mapping[str, str]:
        """Nothing beside the clips."""
        return {}

    def __call__(self, prepared: Prepared, clip: str) -> Located:
        """The boxes of a clip."""
        frames, found = prepared.frames(clip), []
        before = self._smooth(frames[min(1, len(frames) - 1)])
        for frame in frames:
            smooth = self._smooth(frame)
            found.append(self._moving(before, smooth))
            before = smooth
        return located(found)

    def newest(self, frames: Frames) -> BoxArray:
        """The boxes (n, 4) of the newest of two frames; none where there is but one."""
        return self._moving(self._smooth(frames[max(len(frames) - 2, 0)]), self._smooth(frames[-1]))

    def _smooth(self, frame: Frames) -> Frames:
        return np.asarray(cv2.GaussianBlur(grey(frame), (self.blur, self.blur), 0), np.uint8)

    def _moving(self, before: Frames, frame: Frames) -> BoxArray:
        """The boxes (n, 4) of what differs between two smoothed grey frames (H, W), from left to right."""
        differs, way = cv2.absdiff(before, frame) > self.threshold, self._ways(before, frame)
        found = np.concatenate([self._pieces(differs & (way == each)) for each in range(self.ways)])
        left, top, width, height = found[np.lexsort(found.T[::-1])].T
        slender = np.maximum(width, height) >= self.aspect * np.minimum(width, height)
        grown = (left - self.grown, top - self.grown, left + width + self.grown, top + height + self.grown)
        kept = np.stack(grown, axis=1)[(width * height > self.area) & ~slender]
        return clipped(kept, (frame.shape[0], frame.shape[1]))

    def _ways(self, before: Frames, frame: Frames) -> npt.NDArray[np.int64]:
        """Where each pixel (H, W) goes to, from 0 to `ways` - 1."""
        u, v = (cv2.blur(each, (self.around, self.around)) for each in next(dis(iter([before, frame]))))
        turn = np.arctan2(v, u) / (2 * np.pi)
        way: npt.NDArray[np.int64] = np.floor((turn * self.ways + 0.5) % self.ways).astype(np.int64)
        return way

    def _pieces(self, differs: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        """Left, top, width and height (n, 4) of the pieces of a mask (H, W), joined and cut."""
        around = self.joined[1], self.joined[0]  # room, or what is joined would grow to a border nearby
        mask = np.pad(differs.astype(np.uint8), [(each, each) for each in around])
        for operation, size in ((cv2.MORPH_CLOSE, self.joined), (cv2.MORPH_OPEN, self.cut)):
            brick = cv2.getStructuringElement(cv2.MORPH_RECT, size)
            mask = np.asarray(cv2.morphologyEx(mask, operation, brick), np.uint8)
        contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        found = np.array([cv2.boundingRect(contour) for contour in contours], np.int64).reshape(-1, 4)
        return found - (*self.joined, 0, 0)


@dataclass(frozen=True)
class FileBoxes:
    """The boxes of a file."""

    file: ObjectFile

    @property
    def context(self) -> int:
        """One frame."""
        return 1

    def config(self) -> Mapping[str, Any]:
        """That they are of a file."""
        return {"by": "file"}

    def inputs(self) -> Mapping[str, str]:
        """The file."""
        return {"boxes": self.file.fingerprint}

    def __call__(self, prepared: Prepared, clip: str) -> Located:
        """The boxes of a clip, cut at the frame's borders.

        Raises:
            PagenError: what `ObjectFile.rows` raises; or a box without area, or more than `OUTSIDE` beyond the frame.
        """
        rows = self.file.rows(prepared, clip)
        self._refuse_strange(rows.values, prepared.size, clip)
        return Located(rows.frames, clipped(rows.values, prepared.size))

    def newest(self, frames: Frames) -> BoxArray:
        """Raises PagenError: a file knows nothing of a stream."""
        raise self.file.no_stream()

    def _refuse_strange(self, boxes: BoxArray, size: tuple[int, int], clip: str) -> None:
        height, width = size
        inside = clipped(boxes, size)
        near = np.abs(boxes - inside).max(axis=1, initial=0) <= OUTSIDE  # NaN is not near either
        strange = ~(near & (inside[:, :2] < inside[:, 2:]).all(axis=1))
        if strange.any():
            shown = ", ".join(f"{value:g}" for value in boxes[strange][0])
            raise PagenError(
                f"expected boxes x_min, y_min, x_max, y_max inside {width}x{height} pixels (clip {clip}), found "
                f"{shown} in {self.file.path}; count pixels of the footage's own size"
            )


def _motion(option: str, device: str) -> Finder:
    if option:
        raise PagenError(f"expected boxes 'motion' without an option, found 'motion:{option}'; leave {option!r} out")
    return Motion()


def _file(option: str, device: str) -> Finder:
    return FileBoxes(object_file(option, "box"))


def _detector(option: str, device: str) -> Finder:
    from pagen.features.box_detector import open_detector  # torch's, which the other boxes do without

    return open_detector(option, device)


BOXES: Registry[Callable[[str, str], Finder]] = Registry(
    "kind of boxes", "pagen.boxes", {"motion": _motion, "file": _file, "detector": _detector}
)
"""Name -> factory over what follows the colon of `name:option`, empty without one, and a device of torch's."""


def open_boxes(spec: str, device: str = "cpu") -> Finder:
    """Boxes by `name` or `name:option`: `motion`, `file:PATH`, `detector:MODEL`.

    Raises:
        PagenError: no such boxes, option, file, model or device.
    """
    name, _, option = spec.partition(":")
    return BOXES[name](option, device)


def located(boxes: Sequence[BoxArray]) -> Located:
    """The boxes (n, 4) of each frame as those of the clip."""
    frames = np.repeat(np.arange(len(boxes)), [len(found) for found in boxes])
    return Located(frames, np.concatenate([np.empty((0, 4), np.float32), *boxes]))


def clipped(boxes: npt.NDArray[Any], size: tuple[int, int]) -> BoxArray:
    """Boxes (n, 4) cut at the borders of a frame (H, W)."""
    height, width = size
    inside: BoxArray = np.clip(boxes, 0, (width, height, width, height)).astype(np.float32)
    return inside


def pixels(boxes: BoxArray, size: tuple[int, int]) -> npt.NDArray[np.int64]:
    """Which pixels of a frame (H, W) boxes (n, 4) are: half-open, all four coordinates rounded up as in AccI-VAD.

    A box that lies between two pixels is one of them.
    """
    height, width = size
    low = np.clip(np.ceil(boxes[:, :2]), 0, (width - 1, height - 1))
    high = np.clip(np.ceil(boxes[:, 2:]), low + 1, (width, height))
    return np.concatenate([low, high], axis=1).astype(np.int64)


def uncovered(boxes: BoxArray, share: float = 0.6) -> npt.NDArray[np.bool_]:
    """AccI-VAD's overlap rule: which boxes (n, 4) stay, (n,) bool.

    A box goes where a larger one, be it one that goes itself, covers more than a share of it; of equal ones the last
    counts as the largest.
    """
    order = np.argsort(np.prod(boxes[:, 2:] - boxes[:, :2], axis=1), kind="stable")
    ranked = boxes[order].astype(np.float64)
    corners = [
        np.minimum(ranked[:, None, 2:], ranked[None, :, 2:]),
        np.maximum(ranked[:, None, :2], ranked[None, :, :2]),
    ]
    common = np.prod(np.maximum(corners[0] - corners[1], 0), axis=2)
    covered = np.triu(common > share * common.diagonal()[:, None], k=1).any(axis=1)
    stays = np.empty(len(boxes), bool)
    stays[order] = ~covered
    return stays
