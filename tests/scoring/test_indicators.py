from __future__ import annotations

import numpy as np
import pytest
import torch

from pagen.models.discriminator import Discriminator
from pagen.scoring import indicators
from pagen.scoring.indicators import log_odds


@pytest.mark.parametrize("pool", ["none", "mean"])
@pytest.mark.parametrize("at_once", [7, 1024])
def test_every_frame_has_its_log_odds_by_itself_or_with_those_before_it(
    pool: str, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indicators, "AT_ONCE", at_once)
    torch.manual_seed(0)
    network = Discriminator(6, 8, pool=pool).eval()  # type: ignore[arg-type]  # one of the two
    features = np.random.default_rng(0).normal(size=(30, 6)).astype(np.float32)
    odds = log_odds(network, features)
    assert odds.dtype == np.float64
    for frame in range(30):
        shown = features[np.clip(np.arange(frame - 15, frame + 1), 0, None)] if pool == "mean" else features[frame]
        with torch.no_grad():
            assert odds[frame] == pytest.approx(float(network(torch.from_numpy(shown)[None])), abs=1e-6)
