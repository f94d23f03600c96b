from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from skimage.measure import label, regionprops

from pagen.errors import PagenError
from pagen.eval.metrics.regions import Detections, Regions, from_masks
from pagen.eval.region_files import read_detections, read_street_scene, read_tracks, write_detections, write_tracks
from pagen.footage.locate import locate

PED2 = Path(__file__).parents[4] / "shared/data/ped2"


def columns(regions: Regions) -> list:
    return [regions.frames.tolist(), regions.tracks.tolist(), regions.boxes.tolist()]


def test_track_files_are_track_frame_box(tmp_path: Path) -> None:
    path = tmp_path / "01_0014.txt"
    path.write_text("0,51,10,20,30,45\n0,52,11.5,20,31,45\n\n1,0,0,0,0,0\n")
    expected = [[51, 52, 0], [0, 0, 1], [[10, 20, 30, 45], [11.5, 20, 31, 45], [0, 0, 0, 0]]]
    assert columns(read_tracks(path)) == expected
    write_tracks(tmp_path / "again.txt", read_tracks(path))
    assert (tmp_path / "again.txt").read_text() == path.read_text().replace("\n\n", "\n")


def test_detection_files_are_frame_box_score_and_keep_every_digit(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    corner = rng.uniform(0, 90, (7, 2))
    found = Detections(
        rng.integers(0, 9, 7), np.hstack([corner, corner + rng.uniform(0, 9, (7, 2))]), rng.normal(size=7)
    )
    path = tmp_path / "a.txt"
    write_detections(path, found)
    again = read_detections(path)
    for column in ("frames", "boxes", "scores"):
        np.testing.assert_array_equal(getattr(again, column), getattr(found, column))
    path.write_text("3,0,0,9,9,.5")
    assert read_detections(path).scores.tolist() == [0.5]


def test_street_scene_files_give_centres_and_count_from_1(tmp_path: Path) -> None:
    path = tmp_path / "Test001_gt.txt"
    path.write_text("001.jpg 1 14.5 30 10 20\n/some/where/017.jpg 2 5 5 1 1\n")
    regions = read_street_scene(path)
    assert columns(regions) == [[0, 16], [1, 2], [[9.5, 20, 18.5, 39], [4.5, 4.5, 4.5, 4.5]]]
    assert (regions.boxes[:, 2:] - regions.boxes[:, :2] + 1).tolist() == [[10, 20], [1, 1]]


@pytest.mark.parametrize("read", [read_tracks, read_detections, read_street_scene])
def test_an_empty_file_has_no_rows(tmp_path: Path, read: object) -> None:
    (tmp_path / "a.txt").write_text("\n")
    found = read(tmp_path / "a.txt")  # type: ignore[operator]
    assert found.frames.shape == (0,)
    assert found.boxes.shape == (0, 4)


@pytest.mark.parametrize("line", ["1,2,3", "1,2,3,4,5,six", "1,2,3,4,5,6,7"])
def test_a_line_of_another_form_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "a.txt").write_text(f"0,0,1,1,2,2\n{line}\n")
    with pytest.raises(PagenError, match=r"expected 'track,frame.*' in line 2 of .*a\.txt"):
        read_tracks(tmp_path / "a.txt")


@pytest.mark.parametrize(
    ("frames", "boxes", "scores", "words"),
    [
        ([0], [[0, 0, 1, 1]] * 2, [1, 1], "each of 2 rows"),
        ([-1], [[0, 0, 1, 1]], [1], "found -1"),
        ([0], [[3, 0, 1, 1]], [1], r"x_min.*\[3.0, 0.0, 1.0, 1.0\] in row 0"),
        ([0], [[0, 0, np.nan, 1]], [1], "nan"),
        ([0], [[0, 0, 1, 1]], [np.inf], "finite scores.*inf"),
    ],
)
def test_what_is_no_box_is_refused(frames: list, boxes: list, scores: list, words: str) -> None:
    with pytest.raises(PagenError, match=words):
        Detections(np.array(frames), np.array(boxes, float), np.array(scores, float))


