"""A street that needs nothing: clips with people, and with events that are labelled frame by frame.

A fixed camera looks obliquely at a walkway, a bit like UCSD Ped2, or, by another preset, at a square. From four test
clips on every kind of event occurs, from five on about one clip in four is without one. Events are under way at the
first frame, begin anywhere, and mostly end before the last, so that the frame number tells nothing of the label.
Everything follows from the seed and the numbers of a scene; frames can be drawn in any order, on any machine, with the
same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice

import numpy as np
import numpy.typing as npt

from pagen.arrays import runs
from pagen.errors import PagenError
from pagen.footage.street.actors import NEVER, crowd
from pagen.footage.street.events import KINDS, Event, event
from pagen.footage.street.preset import preset_named
from pagen.footage.street.render import Light, Stage
from pagen.seeds import generator

MEANINGFUL = 12
"""A frame is anomalous when its mask has at least so many pixels."""

EDITION = 2
"""Of the drawing: raise it whenever a change makes other frames, masks or labels of the same scene, so that
what was prepared from the older drawing is not taken for the new one."""

LONG = 120
"""Frames; in longer clips events last no longer."""

LASTING, PAUSE, SEEN = (0.4, 0.65), (0.15, 0.3), 0.08
"""How long an event and the pause before a second one last, and what a clip shows of an event at least: shares of
the clip's length."""


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
        edition: see `EDITION`.

    Example:
        >>> scene = Scene(seed=0, preset="street", split="train", number=3, length=2)
        >>> scene.name, scene.labels().tolist()
        ('train_03', [0, 0])
    """

    seed: int
    preset: str
    split: str
    number: int
    length: int
    events: tuple[Event, ...] = ()
    edition: int = EDITION

    @property
    def name(self) -> str:
        """For example "test_03"."""
        return f"{self.split}_{self.number:02d}"

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
        return _meaningful(self.masks())

    def kinds(self) -> dict[str, tuple[tuple[int, int], ...]]:
        """Kind of event -> the frames [start, end) in which its own visible pixels are as many as a label takes."""
        seen = dict[str, npt.NDArray[np.uint8]]()
        for number, each in enumerate(self.events):
            stage = self.stage(alarming=(number,))
            labels = _meaningful(stage.mask(index) for index in range(self.length))
            seen[each.kind] = labels | seen.get(each.kind, np.zeros_like(labels))
        return {kind: tuple((int(start), int(end)) for start, end in runs(labels > 0)) for kind, labels in seen.items()}

    def stage(self, alarming: Sequence[int] | None = None) -> Stage:
        """The clip's cast and light, of which single frames can be drawn; masks are of all events or of some."""
        preset = preset_named(self.preset)
        key = (self.seed, self.preset, self.name)
        rng = generator(self.seed, "street", self.preset, self.name)
        swing, period, offset = rng.uniform(0.015, 0.05), rng.uniform(15, 40), rng.random()
        light = Light(swing, period, offset, shadow=rng.uniform(0.25, 0.42))
        actors, lanes = crowd(preset, rng, self.length / preset.fps)
        for index, one in enumerate(self.events):
            chance = generator(self.seed, "street", self.preset, self.name, "event", index)
            cast = event(preset, chance, one, lanes if index == 0 else lanes[::-1])
            calm = alarming is not None and index not in alarming
            actors += [replace(actor, alarm=NEVER) for actor in cast] if calm else cast
        return Stage(preset, key, light, tuple(actors))


def _meaningful(masks: Iterator[npt.NDArray[np.bool_]]) -> npt.NDArray[np.uint8]:
    return np.array([mask.sum() >= MEANINGFUL for mask in masks], np.uint8)


def scenes(
    seed: int = 0, preset: str = "street", train: int = 12, test: int = 8, frames: int = 120
) -> tuple[Scene, ...]:
    """The street's clips, training clips first.

    Args:
        seed: another seed gives another house front, other people and other events.
        preset: the camera and place, see `preset.PRESETS`.
        train, test: number of clips.
        frames: length of every clip; 10 frames a second.

    Raises:
        PagenError: unknown preset, or a number that is out of range.

    Example:
        >>> [scene.name for scene in scenes(train=1, test=2)]
        ['train_01', 'test_01', 'test_02']
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


def square() -> tuple[Scene, ...]:
    """The clips of the data set `street:square`: another camera, over another place.

    Example:
        >>> len(square()), square()[0].preset
        (20, 'square')
    """
    return scenes(preset="square")


def street_kinds(clip: str) -> dict[str, tuple[tuple[int, int], ...]]:
    """Kind of event -> when it is seen in a test clip of the data set `street`, as `Scene.kinds` has it.

    Example:
        >>> street_kinds("test_02")  # one of those without an event
        {}
    """
    return _kinds_in(scenes(), clip)


def square_kinds(clip: str) -> dict[str, tuple[tuple[int, int], ...]]:
    """The same of `street:square`.

    Example:
        >>> square_kinds("test_09")
        {}
    """
    return _kinds_in(square(), clip)


def _kinds_in(every: Sequence[Scene], clip: str) -> dict[str, tuple[tuple[int, int], ...]]:
    return next((scene.kinds() for scene in every if scene.name == clip), {})


def _plot(seed: int, preset: str, test: int, frames: int) -> list[tuple[Event, ...]]:
    """What happens in every test clip: nothing, one event or two."""
    rng = generator(seed, "street", preset, "plot")
    quiet = min(test // 4, max(test - 4, 0))
    busy = test - quiet
    double = min(max(test // 4, len(KINDS) - busy), busy)
    deck = cycle([str(kind) for kind in rng.permutation(KINDS)])
    plot: list[tuple[Event, ...]] = [()] * quiet
    for count, clips in ((1, busy - double), (2, double)):
        for place in (np.arange(clips) + rng.random(clips)) / max(clips, 1):
            times = _times(rng, count, float(place), frames)
            plot.append(tuple(Event(kind, *time) for kind, time in zip(islice(deck, count), times, strict=True)))
    return [plot[i] for i in rng.permutation(test)]


def _times(rng: np.random.Generator, count: int, place: float, frames: int) -> list[tuple[int, int]]:
    """Start and end of one event, or of two with a pause between them.

    From `place` 0 to 1 they move from where the first is all but over at the first frame to where the last
    has just begun at the last one, so that with places evenly spread time says nothing of the label.
    """
    lasting, pause = min(frames, LONG) * rng.uniform(*LASTING, count), min(frames, LONG) * rng.uniform(*PAUSE)
    starts = [0.0, lasting[0] + pause][:count]
    first, final = SEEN * frames - lasting[0], (1 - SEEN) * frames - starts[-1]
    begin = first + place * (final - first)
    return [(round(begin + start), round(begin + start + last)) for start, last in zip(starts, lasting, strict=True)]
