from __future__ import annotations

import json
import subprocess
import sys
from collections import deque
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from pagen.errors import PagenError
from pagen.eval.camera.film import CONTAINERS, GREEN, RED, STRIP, WARM, WHITE, Blur, Film, drawn, level, timeline
from pagen.eval.camera.shots import Shot
from pagen.eval.camera.threshold import Threshold
from pagen.scoring.baselines import flow_speed, frame_difference
from pagen.scoring.frame_score import Box, FrameScore, region_of
from pagen.scoring.stream import BaselineStream
from pagen.scoring.zones import Zones, inside, read_zones  # fmt: skip

THRESHOLD = Threshold("flow_speed", "", "flow_speed", 3.0, 2.0, 2.0, 0.2, 10.0, 1, 1, 0, 3, 0, 1.0, 1.0, None)
SQUARE = [[8.0, 8.0], [40.0, 8.0], [40.0, 24.0], [8.0, 24.0]]


def noise(seed: int, height: int = 32, width: int = 48) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (height, width, 3), np.uint8)


def test_zones_cover_what_is_drawn_at_any_size_of_map() -> None:
    for shape in ((32, 48), (16, 24)):
        mask = Zones([SQUARE], []).mask(shape, (32, 48))
        expected = np.zeros(shape, bool)
        factor = 32 // shape[0]
        expected[8 // factor : 24 // factor, 8 // factor : 40 // factor] = True
        assert np.mean(mask != expected) < 0.07  # the border belongs to the polygon
        assert mask[expected].all()
        assert (Zones([], [SQUARE]).mask(shape, (32, 48)) == ~mask).mean() > 0.93


def test_zones_are_read_and_what_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "zones.json"
    path.write_text(json.dumps({"exclude": [SQUARE]}))
    assert read_zones(path) == Zones([], [[*map(tuple, SQUARE)]])
    for text in ('{"exclud": []}', "{}", "[1]", '{"include": [[[1, 2], [3, 4]]]}', '{"include": [[1, 2, 3]]}', "{"):
        path.write_text(text)
        with pytest.raises(PagenError, match=r"(expected .*zones\.json, found .*; mend the zones|no field of zones)"):
            read_zones(path)
    with pytest.raises(PagenError, match="mend the zones"):
        read_zones(tmp_path / "none.json")
    with pytest.raises(PagenError, match=r"inside frames of 30x32 pixels, found the point 40, 8"):
        Zones([SQUARE], []).mask((16, 15), (32, 30))
    with pytest.raises(PagenError, match="leave something to look at"):
        Zones([SQUARE], [SQUARE]).mask((32, 48), (32, 48))


def test_inside_zones_the_worst_place_counts_and_more_zone_is_never_less() -> None:
    heat = np.zeros((32, 48))
    heat[10:22, 20:32], heat[0:12, 36:48] = 1.0, 4.0
    everything = Zones([[[0, 0], [48, 0], [48, 32], [0, 32]]], [])
    for name, worst in (("flow_local", lambda error: error), ("psnr_local", lambda error: -10 * np.log10(4 / error))):
        assert everything.within(name, FrameScore(0.0, heat), (32, 48)).value == pytest.approx(worst(4.0))
        within = Zones([SQUARE], []).within(name, FrameScore(0.0, heat), (32, 48))
        assert within.value == pytest.approx(worst(1.0), abs=0.6)
        assert within.heat is not None
        assert within.heat[:8].max() == 0
    mask = np.zeros((32, 48), bool)
    mask[10:22, 20:32] = True
    assert inside("flow_speed", heat, mask) == inside("frame_difference", heat, mask) == 1.0
    assert Zones([SQUARE], []).within("prp", FrameScore(2.0), (32, 48)) == FrameScore(2.0)


def test_a_baseline_looks_at_two_frames_as_its_table_does() -> None:
    first, second = (cv2.GaussianBlur(noise(seed)[..., 0], (9, 9), 0) for seed in (1, 2))
    for name, table in (("flow_speed", flow_speed), ("frame_difference", frame_difference)):
        stream = BaselineStream(name)
        assert stream(first) == {}
        look = stream(second)[name]
        assert look.value == pytest.approx(table(iter([first, second]))[1], rel=1e-5)
        assert look.heat is not None
        assert look.heat.shape == (32, 48)


def test_a_region_is_a_box_round_the_hottest_part_in_pixels_of_the_source() -> None:
    heat = np.full((96, 144), 0.01)
    heat[20:44, 60:90] = 5.0
    heat[70:80, 10:20] = 2.0
    found = region_of(heat, (192, 432))
    assert found is not None
    x, y, width, height = found
    np.testing.assert_allclose([x, y, x + width, y + height], [180, 40, 270, 88], atol=18)
    assert region_of(np.zeros((8, 8)), (16, 16)) is None
    assert region_of(None, (16, 16)) is None
    corner = np.zeros((8, 8))
    corner[:2, :2] = 1
    box = region_of(corner, (20, 30), window=1)
    assert box == (0, 0, 8, 5)


def test_blur_takes_the_detail_of_what_moves_and_leaves_the_rest() -> None:
    blur, background, figure = Blur(), noise(0, 64, 96), noise(1, 24, 16)
    for index in range(WARM):
        assert len(np.unique(blur(background).reshape(-1, 3), axis=0)) <= 8 * 12, index
    np.testing.assert_array_equal(blur(background), background)
    frame = background.copy()
    frame[20:44, 40:56] = figure
    blurred = blur(frame)
    assert len(np.unique(blurred[20:44, 40:56].reshape(-1, 3), axis=0)) <= 4 * 3
    np.testing.assert_array_equal(blurred[:, :24], background[:, :24])
    for _ in range(10):  # who stops stays coarse for a while
        blurred = blur(frame)
    assert len(np.unique(blurred[20:44, 40:56].reshape(-1, 3), axis=0)) <= 4 * 3


def test_levels_are_held_against_the_threshold() -> None:
    assert [level(score, THRESHOLD) for score in (1.0, 3.0, 5.0, float("nan"))] == [0, 1, 2, 0]
    strip = timeline(deque([0.0, 0.5, 2.0]), 6)
    assert strip.shape == (STRIP, 6, 3)
    assert (strip[-1, :3] == 24).all()
    assert [tuple(strip[-1, column]) for column in (3, 4, 5)] == [GREEN, GREEN, RED]
    assert [tuple(strip[STRIP // 2, column]) for column in (3, 4, 5)] == [(24,) * 3, (24,) * 3, RED]
    assert (strip[STRIP // 3] == WHITE).all()


def test_heat_is_drawn_where_it_exceeds_what_is_usual() -> None:
    frame = np.full((32, 48, 3), 100, np.uint8)
    heat = np.ones((16, 24))
    heat[8:, 12:] = 3.0
    picture = drawn(frame, heat, 1.0, None, deque([0.0]), "")
    assert picture.shape == (32 + STRIP, 48, 3)
    assert (picture[:12, :20] == 100).all()
    np.testing.assert_allclose(picture[28, 40], 0.4 * 100 + 0.6 * np.array(RED), atol=1)
    assert (drawn(frame, None, None, (4, 20, 8, 8), deque([0.0]), "")[20, 4:12] == RED).all()


def filmed(path: Path, size: tuple[int, int], blur: bool = False) -> None:
    with Film(path, THRESHOLD, blur) as film:
        for index in range(6):
            box: Box | None = (4, 4, 8, 8) if index == 3 else None
            seconds = index / 10 if index < 5 else 2.0
            film.add(Shot(noise(index, *size)[..., 0], index, seconds, "now"), 1.0, np.ones((8, 8)), box)


def test_a_film_keeps_the_times_and_adds_the_timeline(tmp_path: Path) -> None:
    filmed(tmp_path / "out.mp4", (33, 49))
    with av.open(str(tmp_path / "out.mp4")) as container:
        frames = list(container.decode(video=0))
    np.testing.assert_allclose([frame.time for frame in frames], [0, 0.1, 0.2, 0.3, 0.4, 2.0], atol=2e-3)
    assert {(frame.height, frame.width) for frame in frames} == {(32 + STRIP, 48)}
    assert list(tmp_path.iterdir()) == [tmp_path / "out.mp4"]


def add_noise(film: Film, count: int) -> None:
    for index in range(count):
        film.add(Shot(noise(index), index, index / 10, ""), 1.0, None, None)


def frames_of(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def broken(film: Film, count: int) -> None:
    with film:
        add_noise(film, count)
        raise ZeroDivisionError


def test_a_film_that_breaks_off_is_as_long_as_it_came_and_without_a_frame_there_is_none(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    with pytest.raises(ZeroDivisionError):
        broken(Film(path, THRESHOLD, blur=True), 7)
    with pytest.raises(ZeroDivisionError):
        broken(Film(path, THRESHOLD), 0)  # what lies there stays
    assert frames_of(path) == 7
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(PagenError, match=r"expected a film's name to end in \.mp4"):
        Film(tmp_path / "out.txt", THRESHOLD)


def test_films_of_a_camera_are_kept_and_one_of_a_recording_is_made_again(tmp_path: Path) -> None:
    for goes_on, number in ((True, 3), (True, 4), (False, 5), (True, 6)):
        with Film(tmp_path / "out.mkv", THRESHOLD, goes_on=goes_on) as film:
            add_noise(film, number)
    assert {path.name: frames_of(path) for path in tmp_path.iterdir()} == {"out.mkv": 5, "out-2.mkv": 4, "out-3.mkv": 6}


KILLED = """
import os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_film import THRESHOLD, Film, add_noise
with Film(Path(sys.argv[1]), THRESHOLD) as film:
    add_noise(film, 60)
    os.kill(os.getpid(), 9)
"""


@pytest.mark.slow
@pytest.mark.parametrize("suffix", CONTAINERS)
def test_a_kill_takes_the_last_seconds_of_a_film_alone_and_the_same_command_makes_it_whole(
    suffix: str, tmp_path: Path
) -> None:
    path = tmp_path / f"out{suffix}"
    command = [sys.executable, "-P", "-c", KILLED, path, Path(__file__).parent]
    assert subprocess.run(command, check=False).returncode == -9
    assert 45 <= frames_of(path) <= 60
    for name in (path.name, f"undisturbed{suffix}"):
        with Film(tmp_path / name, THRESHOLD) as film:
            add_noise(film, 60)
    assert path.read_bytes() == (tmp_path / f"undisturbed{suffix}").read_bytes()
    assert len(list(tmp_path.iterdir())) == 2
