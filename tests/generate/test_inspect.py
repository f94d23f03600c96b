"""What `pagen inspect` tells, against numbers worked out by hand and plain loops over a set."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pagen.cli import main
from pagen.generate import strength as measure
from pagen.generate.pa_set import Item, PASet, Pseudo
from pagen.generate.strength import Change, inspect_set, is_near_copy
from pagen.generate.strength_text import _bars
from pagen.options import PSEUDO_KINDS


def pair(kind: str = "spatial") -> Pseudo:
    """Two frames of 4 x 5 pixels in which nothing is changed and nothing masked."""
    normal = np.zeros((2, 2, 4, 5), np.float16) if kind == "temporal" else np.full((2, 4, 5, 1), 100, np.uint8)
    return Pseudo(normal.copy(), normal, np.zeros((2, 4, 5), np.bool_))


def test_a_change_of_frames_by_hand() -> None:
    clip = pair()
    assert clip.mask is not None
    clip.pseudo[0, 1, 1:4] = [[110], [70], [100]]  # by 10, by 30, not at all
    clip.mask[0, 1, 1:4] = True
    change = measure.measure(clip, "spatial")
    assert (change.share, change.strength, change.difference, change.covered) == (2 / 40, 20, 1, 3 / 40)


def test_a_change_of_colour_is_the_mean_of_its_channels() -> None:
    clip = pair()
    pseudo, target = (np.repeat(frames, 3, axis=3) for frames in (clip.pseudo, clip.target))
    pseudo[1, 0, 0] = [103, 94, 100]
    change = measure.measure(Pseudo(pseudo, target, clip.mask), "skip")
    assert (change.share, change.strength, change.difference) == (1 / 40, 3, pytest.approx(3 / 40))


def test_a_change_of_flow_is_the_length_of_a_vector() -> None:
    clip = pair("temporal")
    clip.pseudo[1, :, 3, 4] = 3, -4
    change = measure.measure(clip, "temporal")
    assert (change.share, change.strength, change.difference) == (1 / 40, 5, 5 / 40)


def test_where_nothing_changed_strength_is_undefined() -> None:
    change = measure.measure(pair(), "patch")
    assert np.isnan(change.strength)
    assert (change.share, change.difference, change.covered) == (0, 0, 0)


def forged(pseudo: PASet, monkeypatch: pytest.MonkeyPatch, kind: str, copies: int) -> None:
    """Of a kind's items the first so many give back the normal clip."""
    originals = {id(item) for item in pseudo.items(kind, 16)[:copies]}
    render = PASet.render

    def forge(self: PASet, item: Item, length: int) -> Pseudo:
        clip = render(self, item, length)
        return replace(clip, pseudo=np.array(clip.target)) if id(item) in originals else clip

    monkeypatch.setattr(PASet, "render", forge)


def test_near_copies_are_counted(pseudo: PASet, monkeypatch: pytest.MonkeyPatch) -> None:
    before = inspect_set(pseudo)["kinds"]["patch"]
    assert before["near_copies"] == 0
    forged(pseudo, monkeypatch, "patch", 6)
    report = inspect_set(pseudo)
    after = report["kinds"]["patch"]
    assert after["near_copies"] == 6
    assert after["changed_share"]["mean"] < before["changed_share"]["mean"]
    assert after["coverage"] == before["coverage"]
    assert [line for line in report["warnings"] if line.startswith("12 % of the patch")]  # 6 of 51


@pytest.mark.parametrize(("weights", "copy"), [((0.96, 0.97), True), ((0.96, 0.94), False), ((0.2, 0.99), False)])
def test_lambda_near_one_is_a_near_copy_if_all_segments_have_it(
    pseudo: PASet, monkeypatch: pytest.MonkeyPatch, weights: tuple[float, float], copy: bool
) -> None:
    records = [{"lambda": weight, "frames": 16} for weight in weights]
    monkeypatch.setattr(PASet, "records", lambda *_: records)
    strong = Change(0.1, 5, 0.5, 0.1)
    assert is_near_copy(pseudo, Item("temporal", "train_a", 7, {}), strong) is copy
    assert is_near_copy(pseudo, Item("temporal", "train_a", 0, {}), strong) is (weights[0] > 0.95)
    assert not is_near_copy(pseudo, Item("spatial", "train_a", 0, {}), strong)


def test_the_thresholds(pseudo: PASet) -> None:
    frames, flow = Item("skip", "train_a", 0, {"stride": 2}), Item("temporal", "train_a", 0, {})
    for item, least in ((frames, 0.05), (flow, 0.0005)):
        assert is_near_copy(pseudo, item, Change(0.5, 1, least * 0.99, 0.5))
    assert not is_near_copy(pseudo, frames, Change(0.5, 1, 0.05, 0.5))


