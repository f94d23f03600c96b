"""What the things in the street look like: limbs in the frame of a body that moves forward.

A figure is a list of limbs in drawing order, the side away from the camera first. A foot on the ground goes backwards
in the body's frame exactly as fast as the body goes forward, so feet do not slide.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

Vec: TypeAlias = tuple[float, float, float]


class Limb(NamedTuple):
    """A thick line (or, with width 0, a filled polygon) through points (forward, left, up) in metres.

    A limb with an opacity below 1 is a soft ball around its one point.

    Example:
        >>> Limb(((0.0, 0.0, 0.0), (0.0, 0.0, 1.0)), width=0.1, grey=60.0).opacity
        1.0
    """

    points: tuple[Vec, ...]
    width: float
    grey: float
    opacity: float = 1.0


class Motion(NamedTuple):
    """What a figure knows of its way.

    Attributes:
        time: seconds since the clip's first frame.
        distance: metres gone so far.
        effort: share of its usual speed, 0 when it stands.
        near: +1 if its left side is towards the camera, -1 if its right side is.

    Example:
        >>> Motion(time=1.0, distance=1.4, effort=1.0, near=1).distance
        1.4
    """

    time: float
    distance: float
    effort: float
    near: int


@dataclass(frozen=True)
class Body:
    """A person: metres and grey levels. `luggage` is "none", "back" or "hand"; `coat` reaches to the knees.

    Example:
        >>> Body(height=1.75, girth=1.8, shirt=80, trousers=40, skin=150, hair=30).luggage
        'none'
    """

    height: float
    girth: float
    shirt: float
    trousers: float
    skin: float
    hair: float
    coat: bool = False
    luggage: str = "none"
    luggage_grey: float = 60.0


@dataclass(frozen=True)
class Gait:
    """How somebody goes.

    Attributes:
        stride: metres for two steps.
        duty: share of the stride for which a foot is on the ground.
        lift: of a foot, metres.
        arm: swing of the upper arms, radians.
        elbow: bend of the elbows, radians.
        lean: of the trunk, radians.
        bob: rise of the hip over the foot on the ground, share of the height; runners sink instead.
        offset: where in the stride the clip finds it, 0..1.

    Example:
        >>> Gait(stride=1.4).duty
        0.6
    """

    stride: float
    duty: float = 0.6
    lift: float = 0.1
    arm: float = 0.5
    elbow: float = 0.3
    lean: float = 0.04
    bob: float = 0.02
    offset: float = 0.0


def smooth(u: float) -> float:
    """0 below 0, 1 above 1, a smooth step between.

    Example:
        >>> smooth(-1.0), smooth(0.5), smooth(2.0)
        (0.0, 0.5, 1.0)
    """
    u = min(max(u, 0.0), 1.0)
    return u * u * (3 - 2 * u)


def foot(phase: float, gait: Gait) -> tuple[float, float]:
    """Forward offset from the hip and height of a foot at this phase of its stride, metres.

    Example:
        >>> foot(0.0, Gait(stride=1.0))  # on the ground, in front of the hip
        (0.3, 0.0)
    """
    phase %= 1.0
    if phase < gait.duty:
        return gait.stride * (gait.duty / 2 - phase), 0.0
    swing = (phase - gait.duty) / (1 - gait.duty)
    return gait.stride * gait.duty * (smooth(swing) - 0.5), gait.lift * 4 * swing * (1 - swing)


def joint(start: Vec, end: Vec, length: float, bend: float) -> Vec:
    """The knee (bend +1: forward) or elbow (-1) of two links of the same length between two points.

    Example:
        >>> joint((0.0, 0.0, 1.0), (0.0, 0.0, 0.0), length=0.5, bend=1.0)  # a stretched leg
        (0.0, 0.0, 0.5)
    """
    forward, up = end[0] - start[0], end[2] - start[2]
    gap = max(math.hypot(forward, up), 1e-6)
    out = bend * math.sqrt(max(length * length - gap * gap / 4, 0.0)) / gap
    return (start[0] + forward / 2 - up * out, (start[1] + end[1]) / 2, start[2] + up / 2 + forward * out)


def person(body: Body, gait: Gait, motion: Motion, wave: float = 0.0) -> list[Limb]:
    """Somebody who walks, runs or stands; `wave` raises the near arm by so many radians.

    Example:
        >>> body = Body(height=1.75, girth=1.8, shirt=80, trousers=40, skin=150, hair=30)
        >>> len(person(body, Gait(stride=1.4), Motion(0.0, 0.0, 0.0, near=1)))
        16
    """
    tall, near = body.height, motion.near
    phase = motion.distance / gait.stride + gait.offset
    going = 0.12 + 0.88 * motion.effort
    bob = gait.bob * math.cos(4 * math.pi * (phase - gait.duty / 2)) * motion.effort
    hip_up, chest_up = (0.525 + bob) * tall, (0.81 + bob) * tall
    lean = math.sin(gait.lean) * 0.3 * tall
    limbs: list[Limb] = []
    arms: dict[int, list[Limb]] = {}
    for side in (-near, near):
        shade = 1.0 if side == near else 0.82
        forward, lift = foot(phase + (0.5 if side == near else 0.0), gait)
        forward, lift = forward * going, lift * motion.effort
        hip = (0.0, 0.055 * tall * side, hip_up)
        ankle = (forward, 0.05 * tall * side, 0.04 * tall + lift)
        knee = joint(hip, ankle, 0.262 * tall, 1.0)
        toe = (forward + 0.075 * tall, ankle[1], max(ankle[2] - 0.02 * tall - 0.3 * lift, 0.02 * tall))
        limbs.append(Limb((hip, knee), 0.095 * body.girth, body.trousers * shade))
        limbs.append(Limb((knee, ankle), 0.075 * body.girth, body.trousers * shade))
        limbs.append(Limb((ankle, toe), 0.05 * body.girth, body.hair * shade))
        angle = -gait.arm * going * forward / (gait.stride * gait.duty / 2) + (wave if side == near else 0.0)
        arms[side] = _arm(body, (lean, 0.1 * body.girth * side, chest_up), angle, gait.elbow + 0.5 * wave, shade)
    return [*arms[-near], *limbs, *_trunk(body, lean, hip_up, chest_up), *arms[near]]


def _arm(body: Body, shoulder: Vec, angle: float, elbow: float, shade: float) -> list[Limb]:
    length = 0.165 * body.height
    bent = (shoulder[0] + length * math.sin(angle), shoulder[1], shoulder[2] - length * math.cos(angle))
    angle += elbow
    hand = (bent[0] + length * math.sin(angle), bent[1], bent[2] - length * math.cos(angle))
    upper = Limb((shoulder, bent), 0.06 * body.girth, body.shirt * 0.78 * shade)
    return [upper, Limb((bent, hand), 0.05 * body.girth, body.skin * shade)]


def _trunk(body: Body, lean: float, hip_up: float, chest_up: float) -> list[Limb]:
    tall, wide = body.height, body.girth
    chest, hips = (lean, 0.0, chest_up - 0.03 * tall), (0.0, 0.0, hip_up)
    head = (lean * 1.25, 0.0, chest_up + 0.125 * tall)
    limbs = [
        Limb(((lean, -0.06 * wide, chest_up), (lean, 0.06 * wide, chest_up)), 0.11 * wide, body.shirt),
        Limb((chest, hips), 0.16 * wide, body.shirt),
        Limb((hips, (0.0, 0.0, hip_up - 0.02 * tall)), 0.15 * wide, body.trousers),
        Limb((chest, head), 0.06 * wide, body.skin * 0.9),
        Limb((head, (head[0], 0.0, head[2] - 0.015 * tall)), 0.115 * tall, body.skin),
        Limb(((head[0] - 0.02 * tall, 0.0, head[2] + 0.022 * tall),), 0.1 * tall, body.hair),
    ]
    if body.coat:
        limbs[2] = Limb((chest, (0.0, 0.0, 0.36 * tall)), 0.17 * wide, body.shirt * 0.95)
    if body.luggage == "back":
        pack = ((lean - 0.1 * wide, 0.0, chest_up - 0.02 * tall), (-0.09 * wide, 0.0, hip_up + 0.08 * tall))
        limbs.insert(3, Limb(pack, 0.13 * wide, body.luggage_grey))
    return limbs


def bag(grey: float, at: Vec = (0.0, 0.0, 0.0)) -> list[Limb]:
    """A travelling bag, 50 cm long.

    Example:
        >>> len(bag(grey=60.0))
        3
    """
    x, y, z = at
    box = ((x - 0.25, y, z), (x + 0.25, y, z), (x + 0.25, y, z + 0.34), (x - 0.25, y, z + 0.34))
    side = Limb(box, 0.0, grey)
    lid = Limb(((x - 0.2, y, z + 0.34), (x + 0.2, y, z + 0.36)), 0.1, min(grey * 1.25 + 8, 240.0))
    handle = Limb(((x - 0.1, y, z + 0.38), (x, y, z + 0.5), (x + 0.1, y, z + 0.38)), 0.05, grey * 0.8)
    return [side, lid, handle]


def carrier(body: Body, gait: Gait, motion: Motion) -> list[Limb]:
    """Somebody with a travelling bag in the near hand.

    Example:
        >>> body = Body(height=1.75, girth=1.8, shirt=80, trousers=40, skin=150, hair=30)
        >>> len(carrier(body, Gait(stride=1.4), Motion(0.0, 0.0, 0.0, near=1)))
        19
    """
    limbs = person(body, Gait(gait.stride, arm=0.12, elbow=0.05, offset=gait.offset), motion)
    hand = limbs[-1].points[-1]
    return limbs + bag(body.luggage_grey, (hand[0], hand[1] + 0.08 * motion.near, hand[2] - 0.48))


def fallen(limbs: list[Limb], tilt: float, scale: float) -> list[Limb]:
    """The same limbs, tipped forward about the feet by `tilt` radians and kept above the ground.

    Example:
        >>> (limb,) = fallen([Limb(((0.0, 0.0, 1.7),), 0.1, 60.0)], tilt=math.pi / 2, scale=1.7)
        >>> round(limb.points[0][0], 2)
        1.7
    """
    cos, sin = math.cos(tilt), math.sin(tilt)

    def tip(point: Vec) -> Vec:
        forward, left, up = point
        spread = left * (1 + 0.8 * sin) + 0.3 * forward * sin  # arms and legs come apart on the ground, as they do
        return forward * cos + up * sin, spread, max(up * cos - forward * sin, 0.05 * scale)

    return [limb._replace(points=tuple(tip(point) for point in limb.points)) for limb in limbs]


def _wheel(centre: Vec) -> Limb:
    turns = [2 * math.pi * k / 16 for k in range(17)]
    rim = tuple((centre[0] + 0.34 * math.cos(a), centre[1], centre[2] + 0.34 * math.sin(a)) for a in turns)
    return Limb(rim, 0.07, 34.0)


def cyclist(body: Body, paint: float, motion: Motion) -> list[Limb]:
    """Somebody on a bicycle who pedals.

    Example:
        >>> body = Body(height=1.75, girth=1.8, shirt=80, trousers=40, skin=150, hair=30)
        >>> len(cyclist(body, 90.0, Motion(0.0, 0.0, 1.0, near=1)))
        17
    """
    crank = 2 * math.pi * motion.distance / 4.6
    hip, chest, grip = (-0.2, 0.0, 0.98), (0.18, 0.0, 1.42), (0.48, 0.0, 1.06)
    rear, front, axle = (-0.52, 0.0, 0.34), (0.56, 0.0, 0.34), (-0.05, 0.0, 0.32)
    legs: dict[int, list[Limb]] = {}
    for side in (-1, 1):
        shade = 1.0 if side == motion.near else 0.8
        pedal = (axle[0] + 0.17 * math.cos(crank) * side, 0.1 * side, axle[2] - 0.17 * math.sin(crank) * side)
        seat = (hip[0], 0.08 * side, hip[2] - 0.04)
        knee = joint(seat, pedal, 0.44, 1.0)
        legs[side] = [
            Limb((seat, knee), 0.15, body.trousers * shade),
            Limb((knee, pedal), 0.12, body.trousers * shade),
            Limb((pedal, (pedal[0] + 0.12, pedal[1], pedal[2] + 0.02)), 0.08, body.hair * shade),
        ]
    frame, fork = (axle, (0.4, 0.0, 0.86), (-0.18, 0.0, 0.84)), (front, (0.42, 0.0, 1.0), grip)
    tubes = [Limb(tube, 0.06, paint) for tube in ((rear, axle, (-0.2, 0.0, 0.9), rear), frame, fork)]
    elbow, head = joint(chest, grip, 0.28, -1.0), (0.27, 0.0, 1.66)
    rider = [
        Limb((hip, chest), 0.26, body.shirt),
        Limb((chest, (0.18, 0.12 * motion.near, 1.42)), 0.2, body.shirt),
        Limb((head, (0.27, 0.0, 1.63)), 0.2, body.skin),
        Limb(((0.24, 0.0, 1.7),), 0.19, body.hair),
        Limb((chest, elbow), 0.1, body.shirt * 0.88),
        Limb((elbow, grip), 0.085, body.skin),
    ]
    return [*legs[-motion.near], _wheel(rear), _wheel(front), *tubes, *legs[motion.near], *rider]


def cart(body: Body, paint: float, motion: Motion) -> list[Limb]:
    """A small open utility cart with a roof and its driver.

    Example:
        >>> body = Body(height=1.75, girth=1.8, shirt=80, trousers=40, skin=150, hair=30)
        >>> len(cart(body, 180.0, Motion(0.0, 0.0, 1.0, near=1)))
        23
    """
    near, far = 0.6 * motion.near, -0.6 * motion.near
    low = ((-1.2, 0.28), (1.2, 0.28), (1.2, 0.62), (0.75, 0.86), (0.35, 0.5), (-0.3, 0.5), (-0.3, 0.8), (-1.2, 0.8))
    sides = {side: tuple((x, side, z) for x, z in low) for side in (near, far)}
    deck = ((-1.2, near, 0.8), (-0.3, near, 0.8), (-0.3, far, 0.8), (-1.2, far, 0.8))
    bonnet = ((1.2, near, 0.62), (0.75, near, 0.86), (0.75, far, 0.86), (1.2, far, 0.62))
    front = ((1.2, near, 0.28), (1.2, far, 0.28), (1.2, far, 0.62), (1.2, near, 0.62))
    back = ((-1.2, near, 0.28), (-1.2, far, 0.28), (-1.2, far, 0.8), (-1.2, near, 0.8))
    roof = ((-1.0, near, 1.9), (0.75, near, 1.9), (0.75, far, 1.9), (-1.0, far, 1.9))
    edge = ((-1.0, near, 1.82), (0.75, near, 1.82), (0.75, near, 1.9), (-1.0, near, 1.9))
    post = [((0.8, 0.86), (0.7, 1.85)), ((-0.9, 0.8), (-0.95, 1.85))]
    posts = {side: [Limb(((a, side, b), (c, side, d)), 0.07, 45.0) for (a, b), (c, d) in post] for side in (near, far)}
    wheels = {side: [Limb(((x, side, 0.26),), 0.52, 28.0) for x in (-0.75, 0.8)] for side in (near, far)}
    hubs = [Limb(((x, near, 0.26),), 0.2, 120.0) for x in (-0.75, 0.8)]
    driver = [
        Limb(((-0.25, 0.0, 0.8), (0.25, 0.0, 0.85), (0.35, 0.0, 0.5)), 0.16, body.trousers),
        Limb(((-0.25, 0.0, 0.85), (-0.2, 0.0, 1.3)), 0.3, body.shirt),
        Limb(((-0.2, 0.0, 1.28), (0.15, 0.0, 1.05), (0.45, 0.0, 1.15)), 0.1, body.shirt * 0.85),
        Limb(((-0.17, 0.0, 1.57),), 0.22, body.skin),
        Limb(((-0.2, 0.0, 1.63),), 0.19, body.hair),
    ]
    panels = ((sides[far], 0.6), (front, 0.8), (back, 0.75), (deck, 0.7), (bonnet, 1.08), (sides[near], 0.92))
    *shell, near_side = (Limb(panel, 0.0, paint * shade) for panel, shade in panels)
    top = [Limb(roof, 0.0, min(paint * 1.15, 235.0)), Limb(edge, 0.0, paint * 0.85)]
    return [*wheels[far], *posts[far], *shell, *driver, near_side, *wheels[near], *hubs, *posts[near], *top]
