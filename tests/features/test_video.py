"""Windows against the network of transformers on one window at a time, and what transformers makes of its folder."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image

from pagen.errors import PagenError
from pagen.footage.prepare import Prepared
from pagen.models.encoders.clip import IMAGENET
from pagen.models.encoders.video import open_video
from pagen.spread import one_thread

Open = Callable[..., Any]
SMALL = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    with one_thread():
        yield


@pytest.fixture(scope="module")
def videomae(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a VideoMAE of 16 frames 32 x 32 whose vectors have length 16."""
    from transformers import VideoMAEConfig, VideoMAEModel

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("models") / "videomae"
    VideoMAEModel(VideoMAEConfig(**SMALL, image_size=32, patch_size=8, num_frames=16)).save_pretrained(folder)
    return folder


def pixels(frames: npt.NDArray[np.uint8], colours: Any = IMAGENET) -> torch.Tensor:
    """Frames (T, H, W, 1) as the networks see them, (T, 3, 32, 32), by Pillow's own resizing."""
    mean, deviation = (np.reshape(colour, (3, 1, 1)) for colour in colours)
    seen = [Image.fromarray(frame[..., 0]).convert("F").resize((32, 32), Image.Resampling.BILINEAR) for frame in frames]
    return torch.from_numpy(((np.stack(seen)[:, None] / 255 - mean) / deviation).astype(np.float32))


def around(t: int, length: int) -> list[int]:
    """The window whose ninth frame is t."""
    return [min(max(frame, 0), length - 1) for frame in range(t - 8, t + 8)]


def test_vectors_of_pictures_are_averaged_over_the_window(prepared: Prepared, hiera: Path, open_of: Open) -> None:
    from transformers import HieraModel

    source = open_of(f"hiera:{hiera}", prepared)
    found = source("train_a")
    with torch.inference_mode():
        each = HieraModel.from_pretrained(hiera)(pixel_values=pixels(prepared.frames("train_a"))).pooler_output.numpy()
    assert found.vectors.shape == (20, 16)
    np.testing.assert_array_equal(found.frames, np.arange(20))
    for t in range(20):
        np.testing.assert_allclose(found.vectors[t], each[around(t, 20)].mean(axis=0), atol=1e-4)


def test_a_videomae_sees_the_window_itself(prepared: Prepared, videomae: Path, open_of: Open) -> None:
    from transformers import VideoMAEModel

    source = open_of(f"hiera:{videomae}", prepared)
    found, seen = source("test_x"), pixels(prepared.frames("test_x"))
    network = VideoMAEModel.from_pretrained(videomae)
    for t in (0, 4, 10):
        with torch.inference_mode():
            tokens = network(pixel_values=seen[around(t, 11)][None]).last_hidden_state[0]
        np.testing.assert_allclose(found.vectors[t], tokens.mean(dim=0), atol=1e-4)
    assert source.config()["model"] == "videomae"


def test_a_videomae_sees_the_order_of_the_frames(prepared: Prepared, videomae: Path, hiera: Path) -> None:
    frames = prepared.frames("train_a")
    forth, back = np.arange(16)[None], np.arange(16)[None, ::-1]
    for folder, differs in ((videomae, True), (hiera, False)):
        network = open_video(str(folder))
        assert np.allclose(network(frames, forth), network(frames, back), atol=1e-6) != differs


def test_a_stream_ends_as_a_clip_does(prepared: Prepared, hiera: Path, open_of: Open) -> None:
    source = open_of(f"hiera:{hiera}", prepared)
    frames = prepared.frames("test_x")
    assert source.context == 9
    np.testing.assert_allclose(source.newest(frames[-9:]).vectors, source("test_x").vectors[-1:], atol=1e-5)
    np.testing.assert_allclose(
        source.newest(frames[:1]).vectors, open_video(str(hiera))(frames[:1], np.zeros((1, 16), int))
    )


def test_the_folder_says_what_pictures_are_standardised_by(
    prepared: Prepared, hiera: Path, tmp_path: Path, open_of: Open
) -> None:
    from transformers import HieraModel

    copy = shutil.copytree(hiera, tmp_path / "copy")
    colours = {"image_mean": [0.45, 0.4, 0.35], "image_std": [0.2, 0.25, 0.3]}
    (copy / "preprocessor_config.json").write_text(json.dumps({"image_processor_type": "BitImageProcessor", **colours}))
    frames = prepared.frames("test_x")[:1]
    vector = open_video(str(copy))(frames, np.zeros((1, 16), int))
    with torch.inference_mode():
        said = HieraModel.from_pretrained(copy)(pixel_values=pixels(frames, colours.values()))
    np.testing.assert_allclose(vector, said.pooler_output, atol=1e-4)
    assert open_of(f"hiera:{copy}", prepared).inputs() != open_of(f"hiera:{hiera}", prepared).inputs()


def test_what_is_not_such_a_model_is_refused(clip: Path, hiera: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    with pytest.raises(PagenError, match=r"expected a model of one of hiera videomae in .*, found 'clip_vision_model'"):
        open_video(str(clip))
    with pytest.raises(PagenError, match=r"expected features 'hiera:MODEL' with a folder or a hub id"):
        open_video(str(tmp_path / "nowhere"))
    copy = shutil.copytree(hiera, tmp_path / "copy")
    weights = load_file(copy / "model.safetensors")
    rest = {name: value for name, value in weights.items() if "pooler" not in name}
    save_file(rest, copy / "model.safetensors", {"format": "pt"})
    with pytest.raises(PagenError, match=r"expected all weights of the model in .*pooler.*give a HieraModel"):
        open_video(str(copy))
    (copy / "model.safetensors").unlink()
    torch.save(weights, copy / "pytorch_model.bin")
    with pytest.raises(PagenError, match="expected safetensors weights, found none in"):
        open_video(str(copy))
    own = shutil.copytree(hiera, tmp_path / "own")
    config = json.loads((own / "config.json").read_text())
    (own / "config.json").write_text(json.dumps({**config, "model_type": "own", "auto_map": {"AutoConfig": "own.Own"}}))
    with pytest.raises(PagenError, match=r"found own code in .*; it is not run"):
        open_video(str(own))
