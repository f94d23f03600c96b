"""A PA set for each recipe, and one for all members of one: what is refused, and what is advised instead, tried."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pagen import cli
from pagen.errors import PagenError
from pagen.footage.prepare import prepare
from pagen.footage.street import scene
from pagen.generate.config import SCALES, Generate
from pagen.generate.generate import generate
from pagen.generate.pa_set import open_pa_folder, open_pa_set
from pagen.models.runs import open_run
from pagen.options import PSEUDO_KINDS
from pagen.train.config import Train
from pagen.train.recipes.table import RECIPES
from pagen.train.recipes.unified import UnifiedRecipe
from pagen.train.stored import check_pseudo, open_stored, pa_flags_of
from pagen.train.train import parse

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("tiny_street")]

SIZE, LARGE = (64, 80), (80, 96)
STORED: Any = ("spatial", "temporal")
WITH_SETS = [
    ("spatial", ""),
    ("temporal", ""),
    ("discriminator", ""),
    ("discriminator", "--matched"),
    ("unified", ""),
    ("luss", "--prp conv --kinds spatial --probability 0.4"),
    ("luss", "--prp conv --kinds spatial skip patch --probability 0.4 --window 8"),
]


def follow(message: str) -> Path:
    """Type the command that a message holds between backticks, with what is fastest; returns the set."""
    (line,) = re.findall("`(.*?)`", message)
    words = shlex.split(line)
    assert words[:2] == ["pagen", "generate"]
    quick = ["--inference-steps", "1"] if "--matched" in words else ["--inpainter", "telea"]
    cli.main([*words[1:], *quick, "--workers", "0", "--device", "cpu"])
    return Path(words[words.index("--out") + 1])


def accepted(config: Train[Any]) -> None:
    """Open what every member takes from the set, as a training does before its first step."""
    check_pseudo(config)
    for part in config.recipe.parts.values():
        prepared = prepare(config.dataset, config.root, part.size, part.colour, workers=0)
        stored = open_stored(replace(config, recipe=part), prepared)
        assert (stored is None) == (not part.taken)


def asked(name: str, words: str, scale: str, size: tuple[int, int]) -> Train[Any]:
    config = parse([name, *words.split(), "--dataset", "street", "--scale", scale, "--workers", "0"])
    recipe = config.recipe
    if recipe.members:
        return replace(config, recipe=type(recipe)(*(replace(part, size=size) for part in recipe.members.values())))
    return replace(config, recipe=replace(recipe, size=size))


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize(("name", "words"), WITH_SETS)
def test_the_set_that_is_advised_where_there_is_none_is_accepted(
    name: str, words: str, scale: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = asked(name, words, scale, SIZE)
    with pytest.raises(PagenError, match="needs pseudo-anomalies on disk: give --pseudo") as refused:
        check_pseudo(config)
    accepted(replace(config, pseudo=follow(str(refused.value))))


@pytest.mark.parametrize(
    ("name", "words", "made"),
    [
        ("spatial", "", {"size": LARGE}),
        ("spatial", "", {"colour": True}),
        ("spatial", "", {"kinds": ("patch",)}),
        ("spatial", "", {"length": 8}),
        ("spatial", "--colour", {}),
        ("spatial", "", {"dataset": "street:square"}),
        ("temporal", "--flow tvl1", {}),
        ("temporal", "", {"kinds": ("spatial",)}),
        ("temporal", "", {"size": LARGE, "colour": True}),
        ("discriminator", "--matched", {}),
        ("discriminator", "--pool mean", {"length": 8}),
        ("unified", "", {"kinds": ("temporal",)}),
        ("unified", "", {"colour": True}),
        ("unified", "--temporal.flow tvl1", {}),
        ("luss", "--prp conv --kinds skip spatial --probability 0.4 --window 8", {"kinds": ("skip",), "length": 12}),
    ],
)
def test_the_set_that_is_advised_in_place_of_one_that_does_not_serve_is_accepted(
    name: str, words: str, made: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(scene, "square", scene.scenes)
    settings = {"dataset": "street", "kinds": STORED, "size": SIZE, "inpainter": "telea", **made}
    generate(Generate(**settings, workers=0, out=Path("pa")))
    config = replace(asked(name, words, "tiny", SIZE), pseudo=Path("pa"))
    with pytest.raises(PagenError) as refused:
        accepted(config)
    assert "\n" not in str(refused.value)
    accepted(replace(config, pseudo=follow(str(refused.value))))


@pytest.mark.parametrize(
    ("kind", "length", "message"),
    [
        ("temporal", None, "expected temporal pseudo-anomalies in pa, found spatial skip; make a set of such"),
        ("skip", 8, "expected skip pseudo-anomalies of 8 frames in pa, found clips of 12; make a set of such"),
        ("spatial", 20, "expected spatial pseudo-anomalies of 20 frames and more in pa, found clips of 12"),
    ],
)
def test_the_set_that_is_advised_in_python_holds_what_was_asked_for(
    kind: str, length: int | None, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    generate(
        Generate(
            "street", kinds=("spatial", "skip"), size=SIZE, length=12, workers=0, out=Path("pa"), inpainter="telea"
        )
    )
    with pytest.raises(PagenError, match=message) as refused:
        open_pa_set("pa", [kind], length)
    assert len(open_pa_set(follow(str(refused.value)), [kind], length)) > 0


def test_matched_normals_that_are_not_there_are_made_by_what_is_advised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    generate(Generate("street", kinds=("spatial",), size=SIZE, inference_steps=1, workers=0, out=Path("pa")))
    with pytest.raises(PagenError, match="expected matched normals in pa, found none") as refused:
        open_pa_folder(Path("pa")).matched("train_01")
    assert open_pa_folder(follow(str(refused.value))).matched("train_01").shape == (24, *SIZE, 1)


def test_members_that_want_unlike_sets_are_refused() -> None:
    config = parse(["unified", "--dataset", "street", "--scale", "tiny", "--spatial.size", "48", "64"])
    with pytest.raises(PagenError, match="expected one --size for all members of unified, which share a PA set"):
        check_pseudo(config)


def test_one_command_makes_the_set_of_every_member_at_scale_paper() -> None:
    flags = pa_flags_of(UnifiedRecipe.at("paper"))
    made = Generate.at("paper", "street")
    assert flags.pop("kinds") == ("spatial", "temporal")
    assert set(flags) == {"size", "colour", "flow", "length", "matched"}
    assert {name: getattr(made, name) for name in flags} == flags
    assert (made.size, made.colour, made.flow, made.inference_steps, made.length) == ((256, 256), True, "tvl1", 50, 16)
    assert set(flags.items()) >= {("flow", "tvl1"), ("colour", True)}
    assert set(made.kinds) == set(PSEUDO_KINDS)


def test_every_recipe_asks_for_flags_that_generate_has() -> None:
    for name in RECIPES.names():
        for part in RECIPES[name].at("paper").parts.values():
            assert set(part.pa_flags) <= set(Generate.__dataclass_fields__)
            assert bool(part.pa_flags) == bool(part.taken)


def test_every_member_of_unified_is_trained_at_scale_paper_from_one_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In full: 256x256, colour, TV-L1, the published widths; fewer clips a step, and fewer that are judged."""
    monkeypatch.chdir(tmp_path)
    for name in ("PAIRS", "WINDOWS", "WINDOWS_AT_ONCE"):
        monkeypatch.setattr(f"pagen.train.batches.{name}", 1)
    few = "--kinds spatial temporal --inpainter telea --limit-clips 1 --workers 0"
    cli.main(f"generate --dataset street --scale paper {few}".split())
    members = ("spatial", "temporal", "discriminator")
    short = [
        f"--{name}.{flag} {count}" for name in members for flag, count in (("steps", 1), ("epochs", 1), ("batch", 1))
    ]
    paths = "--pseudo pa/street --out run --workers 0 --device cpu"
    cli.main(f"train unified --dataset street --scale paper {paths} {' '.join(short)}".split())
    runs = {name: open_run(Path("run") / name).recipe for name in members}
    assert {run["scale"] for run in runs.values()} == {"paper"}
    assert (runs["spatial"]["channels"], runs["temporal"]["flow"], runs["discriminator"]["pool"]) == (3, "tvl1", "mean")


