"""`a+b`: data sets joined to train on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from pagen import cli
from pagen.compute import Compute
from pagen.errors import PagenError
from pagen.eval.scores import score_run
from pagen.footage.catalogue import DATASETS
from pagen.footage.check import check, require
from pagen.footage.joined import differing_rates, shares
from pagen.footage.locate import locate
from pagen.footage.outline import outline
from pagen.footage.prepare import prepare
from pagen.generate.config import Generate
from pagen.generate.generate import generate
from pagen.models.runs import open_run
from pagen.train.config import Train
from pagen.train.recipes.table import RECIPES
from pagen.train.session import train


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Data sets of one's own: `shop`, `yard` of another size and rate, `lane`, the shop again; returns their folder."""
    for name, (height, width) in {"shop": (20, 24), "yard": (24, 32)}.items():
        for split, length in (("training", 40), ("testing", 3)):
            folder = tmp_path / name / split / "a"
            folder.mkdir(parents=True)
            for index in range(length):
                picture = np.full((height, width), 6 * index + len(split), np.uint8)
                cv2.imwrite(str(folder / f"{index}.png"), picture)
    file = tmp_path / "mine.toml"
    roots = {"shop": ("shop", 10), "lane": ("shop", 10), "yard": ("yard", 25)}
    entries = [f'[{name}]\nroot = "{root}"\nfps = {fps}\n' for name, (root, fps) in roots.items()]
    file.write_text("\n".join(entries), encoding="utf-8")
    monkeypatch.setenv("PAGEN_DATASETS", str(file))
    monkeypatch.setenv("PAGEN_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("PAGEN_DATA", raising=False)
    return tmp_path


def test_clips_are_called_after_their_data_set_and_are_theirs(pair: Path) -> None:
    footage = locate("shop+yard")
    assert [(clip.name, clip.split) for clip in footage.clips] == [
        ("shop.train_a", "train"),
        ("yard.train_a", "train"),
    ]
    for clip, name in zip(footage.clips, ("shop", "yard"), strict=True):
        np.testing.assert_array_equal(list(clip.frames()), list(locate(name).clips[0].frames()))
    assert DATASETS["shop+yard"].what == "the training clips of shop and yard"
    assert "shop+yard" not in DATASETS.names()


def test_parts_may_have_modifiers_and_colons() -> None:
    names = [clip.name for clip in locate("street:mixed+street:square").clips]
    assert len(names) == 16 + 12
    assert names[0] == "street-mixed.train_01"
    assert names[-1] == "street-square.train_12"


def test_frames_are_brought_to_one_size_or_refused(pair: Path) -> None:
    prepared = prepare("shop+yard", size=(16, 16), workers=0)
    assert (prepared.dataset, prepared.size, prepared.clips("test")) == ("shop+yard", (16, 16), [])
    assert [prepared.length(name) for name in prepared.clips("train")] == [40, 40]
    words = "expected frames of one size to join, found 20x24 of shop, 24x32 of yard; train or prepare"
    with pytest.raises(PagenError, match=words):
        prepare("shop+yard", size=None, workers=0)
    assert len(outline("shop+yard", workers=0).clips()) == 2
    assert prepare("shop+lane", size=None, workers=0).size == (20, 24)


def test_rates_that_differ_are_told_once(pair: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = differing_rates(locate("shop+yard"))
    assert told.startswith("shop+yard: frames a second differ (10 of shop, 25 of yard), so that")
    for _ in range(2):
        prepare("shop+yard", size=(16, 16), workers=0)
    assert capsys.readouterr().err.count(told) == 1
    prepare("shop", size=(16, 16), workers=0)
    assert "differ" not in capsys.readouterr().err


def test_what_is_wrong_with_a_part_is_told_with_its_name(pair: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(locate("shop+yard"), decode_all=True) == []
    cli.dispatch(["datasets", "check", "shop+yard"])
    assert "shop+yard: joined layout in no folder, labels: none" in capsys.readouterr().out
    (pair / "yard/training/a/2.png").write_bytes(b"no picture")
    with pytest.raises(PagenError, match=r"shop\+yard: yard: train_a: .*2.png"):
        require(locate("shop+yard"))
    with pytest.raises(PagenError, match=r"shop\+yard: yard: train_a"):
        prepare("shop+yard", size=(16, 16), workers=0)


def test_a_test_frame_that_is_damaged_is_a_problem_of_its_part(pair: Path) -> None:
    (pair / "shop/testing/a/1.png").write_bytes(b"no picture")
    assert [problem.partition(": ")[0] for problem in check(locate("shop+yard"))] == ["shop"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("shop+shop", r"expected each data set once to join, found shop\+shop; leave one out"),
        ("shop+shup", "no data set named 'shup'; did you mean 'shop'"),
        ("shop+", r"no data set named 'shop\+'"),
    ],
)
def test_names_that_join_nothing_are_refused(pair: Path, name: str, words: str) -> None:
    with pytest.raises(PagenError, match=words):
        locate(name)


def test_a_part_without_training_clips_is_named(pair: Path) -> None:
    (pair / "yard/training").rename(pair / "yard/elsewhere")
    with pytest.raises(PagenError, match="expected training clips of yard to join, found none in"):
        locate("shop+yard")


@pytest.mark.parametrize(
    ("trained_on", "target", "together"),
    [
        ("ped2", "ped2", True),
        ("ped2:mixed", "ped2", True),
        ("ped1+street", "ped2", False),
        ("ped1+ped2:mixed", "ped2", True),
        ("street", "street:square", False),
        ("lane", "lane", True),
        ("lane", "ped2", False),
        ("shop:till", "shop:door", False),
        ("shop:without-till", "shop:till", False),
        ("shop:without-till", "shop:door", True),
        ("shop:till", "shop", True),
        ("shop:mixed", "shop:till", True),
        ("shop:till:mixed+street", "shop:till", True),
    ],
)
def test_footage_is_shared_by_name_scene_by_scene(
    trained_on: str, target: str, together: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('[shop]\nroot = "shop"\nscenes = ["till", "door"]\n', encoding="utf-8")
    monkeypatch.setenv("PAGEN_DATASETS", str(file))
    assert shares(trained_on, target) is together
    assert shares(target, trained_on) is together or "+" in trained_on


@pytest.mark.slow
def test_sets_are_made_and_detectors_trained_of_joined_footage(pair: Path) -> None:
    made = generate(Generate("shop+yard", kinds=("skip",), size=(32, 32), out=pair / "pa", workers=0))
    assert sorted(path.name for path in (pair / "pa/skip").iterdir()) == ["shop.train_a.jsonl", "yard.train_a.jsonl"]
    assert made
    recipe = replace(RECIPES["knn"].at("tiny"), features="lite0", size=(32, 48))  # type: ignore[call-arg]
    path = pair / "knn"
    train(Train(recipe, "shop+yard", scale="tiny", out=path, device="cpu", workers=0))
    assert open_run(path).recipe["dataset"] == "shop+yard"
    assert open_run(path).calibration["density"]["count"] == 80
    with pytest.raises(PagenError, match="expected test clips"):
        score_run(path, "shop+yard", Compute(None, "cpu", 0))
