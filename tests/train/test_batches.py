from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pagen.errors import PagenError
from pagen.footage.clip_input import FlowInput, FrameInput
from pagen.footage.flow import FlowFolder
from pagen.footage.prepare import Prepared
from pagen.generate.pa_set import PASet
from pagen.generate.skip import draw_skip
from pagen.seeds import generator
from pagen.train.batches import ClipBatches, draw
from pagen.train.recipes.clips import ClipRecipe
from pagen.train.recipes.table import RECIPES, recipe_names

MakeBatches = Callable[..., ClipBatches]
RecipeAt = Callable[..., ClipRecipe]
Clip = np.ndarray
CLIPS = [name for name in recipe_names() if issubclass(RECIPES[name], ClipRecipe)]
PAIRS = [name for name in CLIPS if name != "luss"]


def pair_of(batches: ClipBatches, number: int) -> tuple[Clip, Clip]:
    """Input and target of a sample."""
    sample = batches.sample(number)
    return sample["clips"], sample["targets"]


def unit(frames: Clip) -> Clip:
    """Frames (T, H, W, C) as a network sees them, (C, T, H, W) in [-1, 1]."""
    return (frames.astype(np.float64) / 255 * 2 - 1).transpose(3, 0, 1, 2)


class Places:
    """Finds the window of training footage that a clip (C, 16, H, W) of whole frames is."""

    def __init__(self, prepared: Prepared) -> None:
        self.known = {}
        for name in prepared.clips("train"):
            frames = np.asarray(prepared.frames(name))
            for start in range(len(frames) - 15):
                self.known[frames[start : start + 16].tobytes()] = (name, start)

    def __call__(self, clip: Clip) -> tuple[str, int]:
        frames = np.rint((clip + 1) * 127.5).astype(np.uint8).transpose(1, 2, 3, 0)
        return self.known[np.ascontiguousarray(frames).tobytes()]


@pytest.fixture(scope="module")
def place_of(prepared: Prepared) -> Places:
    return Places(prepared)


@pytest.mark.parametrize("name", CLIPS)
def test_a_sample_depends_on_the_seed_and_its_number_alone(name: str, make_batches: MakeBatches) -> None:
    first, again, other = make_batches(name), make_batches(name), make_batches(name, seed=1)
    numbers = [0, 3, 98, 99, 250, 7]
    forth = {number: first.sample(number) for number in numbers}
    back = {number: again.sample(number) for number in reversed(numbers)}
    for number in numbers:
        for key, one in forth[number].items():
            assert one.tobytes() == back[number][key].tobytes()
    assert any(forth[number]["clips"].tobytes() != other.sample(number)["clips"].tobytes() for number in numbers)


@pytest.mark.parametrize("name", CLIPS)
def test_a_batch_holds_its_own_samples(name: str, make_batches: MakeBatches) -> None:
    batches = make_batches(name)
    drawn = draw(batches, range(8, 12))
    assert drawn["clips"].shape == (4, batches.recipe.channels, 16, 32, 32)
    for index in range(4):
        for key, value in batches.sample(8 + index).items():
            assert value.dtype == np.float32
            assert np.abs(value).max() <= 1
            np.testing.assert_array_equal(drawn[key][index], value)


def test_every_window_is_seen_once_before_any_is_seen_again(make_batches: MakeBatches, place_of: Places) -> None:
    batches = make_batches("baseline", crop=0)
    count = len(batches.normal.windows)
    assert count == len(place_of.known) == 3 * (48 - 15)
    first, second = ([place_of(batches.sample(turn * count + i)["clips"]) for i in range(count)] for turn in (0, 1))
    assert set(first) == set(second) == set(place_of.known.values())
    assert first != second
    assert first != sorted(first)


def test_an_epoch_is_so_many_steps_or_every_window_once(make_batches: MakeBatches) -> None:
    assert make_batches("baseline", steps=7).steps == 7
    assert make_batches("baseline", steps=0, batch=10).steps == 9
    assert make_batches("baseline", steps=0, batch=100).steps == 1


