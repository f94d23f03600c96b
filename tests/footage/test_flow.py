from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from pagen.errors import PagenError
from pagen.folders import tree_hash
from pagen.footage import flow as module
from pagen.footage.flow import (
    FLOWS,
    Flow,
    FlowMethod,
    Grey,
    colour_wheel,
    dis,
    encode,
    flow_folder,
    grey,
    open_flow,
)
from pagen.footage.prepare import Prepared, prepare
from pagen.footage.tvl1 import tvl1

WriteFolder = Callable[..., Path]
LENGTHS = {"training/a": 6, "training/b": 4, "testing/x": 5}


@pytest.fixture
def prepared(write_folder: WriteFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Prepared:
    monkeypatch.setenv("PAGEN_CACHE", str(tmp_path / "cache"))
    root = write_folder(tmp_path / "footage", LENGTHS)
    return prepare("folder", root, size=None, colour=True, workers=0)


def moved(by: tuple[float, float]) -> list[npt.NDArray[np.uint8]]:
    """Three frames (64, 80) of a texture that moves by (x, y) pixels a frame."""
    noise = np.random.default_rng(0).integers(0, 256, (128, 160), np.uint8)
    texture = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2.5), None, 0, 255, cv2.NORM_MINMAX)
    shifts = [np.float32([[1, 0, by[0] * t - 40], [0, 1, by[1] * t - 32]]) for t in range(3)]
    return [cv2.warpAffine(texture, shift, (80, 64), flags=cv2.INTER_CUBIC) for shift in shifts]


@pytest.mark.parametrize("by", [(3, 1), (-2, 0), (0, 2), (0.5, -1.5), (0, 0)])
@pytest.mark.parametrize("method", [dis, pytest.param(tvl1, marks=pytest.mark.slow)])
def test_a_translation_is_recovered_in_pixels_x_first(method: FlowMethod, by: tuple[float, float]) -> None:
    maps = list(method(iter(moved(by))))
    assert len(maps) == 2
    for flow in maps:
        assert flow.shape == (2, 64, 80)
        assert flow.dtype == np.float32
        inner = flow[:, 10:-10, 10:-10]
        np.testing.assert_allclose(inner.mean(axis=(1, 2)), by, atol=0.05)
        np.testing.assert_allclose(np.median(np.abs(inner - np.reshape(by, (2, 1, 1))), axis=(1, 2)), 0, atol=0.1)


def test_flow_leads_from_each_frame_to_the_next() -> None:
    first, second, _ = moved((3, 1))
    (there,) = dis(iter([first, second]))
    (back,) = dis(iter([second, first]))
    inner = np.s_[:, 10:-10, 10:-10]
    np.testing.assert_allclose(there[inner].mean(axis=(1, 2)), -back[inner].mean(axis=(1, 2)), atol=0.05)


def test_dis_is_opencvs_own_without_a_start() -> None:
    rng = np.random.default_rng(1)
    frames = [np.clip(frame + rng.normal(0, 8, frame.shape), 0, 255).astype(np.uint8) for frame in moved((2, 1))]
    for before, after, flow in zip(frames, frames[1:], dis(iter(frames)), strict=False):
        fresh = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(before, after, None)
        np.testing.assert_array_equal(flow, fresh.transpose(2, 0, 1))


def test_it_is_kept_as_half_floats(prepared: Prepared) -> None:
    folder = flow_folder(prepared, prepared.clips(), workers=0)
    for name in prepared.clips():
        frames = prepared.frames(name)
        kept = folder.flow(name)
        assert kept.dtype == np.float16
        assert kept.shape == (len(frames) - 1, 2, *prepared.size)
        maps = np.stack(list(dis(grey(frame) for frame in frames)))
        np.testing.assert_array_equal(kept, maps.astype(np.float16))
        with pytest.raises(ValueError, match="read-only"):
            kept[0] = 0


def test_it_is_computed_once(prepared: Prepared, monkeypatch: pytest.MonkeyPatch) -> None:
    first = flow_folder(prepared, prepared.clips("train"), workers=0)
    manifest = (first.folder.path / "manifest.json").stat()
    computed = []

    def counted(frames: Iterator[Grey]) -> Iterator[Flow]:
        computed.append(1)
        return dis(frames)

    monkeypatch.setitem(FLOWS._table, "dis", module.computed("dis", counted, edition=open_flow("dis").identity()))
    again = flow_folder(prepared, prepared.clips("train"), workers=0)
    assert again.folder.path == first.folder.path
    assert (again.folder.path / "manifest.json").stat().st_ino == manifest.st_ino
    assert computed == []
    whole = flow_folder(prepared, prepared.clips(), workers=0)
    assert len(computed) == 1  # the test clip alone
    assert sorted(whole.folder.items) == ["test_x", "train_a", "train_b"]


