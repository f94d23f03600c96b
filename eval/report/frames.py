"""The pictures of a report: every n-th frame of each test clip and those that stand out, each with its heat map.

A heat map is red where the run errs, the clearer the larger the error: from nothing at the `COLD`-th percentile of all
errors that the page shows to full at the `HOT`-th. It is encoded apart, so that the page can take it away.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from pagen.compute import Compute
from pagen.errors import PagenError
from pagen.eval.maps import Maps, maps_of_run, speed_maps
from pagen.footage.prepare import Prepared
from pagen.spread import default_workers

Picture = npt.NDArray[np.uint8]
MOST = 2100
"""Frames that are shown of all clips together, those that stand out apart."""
WIDTH, HEAT_WIDTH, GALLERY_WIDTH = 240, 72, 1000
"""Pixels that pictures, heat maps and the gallery are wide at most."""
COLD, HOT = 95.0, 99.9
RED = (255, 40, 40)
LEVELS = 15
"""Steps of a heat map's opacity."""


@dataclass(frozen=True)
class Shown:
    """Every `step`-th frame (h, w) or (h, w, 3) RGB, and the opacity (h, w) of its heat map, clip by clip.

    `frames` are rising numbers. Where the run has no map, `heats` are empty and the indicator that they show is None.
    """

    frames: dict[str, list[int]]
    pictures: dict[str, list[Picture]]
    heats: dict[str, list[Picture]]
    indicator: str | None
    step: int

    def encoded(self, quality: int) -> dict[str, Any]:
        """The pictures for the page's script, WebP in base64, in a quality from 1 to 100."""
        return {
            "heat": self.indicator,
            "step": self.step,
            "frames": self.frames,
            "pictures": _encoded(self.pictures, quality),
            "heats": self._heats,
        }

    @cached_property
    def _heats(self) -> dict[str, list[str]]:
        """In one quality, whatever that of the pictures."""
        return _encoded_heats(self.heats)


def shown_frames(drawn: Mapping[str, Any], prepared: Prepared, run: Path, compute: Compute) -> Shown:
    """Frames of the videos that `drawn` names, those that stand out among them, with the heat maps that the run makes.

    `prepared` is the data set at the footage's own size.
    """
    lengths, step = _lengths(drawn, MOST)
    picks = {(pick["video"], pick["frame"]) for listed in drawn["picks"].values() for pick in listed}
    frames = {
        name: sorted({*range(0, length, step), *(frame for video, frame in picks if video == name)})
        for name, length in lengths.items()
    }
    pictures = {name: [_picture(prepared.frames(name)[frame]) for frame in shown] for name, shown in frames.items()}
    indicator, errors = _errors(frames, prepared, run, compute)
    return Shown(frames, pictures, _opacities(errors), indicator, step)


@dataclass(frozen=True)
class Beside:
    """As `Shown`, with a heat map of each run and last of the trivial baseline; empty of a run that has no map."""

    frames: dict[str, list[int]]
    pictures: dict[str, list[Picture]]
    heats: list[dict[str, list[Picture]]]
    step: int

    def encoded(self, quality: int) -> dict[str, Any]:
        """The pictures for the page's script, as `Shown.encoded`."""
        return {
            "heat": any(self.heats),
            "step": self.step,
            "frames": self.frames,
            "pictures": _encoded(self.pictures, quality),
            "heats": self._heats,
        }

    @cached_property
    def _heats(self) -> list[dict[str, list[str]] | None]:
        return [_encoded_heats(heats) or None for heats in self.heats]


