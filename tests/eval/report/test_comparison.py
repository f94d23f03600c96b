"""The page of several runs holds the scores of each on one axis, and its heat maps; that of one run is as it was."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from pagen.cli import main
from pagen.errors import PagenError
from pagen.eval import labelled as labelled_module
from pagen.eval.protocol import apply
from pagen.eval.protocols import PROTOCOLS
from pagen.eval.report import frames as frames_module
from pagen.eval.report.report import Report, run
from pagen.eval.scores import open_scores

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("cache")]
MakeRun = Callable[..., Path]
FIRST = "a <b>run & 'more\""


@pytest.fixture
def runs(make_run: MakeRun) -> tuple[Path, ...]:
    """Two runs of random weights; the second was trained on another data set."""
    return make_run(name=FIRST), make_run(1, name="second", dataset="street")


def page_of(runs: tuple[Path, ...], footage: Path, out: Path, **changes: Any) -> Path:
    run(Report(runs, "folder", footage, out=out, device="cpu", workers=0, **changes))
    return out


def data_of(path: Path) -> dict[str, Any]:
    (found,) = re.findall(r"^const data = (.*);$", path.read_text("utf-8"), re.MULTILINE)
    data: dict[str, Any] = json.loads(found)
    return data


@pytest.mark.parametrize("count", [1, 2])
def test_labels_are_read_once(
    runs: tuple[Path, ...], footage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    read = list[object]()
    told = labelled_module.told
    monkeypatch.setattr(labelled_module, "told", lambda surplus: read.append(surplus) or told(surplus))
    page_of(runs[:count], footage, tmp_path / "page.html")
    assert len(read) == 1


@pytest.mark.parametrize("protocol", ["causal", "lntra"])
def test_curves_are_the_scores_of_each_run(
    runs: tuple[Path, ...], footage: Path, tmp_path: Path, protocol: str
) -> None:
    chosen = PROTOCOLS[protocol]
    data = data_of(page_of(runs, footage, tmp_path / "page.html", protocol=protocol))
    assert [one["name"] for one in data["series"]] == [FIRST, "second (trained on street)", "flow_speed"]
    for at, path in enumerate(runs):
        scores = open_scores(path / "scores" / "folder" / chosen.policy)
        final, labels = apply(chosen, {"psnr_local": scores.of("psnr_local")}, scores.labels)
        low, high = data["series"][at]["low"], data["series"][at]["high"]
        together = np.concatenate([*final.values()])
        assert (low, high) == (together.min(), together.max())
        for video in data["videos"]:
            shown = np.frombuffer(b64decode(video["scores"][at]), "<u2") / 65535
            expected = (final[video["name"]] - low) / (high - low) if video["name"] in final else []
            assert shown == pytest.approx(expected, abs=1 / 65535)
        area = roc_auc_score(np.concatenate([*labels.values()]), together)
        assert data["roc"][at]["auroc"] == pytest.approx(area, abs=1e-12)
    assert [video["spans"] for video in data["videos"]] == [[[15, 30]], [[2, 5]]]


def test_heat_maps_are_those_of_each_run_alone(
    runs: tuple[Path, ...], footage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_run = frames_module.maps_of_run

    def mirrored(path: Path, *rest: Any) -> list[Any]:
        """Networks of random weights err alike; the second one's maps are turned."""
        flip = -1 if path == runs[1] else 1
        return [
            (name, lambda clip, maps=maps: (one[:, ::flip] for one in maps(clip))) for name, maps in of_run(path, *rest)
        ]

    monkeypatch.setattr(frames_module, "maps_of_run", mirrored)
    together = data_of(page_of(runs, footage, tmp_path / "both.html"))
    assert len(together["heats"]) == 3
    for at, path in enumerate(runs):
        alone = data_of(page_of((path,), footage, tmp_path / f"{at}.html"))
        assert together["frames"] == alone["frames"]
        assert together["heats"][at] == alone["heats"]
    assert together["heats"][0] != together["heats"][1]
    assert {name: len(heats) for name, heats in together["heats"][2].items()} == {"test_x": 30, "test_y": 5}


