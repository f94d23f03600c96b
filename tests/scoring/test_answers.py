"""Scores out of streams against scores out of whole windows, which any network is shown that answers otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from pagen.errors import PagenError
from pagen.footage.clip_input import FlowInput, FrameInput
from pagen.models.clip_network import Answer
from pagen.models.conv_ae import Autoencoder, ConvAE3d, reconstruct
from pagen.models.luss import LUSSAE, predict
from pagen.models.memae import MemAE
from pagen.scoring.answers import Answers
from pagen.scoring.policies import POLICIES
from pagen.scoring.sliding import Slider

WINDOW = 16
NETWORKS: dict[str, tuple[type[Autoencoder], dict[str, Any]]] = {
    "ConvAE3d": (ConvAE3d, {}),
    "MemAE": (MemAE, {"memory": 20, "shrink": 0.0}),
    "LUSSAE": (LUSSAE, {"prp": "conv", "ffp": "released"}),
}


class Given(FrameInput):
    """A clip is what is shown of it, (T, C, H, W)."""

    def source(self, clip: Any) -> Any:
        return clip

    def shown(self, part: np.ndarray) -> Any:
        return part.swapaxes(0, 1)


class GivenFlow(FlowInput):
    """The same as flow."""

    source = Given.source  # type: ignore[assignment]  # a clip is no name here
    shown = Given.shown  # type: ignore[assignment]


def network_of(name: str, channels: int = 1) -> Any:
    torch.manual_seed(0)
    kind, options = NETWORKS[name]
    return kind(channels, (4, 6, 8, 10), **options).eval()


def shown_whole(network: Any) -> Any:
    """The same network, of a class that answers for itself."""
    kind = type(network)

    def answer(self: Any, clips: Tensor, frames: Sequence[int]) -> Answer:
        found: Answer = kind.answer(self, clips, frames)
        return found

    network.__class__ = type("Mine", (kind,), {"answer": answer})
    return network


def clip_of(count: int, size: tuple[int, int] = (20, 36), channels: int = 1) -> Any:
    return np.random.default_rng(0).uniform(-1, 1, (count, channels, *size)).astype(np.float32)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", NETWORKS)
def test_scores_are_those_of_whole_windows(name: str, policy: str) -> None:
    for count in (5, 18):
        found = Slider(network_of(name), Given(), WINDOW, policy).scores(clip_of(count))
        expected = Slider(shown_whole(network_of(name)), Given(), WINDOW, policy).scores(clip_of(count))
        assert found.keys() == expected.keys()
        for indicator, values in found.items():
            np.testing.assert_allclose(values, expected[indicator], rtol=1e-5, atol=1e-5, err_msg=indicator)


@pytest.mark.parametrize("name", NETWORKS)
def test_maps_are_those_of_whole_windows(name: str) -> None:
    frames, flow = clip_of(19, channels=3), GivenFlow(None, "dis", "uvm", 8.0)
    for clip_input, indicator in ((Given(), "psnr_local"), (flow, "flow_local")):
        indicator = "vcr_local" if name == "LUSSAE" else indicator
        sliders = [
            Slider(made(network_of(name, 3)), clip_input, WINDOW) for made in (lambda network: network, shown_whole)
        ]
        found, expected = (np.stack(list(slider.maps(frames, indicator))) for slider in sliders)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_a_clips_bytes_depend_on_no_other() -> None:
    slider = Slider(network_of("ConvAE3d"), Given(), WINDOW, "mean")
    first, second = clip_of(21), clip_of(30)[9:]
    alone = slider.scores(first)["psnr"]
    slider.scores(second)
    np.testing.assert_array_equal(slider.scores(first)["psnr"], alone)


@pytest.mark.parametrize("policy", ["last", "mean"])
def test_windows_that_move_are_streamed(policy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def encoded(*_: Any) -> Any:
        raise AssertionError("a whole window")

    for name in NETWORKS:
        network = network_of(name)
        monkeypatch.setattr(network.encoder, "forward", encoded)
        Slider(network, Given(), WINDOW, policy).scores(clip_of(9))


def test_windows_of_any_order_are_shown_whole() -> None:
    clip, starts = clip_of(40), [3, 4, 5, 20, 9]
    slider = Slider(network_of("ConvAE3d"), Given(), WINDOW)
    found = slider.windows(clip, starts).frames["psnr"][:, 0]
    expected = slider.windows(clip, range(-WINDOW, 30)).frames["psnr"][:, 0]
    np.testing.assert_allclose(found, expected[np.add(starts, WINDOW)], rtol=1e-5)


def test_codes_are_answered_as_clips_are() -> None:
    clips = torch.rand(2, 1, WINDOW, 20, 36) * 2 - 1
    with torch.inference_mode():
        for name in ("ConvAE3d", "MemAE"):
            network = network_of(name)
            rebuilt = reconstruct(network, clips)
            assert torch.equal(network.answer(clips, range(WINDOW)).frames["rebuilt"], rebuilt)
            one = network.answer(clips, [8]).frames["rebuilt"]
            torch.testing.assert_close(one, rebuilt[:, :, [8]])
        network = network_of("LUSSAE")
        answer, parts = network.answer(clips, [3, 8]), predict(network, clips)
        assert torch.equal(answer.frames["vcr"], parts.vcr[:, :, [3, 8]])
        assert torch.equal(answer.after["ffp"], parts.ffp)


def test_shapes_that_a_network_does_not_take_are_told() -> None:
    frames = torch.zeros(4, 1, 1, 32, 32)
    with pytest.raises(PagenError, match="expected clips of 16 frames, found 8"):
        Answers(network_of("LUSSAE"), 8)(frames, [7])
    with pytest.raises(PagenError, match=r"T divisible by 8 and H, W by 16, found \(4, 1, 12, 32, 32\)"):
        Answers(network_of("ConvAE3d"), 12)(frames, [7])
