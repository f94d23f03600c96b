"""Which window scores which frame, for networks that answer with what they see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from pagen.models.luss import LUSSAE, predict
from pagen.scoring.errors import frame_bpe, psnr
from pagen.scoring.sliding import Slider


class Mean(torch.nn.Module):
    """Answers with the mean of the window's frames, so that every frame of it matters."""

    def forward(self, clips: Tensor) -> Tensor:
        return clips.mean(dim=2, keepdim=True).expand_as(clips)


def slider(network: torch.nn.Module, window: int = 16) -> Slider:
    return Slider(network, "frames", window)


def take(values: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    return lambda indices: np.broadcast_to(values[indices, None, None], (1, len(indices), 4, 4)).astype(np.float32)


@pytest.mark.parametrize("known", [1, 2, 7, 15, 16, 17, 23])
def test_the_last_policy_does_not_know_what_comes(known: int) -> None:
    values = np.random.default_rng(0).uniform(-1, 1, 24)
    whole = slider(Mean()).scores(take(values), 24)
    prefix = slider(Mean()).scores(take(values[:known]), known)
    for key in ("psnr@last", "psnr_local@last"):
        np.testing.assert_array_equal(prefix[key], whole[key][:known])
    assert {key: len(scores) for key, scores in prefix.items()} == dict.fromkeys(whole, known)


@pytest.mark.parametrize(("policy", "scored"), [("last", 15), ("ninth", 8)])
def test_a_frame_is_scored_in_its_own_window(policy: str, scored: int) -> None:
    values = np.random.default_rng(1).uniform(-1, 1, 30)
    scores = slider(Mean()).scores(take(values), 30)[f"psnr@{policy}"]
    for frame in range(30):
        window = values[np.clip(np.arange(16) + frame - scored, 0, 29)]
        error = max((values[frame] - window.mean()) ** 2 / 4, 1e-12)  # the first window holds one value
        assert scores[frame] == pytest.approx(10 * np.log10(error), rel=1e-4)


def test_windows_are_held_a_few_at_a_time() -> None:
    held = []

    class Watch(Mean):
        def forward(self, clips: Tensor) -> Tensor:
            held.append(tuple(clips.shape))
            return super().forward(clips)

    slider(Watch()).scores(take(np.zeros(50)), 50)
    assert set(held) == {(4, 1, 16, 16, 16)}


def test_a_window_of_eight_has_no_ninth_frame() -> None:
    assert slider(Mean(), window=8).scores(take(np.zeros(9)), 9).keys() == {"psnr@last", "psnr_local@last"}


def test_luss_scores_the_frame_that_it_predicts() -> None:
    torch.manual_seed(0)
    network = LUSSAE(1, "tiny", prp="conv").eval()
    frames = np.random.default_rng(0).uniform(-1, 1, (1, 24, 32, 32)).astype(np.float32)
    scores = slider(network).scores(lambda indices: frames[:, indices], 24)
    assert scores.keys() == {
        *("vcr@last", "vcr@ninth", "vcr_local@last", "vcr_local@ninth"),
        *("prp@last", "prp@ninth", "ffp", "ffp_local"),
    }
    for frame in (0, 3, 16, 23):
        before = torch.from_numpy(frames[:, np.clip(np.arange(frame - 16, frame), 0, None)])[None]
        until = torch.from_numpy(frames[:, np.clip(np.arange(frame - 15, frame + 1), 0, None)])[None]
        with torch.inference_mode():
            ffp, found = predict(network, before).ffp, predict(network, until)
        coming: Any = torch.from_numpy(frames[:, frame : frame + 1])[None]
        assert scores["ffp"][frame] == pytest.approx(-float(psnr(frame_bpe(coming, ffp), 2.0)), rel=1e-5)
        assert scores["vcr@last"][frame] == pytest.approx(
            -float(psnr(frame_bpe(until, found.vcr), 2.0)[0, 15]), rel=1e-5
        )
        margin = float(found.logits[0, 1] - found.logits[0, 0])
        assert scores["prp@last"][frame] == pytest.approx(margin, abs=1e-5)
