"""Labels of one's own data sets in every form that is read, by a table of `datasets.toml`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
from miniature import Mini, write_frames, write_npy, write_text

from pagen.errors import PagenError
from pagen.footage.check import check
from pagen.footage.locate import locate
from pagen.footage.own_labels import KINDS

CLIP = Mini("test", "1", 8, abnormal=True)  # abnormal are frames 1 to 5; some forms know clips by number
MASKS = np.zeros((1, 8), object)
MASKS[0, :] = [np.full((2, 2), label, np.uint8) for label in CLIP.labels]
CSV = "video,start_frame,end_frame\n1,1,6\n"
MSAD = "name,scenario,total frames,starting frame of anomaly,ending frame of anomaly\n1,shop,8,2,6\n"
ANNOTATION = {"Annotation_file": {"VideoName": "1.mp4", "Anno": [[2, 6]], "EventName": "x"}}
BOXES = range(1, 6)

FORMS: dict[str, tuple[str, Callable[[Path], Any]]] = {
    "csv": ("labels.csv", lambda path: write_text(path, CSV)),
    "npy": ("l/{clip}.bin", lambda path: write_npy(path, CLIP.labels)),
    "npz": ("gt.npz", lambda path: np.savez(path, **{"1": CLIP.labels})),
    "values": ("l/{clip}.txt", lambda path: write_text(path, "\n".join(map(str, CLIP.labels)))),
    "masks": ("l/{clip}", lambda path: _write_masks(path)),
    "mat_masks": ("l/{clip}_label.mat", lambda path: scipy.io.savemat(path, {"volLabel": MASKS})),
    "mat_frames": ("gt.mat", lambda path: scipy.io.savemat(path, {"1": CLIP.labels})),
    "tracks": ("l/{clip}_tracks.txt", lambda path: write_text(path, "3,1,5\n")),
    "ucf": ("annotation.txt", lambda path: write_text(path, "1.mp4  Abuse  2  6  -1  -1  \n")),
    "ucf_mat": ("l/{clip}.mat", lambda path: scipy.io.savemat(path, ANNOTATION)),
    "xd": ("annotations.txt", lambda path: write_text(path, "1 1 6\n")),
    "msad": ("anomalies.csv", lambda path: write_text(path, MSAD)),
    "street_scene": ("l/{clip}_gt.txt", lambda path: write_text(path, _lines("{+1}.jpg 0 4 4 4 4"))),
    "aed": ("l/{clip}.txt", lambda path: write_text(path, _lines("0,{},1,1,2,2"))),
}
"""Kind -> a place, and what writes the labels of `CLIP` there."""


def _write_masks(folder: Path) -> None:
    from miniature import write_masks

    write_masks(folder, CLIP.labels, "{:03}.png")


def _lines(form: str) -> str:
    first, form = "{+1}" in form, form.replace("{+1}", "{}")
    return "\n".join(form.format(frame + first) for frame in BOXES)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """A function that names footage of one clip `shop`, with these labels in TOML; gives its folder."""
    write_frames(tmp_path / "shop/testing/1", CLIP, "{:03}.png")
    (tmp_path / "shop/l").mkdir()
    monkeypatch.setenv("PAGEN_DATASETS", str(tmp_path / "mine.toml"))
    monkeypatch.delenv("PAGEN_DATA", raising=False)

    def name(labels: str) -> Path:
        (tmp_path / "mine.toml").write_text(f"[shop]\nroot = 'shop'\nlabels = {labels}\n", encoding="utf-8")
        return tmp_path / "shop"

    return name


def test_every_kind_is_tried() -> None:
    assert set(FORMS) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_labels_may_be_of_every_kind(kind: str, shop: Callable[[str], Path]) -> None:
    place, write = FORMS[kind]
    root = shop(f"[{{kind = '{kind}', path = '{place}', edition = 'mine'}}]")
    write(root / place.format(clip="1"))
    footage = locate("shop")
    assert footage.editions == ("mine",)
    np.testing.assert_array_equal(footage.split("test")[0].labels(), CLIP.labels)
    assert check(footage, decode_all=True) == []


def test_a_table_says_how_they_are_counted_and_what_they_tolerate(shop: Callable[[str], Path]) -> None:
    table = "{kind = 'tracks', path = 'l/{clip}.txt', counting = 'half-open', slack = 2}"
    write_text(shop(f"[{table}]") / "l/1.txt", "3,1,10\n")
    assert locate("shop").split("test")[0].labels("l/*.txt") is not None
    root = shop("[{kind = 'npy', path = 'l/{clip}.npy', normal = 1}]")
    write_npy(root / "l/1.npy", 1 - CLIP.labels)
    np.testing.assert_array_equal(locate("shop").split("test")[0].labels(), CLIP.labels)


@pytest.mark.parametrize("place", ["gone.csv", "gone/{clip}.npy", "gone/{clip}"])
def test_labels_that_are_named_and_not_there_are_a_problem(place: str, shop: Callable[[str], Path]) -> None:
    root = shop(json.dumps([place]))
    (problem,) = check(locate("shop"))
    assert problem.startswith(f"expected labels in {place} below {root}, as ")


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        ('"x{y}/{clip}.npy"', "expected places below root"),
        ('"{/{clip}.npy"', "expected places below root"),
        ('"{clip.name}/{clip}.npy"', "expected places below root"),
        ('"/l/{clip}.npy"', "expected places below root"),
        ("[3]", "expected places below root"),
        ("[{path = 'a.npz'}]", "expected a kind of labels, one of "),
        ("[{kind = 'm', path = 'a.m'}]", "expected a kind of labels, one of "),
        ("[{kind = ['npz'], path = 'a.npz'}]", "expected a kind of labels, one of "),
        ("[{kind = 'npz', path = 'l/{clip}.npz'}]", "expected a path below root without {clip}, a file of all clips,"),
        ("[{kind = 'npy', path = 'labels.npy'}]", "expected a path below root with {clip}, one a clip, for npy"),
        ("[{kind = 'npy', path = 3}]", "expected a path below root with {clip}"),
        ("[{kind = 'npz', path = ''}]", "expected a path below root without {clip}"),
        ("[{kind = 'npz', path = 'a.npz', edition = 'all'}]", "expected words in quotes, none of all none, as edition"),
        ("[{kind = 'npz', path = 'a.npz', slack = -1}]", "expected a number of frames as slack, found -1"),
        ("[{kind = 'npz', path = 'a.npz', slack = true}]", "expected a number of frames as slack, found True"),
        ("[{kind = 'npz', path = 'a.npz', normal = 2}]", "expected 0 or 1 as normal, found 2"),
        ("[{kind = 'xd', path = 'a', counting = 'odd'}]", "expected one of half-open zero-inclusive one-inclusive as"),
        ("[{kind = 'npz', path = 'a.npz', key = 'x'}]", "expected only kind path edition slack counting normal in a"),
    ],
)
def test_labels_of_another_form_are_one_line(labels: str, found: str, shop: Callable[[str], Path]) -> None:
    shop(labels)
    with pytest.raises(PagenError) as raised:
        locate("shop")
    assert str(raised.value).startswith(found)
    assert " for shop in " in str(raised.value)
    assert "\n" not in str(raised.value)
