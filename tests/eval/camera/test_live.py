from __future__ import annotations

import gc
import socket
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from itertools import islice, pairwise
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pagen.errors import PagenError
from pagen.eval.camera import live, streams
from pagen.eval.camera.live import Live
from pagen.eval.camera.shots import Gap, Shot, Thinned
from pagen.eval.camera.sources import open_footage
from pagen.eval.camera.streams import Stamped, decodable

FRAMES = [np.full((32, 48, 3), 8 * index, np.uint8) for index in range(12)]


def test_a_stream_that_never_answers_is_told_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("GATE", f"rtsp://user:secret@127.0.0.1:{server.getsockname()[1]}/x")
        with pytest.raises(PagenError, match=r"no answer within 0.1 s") as error:
            next(iter(open_footage("env:GATE", timeout=0.1)))
    assert "secret" not in str(error.value)
    monkeypatch.setenv("GATE", "rtsp://user:secret@127.0.0.1:1/x")
    with pytest.raises(PagenError, match=r"rtsp://\*\*\*@127.0.0.1:1/x, found none \(Connection refused\)"):
        next(iter(open_footage("env:GATE", timeout=0.1)))


class Flaky:
    """Opened again and again: a number is how many frames come before it breaks off; None, that it does not answer."""

    def __init__(self, *sessions: int | None) -> None:
        self.sessions = list(sessions)

    def __call__(self) -> Stamped:
        if not self.sessions:
            time.sleep(0.01)  # else the reader would spin until it is left
            raise PagenError("it is over")
        frames = self.sessions.pop(0)
        if frames is None:
            raise PagenError("no answer")
        yield from ((None, frame) for frame in FRAMES[:frames])


def stepping() -> Callable[[], float]:
    """A clock that goes on by a second whenever it is looked at."""
    times = iter(range(1_000_000, 2_000_000))
    return lambda: float(next(times))


def test_a_lost_stream_is_opened_again_with_growing_pauses(capsys: pytest.CaptureFixture[str]) -> None:
    pauses: list[float] = []
    source = Live("cam", Flaky(1, None, None, 1, None, *[None] * 6, 1), None, stepping(), pauses.append)
    items = []
    for item in source:
        items.append(item)
        if len(pauses) >= 12:
            break
    assert pauses[:12] == [1, 2, 4, 1, 2, 4, 8, 16, 30, 30, 30, 1]
    assert isinstance(items[0], Shot | Gap)
    assert "cam is lost (no answer); again in 2 s" in capsys.readouterr().err


def test_gaps_stand_between_the_frames_of_two_connections() -> None:
    taken = []
    opened = Flaky(1, 1)
    source = Live("cam", opened, None, stepping(), lambda pause: None)
    for item in islice(source, 4):
        taken.append(type(item))
    assert all(first is not second for first, second in pairwise(taken))
    assert Gap in taken


