"""Every interval list of the facts of public data sets, written in its set's own form and read back.

The facts lie outside the repository, since some may not be passed on; every third clip has no intervals there.
What is expected is counted here with sets of frame numbers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import scipy.io

from pagen.footage.labels.arrays import names_in_npz, read_npy, read_npz, read_values
from pagen.footage.labels.avenue import read_mat_frames, read_mat_intervals, read_mat_masks
from pagen.footage.labels.boxes import read_aed, read_street_scene
from pagen.footage.labels.labels_csv import read_csv
from pagen.footage.labels.msad import names_in_msad, read_msad
from pagen.footage.labels.name_list import names_in_list
from pagen.footage.labels.said import Fitted, Said
from pagen.footage.labels.ubnormal import read_npy_for_tracks, read_tracks
from pagen.footage.labels.ucf_crime import names_in_ucf, read_ucf, read_ucf_mat
from pagen.footage.labels.xd_violence import names_in_xd, read_xd

FILE = Path(__file__).parents[4] / "shared/facts/datasets.json"
pytestmark = pytest.mark.skipif(not FILE.is_file(), reason="the facts of data sets are not at hand")
FACTS: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8")) if FILE.is_file() else {}
Pairs = list[list[int]]
if TYPE_CHECKING:
    from pagen.footage.labels.said import Labels


def vector(pairs: Pairs, length: int, first: int = 0, included: int = 0) -> Labels:
    """Frame by frame, whether its number is in any pair."""
    numbers = sorted({number for begin, end in pairs for number in range(begin, end + included)})
    return np.isin(np.arange(first, length + first), numbers).astype(np.uint8)


def fitted(said: Said | None, length: int, **how: Any) -> Fitted:
    assert said is not None
    return said.fit(length, **how)


def require_same(said: Said | None, expected: Labels, **how: Any) -> int:
    """Compare the labels that are read with those expected; returns how many are abnormal."""
    labels = fitted(said, len(expected), **how).labels
    np.testing.assert_array_equal(labels, expected)
    return int(labels.sum())


def write_lines(path: Path, lines: Iterable[str], ending: str = "\n") -> Path:
    path.write_bytes(ending.join(lines).encode())
    return path


@pytest.mark.parametrize("edition", ["volLabel", "gt_mat"])
def test_avenue(tmp_path: Path, edition: str) -> None:
    avenue = FACTS["avenue"]
    truth = {clip: vector(pairs, avenue["test"][clip]) for clip, pairs in avenue["editions"][edition].items()}
    assert len(truth) == 14
    frames, cell = tmp_path / "avenue.mat", np.empty((1, 21), object)
    scipy.io.savemat(frames, {clip: labels.astype(np.int32) for clip, labels in truth.items()})
    for clip in avenue["test"]:
        columns = [[start + 1, end] for start, end in avenue["editions"][edition].get(clip, [])]
        cell[0, int(clip) - 1] = np.array(columns, np.uint16).reshape(-1, 2).T
    intervals = tmp_path / "gt.mat"
    scipy.io.savemat(intervals, {"gt": cell})
    for clip, labels in truth.items():
        masks, key = np.empty((1, len(labels)), object), str(int(clip))
        for frame, label in enumerate(labels):
            masks[0, frame] = np.array([[0, 0], [0, label]], np.uint8)
        scipy.io.savemat(tmp_path / f"{key}_label.mat", {"volLabel": masks}, do_compression=True)
        require_same(read_mat_masks(tmp_path / f"{key}_label.mat", key), labels)
        require_same(read_mat_frames(frames, key), labels)
        require_same(read_mat_intervals(intervals, key), labels)


def test_shanghaitech(tmp_path: Path) -> None:
    facts = FACTS["shanghaitech"]
    archive: dict[str, Labels] = {}
    for clip, pairs in facts["intervals"].items():
        archive[clip] = vector(pairs, facts["test"][clip])
        np.save(tmp_path / f"{clip}.npy", archive[clip])
        require_same(read_npy(tmp_path / f"{clip}.npy", clip), archive[clip])
    assert sum(facts["test"].values()) == facts["test_frames_total"] == 40_791
    np.savez(tmp_path / "gt.npz", **archive)  # type: ignore[arg-type]
    assert names_in_npz(tmp_path / "gt.npz") == list(facts["intervals"])
    for clip, labels in archive.items():
        require_same(read_npz(tmp_path / "gt.npz", clip), labels)


def test_boxes_by_track_give_the_frames_that_they_lie_in(tmp_path: Path) -> None:
    facts = FACTS["shanghaitech"]
    for clip, pairs in list(facts["intervals"].items())[::6]:
        frames = [(track, frame) for track, pair in enumerate(pairs) for frame in range(*pair)]
        aed = write_lines(tmp_path / f"{clip}.txt", (f"{track},{frame},4,5,8,9" for track, frame in frames))
        lines = (f"{clip}/{frame + 1:03d}.jpg {track} 6 7 4 4" for track, frame in frames)
        scene = write_lines(tmp_path / f"{clip}_gt.txt", lines, "\r\n")
        require_same(read_aed(aed, clip), vector(pairs, facts["test"][clip]))
        require_same(read_street_scene(scene, clip), vector(pairs, facts["test"][clip]))


@pytest.mark.parametrize(
    "number", [str, lambda value: f"{float(value):.18e}"], ids=["whole numbers", "as numpy writes floats"]
)
def test_tracks_of_ubnormal(tmp_path: Path, number: Callable[[int], str]) -> None:
    facts = FACTS["ubnormal"]
    assert len(facts["tracks"]) == 80
    for clip, tracks in facts["tracks"].items():
        rows = (",".join(map(number, track)) for track in tracks)
        path = write_lines(tmp_path / f"{clip}_tracks.txt", [*rows, ""], "\r\n")
        length, pairs = 1 + max(last for *_, last in tracks), [track[1:] for track in tracks]
        inclusive = require_same(read_tracks(path, clip), vector(pairs, length, included=1))
        assert inclusive > require_same(read_tracks(path, clip), vector(pairs, length), counting="half-open")


def test_ubnormals_test_labels_are_the_same_in_every_form(tmp_path: Path) -> None:
    """The exclusive edition, as arrays in disguise (1 = normal), as values a line (1 = abnormal), and as tracks."""
    facts = FACTS["ubnormal"]
    for clip, pairs in facts["test_abnormal_exclusive"].items():
        truth = vector(pairs, facts["test"][clip])
        with (tmp_path / f"{clip}_tracks.txt").open("wb") as file:
            np.save(file, 1.0 - truth)
        np.savetxt(tmp_path / "ground_truth_frame_level.txt", truth)
        tracks = write_lines(tmp_path / "tracks.txt", (f"1,{start},{end}" for start, end in pairs))
        exclusive = require_same(read_npy_for_tracks(tmp_path / f"{clip}_tracks.txt", clip), truth, normal=1)
        require_same(read_values(tmp_path / "ground_truth_frame_level.txt", clip), truth)
        require_same(read_tracks(tracks, clip), truth, counting="half-open")
        assert fitted(read_tracks(tracks, clip), len(truth)).labels.sum() == exclusive + len(pairs)
    assert sum(facts["test"].values()) == facts["frames_total"]["test"] == 92_640


def ucf_lines(form: str) -> list[str]:
    """The lines of a copy of UCF-Crime's file: of all clips but those whose intervals are held out."""
    facts, lines = FACTS["ucf_crime"], []
    for clip, length in facts["test"].items():
        kind = facts["test_class"].get(clip, "Normal")
        if kind != "Normal" and clip not in facts["intervals"]:
            continue
        numbers = [bound for pair in facts["intervals"].get(clip, []) for bound in pair]
        padded = [*numbers, -1, -1, -1, -1][:4]
        a, b, c, d = padded
        lines.append(
            {
                "authors": f"{clip}.mp4  {kind}  {a}  {b}  {c}  {d}  ",
                "bare": f"{clip}  {kind}  {a}  {b}  {c}  {d}  ",
                "tabs": f"{clip}.mp4\t{kind}\t{a}\t{b}\t{c}\t{d}\t{length}",
                "folder": f"{kind}/{clip}.mp4 {length} {kind} {a} {b} {c} {d}",
                "brackets": f"{kind}/{clip}.mp4|{length + 1}|{numbers}" if numbers else f"x/{clip}.mp4 {length + 1} -1",
                "no class": f"{clip}.mp4 {a} {b} {c} {d}",
            }[form]
        )
    return lines