def frames_beside(drawn: Mapping[str, Any], prepared: Prepared, runs: Sequence[Path], compute: Compute) -> Beside:
    """Frames of the videos that `drawn` names, with the heat maps of all runs; the more runs, the fewer frames.

    `prepared` is the data set at the footage's own size.
    """
    lengths, step = _lengths(drawn, 2 * MOST // (2 + len(runs)))
    frames = {name: [*range(0, length, step)] for name, length in lengths.items()}
    pictures = {name: [_picture(prepared.frames(name)[frame]) for frame in shown] for name, shown in frames.items()}
    errors = [_errors(frames, prepared, run, compute)[1] for run in runs]
    errors.append(_shown_of(partial(speed_maps, prepared), frames))
    return Beside(frames, pictures, [_opacities(one) for one in errors], step)


def _lengths(drawn: Mapping[str, Any], most: int) -> tuple[dict[str, int], int]:
    """Video -> its frames, and that every so many-th is shown, so that no more than `most` are."""
    lengths = {video["name"]: int(video["length"]) for video in drawn["videos"]}
    return lengths, -(-sum(lengths.values()) // most)


def gallery(pseudo: Path) -> str:
    """The gallery of a set of pseudo-anomalies, as a data URI. Raises PagenError where there is none."""
    picture = cv2.imread(str(pseudo / "gallery.png"), cv2.IMREAD_COLOR) if pseudo.is_dir() else None
    if picture is None:
        raise PagenError(f"expected gallery.png in {pseudo}, found none; give a folder that `pagen generate` wrote")
    return f"data:image/webp;base64,{_webp(_within(np.asarray(picture[..., ::-1], np.uint8), GALLERY_WIDTH), 80)}"


def _errors(
    frames: dict[str, list[int]], prepared: Prepared, run: Path, compute: Compute
) -> tuple[str | None, dict[str, list[npt.NDArray[np.float32]]]]:
    """The indicator and the errors (h, w) of the frames; nothing for a run over features, which have no place."""
    mapped = maps_of_run(run, prepared, compute)
    if not mapped:
        return None, {}
    indicator, maps = mapped[0]
    return indicator, _shown_of(maps, frames)


def _shown_of(maps: Maps, frames: dict[str, list[int]]) -> dict[str, list[npt.NDArray[np.float32]]]:
    wanted = {name: set(shown) for name, shown in frames.items()}
    return {
        name: [_within(heat.astype(np.float32), HEAT_WIDTH) for frame, heat in enumerate(maps(name)) if frame in shown]
        for name, shown in wanted.items()
    }


def _opacities(errors: dict[str, list[npt.NDArray[np.float32]]]) -> dict[str, list[Picture]]:
    """Errors as opacities from 0 to 255, in `LEVELS` steps, which makes them small."""
    if not errors:
        return {}
    together = np.concatenate([frame.ravel() for frames in errors.values() for frame in frames])
    cold, hot = np.percentile(together, [COLD, HOT])
    return {name: [_opacity(frame, float(cold), float(hot)) for frame in frames] for name, frames in errors.items()}


def _opacity(errors: npt.NDArray[np.float32], cold: float, hot: float) -> Picture:
    share = np.clip((errors - cold) / max(hot - cold, 1e-12), 0, 1)
    return np.asarray(np.rint(np.rint(share * LEVELS) * (255 / LEVELS)), np.uint8)


def _picture(frame: Picture) -> Picture:
    """A frame (H, W, C) in RGB or grey -> (h, w, 3), or (h, w)."""
    return _within(np.ascontiguousarray(frame if frame.shape[-1] == 3 else frame[..., 0]), WIDTH)


def _within(picture: npt.NDArray[Any], width: int) -> npt.NDArray[Any]:
    """A picture no wider than so many pixels."""
    if picture.shape[1] <= width:
        return picture
    height = max(round(picture.shape[0] * width / picture.shape[1]), 1)
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA))


def _red(opacity: Picture) -> Picture:
    return np.dstack([np.full((*opacity.shape, 3), RED, np.uint8), opacity])


def _encoded(pictures: dict[str, list[Picture]], quality: int) -> dict[str, list[str]]:
    """In base64; the codec lets go of the interpreter, so that threads share the work."""
    with ThreadPoolExecutor(default_workers()) as pool:
        return {name: [*pool.map(partial(_webp, quality=quality), shown)] for name, shown in pictures.items()}


def _encoded_heats(heats: dict[str, list[Picture]]) -> dict[str, list[str]]:
    return _encoded({name: [_red(one) for one in shown] for name, shown in heats.items()}, 30)


def _webp(picture: Picture, quality: int) -> str:
    """Pillow's encoder, whose second method takes a third of the time of OpenCV's only one, for 6 % more bytes."""
    content = BytesIO()
    Image.fromarray(picture).save(content, "webp", quality=quality, method=2)
    return b64encode(content.getvalue()).decode()
