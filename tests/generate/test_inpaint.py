"""Inpainters by name, and what is promised of each: kept pixels stay bit-equal."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pagen.errors import PagenError
from pagen.generate.inpaint import Telea, composite
from pagen.generate.inpainters import INPAINTERS, open_inpainter
from pagen.seeds import generator


def scene(channels: int, count: int = 3) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    rng = generator(0, "scene")
    frames = rng.integers(0, 256, size=(count, 30, 44, channels), dtype=np.uint8)
    masks = np.zeros((count, 30, 44), np.bool_)
    for n in range(count):
        masks[n, 5 + n : 15 + n, 10:25] = True
    return frames, masks


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("radius", [3, 6])
def test_telea_is_opencv_inside_and_untouched_outside(channels: int, radius: int) -> None:
    frames, masks = scene(channels)
    filled = Telea(radius)(frames, masks, generator(0))
    assert filled.shape == frames.shape
    np.testing.assert_array_equal(filled[~masks], frames[~masks])
    for frame, mask, result in zip(frames, masks, filled, strict=True):
        source = frame[..., 0] if channels == 1 else frame
        expected = cv2.inpaint(source.copy(), mask.astype(np.uint8) * 255, radius, cv2.INPAINT_TELEA)
        np.testing.assert_array_equal(result[mask], expected.reshape(frame.shape)[mask])


def test_telea_takes_a_read_only_memory_map(tmp_path: Path) -> None:
    frames, masks = scene(1)
    np.save(tmp_path / "clip.npy", frames)
    mapped = np.load(tmp_path / "clip.npy", mmap_mode="r")
    np.testing.assert_array_equal(Telea()(mapped, masks, generator(0)), Telea()(frames, masks, generator(0)))


def test_telea_continues_a_slope() -> None:
    slope = np.tile(np.arange(0, 200, 4, dtype=np.uint8), (40, 1))[None, ..., None]
    mask = np.zeros((1, 40, 50), np.bool_)
    mask[0, 15:25, 20:30] = True
    damaged = np.where(mask[..., None], np.uint8(0), slope)
    filled = Telea()(damaged, mask, generator(0))
    assert np.abs(filled.astype(int) - slope)[mask].max() <= 24


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([1, 3]))
def test_composite_takes_each_pixel_from_its_side(seed: int, channels: int) -> None:
    rng = generator(seed)
    frames, filled = rng.integers(0, 256, size=(2, 2, 9, 7, channels), dtype=np.uint8)
    masks = rng.random((2, 9, 7)) < 0.4
    result = composite(frames, filled, masks)
    assert result.dtype == np.uint8
    np.testing.assert_array_equal(result[masks], filled[masks])
    np.testing.assert_array_equal(result[~masks], frames[~masks])


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 6))
def test_a_feathered_rim_goes_over_linearly(seed: int, feather: int) -> None:
    rng = generator(seed)
    frames, filled = rng.integers(0, 256, size=(2, 1, 12, 30, 1), dtype=np.uint8)
    masks = np.zeros((1, 12, 30), np.bool_)
    masks[:, :, :10] = True
    result = composite(frames, filled, masks, feather)
    weight = np.clip(1 - (np.arange(30) - 9) / (feather + 1), 0, 1)[:, None]
    np.testing.assert_allclose(result, frames + weight * (filled.astype(float) - frames), atol=0.51)
    np.testing.assert_array_equal(result[:, :, :10], filled[:, :, :10])
    np.testing.assert_array_equal(result[:, :, 10 + feather :], frames[:, :, 10 + feather :])


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name == "bundled" else name for name in INPAINTERS.names()]
)
@pytest.mark.parametrize("channels", [1, 3])
def test_every_inpainter_keeps_its_promises(name: str, channels: int) -> None:
    frames, masks = scene(channels)
    inpaint = open_inpainter(name)
    filled = inpaint(frames, masks, generator(1))
    assert filled.dtype == np.uint8
    assert filled.shape == frames.shape
    np.testing.assert_array_equal(filled[~masks], frames[~masks])
    assert (filled[masks] != frames[masks]).mean() > 0.5
    assert filled.tobytes() == inpaint(frames, masks, generator(1)).tobytes()


def test_telea_has_no_matched_normals() -> None:
    with pytest.raises(PagenError, match="give --inpainter bundled"):
        Telea().matched(*scene(1))


@pytest.mark.parametrize("name", ["tela", "no/such/folder", "./nowhere"])
def test_unknown_names(name: str) -> None:
    with pytest.raises(PagenError, match="or a folder or hub id of a diffusers inpainting pipeline") as caught:
        open_inpainter(name)
    assert ("did you mean 'telea'" in str(caught.value)) == (name == "tela")