@pytest.mark.parametrize("form", ["authors", "bare", "tabs", "folder", "brackets", "no class"])
def test_ucf_crime(tmp_path: Path, form: str) -> None:
    facts = FACTS["ucf_crime"]
    path = write_lines(tmp_path / "Temporal_Anomaly_Annotation.txt", ucf_lines(form))
    names, sums, beyond = names_in_ucf(path), [0, 0, 0], dict[str, int]()
    assert len(names) == 94 + 150
    for clip in names:
        pairs, length, said = facts["intervals"].get(clip, []), facts["test"][clip], read_ucf(path, clip)
        sums[0] += require_same(said, vector(pairs, length, first=1, included=1), slack=3)
        sums[1] += require_same(said, vector(pairs, length), slack=3, counting="half-open")
        sums[2] += require_same(said, vector(pairs, length, included=1), slack=3, counting="zero-inclusive")
        if surplus := fitted(said, length, slack=3).surplus:
            beyond[clip] = surplus
    known = [(pair, facts["test"][clip]) for clip, pairs in facts["intervals"].items() for pair in pairs]
    assert sums[0] - sums[1] == len(known), "a frame more an interval"
    assert sums[0] - sums[2] == sum(last >= length for (_, last), length in known), (
        "a frame less where it ends the clip"
    )
    assert beyond.keys() == {clip for clip in facts["beyond_end"] if clip in facts["intervals"]}
    assert set(beyond.values()) <= {1, 2}


