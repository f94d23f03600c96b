"""Who is usually in the street, and where at any time.

A path is a function of time, so that any frame can be drawn without those before it. Everybody in a lane has one speed
and direction, so nobody walks through anybody. Two pairs of lanes, other ones in each clip, stay free for events.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

from pagen.footage.street.figures import Body, Gait, Limb, Motion, carrier, person, smooth
from pagen.footage.street.preset import Preset

Rng = np.random.Generator
NEVER = math.inf
MARGIN = 14.0
"""Pixels outside the picture at which somebody comes or goes."""
_RAMP = 0.5  # seconds to stop or to start walking


@dataclass(frozen=True)
class Path:
    """A straight way at one speed, with stops.

    Attributes:
        start: along, across at the time `since`, metres.
        heading: 0 goes along the street, pi / 2 across it, away from the camera.
        speed: metres a second.
        since: seconds.
        stops: (from, to) in seconds.

    Example:
        >>> path = Path(start=(0.0, 12.0), speed=1.5, stops=((2.0, 4.0),))
        >>> path.at(1.0), path.effort(3.0)
        ((1.5, 12.0), 0.0)
    """

    start: tuple[float, float]
    heading: float = 0.0
    speed: float = 0.0
    since: float = 0.0
    stops: tuple[tuple[float, float], ...] = ()

    def gone(self, time: float) -> float:
        """Metres since `since` (negative before it)."""
        return self.speed * (self._walked(time) - self._walked(self.since))

    def at(self, time: float) -> tuple[float, float]:
        """Along and across, metres."""
        gone = self.gone(time)
        return self.start[0] + gone * math.cos(self.heading), self.start[1] + gone * math.sin(self.heading)

    def effort(self, time: float) -> float:
        """Share of the speed, 0..1."""
        return 1.0 - sum(smooth((time - a) / _RAMP) - smooth((time - b) / _RAMP) for a, b in self.stops)

    def _walked(self, time: float) -> float:
        return time - _RAMP * sum(_area((time - a) / _RAMP) - _area((time - b) / _RAMP) for a, b in self.stops)


def _area(u: float) -> float:
    """The integral of `smooth` up to u."""
    if u <= 0:
        return 0.0
    return u**3 - u**4 / 2 if u < 1 else u - 0.5


class Figure(NamedTuple):
    """An actor at one time: limbs in the body's frame, where it stands and looks, whether it is an anomaly.

    Example:
        >>> Figure([], place=(0.0, 12.0), heading=0.0, anomalous=False).place
        (0.0, 12.0)
    """

    limbs: list[Limb]
    place: tuple[float, float]
    heading: float
    anomalous: bool


@dataclass(frozen=True)
class Actor:
    """Something in the street: a path, and what it looks like on it.

    Attributes:
        alarm, calm: from when to when it is an anomaly, seconds.
        comes, goes: from when to when it is there at all, seconds.

    Example:
        >>> Actor(Path((0.0, 12.0)), lambda motion: [], alarm=1.0).figure(2.0).anomalous
        True
    """

    path: Path
    look: Callable[[Motion], list[Limb]]
    alarm: float = NEVER
    calm: float = NEVER
    comes: float = -NEVER
    goes: float = NEVER

    def figure(self, time: float) -> Figure:
        """What there is to draw at that time."""
        near = -1 if math.cos(self.path.heading) > 0 else 1
        motion = Motion(time, self.path.gone(time), self.path.effort(time), near)
        limbs = self.look(motion) if self.comes <= time < self.goes else []
        return Figure(limbs, self.path.at(time), self.path.heading, self.alarm <= time < self.calm)


def crowd(preset: Preset, rng: Rng, duration: float) -> tuple[list[Actor], tuple[int, int]]:
    """The usual walkers of a clip, and the lower lane of each free pair, in any order.

    Example:
        >>> from pagen.footage.street.preset import PRESETS
        >>> actors, lanes = crowd(PRESETS["street"], np.random.default_rng(0), duration=12.0)
        >>> len(actors) > 5, len(lanes)
        (True, 2)
    """
    near, far = int(rng.integers(1, 4)), int(rng.integers(preset.lanes - 5, preset.lanes - 2))
    free = {near, near + 1, far, far + 1}
    busy = rng.uniform(*preset.gaps)
    actors: list[Actor] = []
    lane = 0
    while lane < preset.lanes:
        double = lane + 1 < preset.lanes and not free & {lane, lane + 1}
        draw = rng.random()
        couples = double and draw < preset.standing + 0.22
        if couples and draw < preset.standing:
            actors += _standing(preset, rng, lane)
        elif couples:
            actors += _walkers(preset, rng, duration, busy * 1.4, (lane, lane + 1))
        elif lane not in free and draw > 0.88:
            actors += [_stopper(preset, rng, duration, lane)]
        elif lane not in free:
            actors += _walkers(preset, rng, duration, busy, (lane,))
        lane += 2 if couples else 1
    return actors, (near, far) if rng.random() < 0.5 else (far, near)


def somebody(rng: Rng, luggage: str | None = None) -> Body:
    """A person of any size, in any clothes.

    Example:
        >>> 1.1 < somebody(np.random.default_rng(0)).height < 2.0
        True
    """
    child = luggage is None and rng.random() < 0.12
    height = float(rng.uniform(1.15, 1.4) if child else np.clip(rng.normal(1.72, 0.09), 1.5, 1.95))
    shirt, trousers = float(rng.choice([32, 52, 78, 158, 186, 212])), float(rng.choice([28, 40, 56, 74, 160]))
    shirt, trousers = shirt + rng.uniform(-8, 8), trousers + rng.uniform(-6, 6)
    kind = luggage or str(rng.choice(["none", "none", "none", "back", "hand"] if not child else ["none"]))
    girth, skin, hair = height * rng.uniform(0.92, 1.2), rng.uniform(120, 185), float(rng.choice([24, 36, 60, 130]))
    coat, luggage_grey = rng.random() < 0.25, float(rng.choice([30, 48, 190]))
    return Body(height, girth, shirt, trousers, skin, hair, coat, kind, luggage_grey)


def walk(rng: Rng, body: Body, speed: float) -> Gait:
    """The gait of that person at that speed (m/s): longer strides for the tall and the quick.

    Example:
        >>> body = somebody(np.random.default_rng(0))
        >>> rng = np.random.default_rng(1)
        >>> walk(rng, body, 2.0).stride > walk(rng, body, 1.0).stride
        True
    """
    stride, lift = body.height * (0.44 + 0.26 * speed), 0.06 * body.height
    return Gait(stride, lift=lift, arm=rng.uniform(0.3, 0.65), elbow=rng.uniform(0.15, 0.5), offset=rng.random())


def _figure(body: Body, gait: Gait) -> Callable[[Motion], list[Limb]]:
    return partial(carrier if body.luggage == "hand" else person, body, gait)


def _walkers(preset: Preset, rng: Rng, duration: float, busy: float, lanes: tuple[int, ...]) -> Iterator[Actor]:
    """Everybody who comes along these lanes, side by side where there are two lanes."""
    forward = rng.random() < 0.5
    speed = float(np.clip(rng.normal(1.42, 0.28), 0.8, 1.95))
    crossing = (preset.at(preset.width + MARGIN, lanes[-1])[0] - preset.at(-MARGIN, lanes[-1])[0]) / speed
    time = -crossing + rng.uniform(0, 6)
    while time < duration:
        for lane in lanes:
            body = somebody(rng)
            path = follow(preset, lane, forward, speed, time + rng.uniform(0, 0.4))
            yield Actor(path, _figure(body, walk(rng, body, speed)))
        time += busy * rng.uniform(5, 13)


def _stopper(preset: Preset, rng: Rng, duration: float, lane: int) -> Actor:
    """Somebody who stops for a while on the way."""
    body, speed = somebody(rng), rng.uniform(1.0, 1.6)
    middle = rng.uniform(0.1, 0.9) * duration
    stop = (middle, middle + rng.uniform(1.5, 4))
    path = stopping(preset, rng, lane, speed, stop, columns=(0.2, 0.8))
    return Actor(path, _figure(body, walk(rng, body, speed)))


def stopping(
    preset: Preset, rng: Rng, lane: float, speed: float, stop: tuple[float, float], columns: tuple[float, float]
) -> Path:
    """Along a lane, with a stop (from, to) in seconds between two columns, as shares of the picture's width.

    Example:
        >>> from pagen.footage.street.preset import PRESETS
        >>> rng = np.random.default_rng(0)
        >>> stopping(PRESETS["street"], rng, lane=3, speed=1.4, stop=(2.0, 4.0), columns=(0.2, 0.8)).effort(3.0)
        0.0
    """
    place = preset.at(rng.uniform(*columns) * preset.width, lane)
    return Path(place, 0.0 if rng.random() < 0.5 else math.pi, speed, stop[0], (stop,))


def _standing(preset: Preset, rng: Rng, lane: int) -> Iterator[Actor]:
    """Two or three people who stand and talk."""
    centre, across = preset.at(rng.uniform(0.12, 0.88) * preset.width, lane + 0.5)
    count, turn = int(rng.integers(2, 4)), rng.uniform(0, math.pi)
    for i in range(count):
        angle = turn + 2 * math.pi * i / count
        place = (centre + 0.5 * math.cos(angle), across + 0.42 * math.sin(angle))
        body = somebody(rng)
        talk = partial(_talking, body, Gait(1.3, elbow=0.5, offset=0.3), rng.uniform(0.2, 0.6), rng.random())
        yield Actor(Path(place, angle + math.pi), talk)


def _talking(body: Body, gait: Gait, rate: float, offset: float, motion: Motion) -> list[Limb]:
    turn = 2 * math.pi * (rate * motion.time + offset)
    return person(body, gait, motion, wave=max(0.0, 0.9 * math.sin(turn) + 0.25 * math.sin(3.1 * turn)))


def follow(preset: Preset, lane: float, forward: bool, speed: float, since: float) -> Path:
    """Along a lane; at the time `since` outside the picture and about to come in.

    Example:
        >>> from pagen.footage.street.preset import PRESETS
        >>> follow(PRESETS["street"], lane=3, forward=True, speed=1.4, since=0.0).heading
        0.0
    """
    place = preset.at(-MARGIN if forward else preset.width + MARGIN, lane)
    return Path(place, 0.0 if forward else math.pi, speed, since)
