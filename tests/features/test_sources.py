"""What holds of every kind of features: shapes, order, repetition, streams, processes, and the folder that it fills."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from operator import call
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
from PIL import Image

from pagen.compute import Compute
from pagen.errors import PagenError
from pagen.features.box_kinds import BOXES
from pagen.features.box_motion import MotionBoxes
from pagen.features.extract import FeatureFolder, default_path, extract, write_features
from pagen.features.kinds import FEATURES, FeatureKind
from pagen.features.open import open_source, open_stream
from pagen.features.source import FeatureSource, Feed, FrameVectors, one_a_frame
from pagen.features.spec import FeatureSpec, is_of_objects, spec_of
from pagen.folders import Folder
from pagen.models.conv_ae import ConvAE3d
from pagen.models.discriminator import Discriminator
from pagen.models.encoders.kinds import ENCODERS
from pagen.models.encoders.open import open_encoder
from pagen.scoring.sources import from_files
from pagen.spread import one_thread, spread

LENGTHS = {"training/a": 7, "testing/x": 5}
CLIPS = {"train_a": 7, "test_x": 5}
FEW = 3
"""Frames at a clip's start in which nothing moves."""


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Frames of 64x96 across which a man of 12x30 pixels runs, once he has stood still for a while."""
    root = tmp_path_factory.mktemp("men")
    run_of_men(root, LENGTHS, FEW)
    return root


@pytest.fixture(scope="module")
def specs(
    clip: Path, hiera: Path, make_run: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, FeatureSpec]:
    """Every kind, as small as it comes."""
    folder = tmp_path_factory.mktemp("specs")
    vificlip = folder / "vificlip"
    vificlip.mkdir()
    for file in clip.iterdir():
        (vificlip / file.name).write_bytes(file.read_bytes())
    colours = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
    (vificlip / "preprocessor_config.json").write_text(json.dumps(colours))
    arrays = {"training_clips": ["a"], "training_clip_frames": [7], "training_pose_offsets": [0, 0, 0, 2, 2, 3, 4, 4]}
    arrays |= {"testing_clips": ["x"], "testing_clip_frames": [5], "testing_pose_offsets": [0, 0, 3, 3, 4, 4]}
    poses = np.random.default_rng(0).normal(30, 9, (4, 6))
    np.savez(folder / "poses.npz", training_poses=poses, testing_poses=poses, **arrays)  # type: ignore[arg-type]
    (folder / "vectors").mkdir()
    for name, length in CLIPS.items():
        np.save(folder / f"vectors/{name}.npy", np.random.default_rng(length).normal(size=(length, 3)))
    run = make_run(ConvAE3d(1, (2, 3, 4, 5)), size=(40, 56))
    return {
        "lite0": FeatureSpec("lite0", size=(32, 48)),
        "clip": FeatureSpec(f"clip:{clip}", pool=3, size=(32, 48)),
        "vificlip": FeatureSpec(f"vificlip:{vificlip}", colour=True),
        "hiera": FeatureSpec(f"hiera:{hiera}", size=(32, 48)),
        "latents": FeatureSpec(f"latents:{run}"),
        "locations": FeatureSpec(f"locations:{run}"),
        "velocity": FeatureSpec("velocity", bins=4),
        "deep": FeatureSpec("deep", encoder=f"clip:{clip}", side=0),
        "pose": FeatureSpec("pose", boxes=f"file:{folder / 'poses.npz'}"),
        "tube": FeatureSpec(f"tube:{run}"),
        "file": FeatureSpec(f"file:{folder / 'vectors'}"),
    }


@pytest.fixture(scope="module")
def sources(specs: dict[str, FeatureSpec], footage: Path) -> dict[str, FeatureSource]:
    return {name: open_source(spec, "folder", Compute(footage, "cpu", 0)) for name, spec in specs.items()}


Results = dict[str, dict[str, FrameVectors]]


@pytest.fixture(scope="module")
def results(sources: dict[str, FeatureSource]) -> Results:
    """Kind -> clip -> what its source gives."""
    with one_thread():
        return {kind: {clip: source(clip) for clip in CLIPS} for kind, source in sources.items()}


def same(first: FrameVectors, second: FrameVectors) -> bool:
    """Whether they agree to the last bit."""
    pairs = ((first.vectors, second.vectors), (first.frames, second.frames), (first.boxes, second.boxes))
    return all(one is other is None or np.array_equal(one, other) for one, other in pairs)  # type: ignore[arg-type]


def kept(folder: FeatureFolder, clip: str) -> FrameVectors:
    """What a folder holds of a clip."""
    return FrameVectors(folder.features(clip), folder.frames(clip), folder.boxes(clip))


def run_of_men(root: Path, lengths: dict[str, int], still: int) -> None:
    """Frames of 64x96 across which a man of 12x30 pixels runs, once he has stood still for a while."""
    noise = np.random.default_rng(0).integers(90, 94, (64, 96), np.uint8)
    for clip, length in lengths.items():
        (root / clip).mkdir(parents=True)
        for index in range(length):
            frame, left = noise.copy(), 10 + 8 * max(index - still, 0)
            frame[20:50, left : left + 12] = 220
            Image.fromarray(frame).save(root / clip / f"{index:03}.png")


@pytest.mark.parametrize("kind", FEATURES.names())
def test_a_source_looks_as_far_ahead_as_it_says(
    kind: str, specs: dict[str, FeatureSpec], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A clip's beginning and the whole clip agree on all frames that see nothing beyond it, and not on the next."""
    if from_files(asdict(specs[kind])):  # nobody knows, and no file is of these clips
        return
    root, known = tmp_path_factory.mktemp("ahead"), 10
    run_of_men(root, {"training/a": 12, "testing/x": known}, still=1)
    source = open_source(specs[kind], "folder", Compute(root, "cpu", 0))
    ahead = getattr(source, "ahead", None)
    assert ahead == (7 if kind == "hiera" else 0)
    whole, beginning = source("train_a"), source("test_x")
    of_frame = [[one.vectors[one.frames == frame] for frame in range(known)] for one in (whole, beginning)]
    for of_whole, of_beginning in list(zip(*of_frame, strict=True))[1 : known - ahead]:
        np.testing.assert_allclose(of_beginning, of_whole, rtol=1e-4, atol=1e-5)
    if ahead:
        assert not np.allclose(of_frame[0][known - ahead], of_frame[1][known - ahead], rtol=1e-4, atol=1e-5)


