"""Localisation of runs and of boxes, as tables: against plain loops, and against the scores that the maps belong to."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from pagen.compute import Compute
from pagen.errors import PagenError
from pagen.eval.baselines import score_baselines
from pagen.eval.evaluate import Evaluate, run
from pagen.eval.localise import localise_boxes, localise_runs, place_of_maps
from pagen.eval.maps import averaged, maps_of_run, speed_maps
from pagen.eval.metrics.rbdc import localise
from pagen.eval.metrics.rbdc_of_maps import localise_maps, map_thresholds
from pagen.eval.metrics.regions import Detections, Regions, from_masks
from pagen.eval.region_files import write_detections, write_tracks
from pagen.eval.render_places import cells
from pagen.eval.results import Place
from pagen.eval.score_files import counted_of
from pagen.eval.scores import score_run
from pagen.folders import Folder, digests, tree_hash, write_json
from pagen.footage.prepare import Prepared, prepare
from pagen.models.luss import LUSSAE
from pagen.scoring.baselines import PERCENTILE
from pagen.scoring.errors import local_max

pytestmark = pytest.mark.usefixtures("cache")
MakeRun = Callable[..., Path]


@pytest.fixture
def masked(footage: Path) -> Path:
    """The footage with pixel masks: the square, where it moves fast."""
    for name, length in (("x", 30), ("y", 5)):
        labels = np.arange(length) >= length // 2
        place = np.cumsum(1 + 2 * labels) % (36 - 8)
        (footage / "masks" / name).mkdir(parents=True)
        for index, x in enumerate(place):
            mask = np.zeros((20, 36), np.uint8)
            mask[6:14, x : x + 8] = 255 * labels[index]
            cv2.imwrite(str(footage / f"masks/{name}/{index:03}.png"), mask)
    return footage


def here(root: Path, workers: int = 0) -> Compute:
    return Compute(root, "cpu", workers)


def native(footage: Path) -> Prepared:
    return prepare("folder", footage, None, workers=0)


def test_maps_of_speed_are_what_the_baseline_scores(masked: Path) -> None:
    prepared = native(masked)
    scores = score_baselines(prepared, 0).of("flow_speed")
    for name in ("test_x", "test_y"):
        maps = list(speed_maps(prepared, name))
        assert {each.shape for each in maps} == {(20, 36)}
        np.testing.assert_array_equal([np.percentile(each, PERCENTILE) for each in maps], scores[name])


@pytest.mark.parametrize(("source", "channels"), [("frames", 1), ("flow", 3)])
def test_the_highest_of_a_map_is_what_the_score_says(
    masked: Path, make_run: MakeRun, source: str, channels: int
) -> None:
    path = make_run(source=source, channels=channels)
    ((indicator, maps),) = maps_of_run(path, native(masked), here(masked))
    assert indicator == {"frames": "psnr_local", "flow": "flow_local"}[source]
    kept = Folder.open(path / "scores/folder/maps" / indicator, "maps")
    scores = score_run(path, "folder", here(masked)).of(indicator)
    for name, values in scores.items():
        roots = np.load(kept.path / f"maps/{name}.npy").astype(np.float64)
        assert len(roots) == len(values)
        if source == "frames":
            np.testing.assert_allclose(10 * np.log10(roots.max(axis=(1, 2)) ** 2 / 4), values, atol=0.02)
        else:
            np.testing.assert_array_equal(roots[0], roots[1])
        shown = list(maps(name))
        assert {each.shape for each in shown} == {(20, 36)}
        assert max(map(np.max, shown)) <= roots.max()


@pytest.mark.slow
def test_maps_are_taken_up_and_another_process_makes_the_same(masked: Path, make_run: MakeRun) -> None:
    path, prepared = make_run(), native(masked)
    maps_of_run(path, prepared, here(masked, 1))
    folder = path / "scores/folder/maps/psnr_local"
    before, lying = tree_hash(folder), folder / "maps/test_x.npy"
    lying.unlink()
    stayed = (folder / "maps/test_y.npy").stat().st_mtime_ns
    maps_of_run(path, prepared, here(masked))
    assert tree_hash(folder) == before
    assert (folder / "maps/test_y.npy").stat().st_mtime_ns == stayed


@pytest.mark.parametrize("shape", [(40, 31), (20, 9), (5, 5), (1, 13)])
@pytest.mark.parametrize("window", [1, 5, 12])
def test_averaging_keeps_the_local_maximum(shape: tuple[int, int], window: int) -> None:
    errors = np.random.default_rng(0).random(shape) ** 4
    found = averaged(errors, window)
    assert found.shape == shape
    assert found.max() == pytest.approx(float(local_max(torch.from_numpy(errors)[None, None], window)), rel=1e-12)


def test_an_average_lies_where_its_pixels_do() -> None:
    errors = np.zeros((40, 50))
    errors[20, 30] = 144.0
    rows, columns = np.nonzero(averaged(errors) > 0.5)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (14, 25, 24, 35)


def test_rows_of_maps_are_those_of_all_maps_at_once(masked: Path) -> None:
    prepared = native(masked)
    maps = {name: np.stack(list(speed_maps(prepared, name))) for name in prepared.clips("test")}
    truth = {name: from_masks(np.asarray(prepared.masks(name))) for name in maps}
    expected = localise_maps(maps, truth, map_thresholds(maps))
    (row,) = localise_runs([], prepared, here(masked)).rows
    assert (row.rbdc, row.tbdc) == pytest.approx((expected.rbdc, expected.tbdc), abs=1e-12)
    assert row.rbdc > 0.1
    assert (row.regions, row.tracks, row.frames, row.videos) == (18, 4, 35, 2)  # the square wraps round twice
    assert row.rbdc_low <= row.rbdc <= row.rbdc_high


def test_a_map_that_is_the_mask_finds_all_and_one_that_is_not_nothing(masked: Path) -> None:
    prepared = native(masked)
    perfect, wrong = (place_of_maps("r", "m", maker(prepared), prepared, 0, 0) for maker in (Perfect, Wrong))
    assert (perfect.rbdc, perfect.tbdc, perfect.rbdc_low, perfect.rbdc_high) == (1, 1, 1, 1)
    assert (wrong.rbdc, wrong.tbdc) == (0, 0)


class Perfect:
    def __init__(self, prepared: Prepared) -> None:
        self.prepared = prepared

    def __call__(self, name: str):
        return (mask.astype(np.float32) for mask in self.prepared.masks(name))


class Wrong(Perfect):
    def __call__(self, name: str):
        return (np.pad(mask[14:], ((0, 14), (0, 0))) + np.eye(20, 36) for mask in super().__call__(name))


def test_the_verb_localises_a_run(masked: Path, make_run: MakeRun, capsys: pytest.CaptureFixture[str]) -> None:
    path, page = make_run(), masked / "page.md"
    config = Evaluate((path,), "folder", masked, localise=True, device="cpu", workers=0, json=True, write=page)
    run(config)
    found = json.loads(capsys.readouterr().out)["localised"]
    assert [(row["run"], row["indicator"]) for row in found["rows"]] == [
        ("trivial baseline", "flow_speed"),
        (str(path), "psnr_local"),
    ]
    assert "20 x 36" in found["title"]
    assert all(0 <= row["rbdc"] <= 1 and row["regions"] == 18 for row in found["rows"])
    assert "## Localisation" in page.read_text()
    assert "--localise" in page.read_text()


@pytest.mark.slow
def test_every_part_of_a_run_that_has_a_map_has_a_row(masked: Path, make_run: MakeRun, tmp_path: Path) -> None:
    make_run(name="both/spatial")
    make_run(name="both/temporal", source="flow", channels=3)
    both = tmp_path / "both"
    folder = Folder(both, "run", {}, {}, complete=True)
    write_json(both / "recipe.json", {"recipe": "unified", "members": ["spatial", "temporal"]})
    folder.record("run", digests(both, [both / "recipe.json"]))
    folder.finish()
    found = maps_of_run(both, native(masked), here(masked))
    assert [indicator for indicator, _ in found] == ["psnr_local", "flow_local"]
    rows = localise_runs([both], native(masked), here(masked)).rows
    assert [row.indicator for row in rows] == ["flow_speed", "psnr_local", "flow_local"]


def test_luss_shows_its_reconstruction(masked: Path, make_run: MakeRun) -> None:
    path = make_run(recipe="luss")
    torch.manual_seed(0)
    LUSSAE(1, "tiny", prp="conv").save_pretrained(path / "model")
    write_json(path / "calibration.json", {name: {} for name in ("vcr", "vcr_local", "prp", "ffp", "ffp_local")})
    folder = Folder.begin(path, "run", {}, {})
    folder.record("run", digests(path, [path / "recipe.json", *sorted((path / "model").iterdir())]))
    folder.finish()
    ((indicator, maps),) = maps_of_run(path, native(masked), here(masked))
    assert indicator == "vcr_local"
    assert len(list(maps("test_y"))) == 5


def test_masks_are_asked_for(footage: Path) -> None:
    with pytest.raises(
        PagenError, match=r"expected pixel masks for --localise, found none for the 2 test clips of folder with"
    ):
        run(Evaluate((), "folder", footage, localise=True, workers=0))


def boxes(rng: np.random.Generator, count: int, frames: int) -> tuple[np.ndarray, np.ndarray]:
    corner = rng.integers(0, 30, (count, 2))
    return rng.integers(0, frames, count), np.hstack([corner, corner + rng.integers(5, 20, (count, 2))]).astype(float)


def every(frames: dict[str, int]) -> dict[str, np.ndarray]:
    """All of so many frames of each video count."""
    return {name: np.ones(count, bool) for name, count in frames.items()}


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path, dict[str, int], dict[str, Detections], dict[str, Regions]]:
    rng = np.random.default_rng(0)
    frames, found, truth = {"a": 20, "b": 15, "c": 10}, {}, {}
    for name, length in frames.items():
        found[name] = Detections(*boxes(rng, 60, length), rng.normal(size=60))
        write_detections(tmp_path / f"detections/{name}.txt", found[name])
        if name != "c":
            at, where = boxes(rng, 12, length)
            truth[name] = Regions(at, np.arange(12) // 4, where)
            write_tracks(tmp_path / f"tracks/{name}.txt", truth[name])
    return tmp_path / "detections", tmp_path / "tracks", frames, found, truth


def test_boxes_out_of_files_are_localised_with_intervals_of_copied_videos(files: tuple) -> None:
    detections, tracks, frames, found, truth = files
    (row,) = localise_boxes(detections, tracks, every(frames)).rows
    once = localise(found, truth, frames)
    assert (row.rbdc, row.tbdc) == (once.rbdc, once.tbdc)
    assert (row.regions, row.tracks, row.frames, row.videos) == (24, 6, 45, 3)
    from pagen.seeds import generator

    areas = []
    for drawn in generator(0, "bootstrap").multinomial(3, [1 / 3] * 3, size=1000)[:40]:
        copies = [(name, f"{name}{copy}") for name, n in zip(frames, drawn, strict=True) for copy in range(n)]
        parts = [{new: part[old] for old, new in copies if old in part} for part in (found, truth, frames)]
        areas.append(localise(*parts).rbdc)
    assert row.rbdc_low <= np.nanquantile(areas, 0.2) <= np.nanquantile(areas, 0.8) <= row.rbdc_high


def test_the_verb_localises_boxes(files: tuple, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    detections, tracks, frames, found, truth = files
    write_json(tmp_path / "frames.json", frames)
    np.savez(tmp_path / "labels.npz", **{name: np.zeros(count) for name, count in frames.items()})
    shown = []
    for counted in ({"frames": tmp_path / "frames.json"}, {"labels": str(tmp_path / "labels.npz")}):
        run(Evaluate((), detections=detections, tracks=tracks, json=True, **counted))
        shown.append(json.loads(capsys.readouterr().out))
    assert shown[0] == shown[1]
    assert shown[0]["tables"] == []
    assert shown[0]["localised"]["rows"][0]["tbdc"] == pytest.approx(localise(found, truth, frames).tbdc)
    run(Evaluate((), detections=detections, tracks=tracks, labels=str(tmp_path / "labels.npz")))
    assert "localisation: scored boxes" in capsys.readouterr().out


def test_boxes_that_are_not_there_are_asked_for(files: tuple, tmp_path: Path) -> None:
    detections, tracks, frames, *_ = files
    (tmp_path / "none").mkdir()
    with pytest.raises(PagenError, match=r"expected detections of a video as VIDEO\.txt in .*none"):
        localise_boxes(tmp_path / "none", tracks, every(frames))
    (tmp_path / "none/a.txt").write_text("")
    with pytest.raises(PagenError, match=r"expected a box in .*none in its 1 files"):
        localise_boxes(tmp_path / "none", tracks, every(frames))
    with pytest.raises(PagenError, match=r"expected a region in .*none in its 1 files"):
        localise_boxes(detections, tmp_path / "none", every(frames))
    with pytest.raises(PagenError, match="number of frames of every video, found none for b"):
        localise_boxes(detections, tracks, every({"a": 20}))
    with pytest.raises(PagenError, match="video a: expected frames below 3"):
        localise_boxes(detections, tracks, every(frames | {"a": 3}))


def dropped(part: Detections | Regions, counts: np.ndarray) -> list[np.ndarray]:
    """The columns of the rows whose frames count, these numbered anew, by a plain loop."""
    numbers, rows = {int(frame): number for number, frame in enumerate(np.flatnonzero(counts))}, []
    for row, frame in enumerate(part.frames.tolist()):
        if frame in numbers:
            rows.append((row, numbers[frame]))
    kept, renamed = np.array([row for row, _ in rows], int), np.array([frame for _, frame in rows], int)
    other = part.scores if isinstance(part, Detections) else part.tracks
    return [renamed, part.boxes[kept], other[kept]]


def test_boxes_of_frames_that_labels_leave_out_count_in_nothing(files: tuple, tmp_path: Path) -> None:
    detections, tracks, frames, found, truth = files
    rng = np.random.default_rng(1)
    labels = {name: rng.choice([0, 1, 255], count) for name, count in frames.items()}
    labels["c"][:] = 255
    np.savez(tmp_path / "labels.npz", **labels)
    counts = counted_of(tmp_path / "labels.npz", None)
    (row,) = localise_boxes(detections, tracks, counts).rows
    boxes = {name: Detections(*dropped(part, labels[name] != 255)) for name, part in found.items()}
    regions = {}
    for name, part in truth.items():
        at, where, track = dropped(part, labels[name] != 255)
        regions[name] = Regions(at, track, where)
    once = localise(boxes, regions, {name: int((marks != 255).sum()) for name, marks in labels.items()})
    assert (row.rbdc, row.tbdc, row.regions, row.frames) == (once.rbdc, once.tbdc, once.regions, once.frames)
    assert 0 < row.regions < 24


def test_maps_of_frames_that_labels_leave_out_count_in_nothing(masked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared = native(masked)
    labels = {name: np.asarray(prepared.labels(name)).copy() for name in prepared.clips("test")}
    labels["test_x"][[3, 4, 20, 21, 29]] = 255
    monkeypatch.setattr(Prepared, "labels", lambda self, name: labels[name])
    (row,) = localise_runs([], prepared, here(masked)).rows
    counts = {name: marks != 255 for name, marks in labels.items()}
    maps = {name: np.stack(list(speed_maps(prepared, name)))[counts[name]] for name in labels}
    truth = {name: from_masks(np.asarray(prepared.masks(name))).among(counts[name]) for name in labels}
    expected = localise_maps(maps, truth, map_thresholds(maps))
    assert (row.rbdc, row.tbdc) == pytest.approx((expected.rbdc, expected.tbdc), abs=1e-12)
    assert (row.frames, row.regions) == (30, 18 - 3)


def test_clips_with_anomalies_and_without_masks_are_left_out_and_the_title_says_so(masked: Path) -> None:
    for file in (masked / "masks/y").iterdir():
        file.unlink()
    (masked / "masks/y").rmdir()
    places = localise_runs([], native(masked), here(masked))
    assert "; of 1 of 2 test clips, those that have pixel masks" in places.title
    assert (places.rows[0].frames, places.rows[0].videos) == (30, 1)


def test_what_is_undefined_is_shown_as_a_dash() -> None:
    row = Place("r", "psnr_local", 0.5, math.nan, math.nan, 0.25, 0.1, 0.4, 1234, 2, 3, 1)
    assert cells(row) == ["r", "psnr_local", "50.0", "-", "25.0", "10.0-40.0", "1,234", "2", "3"]
