from __future__ import annotations

import csv
import hashlib
import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from pagen.errors import PagenError
from pagen.train import loop
from pagen.train.batches import Batches
from pagen.train.loop import accelerator_on, as_csv, drawn, fit, from_csv, learning_rate, load_state, newest_state
from pagen.train.recipes import RECIPES, Recipe
from pagen.train.session import new_model, train
from pagen.train.train import Train

Configure = Callable[..., Train[Any]]
RecipeAt = Callable[..., Recipe]
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


@pytest.mark.parametrize("steps", [range(0), range(3, 4), range(2, 5)])
def test_batches_drawn_ahead_come_in_their_order(steps: range, make_batches: Callable[..., Batches]) -> None:
    batches = make_batches("skip")
    found = list(drawn(batches, steps))
    assert [step for step, _ in found] == list(steps)
    for step, batch in found:
        assert all(torch.equal(one, two) for one, two in zip(batch, batches.draw(step), strict=True))


def test_a_failure_to_draw_is_not_lost(make_batches: Callable[..., Batches], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Batches, "sample", lambda self, index: [][index])
    with pytest.raises(IndexError):
        list(drawn(make_batches("skip"), range(2)))


def test_rows_come_back_from_csv() -> None:
    rows = [
        {"loss": 0.1 + 0.2, "lr": 1e-300, "epoch": 1, "step": 10},
        {"epoch": 2, "step": 20, "loss": 1 / 3, "lr": 0.0},
    ]
    assert from_csv(as_csv(rows)) == rows
    assert as_csv(rows).splitlines()[0] == "epoch,step,loss,lr"


@pytest.mark.parametrize("name", RECIPES)
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
    [("save_state", 0, False), ("save_state", 2, True), ("write_json", 1, False)],
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
import os, random, signal, sys, time
from pathlib import Path
from pagen.train.session import train
from pagen.train.train import parse

def attempt(out, seconds):
    '''Train in a process of its own, killed after so many seconds; returns whether it ended before.'''
    argv, begin = [*sys.argv[2:], "--out", out], time.monotonic()
    child = os.fork()
    if child == 0:
        train(parse(argv))
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

begin = time.monotonic()
assert attempt("undisturbed", 600)
whole = time.monotonic() - begin
rng = random.Random(int(sys.argv[1]))
kills = 0
while kills < 6 and not attempt("killed", rng.uniform(0.05, 0.6) * whole):
    kills += 1
assert attempt("killed", 600)
print(kills)
"""


def test_a_training_that_is_killed_again_and_again_ends_in_the_same_weights(
    runs: Path, street: Path, cache: Path, tmp_path: Path
) -> None:
    flags = ["--dataset", "folder", "--root", str(street), "--scale", "tiny", "--size", "48", "64", "--device", "cpu"]
    command = [sys.executable, "-c", KILLED, "0", "baseline", *flags, "--workers", "0"]
    environment = {**os.environ, "PAGEN_CACHE": str(cache), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.splitlines()[-1]) > 0
    assert weights(tmp_path / "killed") == weights(tmp_path / "undisturbed") == weights(runs / "baseline")
    for name in ("killed", "undisturbed"):
        with open(tmp_path / name / "metrics.csv", newline="") as file:
            assert [row["epoch"] for row in csv.DictReader(file)] == ["1", "2", "3"]
        assert not list((tmp_path / name).rglob(".tmp-*"))


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
    assert len({weights(runs / name) for name in RECIPES}) == len(RECIPES)


def test_a_loss_that_is_not_finite_ends_the_training_and_keeps_the_state(
    runs: Path, configure: Configure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, out = configure("baseline", tmp_path / "run"), tmp_path / "run"
    real = loop.learning_rate
    monkeypatch.setattr(
        loop, "learning_rate", lambda recipe, step, total: 1e30 if step > 12 else real(recipe, step, total)
    )
    with pytest.raises(PagenError, match=r"the loss is not finite at step 1[4-9]; lower --lr"):
        train(config)
    assert [state.name for state in (out / "state").iterdir()] == ["000000010"]
    assert not (out / WEIGHTS).exists()
    monkeypatch.undo()
    monkeypatch.setenv("PAGEN_CACHE", os.environ["PAGEN_CACHE"])
    train(config)
    assert weights(out) == weights(runs / "baseline")


def cut(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


@pytest.mark.parametrize("file", ["model.safetensors", "adam.safetensors", "rows.json"])
@pytest.mark.parametrize("damage", [Path.unlink, cut, lambda path: path.write_bytes(b"")])
def test_a_damaged_state_is_told_in_one_line(
    runs: Path, tiny: RecipeAt, tmp_path: Path, file: str, damage: Callable[[Path], None]
) -> None:
    state = tmp_path / "000000030"
    state.mkdir()
    for source in (runs / "baseline/state/000000030").iterdir():
        (state / source.name).write_bytes(source.read_bytes())
    model = new_model(tiny("baseline"), 0)
    assert len(load_state(tmp_path, model, torch.optim.Adam(model.parameters()))) == 3
    damage(state / file)
    with pytest.raises(PagenError, match=r"found it damaged .*--overwrite") as caught:
        load_state(tmp_path, model, torch.optim.Adam(model.parameters()))
    assert "\n" not in str(caught.value)
    assert str(state) in str(caught.value)


def test_the_state_of_another_network_is_refused(runs: Path, tiny: RecipeAt) -> None:
    model = new_model(tiny("baseline", widths=(2, 2, 2, 2)), 0)
    with pytest.raises(PagenError, match="size mismatch"):
        load_state(runs / "baseline/state", model, torch.optim.Adam(model.parameters()))


def test_without_a_state_there_is_nothing_to_take_up(tiny: RecipeAt, tmp_path: Path) -> None:
    model = new_model(tiny("baseline"), 0)
    (tmp_path / ".tmp-000000010").mkdir()
    for path in (tmp_path, tmp_path / "nowhere"):
        assert load_state(path, model, torch.optim.Adam(model.parameters())) == []


def test_all_epochs_done_is_all_done(
    runs: Path, make_batches: Callable[..., Batches], tmp_path: Path, tiny: RecipeAt
) -> None:
    (tmp_path / "state").symlink_to(runs / "baseline/state")
    rows = fit(
        new_model(tiny("baseline"), 0), make_batches("baseline"), tiny("baseline"), tmp_path, accelerator_on("cpu")
    )
    assert [row["step"] for row in rows] == [10, 20, 30]


def test_a_device_that_is_not_there_is_refused() -> None:
    assert accelerator_on("cpu").device == torch.device("cpu")
    for name in ("gpu", "cuda:99"):
        with pytest.raises(PagenError, match=f"expected a device that torch has, found '{name}'"):
            accelerator_on(name)
    assert accelerator_on("cpu").device == torch.device("cpu")
