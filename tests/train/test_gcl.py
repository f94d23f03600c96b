"""Runs of GCL: segments, what they are told, shares of labels and of anomalies, and the pictures that they leave."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pagen.compute import Compute
from pagen.errors import PagenError
from pagen.eval.scores import score_run
from pagen.features.extract import extract
from pagen.features.open import open_source
from pagen.footage.locate import locate
from pagen.footage.prepare import prepare
from pagen.models.density.gcl_settings import GCLSettings
from pagen.models.runs import open_run
from pagen.train.config import Train
from pagen.train.density_batches import FeatureClips
from pagen.train.gcl_clips import chosen_clips, known, told_normal
from pagen.train.gcl_session import abnormal
from pagen.train.recipes.gcl import GclRecipe
from pagen.train.session import train

pytestmark = pytest.mark.slow

SIZE = (48, 64)
LENGTHS = {
    **{f"training/{name}": 64 for name in ("a", "b", "c", "d")},
    **{f"testing/{name}": 48 for name in ("u", "v", "w", "x", "y", "z")},
}
PICTURES = ("pseudo_labels.png", "evolution.png", "strongest.png")


@pytest.fixture(scope="module")
def footage(write_folder: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four normal training clips; six test clips, of which the mixed split moves three, each half abnormal."""
    return write_folder(tmp_path_factory.mktemp("gcl"), LENGTHS, SIZE)


@pytest.fixture
def configured(footage: Path, tmp_path: Path) -> Callable[..., Train[Any]]:
    """The configuration of a tiny run; keywords change the recipe."""

    def make(dataset: str = "folder:mixed", seed: int = 0, root: Path = footage, **changes: Any) -> Train[Any]:
        recipe = replace(GclRecipe.at("tiny"), size=SIZE, **changes)
        return Train(recipe, dataset, root, None, "tiny", seed, tmp_path / "run", device="cpu", workers=0)

    return make


def history(run: Path) -> list[dict[str, str]]:
    with (run / "pseudo_labels.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    ("changes", "phases"),
    [
        ({"variant": "B"}, ["both"] * 3),
        ({"variant": "PT"}, ["generator"] * 2 + ["discriminator"] * 2 + ["both"] * 3),
        ({"variant": "WS"}, ["generator"] * 2 + ["discriminator"] * 2 + ["both"] * 3),
        ({"variant": "AE_AllData"}, ["generator"] * 3),
        ({"variant": "AE_OCC"}, ["generator"] * 3),
        ({"variant": "PT", "teaching": "own"}, ["generator"] * 2 + ["own"] * 3),
        ({"variant": "B", "teaching": "soft", "score": "G"}, ["both"] * 3),
    ],
)
def test_a_run_tells_how_good_its_labels_are(
    changes: dict[str, Any], phases: list[str], configured: Callable[..., Train[Any]], footage: Path
) -> None:
    config = configured(**changes)
    run = Path(train(config)["run"])
    rows = history(run)
    assert [row["phase"] for row in rows] == phases
    assert all(0 <= float(row["share_G"]) < 1 for row in rows if row["phase"] in ("both", "own"))
    assert all((run / name).stat().st_size > 5000 for name in PICTURES if changes["variant"] != "AE_OCC")
    recipe = json.loads((run / "recipe.json").read_text(encoding="utf-8"))
    assert all(recipe[name] == value for name, value in changes.items())
    assert open_run(run).detects
    scores = score_run(run, "folder:mixed", Compute(footage, "cpu", 0)).of("density")
    assert set(scores) == {clip.name for clip in locate("folder:mixed", footage).split("test")}


def test_a_frame_s_score_is_that_of_its_segment(configured: Callable[..., Train[Any]], footage: Path) -> None:
    config = configured(segment=20)
    run = open_run(Path(train(config)["run"]))
    detector: Any = run.detector
    compute = Compute(footage, "cpu", 0)
    plain = open_source(replace(config.recipe.spec, segment=1), "folder:mixed", compute)
    for clip, values in score_run(run.path, "folder:mixed", compute).of("density").items():
        vectors = plain(clip).vectors
        segments = detector.anomaly_score(np.stack([vectors[:20].mean(axis=0), vectors[20:40].mean(axis=0)]))
        np.testing.assert_allclose(values, np.repeat(segments, [20, 28]), rtol=1e-4)


def test_the_same_command_gives_the_same_bytes(configured: Callable[..., Train[Any]], tmp_path: Path) -> None:
    config = configured(variant="WS", weak_share=0.7, anomaly_share=0.5)
    runs = [Path(train(replace(config, out=tmp_path / name))["run"]) for name in ("one", "two")]
    names = ("model/model.safetensors", "pseudo_labels.csv", "recipe.json", *PICTURES)
    assert all((runs[0] / name).read_bytes() == (runs[1] / name).read_bytes() for name in names)


