"""Codes against the network on one window at a time, which plain loops put together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from pagen.compute import Compute
from pagen.errors import PagenError
from pagen.features.latents import Codes, cells
from pagen.features.open import open_source
from pagen.features.spec import FeatureSpec
from pagen.folders import Folder, write_json
from pagen.footage.flow import encode
from pagen.models.conv_ae import ConvAE3d
from pagen.models.discriminator import Discriminator
from pagen.models.luss import LUSSAE
from pagen.models.memae import MemAE
from pagen.spread import one_thread

MakeRun = Callable[..., Path]
WIDTHS = (2, 3, 4, 5)
WINDOW = 8


def codes_of(run: Path, root: Path, kind: str = "latents") -> Any:
    """The codes of the data set `folder` by a run."""
    return open_source(FeatureSpec(f"{kind}:{run}"), "folder", Compute(root, "cpu", 0))


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    with one_thread():
        yield


def network_of(kind: str) -> Any:
    torch.manual_seed(0)
    if kind == "luss":
        return LUSSAE(1, WIDTHS, WINDOW, prp="conv").eval()
    return MemAE(1, WIDTHS, memory=10).eval() if kind == "memae" else ConvAE3d(1, WIDTHS).eval()


def expected(network: Any, values: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Codes (T, C, h, w), averaged over time, of the windows that end with each of the inputs (C, T, H, W)."""
    height, width = values.shape[2:]
    values = np.pad(values, ((0, 0), (0, 0), (0, -height % 16), (0, -width % 16)), mode="edge")
    codes = []
    for t in range(values.shape[1]):
        window = [values[:, max(frame, 0)] for frame in range(t - WINDOW + 1, t + 1)]
        with torch.inference_mode():
            codes.append(network.encoder(torch.from_numpy(np.stack(window, axis=1))[None])[0].double().numpy())
    return np.mean(codes, axis=2)


def frames_of(source: Codes, clip: str) -> npt.NDArray[np.float32]:
    return (np.array(source.prepared.frames(clip)).transpose(3, 0, 1, 2) / 127.5 - 1).astype(np.float32)


@pytest.mark.parametrize("kind", ["conv", "memae", "luss"])
def test_a_frame_has_the_mean_code_of_its_window(kind: str, make_run: MakeRun, root: Path) -> None:
    network = network_of(kind)
    source = codes_of(make_run(network), root)
    for clip, length in (("train_a", 9), ("test_x", 6)):
        found = source(clip)
        assert found.vectors.shape == (length, 5)
        assert found.boxes is None
        np.testing.assert_array_equal(found.frames, np.arange(length))
        means = expected(network, frames_of(source, clip)).mean(axis=(2, 3))
        np.testing.assert_allclose(found.vectors, means, atol=1e-5)


def test_of_flow_the_first_frame_takes_the_second_ones(make_run: MakeRun, root: Path) -> None:
    network = ConvAE3d(3, WIDTHS).eval()
    source = codes_of(make_run(network, source="flow", channels=3), root)
    found = source("test_x")
    maps = encode(np.array(source.shown.source("test_x")), "uvm", 4.0)
    means = expected(network, maps).mean(axis=(2, 3))
    np.testing.assert_allclose(found.vectors, np.concatenate([means[:1], means]), atol=1e-5)
    np.testing.assert_array_equal(found.frames, np.arange(6))


@pytest.mark.parametrize("recipe", [{}, {"source": "flow", "channels": 3}])
def test_every_location_has_a_code(recipe: dict[str, Any], make_run: MakeRun, root: Path) -> None:
    network = ConvAE3d(recipe.get("channels", 1), WIDTHS).eval()
    run = make_run(network, **recipe)
    whole, source = (codes_of(run, root, kind) for kind in ("latents", "locations"))
    found = source("train_a")
    assert found.vectors.shape == (9 * 2 * 3, 5)
    np.testing.assert_array_equal(found.frames, np.repeat(np.arange(9), 6))
    np.testing.assert_allclose(found.vectors.reshape(9, 6, 5).mean(axis=1), whole("train_a").vectors, atol=1e-6)
    if not recipe:
        codes = expected(network, frames_of(source, "train_a"))
        np.testing.assert_allclose(found.vectors.reshape(9, 2, 3, 5), codes.transpose(0, 2, 3, 1), atol=1e-5)
    boxes = np.asarray(found.boxes).reshape(9, 6, 4)
    np.testing.assert_array_equal(boxes, np.broadcast_to(boxes[0], boxes.shape))


