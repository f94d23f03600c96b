from __future__ import annotations

import hashlib
import math
import pickle
import subprocess
import sys
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pagen.errors import PagenError
from pagen.eval.metrics.roc import auroc
from pagen.footage.scene_clip import SceneClip
from pagen.footage.street.actors import Path
from pagen.footage.street.events import KINDS, Event
from pagen.footage.street.figures import Body, Gait, Motion, fallen, foot, joint, person
from pagen.footage.street.preset import PRESETS, Preset
from pagen.footage.street.render import _noise
from pagen.footage.street.scene import EDITION, MEANINGFUL, Scene, scenes, square
from pagen.scoring.baselines import BASELINES
from pagen.seeds import generator

STREET, SQUARE = PRESETS["street"], PRESETS["square"]
SMALL = scenes(3, train=2, test=4, frames=48)
TEST = [scene for scene in SMALL if scene.split == "test"]


def digest(scene: Scene) -> str:
    total = hashlib.sha256()
    for frame, mask in zip(scene.frames(), scene.masks(), strict=True):
        total.update(frame.tobytes() + mask.tobytes())
    return total.hexdigest()


def with_kind(kind: str, preset: str) -> Scene:
    """A test clip in which nothing but this kind of event happens."""
    found = [(scene, event) for scene in scenes(0, preset, frames=60) for event in scene.events if event.kind == kind]
    scene, event = found[0]
    return replace(scene, events=(event._replace(start=8, end=52),))


def test_the_default_street_has_the_promised_clips() -> None:
    every = scenes()
    assert [scene.name for scene in every[:2]] == ["train_01", "train_02"]
    assert [scene.split for scene in every] == ["train"] * 12 + ["test"] * 8
    assert {scene.length for scene in every} == {120}
    assert all(not scene.events for scene in every[:12])
    assert sorted(len(scene.events) for scene in every[12:]) == [0, 0, 1, 1, 1, 1, 2, 2]


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**40), test=st.integers(4, 20))
def test_every_kind_of_event_happens_whatever_the_seed(seed: int, test: int) -> None:
    plot = [scene.events for scene in scenes(seed, train=0, test=test)]
    assert {event.kind for events in plot for event in events} == set(KINDS)
    assert sum(not events for events in plot) == min(test // 4, test - 4)
    assert all(event.start < event.end for events in plot for event in events)
    assert all(event.start < 115 and event.end > 5 for events in plot for event in events)
    assert all(first.end < second.start for first, second in (events for events in plot if len(events) == 2))


def test_the_square_has_as_many_clips_of_its_own_size() -> None:
    assert [(scene.name, scene.length) for scene in square()] == [(scene.name, scene.length) for scene in scenes()]
    assert {next(scene.frames()).shape for scene in square()[::7]} == {(144, 176)}


@pytest.mark.parametrize(("preset", "shape"), [("street", (128, 192)), ("square", (144, 176))])
def test_frames_and_masks_have_their_shapes_and_types(preset: str, shape: tuple[int, int]) -> None:
    for scene in scenes(3, preset, train=1, test=1, frames=24):
        frames, masks = list(scene.frames()), list(scene.masks())
        assert {(frame.shape, frame.dtype) for frame in frames} == {(shape, np.dtype(np.uint8))}
        assert {(mask.shape, mask.dtype) for mask in masks} == {(shape, np.dtype(bool))}
        assert len(frames) == len(masks) == scene.length
        assert scene.labels().shape == (scene.length,)
        assert scene.labels().dtype == np.uint8


@pytest.mark.slow
def test_labels_follow_from_the_masks_and_there_are_both() -> None:
    for scene in TEST:
        assert scene.labels().tolist() == [int(np.count_nonzero(mask) >= MEANINGFUL) for mask in scene.masks()]
    assert {label for scene in TEST for label in scene.labels().tolist()} == {0, 1}


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**40), preset=st.sampled_from(list(PRESETS)), frames=st.integers(24, 120))
def test_the_plan_leaves_a_frame_as_likely_abnormal_late_as_early(seed: int, preset: str, frames: int) -> None:
    """AUROC of the frame number, were every frame of an event's interval abnormal."""
    plot = [scene.events for scene in scenes(seed, preset, train=0, frames=frames)]
    labels = [[any(e.start <= time < e.end for e in events) for time in range(frames)] for events in plot]
    assert 0.3 < frame_number(np.array(labels)) < 0.7
    starts = np.array([event.start for events in plot for event in events])
    assert np.any(starts <= 0)
    assert np.any(starts > 0.5 * frames)
    assert any(event.end < 0.5 * frames for events in plot for event in events)