def test_the_baseline_sees_what_it_is_to_give_back(make_batches: MakeBatches) -> None:
    batches = make_batches("baseline")
    for number in range(5):
        one, two = pair_of(batches, number)
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize(("probability", "slack"), [(0.0, 0.0), (0.2, 0.08), (0.6, 0.09), (1.0, 0.0)])
def test_so_many_samples_are_pseudo_anomalies(make_batches: MakeBatches, probability: float, slack: float) -> None:
    batches = make_batches("skip", on_the_fly=True, probability=probability, crop=0)
    pairs = [pair_of(batches, number) for number in range(250)]
    share = np.mean([not np.array_equal(*pair) for pair in pairs])
    assert share == pytest.approx(probability, abs=slack)  # the slack is of three standard deviations


@pytest.mark.parametrize("name", PAIRS)
def test_a_crop_is_a_place_of_the_whole(name: str, make_batches: MakeBatches) -> None:
    for number in range(6):
        whole = pair_of(make_batches(name, crop=0), number)
        part = pair_of(make_batches(name), number)
        views = [np.lib.stride_tricks.sliding_window_view(clip, (32, 32), axis=(2, 3)) for clip in whole]
        same = [(view == clip[:, :, None, None]).all(axis=(0, 1, 4, 5)) for view, clip in zip(views, part, strict=True)]
        assert (same[0] & same[1]).any()


@pytest.mark.parametrize("on_the_fly", [True, False])
def test_the_target_of_a_skipping_clip_goes_on_frame_by_frame(
    make_batches: MakeBatches, place_of: Places, prepared: Prepared, pseudo: PASet, on_the_fly: bool
) -> None:
    batches = make_batches("skip", on_the_fly=on_the_fly, probability=1.0, crop=0)
    strides = set()
    for number in range(30):
        faster, target = pair_of(batches, number)
        name, start = place_of(target)
        frames = prepared.frames(name)
        fits = [s for s in (2, 3) if start + 15 * s < 48]
        (stride,) = [s for s in fits if np.allclose(faster, unit(frames[start + s * np.arange(16)]), atol=1e-6)]
        strides.add(stride)
        if not on_the_fly:
            assert {"clip": name, "start": start, "stride": stride} in pseudo.records("skip", name)
    assert strides == {2, 3}  # 4 and 5 do not fit into 48 frames


def test_skips_on_the_fly_are_those_of_the_generator(make_batches: MakeBatches, place_of: Places) -> None:
    batches, normal = make_batches("skip", on_the_fly=True, probability=1.0, crop=0), make_batches("baseline", crop=0)
    for number in range(20):
        rng = generator(0, "sample", number)
        rng.random()  # whether it is a pseudo-anomaly
        name, start = place_of(normal.sample(number)["clips"])
        skip = draw_skip(48, start, 16, (2, 3, 4, 5), rng)
        assert place_of(batches.sample(number)["targets"]) == (name, skip.start)


def test_the_target_of_an_inpainted_clip_is_the_normal_clip(
    make_batches: MakeBatches, place_of: Places, pseudo: PASet
) -> None:
    batches = make_batches("spatial", probability=1.0, crop=0)
    items = {(item.clip, item.start): item for item in pseudo.items("spatial", 16)}
    for number in range(10):
        painted, target = pair_of(batches, number)
        stored = pseudo.render(items[place_of(target)], 16)
        np.testing.assert_allclose(painted, unit(stored.pseudo), atol=1e-6)
        np.testing.assert_array_equal(painted[:, ~stored.mask], target[:, ~stored.mask])


