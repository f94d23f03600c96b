"""The page is whole in itself, the same whenever it is drawn, small enough, and shows what the set holds."""

from __future__ import annotations

import re
from base64 import b64decode
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from pagen.folders import Folder
from pagen.generate import gallery_html as page
from pagen.generate.make import MAKERS
from pagen.generate.pa_set import PASet
from pagen.generate.strength import UNITS
from pagen.options import PSEUDO_KINDS

VOID = {"meta", "img", "input"}
# three clips hold five segments of 16 frames, and of 16 flow maps
CARDS = {"spatial": 5, "temporal": 5, "skip": 6, "patch": 6}


class Elements(HTMLParser):
    """Every element with its attributes; raises where a tag is closed that is not open."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, Any]]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def all(self, tag: str, **wanted: str) -> list[dict[str, Any]]:
        return [has for name, has in self.found if name == tag and wanted.items() <= has.items()]


@pytest.fixture(scope="module")
def text(made: Path) -> str:
    return (made / "gallery.html").read_text(encoding="utf-8")


def picture(uri: str) -> npt.NDArray[np.uint8]:
    found = cv2.imdecode(np.frombuffer(b64decode(uri.split(",", 1)[1].split(")")[0]), np.uint8), cv2.IMREAD_UNCHANGED)
    assert found is not None
    return np.asarray(found, np.uint8)


def sprites(text: str, label: str) -> list[npt.NDArray[np.uint8]]:
    return [picture(view["style"]) for view in Elements(text).all("div", **{"class": "view", "aria-label": label})]


def test_is_recorded_and_drawn_alike_again(made: Path, pseudo: PASet, tmp_path: Path) -> None:
    assert set(Folder.open(made, "pa_set").items["gallery"]["files"]) == {"gallery.png", "gallery.html"}
    page.gallery_html(pseudo, tmp_path / "again.html")
    assert (tmp_path / "again.html").read_bytes() == (made / "gallery.html").read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["again.html"]


def test_parses_and_asks_the_network_for_nothing(text: str, made: Path) -> None:
    elements = Elements(text)
    assert elements.open == []
    assert not re.search(r"https?:|//[a-z]|@import|src=(?![\"']data:)", re.sub(r"base64,[\w+/=]*", "", text))
    assert "default-src 'none'" in elements.all("meta", **{"http-equiv": "Content-Security-Policy"})[0]["content"]
    assert all(uri.startswith("data:image/") for uri in re.findall(r"url\((.*?)\)", text))
    assert not {"link", "iframe", "a"} & {tag for tag, _ in elements.found}
    assert str(made) not in text
    assert len(text.encode()) < 6_000_000


def test_holds_players_of_every_kind(text: str, pseudo: PASet) -> None:
    elements = Elements(text)
    assert [has["data-kind"] for has in elements.all("section")] == list(PSEUDO_KINDS)
    buttons = [has["data-kind"] for has in elements.all("button") if "data-kind" in has]
    assert buttons == ["all", *PSEUDO_KINDS]
    assert len(elements.all("article")) == 22
    assert {has["data-frames"] for has in elements.all("article")} == {"16"}
    assert [has["max"] for has in elements.all("input")] == ["15"] * 22
    height, width = pseudo.prepared.size
    for label in ("normal", "pseudo-anomaly"):
        shapes = [sprite.shape[:2] for sprite in sprites(text, label)]
        assert shapes == [(height, 16 * width)] * 22
    outlined = ["--mask:url" in has["style"] for has in elements.all("article")]
    assert outlined == [True] * 10 + [False] * 6 + [True] * 6
    for parameter, count in (("lambda", 5), ("stride", 6), ("intruder", 6), ("mask", 10), ("changed", 22)):
        assert text.count(f"<dt>{parameter}</dt>") == count


@pytest.mark.parametrize("kind", PSEUDO_KINDS)
def test_sprites_are_the_frames_of_the_clips(text: str, pseudo: PASet, kind: str) -> None:
    chosen = list(page._chosen(pseudo, kind, 6))
    first = sum(CARDS[before] for before in PSEUDO_KINDS[: PSEUDO_KINDS.index(kind)])
    for label, name in (("normal", "target"), ("pseudo-anomaly", "pseudo")):
        for sprite, (_, clip) in zip(sprites(text, label)[first:], chosen, strict=False):
            pictures = page._pictures(kind, getattr(clip, name), clip.target)
            assert sprite.ndim == (3 if kind == "temporal" else 2)
            expected = np.concatenate(pictures, axis=1).astype(float).reshape(sprite.shape)
            assert np.abs(sprite - expected).mean() < 6
            if kind != "temporal":
                plain = np.concatenate(list(getattr(clip, name)[..., 0]), axis=1)
                np.testing.assert_array_equal(expected, plain)


@pytest.mark.parametrize("kind", PSEUDO_KINDS)
def test_clips_come_from_all_parts_and_lie_in_one_segment(pseudo: PASet, kind: str) -> None:
    chosen = [item for item, _ in page._chosen(pseudo, kind, 6)]
    assert [(item.clip, item.start) for item in chosen] == [
        (item.clip, item.start) for item, _ in page._chosen(pseudo, kind, 6)
    ]
    assert len(chosen) == CARDS[kind]
    if kind in ("spatial", "temporal"):
        assert [(item.clip[-1], item.start) for item in chosen] == [("a", 0), ("a", 16), ("b", 0), ("b", 16), ("c", 0)]
    else:
        items = pseudo.items(kind, 16)
        for item, part in zip(chosen, np.array_split(np.arange(len(items)), 6), strict=True):
            assert any(items[place] is item for place in part)


def test_an_outline_runs_around_the_mask() -> None:
    mask = np.zeros((1, 20, 30), np.bool_)
    mask[0, 5:9, 10:16] = True
    (line,) = page._outlines(mask, "spatial")
    seen = line[..., 3] > 0
    assert seen.sum() == 6 * 8 - 4 * 6
    assert seen[4:10, 9:17].sum() == seen.sum()
    assert not (seen & mask[0]).any()
    assert {tuple(colour) for colour in line[seen]} == {page._ORANGE}


def test_large_frames_shrink_and_long_clips_are_cut() -> None:
    rng = np.random.default_rng(0)
    for channels in (1, 3):
        frame = rng.integers(0, 256, (400, 768, channels), np.uint8)
        small = page._small(frame)
        assert small.shape == (100, 192, channels)
        blocks = frame.reshape(100, 4, 192, 4, channels).mean(axis=(1, 3))
        np.testing.assert_allclose(small, blocks, atol=0.51)
    assert page._small(frame[:50, :60]).shape == (50, 60, 3)


def test_a_page_of_noise_stays_small(pseudo: PASet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = page.LARGEST
    page.gallery_html(pseudo, tmp_path / "fine.html")
    monkeypatch.setattr(page, "LARGEST", (tmp_path / "fine.html").stat().st_size - 1)
    page.gallery_html(pseudo, tmp_path / "coarse.html")
    assert (tmp_path / "coarse.html").stat().st_size < (tmp_path / "fine.html").stat().st_size
    # the coarsest page of the noisiest footage: two sprites of six clips of four kinds, in base64
    noise = [np.random.default_rng(1).integers(0, 256, (192, 192, 3), np.uint8) for _ in range(16)]
    assert 48 * len(page._sprite(noise, ".jpg", page._QUALITIES[-1])) < full


def test_names_are_escaped(pseudo: PASet, tmp_path: Path) -> None:
    config = {**pseudo.folder.config, "inpainter": "<script>alert('x')</script>", "kinds": ["spatial"]}
    odd = PASet(replace(pseudo.folder, config=config), pseudo.prepared)
    page.gallery_html(odd, tmp_path / "odd.html", shown=1)
    text = (tmp_path / "odd.html").read_text(encoding="utf-8")
    assert "&lt;script&gt;alert" in text
    assert len(Elements(text).all("script")) == 1


def test_every_table_has_all_kinds() -> None:
    assert tuple(MAKERS) == tuple(UNITS) == PSEUDO_KINDS