def test_a_track_goes_on_with_the_largest_overlap() -> None:
    masks = np.zeros((5, 12, 30), bool)
    masks[0, 2:6, 2:8] = masks[0, 2:6, 12:18] = True  # two anomalies ...
    masks[1, 2:6, 4:10] = masks[1, 2:6, 11:17] = True
    masks[2, 2:6, 7:16] = True  # ... that touch: the one on the right shares 5 columns, the other 3
    masks[4, 2:6, 7:16] = masks[4, 6, 16] = True  # a frame without ends it; corners connect
    regions = from_masks(masks)
    assert regions.frames.tolist() == [0, 0, 1, 1, 2, 4]
    assert regions.tracks.tolist() == [0, 1, 0, 1, 1, 2]
    assert regions.boxes[[0, 4, 5]].tolist() == [[2, 2, 7, 5], [7, 2, 15, 5], [7, 2, 16, 6]]


def test_each_track_has_one_region_a_frame() -> None:
    masks = np.zeros((2, 9, 20), bool)
    masks[0, 2:6, 2:18] = True
    masks[1, 2:6, 2:7] = masks[1, 2:6, 9:18] = True  # it breaks in two: the larger part is the same track
    regions = from_masks(masks)
    assert sorted(regions.tracks.tolist()) == [0, 0, 1]
    assert regions.boxes[(regions.frames == 1) & (regions.tracks == 0)].tolist() == [[9, 2, 17, 5]]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_regions_are_scikit_images_connected_parts(seed: int) -> None:
    masks = np.random.default_rng(seed).random((4, 11, 13)) < 0.3
    regions = from_masks(iter(masks))
    for frame, mask in enumerate(masks):
        ours = sorted(regions.boxes[regions.frames == frame].tolist())
        found = [part.bbox for part in regionprops(label(mask, connectivity=2))]
        assert ours == sorted([left, top, right - 1, bottom - 1] for top, left, bottom, right in found)
    painted = np.zeros_like(masks)
    for frame, box, pixels in zip(regions.frames, regions.boxes.astype(int), regions.pixels, strict=True):
        painted[frame, box[1] : box[3] + 1, box[0] : box[2] + 1] |= pixels
    np.testing.assert_array_equal(painted, masks)
    pairs = list(zip(regions.frames.tolist(), regions.tracks.tolist(), strict=True))
    assert len(set(pairs)) == len(pairs)


def test_masks_of_nothing_have_no_regions() -> None:
    regions = from_masks(np.zeros((3, 4, 5), bool))
    assert columns(regions) == [[], [], []]
    assert columns(pickle.loads(pickle.dumps(regions))) == columns(regions)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.05, 0.2, 0.4]))
def test_tracks_stay_inside_what_hangs_together_in_space_and_time(seed: int, share: float) -> None:
    masks = np.random.default_rng(seed).random((6, 9, 12)) < share
    found, volumes = from_masks(masks), ndimage.label(masks, np.ones((3, 3, 3)))[0]
    for track in np.unique(found.tracks):
        rows = np.flatnonzero(found.tracks == track)
        assert (np.diff(found.frames[rows]) == 1).all()
        touched = {volumes[found.frames[row]][window(found, row)][found.pixels[row]][0] for row in rows}
        assert len(touched) == 1


def window(regions: Regions, row: int) -> tuple[slice, slice]:
    left, top, right, bottom = regions.boxes[row].astype(int)
    return slice(top, bottom + 1), slice(left, right + 1)


def test_tracks_of_footage() -> None:
    """Ped2 where it lies beside the repository, else the street."""
    footage = locate("ped2", PED2) if PED2.is_dir() else locate("street")
    clips = [clip for clip in footage.clips if clip.split == "test"]
    regions, tracks = 0, 0
    for clip in clips if PED2.is_dir() else clips[:1]:
        masks = list(clip.masks())
        found = from_masks(masks)
        np.testing.assert_array_equal(np.unique(found.frames), np.flatnonzero([mask.any() for mask in masks]))
        regions, tracks = regions + len(found.frames), tracks + len(np.unique(found.tracks))
    assert (regions, tracks) == (2411, 21) if PED2.is_dir() else regions > tracks > 0
