from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pagen.footage.clips import FileClip
from pagen.footage.clock import (
    NEIGHBOURS,
    PAUSE,
    Tick,
    breaks_of,
    parts_of,
    rate_of,
    schedule,
    ticks_of,
    timed,
    usual_step,
)
from pagen.footage.frame_files import numbering
from pagen.footage.frame_names import stamps_of
from pagen.footage.live_clock import DRIFT, LiveClock


def shown(times: list[float]) -> list[int]:
    return schedule([Tick(time) for time in times])


STEP = 0.04


@given(st.lists(st.integers(1, 60), min_size=2, max_size=40))
@settings(max_examples=60, deadline=None)
def test_the_schedule_keeps_the_number_of_frames_and_shows_what_a_player_shows(steps: list[int]) -> None:
    times = (np.cumsum([0, *steps]) / 1000).tolist()
    repeats = shown(times)
    assert sum(repeats) == len(times)
    if max(repeats) > 1 or min(repeats) == 0:
        for place, index in enumerate(np.repeat(np.arange(len(times)), repeats)):
            time = times[-1] * place / (len(times) - 1)
            latest = max(number for number, start in enumerate(times) if start <= time + 1e-3 * times[-1] / len(steps))
            assert index == latest


def test_regular_times_keep_every_frame() -> None:
    rounded = [round(index / 29.97, 3) for index in range(300)]
    assert shown(rounded) == [1] * 300
    assert shown([0.0]) == [1]


def test_a_gap_is_filled_with_the_frame_before_it() -> None:
    assert shown([0.0, 0.1, 0.5]) == [1, 1, 1]
    assert shown([0.0, 0.1, 0.2, 0.8]) == [1, 0, 2, 1]


