"""The tables of known clips: totals that the files of the field give, and the facts clip by clip where at hand."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from pagen.footage import known_clips
from pagen.footage.catalogue import DATASETS
from pagen.footage.known_clips import KnownClip, clips_in, frames_in

FACTS = Path(__file__).resolve().parents[2].parent / "shared/facts/datasets.json"


def known(name: str) -> tuple[KnownClip, ...]:
    return DATASETS[name].known_clips


def lengths(name: str, split: str) -> dict[str, int | None]:
    return {clip.clip: clip.exact for clip in known(name) if clip.split == split}


@pytest.mark.parametrize(
    ("name", "split", "clips", "frames", "abnormal"),
    [
        ("avenue", "train", 16, 15_328, 0),
        ("avenue", "test", 21, 15_324, 0),
        ("shanghaitech", "train", 330, None, 0),
        ("shanghaitech", "test", 107, 40_791, 0),
        ("shanghaitech:weak", "train", 238, None, 63),
        ("shanghaitech:weak", "test", 199, 141_870, 44),
        ("ubnormal", "train", 268, None, 82),
        ("ubnormal", "validation", 64, None, 38),
        ("ubnormal", "test", 211, 92_640, 158),
        ("ucf_crime", "train", 1_610, 12_656_615, 810),
        ("ucf_crime", "test", 290, 1_111_808, 140),
        ("msad", "train", 480, None, 120),
        ("msad", "test", 240, None, 120),
        ("street_scene", "train", 46, None, 0),
        ("street_scene", "test", 35, None, 0),
        ("iitb_corridor", "train", 208, None, 0),
        ("iitb_corridor", "test", 150, None, 0),
    ],
)
def test_totals(name: str, split: str, clips: int, frames: int | None, abnormal: int) -> None:
    table = known(name)
    assert clips_in(table, split) == clips
    assert frames_in(table, split) == frames
    assert sum(bool(clip.abnormal) for clip in table if clip.split == split) == abnormal


@pytest.mark.parametrize("name", sorted(DATASETS.names()))
def test_no_clip_is_known_twice(name: str) -> None:
    assert max(Counter(clip.name for clip in known(name)).values(), default=1) == 1


def test_bounds_of_shanghaitech_bracket_the_published_sum() -> None:
    training = [clip for clip in known("shanghaitech") if clip.split == "train"]
    least, most = (sum(getattr(clip, side) or clip.frames or 0 for clip in training) for side in ("frames", "most"))
    assert (least, most) == (274_322, 275_982)
    assert least <= 274_515 <= most
    assert Counter(clip.fps for clip in training) == {25: 35, 24: 120, None: 175}


def test_kinds_of_ucf_crime() -> None:
    training = Counter(clip.clip[:-8] for clip in known("ucf_crime") if clip.split == "train" and clip.abnormal)
    assert training["Robbery"] == 145
    assert training["RoadAccidents"] == 127
    assert training["Shooting"] == 27


def test_the_longest_video_of_ucf_crime_is_nine_hours() -> None:
    assert lengths("ucf_crime", "train")["Normal_Videos308_x264"] == 976_503
    assert min(filter(None, lengths("ucf_crime", "train").values())) == 104


def test_the_subsets_are_those_of_their_papers() -> None:
    human = DATASETS["avenue"].subsets["hr"].left_out
    assert sum(end - start for spans in human.values() for start, end in spans) == 616
    left = [
        name for name in lengths("shanghaitech", "test") if name not in DATASETS["shanghaitech"].subsets["hr"].without
    ]
    assert len(left) == 101
    assert sum(lengths("shanghaitech", "test")[name] or 0 for name in left) == 38_697


@pytest.fixture
def facts() -> Any:
    if not FACTS.exists():
        pytest.skip("the facts are not at hand")
    return json.loads(FACTS.read_text())


def test_the_facts_clip_by_clip(facts: Any) -> None:
    assert lengths("avenue", "train") == facts["avenue"]["train"]
    assert lengths("avenue", "test") == facts["avenue"]["test"]
    assert lengths("shanghaitech", "test") == facts["shanghaitech"]["test"]
    assert lengths("ubnormal", "test") == facts["ubnormal"]["test"]
    assert lengths("ucf_crime", "test") == facts["ucf_crime"]["test"]
    assert lengths("ucf_crime", "train") == {
        name.rpartition("/")[2]: length for name, length in facts["ucf_crime"]["train"].items()
    }
    msad = {**lengths("msad", "train"), **lengths("msad", "test")}
    assert {name: length for name, length in msad.items() if length} == facts["msad"]["frames"]


def test_the_facts_of_training_and_splits(facts: Any) -> None:
    shanghai, training = (
        facts["shanghaitech"],
        {clip.clip: clip for clip in known("shanghaitech") if clip.split == "train"},
    )
    assert {name: clip.frames for name, clip in training.items() if not clip.most} == {
        **shanghai["train_known"],
        **{name: low for name, (low, high) in shanghai["train_bounds"].items() if low == high},
    }
    assert all(
        training[name].fits(high) and training[name].fits(low) for name, (low, high) in shanghai["train_bounds"].items()
    )
    weak = {clip.clip: clip for clip in known("shanghaitech:weak")}
    assert {name for name, clip in weak.items() if clip.split == "test"} == {
        *shanghai["weak_split"]["test_abnormal"],
        *shanghai["weak_split"]["test_normal"],
    }
    split = {f"{clip.split}_{'abnormal' if clip.abnormal else 'normal'}": set[str]() for clip in known("ubnormal")}
    for clip in known("ubnormal"):
        split[f"{clip.split}_{'abnormal' if clip.abnormal else 'normal'}"].add(clip.clip)
    assert {name.replace("train_", "training_"): names for name, names in split.items()} == {
        name: set(names) for name, names in facts["ubnormal"]["split"].items()
    }
    assert set(facts["msad"]["protocol2_test_abnormal"]) == {
        clip.clip for clip in known("msad") if clip.split == "test" and clip.abnormal
    }
    left_out = DATASETS["avenue"].subsets["hr"].left_out
    assert {name: [list(span) for span in spans] for name, spans in left_out.items()} == facts["avenue"][
        "hr_avenue_dropped_frames"
    ]
    assert list(DATASETS["avenue"].subsets["17"].without) == facts["avenue"]["avenue17_excluded"]
    assert list(DATASETS["shanghaitech"].subsets["hr"].without) == shanghai["hr_excluded"]


def test_what_the_wheel_carries_of_clips_is_small_and_holds_no_intervals() -> None:
    tables = sorted(Path(known_clips.__file__).parent.joinpath("known").glob("*.csv"))
    assert sum(path.stat().st_size for path in tables) < 300_000
    assert {path.read_text().partition("\n")[0] for path in tables} == {",".join(known_clips.COLUMNS)}
