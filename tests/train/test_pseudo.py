"""Pseudo-anomalies of every kind feed every recipe of frames; what cannot be is refused in one line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pagen.errors import PagenError
from pagen.footage.prepare import Prepared
from pagen.generate.pa_set import PASet
from pagen.models.runs import open_run
from pagen.train.batches import ClipBatches, draw
from pagen.train.config import Train
from pagen.train.inputs import open_inputs
from pagen.train.recipes.clips import FrameRecipe
from pagen.train.recipes.table import RECIPES, recipe_names
from pagen.train.session import train
from pagen.train.stored import check_pseudo
from pagen.train.train import parse, run

MakeBatches = Callable[..., ClipBatches]
Configure = Callable[..., Train[Any]]
FRAMES = [name for name in recipe_names() if issubclass(RECIPES[name], FrameRecipe)]


def test_recipes_of_frames_are_all_but_those_of_flow_and_features() -> None:
    assert FRAMES == ["baseline", "memae", "patch", "skip", "steal", "spatial", "luss"]


@pytest.mark.parametrize(
    ("kind", "on_the_fly"), [("spatial", False), ("skip", False), ("patch", False), ("skip", True), ("patch", True)]
)
@pytest.mark.parametrize("name", FRAMES)
def test_every_kind_trains_a_step_of_every_recipe(
    name: str, kind: str, on_the_fly: bool, make_batches: MakeBatches
) -> None:
    batches = make_batches(name, on_the_fly=on_the_fly, kinds=(kind,), probability=1.0)
    batches.check()
    assert all(batches.describe(number).startswith(f"{kind} ") for number in range(4))
    torch.manual_seed(0)
    network = batches.recipe.network(batches).train()
    loss = batches.recipe.objective(network, draw(batches, range(4)))["loss"]
    loss.backward()
    assert torch.isfinite(loss)
    assert all(parameter.grad is not None for parameter in network.encoder.parameters())


@pytest.mark.parametrize(
    ("kind", "on_the_fly"), [("spatial", False), ("skip", False), ("patch", False), ("skip", True), ("patch", True)]
)
def test_luss_sees_what_is_abnormal_and_is_to_give_the_normal_clip_and_what_comes_next(
    kind: str, on_the_fly: bool, make_batches: MakeBatches, prepared: Prepared
) -> None:
    batches = make_batches("luss", on_the_fly=on_the_fly, kinds=(kind,), probability=1.0, crop=0)
    for number in range(12):
        sample = batches.sample(number)
        name, start = batches.describe(number).split()[1].split("@")
        frames = np.asarray(prepared.frames(name)[int(start) : int(start) + 17], np.float64)
        normal = (frames / 127.5 - 1).transpose(3, 0, 1, 2)
        assert len(frames) == 17
        np.testing.assert_allclose(sample["targets"], normal[:, :16], atol=1e-6)
        np.testing.assert_allclose(sample["next"], normal[:, 16:], atol=1e-6)
        assert sample["clips"].shape == sample["targets"].shape
        assert not np.array_equal(sample["clips"], sample["targets"])


def test_an_item_that_has_no_next_frame_is_left_out(make_batches: MakeBatches, pseudo: PASet) -> None:
    luss, skip = (make_batches(name, kinds=("spatial",), probability=1.0) for name in ("luss", "skip"))
    ends = [{item.start for item in batches._pseudo._items["spatial"]} for batches in (luss, skip)]
    assert ends == [{0, 16}, {0, 16, 32}]  # segments of 16 in clips of 48 frames
    assert len(pseudo.items("spatial", 16)) == len(skip._pseudo._items["spatial"])


def test_luss_trains_on_a_pa_set_and_is_validated_by_it(configure: Configure, pseudo: PASet, tmp_path: Path) -> None:
    config = configure("luss", tmp_path, kinds=("spatial", "skip", "patch"), probability=0.5, epochs=1, steps=2)
    config = replace(config, pseudo=pseudo.folder.path, validate="pseudo", keep="best")
    check_pseudo(config)
    train(config)
    opened = open_run(tmp_path)
    assert opened.recipe["kinds"] == ["spatial", "skip", "patch"]
    assert set(opened.calibration["prp"]) >= {"median", "pseudo_auroc"}


def test_flow_without_a_share_of_pseudo_anomalies_needs_no_pa_set(configure: Configure, tmp_path: Path) -> None:
    config = replace(configure("temporal", tmp_path / "run", probability=0.0, epochs=1, steps=1), pseudo=None)
    check_pseudo(config)
    train(config)
    assert "pseudo_auroc" not in open_run(tmp_path / "run").calibration["flow"]
    with pytest.raises(PagenError, match="expected a PA set to validate temporal by, found none; give --pseudo DIR"):
        open_inputs(replace(config, validate="pseudo"))


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("luss", "--pseudo", "pa"), "give --probability above 0 and --kinds, or leave --pseudo out"),
        (("skip", "--pseudo", "pa", "--probability", "0"), "give --probability above 0"),
        (("mulde", "--pseudo", "pa"), "recipe mulde trains on normal clips alone; leave --pseudo out"),
        (("luss", "--probability", "0.2"), "expected --kinds with --probability 0.2 for luss, found none"),
        (("luss", "--kinds", "skip"), "expected --probability above 0 with --kinds skip, found 0"),
        (
            ("luss", "--warm-up", "2"),
            "expected --probability above 0 with --warm-up 2, which grows that share, found 0",
        ),
        (("baseline", "--kinds", "temporal", "--probability", "0.2"), "expected --kinds of frames for baseline"),
        (("memae", "--kinds", "spatial", "--probability", "0.2"), "needs pseudo-anomalies on disk: give --pseudo pa/"),
        (("luss", "--kinds", "skip", "--probability", "0.2", "--strides", "1"), "expected --strides of 2 and more"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(flags: tuple[str, ...], message: str) -> None:
    with pytest.raises(PagenError, match=message) as refused:
        run(parse([*flags, "--dataset", "street"]))
    assert "\n" not in str(refused.value)


def test_held_out_clips_without_pseudo_anomalies_are_refused(
    configure: Configure, pseudo: PASet, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    items, names = PASet.items, pseudo.prepared.clips("train")
    monkeypatch.setattr(PASet, "items", lambda *given: [item for item in items(*given) if item.clip != names[-1]])
    monkeypatch.setattr(PASet, "clips", lambda self, kind: names[:-1])
    for name in ("spatial", "discriminator"):
        with pytest.raises(PagenError, match="generate them of all training clips"):
            open_inputs(replace(configure(name, tmp_path), validate="pseudo"))


ON_THE_FLY = [("luss", "skip", False), ("luss", "patch", False)]
OUT_OF_A_SET = [
    ("luss", "spatial", True),
    ("luss", "skip patch", True),
    ("baseline", "spatial", True),
    ("memae", "skip", True),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "kinds", "stored"), [*ON_THE_FLY, *OUT_OF_A_SET])
def test_the_command_line_trains_on_each_kind_with_a_set_and_without(
    name: str, kinds: str, stored: bool, street: Path, pseudo: PASet, tmp_path: Path
) -> None:
    words = f"--scale tiny --size 48 64 --probability 0.4 --kinds {kinds} --epochs 1 --steps 1 --workers 0 --device cpu"
    pa_set = ["--pseudo", str(pseudo.folder.path)] if stored else []
    where = ["--dataset", "folder", "--root", str(street), "--out", str(tmp_path / "run")]
    run(parse([name, *where, *pa_set, *words.split()]))
    assert open_run(tmp_path / "run").recipe["kinds"] == kinds.split()
