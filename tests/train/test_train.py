from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from pagen.errors import PagenError
from pagen.folders import Folder, tree_hash
from pagen.footage.prepare import Prepared
from pagen.generate.config import Generate
from pagen.generate.generate import generate
from pagen.generate.pa_set import PASet
from pagen.hub import WEIGHTS
from pagen.models.runs import open_run
from pagen.train.config import Train, identity_of, recipe_of, run_folder
from pagen.train.recipes.base import Recipe
from pagen.train.recipes.lntra import SkipRecipe
from pagen.train.recipes.luss import LussRecipe
from pagen.train.recipes.plain import BaselineRecipe
from pagen.train.recipes.table import recipe_names
from pagen.train.recipes.unified import TemporalRecipe, UnifiedRecipe
from pagen.train.session import train
from pagen.train.train import parse, run

Configure = Callable[..., Train[Any]]
RecipeAt = Callable[..., Recipe]


def parsed(*argv: str) -> Train[Any]:
    return parse([*argv, "--dataset", "folder"])


@pytest.mark.parametrize(
    ("flags", "scale"),
    [
        ((), "cpu"),
        (("--scale", "tiny"), "tiny"),
        (("--scale=tiny",), "tiny"),
        (("--scale=paper", "--seed=3"), "paper"),
        (("--scale", "paper", "--scale", "tiny"), "tiny"),
    ],
)
def test_the_scale_decides_what_the_other_flags_default_to(flags: tuple[str, ...], scale: str) -> None:
    config = parsed("skip", *flags)
    assert config.scale == scale
    assert config.recipe == SkipRecipe.at(scale)


def test_flags_go_before_the_scale() -> None:
    config = parsed(
        "temporal", "--scale=tiny", "--batch", "3", "--size", "64", "80", "--radius=2.5", "--encoding", "uv"
    )
    assert config.recipe == replace(TemporalRecipe.at("tiny"), batch=3, size=(64, 80), radius=2.5, encoding="uv")
    assert parsed("baseline", "--widths", "small").recipe.widths == "small"
    assert parsed("baseline", "--widths", "4", "6", "8", "10").recipe.widths == (4, 6, 8, 10)
    assert parsed("skip", "--strides", "2", "4").recipe.strides == (2, 4)
    assert parsed("spatial", "--scale", "tiny", "--colour").recipe.colour
    assert not parsed("spatial", "--scale", "paper", "--no-colour").recipe.colour


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (("skp",), "no recipe named 'skp'; did you mean 'skip'"),
        (("skip", "--scale", "tinny"), "no scale named 'tinny'; did you mean 'tiny'"),
        (("skip", "--scale=cpuu"), "did you mean 'cpu'"),
        (("skip", "--window", "12"), "--window to be a multiple of 8"),
        (("skip", "--scale", "tiny", "--crop", "20"), "--crop to be a multiple of 16"),
        (
            ("skip", "--crop", "0", "--size", "240", "360"),
            r"--size in multiples of 16 .* found \(240, 360\); give a --crop",
        ),
        (("skip", "--resume", "--overwrite"), "found both"),
    ],
)
def test_a_flag_that_cannot_be_is_refused(argv: tuple[str, ...], message: str) -> None:
    with pytest.raises(PagenError, match=message):
        parsed(*argv)


@pytest.mark.parametrize("argv", [[], ["--help"], ["-h"]])
def test_help_names_the_recipes(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        parse(argv)
    assert left.value.code == 0
    out = capsys.readouterr().out
    assert all(f"  {name} " in out for name in recipe_names())
    assert "--scale" in out


def test_help_of_a_recipe_explains_its_flags(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        parse(["skip", "--scale", "tiny", "--help"])
    assert left.value.code == 0
    out = " ".join(capsys.readouterr().out.split())
    for part in ("--strides", "(default: 96 144)", "Share of the clips that are pseudo-anomalies", "--overwrite"):
        assert part in out


def test_the_run_lies_where_its_name_says(tmp_path: Path) -> None:
    config: Train[BaselineRecipe] = Train(BaselineRecipe.at("tiny"), "ped2", scale="tiny", seed=4)
    assert run_folder(config) == Path("runs/baseline-ped2-tiny-4")
    assert run_folder(replace(config, out=tmp_path)) == tmp_path


def test_what_a_run_remembers_is_all_that_its_weights_depend_on(tiny: RecipeAt) -> None:
    config = Train(tiny("temporal"), "street", seed=1)
    about = recipe_of(config)
    assert about["source"] == "flow"
    assert (about["recipe"], about["channels"], about["dataset"], about["seed"]) == ("temporal", 3, "street", 1)
    elsewhere = replace(config, out=Path("x"), root=Path("y"), device="cuda", workers=3, overwrite=True, json=True)
    assert recipe_of(elsewhere) == about
    assert recipe_of(replace(config, recipe=tiny("temporal", lr=0.5))) != about


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("spatial", "spatial"),
        ("temporal", "temporal"),
        ("discriminator", "spatial"),
        ("unified", "spatial temporal"),
    ],
)
def test_recipes_of_stored_pseudo_anomalies_ask_for_them(
    name: str, kinds: str, configure: Configure, tmp_path: Path
) -> None:
    config = replace(configure(name, tmp_path / "run"), pseudo=None)
    with pytest.raises(
        PagenError, match=rf"give --pseudo pa/folder-{name}-tiny, made by .* --kinds {kinds} --size 48 64"
    ):
        run(config)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", ["baseline", "memae", "luss"])
