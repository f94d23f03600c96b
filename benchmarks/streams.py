"""Claim: of an hour of RTSP, HLS and MJPEG no frame is lost in silence, whatever befalls the servers, in flat memory.

A camera films in real time; every frame carries its number as a bar code. Three servers show it, `pagen score` watches
each. In turn the servers are killed and frozen, their time stamps jump (MJPEG has none), their frames change size, and
the wall clock of the watchers is set by an hour, forward or back (libfaketime). Sent are the frames that the camera
gave a server between the first and the last that was looked at; looked at is what the scorer got; told is what is
missing where `alerts.jsonl` has a gap, and what is counted as dropped or passed over. The rest is lost in silence.

Wants Debian's packages: apt-get install --no-install-recommends ffmpeg nginx-light faketime python3-gi
gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-ugly
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from shutil import which
from typing import Any
from unittest.mock import patch

import cv2
from parts.senders import FPS, SERVER, SIZES, SYSTEM, Frame, Sender, number_in, numbered

FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")
KINDS, FAULTS = ("rtsp", "hls", "mjpeg"), ("killed", "frozen", "stamps", "size", "clock")
OUTAGE, TIMEOUT, EVERY, WARM = 6.0, 3.0, 120.0, 10
"""Seconds that a server is away, that a silent one is waited for, and between faults; minutes before memory counts."""


def main() -> None:
    """One line a stream."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--watch", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.watch:
        watch(Path(asked.watch[0]), asked.watch[1:])
        return
    there = all(map(which, ("ffmpeg", "nginx", SYSTEM))) and FAKETIME.exists()
    if not there or subprocess.run([SYSTEM, "-c", SERVER], stderr=subprocess.DEVNULL).returncode:
        print(f"not measured: expected Debian's packages that the head of {__file__} names, found some missing")
        return
    with tempfile.TemporaryDirectory() as folder:
        for line in measured(Path(folder), asked.minutes):
            print(line, flush=True)


