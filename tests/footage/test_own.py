"""Names for one's own data sets."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from pagen import cli
from pagen.errors import PagenError
from pagen.footage.catalogue import DATASETS, modifiers_of
from pagen.footage.check import check
from pagen.footage.joined import shares
from pagen.footage.locate import locate
from pagen.footage.named import as_typed, named
from pagen.footage.own import NAMED, own_datasets, own_file
from pagen.footage.prepare import prepare
from pagen.footage.prepare_dataset import Prepare
from pagen.generate.command import command

LENGTHS = {"training/till_01": 6, "training/door_01": 5, "testing/till_02": 6, "testing/door_02": 5, "testing/roof": 4}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Footage of one's own: two scenes and a clip of neither, in two editions of labels."""
    root = tmp_path / "footage of the shop"
    for name, length in LENGTHS.items():
        (root / name).mkdir(parents=True)
        for index in range(length):
            picture = np.random.default_rng(index).integers(0, 255, (20, 24), np.uint8)
            cv2.imwrite(str(root / name / f"{index:03}.png"), picture)
        if name.startswith("testing"):
            for folder, first in (("labels", 2), ("labels_strict", 3)):
                (root / folder).mkdir(exist_ok=True)
                np.save(root / folder / f"{Path(name).name}.npy", (np.arange(length) >= first).astype(np.uint8))
    return root


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the data sets of one's own stand; empty."""
    path = tmp_path / "mine.toml"
    path.write_text("", encoding="utf-8")
    monkeypatch.setenv("PAGEN_DATASETS", str(path))
    monkeypatch.setenv("PAGEN_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("PAGEN_DATA", raising=False)
    yield path
    NAMED.clear()


def written(file: Path, **entries: object) -> None:
    """One data set `shop` with these keys."""
    file.write_text("[shop]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in entries.items()), "utf-8")


def said(*words: str) -> tuple[int, str]:
    """Exit status and the last line on stderr of a command."""
    done = subprocess.run([sys.executable, "-P", "-m", "pagen", *words], capture_output=True, text=True)
    return done.returncode, done.stderr.strip()


def test_a_name_finds_the_footage(file: Path, shop: Path) -> None:
    written(file, root=str(shop), fps=12.5, what="a shop", licence="ours", labels=["labels/{clip}.npy"])
    row, footage = DATASETS["shop"], locate("shop")
    assert (row.name, row.what, row.licence, row.fps) == ("shop", "a shop", "ours", 12.5)
    assert (footage.name, footage.fps, footage.label_edition) == ("shop", 12.5, "labels/*.npy")
    assert [len(footage.split(split)) for split in ("train", "test")] == [2, 3]
    assert check(footage, decode_all=True) == []
    assert prepare("shop", size=(16, 16), workers=0).dataset == "shop"


def test_the_root_may_stand_beside_the_file_and_labels_are_editions(file: Path, shop: Path) -> None:
    written(file, root=shop.name, labels=["labels_strict/{clip}.npy", "labels/{clip}.npy"])
    footage = locate("shop")
    assert footage.editions == ("labels_strict/*.npy", "labels/*.npy")
    clip = footage.split("test")[0]
    default, other = clip.labels(), clip.labels("labels/*.npy")
    assert default is not None
    assert other is not None
    assert int(default.sum()) + 1 == int(other.sum())


def test_scenes_are_what_names_begin_with(file: Path, shop: Path) -> None:
    written(file, root=str(shop), scenes=["till", "door"])
    assert [clip.scene for clip in locate("shop").clips] == ["door", "till", "door", "", "till"]
    assert [clip.name for clip in locate("shop:till").clips] == ["train_till_01", "test_till_02"]
    assert "test_till_02" not in [clip.name for clip in locate("shop:without-till").clips]
    written(file, root=str(shop), scenes="mixed")
    with pytest.raises(PagenError, match="expected scenes that are no modifier of names for shop, found mixed"):
        DATASETS["shop"]


def test_the_list_and_the_check_know_it(file: Path, shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(file, root=str(shop), what="a shop with two cameras")
    cli.dispatch(["datasets"])
    shown = capsys.readouterr().out
    assert f"{shop} (folder layout)" in shown
    assert "shop: a shop with two cameras; " in shown
    cli.dispatch(["datasets", "check", "shop"])
    assert capsys.readouterr().out.startswith(f"shop: folder layout in {shop}")
    written(file, root="gone")
    cli.dispatch(["datasets", "--json"])
    rows = {row["name"]: row["found"] for row in json.loads(capsys.readouterr().out)}
    assert rows["shop"] is None


def test_a_folder_that_is_gone_is_named_with_the_file(file: Path) -> None:
    written(file, root="gone")
    with pytest.raises(PagenError, match=rf"expected the folder of shop at .*gone, as {file} says, found none"):
        locate("shop")


def test_a_root_that_is_given_must_lead_there(file: Path, shop: Path, tmp_path: Path) -> None:
    written(file, root=str(shop))
    assert locate("shop", shop).root == locate("shop", tmp_path).root == shop
    (tmp_path / "other").mkdir()
    with pytest.raises(PagenError, match=rf"expected shop in {shop}, as {file} says, found .*other, which"):
        locate("shop", tmp_path / "other")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[shop", "expected data sets as TOML in"),
        ("shop = 3", "expected an object for shop in"),
        ("[shop]\nwhat = 'a'", "expected a value for shop.root in"),
        ("[shop]\nroot = 3", "expected a string for shop.root in"),
        ("[shop]\nroot = '.'\nrate = 3", "expected nothing called shop.rate in"),
        ("[shop]\nroot = '.'\nfps = 0", "expected a number greater than 0 for shop.fps in"),
        ("[shop]\nroot = '.'\nfps = true", "expected a finite number for shop.fps in"),
        ("[shop]\nroot = '.'\nlabels = 'labels'", "expected places below root, each FILE.csv, DIR/{clip}.npy or"),
        ("[shop]\nroot = '.'\nlabels = []", "as labels, found [] for shop in"),
        ("[shop]\nroot = '.'\nlabels = ['a.csv', 'a.csv']", "expected each of labels once, found a.csv a.csv for shop"),
        ("[shop]\nroot = '.'\nscenes = ['a b']", "expected names of letters, digits, - and _ as scenes, found 'a b'"),
        ("[ped2]\nroot = '.'", "expected a name that the catalogue does not have, found ped2 in"),
        ("['a+b']\nroot = '.'", "expected a name of letters, digits, - and _, found 'a+b' in"),
    ],
)
def test_what_the_file_says_wrongly_is_one_line(file: Path, text: str, words: str) -> None:
    file.write_text(text, encoding="utf-8")
    with pytest.raises(PagenError) as raised:
        locate("street")
    assert words in str(raised.value)
    assert str(file) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_names_of_the_table_are_looked_up_there_alone(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(file, root=".")
    rows = {name: modifiers_of(DATASETS[name]) for name in DATASETS.catalogue()}

    def elsewhere(*args: object, **kwargs: object) -> None:
        raise AssertionError(f"looked up elsewhere: {args} {kwargs}")

    monkeypatch.setattr("pagen.footage.own.read_toml", elsewhere)
    monkeypatch.setattr("pagen.registry.entry_points", elsewhere)
    for name in [*rows, *(f"{base}:{modifier}" for base, modifiers in rows.items() for modifier in modifiers)]:
        assert DATASETS[name].name == name
        assert shares(name, name)


def test_entry_points_are_asked_for_where_the_file_names_something(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DATASETS, "catalogue", lambda: pytest.fail("the file names nothing"))
    assert DATASETS.own() == {}
    file.unlink()
    monkeypatch.setenv("PAGEN_DATASETS", "")
    assert DATASETS.own() == {}


def test_a_file_that_is_not_there_is_told_where_it_was_named(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.unlink()
    with pytest.raises(PagenError, match=f"TOML in {file}, which PAGEN_DATASETS names, found no file"):
        own_datasets(list)
    monkeypatch.setenv("PAGEN_DATASETS", "")
    assert own_file().name == "datasets.toml"


def test_an_unknown_name_is_told_how_to_name_ones_own(file: Path) -> None:
    written(file, root=".")
    with pytest.raises(PagenError, match="no data set named 'shup'; did you mean 'shop'"):
        DATASETS["shup"]


@pytest.mark.slow
def test_a_name_on_one_command_is_that_of_what_it_makes(file: Path, shop: Path, tmp_path: Path) -> None:
    words = ("prepare", "--dataset", "folder", "--root", str(shop), "--name", "yard", "--size", "16", "16")
    out = tmp_path / "prepared"
    assert said(*words, "--workers", "0", "--out", str(out)) == (0, "")
    assert json.loads((out / "manifest.json").read_text())["config"]["dataset"] == "yard"


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["--dataset", "street", "--name", "yard"], "expected --dataset folder with --name yard, found street"),
        (["--dataset", "folder", "--name", "yard"], "expected --root DIR with --name yard, found none"),
        (["--dataset", "folder", "--root", ".", "--name", "ped2"], "expected a name that the catalogue does not have"),
        (["--dataset", "folder", "--root", ".", "--name", "a:b"], "expected a name of letters, digits, - and _"),
    ],
)
def test_a_name_that_cannot_be_given_is_one_line(
    file: Path, words: list[str], answer: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["prepare", *words])
    assert ended.value.code == 2
    assert answer in capsys.readouterr().err


def test_a_name_of_the_file_may_not_be_given_to_another_folder(
    file: Path, shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(file, root=str(shop))
    with pytest.raises(SystemExit):
        cli.main(["prepare", "--dataset", "folder", "--root", str(tmp_path), "--name", "shop"])
    assert f"expected a name that {file} does not have, found shop; choose another" in capsys.readouterr().err


def test_every_verb_over_footage_takes_a_name(capsys: pytest.CaptureFixture[str]) -> None:
    for verb, (place, _) in cli.VERBS.items():
        module, name = place.split(":")
        fields = getattr(getattr(import_module(module), name), "__dataclass_fields__", {})
        if {"dataset", "root"} <= set(fields):
            assert "called" in fields, verb
            words = [verb, *(["knn"] if verb == "train" else []), "--help"]
            with pytest.raises(SystemExit):
                cli.dispatch(words)
            assert "--name" in capsys.readouterr().out, verb


def test_advice_for_what_was_named_on_one_command_works_when_it_is_typed(
    file: Path, shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    named(Prepare("folder", shop, called="yard"))
    (shop / "training/till_01/001.png").write_bytes(b"no picture")
    with pytest.raises(PagenError) as raised:
        prepare("yard", size=(16, 16), workers=0)
    asked = shlex.join(["pagen", "datasets", "check", "folder", "--root", str(shop)])
    assert f"'{asked}' lists all" in str(raised.value)
    with pytest.raises(PagenError, match="expected folder to be whole, found 1 problem"):
        cli.dispatch(shlex.split(asked)[1:])
    assert "problem: train_till_01" in capsys.readouterr().out


def test_words_that_ask_for_it_are_those_that_name_it(file: Path, shop: Path, understood: Any) -> None:
    named(Prepare("folder", shop, called="yard"))
    words = shlex.split(command("yard", {"kinds": ("skip",), "root": str(shop)}))
    assert words[:8] == ["pagen", "generate", "--dataset", "folder", "--root", str(shop), "--name", "yard"]
    assert words.count("--root") == 1
    understood(words[1:])
    typed = as_typed(Prepare("yard", shop, called="yard"))
    assert named(typed).dataset == "yard"


def test_a_run_that_is_no_longer_known_by_name_is_told(file: Path) -> None:
    with pytest.raises(PagenError, match="no data set named 'yard'"):
        locate("yard")


def test_a_name_is_that_of_one_command(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cli.dispatch(["prepare", "--dataset", "folder", "--root", str(shop), "--name", "yard", "--size", "16", "16"])
    assert "yard" in capsys.readouterr().out
    assert "yard" not in DATASETS
