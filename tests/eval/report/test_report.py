"""The page holds what was scored, opens in a browser without a network, and is used by keys, on desk and phone."""

from __future__ import annotations

import json
import re
import tomllib
from base64 import b64decode
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from pagen.errors import PagenError
from pagen.eval.protocol import apply
from pagen.eval.protocols import PROTOCOLS
from pagen.eval.report import frames as frames_module
from pagen.eval.report.drawn import packed, roc
from pagen.eval.report.frames import HOT, LEVELS, _opacities
from pagen.eval.report.highlights import peaks, stand_out
from pagen.eval.report.report import Report, run
from pagen.eval.report.template import LARGEST
from pagen.eval.results import Series
from pagen.eval.scores import open_scores
from pagen.scoring.indicator_table import indicator_named

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).parents[3]
MakeRun = Callable[..., Path]
NAME = "a <b>run & 'more\""
SEEN = """() => {
  const luminance = colour => {
    const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map(v => v / 255).map(
      v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const behind = element => {
    for (let one = element; one; one = one.parentElement) {
      const colour = getComputedStyle(one).backgroundColor;
      if (colour !== "rgba(0, 0, 0, 0)") return colour;
    }
    return "rgb(255, 255, 255)";
  };
  return [...document.querySelectorAll("body *")].filter(element => element.checkVisibility()
      && !["SCRIPT", "NOSCRIPT"].includes(element.tagName)
      && [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim())).map(element => {
    const style = getComputedStyle(element), text = element.tagName === "text" ? style.fill : style.color;
    const both = [luminance(text), luminance(behind(element))].sort((a, b) => b - a);
    return [element.textContent.slice(0, 30), (both[0] + .05) / (both[1] + .05)];
  });
}"""
"""Every element with text, and the contrast of its text with what is behind it (WCAG 2)."""


@pytest.fixture
def drawn(footage: Path, make_run: MakeRun, cache: Path, tmp_path: Path) -> Path:
    """The report of a run with random weights, whose name wants escaping."""
    path = tmp_path / "report.html"
    run(Report((make_run(name=NAME),), "folder", footage, out=path, device="cpu", workers=0))
    return path


def data_of(path: Path) -> dict[str, Any]:
    """What the page's script was given."""
    found = re.search(r"^const data = (.*);$", path.read_text("utf-8"), re.MULTILINE)
    assert found is not None
    data: dict[str, Any] = json.loads(found[1])
    return data


def unpacked(text: str, low: float, high: float) -> np.ndarray[Any, Any]:
    return low + np.frombuffer(b64decode(text), "<u2") / 65535 * (high - low)


def test_the_page_holds_what_was_scored(drawn: Path, footage: Path, tmp_path: Path) -> None:
    data = data_of(drawn)
    scores = open_scores(tmp_path / NAME / "scores" / "folder" / "last")
    assert [each["name"] for each in data["series"]] == ["psnr_local", "psnr", "flow_speed"]
    for at, about in enumerate(data["series"][:2]):
        name, low, high = about["name"], about["low"], about["high"]
        final, labels = apply(PROTOCOLS["causal"], {name: scores.of(name)}, scores.labels)
        for video in data["videos"]:
            shown = unpacked(video["scores"][at], low, high)
            assert shown == pytest.approx(final[video["name"]], abs=(high - low) / 65535)
        frames = [np.concatenate([*part.values()]) for part in (labels, final)]
        assert data["roc"][at]["auroc"] == pytest.approx(roc_auc_score(*frames), abs=1e-12)
    assert [video["spans"] for video in data["videos"]] == [[[15, 30]], [[2, 5]]]
    assert [video["length"] for video in data["videos"]] == [30, 5]
    first, final = data["picks"]["highest"][0], final_of(scores)
    assert final[first["video"]][first["frame"]] == max(values.max() for values in final.values())
    assert drawn.stat().st_size < LARGEST
    assert str(tmp_path) not in drawn.read_text("utf-8")


def final_of(scores: Any) -> dict[str, Any]:
    return apply(PROTOCOLS["causal"], {"psnr_local": scores.of("psnr_local")}, scores.labels)[0]


def test_pictures_are_the_frames_and_red_where_the_square_moves(drawn: Path, footage: Path) -> None:
    data = data_of(drawn)
    assert (data["step"], data["frames"]["test_x"], data["heat"]) == (1, [*range(30)], "psnr_local")
    for frame, (picture, heat) in enumerate(zip(data["pictures"]["test_x"], data["heats"]["test_x"], strict=True)):
        shown, red = (
            cv2.imdecode(np.frombuffer(b64decode(each), np.uint8), cv2.IMREAD_UNCHANGED) for each in (picture, heat)
        )
        assert shown is not None
        assert red is not None
        true = cv2.imread(str(footage / f"testing/x/{frame:03}.png"))
        assert true is not None
        assert np.abs(shown.astype(float) - true).mean() < 8
        assert red.shape == (*true.shape[:2], 4)