def test_every_kind_is_looked_at(specs: dict[str, FeatureSpec]) -> None:
    assert sorted(specs) == FEATURES.names()


@pytest.mark.parametrize("kind", FEATURES.names())
def test_what_a_source_gives(kind: str, sources: dict[str, FeatureSource], results: Results) -> None:
    source = sources[kind]
    assert source.config()["of"] == kind
    assert json.loads(json.dumps([dict(source.config()), dict(source.inputs())]))
    for clip, length in CLIPS.items():
        found = results[kind][clip]
        assert found.vectors.shape == (len(found.frames), source.config()["features"])
        assert (found.vectors.dtype, found.frames.dtype) == (np.float32, np.int64)
        assert np.isfinite(found.vectors).all()
        assert (np.diff(found.frames) >= 0).all()
        assert set(found.frames) <= set(range(length))
        assert len(found.frames)
        if not is_of_objects(kind):
            assert set(found.frames) == set(range(length))
        assert (found.boxes is None) != (kind in ("locations", "velocity", "deep", "tube"))
        if found.boxes is not None:
            assert (found.boxes.shape, found.boxes.dtype) == ((len(found.frames), 4), np.float32)
            assert ((found.boxes >= 0) & (found.boxes <= (96, 64, 96, 64))).all()
            assert (found.boxes[:, :2] < found.boxes[:, 2:]).all()


@pytest.mark.parametrize("kind", sorted(set(FEATURES.names()) - {"pose", "file"}))
def test_a_stream_ends_as_a_clip_does(kind: str, sources: dict[str, FeatureSource], results: Results) -> None:
    source, found = sources[kind], results[kind]["train_a"]
    with one_thread():
        newest = source.newest(source.prepared.frames("train_a")[-source.context :])
    last = found.frames == 6
    assert (last.any(), newest.frames.tolist()) == (True, [0] * last.sum())
    np.testing.assert_allclose(newest.vectors, found.vectors[last], atol=1e-4)
    if found.boxes is not None:
        np.testing.assert_array_equal(newest.boxes, found.boxes[last])


