"""Sources by name: a file, a folder of images or videos, a camera, a stream.

Files wait: every frame is given, however slow the receiver. Cameras do not (`live`). A `Gap` stands where a frame does
not go on from the one before: at a break of the clock (`pagen.footage.clock`), and where another file begins.

Deviation from prepared clips: frames that come at irregular times keep those, as a grid would need the whole file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import repeat
from pathlib import Path
from typing import ClassVar

from pagen import console
from pagen.errors import PagenError
from pagen.eval.camera.address import shown, url_of
from pagen.eval.camera.live import Live
from pagen.eval.camera.shots import Frame, Gap, Shot, timecode
from pagen.eval.camera.streams import TIMEOUT, camera_frames, stream_frames
from pagen.footage.clock import USUAL_RATE, Tick, rate_of, ticks_of, timed
from pagen.footage.damage import Pass
from pagen.footage.frame_names import stamps_of
from pagen.footage.images import read_image
from pagen.footage.listing import IMAGES, VIDEOS, counted, listing, unread
from pagen.footage.video import INTERLACED, not_read, places_of, rgb_or_grey, timed_frames, video_rate

Timed = Iterator[tuple[Tick, Frame]]


@dataclass(frozen=True)
class Recording:
    """Files, one after another: `pieces` are their names and what gives ticks and frames. Iterating begins anew."""

    name: str
    fps: float
    pieces: tuple[tuple[str, Callable[[], Timed]], ...]
    damage: list[int] = field(default_factory=list, compare=False)
    """How many frames of each damaged piece are lost."""
    live: ClassVar[bool] = False
    dropped: ClassVar[int] = 0

    @property
    def lost(self) -> int:
        """Frames that are lost to damage, of what was read by now."""
        return sum(self.damage)

    def __iter__(self) -> Iterator[Shot | Gap]:
        self.damage.clear()
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


def open_footage(
    spec: str,
    fps: float | None = None,
    timeout: float = TIMEOUT,
    deinterlace: bool = False,
    name: str | None = None,
) -> Footage:
    """Footage: a video file, a folder of images or of videos, a camera's number, or a URL as `address` reads it.

    Images need `fps` where their names are no times; of streams that have no clock it is the rate at first.
    Interlaced frames are de-interlaced where that is asked for; of a camera's number all are. It is called by its file,
    or as a URL may be shown, but for a `name`. Raises PagenError for nothing of that name, no video, or no rate.
    """
    if not spec:
        raise PagenError("expected a video, a folder, a camera's number or a URL, found an empty word; give one")
    url = url_of(spec)
    if url:
        return Live(name or shown(url), partial(stream_frames, url, timeout, deinterlace), fps)
    path = Path(spec)
    if spec.isdecimal() and not path.exists():
        return Live(name or f"camera {spec}", partial(camera_frames, int(spec), deinterlace), fps)
    if not path.exists():
        found = f"nothing at {shown(spec)}"
        raise PagenError(f"expected a video, a folder, a camera's number or a URL, found {found}; mend it")
    if path.is_dir():
        return _folder(path, fps, deinterlace, name or path.name)
    return _recording(name or path.name, video_rate(path), (path,), deinterlace)


def _folder(path: Path, fps: float | None, deinterlace: bool, name: str) -> Recording:
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
        return Recording(name, rate, ((path.name, partial(_images, images, stamps, rate)),))
    rates = [video_rate(file) for file in videos]
    if max(rates) > 1.1 * min(rates):
        found = f"{min(rates):g} to {max(rates):g}"
        raise PagenError(f"expected videos of one frame rate in {path}, found {found}; separate them")
    return _recording(name, rates[0], videos, deinterlace)


def _recording(name: str, fps: float, videos: Sequence[Path], deinterlace: bool) -> Recording:
    damage = list[int]()
    pieces = tuple((file.name, partial(_video, file, deinterlace, damage.append)) for file in videos)
    return Recording(name, fps, pieces, damage)


def _images(files: Sequence[Path], stamps: Sequence[float] | None, fps: float) -> Timed:
    return timed(zip(stamps or repeat(None), map(read_image, files), strict=False), 1 / fps)


def _video(path: Path, deinterlace: bool, lost: Callable[[int], None]) -> Timed:
    """The frames of a video; what of it is lost to damage, and that it is interlaced, is said once."""
    seen, combs = Pass(), False
    for note in not_read(path):
        console.say(f"{path.name}: {note}")
    for tick, decoded in timed_frames(path, seen, deinterlace):
        if seen.interlaced and not combs and not deinterlace:
            console.say(f"{path.name} is {INTERLACED}")
        combs = seen.interlaced
        yield tick, rgb_or_grey(decoded)
    if not seen.stamps:
        raise PagenError(f"expected frames in {path}, found none that decode; copy it again")
    _tell_lost(path, seen, lost)


def _tell_lost(path: Path, seen: Pass, lost: Callable[[int], None]) -> None:
    """Count and tell the frames of a video that has passed which are lost to damage, or missing at its end."""
    found, wrong = places_of(path, seen)
    if wrong:
        console.say(wrong)
    if damaged := [number for number, place in enumerate(found) if not place.there]:
        lost(len(damaged))
        ticks = ticks_of((place.stamp for place in found), 1 / video_rate(path))
        frames = "1 frame is" if len(damaged) == 1 else f"{len(damaged)} frames are"
        first = timecode(ticks[damaged[0]].seconds)
        console.say(f"{path.name}: {frames} lost to damage, the first at {first}; copy it again")
