"""Windows of painted frames: each within one pseudo-anomaly; and what an encoder sees of a frame, up to the scores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pagen.compute import Compute
from pagen.eval.scores import score_run
from pagen.footage.prepare import Prepared
from pagen.generate.pa_set import PASet
from pagen.models.encoders.open import open_encoder
from pagen.models.runs import open_run
from pagen.scoring.window_scores import log_odds
from pagen.train.config import Train
from pagen.train.inputs import open_inputs
from pagen.train.painted_features import histogram
from pagen.train.session import train

Configure = Callable[..., Train[Any]]


def test_windows_that_are_pooled_lie_within_one_pseudo_anomaly(
    configure: Configure, pseudo: PASet, tmp_path: Path
) -> None:
    windows, frames = (
        open_inputs(configure("discriminator", tmp_path, pool=pool)).batches for pool in ("mean", "none")
    )
    starts = {(name, record["start"]) for name in pseudo.clips("spatial") for record in pseudo.records("spatial", name)}
    assert set(windows.places) == starts
    assert len(frames.places) == sum(pseudo.prepared.length(name) for name in pseudo.clips("spatial"))
    sample = windows.sample(1)
    name, start = windows.describe(1).split()[1].split("@")
    np.testing.assert_array_equal(sample["features"], windows.pseudo(name)[int(start) : int(start) + 16])
    network = windows.recipe.network(windows).eval()
    for scores in windows.pair_scores(network):
        assert scores["semantic"].shape == (len(starts),)


def test_a_picture_of_few_windows_whose_scores_hardly_differ_is_drawn(configure: Configure, tmp_path: Path) -> None:
    batches = open_inputs(configure("discriminator", tmp_path, pool="mean")).batches
    few = replace(batches, windows=batches.windows[:1])
    vectors = batches.normal(batches.names[0])
    alike = replace(few, pseudo=lambda name: vectors * np.float32(1 + 1e-6))
    histogram(batches.recipe.network(batches), alike, tmp_path / "histogram.png")
    assert (tmp_path / "histogram.png").is_file()


@pytest.mark.parametrize(("view", "known"), [("whole", None), ("vifi", "vifi"), ("own", "own")])
def test_a_run_remembers_what_its_encoder_saw_and_is_scored_by_it(
    view: str, known: str | None, configure: Configure, street: Path, prepared: Prepared, tmp_path: Path
) -> None:
    config = configure("discriminator", tmp_path / "run", view=view, epochs=1, steps=1)
    train(config)
    run = open_run(tmp_path / "run")
    assert run.recipe.get("view") == known
    scores = score_run(run.path, "folder", Compute(street, "cpu", 0), "last", tmp_path / "scores").of("semantic")
    encoder = open_encoder(config.recipe.encoder, view=view)
    for name, values in scores.items():
        np.testing.assert_allclose(values, log_odds(run.network, encoder(prepared.frames(name))), atol=1e-5)