@pytest.mark.parametrize("kind", FEATURES.names())
def test_a_folder_keeps_all_of_it(
    kind: str, sources: dict[str, FeatureSource], results: Results, tmp_path: Path
) -> None:
    folder = extract(sources[kind], list(CLIPS), Compute(device="cpu", workers=0), out=tmp_path / "set")
    assert (sorted(folder.folder.items), folder.size) == (sorted(CLIPS), sources[kind].config()["features"])
    for clip, found in results[kind].items():
        assert same(kept(folder, clip), found)
        whole = np.array_equal(found.frames, np.arange(len(found.frames)))
        assert (tmp_path / f"set/frames/{clip}.npy").exists() != whole


@pytest.mark.slow
def test_other_processes_give_the_same_bytes(
    sources: dict[str, FeatureSource], results: Results, tmp_path: Path
) -> None:
    jobs = [partial(write_features, source, tmp_path / kind, "train_a") for kind, source in sources.items()]
    there = {job.args[1].name: files for job, files in spread(call, jobs, 2)}
    assert sorted(there) == FEATURES.names()
    for kind, files in there.items():
        folder = FeatureFolder(Folder(tmp_path / kind, "features", {}, {}, {"train_a": {"files": files}}))
        assert same(kept(folder, "train_a"), results[kind]["train_a"])


@pytest.mark.parametrize("rows", [0, 3])
def test_frames_and_clips_may_have_no_row(rows: int, tmp_path: Path) -> None:
    found = FrameVectors(np.ones((rows, 2), np.float32), np.full(rows, 4), np.ones((rows, 4), np.float32))
    source = Mock(return_value=found, config=lambda: {"of": "velocity", "features": 2})
    files = write_features(source, tmp_path, "a")
    folder = FeatureFolder(Folder(tmp_path, "features", {}, {}, {"a": {"files": files}}))
    assert same(kept(folder, "a"), found)
    assert folder.features("a").shape == (rows, 2)


def test_folders_of_different_sources_lie_apart(
    specs: dict[str, FeatureSpec], sources: dict[str, FeatureSource], footage: Path
) -> None:
    assert len({default_path(source) for source in sources.values()}) == len(sources)
    again = open_source(specs["clip"], "folder", Compute(footage, "cpu", 0))
    other = open_source(replace(specs["clip"], pool=4), "folder", Compute(footage, "cpu", 0))
    assert default_path(again) == default_path(sources["clip"]) != default_path(other)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"of": "velocty"}, "no features named 'velocty'; did you mean 'velocity'?"),
        ({"boxes": "moton"}, "no kind of boxes named 'moton'; did you mean 'motion'?"),
        ({"pool": 0}, "--segment of 1 and more, found 128, 8, 0 and 1"),
        ({"bins": 9}, "expected no --bins with features lite0, found 9; leave it out"),
        ({"of": "deep", "by_height": True}, "expected no --by-height with features deep, found True; leave it out"),
        ({"of": "deep", "bgr": True}, "expected --colour with --bgr, found grey footage"),
        ({"of": "latents:run", "size": (32, 48)}, r"expected no --size with features latents, found \(32, 48\)"),
    ],
)
def test_a_spec_that_means_nothing_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(PagenError, match=message):
        FeatureSpec(**{"of": "lite0", **changes})


def test_of_a_run_only_what_its_kind_looks_at_counts() -> None:
    """Its recipe holds defaults of the day for the rest."""
    stored = {"features": "velocity", "bins": 1, "encoder": "of old", "pool": 7, "size": [32, 48]}
    assert spec_of(stored) == FeatureSpec("velocity", bins=1)
    assert spec_of({**stored, "features": "lite0"}) == FeatureSpec("lite0", pool=7, size=(32, 48))


def test_sources_that_are_not_there_are_refused(footage: Path, make_run: Callable[..., Path], tmp_path: Path) -> None:
    judge = make_run(Discriminator(4), recipe="discriminator", source="features")
    for of, message in {
        "lite0:x": "expected encoder lite0 or lite0:imagenet, found 'lite0:x'",
        "latents": "expected features 'latents:RUN', found 'latents'; name the RUN",
        "tube": "expected features 'tube:RUN', found 'tube'; name the RUN",
        "clip:nowhere": "with a folder or a hub id owner/name, found 'clip:nowhere'",
        f"latents:{tmp_path}": "expected a run folder of pagen at",
        f"locations:{judge}": "expected a run of an autoencoder in .*, found discriminator",
        f"tube:{judge}": "expected a run of frames whose network has an encoder",
    }.items():
        with pytest.raises(PagenError, match=message):
            open_source(FeatureSpec(of), "folder", Compute(footage, "cpu", 0))
    with pytest.raises(PagenError, match="no data set named 'pde2'"):
        open_source(FeatureSpec("lite0"), "pde2", Compute(device="cpu", workers=0))
    with pytest.raises(PagenError, match="expected a device that torch has"):
        open_source(FeatureSpec("lite0"), "folder", Compute(footage, "abacus", 0))


