"""A street that needs nothing: clips with people, and with events that are labelled frame by frame.

A fixed camera looks obliquely at a walkway, a bit like UCSD Ped2: walkers in both directions, couples,
groups that stand and talk, people who stop. In the test clips something else happens: a cyclist, a cart,
a runner, somebody who crosses the flow or the lawn, a fall, an abandoned bag, smoke.

Speed alone tells little: runners, cyclists and carts keep to the far lanes, where they cover no more
pixels a frame than the near walkers. Everything follows from the seed and the numbers of a scene; frames
can be drawn in any order, on any machine, with the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pagen.errors import PagenError
from pagen.footage.street_actors import crowd
from pagen.footage.street_events import KINDS, Event, event
from pagen.footage.street_preset import preset_named
from pagen.footage.street_render import Light, Stage
from pagen.seeds import generator

MEANINGFUL = 12
"""A frame is anomalous when its mask has at least so many pixels."""


@dataclass(frozen=True)
class Scene:
    """One clip of the street; nothing but what it follows from, frames are drawn when they are asked for.

    Attributes:
        seed: of the whole street.
        preset: name of the camera and place.
        split: "train" or "test".
        number: counts from 1 within the split.
        length: frames.
        events: what happens, in the order of time.
    """

    seed: int
    preset: str
    split: str
    number: int
    length: int
    events: tuple[Event, ...] = ()

    @property
    def name(self) -> str:
        """For example "test_03"."""
        return f"{self.split}_{self.number:02d}"

    @property
    def fps(self) -> float:
        """Frames a second."""
        return preset_named(self.preset).fps

    def frames(self) -> Iterator[npt.NDArray[np.uint8]]:
        """All frames in turn, uint8 (H, W)."""
        stage = self.stage()
        return (stage.frame(index) for index in range(self.length))

    def masks(self) -> Iterator[npt.NDArray[np.bool_]]:
        """For every frame the visible pixels of the anomalous thing (its shadow is none of it), bool (H, W)."""
        stage = self.stage()
        return (stage.mask(index) for index in range(self.length))

    def labels(self) -> npt.NDArray[np.uint8]:
        """1 for every frame whose mask has at least `MEANINGFUL` pixels, uint8 (T,)."""
        if not self.events:
            return np.zeros(self.length, np.uint8)
        return np.array([mask.sum() >= MEANINGFUL for mask in self.masks()], np.uint8)

    def stage(self) -> Stage:
        """The clip's cast and light, of which single frames can be drawn."""
        preset = preset_named(self.preset)
        key = (self.seed, self.preset, self.name)
        rng = generator(self.seed, "street", self.preset, self.name)
        light = Light(
            swing=float(rng.uniform(0.015, 0.05)),
            period=float(rng.uniform(15, 40)),
            offset=float(rng.random()),
            shadow=float(rng.uniform(0.25, 0.42)),
        )
        actors, lanes = crowd(preset, rng, self.length / preset.fps)
        for index, (kind, start) in enumerate(self.events):
            chance = generator(self.seed, "street", self.preset, self.name, "event", index)
            actors += event(preset, chance, kind, start / preset.fps, lanes if index == 0 else lanes[::-1])
        return Stage(preset, key, light, tuple(actors))


def scenes(
    seed: int = 0, preset: str = "street", train: int = 12, test: int = 8, frames: int = 120
) -> tuple[Scene, ...]:
    """The street's clips, training clips first.

    Args:
        seed: another seed gives another house front, other people and other events.
        preset: the camera and place, see `street_preset.PRESETS`.
        train, test: number of clips.
        frames: length of every clip; 10 frames a second.

    Raises:
        PagenError: unknown preset, or a number that is out of range.
    """
    preset_named(preset)
    for what, number, least in (("train", train, 0), ("test", test, 0), ("frames", frames, 1)):
        if number < least:
            raise PagenError(
                f"expected {what} of the street to be at least {least}, found {number}; give a larger number"
            )
    plot = _plot(seed, preset, test, frames)
    usual = [Scene(seed, preset, "train", i + 1, frames) for i in range(train)]
    unusual = [Scene(seed, preset, "test", i + 1, frames, events) for i, events in enumerate(plot)]
    return (*usual, *unusual)


def _plot(seed: int, preset: str, test: int, frames: int) -> list[tuple[Event, ...]]:
    """One or two events for every test clip; from four clips on every kind occurs."""
    rng = generator(seed, "street", preset, "plot")
    deck = [str(kind) for kind in rng.permutation(KINDS)]
    second = max(test // 4, len(KINDS) - test)
    plot = []
    for i in range(test):
        double = i < second
        starts = [float(rng.uniform(*((0.12, 0.22) if double else (0.2, 0.5))))] + [
            float(rng.uniform(0.55, 0.7))
        ] * double
        kinds = [deck[i % len(deck)], deck[(i + test) % len(deck)]]
        plot.append(tuple(Event(kind, round(start * frames)) for kind, start in zip(kinds, starts, strict=False)))
    return plot