def test_the_target_of_mixed_flow_is_the_flow_itself(
    make_batches: MakeBatches, flow: FlowFolder, pseudo: PASet
) -> None:
    batches = make_batches("temporal", probability=1.0, crop=0)
    items = pseudo.items("temporal", 16)
    normal = [np.asarray(flow.flow(item.clip)[item.start : item.start + 16], np.float32) for item in items]
    for number in range(5):
        mixed, target = ((8 * clip[:2]).transpose(1, 0, 2, 3) for clip in pair_of(batches, number))
        (item,) = [item for item, maps in zip(items, normal, strict=True) if np.allclose(maps, target, atol=1e-5)]
        stored = pseudo.render(item, 16)
        np.testing.assert_allclose(mixed, stored.pseudo.clip(-8, 8), atol=1e-5)
        unchanged = ~np.repeat(stored.mask[:, None], 2, axis=1)
        np.testing.assert_array_equal(mixed[unchanged], target[unchanged])


def test_flow_is_its_two_directions_and_its_speed(make_batches: MakeBatches) -> None:
    both, speed = make_batches("temporal", encoding="uv"), make_batches("temporal", encoding="uvm")
    for number in range(5):
        for uv, uvm in zip(pair_of(both, number), pair_of(speed, number), strict=True):
            assert (uv.shape, uvm.shape) == ((2, 16, 32, 32), (3, 16, 32, 32))
            np.testing.assert_array_equal(uv, uvm[:2])
            np.testing.assert_allclose(uvm[2], np.minimum(np.hypot(uv[0], uv[1]), 1), atol=1e-6)


def test_flow_beyond_the_radius_is_cut_off(make_batches: MakeBatches) -> None:
    clip = make_batches("temporal", radius=0.01, probability=0.0).sample(0)["clips"]
    assert clip.max() == 1
    assert clip.min() == -1


class Footage:
    """Training clips of so many frames; frame t of every clip is t everywhere."""

    size = (48, 64)

    def __init__(self, **lengths: int) -> None:
        self.lengths = lengths

    def clips(self, split: str) -> list[str]:
        return list(self.lengths)

    stretches = clips

    def length(self, name: str) -> int:
        return self.lengths[name]

    def frames(self, name: str) -> Clip:
        return np.broadcast_to(
            np.arange(self.lengths[name], dtype=np.uint8)[:, None, None, None], (self.lengths[name], 48, 64, 1)
        )


class Flow:
    """Its flow, as absent as its motion."""

    def __init__(self, footage: Footage) -> None:
        self.footage = footage

    def flow(self, name: str) -> Clip:
        return np.zeros((self.footage.length(name) - 1, 2, 48, 64), np.float16)


def batches_of(footage: Footage, recipe: ClipRecipe, flow: Any = None) -> ClipBatches:
    shown: Any = FrameInput(footage) if flow is None else FlowInput(flow, "dis", "uvm", 8.0)  # type: ignore[arg-type]
    return ClipBatches(recipe, footage, shown, None, 0)  # type: ignore[arg-type]


def test_clips_too_short_for_a_stride_borrow_from_longer_ones(tiny: RecipeAt) -> None:
    footage = Footage(short=20, long=40)
    batches = batches_of(footage, tiny("skip", probability=1.0, crop=0))
    batches.check()
    assert batches.normal.long_enough(16, (2, 3)) == ["long"]
    normal = batches_of(footage, tiny("baseline", crop=0))
    borrowed = 0
    for number in range(30):
        faster, target = (np.rint((clip[0, :, 0, 0] + 1) * 127.5) for clip in pair_of(batches, number))
        assert (np.diff(target) == 1).all()
        assert (np.diff(faster) == 2).all()
        assert faster[0] == target[0]
        assert faster[-1] < 40
        borrowed += normal.normal.window(number)[0] == "short"
    assert borrowed > 0


SHORT = "of {} frames and more for 16 frames at a stride of {}, .* the longest has {}; lower {}, or give longer"


