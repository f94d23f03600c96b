"""Identity is content: what lies in files, not what they are called, how large they are, or when they changed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pagen import digests
from pagen.errors import PagenError
from pagen.eval.score_files import read_score_files
from pagen.footage import content, flow
from pagen.footage.content import content_of
from pagen.footage.images import mask_frames
from pagen.footage.locate import locate

WriteFolder = Callable[..., Path]


def mended(path: Path) -> None:
    """Another byte in the place of one, under the same name, of the same size, with the time of before."""
    stat, data = path.stat(), bytearray(path.read_bytes())
    data[-20] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert path.stat().st_mtime_ns == stat.st_mtime_ns


def identities(root: Path) -> list[str]:
    return [clip.identity() for clip in locate("folder", root).clips]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGEN_CACHE", str(tmp_path / "cache"))


@pytest.mark.parametrize("settled", [0, digests._SETTLED], ids=["remembered", "just written"])
def test_frames_mended_in_place_are_others(
    write_folder: WriteFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settled: int
) -> None:
    monkeypatch.setattr(digests, "_SETTLED", settled)
    root = write_folder(tmp_path / "footage", {"training/a": 3, "testing/x": 3})
    before = identities(root)
    assert identities(root) == before
    mended(root / "testing/x/001.png")
    assert identities(root) != before


@pytest.mark.parametrize("settled", [0, digests._SETTLED])
def test_a_mask_mended_in_place_is_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settled: int) -> None:
    monkeypatch.setattr(digests, "_SETTLED", settled)
    paths = [tmp_path / f"{name}.bmp" for name in "ab"]
    for path in paths:
        Image.fromarray(np.zeros((8, 8), np.uint8)).save(path)
    before = content_of(paths)
    mended(paths[1])
    assert content_of(paths) != before


def test_what_has_not_changed_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digests, "_SETTLED", 0)
    (tmp_path / "a").write_bytes(b"a")
    first = content_of([tmp_path / "a"])
    monkeypatch.setattr(content, "sha256_of", lambda path: pytest.fail(f"{path} is read again"))
    assert content_of([tmp_path / "a"]) == first
    for damaged in (tmp_path / "cache/content").iterdir():
        damaged.write_text("{")
    monkeypatch.undo()
    monkeypatch.setenv("PAGEN_CACHE", str(tmp_path / "cache"))
    assert content_of([tmp_path / "a"]) == first


@settings(max_examples=40, deadline=None)
@given(first=st.binary(max_size=8), second=st.binary(max_size=8))
def test_bytes_alone_tell_files_apart(tmp_path_factory: pytest.TempPathFactory, first: bytes, second: bytes) -> None:
    path, found = tmp_path_factory.mktemp("files") / "a", []
    for data in (first, second):
        path.write_bytes(data)
        found.append(content_of([path]))
    assert (found[0] == found[1]) == (first == second)


def test_flow_of_another_opencv_lies_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    import cv2

    assert flow.open_flow("dis").identity() == f"cv-{cv2.__version__}"


def test_a_joined_array_is_split_in_the_order_of_numbers(tmp_path: Path) -> None:
    np.savez(tmp_path / "labels.npz", **{"1": [0, 1], "2": [0, 0, 1], "10": [1, 0, 0, 0]})
    np.save(tmp_path / "scores.npy", np.arange(9.0))
    [(_, scores)] = read_score_files([tmp_path / "scores.npy"], tmp_path / "labels.npz")
    assert {name: values["score"].tolist() for name, values in scores.clips.items()} == {
        "1": [0, 1], "2": [2, 3, 4], "10": [5, 6, 7, 8],
    }  # fmt: skip


def test_names_with_dots_have_labels_of_their_own(tmp_path: Path) -> None:
    from pagen.footage.labels.labels_csv import read_csv

    (tmp_path / "labels.csv").write_text("video,start_frame,end_frame\nclip.mp4,0,1\nclip.v2.mp4,2,3\n")
    found = [read_csv(tmp_path / "labels.csv", name) for name in ("clip", "clip.v2")]
    assert [said.pairs for said in found if said] == [((0, 1),), ((2, 3),)]


def square(value: int = 255) -> np.ndarray:
    mask = np.zeros((64, 64), np.uint8)
    mask[13:40, 21:45] = value
    return mask


@pytest.mark.parametrize("quality", [30, 75, 95])
def test_what_jpeg_leaves_around_a_mask_is_none(tmp_path: Path, quality: int) -> None:
    import cv2

    Image.fromarray(square()).save(tmp_path / "a.jpg", quality=quality)
    (mask,) = mask_frames([tmp_path / "a.jpg"])
    assert cv2.connectedComponents(mask.astype(np.uint8))[0] == 2
    assert (mask != (square() > 0)).mean() < 0.01


def test_marks_of_one_are_masks_where_nothing_is_lost_and_told_in_jpeg(tmp_path: Path) -> None:
    for name in ("a.png", "a.jpg"):
        Image.fromarray(square(9)).save(tmp_path / name)
    (mask,) = mask_frames([tmp_path / "a.png"])
    assert np.array_equal(mask, square() > 0)
    with pytest.raises(
        PagenError, match=r"black and white in JPEG, found nothing brighter than 13 in .*; save them as PNG"
    ):
        list(mask_frames([tmp_path / "a.jpg"]))


@pytest.mark.parametrize("colour", [0, 255])
def test_a_mask_may_lie_in_the_alpha_channel(tmp_path: Path, colour: int) -> None:
    for place, alpha in enumerate((square(), np.zeros((64, 64), np.uint8))):
        picture = np.dstack([np.full((64, 64, 3), colour, np.uint8), alpha])
        Image.fromarray(picture).save(tmp_path / f"{place}.png")
    masks = list(mask_frames([tmp_path / "0.png", tmp_path / "1.png"]))
    assert np.array_equal(masks[0], square() > 0)
    assert not masks[1].any()


def test_an_opaque_mask_with_an_alpha_channel_is_what_it_shows(tmp_path: Path) -> None:
    Image.fromarray(np.dstack([*[square()] * 3, np.full((64, 64), 255, np.uint8)])).save(tmp_path / "a.png")
    (mask,) = mask_frames([tmp_path / "a.png"])
    assert np.array_equal(mask, square() > 0)
