"""Feature folders against the encoder itself, by whatever way they came to be."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pagen.arrays import write_array
from pagen.compute import Compute
from pagen.errors import PagenError
from pagen.features import extract
from pagen.features.extract import feature_folder, pa_feature_folder
from pagen.folders import Folder, tree_hash
from pagen.footage.prepare import Prepared
from pagen.generate.pa_set import PASet
from pagen.models.encoders.open import open_encoder
from pagen.spread import one_thread

HERE = Compute(device="cpu", workers=0)
LENGTHS = {"train_a": 20, "train_b": 17, "test_x": 11}


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGEN_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second cache, for the same to be made again."""
    monkeypatch.setenv("PAGEN_CACHE", str(tmp_path / "elsewhere"))


def test_each_clip_has_the_vectors_of_its_frames(prepared: Prepared, clip: Path) -> None:
    features = feature_folder(prepared, prepared.clips(), f"clip:{clip}", HERE)
    assert sorted(features.folder.items) == sorted(LENGTHS)
    assert features.size == 12
    encoder = open_encoder(f"clip:{clip}")
    for name, length in LENGTHS.items():
        vectors = features.features(name)
        assert isinstance(vectors, np.memmap)
        assert vectors.dtype == np.float32
        assert vectors.shape == (length, 12)
        with one_thread():
            np.testing.assert_array_equal(vectors, encoder(np.array(prepared.frames(name))))
    assert not np.allclose(features.features("train_a")[0], features.features("train_a")[5])


def test_what_is_there_is_not_encoded_again(prepared: Prepared, clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = f"clip:{clip}"
    first = feature_folder(prepared, ["train_a", "test_x"], spec, HERE)
    (first.folder.path / "features/test_x.npy").unlink()
    done = []
    write = extract.write_features
    monkeypatch.setattr(extract, "write_features", lambda *of: done.append(of[2]) or write(*of))
    second = feature_folder(prepared, ["train_a", "test_x", "train_b"], spec, HERE)
    assert done == ["test_x", "train_b"]
    assert sorted(second.folder.items) == sorted(LENGTHS)
    assert feature_folder(prepared, ["train_b"], spec, HERE).folder.fingerprint() == second.folder.fingerprint()
    assert len(done) == 2


@pytest.mark.slow
def test_neither_workers_nor_the_order_change_a_byte(
    prepared: Prepared, clip: Path, request: pytest.FixtureRequest
) -> None:
    here = feature_folder(prepared, ["test_x"], f"clip:{clip}", HERE)
    here = feature_folder(prepared, prepared.clips(), f"clip:{clip}", HERE)
    request.getfixturevalue("elsewhere")
    there = feature_folder(prepared, prepared.clips(), f"clip:{clip}", Compute(device="cpu", workers=2))
    assert there.folder.path != here.folder.path
    assert tree_hash(there.folder.path) == tree_hash(here.folder.path)


def test_other_weights_and_another_view_lie_elsewhere(prepared: Prepared, clip: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    copy = shutil.copytree(clip, tmp_path / "copy")
    spec = f"clip:{copy}"
    first = feature_folder(prepared, ["test_x"], spec, HERE)
    same = feature_folder(prepared, ["test_x"], f"clip:{clip}", HERE)
    middle = feature_folder(prepared, ["test_x"], spec, HERE, view="vifi")
    weights = load_file(copy / "model.safetensors")
    weights["visual_projection.weight"] *= 2
    save_file(weights, copy / "model.safetensors", {"format": "pt"})
    double = feature_folder(prepared, ["test_x"], spec, HERE)
    assert same.folder.path == first.folder.path
    assert len({features.folder.path for features in (first, middle, double)}) == 3
    np.testing.assert_allclose(double.features("test_x"), 2 * first.features("test_x"), rtol=1e-5)
    assert not np.allclose(middle.features("test_x"), first.features("test_x"))


def test_pseudo_anomalies_have_theirs(pseudo: PASet, clip: Path) -> None:
    spec = f"clip:{clip}"
    normal = feature_folder(pseudo.prepared, pseudo.clips("spatial"), spec, HERE)
    features = pa_feature_folder(pseudo, spec, HERE)
    assert sorted(features.folder.items) == ["spatial/train_a", "spatial/train_b"]
    for name in pseudo.clips("spatial"):
        frames = np.load(pseudo.folder.path / f"spatial/{name}.npy")
        with one_thread():
            np.testing.assert_array_equal(features.features(f"spatial/{name}"), open_encoder(spec)(frames))
        changed = (frames != pseudo.prepared.frames(name)).any(axis=(1, 2, 3))
        differs = (features.features(f"spatial/{name}") != normal.features(name)).any(axis=1)
        assert changed.any()
        np.testing.assert_array_equal(differs, changed)


def test_matched_normals_are_encoded_where_the_set_has_them(pseudo: PASet, clip: Path, tmp_path: Path) -> None:
    root = shutil.copytree(pseudo.folder.path, tmp_path / "set")
    frames = np.array(pseudo.prepared.frames("train_b"))[:, ::-1]
    write_array(root / "spatial_matched/train_b.npy", frames)
    features = pa_feature_folder(replace(pseudo, folder=Folder.open(root, "pa_set")), f"clip:{clip}", HERE)
    assert sorted(features.folder.items) == ["spatial/train_a", "spatial/train_b", "spatial_matched/train_b"]
    with one_thread():
        expected = open_encoder(f"clip:{clip}")(frames)
    np.testing.assert_array_equal(features.features("spatial_matched/train_b"), expected)


def test_lite0_needs_no_model(prepared: Prepared) -> None:
    features = feature_folder(prepared, ["test_x"], "lite0", HERE)
    assert features.features("test_x").shape == (11, 1280)
    assert features.folder.config["encoder"] == "lite0"


def test_no_such_encoder_leaves_nothing(prepared: Prepared, tmp_path: Path) -> None:
    with pytest.raises(PagenError, match="no encoder named"):
        feature_folder(prepared, ["test_x"], "resnet", HERE)
    assert not (tmp_path / "cache").exists()
