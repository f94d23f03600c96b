from __future__ import annotations

import hashlib
import json
import math
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from pagen.errors import PagenError
from pagen.generate.pa_set import PASet
from pagen.models.conv_ae import ConvAE3d
from pagen.train import loop
from pagen.train.accelerator import accelerator_on
from pagen.train.batches import ClipBatches, draw
from pagen.train.config import Train
from pagen.train.loop import Training, drawn, fit, learning_rate
from pagen.train.recipes.base import Recipe
from pagen.train.recipes.table import RECIPES, recipe_names
from pagen.train.session import train
from pagen.train.state import Average, Progress, as_csv, from_csv, load_state, newest_state

Configure = Callable[..., Train[Any]]
RecipeAt = Callable[..., Recipe]
MakeBatches = Callable[..., ClipBatches]
ALONE = [name for name in recipe_names() if issubclass(RECIPES[name], Recipe) and name not in ("mulde", "msma")]
WEIGHTS = "model/model.safetensors"


class Stopped(Exception):  # noqa: N818  # stands for a kill
    """The training is interrupted."""


def weights(run: Path) -> str:
    return hashlib.sha256((run / WEIGHTS).read_bytes()).hexdigest()


def stop_at(patch: pytest.MonkeyPatch, function: str, call: int, after: bool = False) -> None:
    """Interrupt training at the given call (from 0) of a function of the loop."""
    real, calls = getattr(loop, function), iter(range(10**6))

    def stopping(*args: Any) -> Any:
        stop = next(calls) == call
        if stop and not after:
            raise Stopped
        result = real(*args)
        if stop:
            raise Stopped
        return result

    patch.setattr(loop, function, stopping)


def stopped(config: Train[Any], function: str, call: int, after: bool = False) -> None:
    with pytest.MonkeyPatch.context() as patch:
        stop_at(patch, function, call, after)
        with pytest.raises(Stopped):
            train(config)


def test_the_learning_rate_follows_its_schedule(tiny: RecipeAt) -> None:
    cosine, constant = tiny("baseline", lr=0.02), tiny("baseline", lr=0.02, schedule="constant")
    assert [learning_rate(constant, step, 40) for step in (0, 7, 39)] == [0.02] * 3
    expected = {0: 0.02, 10: 0.01 * (1 + math.sqrt(0.5)), 20: 0.01, 30: 0.01 * (1 - math.sqrt(0.5)), 40: 0.0}
    for step, rate in expected.items():
        assert learning_rate(cosine, step, 40) == pytest.approx(rate, abs=1e-15)


def training_of(batches: ClipBatches, path: Path = Path("nowhere")) -> Training:
    torch.manual_seed(0)
    return Training(ConvAE3d(batches.recipe.channels, batches.recipe.widths), batches, path, accelerator_on("cpu"))


@pytest.mark.parametrize("steps", [range(0), range(3, 4), range(2, 5)])
def test_batches_drawn_ahead_come_in_their_order(steps: range, make_batches: MakeBatches) -> None:
    batches = make_batches("skip", accumulate=2)
    found = list(drawn(training_of(batches), steps))
    assert [step for step, _ in found] == list(steps)
    for step, parts in found:
        whole = draw(batches, range(4 * step, 4 * step + 4))
        for key, value in whole.items():
            assert torch.equal(torch.cat([part[key] for part in parts]), value)


def test_a_failure_to_draw_is_not_lost(make_batches: MakeBatches, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ClipBatches, "sample", lambda self, index: [][index])
    with pytest.raises(IndexError):
        list(drawn(training_of(make_batches("skip")), range(2)))


def test_rows_come_back_from_csv() -> None:
    rows = [
        {"loss": 0.1 + 0.2, "lr": 1e-300, "epoch": 1, "step": 10},
        {"epoch": 2, "step": 20, "loss": 1 / 3, "lr": 0.0},
    ]
    assert from_csv(as_csv(rows)) == rows
    assert as_csv(rows).splitlines()[0] == "epoch,step,loss,lr"


