"""Boxes against rectangles that were drawn, and the overlap rule against two loops."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pagen.errors import PagenError
from pagen.features.box_detector import DetectorBoxes
from pagen.features.box_kinds import open_boxes
from pagen.features.box_motion import MotionBoxes
from pagen.features.boxes import located, pixels, uncovered
from pagen.footage.prepare import Prepared
from pagen.spread import one_thread

MakeClips = Callable[..., Prepared]
SIZE = (80, 120)
STEP = 3


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    with one_thread():
        yield


def walkers(*places: tuple[int, int], frames: int = 6, channels: int = 1) -> npt.NDArray[np.uint8]:
    """Persons 10 x 24 pixels, dark and in three pieces, who walk to the right from (top, left) over a still ground."""
    rng = np.random.default_rng(0)
    ground, cloth = rng.integers(140, 160, SIZE, np.uint8), rng.integers(0, 100, (4, 10), np.uint8)
    clip = np.repeat(ground[None], frames, axis=0)
    for t in range(frames):
        for top, left in places:
            for part in (0, 10, 20):  # head, trunk, legs: what the closing has to join
                clip[t, top + part : top + part + 4, left + STEP * t : left + STEP * t + 10] = cloth
    return np.repeat(clip[..., None], channels, axis=3)


def test_a_walker_has_one_box_of_its_size(make_clips: MakeClips) -> None:
    places = ((5, 10), (50, 60), (50, 20))
    where = MotionBoxes()(make_clips(train_a=walkers(*places)), "train_a")
    np.testing.assert_array_equal(np.bincount(where.frames), 3)
    for t in range(1, 6):
        boxes = where.boxes[where.frames == t]
        expected = sorted((left + STEP * t, top, left + STEP * t + 10, top + 24) for top, left in places)
        # from where it was to where it is, blurred and grown
        np.testing.assert_allclose(boxes, np.array(expected) - (STEP, 0, 0, 0), atol=2)


@pytest.mark.parametrize("turned", [False, True])
def test_those_who_pass_each_other_have_boxes_of_their_own(turned: bool, make_clips: MakeClips) -> None:
    there, back = walkers((20, 30)), walkers((20, 50))[:, :, ::-1]  # from 30 to the right, from 60 to the left
    frames = np.minimum(there, back)
    if turned:
        frames = frames[:, :, ::-1]
    where = MotionBoxes()(make_clips(train_a=frames), "train_a")
    np.testing.assert_array_equal(np.bincount(where.frames)[:4], 2)  # in frame 3 two pixels are between them
    one, other = where.boxes[where.frames == 3]
    assert one[2] - other[0] < 6


def test_the_first_frame_is_compared_with_the_next(make_clips: MakeClips) -> None:
    where = MotionBoxes()(make_clips(train_a=walkers((5, 10)), test_b=walkers((5, 10), frames=1)), "train_a")
    np.testing.assert_array_equal(where.boxes[where.frames == 0], where.boxes[where.frames == 1])


def test_what_stands_still_or_flickers_has_no_box(make_clips: MakeClips) -> None:
    still = np.repeat(walkers((5, 10), frames=1), 5, axis=0)
    noise = np.random.default_rng(1).integers(0, 6, still.shape, np.uint8)
    lone = still.copy()
    lone[2, 50:56, 50:56] = 0  # an insect: 36 square pixels
    clips = make_clips(train_a=still, train_b=still + noise, train_c=lone, test_d=walkers((5, 10), frames=1))
    for clip in clips.clips():
        where = MotionBoxes()(clips, clip)
        assert where.frames.shape == (0,)
        assert where.boxes.shape == (0, 4)
        assert (where.frames.dtype, where.boxes.dtype) == (np.int64, np.float32)


def test_what_is_long_and_thin_has_no_box(make_clips: MakeClips) -> None:
    frames = walkers(frames=3)
    frames[1, 40:49, 5:115] = 0
    assert len(MotionBoxes()(make_clips(train_a=frames), "train_a").frames) == 0
    frames[1, 35:54, 5:115] = 0
    where = MotionBoxes()(make_clips(train_a=frames), "train_a")
    # what appears at once goes no way, so that a corner of it may be a box of its own
    assert [np.ptp(where.boxes[where.frames == t][:, [0, 2]], axis=1).max() for t in range(3)] == [114] * 3


def test_boxes_end_at_the_border_of_the_frame(make_clips: MakeClips) -> None:
    frames = walkers((0, 0), (SIZE[0] - 24, SIZE[1] - 10 - STEP), frames=2)
    boxes = MotionBoxes()(make_clips(train_a=frames), "train_a").boxes[:2]
    assert boxes.min() == 0
    np.testing.assert_array_equal(boxes[:, 2:].max(axis=0), (120, 80))


def test_colours_are_looked_at_in_grey(make_clips: MakeClips) -> None:
    grey, colour = (make_clips(train_a=walkers((5, 10), (50, 60), channels=channels)) for channels in (1, 3))
    for one, other in zip(MotionBoxes()(grey, "train_a"), MotionBoxes()(colour, "train_a"), strict=True):
        np.testing.assert_array_equal(one, other)


def test_motion_of_a_stream_is_that_of_the_clip(make_clips: MakeClips) -> None:
    frames = walkers((5, 10), (50, 60))
    finder = open_boxes("motion")
    where = finder(make_clips(train_a=frames), "train_a")
    for t in range(1, len(frames)):
        np.testing.assert_array_equal(finder.newest(frames[t - 1 : t + 1]), where.boxes[where.frames == t])
    assert finder.newest(frames[:1]).shape == (0, 4)
    assert pickle.loads(pickle.dumps(finder)) == finder


@st.composite
def some_boxes(draw: Any) -> npt.NDArray[np.float32]:
    corners = st.integers(0, 12)
    rows = draw(st.lists(st.tuples(corners, corners, st.integers(1, 6), st.integers(1, 6)), max_size=8))
    low = np.array(rows, np.float32).reshape(-1, 4)
    return np.concatenate([low[:, :2], low[:, :2] + low[:, 2:]], axis=1)


@given(some_boxes(), st.sampled_from([0.25, 0.5, 0.6, 0.65]))
@settings(max_examples=80, deadline=None)
def test_the_overlap_rule_is_that_of_two_loops(boxes: npt.NDArray[np.float32], share: float) -> None:
    def area(box: Any) -> float:
        return float(max(box[2] - box[0], 0) * max(box[3] - box[1], 0))

    expected = []
    for i, box in enumerate(boxes):
        larger = [
            other for j, other in enumerate(boxes) if area(other) > area(box) or (area(other) == area(box) and j > i)
        ]
        common = [area((*np.maximum(box[:2], other[:2]), *np.minimum(box[2:], other[2:]))) for other in larger]
        expected.append(all(each <= share * area(box) for each in common))
    assert uncovered(boxes, share).tolist() == expected


def test_of_a_box_and_its_part_the_larger_stays() -> None:
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 6], [0, 0, 10, 6], [7, 0, 17, 5]], np.float32)
    assert uncovered(boxes).tolist() == [True, False, False, True]
    assert uncovered(np.array([[0, 0, 10, 10], [4, 0, 14, 10]], np.float32), 0.6).tolist() == [True, True]
    assert uncovered(np.array([[0, 0, 10, 10], [4, 0, 14, 10]], np.float32), 0.59).tolist() == [False, True]


def test_pixels_of_a_box() -> None:
    boxes = np.array([[1.2, 2, 4.5, 6.01], [3.1, 3.1, 3.6, 3.6], [9.5, 7.5, 10, 8]], np.float32)
    found = pixels(boxes, (8, 10))
    np.testing.assert_array_equal(found, [[2, 2, 5, 7], [4, 4, 5, 5], [9, 7, 10, 8]])


LENGTHS = {"training": {"01": 4, "02": 2}, "testing": {"01": 3}}


def tables(path: Path, **changes: Any) -> Path:
    """An npz of boxes 10 x 20, of which frame f of a clip has f, the n-th at x = n."""
    arrays: dict[str, Any] = {}
    for split, clips in LENGTHS.items():
        counts = [frame for length in clips.values() for frame in range(length)]
        rows = [(n, frame, n + 10, frame + 20) for frame in counts for n in range(frame)]
        arrays |= {f"{split}_clips": np.array(list(clips)), f"{split}_clip_frames": np.array(list(clips.values()))}
        arrays |= {f"{split}_boxes": np.array(rows, np.float32)}
        arrays |= {f"{split}_box_offsets": np.concatenate([[0], np.cumsum(counts)])}
    np.savez(path, **(arrays | changes))
    return path


@pytest.fixture(scope="module")
def blank(make_clips: MakeClips) -> Prepared:
    def clip(length: int) -> npt.NDArray[np.uint8]:
        return np.zeros((length, 40, 60, 1), np.uint8)

    return make_clips(train_01=clip(4), train_02=clip(2), test_01=clip(3))


def test_boxes_of_an_npz(blank: Prepared, tmp_path: Path) -> None:
    finder = open_boxes(f"file:{tables(tmp_path / 'boxes.npz')}")
    for clip, length in {"train_01": 4, "train_02": 2, "test_01": 3}.items():
        where = finder(blank, clip)
        assert where.frames.tolist() == [frame for frame in range(length) for _ in range(frame)]
        expected = [(n, frame, n + 10, frame + 20) for frame in range(length) for n in range(frame)]
        np.testing.assert_array_equal(where.boxes, expected)
    with pytest.raises(PagenError, match="found in a stream"):
        finder.newest(np.zeros((1, 40, 60, 1), np.uint8))


def test_boxes_of_json(blank: Prepared, tmp_path: Path) -> None:
    rows = {"train_01": [[3, 1, 2, 11, 22], [0, -1, 30, 9.5, 41]], "train_02": [], "test_01": [[2, 0, 0, 60, 40]]}
    (tmp_path / "boxes.json").write_text(json.dumps(rows))
    finder = open_boxes(f"file:{tmp_path / 'boxes.json'}")
    where = finder(blank, "train_01")
    assert where.frames.tolist() == [0, 3]
    np.testing.assert_array_equal(where.boxes, [[0, 30, 9.5, 40], [1, 2, 11, 22]])  # cut at the border
    assert finder(blank, "train_02").boxes.shape == (0, 4)
    assert finder(blank, "test_01").boxes.dtype == np.float32


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ({"train_02": []}, "expected boxes of clip train_01"),
        ({"train_01": [[4, 0, 0, 1, 1]]}, "expected 4 frames of clip train_01 .* found 5"),
        ({"train_01": [[0, 0, 0, 63, 10]]}, "found 0, 0, 63, 10"),
        ({"train_01": [[0, -3, 0, 10, 10]]}, "found -3, 0, 10, 10"),
        ({"train_01": [[0, 5, 5, 5, 10]]}, "found 5, 5, 5, 10"),
        ({"train_01": [[0, 60, 5, 61, 10]]}, "inside 60x40"),
        ({"train_01": [[0, float("nan"), 5, 61, 10]]}, "found nan"),
        ({"train_01": [[0.5, 0, 0, 1, 1]]}, r"a whole number for train_01\[0\]\[0\] in .*, found 0.5"),
        ({"train_01": [[-1, 0, 0, 1, 1]]}, "a number greater than or equal to 0 for train_01"),
        ({"train_01": [[0, 0, 0, 1]]}, r"a value for train_01\[0\]\[4\] in .*, found none"),
        ({"train_01": 3}, "a list for train_01 in .*, found 3"),
        ([1], "boxes of clips as an object in .*, found a list"),
    ],
)
def test_strange_json_is_refused(blank: Prepared, tmp_path: Path, rows: Any, said: str) -> None:
    (tmp_path / "boxes.json").write_text(json.dumps(rows))
    with pytest.raises(PagenError, match=said):
        open_boxes(f"file:{tmp_path / 'boxes.json'}")(blank, "train_01")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"training_boxes": np.array([[1, 2]], object)}, r"found others \(training_boxes that are pickled objects\)"),
        ({"training_boxes": np.zeros((7, 5), np.float32)}, "a table of float32"),
        ({"training_boxes": np.zeros((8, 4), np.float32)}, "up to 8"),
        ({"training_clip_frames": np.array([4, 3])}, "offsets"),
        ({"training_clip_frames": np.array([3, 3])}, "expected 4 frames of clip train_01 .* found 3"),
        ({"training_clips": np.array(["03", "04"])}, "expected boxes of clip train_01"),
        ({"training_box_offsets": np.array([0, 3, 1, 3, 6, 6, 7])}, "do not lead"),
    ],
)
def test_a_strange_npz_is_refused(blank: Prepared, tmp_path: Path, changes: Any, said: str) -> None:
    with pytest.raises(PagenError, match=said):
        open_boxes(f"file:{tables(tmp_path / 'boxes.npz', **changes)}")(blank, "train_01")


def test_files_that_are_none_are_refused(blank: Prepared, tmp_path: Path) -> None:
    for name, content in {"a.npz": b"PK\x03\x04", "b.npz": pickle.dumps([1]), "c.json": b"{"}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(PagenError, match=r"found others|as JSON in .*, found Expecting"):
            open_boxes(f"file:{tmp_path / name}")(blank, "train_01")
    np.savez(tmp_path / "d.npz", x=np.zeros(3))
    with pytest.raises(PagenError, match="neither training_boxes nor testing_boxes"):
        open_boxes(f"file:{tmp_path / 'd.npz'}")(blank, "train_01")
    for spec in ("file:", f"file:{tmp_path}", "file:none.npz"):
        with pytest.raises(PagenError, match="found no file"):
            open_boxes(spec)


def test_boxes_of_a_file_need_clips_of_the_footages_own_size(prepared: Prepared, tmp_path: Path) -> None:
    (tmp_path / "boxes.json").write_text(json.dumps({"train_a": []}))
    with pytest.raises(PagenError, match="--size native"):
        open_boxes(f"file:{tmp_path / 'boxes.json'}")(prepared, "train_a")


def test_a_changed_file_is_read_again(blank: Prepared, tmp_path: Path) -> None:
    path = tmp_path / "boxes.json"
    for x in (3, 4):
        path.write_text(json.dumps({"train_01": [[0, x, 0, 10, 10]]}))
        assert open_boxes(f"file:{path}")(blank, "train_01").boxes[0, 0] == x


def test_unknown_boxes_are_refused() -> None:
    with pytest.raises(PagenError, match="no kind of boxes named 'motoin'; did you mean 'motion'"):
        open_boxes("motoin")
    with pytest.raises(PagenError, match="without an option"):
        open_boxes("motion:3")


def test_frames_without_boxes_are_left_out() -> None:
    boxes = [np.zeros((count, 4), np.float32) for count in (0, 2, 0, 1, 0)]
    assert located(boxes).frames.tolist() == [1, 1, 3]


@pytest.fixture(scope="module")
def yolos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a detector with random weights, of pictures 32 x 48."""
    from transformers import YolosConfig, YolosForObjectDetection, YolosImageProcessorPil

    torch.manual_seed(3)
    small = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = YolosConfig(**small, image_size=[32, 48], patch_size=8, num_detection_tokens=6, num_labels=2)
    model = YolosForObjectDetection(config)
    with torch.no_grad():
        model.vit.embeddings.detection_tokens.normal_(std=3)
        for layer in model.bbox_predictor.layers:
            layer.weight.normal_(std=0.6)
        model.class_labels_classifier.layers[-1].weight.normal_(std=1)
    folder = tmp_path_factory.mktemp("models") / "yolos"
    model.save_pretrained(folder)
    YolosImageProcessorPil(size={"shortest_edge": 32, "longest_edge": 64}).save_pretrained(folder)
    return folder