def frame_number(labels: np.ndarray) -> float:
    """AUROC of the frame number alone, labels (clips, frames)."""
    return auroc(np.tile(np.arange(labels.shape[1], dtype=float), len(labels)), labels.ravel())


@pytest.mark.slow
@pytest.mark.parametrize("preset", PRESETS)
def test_the_frame_number_does_not_give_the_label_away(preset: str) -> None:
    """By the masks of every fifteenth frame of the test clips, as the mean of three seeds."""
    labels = [
        np.array([[stage.mask(index).sum() >= MEANINGFUL for index in range(7, 120, 15)] for stage in stages])
        for stages in ([scene.stage() for scene in scenes(seed, preset, train=0)] for seed in range(3))
    ]
    areas = [frame_number(one) for one in labels]
    assert 0.4 < np.mean(areas) < 0.6, areas
    assert all(0.25 < area < 0.75 for area in areas), areas
    assert 0.25 < np.mean(labels) < 0.55


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_event_can_be_under_way_at_the_first_frame_and_over_before_the_last(kind: str, preset: str) -> None:
    scene = next(scene for scene in scenes(0, preset, train=0) for event in scene.events if event.kind == kind)
    stage = replace(scene, events=(Event(kind, -30, 40),)).stage()
    seen = [int(stage.mask(index).sum()) for index in (0, 10, 20, 80, 100, 119)]
    assert max(seen[:3]) >= MEANINGFUL
    assert seen[3:] == [0, 0, 0]


def test_an_older_edition_is_another_source() -> None:
    scene = SMALL[0]
    assert SceneClip(scene).identity() != SceneClip(replace(scene, edition=EDITION - 1)).identity()


def test_training_clips_are_normal() -> None:
    for scene in SMALL[:2]:
        assert not scene.labels().any()
        assert not any(mask.any() for mask in scene.masks())


