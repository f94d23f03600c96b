"""The packages of pyproject.toml are the folders that hold code, and the names that the design promises exist."""

from __future__ import annotations

import re
import runpy
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SETUP = PROJECT["tool"]["setuptools"]


def folder_of(package: str) -> Path:
    wing, mapped = package.split(".")[:2], SETUP["package-dir"]
    top = mapped.get(".".join(wing), "/".join(wing))
    return ROOT.joinpath(top, *package.split(".")[2:])


def test_every_folder_with_code_is_a_listed_package() -> None:
    holding = {path.parent for top in ("pagen", "models", "train", "eval") for path in (ROOT / top).rglob("*.py")}
    assert holding == {folder_of(package) for package in SETUP["packages"]}


@pytest.mark.parametrize("package", SETUP["packages"])
def test_a_package_has_its_init_and_says_what_it_holds(package: str) -> None:
    text = (folder_of(package) / "__init__.py").read_text(encoding="utf-8")
    assert text.startswith('"""')


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "docs/how-to-add.md"])
def test_entry_points_that_pages_name_are_read_by_a_registry(page: str) -> None:
    named = set(re.findall(r"`(pagen\.[a-z_]+)`", (ROOT / page).read_text(encoding="utf-8"))) - set(SETUP["packages"])
    texts = [path.read_text("utf-8") for package in SETUP["packages"] for path in folder_of(package).glob("*.py")]
    assert named
    assert [group for group in sorted(named) if not any(f'"{group}"' in text for text in texts)] == []


def test_verbs_name_modules_and_configurations_that_exist() -> None:
    from importlib import import_module

    from pagen.cli import VERBS

    for target, summary in VERBS.values():
        module, name = target.split(":")
        assert hasattr(import_module(module), name)
        assert callable(import_module(module).run)
        assert summary


def test_tested_versions_hold_every_dependency() -> None:
    pinned = {line.split("==")[0].lower() for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines()}
    extras = PROJECT["project"]["optional-dependencies"]
    wanted = [*PROJECT["project"]["dependencies"], *extras["dev"], *extras["hub"]]
    names = {line.split(">=")[0].split("[")[0].lower() for line in wanted} - {"pagen"}
    assert names <= pinned


def test_the_version_is_everywhere_the_same() -> None:
    from pagen.version import __version__

    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == __version__
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"^## \[Unreleased\]", changelog, re.MULTILINE) or f"## [{__version__}]" in changelog


def test_make_help_lists_every_target_that_one_calls() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    listed = re.findall(r"^([a-z]+):.*## ", makefile, re.MULTILINE)
    phony = re.findall(r"^\.PHONY: (.*)", makefile, re.MULTILINE)[0].split()
    assert sorted(listed) == sorted(phony)
    assert {"help", "quick", "test", "check"} <= set(listed)


@pytest.mark.parametrize("path", sorted((ROOT / ".github").rglob("*.yml")), ids=lambda path: path.name)
def test_forms_and_workflows_are_yaml(path: Path) -> None:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(content, dict)
    if "body" in content:
        names = [part["id"] for part in content["body"] if part["type"] != "markdown"]
        assert len(set(names)) == len(names)
        assert content["name"]
        assert content["description"]


def test_what_quick_leaves_out_exists() -> None:
    conftest = runpy.run_path(str(ROOT / "tests/conftest.py"))
    text = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("conftest.py"))
    assert [name for name in sorted(conftest["SLOW_FIXTURES"]) if f"def {name}(" not in text] == []
    files = {path: path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py")}
    slow = {path for path, content in files.items() if conftest["SLOW_FILE"].search(content)}
    assert ROOT / "tests/test_cli.py" in slow
    assert {path.relative_to(ROOT).parts[1] for path in files.keys() - slow} >= {
        path.relative_to(ROOT).parts[1] for path in slow if path.parent != ROOT / "tests"
    }