MAKING = {
    "strides": "2 3",
    "patch": "cutmix",
    "intruders": "clips",
    "max_size": "0.3",
    "max_move": "3",
}
"""Flags of making pseudo-anomalies, and what none of them is by default."""


def test_flags_of_making_that_a_stored_set_has_otherwise_are_refused(tmp_path: Path) -> None:
    kinds: Any = ("spatial", "skip", "patch")
    made = {"size": (64, 80), "length": 8, "inpainter": "telea", "workers": 0, "device": "cpu", "kinds": kinds}
    for colour in (False, True):
        generate(Generate("street", colour=colour, out=tmp_path / f"pa{colour}", **made))
    for name in RECIPES.names():
        if not RECIPES[name]().by_set:
            continue
        form = "--window 8 --kinds spatial skip patch --probability 0.4 --size 64 80 --crop 0"
        words = f"{name} --dataset street --scale tiny {form}"
        plain = parse(shlex.split(words))
        plain = replace(plain, pseudo=tmp_path / f"pa{plain.recipe.colour}")
        check_pseudo(plain)
        for flag, value in MAKING.items():
            given = f"--{flag.replace('_', '-')} {value}"
            config = replace(parse(shlex.split(f"{words} {given}")), pseudo=plain.pseudo)
            if flag not in plain.recipe.by_set:  # strides that something else is learnt from too
                check_pseudo(config)
                continue
            with pytest.raises(
                PagenError, match=f"as the PA set .* was made, found {given}, which it knows nothing of"
            ):
                check_pseudo(config)
            with pytest.raises(PagenError, match=f"`pagen generate .*{given}.*`"):
                check_pseudo(replace(config, pseudo=None))
    with pytest.raises(PagenError) as refused:
        check_pseudo(config := replace(config, pseudo=None))
    check_pseudo(replace(config, pseudo=follow(str(refused.value))))