@pytest.mark.slow
def test_another_process_gives_the_same_bytes() -> None:
    code = (
        "import hashlib\nfrom pagen.footage.street.scene import scenes\ntotal = hashlib.sha256()\n"
        "scene = scenes(3, train=2, test=4, frames=48)[3]\n"
        "for frame, mask in zip(scene.frames(), scene.masks()):\n    total.update(frame.tobytes() + mask.tobytes())\n"
        "print(total.hexdigest())"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == digest(SMALL[3])


def test_frames_do_not_depend_on_the_order_in_which_they_are_drawn() -> None:
    scene, stage = TEST[1], TEST[1].stage()
    order = np.random.default_rng(0).permutation(scene.length)
    apart = {int(index): (stage.frame(int(index)), stage.mask(int(index))) for index in order}
    for index, (frame, mask) in enumerate(zip(scene.frames(), scene.masks(), strict=True)):
        np.testing.assert_array_equal(apart[index][0], frame)
        np.testing.assert_array_equal(apart[index][1], mask)


def test_a_scene_is_small_and_survives_pickling() -> None:
    scene = TEST[0]
    content = pickle.dumps(scene)
    assert len(content) < 1000
    assert pickle.loads(content) == scene
    assert hash(pickle.loads(content)) == hash(scene)


def test_another_seed_gives_another_street_and_other_people() -> None:
    first, second = (next(scenes(seed)[0].frames()) for seed in (0, 1))
    assert np.mean(first != second) > 0.5
    third = next(scenes(0)[1].frames())
    assert np.mean(np.abs(first.astype(int) - third) > 25) > 0.01


@pytest.mark.slow
@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("kind", KINDS)
def test_the_mask_lies_on_what_the_event_changes(kind: str, preset: str) -> None:
    scene = with_kind(kind, preset)
    there, without = scene.stage(), replace(scene, events=()).stage()
    seen = 0
    for index in range(0, scene.length, 4):
        mask = there.mask(index)
        changed = there.frame(index) != without.frame(index)
        seen += np.count_nonzero(mask)
        assert np.count_nonzero(changed & mask) >= 0.8 * np.count_nonzero(mask)
        if kind not in ("abandoned", "fall"):  # those people are themselves normal for a while
            around = cv2.dilate(mask.astype(np.uint8), np.ones((61, 61), np.uint8)) > 0
            assert not (changed & ~around).any() or np.count_nonzero(mask) < MEANINGFUL
    assert seen > 200


def velocity(preset: Preset, path: Path) -> tuple[float, float] | None:
    """Columns and rows a frame, the mean over the whole seconds at which it is in the picture."""
    found = []
    for second in range(12):
        here, there = (preset.foot(*path.at(time)) for time in (second, second + 1 / preset.fps))
        inside = 0 < here[0] < preset.width and here[1] < preset.height + 10
        found += [(abs(there[0] - here[0]), abs(there[1] - here[1]))] if inside else []
    columns, rows = np.mean(found, axis=0) if found else (0.0, 0.0)
    return (float(columns), float(rows)) if columns + rows else None


@pytest.mark.parametrize("name", PRESETS)
def test_passing_events_are_hardly_faster_in_pixels_than_near_walkers(name: str) -> None:
    usual = [actor for scene in scenes(0, name)[:12] for actor in scene.stage().actors]
    events = [actor for seed in range(4) for scene in scenes(seed, name, train=0) for actor in scene.stage().actors]
    fast = [actor for actor in events if actor.alarm == 0.0 and actor.path.speed > 1.95]
    walkers, passing = (
        [math.hypot(*found) for actor in group if (found := velocity(PRESETS[name], actor.path))]
        for group in (usual, fast)
    )
    assert len(passing) >= 12
    assert min(passing) < np.quantile(walkers, 0.9)
    assert np.median(passing) < max(walkers)
    assert np.quantile(passing, 0.9) < 1.1 * max(walkers)


def test_people_cross_the_square_more_aslant_than_the_street() -> None:
    """A lane `across` is a line of slope up sin(yaw) / across in the picture."""
    slopes: dict[str, list[float]] = {}
    for name, preset in PRESETS.items():
        walkers = [actor.path for scene in scenes(0, name, test=0) for actor in scene.stage().actors]
        seen = [(path.start[1], *way) for path in walkers if (way := velocity(preset, path))]
        slopes[name] = [rows / columns for _, columns, rows in seen]
        lines = [preset.camera_up * abs(math.sin(preset.yaw)) / across for across, _, _ in seen]
        np.testing.assert_allclose(slopes[name], lines, rtol=1e-9)
    assert min(slopes["square"]) > 1.5 * max(slopes["street"])


@pytest.mark.slow
@pytest.mark.parametrize("preset", PRESETS)
def test_no_trivial_baseline_solves_it(preset: str) -> None:
    """Of every fifteenth pair of frames in the test clips, as the mean of two seeds."""
    areas: dict[str, list[float]] = {name: [] for name in BASELINES}
    for seed in (0, 1):
        stages = [scene.stage() for scene in scenes(seed, preset, train=0)]
        chosen = [(stage, index) for stage in stages for index in range(1, 120, 15)]
        labels = np.array([stage.mask(index).sum() >= MEANINGFUL for stage, index in chosen])
        pairs = [[stage.frame(index - 1), stage.frame(index)] for stage, index in chosen]
        for name, baseline in BASELINES.items():
            areas[name].append(auroc(np.array([baseline(iter(pair))[1] for pair in pairs]), labels))
    assert all(0.4 < np.mean(area) < 0.75 for area in areas.values()), areas


def test_the_light_changes_slowly_and_little() -> None:
    light = SMALL[0].stage().light
    gains = np.array([light.gain(index / 10) for index in range(1200)])
    assert np.abs(gains - 1).max() <= 0.05
    assert 0 < np.abs(np.diff(gains)).max() < 0.003
    frames = np.stack(list(SMALL[0].frames())).astype(float)
    wall = frames[:, :30].mean(axis=(1, 2))
    np.testing.assert_allclose(wall / wall[0], gains[: len(wall)] / gains[0], atol=0.004)


@pytest.mark.parametrize("preset", PRESETS.values())
def test_sensor_noise_has_the_presets_deviation_and_no_mean(preset: Preset) -> None:
    noise = np.stack([_noise(preset, generator(0, "noise", index)) for index in range(20)])
    assert abs(noise.mean()) < 0.02
    assert noise.std() == pytest.approx(preset.noise, rel=0.01)
    assert np.mean(np.abs(noise) > 2 * preset.noise) == pytest.approx(0.0455, abs=0.008)


@settings(max_examples=40, deadline=None)
@given(stride=st.floats(0.8, 2.6), duty=st.floats(0.3, 0.65), start=st.floats(-20, 20), share=st.floats(0.01, 0.99))
def test_a_foot_on_the_ground_stays_where_it_is(stride: float, duty: float, start: float, share: float) -> None:
    gait = Gait(stride, duty)
    touch = math.floor(start) * stride
    first = touch + foot(touch / stride + 1e-9, gait)[0]
    gone = touch + share * duty * stride
    forward, up = foot(gone / stride + 1e-9, gait)
    assert gone + forward == pytest.approx(first, abs=1e-6)
    assert up == 0.0


@settings(max_examples=40, deadline=None)
@given(x=st.floats(-0.4, 0.4), z=st.floats(-0.8, -0.3), bend=st.sampled_from([-1.0, 1.0]))
def test_both_links_of_a_leg_keep_their_length(x: float, z: float, bend: float) -> None:
    knee = joint((0.0, 0.1, 0.0), (x, 0.1, z), 0.46, bend)
    assert math.dist(knee, (0.0, 0.1, 0.0)) == pytest.approx(0.46)
    assert math.dist(knee, (x, 0.1, z)) == pytest.approx(0.46)
    assert bend * (knee[0] * -z + knee[2] * x) >= 0


def test_arms_swing_against_the_legs_and_the_fallen_lie_flat() -> None:
    body, gait = Body(1.75, 1.75, 80, 40, 150, 30), Gait(1.4)
    upright = person(body, gait, Motion(0.0, 0.0, 1.0, 1))
    near_hand, near_toe = upright[-1].points[-1][0], upright[7].points[-1][0]
    later = person(body, gait, Motion(0.0, 0.7, 1.0, 1))
    assert (near_hand - later[-1].points[-1][0]) * (near_toe - later[7].points[-1][0]) < 0
    assert max(point[2] for limb in upright for point in limb.points) > 1.6
    assert max(point[2] for limb in fallen(upright, 1.5, 1.75) for point in limb.points) < 0.5


@settings(max_examples=40, deadline=None)
@given(time=st.floats(-5, 15), stop=st.floats(0, 8), lasting=st.floats(0.6, 5))
def test_a_path_is_the_integral_of_its_speed(time: float, stop: float, lasting: float) -> None:
    path = Path((0.0, 0.0), 0.0, 1.3, since=2.0, stops=((stop, stop + lasting),))
    speed = (path.gone(time + 1e-5) - path.gone(time - 1e-5)) / 2e-5
    assert speed == pytest.approx(1.3 * path.effort(time), abs=1e-4)
    assert path.gone(2.0) == 0.0


@settings(max_examples=30, deadline=None)
@given(
    preset=st.sampled_from([STREET, SQUARE]), column=st.floats(-20, 220), across=st.floats(9, 24), up=st.floats(0.5, 2)
)
def test_the_projection_is_a_pinhole(preset: Preset, column: float, across: float, up: float) -> None:
    along = preset.along_at(column, across)
    foot_column, foot_row, depth = preset.foot(along, across)
    assert foot_column == pytest.approx(column, abs=1e-6)
    turn = np.array([[math.cos(preset.yaw), -math.sin(preset.yaw)], [math.sin(preset.yaw), math.cos(preset.yaw)]])
    right, away = turn @ (along, across)
    axes = np.array([[preset.focal, 0, preset.width / 2], [0, preset.focal, preset.horizon], [0, 0, 1]])
    seen = axes @ (right, preset.camera_up - up, away)
    points = preset.project(np.array([along]), np.array([across]), np.array([up]))[:, 0]
    np.testing.assert_allclose(points, [seen[0] / seen[2], seen[1] / seen[2], seen[2]], atol=1e-9)
    assert foot_row - points[1] == pytest.approx(up * preset.focal / depth)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"preset": "stret"}, "did you mean 'street'"),
        ({"frames": 0}, "expected frames of the street to be at least 1, found 0"),
        ({"train": -1}, "expected train of the street to be at least 0, found -1"),
    ],
)
def test_bad_input_is_answered_in_words(wrong: dict[str, object], words: str) -> None:
    with pytest.raises(PagenError, match=words):
        scenes(**wrong)  # type: ignore[arg-type]
