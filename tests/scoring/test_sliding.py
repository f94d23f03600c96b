"""Which window scores which frame, for networks that answer with what they see."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from pagen.errors import PagenError
from pagen.footage.clip_input import FlowInput, FrameInput
from pagen.models.clip_network import REBUILT, Answer
from pagen.models.conv_ae import ConvAE3d
from pagen.models.luss import LUSSAE, predict
from pagen.scoring.errors import frame_bpe, psnr
from pagen.scoring.policies import POLICIES
from pagen.scoring.sliding import Slider, slide
from pagen.scoring.window_scores import worst


class Mean(torch.nn.Module):
    """Answers with the mean of the window's frames, so that every frame of it matters."""

    measure: ClassVar[str] = "mse"
    beyond: ClassVar[int] = 0

    def answer(self, clips: Tensor, frames: Sequence[int]) -> Answer:
        return Answer({REBUILT: clips.mean(dim=2, keepdim=True).expand_as(clips)[:, :, frames]})


class Given(FrameInput):
    """A clip is what is shown of it, (C, T, H, W), with the frames first: (T, C, H, W)."""

    def source(self, clip: Any) -> Any:
        return clip

    def shown(self, part: np.ndarray) -> Any:
        return part.astype(np.float32).swapaxes(0, 1)


class GivenFlow(FlowInput):
    """The same as flow, of which a clip's first frame has none."""

    source = Given.source  # type: ignore[assignment]  # a clip is no name here
    shown = Given.shown  # type: ignore[assignment]


def slider(network: torch.nn.Module, policy: str = "last", window: int = 16) -> Slider:
    return Slider(network, Given(), window, policy)


def take(values: np.ndarray, side: int = 4) -> Any:
    """A clip whose frames have one value each."""
    return np.broadcast_to(values[:, None, None, None], (len(values), 1, side, side))


def wide(values: np.ndarray) -> Any:
    return take(values, 32)


CAUSAL = [name for name, policy in POLICIES.items() if policy.causal]


@pytest.mark.parametrize("policy", CAUSAL)
@pytest.mark.parametrize("known", [1, 2, 7, 15, 16, 17, 23])
def test_causal_policies_do_not_know_what_comes(known: int, policy: str) -> None:
    values = np.random.default_rng(0).uniform(-1, 1, 24)
    whole = slider(Mean(), policy).scores(take(values))
    prefix = slider(Mean(), policy).scores(take(values[:known]))
    for name in ("psnr", "psnr_local"):
        np.testing.assert_array_equal(prefix[name], whole[name][:known])


@pytest.mark.parametrize("policy", CAUSAL)
def test_networks_do_not_know_what_comes(policy: str) -> None:
    torch.manual_seed(0)
    frames: Any = np.random.default_rng(0).uniform(-1, 1, (24, 3, 32, 32))
    networks = [
        (Given(), ConvAE3d(3, "tiny")),
        (GivenFlow(None, "dis", "uvm", 8.0), ConvAE3d(3, "tiny")),
        (Given(), LUSSAE(3, "tiny", prp="conv")),
    ]
    for clip_input, network in networks:
        moved = Slider(network.eval(), clip_input, 16, policy)
        whole, prefix = moved.scores(frames), moved.scores(frames[:18])
        assert whole.keys() == prefix.keys()
        for name, values in prefix.items():
            assert len(values) == 18 + clip_input.late
            np.testing.assert_array_equal(values, whole[name][: len(values)], name)


def test_what_looks_ahead_is_not_called_causal() -> None:
    assert {"last", "window"} == set(CAUSAL)
    values = np.random.default_rng(0).uniform(-1, 1, 24)
    for policy in POLICIES.keys() - set(CAUSAL):
        whole, prefix = (slider(Mean(), policy).scores(take(values[:count]))["psnr"] for count in (24, 18))
        assert (whole[:18] != prefix).any(), policy


@pytest.mark.parametrize("policy", list(POLICIES))
@pytest.mark.parametrize("length", [1, 5, 16, 17, 40])
def test_every_frame_gets_a_score(policy: str, length: int) -> None:
    torch.manual_seed(0)
    for network in (Mean(), LUSSAE(1, "tiny", prp="conv").eval()):
        scores = slider(network, policy).scores(wide(np.linspace(-1, 1, length)))
        assert {name: len(values) for name, values in scores.items()} == dict.fromkeys(scores, length)
        assert all(np.isfinite(values).all() for values in scores.values())