def test_the_page_of_one_run_keeps_its_data(runs: tuple[Path, ...], footage: Path, tmp_path: Path) -> None:
    page = page_of(runs[:1], footage, tmp_path / "page.html")
    names = "every fps frames heat heats picks pictures point roc series step threshold videos"
    assert list(data_of(page)) == names.split()
    text = page.read_text("utf-8")
    for section in ("summary", "player", "timelines", "highest", "false", "missed", "gallery", "settings"):
        assert f'<section id="{section}">' in text
    run(Report(runs[:1], "folder", footage, device="cpu", workers=0))
    assert (runs[0] / "report.html").read_bytes() == page.read_bytes()


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_in_a_browser(
    runs: tuple[Path, ...], footage: Path, tmp_path: Path, browser: Browser, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_run = frames_module.maps_of_run
    monkeypatch.setattr(frames_module, "maps_of_run", lambda run, *rest: [] if run == runs[1] else of_run(run, *rest))
    path = page_of(runs, footage, tmp_path / "page.html")
    page = browser.new_context(viewport={"width": width, "height": 800}).new_page()
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(path.as_uri())
    assert page.text_content("h1") == f"{FIRST}, second (trained on street) on folder"
    assert page.locator("#view figure").count() == 4
    assert page.locator("#view .heat").count() == 2
    assert "no heat map" in (page.text_content("#view .none") or "")
    assert page.locator("#videos .line").count() == 6
    assert page.locator("#videos .band").count() == 2
    assert page.locator("#runs li").count() == 4
    before = page.get_attribute("#view img", "src")
    page.keyboard.press("Shift+ArrowRight")
    assert (page.text_content("#where") or "").startswith("test_x, frame 10 of 0 to 29")
    assert page.get_attribute("#view img", "src") != before
    page.keyboard.press("n")
    assert (page.text_content("#where") or "").startswith("test_y, frame 0 of 0 to 4")
    page.keyboard.press("h")
    assert not page.locator("#view .heat").first.is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("[...document.images].filter(each => !each.complete || !each.naturalWidth).length") == 0
    assert page.locator("#events tbody tr").count() == 3
    assert str(tmp_path) not in path.read_text("utf-8")
    assert wrong == []
    page.context.close()


def test_the_verb_says_what_it_wrote(
    runs: tuple[Path, ...], footage: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    run(Report(runs, "folder", footage, device="cpu", workers=0, json=True))
    said = json.loads(capsys.readouterr().out)
    assert (said["report"], said["frames"]) == ("report.html", 35)
    assert said["bytes"] == (tmp_path / "report.html").stat().st_size
    assert [row["indicator"] for row in said["rows"]] == ["flow_speed", "frame_difference", "psnr_local", "psnr_local"]


def test_bad_input_gets_one_line(
    runs: tuple[Path, ...], footage: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(PagenError, match="expected each run once"):
        run(Report((runs[0], runs[0]), "folder", footage))
    with pytest.raises(PagenError, match="expected no --pseudo for several runs"):
        run(Report(runs, "folder", footage, pseudo=tmp_path))
    with pytest.raises(PagenError, match="expected one protocol for a report, found all"):
        run(Report(runs, "folder", footage, protocol="all"))
    with pytest.raises(PagenError, match="expected a run folder of pagen at"):
        run(Report((runs[0], tmp_path / "none"), "folder", footage))
    with pytest.raises(SystemExit):
        main(["report", "--dataset", "folder", "--root", str(footage)])
    assert (
        capsys.readouterr().err == "pagen: expected run folders, found none; as in: pagen report RUN --dataset folder\n"
    )
    assert not list(tmp_path.rglob("report.html"))