@pytest.mark.parametrize("kind", PSEUDO_KINDS)
def test_a_whole_set_against_plain_loops(pseudo: PASet, kind: str) -> None:
    found = inspect_set(pseudo)["kinds"][kind]
    shares, strengths, covered = [], [], []
    items = pseudo.items(kind, 16)
    for item in items:
        clip = pseudo.render(item, 16)
        change = clip.pseudo.astype(float) - clip.target.astype(float)
        sizes = np.linalg.norm(change, axis=1) if kind == "temporal" else np.abs(change).mean(axis=3)
        shares.append(np.count_nonzero(sizes) / sizes.size)
        strengths.append(sizes.sum() / np.count_nonzero(sizes))
        assert clip.mask is not None
        covered.append(100 * np.count_nonzero(clip.mask >= 0.5) / clip.mask.size)
    assert (found["items"], found["looked_at"]) == (len(items), len(items))
    for values, spread in ((shares, found["changed_share"]), (strengths, found["strength"])):
        expected = [np.mean(values), *np.percentile(values, [5, 50, 95])]
        assert [spread[key] for key in ("mean", "q05", "q50", "q95")] == pytest.approx(expected, rel=1e-5)
    if kind == "skip":
        assert "coverage" not in found
        return
    for name, count in found["coverage"].items():
        low, high = map(float, name.split("-"))
        assert count == sum(low <= value < high or value == high == 100 for value in covered)
    assert sum(found["coverage"].values()) == len(items)


def test_records_are_counted(pseudo: PASet) -> None:
    report = inspect_set(pseudo)
    kinds = report["kinds"]
    records = {
        kind: [one for name in pseudo.clips(kind) for one in pseudo.records(kind, name)] for kind in PSEUDO_KINDS
    }
    assert kinds["skip"]["strides"] == {2: 46, 3: 0, 4: 0, 5: 0}
    assert any("no skip pseudo-anomaly has stride 3 or 4 or 5" in line for line in report["warnings"])
    assert kinds["patch"]["intruders"] == Counter(one["intruder"] for one in records["patch"])
    counts = list(kinds["patch"]["intruders"].values())
    assert counts == sorted(counts, reverse=True)
    assert (kinds["spatial"]["frames"], kinds["temporal"]["frames"]) == (96, 93)
    for kind in ("spatial", "temporal"):
        assert kinds[kind]["random_masks"] == sum(one["random_instead"] for one in records[kind])
    assert kinds["temporal"]["segments"] == len(records["temporal"])
    assert kinds["temporal"]["lambda_above"] == sum(one["lambda"] > 0.95 for one in records["temporal"])


def test_at_most_so_many_are_looked_at(pseudo: PASet, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    render = PASet.render

    def watch(self: PASet, item: Item, length: int) -> Pseudo:
        asked.append(next(place for place, one in enumerate(items) if one is item))
        return render(self, item, length)

    items = pseudo.items("patch", 16)
    monkeypatch.setattr(PASet, "render", watch)
    monkeypatch.setattr(measure, "AT_MOST", 10)
    monkeypatch.setattr(PASet, "kinds", ["patch"])
    found = inspect_set(pseudo)["kinds"]["patch"]
    assert (found["items"], found["looked_at"]) == (51, 10)
    assert asked == [0, 5, 10, 15, 20, 25, 30, 35, 40, 45]


def warnings(kind: str, **changes: Any) -> list[str]:
    found = {"near_copies": 0, "looked_at": 100, "segments": 100, "lambda_above": 0, "frames": 100, "random_masks": 0}
    return measure._warnings(kind, {**found, **changes}, {"strides": [2, 3]})


def test_warnings() -> None:
    assert warnings("temporal") == warnings("temporal", near_copies=4, lambda_above=4, random_masks=19) == []
    (line,) = warnings("temporal", near_copies=21)
    assert line.startswith("21 % of the temporal pseudo-anomalies are near-copies of the normal flow: lambda is near 1")
    assert warnings("temporal", lambda_above=21) == [
        "21 % of the temporal segments have lambda above 0.95: lambda is U-shaped"
    ]
    assert warnings("spatial", random_masks=20)[0].startswith("20 % of the spatial masks are random ones")
    assert warnings("skip", strides={2: 7, 3: 1}) == []


def test_the_verb(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["inspect", str(made), "--json"])
    report = json.loads(capsys.readouterr().out)
    assert list(report["kinds"]) == sorted(PSEUDO_KINDS)
    assert (report["path"], report["dataset"], report["length"]) == (str(made), "folder", 16)
    main(["inspect", str(made)])
    shown = capsys.readouterr().out
    assert "patch: 51 clips, all looked at" in shown
    assert f"  near-copies: {report['kinds']['temporal']['near_copies']} of 5 = " in shown
    for line in report["warnings"]:
        assert f"warning: {line}" in shown
    assert "\n  2       46     ##############################\n  3       0\n" in shown
    assert max(len(line) for line in shown.splitlines() if line.startswith("  ")) < 120


def test_many_names_are_cut() -> None:
    lines = _bars("intruder", {f"picture {index}": 50 - index for index in range(30)}).splitlines()
    assert len(lines) == 1 + 20 + 1
    assert lines[1] == f"picture 0   50     {'#' * 30}"
    assert lines[-1] == "and 10 more"


def test_what_is_no_pa_set(prepared: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path, message in (
        (tmp_path, "expected a pa_set folder of pagen at"),
        (prepared.path, "found a prepared folder"),
    ):
        with pytest.raises(SystemExit) as left:
            main(["inspect", str(path)])
        assert left.value.code == 2
        assert message in capsys.readouterr().err
