from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pagen.errors import PagenError
from pagen.eval.protocols import CAUSAL, LNTRA, PROTOCOLS, apply, frames_of_maps
from pagen.footage.windows import Windows
from pagen.scoring.sliding import POLICIES

PED2 = (180, 180, 150, 180, 150, 180, 180, 180, 120, 150, 180, 180)
# first and last abnormal frame of each Ped2 test video
SPANS = ((60, 179), (94, 179), (0, 145), (30, 179), (0, 128), (0, 158), (45, 179), *((0, 179),) * 4, (87, 179))


def ped2() -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    rng = np.random.default_rng(0)
    scores = {f"test_{index + 1:02}": rng.normal(size=length) for index, length in enumerate(PED2)}
    labels = {}
    for (name, values), (first, last) in zip(scores.items(), SPANS, strict=True):
        frame = np.arange(len(values))
        labels[name] = ((frame >= first) & (frame <= last)).astype(np.uint8)
    return scores, labels


@pytest.mark.parametrize(("protocol", "frames", "abnormal"), [(CAUSAL, 2010, 1648), (LNTRA, 1830, 1526)])
def test_counts_on_ped2_are_the_published_ones(protocol, frames: int, abnormal: int) -> None:
    scores, labels = apply(protocol, *ped2())
    assert sum(map(len, scores.values())) == sum(map(len, labels.values())) == frames
    assert sum(int(marks.sum()) for marks in labels.values()) == abnormal


def test_lntra_keeps_the_frames_whose_windows_lie_inside() -> None:
    windows = Windows(16, range(16)[POLICIES["ninth"]])
    frames = [windows.frame(start) for start in windows.inside(120)]
    kept, _ = apply(LNTRA.raw(), {"a": np.arange(120.0)}, {"a": np.zeros(120, int)})
    np.testing.assert_array_equal(kept["a"], frames)


def test_lntra_stretches_after_dropping() -> None:
    scores = np.arange(30.0)
    scores[3] = 1000  # a dropped frame must not squeeze the others
    kept, _ = apply(LNTRA, {"a": scores}, {"a": np.zeros(30, int)})
    np.testing.assert_allclose(kept["a"], np.linspace(0, 1, 15), rtol=1e-12)


def test_a_video_without_a_whole_window_is_left_out() -> None:
    scores = {"short": np.arange(15.0), "long": np.arange(16.0), "tiny": np.arange(3.0)}
    labels = {name: np.zeros(len(values), int) for name, values in scores.items()}
    kept, marks = apply(LNTRA, scores, labels)
    assert {name: len(values) for name, values in kept.items()} == {"long": 1}
    assert kept.keys() == marks.keys()


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40))
def test_causal_scores_do_not_know_what_comes(known: int, more: int) -> None:
    scores = np.random.default_rng(known).normal(size=known + more)
    whole, _ = apply(CAUSAL, {"a": scores}, {"a": np.zeros(known + more, int)})
    prefix, _ = apply(CAUSAL, {"a": scores[:known]}, {"a": np.zeros(known, int)})
    np.testing.assert_array_equal(prefix["a"], whole["a"][:known])


def test_videos_do_not_touch_each_other() -> None:
    scores, labels = ped2()
    together, _ = apply(CAUSAL, scores, labels)
    for name in scores:
        alone, _ = apply(CAUSAL, {name: scores[name]}, {name: labels[name]})
        np.testing.assert_array_equal(alone[name], together[name])


@pytest.mark.parametrize("name", PROTOCOLS.names())
def test_every_protocol_is_whole(name: str) -> None:
    protocol = PROTOCOLS[name]
    assert protocol.name == name
    assert protocol.policy in POLICIES
    assert len(protocol.title) > 40
    kept, marks = apply(protocol, *ped2())
    assert all(len(kept[video]) == len(marks[video]) > 0 and np.isfinite(kept[video]).all() for video in kept)
    assert protocol.raw().rescale is protocol.raw().smooth is None


def test_labels_of_another_length_are_refused() -> None:
    with pytest.raises(PagenError, match="video a: expected a label for each of 3 scores, found 2"):
        apply(CAUSAL, {"a": np.arange(3.0)}, {"a": np.zeros(2, int)})


def test_a_map_scores_the_frame_that_it_leads_to() -> None:
    np.testing.assert_array_equal(frames_of_maps(np.array([5.0, 6.0, 7.0])), [5, 5, 6, 7])
    assert sum(len(frames_of_maps(np.zeros(length - 1))) for length in PED2) == 2010
