"""What happens in the test clips.

Every event has an interval of its own: somebody comes into sight and leaves it, falls and is up again, a bag is put
down and taken away, smoke wells up and is blown away. Runners, cyclists and carts keep to the far pair of free lanes,
where they cover no more pixels a frame than a near walker does.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from pagen.footage.street.actors import MARGIN, NEVER, Actor, Path, Rng, somebody, stopping, walk
from pagen.footage.street.figures import Body, Gait, Limb, Motion, bag, carrier, cart, cyclist, fallen, person, smooth
from pagen.footage.street.preset import Preset

KINDS = ("cyclist", "cart", "runner", "wrong_way", "fall", "abandoned", "smoke")
_SPEEDS = {"runner": (2.2, 2.9), "cyclist": (2.4, 3.3), "cart": (2.0, 2.7), "wrong_way": (1.1, 1.6)}
_INSIDE = (0.25, 0.75)  # columns well inside the picture, shares of its width
Place = tuple[float, float]


class Event(NamedTuple):
    """What happens in a test clip: its kind, and at which frames [start, end); either may lie outside of the clip.

    Somebody who passes through the picture takes the time that takes, round the middle of the interval.

    Example:
        >>> Event("fall", start=20, end=70).kind in KINDS
        True
    """

    kind: str
    start: int
    end: int


def event(preset: Preset, rng: Rng, what: Event, lanes: tuple[int, int]) -> list[Actor]:
    """The actors of an event; `lanes` are the free ones, its own first.

    Example:
        >>> import numpy as np
        >>> from pagen.footage.street.preset import PRESETS
        >>> (actor,) = event(PRESETS["street"], np.random.default_rng(0), Event("cart", 20, 70), lanes=(2, 9))
        >>> actor.alarm
        0.0
    """
    kind, start, end = what.kind, what.start / preset.fps, what.end / preset.fps
    if kind in ("cyclist", "cart", "runner"):
        return [_passing(preset, rng, kind, start, end, max(lanes))]
    if kind == "wrong_way":
        return [_wrong_way(preset, rng, start, end)]
    if kind == "fall":
        return [_fall(preset, rng, start, end, lanes[0])]
    if kind == "abandoned":
        return _abandoned(preset, rng, start, end, lanes[0])
    return [_smoke(preset, rng, start, end, lanes[0])]


def _through(rng: Rng, kind: str, ends: tuple[Place, Place], start: float, end: float) -> tuple[Path, float]:
    """From one end to the other or back, half of the way at half of the time; the path, and when it ends."""
    here, there = ends if rng.random() < 0.5 else ends[::-1]
    speed = rng.uniform(*_SPEEDS[kind])
    lasting = math.dist(here, there) / speed
    since, heading = (start + end - lasting) / 2, math.atan2(there[1] - here[1], there[0] - here[0])
    return Path(here, heading, speed, since), since + lasting


def _sides(preset: Preset, lane: float) -> tuple[Place, Place]:
    """Where a lane comes into the picture and leaves it."""
    return preset.at(-MARGIN, lane), preset.at(preset.width + MARGIN, lane)


def _passing(preset: Preset, rng: Rng, kind: str, start: float, end: float, lane: int) -> Actor:
    body = replace(somebody(rng, "none"), coat=False)
    path, _ = _through(rng, kind, _sides(preset, lane + 0.5), start, end)
    if kind == "runner":
        gait = Gait(path.speed / 1.35, 0.38, 0.22, arm=0.85, elbow=1.5, lean=0.3, bob=-0.02, offset=rng.random())
        look: Callable[[Motion], list[Limb]] = partial(person, body, gait)
    elif kind == "cyclist":
        look = partial(cyclist, body, float(rng.choice([40, 90, 200])))
    else:
        look = partial(cart, body, float(rng.choice([95, 180, 210])))
    return Actor(path, look, alarm=0.0)


def _wrong_way(preset: Preset, rng: Rng, start: float, end: float) -> Actor:
    """Aslant through the usual flow, or along over the lawn where nobody goes."""
    body = somebody(rng, "none")
    ends = _sides(preset, -2.0) if rng.random() < 0.35 else _aslant(preset, rng)
    path, gone = _through(rng, "wrong_way", ends, start, end)
    look = partial(person, body, walk(rng, body, path.speed))
    return Actor(path, look, alarm=0.0, comes=path.since, goes=gone)


def _aslant(preset: Preset, rng: Rng) -> tuple[Place, Place]:
    """A place below the picture, and one beyond that side of it towards which one crosses the flow more steeply."""
    left, (near, far) = preset.yaw > 0, preset.walkway
    below, beyond = near - 4, near + rng.uniform(0.45, 0.85) * (far - near)
    column = rng.uniform(0.5, 0.95) * preset.width
    side = preset.along_at(-MARGIN if left else preset.width + MARGIN, beyond)
    return (preset.along_at(column if left else preset.width - column, below), below), (side, beyond)


def _fall(preset: Preset, rng: Rng, start: float, end: float, lane: int) -> Actor:
    """Somebody who walks, falls, lies, gets up and goes on."""
    body, speed = replace(somebody(rng, "none"), coat=False), rng.uniform(1.1, 1.5)
    up = max(end - 1.3, start + 0.8)
    path = stopping(preset, rng, lane + 0.5, speed, (start, up + 1.6), _INSIDE)
    look = partial(_falling, body, walk(rng, body, speed), start, up)
    return Actor(path, look, alarm=start + 0.25, calm=up + 1.3)


def _falling(body: Body, gait: Gait, down: float, up: float, motion: Motion) -> list[Limb]:
    lying = smooth((motion.time - down) / 0.8) - smooth((motion.time - up) / 1.5)
    stir = 0.5 * lying * math.sin(1.7 * (motion.time - down))
    limbs = person(body, gait, motion, wave=1.2 * lying + stir)
    return fallen(limbs, 1.5 * lying * lying, body.height) if lying > 0 else limbs


def _abandoned(preset: Preset, rng: Rng, start: float, end: float, lane: int) -> list[Actor]:
    """Somebody stops, puts a bag down and goes away, and somebody else comes, stops and takes it.

    In between the bag is the anomaly. Both go the same way at the same speed, so that they never meet.
    """
    owner, finder, speed = somebody(rng, "hand"), somebody(rng, "none"), rng.uniform(1.1, 1.5)
    path = stopping(preset, rng, lane + 0.5, speed, (start - 1.5, start), _INSIDE)
    here = path.at(start)
    lies = Path((here[0], here[1] - 0.25), path.heading)
    later = replace(path, since=end - 0.5, stops=((end - 0.5, end + 1.0),))
    finder = replace(finder, luggage="hand", luggage_grey=owner.luggage_grey)
    drop = start - 0.5
    return [
        Actor(path, partial(_bearing, owner, walk(rng, owner, speed), -NEVER, drop)),
        Actor(later, partial(_bearing, finder, walk(rng, finder, speed), end, NEVER)),
        Actor(lies, partial(_lying, owner.luggage_grey, drop, end), alarm=start, comes=drop, goes=end),
    ]


def _bearing(body: Body, gait: Gait, since: float, until: float, motion: Motion) -> list[Limb]:
    """Somebody with a bag in hand at that time, without it before and after."""
    bears = since <= motion.time < until
    return carrier(body, gait, motion) if bears else person(replace(body, luggage="none"), gait, motion)


def _lying(grey: float, drop: float, grab: float, motion: Motion) -> list[Limb]:
    """A bag that is let down at first and lifted at last."""
    low = smooth((motion.time - drop) / 0.4) * smooth((grab - motion.time) / 0.4)
    return bag(grey, (0.0, 0.0, 0.25 * (1 - low)))


def _smoke(preset: Preset, rng: Rng, start: float, end: float, lane: int) -> Actor:
    """Smoke that wells up from a spot on the walkway, drifts off and dies down."""
    place = preset.at(rng.uniform(0.2, 0.8) * preset.width, lane + 0.5)
    puffs, last = rng.random((30, 3)).tolist(), max(end - start - 3.0, 1.5)
    look = partial(_puffs, puffs, rng.uniform(-0.35, 0.35), float(rng.choice([55, 205])), start, last)
    return Actor(Path(place), look, alarm=start)


def _puffs(puffs: list[list[float]], wind: float, grey: float, start: float, last: float, motion: Motion) -> list[Limb]:
    limbs = []
    for k, (left, size, shade) in enumerate(puffs):
        age = motion.time - start - last * k / len(puffs)
        if 0 < age < 5:
            centre = (wind * age + 0.5 * (left - 0.5) * (0.4 + 0.3 * age), 0.0, 0.15 + 0.55 * age)
            width = (0.5 + 0.5 * size) * (0.7 + 0.5 * age)
            fade = smooth(age / 0.5) * (1 - smooth((age - 1.5) / 3.5))
            limbs.append(Limb((centre,), width, grey + 24 * (shade - 0.5), 0.5 * fade))
    return limbs
