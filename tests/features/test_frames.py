"""Vectors of frames against the encoder itself, and their means against a loop."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pagen.features.frames import Encoded, encoder_handle, pooled
from pagen.footage.prepare import Prepared
from pagen.models.encoders.open import open_encoder
from pagen.spread import one_thread


@settings(max_examples=20, deadline=None)
@given(length=st.integers(1, 7), count=st.integers(1, 9))
def test_the_mean_looks_back_and_repeats_the_first(length: int, count: int) -> None:
    vectors = np.random.default_rng(length).normal(size=(length, 3)).astype(np.float32)
    for t, mean in enumerate(pooled(vectors, count)):
        window = [vectors[max(frame, 0)] for frame in range(t - count + 1, t + 1)]
        np.testing.assert_allclose(mean, np.mean(window, axis=0), rtol=1e-5, atol=1e-6)


def test_every_frame_has_the_vector_that_the_encoder_gives(prepared: Prepared, clip: Path) -> None:
    source = Encoded(prepared, encoder_handle(f"clip:{clip}"))
    with one_thread():
        found = source("test_x")
        np.testing.assert_array_equal(found.vectors, open_encoder(f"clip:{clip}")(prepared.frames("test_x")))
    np.testing.assert_array_equal(found.frames, np.arange(11))
    assert found.boxes is None


def test_a_stream_begins_with_few_frames(prepared: Prepared, clip: Path) -> None:
    source = Encoded(prepared, encoder_handle(f"clip:{clip}"), pool=4)
    frames, vectors = prepared.frames("train_a"), source("train_a").vectors
    assert source.context == 4
    for t in (0, 2, 3, 12):
        newest = source.newest(frames[max(t - 3, 0) : t + 1])
        np.testing.assert_allclose(newest.vectors, vectors[t : t + 1], atol=1e-5)
        assert newest.frames.tolist() == [0]


@pytest.mark.slow
@pytest.mark.parametrize("pool", [1, 3])
def test_another_process_opens_it_by_itself(prepared: Prepared, clip: Path, pool: int) -> None:
    source = Encoded(prepared, encoder_handle(f"clip:{clip}"), pool)
    content = pickle.dumps(source)
    assert len(content) < 20_000  # not the weights
    np.testing.assert_array_equal(pickle.loads(content)("test_x").vectors, source("test_x").vectors)
