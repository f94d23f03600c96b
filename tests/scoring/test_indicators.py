from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from pagen.errors import PagenError
from pagen.models.conv_ae import ConvAE3d, reconstruct
from pagen.models.discriminator import Discriminator
from pagen.models.luss import LUSSAE, predict
from pagen.scoring import window_scores
from pagen.scoring.errors import frame_bpe, frame_mse, frame_pse, local_max, pooled_error_map, psnr
from pagen.scoring.window_scores import log_odds, score_windows


@pytest.mark.parametrize("pool", ["none", "mean"])
@pytest.mark.parametrize("at_once", [7, 1024])
def test_every_frame_has_its_log_odds_by_itself_or_with_those_before_it(
    pool: str, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(window_scores, "AT_ONCE", at_once)
    torch.manual_seed(0)
    network = Discriminator(6, 8, pool=pool).eval()  # type: ignore[arg-type]  # one of the two
    features = np.random.default_rng(0).normal(size=(30, 6)).astype(np.float32)
    odds = log_odds(network, features)
    assert odds.dtype == np.float64
    for frame in range(30):
        shown = features[np.clip(np.arange(frame - 15, frame + 1), 0, None)] if pool == "mean" else features[frame]
        with torch.no_grad():
            assert odds[frame] == pytest.approx(float(network(torch.from_numpy(shown)[None])), abs=1e-6)


@pytest.mark.parametrize("pool", ["none", "mean"])
def test_the_log_odds_of_a_frame_do_not_know_what_comes(pool: str) -> None:
    torch.manual_seed(0)
    network = Discriminator(6, 8, pool=pool).eval()  # type: ignore[arg-type]
    features = np.random.default_rng(0).normal(size=(40, 6)).astype(np.float32)
    whole = log_odds(network, features)
    for known in (1, 2, 16, 17, 31):
        np.testing.assert_array_equal(log_odds(network, features[:known]), whole[:known])


@pytest.mark.parametrize(("measure", "error"), [("mse", frame_mse), ("pse", frame_pse), ("bpe", frame_bpe)])
def test_errors_are_measured_as_asked_and_locally_by_the_blurred_map(measure: str, error: Any) -> None:
    torch.manual_seed(0)
    clips = torch.rand(2, 1, 17, 32, 48) * 2 - 1
    for network, name in ((ConvAE3d(1, "tiny"), "psnr"), (LUSSAE(1, "tiny", prp="conv"), "vcr")):
        with torch.no_grad():
            found = score_windows(network.eval(), clips[:, :, : 16 + network.beyond], [3, 15], measure=measure)
            rebuilt = (
                reconstruct(network, clips[:, :, :16]) if name == "psnr" else predict(network, clips[:, :, :16]).vcr
            )
        decibels = -psnr(error(clips[:, :, :16], rebuilt), 2.0)[:, [3, 15]]
        torch.testing.assert_close(found.frames[name], decibels, rtol=1e-5, atol=1e-5)
        worst = -psnr(local_max(pooled_error_map(clips[:, :, :16], rebuilt)), 2.0)[:, [3, 15]]
        torch.testing.assert_close(found.frames[f"{name}_local"], worst, rtol=1e-5, atol=1e-5)
        of_map = -psnr(local_max(found.maps[f"{name}_local"]), 2.0)
        torch.testing.assert_close(found.frames[f"{name}_local"], of_map, rtol=0, atol=0)


def test_an_unknown_measure_is_named() -> None:
    with pytest.raises(PagenError, match="no error measure named 'mes'; did you mean 'mse'"):
        score_windows(ConvAE3d(1, "tiny"), torch.zeros(1, 1, 16, 32, 32), [15], measure="mes")