def test_a_stream_that_never_was_there_is_an_error() -> None:
    with pytest.raises(PagenError, match="no answer"):
        next(iter(Live("cam", Flaky(None), None, stepping(), lambda pause: None)))
    with pytest.raises(PagenError, match="expected more frames from cam, found its end"):
        next(iter(Live("cam", Flaky(0), None, stepping(), lambda pause: None)))
    with pytest.raises(ZeroDivisionError):  # a bug stays one, and nobody waits for ever
        next(iter(Live("cam", lambda: iter([(None, FRAMES[0] // (1 // 0))]), None, stepping(), lambda pause: None)))


def test_a_connection_that_is_lost_leaves_nothing_behind(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.height, stream.width, stream.pix_fmt = 32, 48, "yuv420p"
        for frame in FRAMES:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame)))
        container.mux(stream.encode())
    opened = partial(streams.stream_frames, str(tmp_path / "a.mp4"), 3.0)
    gc.collect()
    gc.disable()
    try:
        source = iter(Live("cam", opened, None, time.monotonic, lambda pause: time.sleep(0.01)))
        gaps = 0
        while gaps < 6:
            gaps += isinstance(next(source), Gap)
        kinds = av.VideoFrame, av.VideoCodecContext
        assert sum(isinstance(each, kinds) for each in gc.get_objects()) <= 4
    finally:
        gc.enable()


def paced(source: Live, fps: float) -> Callable[[], float]:
    """A clock for which every frame that somebody takes is 1 / `fps` seconds, so that no machine is too slow."""
    return lambda: (source.received - len(source._queue)) / fps


def looked_at(source: Live, count: int, fps: float = 25) -> list[Shot | Gap]:
    """What comes up to that many frames, at `fps` a second and more."""
    found, shots = [], 0
    for item in Thinned(source, fps):
        found.append(item)
        shots += isinstance(item, Shot)
        if shots == count:
            break
    return found


@pytest.mark.parametrize(("burst", "stamped"), [(100, True), (50, False), (25, False), (7, True), (1, False)])
def test_a_stream_that_comes_in_bursts_is_looked_at_whole(burst: int, stamped: bool) -> None:
    """As HLS does by segments, MJPEG by what a buffer holds; a burst comes when the one before was looked at."""

    def opened() -> Stamped:
        for index in range(300):
            while now() < index // burst * burst / 25:
                time.sleep(0.0005)
            yield (5000 + index / 25 if stamped else None), FRAMES[0]
        source._left.wait()

    source = Live("cam", opened, 25, lambda: now())
    now = paced(source, 25)
    found = looked_at(source, 300, 25 if stamped else 100)  # of a burst without stamps frames may stand closer
    shots = [item for item in found if isinstance(item, Shot)]
    assert (len(found), source.dropped, [shot.index for shot in shots]) == (300, 0, list(range(300)))
    if stamped:
        np.testing.assert_allclose([shot.seconds for shot in shots], np.arange(300) / 25, atol=1e-6)
    else:
        assert shots[-1].seconds == pytest.approx(12, abs=3)
        assert max(after.seconds - before.seconds for before, after in pairwise(shots)) < 1


def test_a_clock_that_is_set_back_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    wall = iter(range(10**9, 0, -60))
    monkeypatch.setattr(time, "time", lambda: float(next(wall)))
    source = Live("cam", lambda: iter((None, frame) for frame in FRAMES), 25)
    shots = [item for item in looked_at(source, 12) if isinstance(item, Shot)]
    assert [shot.index for shot in shots] == list(range(12))
    assert shots == sorted(shots, key=lambda shot: shot.seconds)


@pytest.mark.parametrize("jump", [-3600.0, -60.0, 600.0, 86_400.0])
def test_a_streams_clock_that_jumps_is_a_gap_and_takes_no_time(jump: float) -> None:
    stamps = [index / 25 + (jump if index >= 100 else 0) for index in range(200)]
    source = Live("cam", lambda: iter((stamp, FRAMES[0]) for stamp in stamps), 25)
    found = looked_at(source, 200)
    (gap,) = [place for place, item in enumerate(found) if isinstance(item, Gap)]
    assert gap == 100
    assert found[-1].seconds < 9


@pytest.mark.parametrize("stamped", [True, False])
def test_who_looks_too_slowly_loses_the_oldest_frames_and_is_told(
    stamped: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight frames come while one is looked at; 0.04 s go by with each, and whenever there is no room."""
    monkeypatch.setattr(live, "GLANCE", 0)
    times = iter(range(10_000))
    source, shots = Live("cam", Flaky(), 25, lambda: next(times) / 25), list[Shot | Gap]()
    for index in range(400):
        source._arrive(index / 25 if stamped else None, FRAMES[0])
        shots += [source._next()] if index % 8 == 0 else []
    shots += [source._next() for _ in range(len(source._queue))]
    indices = [shot.index for shot in shots if isinstance(shot, Shot)]
    assert source.received == 400 == len(shots) + source.dropped
    assert source.dropped > 100
    assert indices == sorted(indices)
    assert (len(indices), indices[-64:]) == (len(shots), list(range(336, 400)))


WHAT = st.tuples(st.sampled_from(["none", "next", "back", "far"]), st.integers(0, 3), st.booleans())


@given(st.lists(WHAT, max_size=60))
@settings(max_examples=100, deadline=None)
def test_what_was_received_was_looked_at_passed_over_or_dropped(happened: list[tuple[str, int, bool]]) -> None:
    """Whatever stamps come, whenever somebody takes how many frames, and wherever it breaks off."""
    stamp, now, taken = 0.0, 0.0, list[Shot | Gap]()

    def ticking() -> float:
        nonlocal now
        now += 0.2
        return now

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(live, "GLANCE", 0)
        patch.setattr(live, "ROOM", (1 << 20, 3))
        source = Live("cam", Flaky(), 25, ticking)
        for what, takes, breaks in happened:
            stamp += {"none": 0.0, "next": 0.04, "back": -100.0, "far": 1000.0}[what]
            source._arrive(None if what == "none" else stamp, FRAMES[0])
            if breaks:
                source._put(Gap(source._goes_on(), "", "lost"))
                source._begin()
            taken += [source._next() for _ in range(min(takes, len(source._queue)))]
            assert len(source._queue) <= 2 * 3 + 1
    source._leave()
    shots = [item for item in taken if isinstance(item, Shot)]
    assert len(shots) + source.dropped == source.received == len(happened)
    assert all(before.seconds <= after.seconds for before, after in pairwise(taken))


def test_what_is_damaged_is_told_and_counted_stamps_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "rgb_or_grey", lambda frame: frame.number)

    def decode(number: int) -> list[SimpleNamespace]:
        if number == 2:
            raise av.error.InvalidDataError(1, "damaged")
        return [SimpleNamespace(time=0.04 * number, number=number)]

    stream = SimpleNamespace(codec_context=SimpleNamespace(flags=0))
    packets = [SimpleNamespace(decode=partial(decode, number), stream=stream) for number in range(4)]
    container = SimpleNamespace(streams=SimpleNamespace(video=[None]), demux=lambda stream: packets)
    for flags, stamps in ((0, [0.0, 0.04, 0.12]), (av.format.Flags.no_timestamps.value, [None] * 3)):
        container.format = SimpleNamespace(flags=flags)
        (first, second, third), lost = zip(stamps, (0, 1, 3), strict=True), (None, None)
        assert list(decodable(container)) == [first, second, lost, third]
    assert stream.codec_context.flags  # frames that refer to a lost one are given, too


def test_packets_of_a_stream_that_do_not_decode_are_counted_and_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    frame = np.zeros((4, 4), np.uint8)

    def opened() -> Stamped:
        yield from ((0.0, frame), (None, None), (0.08, frame), (None, None))

    source = Live("gate", opened, wait=lambda _: time.sleep(0.01))
    with closing(iter(source)) as items:  # type: ignore[type-var]  # generators have a close
        shots = [next(items) for _ in range(2)]
        assert isinstance(next(items), Gap)
    assert [item.index for item in shots if isinstance(item, Shot)] == [0, 1]
    assert source.lost >= 2
    assert capsys.readouterr().err.count("packets do not decode") == 1
