"""Silhouettes against things whose place is known; one followed, one anew in each frame, or all."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from pagen.errors import PagenError
from pagen.generate.mask_motion import MotionMasks, background, components, draw_anew, follow, silhouettes, take_all
from pagen.generate.masks import bounded
from pagen.seeds import generator

Video = npt.NDArray[np.uint8]
Masks = npt.NDArray[np.bool_]


def walkers(channels: int = 1, frames: int = 40) -> tuple[Video, Masks]:
    """A dark square that walks to the right over noisy ground, and a bright one that walks down further right."""
    rng = generator(0, "walkers")
    ground = rng.integers(90, 140, size=(96, 128, channels))
    video = np.clip(ground + rng.normal(0, 2, size=(frames, 96, 128, channels)), 0, 255).astype(np.uint8)
    truth = np.zeros((2, frames, 96, 128), np.bool_)
    for t in range(frames):
        truth[0, t, 60:76, 2 + 2 * t : 14 + 2 * t] = True
        truth[1, t, 5 + t : 19 + t, 108:120] = True
    video[truth[0]] //= 3
    video[truth[1]] += 90
    return video, truth


def test_background_is_the_median_of_evenly_spread_frames() -> None:
    video, _ = walkers(frames=41)
    np.testing.assert_array_equal(background(video), np.median(video, axis=0))
    long = np.arange(200, dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 2, 1), np.uint8)
    assert abs(int(background(long)[0, 0, 0]) - 99.5) <= 1


@pytest.mark.parametrize("channels", [1, 3])
def test_silhouettes_recover_what_moves(channels: int) -> None:
    video, truth = walkers(channels)
    found, expected = silhouettes(video, background(video)), truth.any(axis=0)
    for t in range(len(video)):
        assert (found[t] & expected[t]).sum() / (found[t] | expected[t]).sum() > 0.85
    # in whatever pieces, and under another light
    np.testing.assert_array_equal(found[7:9], silhouettes(video[7:9], background(video)))
    lighter = silhouettes(video[:5] + np.uint8(20), background(video))
    assert (lighter == found[:5]).mean() > 0.995


def test_silhouettes_of_noise_are_empty() -> None:
    for sigma in (1, 5, 12):
        noise = np.clip(128 + generator(1, sigma).normal(0, sigma, size=(12, 64, 64, 1)), 0, 255).astype(np.uint8)
        assert not silhouettes(noise, background(noise)).any()


def test_components_touch_at_corners() -> None:
    grid = np.zeros((8, 8), np.bool_)
    grid[1:3, 1:3] = grid[3:5, 3:5] = grid[6, 0] = True
    assert components(grid).sum(axis=(1, 2)).tolist() == [8, 1]
    assert components(np.zeros((8, 8), np.bool_)).shape == (0, 8, 8)


def test_follow_keeps_to_one_of_two() -> None:
    _, truth = walkers()
    chosen = []
    for seed in range(12):
        masks = np.stack(list(follow(map(components, truth.any(axis=0)), generator(seed))))
        one = int(np.argmax([(masks & thing).sum() for thing in truth]))
        assert (masks & truth[one] == truth[one]).all()
        assert not (masks & truth[1 - one]).any()
        assert masks.sum() > truth[one].sum()
        chosen.append(one)
    assert set(chosen) == {0, 1}


def test_instances_that_overlap_are_followed_one_by_one() -> None:
    # two that cross: as a silhouette they are one, as instances they are not
    things = np.zeros((2, 20, 40, 60), np.bool_)
    for t in range(20):
        things[0, t, 10:22, 2 * t : 2 * t + 10] = True
        things[1, t, 16:28, 40 - 2 * t : 50 - 2 * t] = True
    for seed in range(6):
        masks = np.stack(list(follow((things[:, t] for t in range(20)), generator(seed))))
        one = int(np.argmax([(masks[0] & thing[0]).sum() for thing in things]))
        assert (masks & things[one] == things[one]).all()
        assert (masks.sum(axis=(1, 2)) < 14 * 12 + 1).all()


def test_a_lost_thing_is_replaced_by_another_and_none_gives_an_empty_mask() -> None:
    _, truth = walkers(frames=12)
    seen = truth.any(axis=0)
    seen[4:6] = False
    seen[8:, :, :100] = False
    masks = np.stack(list(follow(map(components, seen), generator(3))))
    assert (~masks.any(axis=(1, 2))).nonzero()[0].tolist() == [4, 5]
    assert (masks[8:] & truth[1, 8:] == truth[1, 8:]).all()


def plain_follow(silhouettes: Masks, rng: np.random.Generator) -> Masks:
    """The same by the labels of an image, frame by frame, with the fall-backs drawn in between."""
    from pagen.generate.mask_random import random_mask

    masks, followed = [], np.zeros(silhouettes.shape[1:], np.uint8)
    for frame in silhouettes.astype(np.uint8):
        count, labels = cv2.connectedComponents(frame)
        overlap = np.bincount(labels[cv2.dilate(followed, cv2.getStructuringElement(2, (3, 3))) > 0], minlength=count)
        overlap[0] = 0
        chosen = int(overlap.argmax())
        if count > 1 and not chosen:
            chosen = 1 + int(rng.integers(count - 1))
        followed = (labels == (chosen or -1)).astype(np.uint8)
        mask = cv2.dilate(followed, cv2.getStructuringElement(2, (3, 3))) > 0
        masks.append(mask if 0 < mask.mean() <= 0.5 else random_mask(mask.shape, rng))
    return np.stack(masks)


def test_follow_draws_in_the_order_of_the_frames() -> None:
    rng = generator(0, "blobs")
    for seed in range(8):
        blobs = np.stack([cv2.blur(rng.random((60, 80)), (9, 9)) > 0.53 for _ in range(10)])
        blobs[::4] = False
        masks, _ = bounded(follow(map(components, blobs), generator(seed)), generator(seed))
        shared = generator(seed)
        masks, fell_back = bounded(follow(map(components, blobs), shared), shared)
        np.testing.assert_array_equal(masks, plain_follow(blobs, generator(seed)))
        assert fell_back >= 3


def test_frame_draws_one_anew_in_each_frame() -> None:
    _, truth = walkers()
    masks = np.stack(list(draw_anew(map(components, truth.any(axis=0)), generator(1))))
    hit = np.stack([(masks & thing).any(axis=(1, 2)) for thing in truth])
    assert (hit.sum(axis=0) == 1).all()
    # each with probability one half, whatever came before
    assert 10 <= hit[0].sum() <= 30
    assert 10 <= (hit[0, 1:] != hit[0, :-1]).sum() <= 30


def test_union_takes_all_and_draws_nothing() -> None:
    _, truth = walkers()
    rng = generator(0)
    masks = np.stack(list(take_all(map(components, truth.any(axis=0)), rng)))
    expected = np.stack([cv2.dilate(frame.astype(np.uint8), np.ones((3, 3), np.uint8)) for frame in truth.any(axis=0)])
    assert (masks & truth.any(axis=0) == truth.any(axis=0)).all()
    assert (masks <= expected).all()
    assert rng.integers(10**9) == generator(0).integers(10**9)


@pytest.mark.parametrize("choice", ["follow", "frame", "union"])
def test_a_segment_counts_the_frames_in_which_nothing_moves(choice: str) -> None:
    video, _ = walkers()
    kind = MotionMasks(choice)
    ground = kind.prepare(video, "train_01")
    video[3:5], video[9] = ground, ground
    masks, fell_back = kind.segment(video[:16], ground, generator(0))
    assert fell_back == 3
    assert masks.any(axis=(1, 2)).all()
    assert kind.origin() is None


def test_union_above_half_of_the_frame_falls_back() -> None:
    video = np.full((21, 40, 40, 1), 100, np.uint8)
    video[0, :, :12], video[0, :, 24:34] = 200, 200
    ground = background(video)
    masks, fell_back = MotionMasks("union").segment(video[:1], ground, generator(0))
    assert fell_back == 1
    assert masks.mean() < 0.1
    # one of the two alone is small enough
    assert MotionMasks("frame").segment(video[:1], ground, generator(0))[1] == 0


def test_an_unknown_option() -> None:
    with pytest.raises(PagenError, match="did you mean 'union'"):
        MotionMasks("unoin")
