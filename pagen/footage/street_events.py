"""What happens in the test clips: cyclist, cart, runner, wrong way, fall, abandoned bag, smoke.

Runners, cyclists and carts keep to the far pair of free lanes, where they cover no more pixels a frame
than a near walker does.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from pagen.footage.street_actors import NEVER, Actor, Path, Rng, follow, somebody, walk
from pagen.footage.street_figures import Body, Gait, Limb, Motion, bag, carrier, cart, cyclist, fallen, person, smooth
from pagen.footage.street_preset import Preset

KINDS = ("cyclist", "cart", "runner", "wrong_way", "fall", "abandoned", "smoke")


class Event(NamedTuple):
    """What happens in a test clip: its kind, and the frame at which it comes into sight or begins."""

    kind: str
    start: int


def event(preset: Preset, rng: Rng, kind: str, time: float, lanes: tuple[int, int]) -> list[Actor]:
    """The actors of an event that begins at `time` seconds; `lanes` are the free ones, its own first."""
    if kind in ("cyclist", "cart", "runner"):
        return [_passing(preset, rng, kind, time, max(lanes))]
    if kind == "wrong_way":
        return [_wrong_way(preset, rng, time)]
    if kind == "fall":
        return [_fall(preset, rng, time, lanes[0])]
    return _abandoned(preset, rng, time, lanes[0]) if kind == "abandoned" else [_smoke(preset, rng, time, lanes[0])]


def _passing(preset: Preset, rng: Rng, kind: str, time: float, lane: int) -> Actor:
    body, forward = replace(somebody(rng, "none"), coat=False), bool(rng.random() < 0.5)
    if kind == "runner":
        speed = float(rng.uniform(2.2, 2.9))
        gait = Gait(speed / 1.35, 0.38, 0.22, arm=0.85, elbow=1.5, lean=0.3, bob=-0.02, offset=float(rng.random()))
        look: Callable[[Motion], list[Limb]] = partial(person, body, gait)
    elif kind == "cyclist":
        speed, look = float(rng.uniform(2.4, 3.3)), partial(cyclist, body, float(rng.choice([40, 90, 200])))
    else:
        speed, look = float(rng.uniform(2.0, 2.7)), partial(cart, body, float(rng.choice([95, 180, 210])))
    path = follow(preset, lane + 0.5, forward, speed, time)
    return Actor(path, look, alarm=0.0)


def _wrong_way(preset: Preset, rng: Rng, time: float) -> Actor:
    """Across the usual flow from the lawn to the hedge, or along over the lawn where nobody goes."""
    body, speed = somebody(rng, "none"), float(rng.uniform(1.1, 1.6))
    look = partial(person, body, walk(rng, body, speed))
    forward = bool(rng.random() < 0.5)
    if rng.random() < 0.35:
        return Actor(follow(preset, -2.0, forward, speed, time), look, alarm=0.0)
    near = 9.0
    start = preset.along_at(float(rng.uniform(0.3, 0.7)) * preset.width, near)
    heading = math.pi / 2 + float(rng.uniform(-0.35, 0.35))
    arrival = time + (preset.hedge - 0.6 - near) / math.sin(heading) / speed
    return Actor(Path((start, near), heading, speed, time, ((arrival, NEVER),)), look, alarm=0.0)


def _fall(preset: Preset, rng: Rng, time: float, lane: int) -> Actor:
    """Somebody who walks, falls, lies, and mostly gets up again after some seconds."""
    body, speed = replace(somebody(rng, "none"), coat=False), float(rng.uniform(1.1, 1.5))
    up = time + float(rng.uniform(3.5, 6.0)) if rng.random() < 0.6 else NEVER
    across = preset.lane(lane + 0.5)
    start = (preset.along_at(float(rng.uniform(0.3, 0.7)) * preset.width, across), across)
    path = Path(start, 0.0 if rng.random() < 0.5 else math.pi, speed, time, ((time, up + 1.6),))
    look = partial(_falling, body, walk(rng, body, speed), time, up)
    return Actor(path, look, alarm=time + 0.25, calm=up + 1.3)


def _falling(body: Body, gait: Gait, down: float, up: float, motion: Motion) -> list[Limb]:
    lying = smooth((motion.time - down) / 0.8) - smooth((motion.time - up) / 1.5)
    stir = 0.5 * lying * math.sin(1.7 * (motion.time - down))
    limbs = person(body, gait, motion, wave=1.2 * lying + stir)
    return fallen(limbs, 1.5 * lying * lying, body.height) if lying > 0 else limbs


def _abandoned(preset: Preset, rng: Rng, time: float, lane: int) -> list[Actor]:
    """Somebody stops, puts a bag down and goes away; the bag is the anomaly from then on."""
    body, speed = somebody(rng, "hand"), float(rng.uniform(1.1, 1.5))
    across = preset.lane(lane + 0.5)
    start = (preset.along_at(float(rng.uniform(0.25, 0.75)) * preset.width, across), across)
    path = Path(start, 0.0 if rng.random() < 0.5 else math.pi, speed, time - 1.5, ((time - 1.5, time),))
    gait = walk(rng, body, speed)
    drop = time - 0.5
    here = path.at(drop)
    place = (here[0], here[1] - 0.25)
    lies = Path(place, path.heading)
    return [
        Actor(path, partial(_leaving, body, gait, drop)),
        Actor(lies, partial(_left, body.luggage_grey, drop), alarm=time),
    ]


def _leaving(body: Body, gait: Gait, drop: float, motion: Motion) -> list[Limb]:
    return carrier(body, gait, motion) if motion.time < drop else person(replace(body, luggage="none"), gait, motion)


def _left(grey: float, drop: float, motion: Motion) -> list[Limb]:
    lowered = 0.25 * (1 - smooth((motion.time - drop) / 0.4))
    return bag(grey, (0.0, 0.0, lowered)) if motion.time >= drop else []


def _smoke(preset: Preset, rng: Rng, time: float, lane: int) -> Actor:
    """Smoke that wells up from a spot on the walkway for some seconds and drifts off."""
    across = preset.lane(lane + 0.5)
    place = (preset.along_at(float(rng.uniform(0.2, 0.8)) * preset.width, across), across)
    puffs = rng.random((20, 3)).tolist()
    look = partial(_puffs, puffs, float(rng.uniform(-0.35, 0.35)), float(rng.choice([55, 205])), time)
    return Actor(Path(place), look, alarm=time)


def _puffs(puffs: list[list[float]], wind: float, grey: float, start: float, motion: Motion) -> list[Limb]:
    limbs = []
    for k, (left, size, shade) in enumerate(puffs):
        age = motion.time - start - 0.16 * k
        if 0 < age < 5:
            centre = (wind * age + 0.5 * (left - 0.5) * (0.4 + 0.3 * age), 0.0, 0.15 + 0.55 * age)
            width = (0.5 + 0.5 * size) * (0.7 + 0.5 * age)
            fade = smooth(age / 0.5) * (1 - smooth((age - 1.5) / 3.5))
            limbs.append(Limb((centre,), width, grey + 24 * (shade - 0.5), 0.5 * fade))
    return limbs
