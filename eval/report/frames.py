"""The pictures of a report: every n-th frame of each test clip and those that stand out, each with its heat map.

A heat map is red where the run errs, the clearer the larger the error: from nothing at the `COLD`-th percentile of all
errors that the page shows to full at the `HOT`-th. It is encoded apart, so that the page can take it away.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

from pagen.errors import PagenError

if TYPE_CHECKING:
    from pagen.eval.report.content import Content
    from pagen.footage.prepare import Prepared

Picture = npt.NDArray[np.uint8]
MOST = 2100
"""Frames that are shown of all clips together, those that stand out apart."""
WIDTH, HEAT_WIDTH, GALLERY_WIDTH = 240, 72, 1000
"""Pixels that pictures, heat maps and the gallery are wide at most."""
COLD, HOT = 95.0, 99.9
RED = (40, 40, 255)
"""Blue, green, red."""
LEVELS = 15
"""Steps of a heat map's opacity."""


@dataclass(frozen=True)
class Shown:
    """Frames (h, w) or (h, w, 3) BGR and the opacity (h, w) of their heat maps, clip by clip.

    Attributes:
        frames: clip -> numbers of the frames, rising.
        pictures: clip -> one a frame.
        heats: clip -> one a frame; nothing where the run has no map.
        indicator: whose error the heat maps are; None without them.
        step: every so many-th frame is shown.
    """

    frames: dict[str, list[int]]
    pictures: dict[str, list[Picture]]
    heats: dict[str, list[Picture]]
    indicator: str | None
    step: int

    @property
    def count(self) -> int:
        """How many frames are shown."""
        return sum(map(len, self.frames.values()))

    def encoded(self, quality: int) -> dict[str, Any]:
        """The pictures for the page's script, WebP in base64, in a quality from 1 to 100."""
        return {
            "heat": self.indicator,
            "step": self.step,
            "frames": self.frames,
            "pictures": {name: [_webp(each, quality) for each in some] for name, some in self.pictures.items()},
            "heats": {name: [_webp(_red(each), 30) for each in some] for name, some in self.heats.items()},
        }


def shown_frames(
    content: Content,
    prepared: Prepared,
    run: Path,
    root: Path | None = None,
    device: str = "auto",
    workers: int | None = None,
    overwrite: bool = False,
) -> Shown:
    """The frames that a report shows, with the heat maps that the run makes of them.

    Args:
        content: names the frames that stand out.
        prepared: the data set at the footage's own size.
        root, device, workers, overwrite: as `error_maps.maps_of_run` takes them.
    """
    lengths = {video["name"]: int(video["length"]) for video in content.drawn["videos"]}
    step = -(-sum(lengths.values()) // MOST)
    picks = {(pick.video, pick.frame) for picks in content.picks.values() for pick in picks}
    frames = {
        name: sorted({*range(0, length, step), *(frame for video, frame in picks if video == name)})
        for name, length in lengths.items()
    }
    pictures = {name: [_picture(prepared.frames(name)[frame]) for frame in some] for name, some in frames.items()}
    indicator, errors = _errors(frames, prepared, run, root, device, workers, overwrite)
    return Shown(frames, pictures, _opacities(errors), indicator, step)


def gallery(pseudo: Path) -> str:
    """The gallery of a set of pseudo-anomalies, as a data URI. Raises PagenError where there is none."""
    picture = cv2.imread(str(pseudo / "gallery.png"), cv2.IMREAD_UNCHANGED) if pseudo.is_dir() else None
    if picture is None:
        raise PagenError(f"expected gallery.png in {pseudo}, found none; give a folder that `pagen generate` wrote")
    return f"data:image/webp;base64,{_webp(_within(np.asarray(picture, np.uint8), GALLERY_WIDTH), 80)}"


def _errors(
    frames: dict[str, list[int]],
    prepared: Prepared,
    run: Path,
    root: Path | None,
    device: str,
    workers: int | None,
    overwrite: bool,
) -> tuple[str | None, dict[str, list[npt.NDArray[np.float32]]]]:
    """The indicator and the errors (h, w) of the frames; nothing for a run over features, which have no place."""
    from pagen.eval.maps import maps_of_run

    found = maps_of_run(run, prepared, root, device, workers, overwrite)
    if not found:
        return None, {}
    indicator, maps = found[0]
    return indicator, {name: list(_some(maps, name, some)) for name, some in frames.items()}


def _some(maps: Callable[[str], Iterator[Any]], name: str, frames: list[int]) -> Iterator[npt.NDArray[np.float32]]:
    wanted = set(frames)
    for frame, each in enumerate(maps(name)):
        if frame in wanted:
            yield _within(each.astype(np.float32), HEAT_WIDTH)


def _opacities(errors: dict[str, list[npt.NDArray[np.float32]]]) -> dict[str, list[Picture]]:
    """Errors as opacities from 0 to 255, in `LEVELS` steps, which makes them small."""
    if not errors:
        return {}
    together = np.concatenate([each.ravel() for some in errors.values() for each in some])
    cold, hot = np.percentile(together, [COLD, HOT])
    return {name: [_opacity(each, float(cold), float(hot)) for each in some] for name, some in errors.items()}


def _opacity(errors: npt.NDArray[np.float32], cold: float, hot: float) -> Picture:
    share = np.clip((errors - cold) / max(hot - cold, 1e-12), 0, 1)
    return np.asarray(np.rint(np.rint(share * LEVELS) * (255 / LEVELS)), np.uint8)


def _picture(frame: Picture) -> Picture:
    """A frame (H, W, C) in RGB or grey -> (h, w, 3) in BGR, or (h, w)."""
    return _within(np.ascontiguousarray(frame[..., ::-1] if frame.shape[-1] == 3 else frame[..., 0]), WIDTH)


def _within(picture: npt.NDArray[Any], width: int) -> npt.NDArray[Any]:
    """A picture no wider than so many pixels."""
    if picture.shape[1] <= width:
        return picture
    height = max(round(picture.shape[0] * width / picture.shape[1]), 1)
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA))


def _red(opacity: Picture) -> Picture:
    return np.dstack([np.full((*opacity.shape, 3), RED, np.uint8), opacity])


def _webp(picture: Picture, quality: int) -> str:
    _, content = cv2.imencode(".webp", picture, [cv2.IMWRITE_WEBP_QUALITY, quality])
    return b64encode(content.tobytes()).decode()