def test_cells_cover_the_footage_once() -> None:
    covered = np.zeros((48, 80), int)
    boxes = cells((24, 40), (48, 80))
    for left, top, right, bottom in boxes.astype(int):
        covered[top:bottom, left:right] += 1
    assert (covered == 1).all()
    np.testing.assert_array_equal(boxes[[0, 1, 2, 3, 5]], [[0, 0, 32, 32], [32, 0, 64, 32], [64, 0, 80, 32],
                                                            [0, 32, 32, 48], [64, 32, 80, 48]])  # fmt: skip


@pytest.mark.parametrize("recipe", [{}, {"source": "flow", "channels": 3}])
def test_a_stream_has_the_codes_of_its_last_frames(recipe: dict[str, Any], make_run: MakeRun, root: Path) -> None:
    source = codes_of(make_run(ConvAE3d(recipe.get("channels", 1), WIDTHS), **recipe), root)
    frames, vectors = source.prepared.frames("train_a"), source("train_a").vectors
    assert source.context == WINDOW + bool(recipe)
    for t in (1, 5, 8):
        newest = source.newest(frames[max(t + 1 - source.context, 0) : t + 1])
        np.testing.assert_allclose(newest.vectors, vectors[t : t + 1], atol=1e-5)
        assert newest.frames.tolist() == [0]
    first = source.newest(frames[:1])
    assert (len(first.vectors), len(first.frames)) == ((0, 0) if recipe else (1, 1))


def test_other_weights_are_another_source(make_run: MakeRun, root: Path) -> None:
    sources = [codes_of(make_run(network_of("conv")), root) for _ in range(2)]
    other = network_of("conv")
    with torch.no_grad():
        other.encoder[0].weight *= 2
    sources.append(codes_of(make_run(other), root))
    assert sources[0].inputs() == sources[1].inputs() != sources[2].inputs()
    assert sources[0].config() == sources[2].config()


def test_runs_without_an_autoencoder_are_refused(make_run: MakeRun, root: Path, tmp_path: Path) -> None:
    judge = make_run(Discriminator(4), recipe="discriminator", source="features")
    with pytest.raises(PagenError, match=r"expected a run of an autoencoder in .*, found discriminator; give another"):
        codes_of(judge, root)
    with pytest.raises(PagenError, match="expected a run folder of pagen at"):
        codes_of(tmp_path / "nowhere", root)
    several = Folder.begin(tmp_path / "several", "run", {}, {})
    write_json(several.path / "recipe.json", {"recipe": "unified", "members": []})
    several.finish()
    with pytest.raises(PagenError, match=r"expected a run of one network, found .*several of several"):
        codes_of(several.path, root)


def test_a_stream_has_no_flow_out_of_files(make_run: MakeRun, root: Path, tmp_path: Path) -> None:
    for clip, length in (("train_a", 9), ("test_x", 6)):
        np.save(tmp_path / f"{clip}.npy", np.zeros((length - 1, 2, 24, 40), np.float32))
    run = make_run(ConvAE3d(3, WIDTHS), source="flow", channels=3, flow=f"file:{tmp_path}")
    source = codes_of(run, root)
    assert source("test_x").vectors.shape == (6, 5)
    assert "flow" in source.inputs()
    with pytest.raises(PagenError, match="expected flow that can be computed of a stream, found file:"):
        source.newest(source.prepared.frames("test_x"))
