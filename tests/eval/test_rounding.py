"""Scores by networks that multiply bf16 numbers: near those of fp32, kept apart, and told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from pagen.cli import main
from pagen.compute import Compute
from pagen.eval.camera.threshold import read_threshold
from pagen.eval.evaluation import evaluate
from pagen.eval.scores import score_looks, score_run
from pagen.folders import tree_hash
from pagen.footage.clip_input import FrameInput
from pagen.footage.images import image_frames
from pagen.footage.listing import IMAGES, listing
from pagen.models.clip_network import ClipNetwork
from pagen.models.conv_ae import ConvAE3d
from pagen.models.luss import LUSSAE
from pagen.models.memae import MemAE
from pagen.scoring.policies import POLICIES
from pagen.scoring.sliding import Slider
from pagen.scoring.stream import open_streamer

pytestmark = pytest.mark.usefixtures("cache")
MakeRun = Callable[..., Path]
NETWORKS: dict[str, Callable[[], ClipNetwork]] = {
    "ConvAE3d": lambda: ConvAE3d(1, "tiny"),
    "MemAE": lambda: MemAE(1, "tiny"),
    "LUSSAE": lambda: LUSSAE(1, "tiny", prp="conv"),
}


class Noise(FrameInput):
    """A clip of noise."""

    def source(self, clip: str) -> np.ndarray:
        return np.random.default_rng(0).integers(0, 255, (20, 32, 48, 1), np.uint8)


def bf16(root: Path, workers: int = 0) -> Compute:
    return Compute(root, "cpu", workers, rounding="bf16")


@pytest.mark.parametrize("policy", ["last", "mean"])
@pytest.mark.parametrize("name", NETWORKS)
def test_scores_are_near_those_of_fp32(name: str, policy: str) -> None:
    torch.manual_seed(0)
    exact = Slider(NETWORKS[name]().eval(), Noise(), 16, policy)
    whole, rounded = exact.scores("any"), replace(exact, precision="bf16").scores("any")
    assert whole.keys() == rounded.keys()
    for indicator, values in whole.items():
        np.testing.assert_allclose(rounded[indicator], values, rtol=0, atol=0.02)
        assert (rounded[indicator] != values).any()


def test_scores_are_kept_apart_and_the_table_says_so(footage: Path, make_run: MakeRun) -> None:
    run, exact = make_run(), Compute(footage, "cpu", 0)
    score_run(run, "folder", exact)
    (before,) = evaluate([run], "folder", compute=exact).tables
    (table,) = evaluate([run], "folder", compute=bf16(footage)).tables
    assert sorted(path.name for path in (run / "scores/folder").iterdir()) == ["last", "last-bf16"]
    assert f"Scored with rounded numbers: {run} (bf16)." in table.title
    assert "rounded" not in before.title
    (after,) = evaluate([run], "folder", compute=exact).tables
    assert repr(after) == repr(before)  # NaN is like itself


@pytest.mark.slow
def test_no_setting_changes_a_byte(footage: Path, make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run()
    alone = score_run(run, "folder", bf16(footage), "last", tmp_path / "alone").path
    wanted = tree_hash(alone)
    assert tree_hash(score_run(run, "folder", bf16(footage, 1), "last", tmp_path / "spread").path) == wanted
    together = score_looks(run, "folder", bf16(footage), [(policy, None) for policy in POLICIES])
    assert tree_hash(together[list(POLICIES).index("last")].path) == wanted
    min(alone.glob("clips/*.npz")).unlink()
    score_run(run, "folder", bf16(footage), "last", alone)
    assert tree_hash(alone) == wanted


def test_a_camera_is_watched_with_the_numbers_that_it_was_calibrated_with(footage: Path, make_run: MakeRun) -> None:
    run, video = make_run(), str(footage / "testing/x")
    flags = ["--normal", video, "--false-alarms-per-hour", "1", "--fps", "10", "--device", "cpu"]
    main(["calibrate", str(run), *flags])
    assert read_threshold(run).precision == "fp32"
    main(["calibrate", str(run), *flags, "--precision", "bf16"])
    assert read_threshold(run).precision == "bf16"
    main(["score", str(run), video, "--device", "cpu"])
    column = np.genfromtxt(run / "live/x/scores.csv", delimiter=",", names=True)["score"]
    frames = list(image_frames(listing(footage / "testing/x", IMAGES)))
    for precision, same in (("bf16", True), ("fp32", False)):
        streamer = open_streamer(str(run), device="cpu", precision=precision)
        found = [streamer(frame).value for frame in frames]
        assert np.allclose(column, found, rtol=0, atol=1e-5) == same