def test_the_page_in_a_browser(drawn: Path, browser: Browser) -> None:
    for (width, height), scheme in product([(1280, 800), (390, 844)], ["light", "dark"]):
        _is_right(drawn, browser, width, height, scheme)


def _is_right(drawn: Path, browser: Browser, width: int, height: int, scheme: str) -> None:
    page, wrong, asked = opened(browser, drawn, width, height, scheme)
    assert page.text_content("h1") == f"{NAME} on folder"
    keys_work(page)
    timelines_and_roc_are_drawn(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("[...document.images].filter(each => !each.complete || !each.naturalWidth).length") == 0
    seen = page.evaluate(SEEN)
    assert len(seen) > 60
    assert [each for each in seen if each[1] < 4.5] == []
    assert wrong == []
    assert {each for each in asked if not each.startswith("data:image/")} == {drawn.as_uri()}
    page.context.close()


def opened(
    browser: Browser, path: Path, width: int = 1280, height: int = 800, scheme: Any = "light"
) -> tuple[Page, list[str], list[str]]:
    """The page, what went wrong on it, and what it asked for."""
    page = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme).new_page()
    wrong: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    return page, wrong, asked


def where(page: Page) -> str:
    return page.text_content("#where") or ""


def keys_work(page: Page) -> None:
    """Arrows, Home, End, N, P, H and Space, each from where the one before left it."""
    from playwright.sync_api import expect

    cursor = "#current .cursor"
    for key, frame in [("Home", 0), ("ArrowRight", 1), ("Shift+ArrowRight", 11), ("ArrowLeft", 10), ("End", 29)]:
        if key == "Home":
            page.select_option("#video", label="test_x")
            page.evaluate("document.activeElement.blur()")
        before = page.get_attribute("#picture", "src")
        page.keyboard.press(key)
        assert where(page).startswith(f"test_x, frame {frame} of 0 to 29")
        assert page.get_attribute(cursor, "x1") == str(frame + 0.5)
        assert frame == 0 or page.get_attribute("#picture", "src") != before
    assert page.text_content("#state .badge") == "labelled abnormal"
    page.keyboard.press("n")
    assert where(page).startswith("test_y, frame 0 of 0 to 4")
    assert page.text_content("#state .badge") == "labelled normal"
    page.keyboard.press("p")
    assert where(page).startswith("test_x, frame 0")
    assert page.is_visible("#heat")
    page.keyboard.press("h")
    assert not page.is_visible("#heat")
    page.keyboard.press("h")
    page.keyboard.press("Space")
    expect(page.locator("#where")).not_to_contain_text("frame 0 of")
    page.keyboard.press("Space")
    assert page.text_content("#play") == "▶"
    page.focus("#range")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    assert where(page).startswith("test_x, frame 1 ")


def timelines_and_roc_are_drawn(page: Page) -> None:
    """Three lanes a video, the labels behind each, a threshold in the first; a click leads to the frame."""
    assert page.locator("#videos article").count() == 2
    assert page.locator("#videos .line").count() == 6
    assert page.locator("#videos .band").count() == 6
    assert page.locator("#roc .curve").count() == 3
    for line in page.locator("#videos .line").all()[:2]:
        box = line.bounding_box()
        assert box is not None
        assert box["width"] > 100
    band = page.locator("#videos .band").first
    lane, inside = page.locator("#videos svg").first.bounding_box(), band.bounding_box()
    assert lane is not None
    assert inside is not None
    assert inside["width"] / lane["width"] == pytest.approx(15 / 30, abs=0.02)
    page.locator("#videos svg").first.click(position={"x": lane["width"] * 20.5 / 30, "y": 5})
    assert where(page).startswith("test_x, frame 20 ")
    page.locator("#highest button").first.click()
    (pick, *_) = (page.text_content("#highest button") or "").split(" score")
    assert where(page).startswith(pick.partition("score")[0])


def test_a_run_without_a_map_and_a_set_with_a_gallery(
    footage: Path, make_run: MakeRun, cache: Path, tmp_path: Path, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames_module, "maps_of_run", lambda *arguments: [])
    cv2.imwrite(str(tmp_path / "gallery.png"), np.full((40, 60, 3), 99, np.uint8))
    path = tmp_path / "out" / "page.html"
    config = Report((make_run(),), "folder", footage, "lntra", out=path, pseudo=tmp_path, device="cpu", workers=0)
    run(config)
    assert data_of(path)["heat"] is None
    page, wrong, _ = opened(browser, path)
    assert page.is_disabled("#bare")
    assert "No heat map" in (page.text_content("#key") or "")
    assert page.evaluate("document.querySelector('#gallery img').naturalWidth") == 60
    page.keyboard.press("Home")
    assert "not scored" in (page.text_content("#state") or "")
    assert wrong == []
    page.context.close()
    with pytest.raises(PagenError, match=r"expected gallery\.png in"):
        run(Report((make_run(),), "folder", footage, pseudo=footage))


