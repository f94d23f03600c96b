from __future__ import annotations

import argparse
import collections
import datetime
import os
import pickle
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Tensor

from pagen.errors import PagenError
from pagen.models import foreign
from pagen.models.foreign import read_weights

ROOTS = [("layer",)]
WEIGHTS = {"layer.weight": torch.arange(6.0).reshape(2, 3), "layer.bias": torch.ones(2, dtype=torch.float16)}


class Runs:
    """What a pickle can do: a call of its own choice when it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


def same(found: dict[str, Tensor]) -> bool:
    return found.keys() == WEIGHTS.keys() and all(torch.equal(found[name], WEIGHTS[name]) for name in WEIGHTS)


@pytest.mark.parametrize("content", [WEIGHTS, {"state_dict": WEIGHTS, "epoch": 3}, {**WEIGHTS, "step": 7}])
@pytest.mark.parametrize("zipped", [True, False])
def test_what_torch_saved_is_read(tmp_path: Path, content: dict[str, Any], zipped: bool) -> None:
    torch.save(content, tmp_path / "a.ckpt", _use_new_zipfile_serialization=zipped)
    assert same(read_weights(tmp_path / "a.ckpt", ROOTS))


def test_safetensors_are_read(tmp_path: Path) -> None:
    save_file(WEIGHTS, tmp_path / "a.safetensors")
    assert same(read_weights(tmp_path / "a.safetensors", ROOTS))


@pytest.mark.parametrize("zipped", [True, False])
def test_a_checkpoint_that_runs_something_is_refused_by_its_name(tmp_path: Path, zipped: bool) -> None:
    content = {"state_dict": WEIGHTS, "extra": Runs(tmp_path / "made")}
    torch.save(content, tmp_path / "a.ckpt", _use_new_zipfile_serialization=zipped)
    with pytest.raises(PagenError, match=r"posix\.mkdir|nt\.mkdir") as caught:
        read_weights(tmp_path / "a.ckpt", ROOTS)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "made").exists()


def test_objects_of_a_named_framework_are_passed_over_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Lightning does: callbacks keyed by their class, and a table of a class of its own with a state."""

    class ModelCheckpoint(dict):  # type: ignore[type-arg]
        pass

    framework = ModuleType("pytorch_lightning.callbacks")
    framework.ModelCheckpoint = ModelCheckpoint  # type: ignore[attr-defined]
    ModelCheckpoint.__module__, ModelCheckpoint.__qualname__ = framework.__name__, "ModelCheckpoint"
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "pytorch_lightning", ModuleType("pytorch_lightning"))
        patch.setitem(sys.modules, framework.__name__, framework)
        kept = ModelCheckpoint(best=1)
        kept.note = "state"  # type: ignore[attr-defined]
        torch.save({"state_dict": WEIGHTS, "callbacks": {ModelCheckpoint: {"best": 2}}, "it": kept}, tmp_path / "a")
    assert same(read_weights(tmp_path / "a", ROOTS))
    assert framework.__name__ not in sys.modules
    monkeypatch.setattr(foreign, "PASSED_OVER", {"argparse"})
    with pytest.raises(PagenError, match=r"pytorch_lightning\.callbacks\.ModelCheckpoint"):
        read_weights(tmp_path / "a", ROOTS)


@pytest.mark.parametrize("content", [{}, [], {"state_dict": {}}, {"state_dict": 3}, WEIGHTS["layer.bias"]])
def test_a_file_without_weights_is_refused(tmp_path: Path, content: Any) -> None:
    torch.save(content, tmp_path / "a.ckpt")
    with pytest.raises(PagenError, match=r"expected weights layer\.\* beside each other, found none at all; is it"):
        read_weights(tmp_path / "a.ckpt", ROOTS)


def test_no_file_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "a.ckpt", tmp_path / "a.safetensors"):
        with pytest.raises(PagenError, match="found no file"):
            read_weights(path, ROOTS)


LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n"


@given(
    st.one_of(st.binary(max_size=60), st.sampled_from([b"<!DOCTYPE html>", LFS, b"PK\x03\x04", pickle.dumps(3)])),
    st.sampled_from(["a.ckpt", "a.safetensors"]),
)
@settings(max_examples=40, deadline=None)
def test_bytes_that_are_no_checkpoint_are_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, name: str
) -> None:
    path = tmp_path_factory.mktemp("bytes") / name
    path.write_bytes(content)
    with pytest.raises(PagenError) as caught:
        read_weights(path, ROOTS)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["a.ckpt", "a.safetensors"])
def test_a_download_that_broke_off_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    save_file(WEIGHTS, path) if name.endswith("safetensors") else torch.save(WEIGHTS, path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(PagenError, match="download it again"):
        read_weights(path, ROOTS)


@pytest.mark.parametrize("zipped", [True, False])
def test_settings_and_losses_beside_weights_are_passed_over(tmp_path: Path, zipped: bool) -> None:
    """As scripts leave them: arguments, paths, arrays of losses, the best score."""
    settings = argparse.Namespace(lr=1e-4, root=Path("data"), since=datetime.date(2020, 1, 1), kinds={"a", "b"})
    losses = {"losses": np.linspace(1, 0, 5), "best": np.float64(0.9), "loss": torch.tensor(0.1)}
    content = {"args": settings, "model": WEIGHTS, **losses, "counts": collections.defaultdict(int, a=3)}
    torch.save(content, tmp_path / "a.ckpt", _use_new_zipfile_serialization=zipped)
    assert same(read_weights(tmp_path / "a.ckpt", ROOTS))


def test_the_caller_says_what_to_do_about_foreign_objects(tmp_path: Path) -> None:
    torch.save({"extra": Runs(tmp_path / "made")}, tmp_path / "a.ckpt")
    with pytest.raises(PagenError, match=r"; ask its authors$"):
        read_weights(tmp_path / "a.ckpt", ROOTS, advice="ask its authors")
