"""A random CLIP, four short clips of a moving square, and their PA set of spatial kind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from pagen.footage.prepare import Prepared
from pagen.generate.generate import Generate, generate
from pagen.generate.pa_set import PASet, open_pa_folder

LENGTHS = {"training/a": 20, "training/b": 17, "testing/x": 11}
SIZE = (32, 48)


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a CLIP whose vectors have length 12."""
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    torch.manual_seed(0)
    small = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = CLIPVisionConfig(**small, image_size=16, patch_size=8, projection_dim=12)
    folder = tmp_path_factory.mktemp("models") / "clip"
    CLIPVisionModelWithProjection(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def pseudo(write_folder: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> PASet:
    """Spatial pseudo-anomalies of the training clips, by Telea's method."""
    top = tmp_path_factory.mktemp("pa")
    root = write_folder(top / "footage", LENGTHS, SIZE)
    cheap = {"kinds": ("spatial",), "inpainter": "telea", "workers": 0}
    generate(Generate("folder", root=root, size=SIZE, out=top / "set", **cheap))  # type: ignore[arg-type]
    return open_pa_folder(top / "set")


@pytest.fixture(scope="session")
def prepared(pseudo: PASet) -> Prepared:
    """What it was made of."""
    return pseudo.prepared