def measured(folder: Path, minutes: float) -> Iterator[str]:
    """Calibrate, serve, score, interrupt; what came of it, and then what of each stream."""
    calibrate(folder)
    (folder / "clock").write_text("+0")
    senders = [Sender(kind, folder / kind) for kind in KINDS]
    watchers = [Watcher(folder, sender) for sender in senders]
    for watcher in watchers:
        watcher.connect()
    rounds = max(1, round(60 * minutes / EVERY / len(FAULTS)))
    wait = max(60 * minutes / (rounds * len(FAULTS) + 1) - OUTAGE, 0.0)
    try:
        for number in range(rounds * len(FAULTS)):
            time.sleep(wait)
            fault = FAULTS[number % len(FAULTS)]
            if fault == "clock":
                (folder / "clock").write_text(("+3600", "+0", "-3600", "+0")[number // len(FAULTS) % 4])
            happen(fault, senders)
        time.sleep(wait + OUTAGE)
    finally:
        for sender in senders:
            sender.leave()
        time.sleep(2 * TIMEOUT)
        for watcher in watchers:
            watcher.leave()
    yield f"{minutes:g} minutes, {rounds} times {', '.join(FAULTS)}"
    yield from (summary(watcher) for watcher in watchers)


def happen(fault: str, senders: list[Sender]) -> None:
    """A fault of every server, which takes `OUTAGE` seconds."""
    for sender in senders:
        sender.begin(fault)
    time.sleep(OUTAGE)
    for sender in senders:
        sender.end(fault)


class Watcher:
    """`pagen score` of a stream, whose wall clock is what `clock` in the folder says, and its memory each minute."""

    def __init__(self, folder: Path, sender: Sender) -> None:
        self.sender, self.folder, self.sizes = sender, folder / sender.kind, list[float]()
        words = f"score {folder}/camera {sender.url} --timeout {TIMEOUT} --out {self.folder}/out --json".split()
        clock = {"FAKETIME_TIMESTAMP_FILE": str(folder / "clock"), "FAKETIME_CACHE_DURATION": "1"}
        clock |= {"LD_PRELOAD": str(FAKETIME), "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}
        with (self.folder / "stdout").open("wb") as told, (self.folder / "stderr").open("wb") as said:
            command = [sys.executable, __file__, "--watch", str(self.folder / "seen"), *words]
            self.process = subprocess.Popen(command, stdout=told, stderr=said, env=os.environ | clock)
        threading.Thread(target=self._sample, daemon=True).start()

    def connect(self) -> None:
        """Wait until it has looked at something."""
        seen = self.folder / "seen"
        while self.process.poll() is None and not (seen.exists() and seen.read_text().count("\n") > FPS):
            time.sleep(0.1)

    def leave(self) -> None:
        """End it as Ctrl-C does."""
        self.process.terminate()
        if self.process.wait():
            raise SystemExit((self.folder / "stderr").read_text())

    def _sample(self) -> None:
        while self.process.poll() is None:
            found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.process.pid}/status").read_text())
            self.sizes += [int(found[1]) / 1000] if found else []
            time.sleep(60)


def watch(seen: Path, words: list[str]) -> None:
    """`pagen` with these words; `seen` gets the number of each frame that is scored, and a line where all is reset."""
    from pagen.cli import main as pagen
    from pagen.scoring.stream import Streamer

    score, reset = Streamer.__call__, Streamer.reset
    with seen.open("w", 1) as file:

        def noted(streamer: Streamer, frame: Frame) -> Any:
            file.write(f"{number_in(frame)}\n")
            return score(streamer, frame)

        def noted_reset(streamer: Streamer) -> None:
            file.write("gap\n")
            reset(streamer)

        with patch.object(Streamer, "__call__", noted), patch.object(Streamer, "reset", noted_reset):
            pagen(words)


def summary(watcher: Watcher) -> str:
    """One line about a stream."""
    lines = (watcher.folder / "seen").read_text().split()[1:]  # it begins with a reset
    result = json.loads((watcher.folder / "stdout").read_text())
    alerts = [json.loads(line) for line in (watcher.folder / "out/alerts.jsonl").read_text().splitlines()]
    rows = (watcher.folder / "out/scores.csv").read_bytes().count(b"\n") - 1
    numbers = [int(line) for line in lines if line != "gap"]
    gaps, told = lines.count("gap"), sum(line["what"] == "gap" for line in alerts)
    sent, told_missing, missing, again = counts(lines, watcher.sender.sent)
    counted = result["dropped"] + result["passed_over"] + result["lost"]
    own = f"{rows} and {result['frames']} frames, {gaps} and {result['gaps']} gaps"
    agree = rows == result["frames"] and len(numbers) - rows in (0, 1) and gaps == told == result["gaps"]
    minute = min(WARM, len(watcher.sizes) - 1)
    warm, most = watcher.sizes[minute], max(watcher.sizes[minute:])
    return (
        f"{watcher.sender.kind}: {sent} sent, {len(numbers)} looked at, {again} of them again, {numbers.count(-1)} "
        f"unreadable; {told_missing} missing in {told} gaps told, {missing} elsewhere, {counted} counted as damaged, "
        f"dropped or passed over; lost in silence: {max(missing - counted, 0)}; counts {'agree' if agree else own}; "
        f"memory {warm:.1f} MB after {minute} minutes, at most {most:.1f} from then on, {watcher.sizes[-1]:.1f} last"
    )


def counts(lines: list[str], sent: list[int]) -> tuple[int, int, int, int]:
    """Frames sent, missing at gaps, missing elsewhere, and looked at again; `lines` are numbers and gaps."""
    seen = {int(line) for line in lines if line != "gap"} - {-1}
    first, last = min(seen), max(seen)
    span = [number for number in sent if first <= number <= last]
    highest, gap, again, elsewhere = first - 1, False, 0, set[int]()
    for line in lines:
        gap |= line == "gap"
        if line == "gap" or line == "-1":
            continue
        number = int(line)
        again += number <= highest
        if not gap:
            elsewhere |= set(range(highest + 1, number))
        highest, gap = max(highest, number), False
    missing = set(span) - seen
    return len(span), len(missing - elsewhere), len(missing & elsewhere), again


def calibrate(folder: Path) -> None:
    """A threshold for such pictures."""
    (folder / "normal").mkdir()
    for number in range(60):
        cv2.imwrite(str(folder / f"normal/{number:03}.png"), numbered(number, *SIZES[0]))
    flags = f"--normal {folder}/normal --fps {FPS} --false-alarms-per-hour 12 --out {folder}/camera".split()
    command = [sys.executable, "-m", "pagen", "calibrate", "flow_speed", *flags]
    subprocess.run(command, check=True, capture_output=True)


if __name__ == "__main__":
    main()
