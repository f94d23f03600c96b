from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from pagen.compute import Compute
from pagen.errors import PagenError
from pagen.eval.scores import open_scores, score_looks, score_run
from pagen.folders import tree_hash
from pagen.footage.flow import encode, flow_folder
from pagen.footage.prepare import prepare
from pagen.models.conv_ae import reconstruct
from pagen.models.runs import open_run

pytestmark = pytest.mark.usefixtures("cache")
MakeRun = Callable[..., Path]


def here(root: Path, workers: int = 0, overwrite: bool = False) -> Compute:
    return Compute(root, "cpu", workers, overwrite)


def plain_psnr(model: torch.nn.Module, frames: np.ndarray, scored: int) -> np.ndarray:
    """Window by window, one at a time: PSNR in dB of frame `scored` of 16, values in [0, 1]."""
    scores = []
    for frame in range(len(frames)):
        window = np.clip(np.arange(16) + frame - scored, 0, len(frames) - 1)
        x = frames[window].astype(np.float32) / 255
        height, width = x.shape[1:]
        padded = np.pad(x, ((0, 0), (0, -height % 16), (0, -width % 16)), mode="edge")
        with torch.no_grad():
            y = model(torch.from_numpy(padded * 2 - 1)[None, None])[0, 0, :, :height, :width].numpy()
        scores.append(10 * np.log10(1 / np.mean((x[scored] - (y[scored] + 1) / 2) ** 2)))
    return np.array(scores)


@pytest.mark.parametrize(("policy", "scored"), [("last", 15), ("ninth", 8)])
def test_scores_are_minus_psnr_of_the_scored_frame_of_each_window(
    footage: Path, make_run: MakeRun, policy: str, scored: int
) -> None:
    run = make_run()
    scores = score_run(run, "folder", here(footage), policy)
    assert scores.path == run / "scores" / "folder" / policy
    model, prepared = open_run(run).network, prepare("folder", footage, (20, 36), workers=0)
    for name in prepared.clips("test"):
        expected = -plain_psnr(model, np.asarray(prepared.frames(name))[..., 0], scored)
        values = scores.of("psnr")[name]
        assert values.dtype == np.float64
        np.testing.assert_allclose(values, expected, rtol=1e-4)


def test_a_flow_map_scores_the_frame_that_it_leads_to(footage: Path, make_run: MakeRun) -> None:
    run = make_run(source="flow", channels=3)
    scores = score_run(run, "folder", here(footage))
    prepared = prepare("folder", footage, (20, 36), workers=0)
    assert scores.indicators() == ["flow", "flow_local"]
    model, flows = open_run(run).network, flow_folder(prepared, prepared.clips("test"), workers=0)
    for name in prepared.clips("test"):
        maps, values = flows.flow(name), scores.of("flow")[name]
        assert len(values) == len(maps) + 1 == prepared.length(name)
        assert values[0] == values[1]
        x = torch.from_numpy(encode(maps[np.clip(np.arange(-12, 4), 0, None)], "uvm", 8.0))[None]
        with torch.no_grad():
            error = (reconstruct(model, x) - x)[0, :, 15].double().norm(dim=0).mean()
        assert values[4] == pytest.approx(float(error), rel=1e-4)


@pytest.mark.slow
def test_workers_and_resuming_change_no_byte(footage: Path, make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run()
    alone = score_run(run, "folder", here(footage), "last", tmp_path / "here")
    wanted = tree_hash(alone.path)
    spread = score_run(run, "folder", here(footage, 1), "last", tmp_path / "spread")
    assert tree_hash(spread.path) == wanted
    first, second = sorted(alone.path.glob("clips/*.npz"))
    second.unlink()
    untouched = first.stat().st_mtime_ns
    score_run(run, "folder", here(footage), "last", tmp_path / "here")
    assert first.stat().st_mtime_ns == untouched
    assert tree_hash(alone.path) == wanted


def test_looks_at_once_are_those_one_by_one(footage: Path, make_run: MakeRun, tmp_path: Path) -> None:
    looks = [("last", None), ("window", None), ("ninth_block", "mse"), ("last", "pse"), ("last", None)]
    together = score_looks(run := make_run(), "folder", here(footage), looks)
    for look, scores in zip(looks, together, strict=True):
        alone = score_run(run, "folder", here(footage), look[0], tmp_path / "-".join(map(str, look)), measure=look[1])
        assert tree_hash(scores.path) == tree_hash(alone.path)


def test_what_one_look_lacks_is_made_and_no_more(footage: Path, make_run: MakeRun) -> None:
    looks = [("last", None), ("mean", None)]
    run = make_run()
    last, mean = (each.path for each in score_looks(run, "folder", here(footage), looks))
    wanted = tree_hash(last), tree_hash(mean)
    kept = {path: path.stat().st_mtime_ns for path in (*last.glob("clips/*"), *mean.glob("clips/*"))}
    (gone := min(kept)).unlink()
    score_looks(run, "folder", here(footage), looks)
    assert (tree_hash(last), tree_hash(mean)) == wanted
    assert [path for path, time in kept.items() if path.stat().st_mtime_ns != time] == [gone]


def test_no_scores_are_begun_where_one_of_the_looks_is_unknown(footage: Path, make_run: MakeRun) -> None:
    run = make_run(source="flow", channels=3)
    with pytest.raises(PagenError, match="no window policy named 'lats'; did you mean 'last'"):
        score_looks(run, "folder", here(footage), [("last", None), ("lats", None)])
    assert not list(run.glob("scores/**/manifest.json"))


def test_scores_of_another_model_are_not_passed_off(footage: Path, make_run: MakeRun, tmp_path: Path) -> None:
    out = tmp_path / "scores"
    old = score_run(make_run(weights=0), "folder", here(footage), "last", out)
    retrained = make_run(weights=1)
    with pytest.raises(PagenError, match=r"made otherwise: model .*remove it"):
        score_run(retrained, "folder", here(footage), "last", out)
    new = score_run(retrained, "folder", here(footage, overwrite=True), "last", out)
    assert all((new.of("psnr")[name] != old.of("psnr")[name]).all() for name in new.clips)


def test_scores_of_a_run_of_another_size_are_not_passed_off(footage: Path, make_run: MakeRun, tmp_path: Path) -> None:
    out = tmp_path / "scores"
    score_run(make_run(), "folder", here(footage), "last", out)
    with pytest.raises(PagenError, match=r"made otherwise: .*size.*remove it"):
        score_run(make_run(size=[16, 28]), "folder", here(footage), "last", out)


@pytest.mark.slow
def test_reading_scores_needs_no_torch(footage: Path, make_run: MakeRun) -> None:
    scores = score_run(make_run(), "folder", here(footage))
    code = (
        "import sys; from pathlib import Path; from pagen.eval.scores import open_scores; "
        f"s = open_scores(Path({str(scores.path)!r})); assert 'torch' not in sys.modules; print(*s.of('psnr'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == list(scores.clips)


def test_what_is_missing_is_named(footage: Path, make_run: MakeRun, tmp_path: Path) -> None:
    scores = score_run(make_run(), "folder", here(footage))
    with pytest.raises(PagenError, match=r"expected flow .* found psnr psnr_local"):
        scores.of("flow")
    with pytest.raises(PagenError, match="scores folder"):
        open_scores(tmp_path)


def test_an_unknown_device_is_refused(footage: Path, make_run: MakeRun) -> None:
    with pytest.raises(PagenError, match="expected a device that torch has, found 'gpu'"):
        score_run(make_run(), "folder", Compute(footage, "gpu", 0))
