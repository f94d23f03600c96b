"""ShanghaiTech Campus: thirteen cameras of a campus. Training is video, testing is images.

The number of digits of a clip's name is its split: `01_015` is a training clip, `01_0015` a test clip. Training clips
were counted by an OpenCV decoder; a container, or `ffmpeg -i`, counts one frame more, two in clips of 25 fps.
"""

from __future__ import annotations

from dataclasses import replace

from pagen.footage.catalogue import DataSet, Subset
from pagen.footage.layout import LISTED, LabelSource, Layout, MaskSource, Part

_TRAIN = r"(?P<scene>\d{2})_\d{3}"
_TEST = r"(?P<scene>\d{2})_\d{4}"
_TRAIN_FOLDERS = ("training/videos", "training/frames", "training")
_TEST_FOLDERS = ("testing/frames", "testing")
_FRAME_MASKS = ("testing/test_frame_mask", "test_frame_mask", "testframemask")
_PIXEL_MASKS = ("testing/test_pixel_mask", "test_pixel_mask")
_TRACKS = ("annotations/ShanghaiTech", "annotations")

_LABELS = (
    *(LabelSource("npy", f"{folder}/{{clip}}.npy", "test_frame_mask", abnormal=17326) for folder in _FRAME_MASKS),
    *(LabelSource("aed", f"{folder}/{{clip}}.txt", "AED tracks", abnormal=17135) for folder in _TRACKS),
    LabelSource("npz", "scene_gt.npz", "scene-dependent"),
    LabelSource("npy", "ground_truth_demo/gt_label.json", "test_frame_mask", stands_in=True),
)
_LAYOUT = Layout(
    name="official",
    parts=(Part("train", _TRAIN_FOLDERS, _TRAIN, first=0), Part("test", _TEST_FOLDERS, _TEST, first=0, videos=())),
    labels=_LABELS,
    masks=tuple(MaskSource(f"{folder}/{{clip}}.npy", "array") for folder in _PIXEL_MASKS),
)

SHANGHAITECH = DataSet(
    name="shanghaitech",
    what="ShanghaiTech Campus: thirteen scenes of a campus, cyclists, chases, fights; no test clip of scene 13",
    fps=24,
    licence="BSD-2-Clause, as others state",
    obtain="obtain it from the page 'ShanghaiTech Campus dataset' of ShanghaiTech's SVIP Lab",
    layouts=(_LAYOUT,),
    aliases=("shanghaitech", "shanghai", "shanghaitechcampus"),
    known="shanghaitech",
    size=(480, 856),
    scene_names=tuple(f"{scene:02d}" for scene in range(1, 14)),
    subsets={
        "hr": Subset(
            "HR-ShanghaiTech, without the six test clips in which no person is abnormal",
            without=("01_0130", "01_0135", "01_0136", "06_0144", "06_0145", "12_0152"),
        )
    },
)

WEAK = replace(
    SHANGHAITECH,
    name="shanghaitech:weak",
    what="ShanghaiTech Campus in Zhong et al.'s weakly supervised split, abnormal clips among the training clips",
    layouts=(
        replace(
            _LAYOUT,
            parts=(
                Part(LISTED, _TRAIN_FOLDERS, _TRAIN, first=0),
                Part(LISTED, _TEST_FOLDERS, _TEST, first=0, videos=()),
            ),
            labels=tuple(replace(source, abnormal=None) for source in _LABELS),
            train_labels=_LABELS[:-1],
        ),
    ),
    known="shanghaitech_weak",
    abnormal=7962,
    subsets={},
)