def test_ucf_crimes_structures_of_matlab(tmp_path: Path) -> None:
    facts = FACTS["ucf_crime"]
    for clip, pairs in list(facts["intervals"].items())[::5]:
        record = {"VideoName": f"{clip}.mp4", "Anno": np.array(pairs, np.uint16), "EventName": "x"}
        scipy.io.savemat(tmp_path / f"{clip}.mat", {"Annotation_file": record})
        truth = vector(pairs, facts["test"][clip], first=1, included=1)
        require_same(read_ucf_mat(tmp_path / f"{clip}.mat", clip), truth, slack=3)


@pytest.mark.parametrize("ending", ["", ".mp4"])
def test_xd_violence(tmp_path: Path, ending: str) -> None:
    clips = {clip.removesuffix(".mp4"): pairs for clip, pairs in FACTS["xd_violence"]["intervals"].items()}
    lines = (
        f"{clip}{ending} {' '.join(str(bound) for pair in pairs for bound in pair)}" for clip, pairs in clips.items()
    )
    path = write_lines(tmp_path / "annotations.txt", lines)
    assert names_in_xd(path) == list(clips)
    found = 0
    for clip, pairs in clips.items():
        found += require_same(read_xd(path, clip), vector(pairs, max(end for _, end in pairs)))
    assert found == sum(end - start for pairs in clips.values() for start, end in pairs), "none overlap"


def test_msad(tmp_path: Path) -> None:
    facts = FACTS["msad"]
    header = "name,scenario,total frames,starting frame of anomaly,ending frame of anomaly"
    rows = [
        f"{clip},{facts['scenario'][clip]},{facts['frames'][clip]},{first},{last}"
        for clip, (first, last) in facts["intervals"].items()
    ]
    path = write_lines(tmp_path / "anomaly_annotation.csv", [header, *rows])
    assert names_in_msad(path) == list(facts["intervals"])
    for clip, pair in facts["intervals"].items():
        require_same(read_msad(path, clip), vector([pair], facts["frames"][clip], first=1, included=1))


@pytest.mark.parametrize("name", ["avenue", "shanghaitech", "xd_violence"])
def test_ones_own_csv_holds_any_of_them(tmp_path: Path, name: str) -> None:
    facts = FACTS[name]
    clips: Mapping[str, Pairs] = facts["editions"]["volLabel"] if name == "avenue" else facts["intervals"]
    rows = (f"{clip}.mp4,{start},{end}" for clip, pairs in clips.items() for start, end in pairs)
    path = write_lines(tmp_path / "labels.csv", ["video,start_frame,end_frame", *rows])
    for clip, pairs in list(clips.items())[::5]:
        require_same(read_csv(path, clip), vector(pairs, max(end for _, end in pairs)))


def test_lists_name_every_clip_of_their_split(tmp_path: Path) -> None:
    lists = {f"{name}_video_names.txt": names for name, names in FACTS["ubnormal"]["split"].items()}
    lists["Anomaly_Train.txt"] = [f"{name}.mp4" for name in FACTS["ucf_crime"]["train"]]
    lists["msad-i3d-test.list"] = [f"/data/{name}_i3d.npy" for name in FACTS["msad"]["protocol2_test_abnormal"]]
    counts = {file: len(names_in_list(write_lines(tmp_path / file, names))) for file, names in lists.items()}
    assert sorted(counts.values()) == sorted([186, 82, 26, 38, 53, 158, 1610, 120])
