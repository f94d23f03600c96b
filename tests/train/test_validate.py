"""Validation and calibration: what a network says of held-out clips and of training clips, against plain loops."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pagen.errors import PagenError
from pagen.models.clip_network import REBUILT, Answer, ClipNetwork
from pagen.models.conv_ae import reconstruct
from pagen.models.runs import checkpoints_of, open_run
from pagen.train.calibration import calibrate
from pagen.train.config import Train
from pagen.train.inputs import open_inputs
from pagen.train.session import train
from pagen.train.validate import validator

Configure = Callable[..., Train[Any]]


class Knows(ClipNetwork):
    """Reconstructs what has no sudden change, and nothing else."""

    def __init__(self, perfect: bool) -> None:
        super().__init__()
        self.sign = torch.nn.Parameter(torch.tensor(1.0 if perfect else -1.0))

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        speed = clips.diff(dim=2).abs().mean(dim=(1, 2, 3, 4), keepdim=True)
        return clips + 10 * speed if self.sign > 0 else clips + 0.01 / (speed + 1e-3)

    def answer(self, clips: torch.Tensor, frames: Sequence[int]) -> Answer:
        return Answer({REBUILT: self(clips)[:, :, frames]})

    def graph(self, clips: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return (self(clips),)


@pytest.mark.parametrize(("perfect", "low", "high"), [(True, 0.75, 1.0), (False, 0.0, 0.25)])
def test_held_out_clips_are_told_from_their_pseudo_anomalies(
    perfect: bool, low: float, high: float, configure: Configure, tmp_path: Path
) -> None:
    config = replace(configure("skip", tmp_path), validate="pseudo")
    inputs = open_inputs(config)
    validate = validator(inputs)
    area = validate(Knows(perfect))
    assert low <= area <= high
    assert validate(Knows(perfect)) == area


def test_held_out_clips_are_not_trained_on(configure: Configure, tmp_path: Path) -> None:
    inputs = open_inputs(replace(configure("skip", tmp_path), validate="pseudo"))
    names = inputs.prepared.clips("train")
    assert inputs.held_out == (names[-1],)
    assert {name for name, _ in inputs.batches.normal.windows} == set(names[:-1])
    assert open_inputs(configure("skip", tmp_path)).held_out == ()


def test_one_clip_cannot_be_held_out_and_trained_on(
    configure: Configure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pagen.footage.prepare.Prepared.clips", lambda self, split=None: ["train_01"])
    with pytest.raises(PagenError, match="expected 2 training clips and more for --validate pseudo, found 1"):
        open_inputs(replace(configure("baseline", tmp_path), validate="pseudo"))


@pytest.mark.parametrize("name", ["baseline", "luss", "temporal", "memae"])
def test_every_kind_of_network_is_validated(name: str, configure: Configure, tmp_path: Path) -> None:
    config = replace(configure(name, tmp_path / name, epochs=1, steps=1), validate="pseudo")
    train(config)
    assert (tmp_path / name / "metrics.csv").read_text().splitlines()[0].endswith(",lr,pseudo_auroc")


def test_a_run_that_was_validated_keeps_its_best_state_beside_the_last(configure: Configure, tmp_path: Path) -> None:
    config = replace(configure("baseline", tmp_path / "run", epochs=2, steps=1), validate="pseudo")
    train(config)
    train(replace(config, keep="best", out=tmp_path / "best"))
    states = checkpoints_of(tmp_path / "run")
    assert states == {"last": tmp_path / "run", "best": tmp_path / "run/checkpoints/best"}
    kept, whole = open_run(states["best"]), open_run(tmp_path / "best")
    assert (kept.recipe, kept.calibration) == (whole.recipe, whole.calibration)
    assert kept.weights == whole.weights
    assert list(checkpoints_of(tmp_path / "best")) == ["last"]


def test_the_calibration_is_of_the_last_frames_of_training_windows(
    runs: Path, configure: Configure, tmp_path: Path
) -> None:
    run, inputs = open_run(runs / "baseline"), open_inputs(configure("baseline", tmp_path))
    scores = []
    for name, start in inputs.batches.normal.windows:
        frames = np.asarray(inputs.prepared.frames(name)[start : start + 16], np.float32).transpose(3, 0, 1, 2)
        clip = torch.from_numpy(frames / 127.5 - 1)[None]
        with torch.no_grad():
            error = (reconstruct(run.network, clip) - clip)[0, :, 15].square().mean()
        scores.append(float(10 * torch.log10(error / 4)))
    known = run.calibration["psnr"]
    assert known["count"] == len(scores) == 3 * 33
    for name, value in {"mean": np.mean(scores), "p1": np.percentile(scores, 1), "median": np.median(scores)}.items():
        assert known[name] == pytest.approx(value, rel=1e-3)
    again = calibrate(run.network, inputs)["psnr"]
    assert again["median"] == pytest.approx(known["median"], rel=1e-6)
