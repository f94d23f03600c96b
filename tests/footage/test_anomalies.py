"""Kinds of anomalies: facts of Ped2 against its labels, those of the street against its masks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pagen.footage.anomalies import NORMAL, TOGETHER, UNNAMED, kinds_of, kinds_of_frames, ped2_kinds
from pagen.footage.catalogue import DATASETS
from pagen.footage.prepare import prepare
from pagen.footage.street.events import KINDS
from pagen.footage.street.scene import Scene, scenes
from pagen.registry import resolve

SHARED = Path(__file__).parents[3] / "shared/data"


def test_labels_decide_what_is_abnormal_and_kinds_tell_it_apart() -> None:
    labels = np.array([1, 0, 1, 1, 1])
    kinds = kinds_of_frames(labels, {"cart": ((0, 2), (3, 4)), "bus": ((3, 5),)})
    assert kinds.tolist() == ["cart", NORMAL, UNNAMED, f"bus{TOGETHER}cart", "bus"]


def test_every_source_of_kinds_knows_clips() -> None:
    named = {name: DATASETS[name].kinds for name in DATASETS.names()}
    assert {name for name, source in named.items() if source} == {"ped2", "street", "street:square"}
    for source in filter(None, named.values()):
        assert isinstance(resolve(source)("test_02"), dict)


@pytest.mark.parametrize("number", range(1, 13))
def test_kinds_of_ped2_lie_inside_of_its_clips(number: int) -> None:
    length = DATASETS["ped2"].test[number - 1]
    kinds = ped2_kinds(f"test_{number:02d}")
    assert kinds.keys() <= {"cyclist", "cart", "skater"}
    for intervals in kinds.values():
        assert all(0 <= start < min(end, length) for start, end in intervals)
        assert all(end <= length or end == 10**6 for _, end in intervals)


@pytest.mark.slow
@pytest.mark.skipif(not SHARED.is_dir(), reason="Ped2 is not at hand")
def test_kinds_of_ped2_cover_its_labels() -> None:
    prepared = prepare("ped2", root=SHARED, size=None, workers=1)
    kinds = kinds_of("ped2", {name: np.asarray(prepared.labels(name)) for name in prepared.clips("test")})
    every = np.concatenate([*kinds.values()])
    assert (every != NORMAL).sum() == 1648
    assert UNNAMED not in every
    assert set(every) == {NORMAL, "cyclist", "cart", "skater", "cart + cyclist", "cyclist + skater"}
    for name, frames in kinds.items():
        labels = np.asarray(prepared.labels(name))
        starts = [start for intervals in ped2_kinds(name).values() for start, end in intervals if end < 10**6]
        assert not starts or min(starts) == labels.argmax()
        assert np.array_equal(frames != NORMAL, labels == 1)


@pytest.mark.slow
def test_each_event_of_the_street_is_told_from_the_other() -> None:
    scene = next(scene for scene in scenes(train=0, frames=60) if len(scene.events) > 1)
    kinds, labels = scene.kinds(), scene.labels()
    assert set(kinds) == {event.kind for event in scene.events} <= set(KINDS)
    union = np.zeros(60, np.uint8)
    for number, event in enumerate(scene.events):
        alone = np.zeros(60, np.uint8)
        for start, end in kinds[event.kind]:
            alone[start:end] = 1
        stage = scene.stage(alarming=(number,))
        assert alone.tolist() == [int(stage.mask(index).sum() >= 12) for index in range(60)]
        union |= alone
    assert union.tolist() == labels.tolist()
    assert not (np.diff([next(iter(kinds[event.kind]))[0] for event in scene.events]) < 0).any()


def test_a_scene_without_events_shows_no_kind() -> None:
    assert Scene(0, "street", "test", 1, 5).kinds() == {}
