"""Sources by name: a file, a folder of images or videos, a camera, a stream.

Files wait: every frame is given, however slow the receiver. Cameras do not (`live`). A `Gap` stands where a frame does
not go on from the one before: at a break of the clock (`pagen.footage.clock`), and where another file begins.

Deviation from prepared clips: frames that come at irregular times keep those, as a grid would need the whole file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import repeat
from pathlib import Path
from typing import ClassVar

from pagen import console
from pagen.errors import PagenError
from pagen.eval.camera.live import Live
from pagen.eval.camera.shots import Frame, Gap, Shot, timecode
from pagen.eval.camera.streams import TIMEOUT, camera_frames, masked, stream_frames
from pagen.footage.clock import USUAL_RATE, Tick, rate_of, timed
from pagen.footage.frame_names import stamps_of
from pagen.footage.images import read_image
from pagen.footage.listing import IMAGES, VIDEOS, counted, listing, unread
from pagen.footage.video import INTERLACED, rgb_or_grey, timed_frames, video_rate

Timed = Iterator[tuple[Tick, Frame]]
SCHEMES = ("rtsp", "rtsps", "rtmp", "http", "https", "udp", "tcp", "srt", "rtp")


@dataclass(frozen=True)
class Recording:
    """Files, one after another: `pieces` are their names and what gives ticks and frames. Iterating begins anew."""

    name: str
    fps: float
    pieces: tuple[tuple[str, Callable[[], Timed]], ...]
    live: ClassVar[bool] = False
    dropped: ClassVar[int] = 0

    def __iter__(self) -> Iterator[Shot | Gap]:
        index, start = 0, 0.0
        for name, opened in self.pieces:
            seconds, broken = start, f"{name} begins" if index else ""
            for tick, frame in opened():
                seconds, broken = start + tick.seconds, broken or tick.broken
                if broken:
                    yield Gap(seconds, timecode(seconds), broken)
                yield Shot(frame, index, seconds, timecode(seconds))
                index, broken = index + 1, ""
            start = seconds + 1 / self.fps


Footage = Recording | Live


def open_footage(spec: str, fps: float | None = None, timeout: float = TIMEOUT, deinterlace: bool = False) -> Footage:
    """Footage: a video file, a folder of images or of videos, a camera's number, or a URL of `SCHEMES`.

    Images need `fps` where their names are no times; of streams that have no clock it is the rate at first.
    Interlaced frames of files and streams are de-interlaced where that is asked for. Raises PagenError for nothing of
    that name, no video, or no rate.
    """
    if not spec:
        raise PagenError("expected a video, a folder, a camera's number or a URL, found an empty word; give one")
    scheme, separator, _ = spec.partition("://")
    if separator:
        if scheme.lower() not in SCHEMES:
            raise PagenError(f"expected a URL of {' '.join(SCHEMES)}, found {scheme}; give a file by its path")
        return Live(masked(spec), partial(stream_frames, spec, timeout, deinterlace), fps)
    path = Path(spec)
    if spec.isdecimal() and not path.exists():
        return Live(f"camera {spec}", partial(camera_frames, int(spec)), fps)
    if not path.exists():
        raise PagenError(f"expected a video, a folder, a camera's number or a URL, found nothing at {path}; mend it")
    if path.is_dir():
        return _folder(path, fps, deinterlace)
    return Recording(path.name, video_rate(path), ((path.name, partial(_video, path, deinterlace)),))


def _folder(path: Path, fps: float | None, deinterlace: bool) -> Recording:
    images, videos = listing(path, IMAGES), listing(path, VIDEOS)
    if bool(images) == bool(videos):
        found = "both" if images else "neither"
        raise PagenError(f"expected images or videos in {path}, found {found}; give a folder of one kind")
    if left := unread(path, {file.name for file in (*images, *videos)}):
        console.say(f"{path}: not read: {counted(left, path)}")
    if images:
        stamps = stamps_of(images)
        if stamps is None and fps is None:
            raise PagenError(f"expected --fps for the images in {path}, which have no clock, found none; give it")
        rate = fps or USUAL_RATE if stamps is None else rate_of(stamps)
        return Recording(path.name, rate, ((path.name, partial(_images, images, stamps, rate)),))
    rates = [video_rate(file) for file in videos]
    if max(rates) > 1.1 * min(rates):
        found = f"{min(rates):g} to {max(rates):g}"
        raise PagenError(f"expected videos of one frame rate in {path}, found {found}; separate them")
    return Recording(path.name, rates[0], tuple((file.name, partial(_video, file, deinterlace)) for file in videos))


def _images(files: Sequence[Path], stamps: Sequence[float] | None, fps: float) -> Timed:
    return timed(zip(stamps or repeat(None), map(read_image, files), strict=False), 1 / fps)


def _video(path: Path, deinterlace: bool) -> Timed:
    """The frames of a video; what of it does not decode, and that it is interlaced, is said once."""
    none, combs, damage = True, False, list[float | None]()
    for tick, decoded in timed_frames(
        path, lambda stamp, failed: damage.append(stamp) if failed else None, deinterlace
    ):
        if decoded.interlaced_frame and not combs and not deinterlace:
            console.say(f"{path.name} is {INTERLACED}")
        none, combs = False, combs or decoded.interlaced_frame
        yield tick, rgb_or_grey(decoded)
    if none:
        raise PagenError(f"expected frames in {path}, found none that decode; copy it again")
    if damage:
        place = "" if damage[0] is None else f", the first at {timecode(damage[0])}"
        console.say(f"{path.name}: {len(damage)} packets do not decode{place}; copy it again")
