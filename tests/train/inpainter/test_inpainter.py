"""How the bundled inpainter is trained: crops, holes, the loss of colour, and a training that was killed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pagen.folders import tree_hash
from pagen.generate.inpaint import Painting
from pagen.generate.inpainters import open_inpainter
from pagen.models.ldm import small_autoencoder
from pagen.seeds import generator
from pagen.train.inpainter import loop as inpainter_loop
from pagen.train.inpainter import train as inpainter
from pagen.train.inpainter.loop import Stage, rate
from pagen.train.inpainter.losses import OPPONENT, colourful
from pagen.train.inpainter.pictures import Draws, Source, crops, hole, sources, texture, vary
from pagen.train.inpainter.train import TrainInpainter, run

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def vtest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A little video in which a block wanders."""
    path = tmp_path_factory.mktemp("video") / "vtest.avi"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 96, 80, "yuv420p"
        for t in range(12):
            picture = np.full((80, 96, 3), 90, np.uint8)
            picture[20:50, 4 + 6 * t : 16 + 6 * t] = (220, 60, 30)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


@pytest.fixture(scope="module")
def draws(vtest: Path) -> Draws:
    """The sources of crops, opened once."""
    return sources(vtest)


def test_crops_of_all_sources_and_the_same_from_the_same_seed(draws: Draws) -> None:
    assert sum(weight for weight, _ in draws) == pytest.approx(1)
    drawn = [crops(draws, 6, generator(3)) for _ in range(2)]
    assert drawn[0].shape == (6, 3, 64, 64)
    assert drawn[0].dtype == np.float32
    assert -1 <= drawn[0].min() < drawn[0].max() <= 1
    np.testing.assert_array_equal(*drawn)


def test_half_of_the_crops_hold_what_moves() -> None:
    image = np.zeros((300, 300, 3), np.uint8)
    image[200:206, 40:46] = 255
    moving = np.argwhere(image.max(axis=2) > 0)
    rng = generator(0)
    source = Source([image], [moving], (1.0, 1.0001))
    seen = np.mean([source.draw(rng).max() > 0 for _ in range(300)])
    still = Source([image], [np.zeros((0, 2), np.int64)], (1.0, 1.0001))
    by_chance = np.mean([still.draw(rng).max() > 0 for _ in range(300)])
    assert seen == pytest.approx(0.5 + by_chance / 2, abs=0.1)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_holes_and_textures_are_what_they_should_be(seed: int) -> None:
    rng = generator(seed)
    mask, picture = hole(rng), texture(rng)
    assert mask.shape == (64, 64)
    assert 0.03 <= mask.mean() <= 0.45
    assert picture.shape == (64, 64, 3)
    assert picture.std() > 1
    assert vary(picture, rng).shape == (64, 64, 3)


def test_the_opponent_colours_are_a_basis_whose_first_is_lightness() -> None:
    torch.testing.assert_close(OPPONENT @ OPPONENT.T, torch.eye(3), atol=1e-6, rtol=0)
    torch.testing.assert_close(OPPONENT @ torch.ones(3), torch.tensor([3**0.5, 0, 0]), atol=1e-6, rtol=0)


def test_a_colourful_autoencoder_answers_more_to_colour_and_as_much_to_grey() -> None:
    torch.manual_seed(0)
    plain = small_autoencoder()
    torch.manual_seed(0)
    vivid = colourful(small_autoencoder())
    grey, red = torch.ones(1, 3, 8, 8), torch.tensor([1.0, 0, -1]).view(1, 3, 1, 1).expand(1, 3, 8, 8)
    first, other = (vae.encoder.layers[0] for vae in (plain, vivid))
    torch.testing.assert_close(other(grey), first(grey))
    torch.testing.assert_close(other(red) - other(0 * red), 4 * (first(red) - first(0 * red)))


def test_the_rate_goes_up_and_then_down_to_nothing() -> None:
    stage = Stage(1000, 1, 2e-3, 0.9)
    rates = [rate(stage, step) for step in range(1000)]
    assert max(rates) == pytest.approx(stage.lr * 0.5 * (1 + np.cos(np.pi * 0.199)), rel=1e-2)
    assert rates[0] == pytest.approx(stage.lr / 200)
    assert rates[-1] < 1e-7


class KilledError(Exception):
    """In place of a kill."""


def test_a_killed_training_goes_on_to_the_same_weights(
    vtest: Path, draws: Draws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inpainter_loop, "SAVE_EVERY", 2)
    monkeypatch.setattr(inpainter, "sources", {vtest: draws}.__getitem__)
    # the scale of the latents is measured on fewer crops
    monkeypatch.setattr(inpainter, "crops", lambda draws, count, rng: crops(draws, min(count, 16), rng))

    def train(out: str) -> TrainInpainter:
        return TrainInpainter(
            vtest, tmp_path / out, Stage(3, 2, 1e-3, 0.9), Stage(5, 2, 1e-3, 0.9), Stage(2, 2, 1e-3, 0.9)
        )

    run(train("whole"))
    save, saved = inpainter_loop.save_state, []

    def dying(path: Path, *others: Any) -> None:
        save(path, *others)
        saved.append(path.stem)
        if saved[-2:] == ["denoiser", "denoiser"]:
            raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(inpainter_loop, "save_state", dying)
        with pytest.raises(KilledError):
            run(train("killed"))
    run(train("killed"))
    assert tree_hash(tmp_path / "killed") == tree_hash(tmp_path / "whole")
    frames = generator(0).integers(0, 256, (2, 70, 80, 3), dtype=np.uint8)
    masks = np.zeros((2, 70, 80), np.bool_)
    masks[:, 20:40, 30:50] = True
    paint = open_inpainter(str(tmp_path / "whole/pipeline"), Painting(steps=2))
    filled = paint(frames, masks, generator(1))
    np.testing.assert_array_equal(filled[~masks], frames[~masks])
