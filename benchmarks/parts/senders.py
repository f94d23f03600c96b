"""A camera that films in real time, every frame of which carries its number, and servers that show it."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import threading
import time
from contextlib import nullcontext, suppress
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

Frame = npt.NDArray[np.uint8]
Process = subprocess.Popen[bytes]
SYSTEM = "/usr/bin/python3"
FPS, SIZES, BITS = 5, ((120, 160), (180, 240)), 16
"""Frames a second, (H, W) of small frames and large ones, and how many bits a number has."""
BEGUN = int(time.monotonic() * FPS)
SERVER = """
import struct, sys, threading, gi
gi.require_version("Gst", "1.0"), gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer as rtsp
if len(sys.argv) == 1: sys.exit()
Gst.init(None)
server, factory, shown = rtsp.RTSPServer(service=sys.argv[1]), rtsp.RTSPMediaFactory(), []
jump = [0]
encoder = "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=5 sliced-threads=false"
source = "appsrc name=camera is-live=true do-timestamp=true format=time ! videoconvert ! video/x-raw,format=I420"
factory.set_launch(f"( {source} ! {encoder} ! rtph264pay name=pay0 config-interval=-1 )")
factory.set_shared(True)
def jumped(pad, info):
    buffer = info.get_buffer()
    buffer.pts += jump[0] * Gst.SECOND
    buffer.dts += jump[0] * Gst.SECOND
    return Gst.PadProbeReturn.OK
def configured(factory, media):
    camera, pay = (media.get_element().get_by_name_recurse_up(name) for name in ("camera", "pay0"))
    pay.get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, jumped)
    shown[:] = [camera]
def fed():
    while header := sys.stdin.buffer.read(12):
        height, width, jump[0] = struct.unpack("<3i", header)
        data = sys.stdin.buffer.read(height * width)
        if not shown: continue
        caps = Gst.Caps.from_string(f"video/x-raw,format=GRAY8,width={width},height={height},framerate=5/1")
        shown[0].emit("push-sample", Gst.Sample.new(Gst.Buffer.new_wrapped(data), caps, None, None))
