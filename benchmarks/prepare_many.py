"""Claim: `prepare` of a set as large as ShanghaiTech takes no more memory at its end than at a quarter of it.

437 clips of ShanghaiTech's names and lengths, 315,113 small frames, in its layout, made beforehand: training clips are
videos, test clips pictures, with labels and masks. It is killed where half of the clips lie there, and begun again.
Printed is the most that the process and its worker held in each quarter, how many clips that were made before the kill
stayed as they were, and the bar as it last told what is left. With fewer --clips it takes less time.
"""

from __future__ import annotations

import argparse
import json
import os
import pty
import re
import signal
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from PIL import Image

from pagen.footage.known_clips import KnownClip, read_known

HEIGHT, WIDTH, SHOWN, ABNORMAL = 60, 108, 32, 17_326
"""Size of the pictures, after how many of them a clip begins anew, and ShanghaiTech's abnormal test frames."""
CLIPS = 437
PAGEN = (sys.executable, "-P", "-m", "pagen")
PAGE = os.sysconf("SC_PAGE_SIZE")
Picture = npt.NDArray[np.uint8]


def main() -> None:
    """Make the copy, prepare it in two goes, print what was seen."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--clips", type=int, default=CLIPS)
    clips = chosen(parser.parse_args().clips)
    with tempfile.TemporaryDirectory() as folder:
        write_copy(Path(folder) / "shanghaitech", clips)
        print(f"{len(clips)} clips, {sum(map(length, clips)):,} frames of {HEIGHT}x{WIDTH}", flush=True)
        prepared = Prepare(Path(folder), len(clips))
        prepared.go(until=len(clips) // 2)
        before = prepared.made()
        prepared.go()
        after = prepared.made()
    kept = sum(after[name] == stamp for name, stamp in before.items())
    quarters = prepared.most
    ratio = f"last by first {quarters[-1] / quarters[0]:.2f}"
    print(f"most memory in each quarter: {' '.join(f'{most:.0f}' for most in quarters)} MB, {ratio}")
    print(f"killed with {len(before)} of {len(after)} clips done, of which {kept} stayed")
    print(f"the bar began after {prepared.silent:.0f} s; midway: {prepared.bars[len(prepared.bars) // 2]}")
    print(f"at last: {prepared.bars[-1]}\n{prepared.seconds:.0f} s in all")


def chosen(count: int) -> list[KnownClip]:
    """So many of ShanghaiTech's clips, of each split its share."""
    known = read_known("shanghaitech")
    return [known[index * len(known) // count] for index in range(count)]


def length(clip: KnownClip) -> int:
    """Number of frames; the least where only bounds are known."""
    return clip.frames or 1


def write_copy(root: Path, clips: Sequence[KnownClip]) -> None:
    """The clips in ShanghaiTech's layout; the pictures of all test clips are the same files."""
    noise = np.random.default_rng(0).integers(0, 256, (HEIGHT // 4, WIDTH // 4, 3), np.uint8)
    pictures = [np.roll(np.kron(noise, np.ones((4, 4, 1), np.uint8)), 2 * shift, axis=1) for shift in range(SHOWN)]
    left = ABNORMAL
    for clip in clips:
        if clip.split == "train":
            path = root / f"training/videos/{clip.clip}.avi"
            write_video(path, islice(cycle(pictures), length(clip)), round(clip.fps or 24))
        else:
            write_pictures(root / "testing/frames" / clip.clip, pictures, length(clip))
            abnormal = min(left, length(clip))
            write_labels(root / "testing", clip, abnormal)
            left -= abnormal


def write_video(path: Path, pictures: Iterable[Picture], fps: int) -> None:
    """MPEG-4, the codec that encodes soonest."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=fps)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


def write_pictures(folder: Path, pictures: Sequence[Picture], count: int) -> None:
    """JPEG files: those of the pictures, then links to them."""
    folder.mkdir(parents=True)
    for index in range(count):
        path = folder / f"{index:03}.jpg"
        if index < SHOWN:
            Image.fromarray(pictures[index]).save(path)
        else:
            path.hardlink_to(folder / f"{index % SHOWN:03}.jpg")


def write_labels(testing: Path, clip: KnownClip, abnormal: int) -> None:
    """Labels and masks of a clip that begins with so many abnormal frames."""
    labels = np.arange(length(clip)) < abnormal
    masks = np.zeros((length(clip), HEIGHT, WIDTH), np.uint8)
    masks[labels, 20:40, 30:50] = 1
    for kind, array in (("frame", labels.astype(np.uint8)), ("pixel", masks)):
        (testing / f"test_{kind}_mask").mkdir(exist_ok=True)
        np.save(testing / f"test_{kind}_mask/{clip.clip}.npy", array)


@dataclass
class Prepare:
    """`pagen prepare` of the copy in `folder`, of `count` clips, run as often as needed.

    `most` are megabytes by quarters, `silent` the seconds until a bar was drawn first, `bars` all that were drawn.
    """

    folder: Path
    count: int
    most: list[float] = field(default_factory=lambda: [0.0] * 4)
    bars: list[str] = field(default_factory=list)
    silent: float = 0.0
    seconds: float = 0.0

    def go(self, until: int = CLIPS + 1) -> None:
        """Run it to its end, or kill it where so many clips are there."""
        start, (ours, theirs) = time.monotonic(), pty.openpty()
        termios.tcsetwinsize(theirs, (24, 80))
        flags = ("--dataset", "shanghaitech", "--root", f"{self.folder}/shanghaitech", "--size", "32", "48")
        more = ("--workers", "1", "--out", f"{self.folder}/prepared", *(("--partial",) if self.count < CLIPS else ()))
        terminal, quiet = {**os.environ, "TERM": "xterm"}, subprocess.DEVNULL
        command = [*PAGEN, "prepare", *flags, *more]
        process = subprocess.Popen(command, stdout=quiet, stderr=theirs, env=terminal, start_new_session=True)
        os.close(theirs)
        reader = threading.Thread(target=self.read, args=(ours, start))
        reader.start()
        while process.poll() is None:
            done = len(self.made())
            quarter = min(4 * done // self.count, 3)
            self.most[quarter] = max(self.most[quarter], held(process.pid))
            if done >= until:
                os.killpg(process.pid, signal.SIGKILL)
            time.sleep(0.05)
        reader.join()
        self.seconds += time.monotonic() - start
        assert process.returncode == (0 if until > CLIPS else -signal.SIGKILL)

    def made(self) -> dict[str, tuple[int, int]]:
        """The clips that the folder says are done, and when which file was written."""
        manifest = self.folder / "prepared/manifest.json"
        done = json.loads(manifest.read_text())["items"] if manifest.exists() else ()
        files = {name: (self.folder / f"prepared/clips/{name}.npy").stat() for name in done}
        return {name: (file.st_ino, file.st_mtime_ns) for name, file in files.items()}

    def read(self, terminal: int, start: float) -> None:
        """Take the bars that are drawn, until nobody draws."""
        drawn = ""
        with suppress(OSError):  # which tells that the other side is closed
            while text := os.read(terminal, 4096).decode():
                drawn += text
                self.silent = self.silent or time.monotonic() - start
        os.close(terminal)
        self.bars += [line.strip() for line in re.split(r"[\r\n]+", drawn) if "left" in line]


def held(session: int) -> float:
    """Megabytes in memory of all processes of a session."""
    total = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # one that has ended
            values = path.read_text().rpartition(")")[2].split()
            total += PAGE * int(values[21]) if int(values[3]) == session else 0
    return total / 1e6


if __name__ == "__main__":
    main()