@dataclass(frozen=True)
class Brightness:
    """The mean of every frame, by `option` grey levels more."""

    prepared: Any
    more: float
    context: int = 1

    def config(self) -> dict[str, Any]:
        return {"of": "brightness", "features": 1, "more": self.more}

    def inputs(self) -> dict[str, str]:
        return {}

    def __call__(self, clip: str) -> FrameVectors:
        return self.newest(self.prepared.frames(clip))

    def newest(self, frames: Any) -> FrameVectors:
        return one_a_frame(frames.mean(axis=(1, 2, 3), dtype=np.float32)[:, None] + np.float32(self.more))


def open_brightness(spec: FeatureSpec, feed: Feed) -> FeatureSource:
    return Brightness(feed.clips(spec.size, spec.colour), float(spec.option))


def test_ones_own_kind_works_on_clips_and_cameras(
    footage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(FEATURES._table, "brightness", FeatureKind(open_brightness, ("size",)))
    spec = FeatureSpec("brightness:3", size=(32, 48))
    source = open_source(spec, "folder", Compute(footage, "cpu", 0))
    folder = extract(source, list(CLIPS), Compute(device="cpu", workers=0), tmp_path / "set")
    frames = source.prepared.frames("test_x")
    np.testing.assert_allclose(folder.features("test_x")[:, 0], frames.mean(axis=(1, 2, 3)) + 3, rtol=1e-5)
    stream = open_stream(spec, (64, 96), "cpu")
    assert (stream.prepared.size, stream.newest(frames[:1]).vectors.shape) == ((32, 48), (1, 1))
    assert not is_of_objects("brightness:3")
    with pytest.raises(PagenError, match="expected no --colour with features brightness, found True"):
        FeatureSpec("brightness:3", colour=True)


def test_an_encoder_of_ones_own_is_a_kind_of_features(
    footage: Path, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = replace(open_encoder(f"clip:{clip}"), name="mine", place=None)
    monkeypatch.setitem(ENCODERS._table, "mine", lambda option: encoder)
    spec = FeatureSpec("mine", pool=3, size=(32, 48))
    source = open_source(spec, "folder", Compute(footage, "cpu", 0))
    assert (source.config()["of"], source.inputs(), "mine" in FEATURES.names()) == ("mine", {}, True)
    clips = open_source(FeatureSpec(f"clip:{clip}", pool=3, size=(32, 48)), "folder", Compute(footage, "cpu", 0))
    with one_thread():
        assert same(source("train_a"), clips("train_a"))


def test_boxes_of_ones_own_place_every_kind(footage: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BOXES._table, "mine", lambda option, device: MotionBoxes(threshold=int(option)))
    source = open_source(FeatureSpec("velocity", boxes="mine:9"), "folder", Compute(footage, "cpu", 0))
    assert source.config()["boxes"]["threshold"] == 9
    assert source("train_a").boxes is not None


def test_an_entry_that_is_no_row_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FEATURES._table, "old", open_brightness)
    with pytest.raises(PagenError, match="expected a FeatureKind for features 'old', found <function"):
        FeatureSpec("old")


@pytest.mark.parametrize("kind", ["velocity", "deep", "tube", "latents", "locations", "hiera", "clip"])
def test_a_camera_needs_no_clips(kind: str, specs: dict[str, FeatureSpec], sources: dict[str, FeatureSource]) -> None:
    live, recorded = open_stream(specs[kind], (64, 96), "cpu"), sources[kind]
    frames = recorded.prepared.frames("train_a")[-recorded.context :]
    assert (live.context, live.prepared.size) == (recorded.context, recorded.prepared.size)
    with one_thread():
        assert same(live.newest(frames), recorded.newest(frames))
