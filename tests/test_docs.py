"""The pages of docs/: their commands are understood, the quick ones run, links lead somewhere, the site builds."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from markdown.extensions.toc import slugify
from mkdocs.commands.build import build
from mkdocs.config import load_config

from pagen import cli

ROOT = Path(__file__).parents[1]
PAGES = {path.relative_to(ROOT / "docs").as_posix(): path for path in sorted((ROOT / "docs").rglob("*.md"))}
TEXTS = {name: path.read_text(encoding="utf-8") for name, path in PAGES.items()}
FENCED = re.compile(r"^```(?:console|bash)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
QUICK = [["--version"], ["datasets"], ["train", "--help"], ["generate", "--help"]]


def commands(text: str) -> list[list[str]]:
    """The words after `pagen` of every fenced command line."""
    lines = "\n".join(FENCED.findall(text)).replace("\\\n", " ").splitlines()
    words = [shlex.split(line.removeprefix("$ "), comments=True) for line in lines]
    return [each[each.index("pagen") + 1 :] for each in words if "pagen" in each]


COMMANDS = sorted({tuple(words) for text in TEXTS.values() for words in commands(text)})


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_commands_are_understood(words: tuple[str, ...], understood: Callable[[list[str]], None]) -> None:
    understood(list(words))


@pytest.mark.parametrize("words", QUICK, ids=" ".join)
def test_quick_commands_run(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with suppress(SystemExit):
        cli.dispatch(words)
    assert capsys.readouterr().out.strip()


def test_every_method_has_its_command() -> None:
    methods = {
        name: {words[0] for words in commands(text)} for name, text in TEXTS.items() if name.startswith("methods")
    }
    assert len(methods) == 10
    assert all({"train", "generate"} & verbs for verbs in methods.values())


def anchors(text: str) -> set[str]:
    """What links may name behind a #, as the site's headings are called."""
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return {slugify(title, "-") for title in re.findall(r"^#+ (.+)$", prose, re.MULTILINE)}


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_to_files_and_headings(name: str) -> None:
    for link in LINK.findall(TEXTS[name]):
        target, _, anchor = link.partition("#")
        path = (PAGES[name].parent / target).resolve() if target else PAGES[name]
        assert path.is_file(), link
        assert not anchor or anchor in anchors(path.read_text(encoding="utf-8")), link


def test_the_site_builds_without_a_warning_and_holds_the_pages_alone(tmp_path: Path) -> None:
    site = tmp_path / "site"
    build(load_config(str(ROOT / "mkdocs.yml"), site_dir=str(site)))
    assert all((site / name).with_suffix(".html").is_file() for name in PAGES)
    assert not list(site.rglob("*.py"))
    page = (site / "methods" / "mulde.html").read_text(encoding="utf-8")
    assert 'href="../results.html"' in page
    assert "../../models" not in page, "links out of docs/ are plain text on the site"