def test_recipes_of_normal_clips_take_no_pa_set(name: str, configure: Configure, pseudo: PASet, tmp_path: Path) -> None:
    with pytest.raises(
        PagenError, match=f"recipe {name} trains on normal clips alone; give --probability .* or leave --pseudo out"
    ):
        run(replace(configure(name, tmp_path / "run"), pseudo=pseudo.folder.path))


def test_the_best_epoch_needs_a_validation() -> None:
    with pytest.raises(PagenError, match="expected --validate pseudo with --keep best"):
        parsed("skip", "--keep", "best")
    assert parsed("skip", "--keep", "best", "--validate", "pseudo").keep == "best"


def test_the_members_of_unified_have_their_own_flags() -> None:
    config = parsed("unified", "--scale", "tiny", "--spatial.lr", "0.5", "--discriminator.encoder", "vificlip:there")
    tiny = UnifiedRecipe.at("tiny")
    assert config.recipe.spatial == replace(tiny.spatial, lr=0.5)
    assert config.recipe.temporal == tiny.temporal
    assert config.recipe.discriminator == replace(tiny.discriminator, encoder="vificlip:there")


def test_kinds_and_shares_are_flags() -> None:
    recipe = parsed("skip", "--kinds", "skip", "patch", "--shares", "2", "1").recipe
    assert (recipe.kinds, recipe.shares) == (("skip", "patch"), (2.0, 1.0))
    assert parsed("luss", "--weights", "1", "0", "2").recipe.weights == (1.0, 0.0, 2.0)
    assert parsed("luss").recipe == LussRecipe.at("cpu")


def test_an_unknown_data_set_is_answered_with_the_nearest(configure: Configure, tmp_path: Path) -> None:
    with pytest.raises(PagenError, match="did you mean 'folder'"):
        run(replace(configure("baseline", tmp_path / "run"), dataset="foldr"))


def test_a_pa_set_without_the_kind_is_refused(
    street: Path, prepared: Prepared, configure: Configure, tmp_path: Path
) -> None:
    pa = tmp_path / "pa"
    generate(Generate("folder", street, ("skip",), size=prepared.size, workers=0, out=pa))
    config = replace(configure("spatial", tmp_path / "run"), pseudo=pa)
    with pytest.raises(
        PagenError, match=r"expected a PA set with --kinds spatial in .* found --kinds skip; .* --kinds spatial"
    ):
        train(config)
    assert not (tmp_path / "run").exists()


def test_a_pa_set_of_another_size_is_refused(configure: Configure, pseudo: PASet, tmp_path: Path) -> None:
    config = configure("spatial", tmp_path / "run", size=(32, 48))
    with pytest.raises(PagenError, match=r"set with --size 32 48 in .*, found --size 48 64; give .* --size 32 48"):
        train(config)
    with pytest.raises(PagenError, match="expected a pa_set folder"):
        train(replace(config, pseudo=tmp_path))


def test_a_pa_set_of_another_flow_is_refused(configure: Configure, tmp_path: Path) -> None:
    with pytest.raises(PagenError, match=r"set with --flow tvl1 in .*, found --flow dis; .* --flow tvl1"):
        train(configure("temporal", tmp_path / "run", flow="tvl1"))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("name", "length"), [("baseline", 15), ("skip", 30)])
def test_videos_that_are_too_short_leave_no_run(name: str, length: int, tiny: RecipeAt, tmp_path: Path) -> None:
    for index in range(length):
        file = tmp_path / f"footage/training/a/{index:03}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(file), np.full((48, 64), index, np.uint8))
    config = Train(tiny(name), "folder", tmp_path / "footage", scale="tiny", out=tmp_path / "run", workers=0)
    with pytest.raises(PagenError, match=f"the longest has {length}; lower --"):
        train(config)
    assert not (tmp_path / "run").exists()


def test_resuming_insists_on_a_run(configure: Configure, tmp_path: Path) -> None:
    with pytest.raises(PagenError, match=r"expected a run to go on with at .*run, found none"):
        train(configure("baseline", tmp_path / "run", resume=True))
    assert not (tmp_path / "run").exists()


def test_a_device_that_is_not_there_leaves_no_run(configure: Configure, tmp_path: Path) -> None:
    with pytest.raises(PagenError, match="found 'gpu'"):
        train(replace(configure("baseline", tmp_path / "run"), device="gpu"))
    assert not (tmp_path / "run").exists()


