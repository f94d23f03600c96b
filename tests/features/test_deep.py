"""Vectors of crops against the encoder on each crop alone."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pagen.errors import PagenError
from pagen.features.deep import Deep, cut, encoded
from pagen.footage.prepare import Prepared
from pagen.models.encoders.encoder import Encoder
from pagen.models.encoders.open import open_encoder
from pagen.spread import one_thread

MakeClips = Callable[..., Prepared]
Open = Callable[..., Deep]
ROWS = [[0, 2, 3, 18.5, 40], [0, 30, 5, 33, 9], [2, 0.2, 0.2, 0.4, 0.4], [2, 10, 10, 60, 47.5]]


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    with one_thread():
        yield


@pytest.fixture(scope="module")
def clips(make_clips: MakeClips) -> Prepared:
    rng = np.random.default_rng(0)
    return make_clips(train_a=rng.integers(0, 255, (4, 48, 64, 3), np.uint8), test_x=np.zeros((3, 48, 64, 3), np.uint8))


@pytest.fixture
def boxes(tmp_path: Path) -> str:
    (tmp_path / "boxes.json").write_text(json.dumps({"train_a": ROWS * 3, "test_x": []}))
    return f"file:{tmp_path / 'boxes.json'}"


def each_alone(encoder: Encoder, source: Deep, clips: Prepared) -> np.ndarray:
    """The vectors of the crops of a clip, one call of the encoder a crop."""
    where = source.boxes(clips, "train_a")
    vectors = []
    for frame, box in zip(where.frames, where.boxes, strict=True):
        left, top, right, bottom = np.ceil(box).astype(int)
        crop = clips.frames("train_a")[frame, top : max(bottom, top + 1), left : max(right, left + 1)]
        vectors.append(encoder(crop[None])[0])
    return np.array(vectors)


@pytest.mark.parametrize(("spec", "side"), [("lite0", 64), ("clip", 0)])
def test_a_vector_is_the_encoders_of_the_crop(
    spec: str, side: int, clips: Prepared, boxes: str, clip: Path, open_of: Open
) -> None:
    spec = f"clip:{clip}" if spec == "clip" else spec
    source = pickle.loads(pickle.dumps(open_of("deep", clips, boxes=boxes, encoder=spec, side=side, colour=True)))
    encoder = open_encoder(spec)
    encoder = replace(encoder, side=side or encoder.side)
    found = source("train_a")
    assert found.frames.tolist() == [0] * 6 + [2] * 6
    assert found.vectors.dtype == np.float32
    assert source.config()["features"] == encoder.features == found.vectors.shape[1]
    assert source.config()["side"] == encoder.side
    np.testing.assert_allclose(found.vectors, each_alone(encoder, source, clips), rtol=1e-4, atol=1e-5)
    assert not np.allclose(found.vectors[0], found.vectors[1])
    assert source("test_x").vectors.shape == (0, encoder.features)


def test_crops_are_squeezed_as_pillow_does_it(clips: Prepared, boxes: str) -> None:
    class Means(torch.nn.Module):
        def forward(self, pictures: torch.Tensor) -> torch.Tensor:
            return pictures.flatten(1)

    found = Encoder("means", 3 * 16 * 16, Means(), 16, (0.0,) * 3, (1.0,) * 3)
    frame = np.array(clips.frames("train_a")[2])
    vectors = encoded(found, cut(frame, np.array([[10, 10, 60, 47.5]], np.float32)))
    expected = np.asarray(Image.fromarray(frame[10:48, 10:60]).resize((16, 16), Image.Resampling.BILINEAR))
    # Pillow rounds between the axes and at the end
    np.testing.assert_allclose(vectors.reshape(3, 16, 16).transpose(1, 2, 0), expected, atol=1.1)


def test_colours_stay_red_green_blue(make_clips: MakeClips, boxes: str, clip: Path, open_of: Open) -> None:
    red = np.zeros((4, 48, 64, 3), np.uint8)
    red[..., 0] = 255
    source = open_of("deep", make_clips(train_a=red), boxes=boxes, encoder=f"clip:{clip}", side=0)
    expected = open_encoder(f"clip:{clip}")(red[:1])
    np.testing.assert_allclose(source("train_a").vectors[:1], expected, atol=1e-5)
    blue = open_encoder(f"clip:{clip}")(red[:1, ..., ::-1].copy())
    assert not np.allclose(blue, expected, atol=1e-3)
    swapped = replace(source, bgr=True)
    np.testing.assert_allclose(swapped("train_a").vectors[:1], blue, atol=1e-5)
    assert swapped.config() != source.config()


def test_the_newest_frame_of_a_stream(make_clips: MakeClips, clip: Path, open_of: Open) -> None:
    frames = np.repeat(np.random.default_rng(0).integers(0, 90, (1, 48, 64, 1), np.uint8), 4, axis=0)
    for t in range(4):
        frames[t, 10:30, 5 + 9 * t : 15 + 9 * t] += 120
    source = open_of("deep", make_clips(train_a=frames), encoder=f"clip:{clip}", side=0)
    found = source("train_a")
    assert found.boxes is not None
    assert len(found.boxes) >= 4
    for t in range(1, 4):
        newest = source.newest(frames[t - 1 : t + 1])
        np.testing.assert_allclose(newest.vectors, found.vectors[found.frames == t], atol=1e-5)
        np.testing.assert_array_equal(newest.boxes, found.boxes[found.frames == t])
    assert source.context == 2
    assert source.newest(frames[:1]).vectors.shape == (0, 12)


def test_sides_that_an_encoder_does_not_take_are_refused(clips: Prepared, clip: Path, open_of: Open) -> None:
    with pytest.raises(PagenError, match=r"expected a side of crops .* found 128; give 0 for its own, 16"):
        open_of("deep", clips, encoder=f"clip:{clip}")
    with pytest.raises(PagenError, match="no encoder named"):
        open_of("deep", clips, encoder="resnet")


def test_other_weights_and_boxes_are_other_inputs(clips: Prepared, boxes: str, clip: Path, open_of: Open) -> None:
    one, other = (open_of("deep", clips, boxes=each, encoder=f"clip:{clip}", side=0) for each in (boxes, "motion"))
    assert set(one.inputs()) == {"boxes", "encoder"}
    assert set(other.inputs()) == {"encoder"}
    assert one.config()["boxes"] != other.config()["boxes"]
    assert json.loads(json.dumps(one.config())) == one.config()