@pytest.mark.parametrize(("policy", "scored"), [("last", 15), ("ninth", 8)])
def test_a_frame_is_scored_in_its_own_window(policy: str, scored: int) -> None:
    values = np.random.default_rng(1).uniform(-1, 1, 30)
    scores = slider(Mean(), policy).scores(take(values))["psnr"]
    for frame in range(30):
        assert scores[frame] == pytest.approx(decibels(error(values, frame - scored, frame)), rel=1e-4)


def test_lusss_policy_takes_all_frames_of_the_window_before() -> None:
    values = np.random.default_rng(1).uniform(-1, 1, 30)
    scores = slider(Mean(), "window").scores(take(values))["psnr"]
    for frame in range(1, 30):
        errors = [error(values, frame - 16, frame - 16 + place) for place in range(16)]
        assert scores[frame] == pytest.approx(decibels(np.mean(errors)), rel=1e-4)


def test_the_mean_is_taken_over_every_window_that_holds_the_frame() -> None:
    values = np.random.default_rng(1).uniform(-1, 1, 30)
    scores = slider(Mean(), "mean").scores(take(values))["psnr"]
    for frame in range(30):
        errors = [error(values, start, frame) for start in range(frame - 15, frame + 1)]
        assert scores[frame] == pytest.approx(decibels(np.mean(errors)), rel=1e-4)