def test_footage_that_is_too_short_is_refused(tiny: RecipeAt) -> None:
    with pytest.raises(PagenError, match=r"16 frames and more, the longest has 15; lower --window"):
        batches_of(Footage(a=15, b=7), tiny("baseline")).check()
    with pytest.raises(PagenError, match=SHORT.format(31, 2, 30, "--window")):
        batches_of(Footage(a=30, b=20), tiny("skip")).check()
    with pytest.raises(PagenError, match=SHORT.format(46, 3, 30, "--strides or --window")):
        batches_of(Footage(a=30, b=20), tiny("skip", strides=(3, 5))).check()
    for name in ("baseline", "skip"):  # strides of 2 are the lowest there are, and those of a baseline are not its own
        with pytest.raises(PagenError, match=SHORT.format(31, 2, 30, "--window")):
            batches_of(Footage(a=30, b=20), tiny(name)).check_pairs(wanted=False)
    footage = Footage(a=16)
    with pytest.raises(PagenError, match=r"17 frames and more, the longest has 16"):
        batches_of(footage, tiny("temporal"), Flow(footage)).check()
    with pytest.raises(PagenError, match="the longest has 0"):
        batches_of(Footage(), tiny("baseline")).check()
    batches_of(Footage(a=30), tiny("skip", probability=0.0)).check()
    batches_of(Footage(a=31), tiny("skip")).check()
    footage = Footage(a=17)
    batches_of(footage, tiny("temporal"), Flow(footage)).check()


def test_crops_follow_what_moves(prepared: Prepared, make_batches: MakeBatches) -> None:
    """With `moving` at 1 the crops see more change than anywhere."""
    follow, anywhere = (make_batches("baseline", crop=16, moving=moving) for moving in (1.0, 0.0))
    assert replace(follow.recipe, moving=0.0) == anywhere.recipe
    change = [
        np.mean([np.abs(np.diff(b.sample(i)["clips"], axis=1)).mean() for i in range(60)]) for b in (follow, anywhere)
    ]
    assert change[0] > 1.3 * change[1]


def test_patches_on_the_fly_lie_over_their_target(make_batches: MakeBatches, place_of: Places) -> None:
    batches = make_batches("patch", on_the_fly=True, probability=1.0, crop=0)
    for number in range(6):
        patched, target = pair_of(batches, number)
        place_of(target)
        changed = (patched != target).any(axis=(0, 1))
        assert 0 < changed.mean() < 0.95


def test_kinds_are_mixed_by_their_shares(make_batches: MakeBatches) -> None:
    mixed = {"probability": 1.0, "kinds": ("skip", "patch", "spatial"), "shares": (1.0, 2.0, 1.0)}
    batches = make_batches("skip", **mixed)
    kinds = [batches.describe(number).split()[0] for number in range(200)]
    assert {kind: kinds.count(kind) / 200 for kind in mixed["kinds"]} == pytest.approx(
        {"skip": 0.25, "patch": 0.5, "spatial": 0.25}, abs=0.11
    )
    equally = make_batches("skip", **{**mixed, "shares": ()})
    assert {equally.describe(number).split()[0] for number in range(30)} == set(mixed["kinds"])


def test_steal_is_to_give_back_its_input_badly_where_it_is_pseudo_anomalous(make_batches: MakeBatches) -> None:
    signs = []
    batches = make_batches("steal", probability=0.5)
    for number in range(40):
        sample = batches.sample(number)
        np.testing.assert_array_equal(sample["clips"], sample["targets"])
        assert (sample["signs"] < 0) == (not batches.describe(number).startswith("normal"))
        signs.append(float(sample["signs"]))
    assert set(signs) == {-1.0, 1.0}


def test_luss_sees_a_clip_and_what_comes_next_and_a_clip_from_elsewhere(
    make_batches: MakeBatches, prepared: Prepared, place_of: Places
) -> None:
    batches = make_batches("luss", crop=0)
    labels = []
    for number in range(60):
        sample = batches.sample(number)
        name, start = place_of(sample["clips"])
        coming = unit(np.asarray(prepared.frames(name)[start + 16 : start + 17]))
        np.testing.assert_allclose(sample["next"], coming, atol=1e-6)
        labels.append(float(sample["labels"]))
        if not sample["labels"]:
            place_of(sample["fast"])
        else:
            with pytest.raises(KeyError):
                place_of(sample["fast"])
    assert np.mean(labels) == pytest.approx(0.5, abs=0.2)  # three standard deviations