@pytest.fixture
def finished(runs: Path, tmp_path: Path, configure: Configure) -> Path:
    """A copy of the finished baseline, which names the paths of this process: another one may have trained it."""
    path = shutil.copytree(runs / "baseline", tmp_path / "run")
    train(configure("baseline", path))
    return path


def times(path: Path) -> dict[Path, int]:
    return {file: file.stat().st_mtime_ns for file in path.rglob("*")}


@pytest.mark.parametrize("resume", [False, True])
def test_the_same_command_finds_that_all_is_done(
    finished: Path, configure: Configure, resume: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    before = times(finished)
    run(replace(configure("baseline", finished, resume=resume), json=True))
    assert times(finished) == before
    captured = capsys.readouterr()
    assert "is finished; `pagen train` with --overwrite trains it again" in captured.err
    result = json.loads(captured.out)
    last = (finished / "metrics.csv").read_text().splitlines()[-1].split(",")
    assert result == {"run": str(finished), "steps": 30, "loss": float(last[2])}


def test_a_finished_run_needs_no_state(finished: Path, configure: Configure) -> None:
    shutil.rmtree(finished / "state")
    before = times(finished)
    train(configure("baseline", finished))
    assert times(finished) == before


@pytest.mark.parametrize("gone", ["model/model.safetensors", "model", "metrics.csv", "recipe.json"])
def test_what_has_been_removed_from_a_run_is_made_again(
    finished: Path, runs: Path, configure: Configure, gone: str
) -> None:
    path = finished / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    train(configure("baseline", finished))
    assert open_run(finished).recipe == open_run(runs / "baseline").recipe
    for file in ("metrics.csv", "recipe.json", f"model/{WEIGHTS}"):
        assert (finished / file).read_bytes() == (runs / "baseline" / file).read_bytes()


def test_another_configuration_is_refused(finished: Path, configure: Configure) -> None:
    before = tree_hash(finished)
    with pytest.raises(
        PagenError, match=r"made otherwise: lr 0.001 there, 0.5 asked; give another --out, or remove it"
    ):
        train(configure("baseline", finished, lr=0.5))
    with pytest.raises(PagenError, match="seed 0 there, 1 asked"):
        train(replace(configure("baseline", finished), seed=1))
    assert tree_hash(finished) == before


def test_overwriting_starts_again(finished: Path, runs: Path, configure: Configure) -> None:
    (finished / "notes.txt").write_text("old")
    train(configure("baseline", finished, overwrite=True, epochs=1, steps=2))
    assert sorted(path.name for path in finished.iterdir()) == sorted(
        path.name for path in (runs / "baseline").iterdir()
    )
    assert open_run(finished).recipe["epochs"] == 1
    assert [state.name for state in (finished / "state").iterdir()] == ["000000002"]


def test_a_run_that_was_stopped_before_its_last_word_is_finished_by_the_next_command(
    configure: Configure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = configure("baseline", tmp_path / "run", epochs=1, steps=1)

    finish = Folder.finish

    def interrupted(self: Folder) -> None:
        if self.kind == "run":
            raise KeyboardInterrupt
        finish(self)

    with monkeypatch.context() as patch:
        patch.setattr(Folder, "finish", interrupted)
        with pytest.raises(KeyboardInterrupt):
            train(config)
    with pytest.raises(PagenError, match="not finished"):
        open_run(tmp_path / "run")
    train(config)
    assert open_run(tmp_path / "run").recipe["recipe"] == "baseline"


def test_frames_that_do_not_divide_are_trained_on_in_crops_and_shown_whole(
    configure: Configure, tmp_path: Path
) -> None:
    train(configure("skip", tmp_path / "run", size=(40, 60), crop=16, epochs=1, steps=1))
    assert open_run(tmp_path / "run").recipe["size"] == [40, 60]
    assert (tmp_path / "run/sheet.png").exists()


def test_whole_colour_frames_are_trained_on_too(configure: Configure, tmp_path: Path) -> None:
    train(configure("baseline", tmp_path / "run", colour=True, crop=0, batch=2, epochs=1, steps=1))
    assert open_run(tmp_path / "run").network.config["channels"] == 3


def test_a_run_remembers_nothing_of_pseudo_anomalies_that_it_has_not(tiny: RecipeAt) -> None:
    plain, mixed = (recipe_of(Train(tiny(name), "street")) for name in ("baseline", "skip"))
    assert mixed.keys() - plain.keys() == {"strides", "patch", "intruders", "max_size", "max_move"}
    luss = recipe_of(Train(tiny("luss"), "street"))
    assert (luss["strides"], "patch" in luss, luss["fused"]) == ((2, 3, 4, 5), False, ["vcr_local", "ffp_local", "prp"])
    assert "fused" not in identity_of(Train(tiny("luss"), "street"))
