"""What the README says to type is understood, and what is quick of it runs."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pagen import cli
from pagen.generate.config import Generate
from pagen.generate.generate import generate
from pagen.models.conv_ae import ConvAE3d

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^ {4}\$ ((?:\\\n|.)*)", README, re.MULTILINE)
COMMANDS = [shlex.split(block.replace("\\\n", " "), comments=True) for block in BLOCKS]
PAGEN = [words[words.index("pagen") + 1 :] for words in COMMANDS if "pagen" in words and "install" not in words]
QUICK = [words for words in PAGEN if words == ["doctor"] or words == ["datasets"]]


def test_the_readme_holds_the_three_jobs() -> None:
    assert {"generate", "train", "evaluate", "demo"} <= {words[0] for words in PAGEN}


@pytest.mark.parametrize("words", PAGEN, ids=" ".join)
def test_commands_are_understood(words: list[str], understood: Callable[[list[str]], None]) -> None:
    understood(words)


@pytest.mark.parametrize("words", QUICK, ids=" ".join)
def test_quick_commands_run(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    cli.dispatch(words)
    assert capsys.readouterr().out.strip()


def test_make_targets_exist() -> None:
    makefile = (Path(__file__).parents[1] / "Makefile").read_text(encoding="utf-8")
    targets = {word for words in COMMANDS if words[0] == "make" for word in words[1:]}
    assert {"demo", "test"} <= targets
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets)


def test_links_and_pictures_exist() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    assert links
    assert not [link for link in links if not (Path(__file__).parents[1] / link).exists()]


SMALL = {'pagen.prepare("ped2", root=Path("data"), size=(192, 288))': 'pagen.prepare("folder", Path("data"), (48, 64))'}


@pytest.mark.slow
def test_the_python_block_runs(
    write_folder: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On small footage in place of Ped2, a PA set of it, and a network as a run keeps it."""
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    for shown, small in SMALL.items():
        assert code.count(shown) == 1
        code = code.replace(shown, small)
    root = write_folder(tmp_path / "data", {"training/a": 40, "testing/x": 10}, (48, 64))
    settings: dict[str, Any] = {"kinds": ("skip",), "size": (48, 64), "workers": 0}
    generate(Generate("folder", root, out=tmp_path / "pa/ped2", **settings))
    ConvAE3d(1, "tiny").save_pretrained(tmp_path / "runs/skip/model")
    names: dict[str, Any] = {}
    exec(code, names)
    assert names["clips"].frames("train_a").shape == (40, 48, 64, 1)
    assert names["pseudo"].shape == names["normal"].shape == (1, 16, 48, 64)
    assert names["auroc"]([0.1, 0.7, 0.4], [0, 1, 0]) == 1