def test_frames_within_a_step_of_their_places_are_all_shown_once() -> None:
    early = [*(index / 25 for index in range(49)), 48 / 25 + 1 / 600]  # as FFmpeg stamps the end of a copied AVI
    pairs = [index // 2 / 25 for index in range(60)]
    assert (shown(early), shown(pairs), shown([3.0] * 9)) == ([1] * 50, [1] * 60, [1] * 9)
    assert (
        shown([0.0, 0.0, *(index / 25 for index in range(1, 30)), *(1.2 + index / 5 for index in range(30))])
        != [1] * 61
    )


def run(start: float, count: int, step: float = 0.04) -> list[float | None]:
    return [start + index * step for index in range(count)]


def seconds(ticks: list[Tick]) -> list[float]:
    return [round(tick.seconds, 6) for tick in ticks]


REGULAR = [round(index * 0.04, 6) for index in range(60)]


@pytest.mark.parametrize("start", [-3.0, 0.04, 0.54, 20.0, 95_443.7])
def test_a_late_start_is_no_time(start: float) -> None:
    assert seconds(ticks_of(run(start, 60), STEP)) == pytest.approx(REGULAR)


def test_without_stamps_the_usual_step_counts() -> None:
    assert seconds(ticks_of([None] * 60, STEP)) == pytest.approx(REGULAR)
    some = [stamp if index % 12 == 0 else None for index, stamp in enumerate(run(5.0, 60))]
    assert seconds(ticks_of(some, STEP)) == pytest.approx(REGULAR)


@pytest.mark.parametrize("lag", [1, 2, 3, 7, NEIGHBOURS])
def test_stamps_that_go_to_and_fro_are_those_of_neighbours(lag: int) -> None:
    """As AVI has them, where the first of a group is shown last."""
    stamps = [index for first in range(0, 64, lag + 1) for index in (*range(first + 1, first + lag + 1), first)]
    ticks = ticks_of([stamp * 0.04 for stamp in stamps], STEP)
    assert breaks_of(ticks) == {}
    assert np.diff(seconds(ticks))[: 63 - lag] == pytest.approx(0.04, abs=1e-6)


def test_a_restart_is_a_break_and_time_goes_on() -> None:
    ticks = ticks_of(run(0.5, 100) + run(0.5, 100), STEP)
    assert breaks_of(ticks) == {100: "its clock goes back by 4.0 s"}
    assert seconds(ticks) == pytest.approx(np.arange(200) * 0.04, abs=1e-6)


def test_a_pause_is_a_break_and_time() -> None:
    ticks = ticks_of(run(0, 50) + run(602, 50), STEP)
    assert breaks_of(ticks) == {50: "nothing for 600.0 s"}
    assert (seconds(ticks)[49:51], schedule(ticks)) == ([1.96, 602.0], [1] * 100)


def test_a_clock_that_stands_still_is_none() -> None:
    assert np.diff(seconds(ticks_of([7.0] * 100, STEP)))[NEIGHBOURS:] == pytest.approx(0.04, abs=1e-6)


def test_the_rate_is_that_of_the_stamps_and_else_of_the_header() -> None:
    assert rate_of(run(3, 40, 0.2), 25.0) == pytest.approx(5)
    assert rate_of(run(0, 40), 50.0) == pytest.approx(25)
    assert rate_of([round(index / 29.97, 3) for index in range(300)], 29.97) == 29.97
    assert rate_of([round(index / 29.97, 3) for index in range(300)]) == pytest.approx(29.97, rel=1e-3)
    assert rate_of([*run(0, 40), *run(600, 40)], 0.13) == pytest.approx(25)
    assert rate_of([None] * 40, 12.0) == 12.0
    assert rate_of([]) == rate_of([4.0] * 9) == 25.0
    assert usual_step([0.0, None, None, 3.0]) is None


STAMPS = st.one_of(st.none(), st.floats(-1e5, 1e5), st.integers(-50, 500).map(lambda tick: tick / 25))
SEGMENTS = st.lists(st.tuples(st.floats(-1e5, 1e5), st.integers(1, 40), st.sampled_from([0.0, 0.02, 0.04, 0.2])))


@given(st.lists(STAMPS) | SEGMENTS.map(lambda parts: [stamp for part in parts for stamp in run(*part)]))
@settings(max_examples=300, deadline=None)
def test_whatever_the_stamps_every_frame_comes_once_in_order_at_a_time_that_never_falls(
    stamps: list[float | None],
) -> None:
    step = 1 / rate_of(stamps)
    found = list(timed(((stamp, index) for index, stamp in enumerate(stamps)), step))
    assert [index for _, index in found] == list(range(len(stamps)))
    ticks = [tick for tick, _ in found]
    assert all(after.seconds >= before.seconds for before, after in pairwise(ticks))
    assert all(tick.seconds == 0 and not tick.broken for tick in ticks[:1])
    assert all(
        after.broken
        for before, after in pairwise(ticks)
        if after.seconds - before.seconds > max(PAUSE, 10 * step) + 1e-3
    )
    repeats, edges = schedule(ticks), [0, *breaks_of(ticks), len(ticks)]
    assert all(sum(repeats[start:end]) == end - start for start, end in pairwise(edges))


@pytest.mark.parametrize("burst", [1, 3, 25, 60, 100])
@pytest.mark.parametrize("late", [0.0, 0.01])
def test_a_live_source_without_stamps_has_the_pace_of_its_bursts(burst: int, late: float) -> None:
    clock, rng = LiveClock(step=1 / 15), np.random.default_rng(0)
    arrivals = [(index // burst * burst) / 25 + rng.uniform(0, late) for index in range(1000)]
    ticks, paces = [], []
    for arrived in np.maximum.accumulate(arrivals).tolist():
        ticks.append(clock(None, arrived))
        paces.append(1 / clock.step)
    assert not any(tick.broken for tick in ticks)
    assert max(paces[200:]) < 1.1 * 25
    assert min(paces[200:]) > 25 / 1.25  # too slow a pace passes nothing over
    assert ticks[-1].seconds == pytest.approx(40, abs=2 + burst / 25)


@pytest.mark.parametrize("kept", [2, 20, 200])
@pytest.mark.parametrize("late", [0.0, 0.008])
def test_what_a_server_had_kept_is_no_pace(kept: int, late: float) -> None:
    clock, rng = LiveClock(step=1 / 5), np.random.default_rng(0)
    burst = np.cumsum(rng.uniform(0, late, kept)).tolist()
    for arrived in burst + [burst[-1] + index / 5 for index in range(1, 600)]:
        clock(None, arrived)
        assert clock.step == pytest.approx(1 / 5)


@given(st.lists(st.tuples(STAMPS, st.floats(0, 20)), max_size=60))
@settings(max_examples=200, deadline=None)
def test_live_time_never_falls_and_keeps_near_arrival(frames: list[tuple[float | None, float]]) -> None:
    clock, arrived, before, late = LiveClock(step=0.04), 0.0, 0.0, 0.0
    for stamp, waited in frames:
        arrived += waited
        tick = clock(stamp, arrived)
        assert tick.seconds >= before
        late = arrived - tick.seconds if tick.broken else late
        assert abs(arrived - tick.seconds - late) <= DRIFT + 1e-6
        assert not tick.broken or late <= 1e-6  # time that was ahead stays so
        before = tick.seconds


@pytest.mark.parametrize("jump", [-9e4, -30.0, 30.0, 9e4])
@pytest.mark.parametrize("after", [1, 2, 3, 60])
def test_a_live_source_whose_stamps_jump_is_broken_once(jump: float, after: int) -> None:
    clock = LiveClock(step=0.2)
    ticks = [clock(1e5 + index / 5 + jump * (index >= after), index / 5) for index in range(200)]
    assert sum(bool(tick.broken) for tick in ticks) <= 2
    assert ticks[-1].seconds == pytest.approx(199 / 5, abs=DRIFT)


@pytest.mark.parametrize("pace", [0.9, 1.001, 1.1])
def test_a_live_source_whose_clock_goes_wrong_is_broken_as_often_as_it_is_off(pace: float) -> None:
    clock = LiveClock(step=1.0)
    ticks = [clock(pace * index, float(index)) for index in range(100_000)]
    off = abs(pace - 1) * len(ticks) / DRIFT
    assert 1 <= sum(bool(tick.broken) for tick in ticks) <= off + 1


@pytest.mark.parametrize("unit", [1, 10**3, 10**6, 10**9])
def test_names_that_are_times_are_no_gaps(unit: int) -> None:
    names = [Path(f"{int((1_690_000_000 + index * (1 if unit == 1 else 0.04)) * unit)}.jpg") for index in range(30)]
    clip = FileClip("train_a", "train", Path("a"), False, tuple(names), None, None, rate=15.0)
    assert list(numbering(clip, None)) == []
    assert clip.fps == pytest.approx(1 if unit == 1 else 25, rel=1e-3)
    paused = replace(clip, files=(*names, *(Path(f"{int(name.stem) + 600 * unit}.jpg") for name in names)))
    assert list(paused.breaks()) == [30]


def test_numbers_that_count_frames_are_no_times() -> None:
    for numbers in (range(40), range(0, 400, 10), [0, 6, 10, 15, 20], [1, 2, 4, 7], [0, 40, 120, 160]):
        assert stamps_of([Path(f"{number}.jpg") for number in numbers]) is None
    assert stamps_of([Path(f"{1000 * index // 30}.jpg") for index in range(40)]) is not None


def test_a_number_far_off_takes_no_memory() -> None:
    files = tuple(Path(f"{number:012}.jpg") for number in (1, 2, 10**11))
    (problem,) = numbering(FileClip("train_a", "train", Path("a"), False, files, None, None), None)
    assert "found 3 up to 100000000000" in problem


def test_a_frame_that_comes_late_after_damage_is_no_clock_that_goes_back() -> None:
    order = [*range(100), 128, 129, 102, *range(130, 200)]
    ticks = ticks_of([STEP * index for index in order], STEP)
    assert breaks_of(ticks) == {}
    np.testing.assert_allclose([tick.seconds for tick in ticks], STEP * np.sort(order))
    assert parts_of([*(STEP * index for index in order), 0.0, STEP], STEP)[1:] == [[0.0, STEP]]
