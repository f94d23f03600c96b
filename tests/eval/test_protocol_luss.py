"""LUSS-AE's protocols, against its equations in plain loops."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor

from pagen.eval.protocol import ANY, Protocol, apply
from pagen.eval.protocol_title import Scored, title_of
from pagen.eval.protocols import PROTOCOLS
from pagen.footage.clip_input import FrameInput
from pagen.models.clip_network import Answer
from pagen.papers.luss import AS_PRINTED
from pagen.scoring.sliding import Slider

T, SIDE, LENGTH = 16, 8, 22
PRINTED = [[math.exp(-(i**2 + j**2) / 2) / (2 * math.pi) for j in range(-2, 3)] for i in range(-2, 3)]
"""Equation 10 at sigma 1: k = 6 sigma - 1 = 5."""


class Given(FrameInput):
    """A clip is what is shown of it: (T, 1, H, W) in [-1, 1]."""

    def source(self, clip: Any) -> Any:
        return clip

    def shown(self, part: np.ndarray) -> Any:
        return part.astype(np.float32).swapaxes(0, 1)


class Fading(torch.nn.Module):
    """Gives frames back darker, foretells the last one again, and calls a clip fast by its mean."""

    measure: ClassVar[str] = "bpe"
    beyond: ClassVar[int] = 1

    def answer(self, clips: Tensor, frames: Sequence[int]) -> Answer:
        odds = {"prp": 8 * clips.mean(dim=(1, 2, 3, 4))}
        return Answer({"vcr": clips[:, :, frames] * 0.5}, {"ffp": clips[:, :, -1:] * 0.7}, odds)


def frames() -> np.ndarray:
    return np.random.default_rng(0).uniform(-1, 1, (LENGTH, 1, SIDE, SIDE)).astype(np.float32)


def bpe(frame: np.ndarray, answered: np.ndarray, kernel: list[list[float]], pixels: int) -> float:
    """Equation 11: the residual under the kernel, every second pixel of it, squared, over so many pixels."""
    residual, total = answered.astype(float) - frame.astype(float), 0.0
    for row in range(0, SIDE, 2):
        for column in range(0, SIDE, 2):
            blurred = 0.0
            for i in range(5):
                for j in range(5):
                    y, x = row + i - 2, column + j - 2
                    if 0 <= y < SIDE and 0 <= x < SIDE:
                        blurred += kernel[i][j] * residual[y, x]
            total += blurred**2
    return total / pixels


def parts(kernel: list[list[float]], pixels: int) -> dict[str, list[float]]:
    """Equations 12 to 14 for frames T to the last, each after the T frames before it."""
    clip = frames()[:, 0]
    scores: dict[str, list[float]] = {"vcr": [], "ffp": [], "prp": []}
    for t in range(T, LENGTH):
        window = clip[t - T : t]
        scores["vcr"].append(sum(bpe(frame, frame * np.float32(0.5), kernel, pixels) for frame in window) / T)
        scores["ffp"].append(bpe(clip[t], window[-1] * np.float32(0.7), kernel, pixels))
        scores["prp"].append(1 / (1 + math.exp(-8 * float(window.mean()))))
    return scores


def robust(values: list[float]) -> list[float]:
    """Equation 16, with percentiles that are linear between neighbours."""

    def between(share: float) -> float:
        ordered, place = sorted(values), share * (len(values) - 1)
        low = int(place)
        return ordered[low] + (place - low) * (ordered[min(low + 1, len(values) - 1)] - ordered[low])

    return [(value - between(0.5)) / (between(0.99) - between(0.01)) for value in values]


def found(protocol: Protocol, dataset: str) -> np.ndarray:
    clip: Any = frames()
    scores = Slider(Fading().eval(), Given(), T, protocol.policy).scores(clip)
    indicators = {name: {"a": scores[name]} for name in protocol.fused["luss"]}
    return apply(protocol, indicators, {"a": np.arange(LENGTH) % 2}, dataset)[0]["a"]


@pytest.mark.parametrize(("dataset", "weights"), [("ped2", (0.1, 0.8, 1.0)), ("street", (1.0, 1.0, 1.0))])
def test_the_paper_adds_raw_scores_and_rescales_the_sum(dataset: str, weights: tuple[float, ...]) -> None:
    each = parts(PRINTED, SIDE * SIDE)
    total = [sum(w * score for w, score in zip(weights, row, strict=True)) for row in zip(*each.values(), strict=True)]
    np.testing.assert_allclose(found(PROTOCOLS["luss"], dataset), robust(total), rtol=1e-4, atol=1e-5)


def test_the_code_rescales_each_and_adds() -> None:
    """Its kernel sums to 1, and its errors are means over the pixels that are kept."""
    whole = sum(map(sum, PRINTED))
    each = parts([[weight / whole for weight in row] for row in PRINTED], SIDE * SIDE // 4)
    low, high = min(each["prp"]), max(each["prp"])
    stretched = [(chance - low) / (high - low) for chance in each["prp"]]
    rows = zip(robust(each["vcr"]), robust(each["ffp"]), stretched, strict=True)
    total = [(0.2 * vcr + 0.2 * ffp + 0.9 * prp) / 1.3 for vcr, ffp, prp in rows]
    np.testing.assert_allclose(found(PROTOCOLS["luss_released"], "ped2"), total, rtol=1e-4, atol=1e-5)


def test_the_factor_is_that_of_equations_10_and_11() -> None:
    frame, answered = frames()[:2, 0]
    whole = sum(map(sum, PRINTED))
    ours = bpe(frame, answered, [[weight / whole for weight in row] for row in PRINTED], SIDE * SIDE // 4)
    assert pytest.approx(0.982, abs=5e-4) == whole
    assert bpe(frame, answered, PRINTED, SIDE * SIDE) / ours == pytest.approx(AS_PRINTED, rel=1e-12)


@pytest.mark.parametrize("name", PROTOCOLS.names())
@pytest.mark.parametrize("dataset", ["ped2", "street", "shanghaitech", "", ANY])
def test_weights_are_published_where_some_are(name: str, dataset: str) -> None:
    """Of every protocol with weights."""
    protocol = PROTOCOLS[name]
    title = title_of(protocol, Scored(dataset))
    if not protocol.weights:
        assert "Weights: " not in title
    elif dataset in protocol.weights and dataset != ANY:
        shares = " ".join(f"{task} {weight:g}" for task, weight in protocol.weights[dataset].items())
        assert f"Weights: as published for {dataset}, {shares}." in title
    elif ANY in protocol.weights:
        assert "for every data set." in title
    else:
        assert "Weights: alike, since none are published for" in title
        assert "as published" not in title
    assert "Weights: " not in title_of(protocol, Scored(dataset, weights="uniform"))