factory.connect("media-configure", configured)
server.get_mount_points().add_factory("/live", factory)
server.attach(None)
threading.Thread(target=fed, daemon=True).start()
GLib.MainLoop().run()
"""
NGINX = """
daemon off; master_process off; pid {0}/nginx.pid; error_log {0}/nginx.log; events {{ }}
http {{ access_log off; client_body_temp_path {0}/body; proxy_temp_path {0}/proxy; fastcgi_temp_path {0}/fast;
uwsgi_temp_path {0}/uwsgi; scgi_temp_path {0}/scgi; server {{ listen 127.0.0.1:{1}; root {0}; }} }}
"""


class Sender:
    """A camera of one kind and its server. `sent` are the numbers of the frames that it has given to the server."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind, self.folder, self.port, self.sent = kind, folder, free_port(), list[int]()
        self.url = {
            "rtsp": f"rtsp://127.0.0.1:{self.port}/live",
            "hls": f"http://127.0.0.1:{self.port}/live.m3u8",
            "mjpeg": f"http://127.0.0.1:{self.port}/live",
        }[kind]
        self._size, self._jumped, self._away, self._left = 0, False, False, False
        self._lock = threading.Lock()
        folder.mkdir()
        (folder / "nginx.conf").write_text(NGINX.format(folder, self.port))
        self._web = self._nginx() if kind == "hls" else None
        self._encoder = self._encode()
        self._thread = threading.Thread(target=self._film, daemon=True)
        self._thread.start()
        while not self._ready():
            time.sleep(0.1)

    def _ready(self) -> bool:
        """Whether somebody listens; FFmpeg would take whoever tries for its one visitor."""
        told = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
        listens = re.search(rf":{self.port:04X} [0:]+ 0A", told) is not None
        return listens and (self.kind != "hls" or (self.folder / "live.m3u8").exists())

    @property
    def server(self) -> Process:
        """What a watcher is connected with."""
        return self._web or self._encoder

    def begin(self, fault: str) -> None:
        """What befalls the server."""
        if fault in ("killed", "frozen"):
            self._away = True
            self.server.send_signal(signal.SIGKILL if fault == "killed" else signal.SIGSTOP)
        elif fault in ("stamps", "size"):
            self._change(fault)

    def end(self, fault: str) -> None:
        """The server is well again."""
        if fault == "frozen":
            self.server.send_signal(signal.SIGCONT)
        elif fault == "killed":
            self.server.wait()
            self._web = self._nginx() if self._web else None
        self._away = False

    def leave(self) -> None:
        """No frame comes any more."""
        self._left = True
        self.server.kill()
        self._encoder.kill()  # which the camera may be waiting for
        self._thread.join()
        self._encoder.kill()

    def _change(self, fault: str) -> None:
        """Frames of another size, or with other stamps: at once, but for HLS, of which another encoder goes on."""
        with self._lock if self._web else nullcontext():
            if self._web:
                self._close()
            self._jumped ^= fault == "stamps"
            self._size ^= fault == "size"
            if self._web:
                self._encoder = self._encode()

    def _film(self) -> None:
        number = 0
        while not self._left:
            number = max(number + 1, int(time.monotonic() * FPS) - BEGUN)
            time.sleep(max(0.0, (number + BEGUN) / FPS - time.monotonic()))
            with self._lock, suppress(OSError, ValueError):
                if self._encoder.poll() is not None and not self._away and not self._left:
                    self._encoder = self._encode()  # it was killed, or is FFmpeg, which serves one visitor
                assert self._encoder.stdin
                self._encoder.stdin.write(self._coded(number))
                self._encoder.stdin.flush()
                self.sent.append(number)

    def _coded(self, number: int) -> bytes:
        frame = numbered(number, *SIZES[self._size])
        if self.kind == "mjpeg":
            return bytes(cv2.imencode(".jpg", frame)[1])
        header = np.array([*frame.shape, -20 * self._jumped], "<i4").tobytes() if self.kind == "rtsp" else b""
        return header + frame.tobytes()

    def _encode(self) -> Process:
        height, width = SIZES[self._size]
        ffmpeg = ["ffmpeg", "-loglevel", "error", "-probesize", "32", "-analyzeduration", "0"]
        raw = ["-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{width}x{height}", "-r", str(FPS), "-i", "-"]
        h264 = [
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            "-tune",
            "zerolatency",
            "-pix_fmt",
            "yuv420p",
            "-g",
            str(FPS),
        ]
        offset = ["-output_ts_offset", str(5000 * self._jumped)]
        hls = ["-f", "hls", "-hls_time", "2", "-hls_flags", "append_list+delete_segments+omit_endlist"]
        copied = ["-f", "mjpeg", "-framerate", str(FPS), "-i", "-", "-c", "copy", "-flush_packets", "1", "-f", "mpjpeg"]
        answer = ["-content_type", "multipart/x-mixed-replace;boundary=ffmpeg", "-listen", "1", self.url]
        words = {
            "rtsp": [SYSTEM, "-c", SERVER, str(self.port)],
            "hls": [*ffmpeg, *raw, *h264, *offset, *hls, str(self.folder / "live.m3u8")],
            "mjpeg": [*ffmpeg, *copied, *answer],
        }[self.kind]
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=log, stderr=log)

    def _nginx(self) -> Process:
        return subprocess.Popen(["nginx", "-c", self.folder / "nginx.conf"], stderr=subprocess.DEVNULL)

    def _close(self) -> None:
        """Let the encoder write what it holds."""
        assert self._encoder.stdin
        self._encoder.stdin.close()
        self._encoder.wait()


def numbered(number: int, height: int, width: int) -> Frame:
    """A grey picture (H, W) whose upper rows hold a number as blocks, and below them the same inverted."""
    noise = np.random.default_rng(0).integers(60, 190, (height // 12, width // 12), np.uint8)
    frame = np.asarray(cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)
    bits = np.array([number >> bit & 1 for bit in range(BITS)], np.uint8)
    code = np.kron(255 * np.array([bits, 1 - bits]), np.ones((height // 10, width // BITS)))
    frame[: code.shape[0], : code.shape[1]] = code
    return frame


def number_in(frame: Frame) -> int:
    """The number that a picture (H, W) or (H, W, 3) holds; -1 where it cannot be read."""
    grey = frame if frame.ndim == 2 else frame.mean(2)
    tall, wide = grey.shape[0] // 10, grey.shape[1] // BITS
    blocks = grey[: 2 * tall, : wide * BITS].reshape(2, tall, BITS, wide).mean((1, 3)) > 127
    return int((blocks[0] * 2 ** np.arange(BITS)).sum()) if (blocks[0] != blocks[1]).all() else -1


def free_port() -> int:
    """One that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])