def test_a_detectors_boxes_are_the_models(yolos: Path, make_clips: MakeClips) -> None:
    from transformers import YolosForObjectDetection

    frames = np.random.default_rng(0).integers(0, 255, (3, 32, 48, 1), np.uint8)
    clips = make_clips(train_a=frames)
    detector = open_boxes(f"detector:{yolos}")
    assert isinstance(detector, DetectorBoxes)
    loose = DetectorBoxes(detector.model, score=0.3, area=20, covered=0.6)
    where = loose(clips, "train_a")
    assert len(where.frames) > 3
    network = YolosForObjectDetection.from_pretrained(yolos).eval()
    colour = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    for t, frame in enumerate(frames):
        pictures = np.stack([(frame[..., 0] / 255 - mean) / std for mean, std in zip(*colour, strict=True)])
        with torch.inference_mode():
            output = network(torch.tensor(pictures[None], dtype=torch.float32))
        x, y, w, h = (output.pred_boxes[0].double() * torch.tensor([48, 32, 48, 32])).numpy().T
        boxes = np.stack([x - w / 2, y - h / 2, x + w / 2, y + h / 2], axis=1).clip(0, [48, 32, 48, 32])
        sure = output.logits[0].softmax(-1)[:, :-1].max(-1).values.numpy() > 0.3
        large = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]) >= 20
        boxes = boxes[sure & large]
        expected = boxes[uncovered(boxes.astype(np.float32), 0.6)]
        np.testing.assert_allclose(where.boxes[where.frames == t], expected, atol=1e-3)
        np.testing.assert_array_equal(loose.newest(frames[: t + 1]), where.boxes[where.frames == t])
    assert len(DetectorBoxes(detector.model, score=1.0)(clips, "train_a").frames) == 0


def test_detectors_that_are_none_are_refused(yolos: Path, clip: Path, tmp_path: Path) -> None:
    with pytest.raises(PagenError, match="expected 'detector:MODEL'"):
        open_boxes("detector:")
    with pytest.raises(PagenError, match=r"no config\.json"):
        open_boxes(f"detector:{tmp_path}")
    with pytest.raises(PagenError, match="cannot load the model"):
        open_boxes(f"detector:{clip}")
