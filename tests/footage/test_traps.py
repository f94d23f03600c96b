"""What the labels of the field's sets are read wrongly by elsewhere, one trap a test, on miniature copies.

Traps of a set's layout and names alone (folders by split, hyphens, lists) are those of `test_copies`.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from copies import PED1_MASKED, umn_scene
from miniature import (
    Mini,
    clips_of,
    marked,
    of,
    write_by_clip,
    write_bytes,
    write_frames,
    write_gt,
    write_masks,
    write_npy,
    write_text,
    write_tracks,
    write_video,
    write_vol_label,
)

from pagen.errors import PagenError
from pagen.footage.catalogue import DATASETS
from pagen.footage.check import check, looked_at, notes_of
from pagen.footage.clips import FileClip, Footage
from pagen.footage.editions import expected_abnormal
from pagen.footage.locate import locate

Copy = Callable[[str, str], Footage]


def clip(footage: Footage, name: str) -> FileClip:
    found = {one.name: one for one in (*footage.clips, *footage.aside)}[name]
    assert isinstance(found, FileClip)
    return found


def labels(footage: Footage, name: str, edition: str | None = None) -> list[int]:
    marks = clip(footage, name).labels(edition)
    assert marks is not None
    return [int(mark) for mark in marks]


def again(footage: Footage) -> Footage:
    return locate(footage.name, footage.root)


def one_line(footage: Footage, *words: str) -> None:
    """A check says it in one line, which holds all these words."""
    lines = [line for line in check(footage, decode_all=True) if all(word in line for word in words)]
    assert len(lines) == 1, check(footage, decode_all=True)
    assert "\n" not in lines[0]


def notes(footage: Footage) -> list[str]:
    return notes_of(footage, looked_at(footage))


# Avenue


def test_avenue_masks_are_matched_by_number_not_sorted_as_text(copy: Copy) -> None:
    footage = copy("avenue", "official, together")
    clips = clips_of(footage.dataset)
    for mini in of(clips, "test"):
        marks = np.zeros(mini.frames, np.uint8)
        marks[int(mini.name) % 4] = 1
        masks = footage.root / "ground_truth_demo/testing_label_mask"
        write_vol_label(masks / f"{int(mini.name)}_label.mat", marks)
    assert labels(footage, "test_02").index(1) == 2
    assert labels(footage, "test_10").index(1) == 2
    assert labels(footage, "test_11").index(1) == 3


def test_columns_are_the_intervals_of_gt(copy: Copy) -> None:
    footage = copy("avenue", "common")
    cells = np.empty((1, 21), object)
    cells[0, :] = [np.array([[1, 4], [2, 5]])] * 21
    scipy.io.savemat(footage.root / "avenue.mat", {"gt": cells})
    assert labels(again(footage), "test_04")[:5] == [1, 1, 0, 1, 1], "by rows it were 1-4 and 2-5"


def test_one_interval_of_gt_may_be_squeezed(copy: Copy) -> None:
    footage = copy("avenue", "common")
    cells = np.empty((1, 21), object)
    cells[0, :] = [np.array([2, 3], np.uint8)] * 21
    scipy.io.savemat(footage.root / "avenue.mat", {"gt": cells})
    assert labels(again(footage), "test_01") == [0, 1, 1, 0, 0]


def test_editions_of_avenue_are_told_by_what_the_files_hold(copy: Copy) -> None:
    footage = copy("avenue", "common")
    clips = clips_of(footage.dataset)
    tests = of(clips, "test")
    assert footage.editions == ("gt",)
    write_by_clip(footage.root / "avenue.mat", tests)
    assert again(footage).editions == ("volLabel",)
    write_gt(footage.root / "avenue.mat", tests)
    for mini in tests:
        other = marked([(0, 2)], mini.frames)
        write_vol_label(footage.root / "ground_truth_demo/testing_label_mask" / f"{int(mini.name)}_label.mat", other)
    both = again(footage)
    assert both.editions == ("volLabel", "gt")
    assert labels(both, "test_02")[:3] == labels(both, "test_02", "volLabel")[:3] == [1, 1, 0]
    assert labels(both, "test_02", "gt") == tests[1].labels.tolist()


def test_the_second_archive_repeats_the_videos_and_they_count_once(copy: Copy) -> None:
    footage = copy("avenue", "official, together")
    clips = clips_of(footage.dataset)
    assert (footage.root / "ground_truth_demo/testing_videos/01.avi").exists()
    assert len(footage.split("test")) == len(of(clips, "test"))
    assert not any("ground_truth_demo" in str(clip(footage, one.name).path) for one in footage.clips)


def test_a_pickle_called_json_is_refused_by_its_bytes(copy: Copy) -> None:
    footage = copy("avenue", "common")
    (footage.root / "avenue.mat").unlink()
    write_bytes(footage.root / "ground_truth_demo/gt_label.json", pickle.dumps({"01_label": [0, 1]}))
    one_line(again(footage), "test_01: ", "gt_label.json", "pickle")
    write_gt(footage.root / "avenue.mat", of(clips_of(footage.dataset), "test"))
    assert again(footage).editions == ("gt",)
    assert check(again(footage), decode_all=True) == []


def test_lengths_are_compared_clip_by_clip(copy: Copy) -> None:
    footage = copy("avenue", "common")
    twelve, fourteen = (clip(footage, f"test_{number}") for number in (12, 14))
    write_bytes(twelve.path / f"{twelve.length():04}.jpg", twelve.files[0].read_bytes())
    fourteen.files[-1].unlink()
    one_line(again(footage), "test_14: ", f"missing: {fourteen.length() - 1}")
    assert notes(again(footage)) == [
        "as many frames as the container counts, which is more than a decoder gives: test_12"
    ]


def test_hr_avenue_leaves_frames_out_and_keeps_their_places(copy: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    row = DATASETS["avenue"]
    assert sum(end - start for spans in row.subsets["hr"].left_out.values() for start, end in spans) == 616
    footage = copy("avenue", "common")
    subset = replace(row.subsets["hr"], left_out={"03": ((0, 2),)})
    monkeypatch.setitem(DATASETS._table, "avenue", replace(footage.dataset, subsets={"hr": subset}))
    human = locate("avenue:hr", footage.root)
    assert labels(human, "test_03") == [255, 255, *labels(footage, "test_03")[2:]]
    assert labels(human, "test_04") == labels(footage, "test_04")
    assert len(human.split("test")) == 21


def test_avenue17_is_without_five_clips(copy: Copy) -> None:
    footage = copy("avenue", "common")
    left = {one.name for one in locate("avenue:17", footage.root).split("test")}
    assert {one.name for one in footage.split("test")} - left == {
        f"test_{name}" for name in ("01", "02", "08", "09", "10")
    }


@pytest.mark.parametrize(
    ("name", "part"), [("avenue", "17"), ("avenue", "hr"), ("avenue", "mixed"), ("shanghaitech", "hr")]
)
def test_totals_of_the_whole_are_not_expected_of_a_part(name: str, part: str, copy: Copy) -> None:
    row = DATASETS[name]
    total = max(row.abnormal or 0, *(source.abnormal or 0 for layout in row.layouts for source in layout.labels))
    assert total, "the whole has one"
    footage = copy(name, {"avenue": "common", "shanghaitech": "official"}[name])
    of_the_whole = replace(footage, dataset=replace(footage.dataset, abnormal=total))
    assert expected_abnormal(of_the_whole, "of no total of its own") == total
    kept = replace(locate(f"{name}:{part}", footage.root), dataset=of_the_whole.dataset)
    assert expected_abnormal(kept, "of no total of its own") is None


# ShanghaiTech


def test_three_digits_train_and_four_test(copy: Copy) -> None:
    footage = copy("shanghaitech", "official")
    names = {one.name: one for one in footage.clips}
    assert {"train_01_015", "test_01_0015"} <= set(names)
    assert clip(footage, "train_01_015").video
    assert not clip(footage, "test_01_0015").video


def test_scenes_are_those_of_the_names(copy: Copy) -> None:
    footage = copy("shanghaitech", "official")
    training = [one.scene for one in footage.split("train")]
    tests = [one.scene for one in footage.split("test")]
    scenes = DATASETS["shanghaitech"].scene_names
    assert [training.count(scene) for scene in scenes] == [83, 15, 6, 20, 66, 30, 8, 49, 10, 11, 10, 15, 7]
    assert [tests.count(scene) for scene in scenes] == [34, 3, 10, 9, 8, 6, 8, 12, 1, 5, 1, 10, 0]
    assert {one.scene for one in locate("shanghaitech:05", footage.root).clips} == {"05"}
    with pytest.raises(PagenError, match="scene 13"):
        locate("shanghaitech:13", footage.root)


def test_frames_without_padding_are_in_order_of_numbers(copy: Copy) -> None:
    footage = copy("shanghaitech", "official, extracted")
    folder = clip(footage, "train_01_001").path
    write_frames(folder, Mini("train", "01_001", 12, False), "{}.jpg")
    assert [path.stem for path in clip(again(footage), "train_01_001").files] == [str(index) for index in range(12)]


def test_frames_of_a_container_count_are_told_as_such(copy: Copy) -> None:
    footage = copy("shanghaitech", "official, extracted")
    one = clip(footage, "train_01_001")
    write_bytes(one.path / f"{one.length()}.jpg", one.files[0].read_bytes())
    assert check(again(footage)) == []
    assert notes(again(footage))[0].endswith("than a decoder gives: train_01_001")
    write_bytes(one.path / f"{one.length() + 1}.jpg", one.files[0].read_bytes())
    write_bytes(one.path / f"{one.length() + 2}.jpg", one.files[0].read_bytes())
    one_line(again(footage), "train_01_001: ", "numbered from 0")


def test_two_frame_rates_in_one_set_are_known(copy: Copy) -> None:
    footage = copy("shanghaitech", "official")
    clips = clips_of(footage.dataset)
    rates = [clip(footage, f"train_{mini.name}").fps for mini in of(clips, "train")]
    assert (rates.count(25), rates.count(24)) == (35, 330 - 35)
    assert check(footage) == []


def test_bounds_of_lengths_are_held(copy: Copy) -> None:
    footage = copy("shanghaitech", "official, extracted")
    bounded = next(known for known in footage.known if known.most)
    write_frames(clip(footage, bounded.name).path, Mini("train", bounded.clip, bounded.most + 3, False), "{}.jpg")
    one_line(again(footage), f"{bounded.name}: ", str(bounded.most))


def test_hr_shanghaitech_is_without_six_clips(copy: Copy) -> None:
    footage = copy("shanghaitech", "official")
    assert len(locate("shanghaitech:hr", footage.root).split("test")) == 101


def test_tracks_of_aed_are_an_edition_of_their_own(copy: Copy) -> None:
    footage = copy("shanghaitech", "official")
    clips = clips_of(footage.dataset)
    for mini in of(clips, "test"):
        write_text(footage.root / "annotations/ShanghaiTech" / f"{mini.name}.txt", "0,1,4,4,9,9\n0,2,4,4,9,9\n")
    both = again(footage)
    assert both.editions == ("test_frame_mask", "AED tracks")
    assert labels(both, "test_01_0014", "AED tracks")[:4] == [0, 1, 1, 0]


def test_the_weak_split_takes_clips_of_both_sides_to_both_sides(copy: Copy) -> None:
    footage = copy("shanghaitech:weak", "official")
    assert {len(one.name) for one in footage.split("test")} == {len("test_01_001"), len("test_01_0015")}
    assert len(footage.split("train")) == 238 - 63
    everything = locate("shanghaitech:weak:all", footage.root)
    assert len(everything.split("train")) == 238
    abnormal = [one for one in everything.split("train") if one.abnormal]
    assert len(abnormal) == 63
    assert all((one.labels() == 1).any() for one in abnormal)
    assert labels(footage, "test_01_001") == [0] * clip(footage, "test_01_001").length()


def test_labels_that_were_rounded_to_snippets_are_refused(copy: Copy) -> None:
    footage = copy("shanghaitech", "official")
    write_npy(footage.root / "testing/test_frame_mask/01_0014.npy", np.zeros(16, np.uint8))
    one_line(again(footage), "test_01_0014: ", "(16,)")


# UBnormal


def test_abnormal_training_clips_are_aside_until_asked_for(copy: Copy) -> None:
    footage = copy("ubnormal", "official")
    clips = clips_of(footage.dataset)
    assert not any("abnormal" in one.name for one in footage.split("train"))
    everything = locate("ubnormal:all", footage.root)
    assert len(everything.split("train")) == len(of(clips, "train"))
    validation = locate("ubnormal:validation", footage.root)
    assert [one.name for one in validation.split("test")] == [
        one.name for one in footage.aside if one.split == "validation"
    ]
    assert len(validation.split("test")) == 64
    assert {one.scene for one in locate("ubnormal:12", footage.root).clips} == {"12"}


NAME = "abnormal_scene_10_scenario_1"


def annotations(footage: Footage, name: str = NAME) -> Path:
    return clip(footage, f"test_{name}").path.parent / f"{name}_annotations"


def test_tracks_are_united_and_include_their_last_frames(copy: Copy) -> None:
    footage = copy("ubnormal", "official")
    write_text(annotations(footage) / f"{NAME}_tracks.txt", "4,0,0\r\n4,2,3\r\n7,3,3\r\n")
    assert labels(footage, f"test_{NAME}")[:5] == [1, 0, 1, 1, 0]
    assert labels(footage, f"test_{NAME}", "exclusive")[:5] == [0, 0, 1, 0, 0]


def test_floats_carriage_returns_and_missing_final_newlines_change_nothing(copy: Copy) -> None:
    footage = copy("ubnormal", "official")
    for text in ("4,1,2\r\n", "4,1,2", "4.000000000000000000e+00,1.000000000000000000e+00,2.0e+00\n"):
        write_text(annotations(footage) / f"{NAME}_tracks.txt", text)
        assert labels(footage, f"test_{NAME}")[:4] == [0, 1, 1, 0]


def test_new_tracks_are_an_edition_of_their_own(copy: Copy) -> None:
    footage = copy("ubnormal", "official")
    clips = clips_of(footage.dataset)
    assert footage.editions == ("inclusive", "exclusive")
    write_tracks(annotations(footage) / f"{NAME}_new_tracks.txt", Mini("test", NAME, 7, True))
    assert again(footage).editions == ("inclusive", "exclusive", "new_tracks")
    other = next(mini.name for mini in of(clips, "test") if mini.abnormal and mini.name != NAME)
    assert labels(again(footage), f"test_{other}", "new_tracks") == labels(footage, f"test_{other}")


def test_ids_of_walkers_are_no_masks(copy: Copy) -> None:
    footage = copy("ubnormal", "official")
    clips = clips_of(footage.dataset)
    mini = next(mini for mini in of(clips, "test") if mini.name == NAME)
    write_masks(annotations(footage), np.ones(mini.frames, np.uint8), f"{NAME}_{{:04}}_gt.png", value=3)
    write_masks(annotations(footage), mini.labels, f"{NAME}_{{:04}}_gt.png", value=4)
    masks = clip(footage, f"test_{NAME}").masks()
    assert masks is not None
    assert [bool(mask.any()) for mask in masks] == mini.labels.astype(bool).tolist()


def test_one_is_normal_in_arrays_that_are_called_tracks(copy: Copy) -> None:
    footage = copy("ubnormal", "official")
    clips = clips_of(footage.dataset)
    for mini in of(clips, "test"):
        (clip(footage, f"test_{mini.name}").path.parent / f"{mini.name}_annotations/{mini.name}_tracks.txt").unlink(
            missing_ok=True
        )
        write_npy(footage.root / "gt" / f"{mini.name}_tracks.txt", 1.0 - mini.labels)
    validation = [one for one in footage.aside if one.split == "validation" and one.abnormal]
    for one in validation:
        (one.path.parent / f"{one.path.stem}_annotations/{one.path.stem}_tracks.txt").unlink()
        write_npy(footage.root / "gt" / f"{one.path.stem}_tracks.txt", np.ones(one.length()))
    disguised = again(footage)
    assert disguised.editions == ("exclusive",)
    for mini in of(clips, "test")[::20]:
        assert labels(disguised, f"test_{mini.name}") == mini.labels.tolist()


def test_an_array_where_tracks_should_be_is_refused(copy: Copy) -> None:
    footage = copy("ubnormal", "official")
    write_npy(annotations(footage) / f"{NAME}_tracks.txt", np.ones(5))
    one_line(again(footage), f"test_{NAME}", "NumPy")


# UCF-Crime


def test_an_underscore_makes_another_clip(copy: Copy) -> None:
    names = {known.clip: known.split for known in DATASETS["ucf_crime"].known_clips}
    assert names["Normal_Videos_003_x264"] == "test"
    assert names["Normal_Videos_010_x264"] == "test"
    assert all(split == ("test" if "Videos_" in name else "train") for name, split in names.items() if "Normal" in name)


def test_clips_that_no_list_names_are_not_read(copy: Copy) -> None:
    footage = copy("ucf_crime", "official")
    extra = Mini("train", "Normal_Videos_event_001_x264", 5, False, 30)
    write_video(footage.root / "Normal_Videos_for_Event_Recognition" / f"{extra.name}.mp4", extra)
    found = again(footage)
    assert found.unlisted == (extra.name,)
    assert check(found) == []


def test_intervals_beyond_the_video_are_cut_by_a_few_frames_and_no_more(copy: Copy) -> None:
    footage = copy("ucf_crime", "official")
    clips = clips_of(footage.dataset)
    path, mini = (
        footage.root / "Temporal_Anomaly_Annotation.txt",
        next(one for one in of(clips, "test") if one.abnormal),
    )
    lines = path.read_text().splitlines()
    place = next(index for index, line in enumerate(lines) if line.startswith(mini.name))
    for beyond, fits in ((3, True), (4, False)):
        lines[place] = f"{mini.name}.mp4  Abuse  2  {mini.frames + beyond}  -1  -1  "
        path.write_text("\n".join(lines))
        found = again(footage)
        if fits:
            assert labels(found, f"test_{mini.name}") == [0] + [1] * (mini.frames - 1)
        else:
            one_line(found, f"test_{mini.name}: ", f"within the clip's {mini.frames}")


def test_how_frames_are_counted_is_an_edition(copy: Copy) -> None:
    footage = copy("ucf_crime", "official")
    clips = clips_of(footage.dataset)
    mini = next(one for one in of(clips, "test") if one.abnormal)
    assert footage.editions == ("one-inclusive", "half-open", "zero-inclusive")
    [(start, end)] = mini.intervals  # in the file: start + 1, end
    assert labels(footage, f"test_{mini.name}", "one-inclusive") == marked([(start, end)], mini.frames).tolist()
    assert labels(footage, f"test_{mini.name}", "half-open") == marked([(start + 1, end)], mini.frames).tolist()
    assert (
        labels(footage, f"test_{mini.name}", "zero-inclusive") == marked([(start + 1, end + 1)], mini.frames).tolist()
    )


@pytest.mark.parametrize(
    "form",
    [
        "{name}\t{kind}\t{a}\t{b}\t-1\t-1\t{n}\n",
        "{kind}/{name} {n} {kind} {a} {b}\n",
        "{name}  {kind}  {a}  {b}  -1  -1",
    ],
)
def test_copies_of_the_annotation_in_other_forms_say_the_same(form: str, copy: Copy) -> None:
    footage = copy("ucf_crime", "official")
    clips = clips_of(footage.dataset)
    lines = [
        form.format(name=mini.name, kind="Normal" if not mini.abnormal else "Abuse", n=mini.frames, a=a, b=b)
        for mini in of(clips, "test")
        for a, b in [(2, mini.intervals[0][1]) if mini.abnormal else (-1, -1)]
    ]
    text = "".join(line if line.endswith("\n") else f"{line}\n" for line in reversed(lines))
    (footage.root / "Temporal_Anomaly_Annotation.txt").write_text(text)
    found = again(footage)
    for mini in of(clips, "test")[::30]:
        assert labels(found, f"test_{mini.name}") == mini.labels.tolist()


# Street Scene, NWPU, IITB, CHAD


def test_files_of_street_scene_count_from_one(copy: Copy) -> None:
    footage = copy("street_scene", "official")
    for text in ("002.jpg 0 8 6 6 5", "Test/Test001/002.jpg 0 8 6 6 5\n002.jpg 1 3 3 2 2\n"):
        write_text(footage.root / "Test/Test001/Test001_gt.txt", text)
        assert labels(footage, "test_01") == [0, 1] + [0] * (clip(footage, "test_01").length() - 2)


def test_labels_of_nwpu_may_be_one_short_and_normal_throughout(copy: Copy) -> None:
    footage = copy("nwpu_campus", "official")
    clips = clips_of(footage.dataset)
    arrays = {mini.name: mini.labels for mini in of(clips, "test")}
    arrays["D001_01"] = np.array([0] * 3 + [1] * (len(arrays["D001_01"]) - 4), np.uint8)
    arrays["D001_02"] = np.zeros_like(arrays["D001_02"])
    np.savez(footage.root / "groundtruth/NWPU_Campus_gt.npz", **arrays)
    assert labels(footage, "test_D001_01") == [*arrays["D001_01"], 1]
    assert set(labels(footage, "test_D001_02")) == {0}
    assert check(again(footage)) == []


def test_labels_of_the_corridor_are_one_shorter_and_no_more(copy: Copy) -> None:
    footage = copy("iitb_corridor", "official")
    clips = clips_of(footage.dataset)
    mini = of(clips, "test")[0]
    path = footage.root / "Test_IITB-Corridor/Test_Annotation/Annotation" / mini.name / f"{mini.name}.npy"
    write_npy(path, np.array([0] * (mini.frames - 2) + [1], np.uint8))
    assert labels(footage, f"test_{mini.name}") == [0] * (mini.frames - 2) + [1, 1]
    write_npy(path, mini.labels[:-2])
    one_line(footage, f"test_{mini.name}: ", str(mini.frames))


def test_test_numbers_of_the_corridor_go_on_from_training(copy: Copy) -> None:
    footage = copy("iitb_corridor", "official")
    assert footage.split("test")[0].name == "test_000209"


def test_a_name_of_chad_is_no_label_of_its_frames(copy: Copy) -> None:
    footage = copy("chad", "official")
    clips = clips_of(footage.dataset)
    mini = next(one for one in of(clips, "test") if one.abnormal)
    write_npy(footage.root / "CHAD_Meta/anomaly_labels" / f"{mini.name}.npy", marked([(3, 4)], mini.frames))
    assert sum(labels(footage, f"test_{mini.name}")) == 1
    assert {one.scene for one in locate("chad:4", footage.root).clips} == {"4"}


def test_the_second_split_of_chad_trains_on_normal_clips_too(copy: Copy) -> None:
    footage = copy("chad:split2", "official")
    assert not any(one.abnormal for one in footage.split("train"))
    assert sum(bool(one.abnormal) for one in locate("chad:split2:all", footage.root).split("train")) == 1


# XD-Violence, MSAD


def test_dots_of_a_name_are_no_extension(copy: Copy) -> None:
    footage = copy("xd_violence", "official")
    assert "test_Thelma...Louise.1991__#01-00-00_01-01-00_label_B2-0-0" in {one.name for one in footage.clips}


def test_names_with_an_extension_and_no_final_newline_are_read(copy: Copy) -> None:
    footage = copy("xd_violence", "official")
    clips = clips_of(footage.dataset)
    path, name = footage.root / "annotations.txt", "v=S-7rRLrxnVQ__#1_label_B4-0-0"
    lines = path.read_text().replace(f"{name} ", f"{name}.mp4 ")
    assert not lines.endswith("\n")
    path.write_text(lines)
    last = lines.splitlines()[-1].split()[0]
    for key in (name, last):
        mini = next(one for one in clips if one.name == key)
        assert labels(again(footage), f"test_{key}") == mini.labels.tolist()


def test_label_a_is_normal_and_classes_may_lack_their_filler(copy: Copy) -> None:
    footage = copy("xd_violence", "official")
    assert [one.name for one in footage.split("train")] == ["train_v=0_ZAhCCK9qU__#1_label_A"]
    assert set(labels(footage, "test_Before.Sunset.2004__#01-14-30_01-16-51_label_A")) == {0}


def test_msad_counts_from_one_and_names_training_clips_too(copy: Copy) -> None:
    footage = copy("msad", "official")
    clips = clips_of(footage.dataset)
    assert labels(footage, "test_Assault_2") == next(one for one in clips if one.name == "Assault_2").labels.tolist()
    everything = locate("msad:all", footage.root)
    abnormal = [one for one in everything.split("train") if one.abnormal]
    assert abnormal
    assert all((one.labels() == 1).any() for one in abnormal)


# Ped1, UMN


def test_ped1_has_masks_of_ten_clips_and_the_others_have_none(copy: Copy) -> None:
    footage = copy("ped1", "official")
    masked = {one.name for one in footage.split("test") if one.has_masks}
    assert masked == {f"test_{number:02d}" for number in PED1_MASKED}
    assert clip(footage, "test_01").masks() is None, "none is not the same as empty"
    assert check(footage, decode_all=True) == []


def test_umn_has_two_editions_and_three_scenes(copy: Copy) -> None:
    footage = copy("umn", "scenes")
    clips = clips_of(footage.dataset)
    assert footage.editions == ("labels", "labels_by_text")
    assert labels(footage, "test_06", "labels_by_text")[:3] == [0, 0, 1]
    for scene in ("lawn", "indoor", "plaza"):
        expected = {f"{mini.split}_{mini.name}" for mini in clips if umn_scene(mini.name) == scene}
        assert {one.name for one in locate(f"umn:{scene}", footage.root).clips} == expected


# What one may bring


def test_lists_that_name_missing_clips(copy: Copy) -> None:
    footage = copy("chad", "official")
    (footage.root / "CHAD_Videos/1_060_0.mp4").unlink()
    one_line(again(footage), "expected 8 test clips", "missing: test_1_060_0")


def test_no_lists_where_they_tell_the_split(copy: Copy) -> None:
    footage = copy("chad", "official")
    for path in (footage.root / "CHAD_Meta/splits").iterdir():
        path.unlink()
    with pytest.raises(PagenError, match="expected lists that tell the splits"):
        again(footage)


def test_tracks_of_an_unknown_object(copy: Copy) -> None:
    footage = copy("ubnormal", "official")
    write_text(annotations(footage) / f"{NAME}_tracks.txt", "9,1,2\r\n")
    one_line(again(footage), f"test_{NAME}: ", "found no 9")


@pytest.mark.parametrize("form", ["v5", "v7.3"])
def test_a_truncated_mat(form: str, copy: Copy) -> None:
    footage = copy("avenue", "official, together")
    path = footage.root / "ground_truth_demo/testing_label_mask/4_label.mat"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if form == "v5" else b"MATLAB 7.3 MAT-file".ljust(200))
    one_line(again(footage), "4_label.mat", "cut short or damaged" if form == "v5" else "7.3")


def test_masks_of_another_size(copy: Copy) -> None:
    footage = copy("avenue", "official, together")
    cells = np.empty((1, 5), object)
    cells[0, :] = [np.zeros((3, 4), np.uint8)] * 5
    scipy.io.savemat(footage.root / "ground_truth_demo/testing_label_mask/1_label.mat", {"volLabel": cells})
    one_line(again(footage), "test_01: ", "3x4")


def test_labels_of_another_set(copy: Copy) -> None:
    crime = copy("ucf_crime", "official")
    (crime.root / "Temporal_Anomaly_Annotation.txt").write_text("Bad.Boys.1995__#01-11-55_label_G-B2-B6 157 180\n")
    one_line(again(crime), "Temporal_Anomaly_Annotation.txt", "Bad.Boys.1995")
    campus = copy("nwpu_campus", "official")
    np.savez(campus.root / "groundtruth/NWPU_Campus_gt.npz", **{"000209": [0, 1]})
    one_line(again(campus), "NWPU_Campus_gt.npz", "000209")
    walkway = copy("ped1", "common")
    write_text(walkway.root / "UCSDped1.m", "TestVideoFile{end+1}.gt_frame = [2:3];\n" * 12)
    one_line(again(walkway), "test_13: ", "12 clips")