def test_a_run_that_was_killed_is_made_again(
    configured: Callable[..., Train[Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, whole = configured(), Path(train(replace(configured(), out=tmp_path / "whole"))["run"])
    with monkeypatch.context() as patch:
        patch.setattr("pagen.train.gcl_session.strongest", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            train(config)
    run = Path(train(config)["run"])
    names = ("model/model.safetensors", "calibration.json", "pseudo_labels.csv", *PICTURES)
    assert all((run / name).read_bytes() == (whole / name).read_bytes() for name in names)


def clips_of(config: Train[Any]) -> FeatureClips:
    compute = Compute(config.root, "cpu", 0)
    source = open_source(config.recipe.spec, config.dataset, compute)
    names = tuple(source.prepared.clips("train"))
    return FeatureClips(extract(source, names, compute), source.prepared, names)


def test_a_segment_is_abnormal_if_one_of_its_frames_is(configured: Callable[..., Train[Any]], footage: Path) -> None:
    clips = clips_of(configured())
    moved = next(name for name in clips.names if name.startswith("test_"))
    assert abnormal(clips, moved).tolist() == [False, True, True]  # from frame 24 of 48 on
    assert abnormal(clips, "train_a").tolist() == [False] * 4


def marks_of(config: Train[Any]) -> tuple[Any, Any]:
    prepared = prepare(config.dataset, config.root, SIZE, workers=0)
    return prepared, known(config, prepared)


def test_what_is_normal_is_read_off_labels_and_not_off_names(
    configured: Callable[..., Train[Any]], write_folder: Callable[..., Path], tmp_path: Path
) -> None:
    lengths = {"training/a": 40, "training/b": 40, "training/c": 40, "training/d": 40, "testing/x": 40}
    root = write_folder(tmp_path / "own", lengths, SIZE)
    _, marks = marks_of(configured("folder", root=root))
    assert set(marks.values()) == {None}
    (root / "labels/training").mkdir()
    np.save(root / "labels/training/c.npy", np.arange(40) > 30)
    (root / "labels.csv").write_text("video,start_frame,end_frame\ntraining/a,,\ntraining/b,3,9\nx,0,5\n")
    _, marks = marks_of(configured("folder", root=root))
    assert marks == {"train_a": True, "train_b": False, "train_c": False, "train_d": None}
    _, mixed = marks_of(configured())
    assert mixed == {name: name.startswith("train_") for name in mixed}


ADVICE = "name its training clips in labels.csv, a normal one by the line training/NAME,,"


@pytest.mark.parametrize("variant", ["OCC", "WS", "AE_OCC"])
def test_what_has_to_know_is_refused_where_nobody_says_and_its_advice_works(
    variant: str,
    configured: Callable[..., Train[Any]],
    write_folder: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    root = write_folder(tmp_path / "own", {"training/a": 40, "training/b": 40, "testing/x": 40}, SIZE)
    config = configured("folder", root=root, variant=variant)
    with monkeypatch.context() as patch:
        patch.setattr("pagen.train.density_session.extract", None)  # nothing is computed before
        with pytest.raises(PagenError, match=f"normal for variant {variant}, found none of folder; {ADVICE}"):
            train(config)
    (root / "labels.csv").write_text("video,start_frame,end_frame\ntraining/a,,\n")
    train(config)


def test_sets_of_normal_clips_alone_are_to_be_mixed(configured: Callable[..., Train[Any]], footage: Path) -> None:
    config = configured("folder", variant="PT", anomaly_share=0.5)
    with pytest.raises(
        PagenError, match="labels of all training clips with --anomaly-share, found none of 4, the first"
    ):
        chosen_clips(config, prepare("folder", footage, SIZE, workers=0))


def test_shares_of_anomalies_are_of_one_size_and_contain_each_other(configured: Callable[..., Train[Any]]) -> None:
    prepared, marks = marks_of(configured())
    taken = []
    for share in (0.0, 0.25, 0.5):
        names = chosen_clips(configured(anomaly_share=share), prepared)
        with_anomalies = {name for name in names if not marks[name]}
        assert (len(names), len(with_anomalies)) == (4, round(4 * share))
        assert list(names) == [name for name in prepared.clips("train") if name in names]
        taken.append((with_anomalies, set(names) - with_anomalies))
    assert taken[0][0] < taken[1][0] < taken[2][0]
    assert taken[0][1] > taken[1][1] > taken[2][1]
    seeds = {tuple(chosen_clips(configured(seed=seed, anomaly_share=0.25), prepared)) for seed in range(8)}
    assert len(seeds) > 1
    assert len(chosen_clips(configured(), prepared)) == 7


def test_shares_of_weak_labels_contain_each_other(configured: Callable[..., Train[Any]]) -> None:
    _, marks = marks_of(configured())
    names, sizes = list(marks), []
    for seed in range(5):
        told = [told_normal(names, marks, configured(seed=seed, variant="WS", weak_share=s)) for s in (0.3, 0.6, 1.0)]
        assert told[0] <= told[1] <= told[2] == {name for name in names if marks[name]}
        sizes += [len(told[0]), len(told[1])]
    assert len(set(sizes)) > 1


def test_weak_labels_of_nobody_are_no_supervision(configured: Callable[..., Train[Any]], tmp_path: Path) -> None:
    runs = {}
    for name, changes in {"pt": {"variant": "PT"}, "ws": {"variant": "WS", "weak_share": 0.0}}.items():
        runs[name] = Path(train(replace(configured(**changes), out=tmp_path / name))["run"])
    assert (
        runs["pt"].joinpath("pseudo_labels.csv").read_bytes() == runs["ws"].joinpath("pseudo_labels.csv").read_bytes()
    )


def test_a_draw_without_a_normal_video_is_refused(configured: Callable[..., Train[Any]]) -> None:
    prepared, marks = marks_of(configured())
    shares = [configured(seed=seed, variant="WS", weak_share=0.15) for seed in range(30)]
    config = next(one for one in shares if not told_normal(list(marks), marks, one))
    with pytest.raises(PagenError, match=r"none among the share 0\.15 whose labels are known; raise --weak-share"):
        chosen_clips(config, prepared)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weak_share": 1.5, "variant": "WS"}, "--weak-share from 0 to 1 and --anomaly-share from 0 to 0.5, found 1.5"),
        ({"anomaly_share": 0.6}, "--anomaly-share from 0 to 0.5, found 1.0 and 0.6"),
        ({"weak_share": 0.5}, "expected --variant WS with --weak-share, found PT; leave --weak-share out"),
        ({"variant": "AE_TD", "score": "D"}, "expected score G with AE_TD"),
        ({"widths": ()}, "expected widths"),
    ],
)
def test_settings_that_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(PagenError, match=message):
        replace(GclRecipe.at("tiny"), **changes)


def test_the_paper_s_settings_are_the_defaults_and_can_be_chosen() -> None:
    paper = GclRecipe.at("paper")
    assert (paper.segment, paper.widths, paper.discriminator_widths) == (16, (1024, 512, 256, 512, 1024), (512, 32))
    assert (paper.lr, paper.momentum, paper.epochs, paper.batch) == (2e-5, 0.6, 15, 8192)
    assert (paper.factor, paper.discriminator_factor, paper.targets) == (1.0, 0.1, "ones")
    chosen = replace(paper, noise=6.0, targets="gaussian", difference=0.7, standardise=False).detector(3, "cpu")
    assert (chosen.noise, chosen.targets, chosen.difference, chosen.standardise) == (6.0, "gaussian", 0.7, False)
    assert chosen.seed == 3


def test_vectors_of_frames_are_no_segments(
    configured: Callable[..., Train[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pagen.features.extract.FeatureFolder.span", 1)
    with pytest.raises(PagenError, match="found lite0, which have a vector a frame and do not look at --segment"):
        train(configured())


def test_snippets_of_a_file_are_the_segments(
    configured: Callable[..., Train[Any]], footage: Path, tmp_path: Path
) -> None:
    rng, vectors = np.random.default_rng(0), tmp_path / "i3d"
    for clip, length in LENGTHS.items():
        (vectors / clip).parent.mkdir(parents=True, exist_ok=True)
        np.save(vectors / f"{clip}.npy", rng.standard_normal((length // 16, 24)).astype(np.float32))
    config = configured(features=f"file:{vectors}", snippet=16)
    run = Path(train(config)["run"])
    assert {int(row["rows"]) for row in history(run) if row["phase"] == "both"} == {4 * 4 + 3 * 3}
    (values, *_) = score_run(run, "folder:mixed", Compute(footage, "cpu", 0)).of("density").values()
    assert len(values) == 48
    assert len(set(values[:16])) == 1
    assert len(set(values)) == 3


def test_the_recipe_at_scale_paper_has_the_defaults_of_the_method() -> None:
    """Two classes hold them, one with the help of flags; the paper's whole system is PT, from scratch B."""
    recipe, method = asdict(GclRecipe.at("paper")), asdict(GCLSettings())
    shared = recipe.keys() & method.keys()
    assert shared >= method.keys() - {"seed", "device", "drop_constant"}
    assert {name for name in shared if recipe[name] != method[name]} == {"variant"}
