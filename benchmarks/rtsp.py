"""Claim: a stream that is interrupted and resumed loses no alert, leaks no memory, and nobody reads its password.

A street is served by RTSP on this machine, real time, behind a password; each connection begins at its first frame.
In it something passes fast three times in 20 seconds, the third time while the stream breaks off: the server is
killed, killed again, and frozen, for ten seconds each. At the end `pagen score` is told to stop.

Wants Debian's GStreamer server: apt-get install gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-good python3-gi
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt

from pagen.footage.street.scene import scenes

SYSTEM, PASSWORD, FPS, SIDE = "/usr/bin/python3", "hunter-two", 10, 40
SESSION, LOST, TIMEOUT = 20.0, 10.0, 3.0
"""Seconds that a connection lasts, that it is lost, and that a silent server is waited for."""
PASSING = ((40, 60), (110, 130), (180, 230))
"""Frames in which something passes."""
HOW = ("killed", "killed", "frozen")
PAGEN = (sys.executable, "-m", "pagen")
Frame = npt.NDArray[np.uint8]
Process = subprocess.Popen[bytes]
SERVER = """
import sys, gi
gi.require_version("Gst", "1.0"), gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer as rtsp
if len(sys.argv) == 1: sys.exit()
path, port, password = sys.argv[1:]
Gst.init(None)
server, auth, token = rtsp.RTSPServer(service=port), rtsp.RTSPAuth(), rtsp.RTSPToken()
token.set_string("media.factory.role", "user")
auth.add_basic(rtsp.RTSPAuth.make_basic("user", password), token)
server.set_auth(auth)
allowed, factory = rtsp.RTSPPermissions(), rtsp.RTSPMediaFactory()
for right in ("access", "construct"): allowed.add_permission_for_role("user", "media.factory." + right, True)
factory.set_permissions(allowed)
factory.set_launch(f"( filesrc location={path} ! qtdemux ! h264parse ! rtph264pay name=pay0 config-interval=1 )")
server.get_mount_points().add_factory("/street", factory)
server.attach(None)
GLib.MainLoop().run()
"""


def main() -> None:
    """One line of results."""
    if not Path(SYSTEM).exists() or subprocess.run([SYSTEM, "-c", SERVER], stderr=subprocess.DEVNULL).returncode:
        print(f"not measured: expected GStreamer's RTSP server for {SYSTEM}, found none; see the head of {__file__}")
        return
    with tempfile.TemporaryDirectory() as folder:
        print(measured(Path(folder)))


def measured(folder: Path) -> str:
    """Calibrate, serve, score, interrupt; what came of it."""
    quiet, street = scenes(train=2, test=0, frames=600)
    write(folder / "normal.mp4", quiet.frames())
    write(folder / "street.mp4", passing(street.frames()))
    flags = ["--normal", str(folder / "normal.mp4"), "--false-alarms-per-hour", "12", "--out", str(folder / "camera")]
    subprocess.run([*PAGEN, "calibrate", "flow_speed", *flags], check=True, capture_output=True)
    port = free_port()
    url = f"rtsp://user:{PASSWORD}@127.0.0.1:{port}/street?password={PASSWORD}"
    words = [*PAGEN, "score", folder / "camera", "env:URL", "--timeout", str(TIMEOUT)]
    words += ["--out", folder / "out", "--json"]
    server = serve(folder, port)
    with (folder / "stdout").open("wb") as told, (folder / "stderr").open("wb") as said:
        scoring = subprocess.Popen(words, stdout=told, stderr=said, env=os.environ | {"URL": url})
    sizes: list[float] = []
    threading.Thread(target=sample, args=(scoring, sizes), daemon=True).start()
    try:
        for how in HOW:
            connected(folder, scoring)
            server = interrupted(server, how, folder, port)
        connected(folder, scoring)
        scoring.terminate()
        scoring.wait()
    finally:
        scoring.kill()
        server.kill()
    return summary(folder, sizes)


def connected(folder: Path, scoring: Process) -> None:
    """Wait until frames come, and then for a session."""
    before = rows(folder)
    while rows(folder) <= before + 1:
        if scoring.poll() is not None:
            raise SystemExit((folder / "stderr").read_text())
        time.sleep(0.1)
    time.sleep(SESSION)


def interrupted(server: Process, how: str, folder: Path, port: int) -> Process:
    """The server that is there after a while without."""
    server.send_signal(signal.SIGKILL if how == "killed" else signal.SIGSTOP)
    time.sleep(LOST)
    if how == "killed":
        server.wait()
        return serve(folder, port)
    server.send_signal(signal.SIGCONT)
    return server


def serve(folder: Path, port: int) -> Process:
    """A server that listens."""
    words = [SYSTEM, "-c", SERVER, folder / "street.mp4", str(port), PASSWORD]
    server = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.1)
        else:
            return server
    raise SystemExit(f"expected an RTSP server on port {port}, found that it ended with {server.returncode}")


def sample(process: Process, sizes: list[float]) -> None:
    """The memory of a process each second, in MB."""
    while process.poll() is None:
        found = re.search(r"RssAnon:\s+(\d+)", Path(f"/proc/{process.pid}/status").read_text())
        sizes += [int(found[1]) / 1000] if found else []
        time.sleep(1)


def summary(folder: Path, sizes: list[float]) -> str:
    """One line."""
    result = json.loads((folder / "stdout").read_text())
    lines = [json.loads(line) for line in (folder / "out/alerts.jsonl").read_text().splitlines()]
    count = {what: sum(line["what"] == what for line in lines) for what in ("begin", "end", "gap")}
    told = [path.name for path in folder.rglob("*") if path.is_file() and PASSWORD.encode() in path.read_bytes()]
    passed, warm = len(PASSING) * (len(HOW) + 1), round(SESSION + LOST)
    return (
        f"{passed} passed while connected, {count['begin']} alerts begun, {count['end']} ended, {count['gap']} gaps; "
        f"{result['frames']} frames, {result['dropped']} dropped; memory {sizes[warm]:.1f} MB after {warm} s, "
        f"{sizes[-1]:.1f} MB after {len(sizes)} s; files with the password: {' '.join(told) or 'none'}"
    )


def passing(frames: Iterator[Frame]) -> Iterator[Frame]:
    """Frames (H, W) through which a smooth pattern passes to and fro, 8 pixels a frame."""
    noise = np.random.default_rng(0).integers(0, 255, (SIDE, SIDE)).astype(np.float32)
    pattern = np.asarray(cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 4), None, 0, 255, cv2.NORM_MINMAX), np.uint8)
    for index, frame in enumerate(frames):
        if any(first <= index < last for first, last in PASSING):
            reach = frame.shape[1] - SIDE
            place = abs(8 * index % (2 * reach) - reach)
            frame[50 : 50 + SIDE, place : place + SIDE] = pattern
        yield frame


def write(path: Path, frames: Iterator[Frame]) -> None:
    """Grey frames (H, W) as a video."""
    first = next(frames)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"g": str(FPS), "bf": "0"})
        stream.height, stream.width, stream.pix_fmt = *first.shape, "yuv420p"
        for frame in (first, *frames):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="gray")))
        container.mux(stream.encode())


def rows(folder: Path) -> int:
    """How many frames have been scored."""
    path = folder / "out/scores.csv"
    return path.read_bytes().count(b"\n") if path.exists() else 0


def free_port() -> int:
    """One that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


if __name__ == "__main__":
    main()
