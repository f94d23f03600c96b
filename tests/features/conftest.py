"""Models and runs with random weights, short clips of a moving square, and their PA set of spatial kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pytest
import torch

from pagen.arrays import write_array
from pagen.compute import Compute
from pagen.features.kinds import FEATURES
from pagen.features.spec import FeatureSpec
from pagen.folders import Folder, digests, write_json
from pagen.footage.prepare import Prepared, Size
from pagen.generate.config import Generate
from pagen.generate.generate import generate
from pagen.generate.pa_set import PASet, open_pa_folder
from pagen.models.pretrained import Pretrained

LENGTHS = {"training/a": 20, "training/b": 17, "testing/x": 11}
SIZE = (32, 48)
Once = Callable[[str, Callable[[Path], object]], Path]


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
def pseudo(write_folder: Callable[..., Path], once: Once) -> PASet:
    """Spatial pseudo-anomalies of the training clips, by Telea's method."""
    cheap: dict[str, Any] = {"kinds": ("spatial",), "inpainter": "telea", "workers": 0}

    def make(top: Path) -> None:
        root = write_folder(top / "footage", LENGTHS, SIZE)
        generate(Generate("folder", root=root, size=SIZE, out=top / "set", **cheap))

    return open_pa_folder(once("features-pa", make) / "set")


@pytest.fixture(scope="session")
def prepared(pseudo: PASet) -> Prepared:
    """What it was made of."""
    return pseudo.prepared


@pytest.fixture(scope="session")
def root(write_folder: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set `folder` whose clips are still shorter: train_a of 9 frames, test_x of 6."""
    return write_folder(tmp_path_factory.mktemp("short"), {"training/a": 9, "testing/x": 6}, SIZE)


@pytest.fixture(scope="session")
def make_run(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """`make_run(network, size=(24, 40))` writes a run of it; other keywords change its recipe."""

    def make(network: Pretrained, **changes: Any) -> Path:
        path = tmp_path_factory.mktemp("runs") / "run"
        recipe = {"recipe": "baseline", "size": (24, 40), "colour": False, "channels": 1, "source": "frames"}
        flow = {"window": 8, "flow": "dis", "encoding": "uvm", "radius": 4.0}
        folder = Folder.begin(path, "run", {}, {})
        write_json(path / "recipe.json", {**recipe, **flow, **changes})
        write_json(path / "calibration.json", {})
        network.save_pretrained(path / "model")
        folder.record("run", digests(path, [path / "recipe.json", *sorted((path / "model").iterdir())]))
        folder.finish()
        return path

    return make


@pytest.fixture(scope="session")
def hiera(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a Hiera of pictures 32 x 32 whose vectors have length 16."""
    from transformers import HieraConfig, HieraModel

    torch.manual_seed(0)
    shape = {"embed_dim": 8, "depths": [1, 1], "num_heads": [1, 2], "num_query_pool": 1, "masked_unit_size": [2, 2]}
    config = HieraConfig(**shape, image_size=[32, 32], masked_unit_attention=[True, False])
    folder = tmp_path_factory.mktemp("models") / "hiera"
    HieraModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def make_clips(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Prepared]:
    """`make_clips(train_a=frames (T, H, W, C) uint8, ...)`: they, prepared at the footage's own size."""

    def make(**clips: npt.NDArray[np.uint8]) -> Prepared:
        path = tmp_path_factory.mktemp("prepared")
        colour = next(iter(clips.values())).shape[3] == 3
        names = [[name, name.partition("_")[0]] for name in clips]
        folder = Folder.begin(path, "prepared", {"dataset": "x", "size": None, "colour": colour, "clips": names}, {})
        for name, frames in clips.items():
            write_array(path / f"clips/{name}.npy", frames)
            folder.record(name, digests(path, [path / f"clips/{name}.npy"]), shape=frames.shape)
        folder.finish()
        return Prepared(folder)

    return make


@dataclass(frozen=True)
class Given:
    """A feed of clips that are prepared already."""

    prepared: Prepared
    compute: Compute = field(default_factory=partial(Compute, device="cpu", workers=0))
    live: ClassVar[bool] = False

    def clips(self, size: Size | None, colour: bool) -> Prepared:
        return self.prepared

    def own_size(self) -> Size:
        return self.prepared.size


@pytest.fixture(scope="session")
def open_of() -> Callable[..., Any]:
    """`open_of("deep", clips, side=64)`: the source of a kind of features, of prepared clips."""

    def opened(of: str, clips: Prepared, **options: Any) -> Any:
        spec = FeatureSpec(of, **options)
        return FEATURES[spec.name].source(spec, Given(clips))

    return opened