def test_the_verb_says_what_it_wrote(
    footage: Path, make_run: MakeRun, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = make_run()
    run(Report((path,), "folder", footage, device="cpu", workers=0, json=True))
    said = json.loads(capsys.readouterr().out)
    assert said["bytes"] == (path / "report.html").stat().st_size
    assert (said["frames"], said["row"]["indicator"]) == (35, "psnr_local")


def test_picks_are_called_what_they_are() -> None:
    scores = {"a": np.array([0, 9, 0, 0, 5, 5, 5, 0, 0, 0.5]), "b": np.array([0, 0, 1, 2, 1.0])}
    labels = {"a": np.array([0, 0, 0, 0, 0, 1, 1, 0, 0, 0]), "b": np.array([0, 0, 1, 1, 1])}
    frames = {name: np.arange(len(values)) for name, values in scores.items()}
    series = Series("run", "psnr", scores, scores, labels, frames, {})
    found, said = stand_out(PROTOCOLS["causal"], series, 5.0, 1.0, 10.0)
    notes = {kind: [(pick.video, pick.frame, pick.note) for pick in picks] for kind, picks in found.items()}
    assert notes["highest"][:2] == [("a", 1, "normal"), ("a", 4, "normal")]
    assert notes["false"][:2] == [("a", 1, "false alarm"), ("a", 4, "beside an event")]
    assert notes["false"][2] == ("a", 9, "below threshold")
    assert notes["missed"] == [("b", 2, "event missed"), ("b", 4, "event missed"), ("b", 3, "event missed")]
    assert said["false"].startswith("1 false alarm at the threshold, the lowest that keeps to 10 ")
    assert said["missed"].startswith("3 of 5 abnormal frames")


def test_picks_count_the_frames_that_a_protocol_leaves_out() -> None:
    scores, labels = {"a": np.array([0.0, 1.0])}, {"a": np.array([0, 1])}
    series = Series("run", "psnr", scores, scores, labels, {"a": np.array([8, 24])}, {})
    found, _ = stand_out(PROTOCOLS["unified_pa"], series, float("inf"), 10.0, 10.0)
    assert [(pick.frame, pick.note) for pick in found["missed"]] == [(24, "event missed")]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=20), st.integers(1, 6), st.integers(1, 5))
def test_peaks_are_what_going_through_all_frames_finds(values: list[int], apart: int, most: int) -> None:
    scores = {"a": np.array(values, float), "b": np.array(values, float)}
    among = {name: each > 1 for name, each in scores.items()}
    expected: list[tuple[str, int]] = []
    while len(expected) < most:
        free = [
            (-scores[name][at], name, at)
            for name in scores
            for at in range(len(values))
            if among[name][at] and not any(name == of and abs(at - other) < apart for of, other in expected)
        ]
        if not free:
            break
        expected.append(min(free)[1:])
    assert peaks(scores, among, apart, most) == expected


def test_the_thinned_roc_keeps_its_area() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 20_000)
    scores = rng.normal(size=20_000) + labels
    points = roc(scores, labels)
    assert len(points) <= 802
    assert points[[0, -1]].tolist() == [[0, 0], [1, 1]]
    assert np.trapezoid(points[:, 1], points[:, 0]) == pytest.approx(roc_auc_score(labels, scores), abs=2e-3)
    assert len(roc(scores, np.zeros(20_000))) == 0


def test_packing_keeps_values_and_bears_a_constant() -> None:
    assert unpacked(packed(np.array([-2.0, 0, 3]), -2, 3), -2, 3) == pytest.approx([-2, 0, 3], abs=5 / 65535)
    assert unpacked(packed(np.array([4.0, 4]), 4, 4), 4, 4).tolist() == [4, 4]


def test_opacities_follow_the_errors_of_the_whole_page() -> None:
    rising = [np.arange(1000, dtype=np.float32).reshape(20, 50)]
    (low,), (high,) = _opacities({"a": rising, "b": [rising[0] + 1000]}).values()
    assert low.max() == 0
    assert high.max() == 255
    assert set(np.diff(np.unique(high)).tolist()) == {255 // LEVELS}
    hot = np.percentile(np.arange(2000), HOT)
    assert np.all(high[rising[0] + 1000 >= hot] == 255)
    assert _opacities({}) == {}


def test_every_indicator_is_explained() -> None:
    for name in ("fused", "psnr", "psnr_local", "vcr_local", "ffp", "prp", "flow", "flow_speed", "semantic"):
        assert indicator_named(name).meaning != indicator_named("else").meaning
    assert indicator_named("vcr_local").meaning.endswith("at the worst place of the frame")


def test_templates_travel_with_the_package() -> None:
    setup = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
    folders = {package: setup["package-dir"].get(package, package.replace(".", "/")) for package in setup["packages"]}
    for package, folder in folders.items():
        templates = {path.name for path in (ROOT / folder).glob("*.jinja")}
        assert templates <= set(setup["package-data"].get(package, []))