def test_blocks_do_not_overlap() -> None:
    values = np.random.default_rng(1).uniform(-1, 1, 30)
    scores = slider(Mean(), "block").scores(take(values))["psnr"]
    for frame in range(30):
        assert scores[frame] == pytest.approx(decibels(error(values, frame // 16 * 16, frame)), rel=1e-4)


def test_the_ninth_of_a_block_speaks_for_all_its_frames() -> None:
    values = np.random.default_rng(1).uniform(-1, 1, 30)
    scores = slider(Mean(), "ninth_block").scores(take(values))["psnr"]
    for frame in range(30):
        start = frame // 16 * 16
        assert scores[frame] == pytest.approx(decibels(error(values, start, start + 8)), rel=1e-4)


def test_the_ninth_of_a_block_is_what_its_block_says_of_it() -> None:
    torch.manual_seed(0)
    shown: Any = np.random.default_rng(0).uniform(-1, 1, (40, 1, 32, 32))
    for network in (Mean(), LUSSAE(1, "tiny", prp="conv").eval()):
        each, ninth = (slider(network, policy).scores(shown) for policy in ("block", "ninth_block"))
        assert each.keys() == ninth.keys()
        for name, values in ninth.items():
            np.testing.assert_allclose(values[8::16], each[name][8::16], rtol=1e-6, err_msg=name)


def error(values: np.ndarray, start: int, frame: int) -> float:
    """Of a frame in the window at `start`, whose mean is what `Mean` answers, in [0, 1]."""
    window = values[np.clip(np.arange(16) + start, 0, len(values) - 1)]
    return float(max((values[np.clip(frame, 0, len(values) - 1)] - window.mean()) ** 2 / 4, 1e-12))


def decibels(value: float) -> float:
    return float(10 * np.log10(value))


def test_windows_are_held_a_few_at_a_time() -> None:
    held = []

    class Watch(Mean):
        def answer(self, clips: Tensor, frames: Sequence[int]) -> Answer:
            held.append(tuple(clips.shape))
            return super().answer(clips, frames)

    slider(Watch()).scores(take(np.zeros(50)))
    assert set(held) == {(4, 1, 16, 4, 4)}


def test_of_windows_that_were_scored_numbers_alone_are_held(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[weakref.ref[Any]] = []
    few = Slider._few

    def watched(self: Slider, *given: Any) -> Any:
        assert all(each() is None for each in found[:-3])  # the last few are handed on: two of scores, one of maps
        (scores,) = few(self, *given)
        found.extend(weakref.ref(values) for kind in (scores.frames, scores.maps) for values in kind.values())
        return [scores]

    monkeypatch.setattr(Slider, "_few", watched)
    slider(Mean()).scores(take(np.zeros(40)))
    assert len(found) == 3 * 11


LOOKS = st.lists(st.tuples(st.sampled_from([*POLICIES]), st.sampled_from([None, "mse", "pse"])), min_size=1, max_size=5)


@pytest.mark.parametrize("made", [Mean, partial(ConvAE3d, 1, "tiny"), partial(LUSSAE, 1, "tiny", prp="conv")])
@given(looks=LOOKS, count=st.integers(1, 40))
@settings(max_examples=15, deadline=None)
def test_several_looks_at_once_are_what_each_gives_alone(
    made: Callable[[], torch.nn.Module], looks: list[tuple[str, str | None]], count: int
) -> None:
    torch.manual_seed(0)
    network, clip = made().eval(), wide(np.random.default_rng(count).uniform(-1, 1, count))
    sliders = [Slider(network, Given(), 16, policy, measure=measure) for policy, measure in looks]
    for found, slider in zip(slide(sliders, clip), sliders, strict=True):
        alone = slider.scores(clip)
        assert found.keys() == alone.keys()
        for name, values in alone.items():
            np.testing.assert_array_equal(found[name], values)


def test_a_window_is_encoded_once_for_all_that_look_at_it() -> None:
    network, seen = ConvAE3d(1, "tiny").eval(), [0]
    network.encoder[0].register_forward_hook(lambda *_: seen.__setitem__(0, seen[0] + 1))
    network.encoder = torch.nn.Sequential(torch.nn.Identity(), *network.encoder)  # which is shown whole windows
    alone = []
    for policy in ("last", "ninth", "mean"):
        seen[0] = 0
        Slider(network, Given(), 16, policy).scores(wide(np.zeros(24)))
        alone.append(seen[0])
    seen[0] = 0
    slide([Slider(network, Given(), 16, policy) for policy in ("last", "ninth", "mean")], wide(np.zeros(24)))
    assert seen[0] == max(alone) > 0


def test_a_window_of_eight_has_no_ninth_frame() -> None:
    with pytest.raises(PagenError, match="expected windows of 9 frames and more for policy ninth, found 8"):
        slider(Mean(), "ninth", window=8).scores(take(np.zeros(9)))


def test_unknown_policies_are_named() -> None:
    with pytest.raises(PagenError, match="no window policy named 'lats'; did you mean 'last'"):
        slider(Mean(), "lats").scores(take(np.zeros(9)))


def test_luss_scores_the_frame_that_it_predicts() -> None:
    torch.manual_seed(0)
    network = LUSSAE(1, "tiny", prp="conv").eval()
    frames = np.random.default_rng(0).uniform(-1, 1, (1, 24, 32, 32)).astype(np.float32)
    scores = slider(network).scores(frames.swapaxes(0, 1))  # type: ignore[arg-type]  # a clip is no name here
    assert scores.keys() == {"vcr", "vcr_local", "prp", "ffp", "ffp_local"}
    for frame in (0, 3, 16, 23):
        before = torch.from_numpy(frames[:, np.clip(np.arange(frame - 16, frame), 0, None)])[None]
        until = torch.from_numpy(frames[:, np.clip(np.arange(frame - 15, frame + 1), 0, None)])[None]
        with torch.inference_mode():
            ffp, found = predict(network, before).ffp, predict(network, until)
        coming: Any = torch.from_numpy(frames[:, frame : frame + 1])[None]
        assert scores["ffp"][frame] == pytest.approx(-float(psnr(frame_bpe(coming, ffp), 2.0)), rel=1e-5)
        assert scores["vcr"][frame] == pytest.approx(-float(psnr(frame_bpe(until, found.vcr), 2.0)[0, 15]), rel=1e-5)
        margin = float(found.logits[0, 1] - found.logits[0, 0])
        assert scores["prp"][frame] == pytest.approx(margin, abs=1e-5)


@pytest.mark.parametrize("late", [0, 1])
def test_maps_are_what_the_scores_at_the_worst_place_are_read_off(late: int) -> None:
    torch.manual_seed(0)
    frames: Any = np.random.default_rng(0).uniform(-1, 1, (11, 1, 32, 48))
    clip_input: Any = GivenFlow(None, "dis", "uv", 8.0) if late else Given()
    for network in (ConvAE3d(1, "tiny"), LUSSAE(1, "tiny", window=8, prp="conv")):
        moved = Slider(network.eval(), clip_input, 8, "mean")
        scores = Slider(network, clip_input, 8).scores(frames)
        for name in (name for name in scores if name.endswith("_local")):
            maps = torch.from_numpy(np.stack(list(moved.maps(frames, name))))
            np.testing.assert_array_equal(worst(name, maps[:, None])[:, 0].numpy(), scores[name], name)