@pytest.mark.parametrize("name", ALONE)
def test_a_training_that_was_stopped_in_an_epoch_ends_in_the_same_weights(
    name: str, runs: Path, configure: Configure, tmp_path: Path
) -> None:
    config = configure(name, tmp_path / "run")
    stopped(config, "train_step", 14)
    assert newest_state(tmp_path / "run/state") == tmp_path / "run/state/000000010"
    train(config)
    assert weights(tmp_path / "run") == weights(runs / name)
    assert (tmp_path / "run/metrics.csv").read_bytes() == (runs / name / "metrics.csv").read_bytes()


@pytest.mark.parametrize(
    ("function", "call", "after"),
    [("save_state", 0, False), ("save_state", 2, True), ("write_text", 1, False)],
)
def test_a_training_that_was_stopped_while_writing_goes_on(
    runs: Path, configure: Configure, tmp_path: Path, function: str, call: int, after: bool
) -> None:
    """Before a state is written, between a state and its line in the metrics, and with a state half written."""
    config = configure("baseline", tmp_path / "run")
    stopped(config, function, call, after)
    train(config)
    assert weights(tmp_path / "run") == weights(runs / "baseline")
    assert (tmp_path / "run/metrics.csv").read_bytes() == (runs / "baseline/metrics.csv").read_bytes()
    assert [state.name for state in (tmp_path / "run/state").iterdir()] == ["000000030"]


KILLED = """
import json, os, random, signal, sys, time
import transformers  # by every fork of the discriminator's otherwise
from pagen.train.session import train
from pagen.train.train import parse

def attempt(name, out, seconds):
    '''Train in a process of its own, killed after so many seconds; returns whether it ended before.'''
    begin = time.monotonic()
    child = os.fork()
    if child == 0:
        train(parse([name, *FLAGS[name], "--out", out]))
        os._exit(0)
    while time.monotonic() < begin + seconds:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            assert status == 0, status
            return True
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False

FLAGS, SECONDS = json.loads(sys.argv[1]), json.loads(sys.argv[2])
rng, kills = random.Random(0), 0
for name in FLAGS:
    while not attempt(name, f"killed/{name}", rng.uniform(0.2, 0.9) * SECONDS[name]):
        kills += 1
        if rng.random() < 0.5:
            break
    assert attempt(name, f"killed/{name}", 600)
print(kills)
"""


def seconds(run: Path) -> float:
    """How long a training took, by its files."""
    times = [path.stat().st_mtime for path in run.rglob("*") if path.is_file()]
    return max(times) - min(times)


