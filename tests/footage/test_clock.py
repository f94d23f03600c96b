from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pagen.footage.clock import NEIGHBOURS, PAUSE, Tick, breaks_of, rate_of, schedule, ticks_of, timed, usual_step


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
