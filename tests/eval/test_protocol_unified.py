"""The unified PA paper's protocol: squared errors of flow, the ninth map, and a probability that is left alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor

from pagen.eval.protocol import CHOICES, apply
from pagen.eval.protocols import PROTOCOLS, RAW
from pagen.footage.clip_input import FlowInput, FrameInput
from pagen.models.clip_network import REBUILT, Answer
from pagen.scoring.rescale import TRAINED, of_objects, summary
from pagen.scoring.sliding import Slider

UNIFIED = PROTOCOLS["unified_pa"]
FRAMES, SIDE = 56, 8


class Blank(torch.nn.Module):
    """Answers with zeros, so that what is shown is the error."""

    measure: ClassVar[str] = "mse"
    beyond: ClassVar[int] = 0

    def answer(self, clips: Tensor, frames: Sequence[int]) -> Answer:
        return Answer({REBUILT: torch.zeros_like(clips[:, :, frames])})


class Given(FrameInput):
    """A clip is what is shown of it, (T, C, H, W)."""

    def source(self, clip: Any) -> Any:
        return clip

    def shown(self, part: np.ndarray) -> Any:
        return part.astype(np.float32).swapaxes(0, 1)


class GivenFlow(FlowInput):
    """The same as flow, of which there is one map less than frames."""

    source = Given.source  # type: ignore[assignment]  # a clip is no name here
    shown = Given.shown  # type: ignore[assignment]


FLOW = GivenFlow(None, "dis", "uvm", 8.0)


def scored(clip: np.ndarray, clip_input: FrameInput | FlowInput) -> dict[str, np.ndarray]:
    shown: Any = clip
    return Slider(Blank(), clip_input, 16, UNIFIED.policy, measure=UNIFIED.asked_measure).scores(shown)


def kept(name: str, values: np.ndarray) -> np.ndarray:
    return apply(UNIFIED.raw(), {name: {"a": values}}, {"a": np.zeros(len(values), int)})[0]["a"]


def test_errors_of_flow_are_squared() -> None:
    """Everywhere a little, with a mean square of .010; and a lot at an eighth of the pixels, with one of .031."""
    maps = np.zeros((FRAMES - 1, 3, SIDE, SIDE))
    maps[8], maps[24, :, 0] = 0.1, np.sqrt(8 * 0.031)
    mild, strong, still = kept("flow", scored(maps, FLOW)["flow"])
    assert (mild, strong, still) == (pytest.approx(0.010), pytest.approx(0.031), 0)
    shown: Any = maps
    by_length = Slider(Blank(), FLOW, 16, UNIFIED.policy).scores(shown)["flow"]
    np.testing.assert_allclose(kept("flow", by_length)[:2], [0.173, 0.108], atol=5e-4)


def test_the_ninth_frame_and_the_ninth_map_of_each_window_count() -> None:
    """Map t leads from frame t to t + 1; the ninth of 16 has index 8."""
    shape = (-1, 1, 1, 1)
    frames = np.broadcast_to((np.arange(FRAMES) / 100 + 0.01).reshape(shape), (FRAMES, 1, 4, 4))
    maps = np.broadcast_to((np.arange(FRAMES - 1) / 100 + 0.01).reshape(shape), (FRAMES - 1, 3, 4, 4))
    expected = [(index / 100 + 0.01) ** 2 for index in (8, 24, 40)]
    np.testing.assert_allclose(kept("flow", scored(maps, FLOW)["flow"]), expected, rtol=1e-5)
    decibels = kept("psnr", scored(frames, Given())["psnr"])
    np.testing.assert_allclose(4 * 10 ** (decibels / 10), expected, rtol=1e-5)


@pytest.mark.parametrize(("length", "windows"), [(16, 0), (17, 1), (32, 1), (33, 2), (180, 11)])
def test_a_window_counts_if_it_has_16_frames_and_16_maps(length: int, windows: int) -> None:
    lengths = {"a": length, "other": 40}
    values = {name: np.arange(float(count)) for name, count in lengths.items()}
    scores, _ = apply(UNIFIED.raw(), {"psnr": values}, {name: np.zeros(count, int) for name, count in lengths.items()})
    assert [*scores.get("a", ())] == [8 + 16 * window for window in range(windows)]
    assert windows == (length - 1) // 16


def test_the_probability_stays_as_it_is() -> None:
    rng = np.random.default_rng(0)
    odds, labels = rng.normal(-3, 0.1, FRAMES), {"a": np.arange(FRAMES) % 2}
    alone, _ = apply(UNIFIED, {"semantic": {"a": odds}}, labels)
    np.testing.assert_allclose(alone["a"], 1 / (1 + np.exp(-odds[[8, 24, 40]])), rtol=1e-12)
    parts = {name: {"a": rng.normal(size=FRAMES)} for name in ("psnr", "flow")}
    together, _ = apply(UNIFIED, {**parts, "semantic": {"a": odds}}, labels)
    picked = [of["a"][[8, 24, 40]] for of in parts.values()]
    stretched = [(values - values.min()) / np.ptp(values) for values in picked]
    np.testing.assert_allclose(together["a"], (sum(stretched) + alone["a"]) / 3, rtol=1e-12)


def test_without_d_two_indicators_are_added_up() -> None:
    assert UNIFIED.fused["unified"] == ("psnr", "flow", "semantic")
    assert PROTOCOLS["unified_pa_without_d"].fused["unified"] == ("psnr", "flow")


@pytest.mark.parametrize("each", CHOICES["each"])
def test_any_rescaling_can_leave_one_indicator_alone(each: str) -> None:
    rng = np.random.default_rng(0)
    parts = {name: {"a": rng.normal(size=9)} for name in ("deep", "pose")}
    known = {name: summary(rng.normal(size=99)) | of_objects(rng.normal(size=99)) for name in parts}
    protocol = replace(RAW, each=each, each_of={"pose": "none"})
    labels = {"a": np.zeros(9, int)}
    together, _ = apply(protocol, parts, labels, calibration=known)
    one = replace(protocol, each_of={})
    other = TRAINED[each](parts["deep"]["a"], known["deep"]) if each in TRAINED else None
    deep = other if other is not None else apply(one, {"deep": parts["deep"]}, labels)[0]["a"]
    np.testing.assert_allclose(together["a"], (deep + parts["pose"]["a"]) / 2, rtol=1e-12)