@pytest.mark.slow
def test_workers_change_no_byte(prepared: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hashes = set()
    for workers in (0, 1, 2):
        monkeypatch.setenv("PAGEN_CACHE", str(tmp_path / f"workers-{workers}"))
        hashes.add(tree_hash(flow_folder(prepared, prepared.clips(), workers=workers).folder.path))
    assert len(hashes) == 1


def test_a_damaged_map_is_told(prepared: Prepared) -> None:
    folder = flow_folder(prepared, ["train_a"], workers=0)
    file = folder.folder.path / "flow/train_a.npy"
    content = bytearray(file.read_bytes())
    content[-5] ^= 1
    file.write_bytes(content)
    with pytest.raises(PagenError, match=r"damaged file .*train_a\.npy"):
        flow_folder(prepared, ["train_a"], workers=0)


def test_unknown_methods_and_single_frames_are_refused(write_folder: WriteFolder, tmp_path: Path) -> None:
    root = write_folder(tmp_path / "short", {"training/a": 1})
    short = prepare("folder", root, size=None, out=tmp_path / "prepared", workers=0)
    with pytest.raises(PagenError, match="no flow named 'dos'; did you mean 'dis'"):
        flow_folder(short, ["train_a"], "dos")
    with pytest.raises(PagenError, match="expected flow 'dis' without an option, found 'dis:fast'; leave 'fast' out"):
        open_flow("dis:fast")
    with pytest.raises(PagenError, match="clip train_a: expected two frames or more for flow, found 1"):
        flow_folder(short, ["train_a"], workers=0)


def test_grey_is_what_opencv_calls_grey() -> None:
    frame = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    weights = frame.astype(float) @ [0.299, 0.587, 0.114]  # ITU-R BT.601
    np.testing.assert_allclose(grey(frame), weights, atol=0.51)
    np.testing.assert_array_equal(grey(frame[..., :1]), frame[..., 0])


@pytest.mark.parametrize("kind", [np.float16, np.float32])
def test_flow_is_encoded_by_a_fixed_radius(kind: type[np.floating]) -> None:
    flow = np.zeros((2, 2, 1, 4), kind)
    flow[0, :, 0] = [[3, -6, 0, 300], [4, 8, 0, -300]]
    uv, uvm = (encode(flow, encoding, 10) for encoding in ("uv", "uvm"))
    assert uv.shape == (2, 2, 1, 4)
    assert uvm.shape == (3, 2, 1, 4)
    assert uv.dtype == uvm.dtype == np.float32
    np.testing.assert_array_equal(uvm[:2], uv)
    expected = [[0.3, -0.6, 0, 1], [0.4, 0.8, 0, -1], [0.5, 1, 0, 1]]
    np.testing.assert_allclose(uvm[:, 0, 0], expected, rtol=1e-6)
    np.testing.assert_array_equal(uvm[:, 1], 0)


def middlebury(fx: float, fy: float) -> list[int]:
    """`computeColor` of the Middlebury benchmark's colorcode.cpp, pixel by pixel; RGB."""
    ry, yg, gc, cb, bm, mr = 15, 6, 4, 11, 13, 6
    wheel = [(255, 255 * i // ry, 0) for i in range(ry)]
    wheel += [(255 - 255 * i // yg, 255, 0) for i in range(yg)]
    wheel += [(0, 255, 255 * i // gc) for i in range(gc)]
    wheel += [(0, 255 - 255 * i // cb, 255) for i in range(cb)]
    wheel += [(255 * i // bm, 0, 255) for i in range(bm)]
    wheel += [(255, 0, 255 - 255 * i // mr) for i in range(mr)]
    radius = math.sqrt(fx * fx + fy * fy)
    place = (math.atan2(-fy, -fx) / math.pi + 1) / 2 * (len(wheel) - 1)
    k0 = int(place)
    k1 = (k0 + 1) % len(wheel)
    pixel = []
    for channel in range(3):
        colour = (1 - (place - k0)) * wheel[k0][channel] / 255 + (place - k0) * wheel[k1][channel] / 255
        colour = 1 - radius * (1 - colour) if radius <= 1 else colour * 0.75
        pixel.append(int(255 * colour))
    return pixel


def test_the_colours_are_those_of_middlebury() -> None:
    flow: Flow = np.random.default_rng(0).uniform(-8, 8, (2, 24, 32)).astype(np.float32)
    slow = np.array([[middlebury(*(flow[:, y, x] / 6).tolist()) for x in range(32)] for y in range(24)])
    fast = colour_wheel(flow, 6)
    assert fast.shape == (24, 32, 3)
    assert fast.dtype == np.uint8
    assert np.abs(fast.astype(int) - slow).max() <= 1  # rounding down of floats of another width
    assert (fast == slow).mean() > 0.99


def test_the_rgb_encoding_is_the_picture_of_each_map() -> None:
    flow = np.random.default_rng(1).normal(0, 5, (3, 2, 20, 24)).astype(np.float16)
    flow[0, :, 0, 0] = 0
    channels = encode(flow, "rgb", 6)
    assert channels.shape == (3, 3, 20, 24)
    assert channels.dtype == np.float32
    assert channels.min() >= -1
    assert channels.max() <= 1
    assert channels[:, 0, 0, 0].tolist() == [1, 1, 1]
    pictures = np.stack([colour_wheel(one, 6) for one in flow])
    levels = (channels.transpose(1, 2, 3, 0) + 1) * 127.5
    np.testing.assert_allclose(levels, pictures + 0.5, atol=0.5 + 1e-4)  # pictures round down


def test_rest_is_white_and_right_is_red() -> None:
    directions = np.array([[0, 1, 1, 0, -1, -1, -1, 0, 1], [0, 0, 1, 1, 1, 0, -1, -1, -1]], np.float32)
    still, *moving = colour_wheel(directions[:, None] * np.float32(0.7), 1)[0]
    assert still.tolist() == [255, 255, 255]
    # picture coordinates: y goes down; the hue goes round once from red by yellow, green and blue
    hues = [int(cv2.cvtColor(colour[None, None], cv2.COLOR_RGB2HSV)[0, 0, 0]) for colour in moving]
    assert hues[0] == 0
    assert hues == sorted(hues)
    assert len(set(hues)) == 8
    faster = colour_wheel(np.float32([[[0.2, 0.5, 1.0]], [[0, 0, 0]]]), 1)[0, :, 1]
    assert faster.tolist() == sorted(faster.tolist(), reverse=True)