def test_no_clip_of_a_set_straddles_two_pseudo_anomalies(make_batches: MakeBatches, pseudo: PASet) -> None:
    for name, kind in (("spatial", "spatial"), ("temporal", "temporal"), ("luss", "spatial")):
        changes = {} if name == kind else {"kinds": (kind,)}
        batches = make_batches(name, probability=1.0, **changes)
        segments = {clip: [record["start"] for record in pseudo.records(kind, clip)] for clip in pseudo.clips(kind)}
        for number in range(40):
            clip, start = batches.describe(number).split()[1].split("@")
            assert int(start) in segments[clip]
    for item in pseudo.items("spatial", 8):
        record = pseudo.records("spatial", item.clip)[item.start // 16]
        assert record["start"] <= item.start <= record["start"] + record["frames"] - 8
    assert {item.start % 16 for item in pseudo.items("spatial", 8)} == set(range(9))


def strides_of(batches: ClipBatches, numbers: range) -> list[int]:
    """The stride of the accelerated clip of each sample, of whole frames."""
    places, found = {}, []
    for name in batches.prepared.clips("train"):
        for start, frame in enumerate(np.asarray(batches.prepared.frames(name))):
            places[frame.tobytes()] = name, start
    for number in numbers:
        fast = np.rint((batches.sample(number)["fast"] + 1) * 127.5).astype(np.uint8).transpose(1, 2, 3, 0)
        first, second = (places[np.ascontiguousarray(frame).tobytes()] for frame in fast[:2])
        assert first[0] == second[0]
        found.append(second[1] - first[1])
    return found


def test_the_stride_of_accelerated_clips_is_drawn_for_a_batch_or_for_each(make_batches: MakeBatches) -> None:
    settings = {"crop": 0, "batch": 4, "accelerated": 0.999999, "strides": (2, 3), "weights": (0.6, 0.4, 1.0)}
    batch, clip = (make_batches("luss", stride_per=per, **settings) for per in ("batch", "clip"))
    numbers = range(48)
    by_batch = np.reshape(strides_of(batch, numbers), (12, 4))
    assert (by_batch == by_batch[:, :1]).all()
    assert set(by_batch[:, 0]) == {2, 3}
    by_clip = np.reshape(strides_of(clip, numbers), (12, 4))
    assert (by_clip != by_clip[:, :1]).any()
    for key, value in batch.sample(17).items():  # whichever sample is asked for first
        np.testing.assert_array_equal(make_batches("luss", stride_per="batch", **settings).sample(17)[key], value)


def test_without_weight_no_clip_is_accelerated(make_batches: MakeBatches, monkeypatch: pytest.MonkeyPatch) -> None:
    batches = make_batches("luss", weights=(0.6, 0.4, 0.0))
    monkeypatch.setattr(ClipBatches, "accelerated", None)
    assert set(batches.sample(0)) == {"clips", "targets", "next"}
    too_long = make_batches("luss", weights=(0.6, 0.4, 0.0), strides=(9,))
    too_long.check()
    with pytest.raises(PagenError, match="lower --strides"):
        make_batches("luss", strides=(9,)).check()


def test_the_share_of_pseudo_anomalies_grows_over_the_warm_up(make_batches: MakeBatches) -> None:
    settings = {"probability": 0.8, "warm_up": 2, "steps": 50, "batch": 4}
    batches = make_batches("skip", **settings)
    assert [batches.recipe.share_at(step, 50) for step in (0, 49, 99, 500)] == pytest.approx([0.008, 0.4, 0.8, 0.8])
    kinds = [[batches.describe(number).split()[0] for number in range(first, first + 200)] for first in (0, 200, 400)]
    early, middle, late = (each.count("skip") / 200 for each in kinds)
    assert early < 0.35 < middle < 0.72 < late
    assert batches.describe(310) == make_batches("skip", **settings).describe(310)
    plain = make_batches("skip", probability=0.8, steps=50, batch=4)
    assert [plain.describe(number) for number in range(400, 440)] == [
        batches.describe(number) for number in range(400, 440)
    ]