def test_trainings_that_are_killed_end_in_the_same_weights(
    runs: Path, street: Path, pseudo: PASet, cache: Path, tiny: RecipeAt, tmp_path: Path
) -> None:
    common = ["--dataset", "folder", "--root", str(street), "--scale", "tiny", "--size", "48", "64", "--device", "cpu"]
    stored, encoder = ["--pseudo", str(pseudo.folder.path)], ["--encoder", tiny("discriminator").encoder]
    further = {"spatial": stored, "temporal": stored, "discriminator": [*stored, *encoder]}
    flags = {name: [*common, "--workers", "0", *further.get(name, [])] for name in ALONE}
    environment = {**os.environ, "PAGEN_CACHE": str(cache), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", KILLED, json.dumps(flags), json.dumps({name: seconds(runs / name) for name in flags})],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.splitlines()[-1]) > 0
    for name in ALONE:
        assert weights(tmp_path / "killed" / name) == weights(runs / name)
        assert (tmp_path / "killed" / name / "metrics.csv").read_bytes() == (runs / name / "metrics.csv").read_bytes()
    assert not list((tmp_path / "killed").rglob(".tmp-*"))


def test_trainings_in_one_process_do_not_disturb_each_other(runs: Path, configure: Configure, tmp_path: Path) -> None:
    """The finished runs were trained one after the other; once more here, among other things that torch is told."""
    flags = torch.are_deterministic_algorithms_enabled(), torch.utils.deterministic.fill_uninitialized_memory
    state = torch.get_rng_state()
    accelerator_on("auto")
    train(configure("baseline", tmp_path / "again"))
    assert weights(tmp_path / "again") == weights(runs / "baseline")
    assert torch.equal(torch.get_rng_state(), state)
    assert flags == (torch.are_deterministic_algorithms_enabled(), torch.utils.deterministic.fill_uninitialized_memory)


def test_another_seed_gives_other_weights(runs: Path) -> None:
    assert len({weights(runs / name) for name in ALONE}) == len(ALONE)


def test_a_loss_that_is_not_finite_ends_the_training_and_keeps_the_state(
    runs: Path, configure: Configure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, out = configure("baseline", tmp_path / "run"), tmp_path / "run"
    real = loop.learning_rate
    monkeypatch.setattr(
        loop, "learning_rate", lambda recipe, step, total: 1e30 if step > 12 else real(recipe, step, total)
    )
    with pytest.raises(
        PagenError, match=r"not finite at step 1[4-9] \(clips: normal .*\); step 10 is kept in .*; lower --lr"
    ):
        train(config)
    assert [state.name for state in (out / "state").iterdir()] == ["000000010"]
    assert not (out / WEIGHTS).exists()
    monkeypatch.undo()
    monkeypatch.setenv("PAGEN_CACHE", os.environ["PAGEN_CACHE"])
    train(config)
    assert weights(out) == weights(runs / "baseline")


def loaded(path: Path, model: ConvAE3d) -> Progress:
    return load_state(path, model, torch.optim.Adam(model.parameters()), Average(model, 0.0))


def cut(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


@pytest.mark.parametrize("file", ["model.safetensors", "optimiser.safetensors", "progress.json"])
@pytest.mark.parametrize(
    "damage", [Path.unlink, cut, lambda path: path.write_bytes(b""), lambda path: path.write_text('{"step": "30"}')]
)
def test_a_damaged_state_is_told_in_one_line(
    runs: Path, tmp_path: Path, file: str, damage: Callable[[Path], None]
) -> None:
    state = tmp_path / "000000030"
    state.mkdir()
    for source in (runs / "baseline/state/000000030").iterdir():
        (state / source.name).write_bytes(source.read_bytes())
    model = ConvAE3d(1, "tiny")
    assert len(loaded(tmp_path, model).rows) == 3
    damage(state / file)
    with pytest.raises(PagenError, match=r"found it damaged .*--overwrite") as caught:
        loaded(tmp_path, model)
    assert "\n" not in str(caught.value)
    assert str(state) in str(caught.value)


def test_the_state_of_another_network_is_refused(runs: Path) -> None:
    with pytest.raises(PagenError, match="size mismatch"):
        loaded(runs / "baseline/state", ConvAE3d(1, (2, 2, 2, 2)))


def test_without_a_state_there_is_nothing_to_take_up(tmp_path: Path) -> None:
    (tmp_path / ".tmp-000000010").mkdir()
    for path in (tmp_path, tmp_path / "nowhere"):
        assert loaded(path, ConvAE3d(1, "tiny")) == Progress()


def test_all_epochs_done_is_all_done(runs: Path, make_batches: MakeBatches, tmp_path: Path) -> None:
    (tmp_path / "state").symlink_to(runs / "baseline/state")
    rows = fit(training_of(make_batches("baseline"), tmp_path))
    assert [row["step"] for row in rows] == [10, 20, 30]


def test_ctrl_c_saves_the_step_and_the_same_command_goes_on(
    runs: Path, configure: Configure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, real, before = configure("luss", tmp_path / "run"), loop.train_step, signal.getsignal(signal.SIGINT)

    def pressed(*args: Any) -> Any:
        losses = real(*args)
        if args[-1] == 13:
            os.kill(os.getpid(), signal.SIGINT)
        return losses

    with monkeypatch.context() as patch:
        patch.setattr(loop, "train_step", pressed)
        with pytest.raises(KeyboardInterrupt):
            train(config)
    assert signal.getsignal(signal.SIGINT) is before
    assert newest_state(tmp_path / "run/state") == tmp_path / "run/state/000000014"
    train(config)
    assert weights(tmp_path / "run") == weights(runs / "luss")
    assert (tmp_path / "run/metrics.csv").read_bytes() == (runs / "luss/metrics.csv").read_bytes()


@pytest.mark.parametrize("name", ["skip", "discriminator"])
def test_a_stopped_training_with_an_average_and_a_validation_ends_alike(
    name: str, configure: Configure, tmp_path: Path
) -> None:
    changes = {"ema": 0.9, "epochs": 2, "steps": 4, "max_norm": 1.0}
    configs = [replace(configure(name, tmp_path / out, **changes), validate="pseudo", keep="best") for out in "ab"]
    train(configs[0])
    stopped(configs[1], "train_step", 6)
    train(configs[1])
    assert weights(tmp_path / "a") == weights(tmp_path / "b")
    assert (tmp_path / "a/metrics.csv").read_bytes() == (tmp_path / "b/metrics.csv").read_bytes()
    rows = from_csv((tmp_path / "a/metrics.csv").read_text())
    assert all(0 <= row["pseudo_auroc"] <= 1 for row in rows)


def test_parts_of_a_step_are_a_step_of_the_mean_gradient(make_batches: MakeBatches, tmp_path: Path) -> None:
    """Without batch normalisation, which looks at a part alone, parts make no difference."""
    weights = []
    for accumulate in (1, 2):
        batches = make_batches("baseline", accumulate=accumulate, epochs=1, steps=2)
        training = training_of(batches, tmp_path / str(accumulate))
        frozen = [module for module in training.network.modules() if isinstance(module, torch.nn.BatchNorm3d)]
        for module in frozen:
            module.__class__ = Still
        fit(training)
        weights.append(training.network.encoder[0].weight.detach().clone())
    torch.testing.assert_close(*weights, rtol=1e-3, atol=1e-6)


class Still(torch.nn.BatchNorm3d):
    """Batch normalisation that is none."""

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        return clips


def out_of_memory(*_: Any) -> None:
    raise torch.OutOfMemoryError("CUDA out of memory")


def test_the_memory_that_does_not_suffice_is_told(make_batches: MakeBatches, tmp_path: Path) -> None:
    training = training_of(make_batches("baseline"), tmp_path)
    training.network.register_forward_hook(out_of_memory)
    with pytest.raises(PagenError, match=r"memory does not suffice for a step of 4 clips; .*--accumulate 2"):
        fit(training)


def test_a_tracker_gets_the_rows(configure: Configure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    train(replace(configure("luss", tmp_path / "run", epochs=2, steps=2), log=("tensorboard",)))
    events = EventAccumulator(str(tmp_path / "run/pagen"))
    events.Reload()
    rows = from_csv((tmp_path / "run/metrics.csv").read_text())
    for name in ("loss", "vcr", "ffp", "prp", "lr"):
        logged = [(event.step, event.value) for event in events.Scalars(name)]
        assert logged == [(row["step"], pytest.approx(row[name], rel=1e-6)) for row in rows]
    monkeypatch.setattr("pagen.train.accelerator.find_spec", lambda name: None)
    with pytest.raises(PagenError, match="expected the package wandb for --log wandb, found none"):
        accelerator_on("cpu", trackers=("wandb",))


def test_a_device_that_is_not_there_is_refused() -> None:
    assert accelerator_on("cpu").device == torch.device("cpu")
    for name in ("gpu", "cuda:99"):
        with pytest.raises(PagenError, match=f"expected a device that torch has, found '{name}'"):
            accelerator_on(name)
    with pytest.raises(PagenError, match="fp16, which is for a GPU"):
        accelerator_on("cpu", "fp16")
    assert accelerator_on("cpu").device == torch.device("cpu")
