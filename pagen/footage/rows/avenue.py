"""CUHK Avenue: the official archives, and the copies that the field passes on.

Two editions of labels are in wide use, and differ in 441 of 15,324 frames: the authors' masks (`volLabel`), by which
hf2vad, AccI-VAD and DMAD score, and Hasan et al.'s intervals (`gt`), by which ano_pred, MNAD and LNTRA do.
"""

from __future__ import annotations

from pagen.footage.catalogue import DataSet, Subset
from pagen.footage.layout import LabelSource, Layout, MaskSource, Part

_MASKS = ("ground_truth_demo/testing_label_mask", "../ground_truth_demo/testing_label_mask", "testing_label_mask")
"""Where the second archive's masks lie: beside the videos, beside their folder, or on their own."""
_CELLS = tuple(f"{folder}/{{number}}_label.mat" for folder in _MASKS)
_VOL_LABEL, _GT = 3712, 3867


def _layout(name: str, train: str, test: str, flat: tuple[str, str] | None = None) -> Layout:
    """A layout whose clips lie in these folders; labels may lie in all places in any of them."""
    folders = ((train,), (test,)) if flat is None else ((train, flat[0]), (test, flat[1]))
    return Layout(
        name=name,
        parts=tuple(
            Part(split, places, r"(?P<number>\d{2})", first=0)
            for split, places in zip(("train", "test"), folders, strict=True)
        ),
        labels=(
            *(LabelSource("mat_masks", path, "volLabel", abnormal=_VOL_LABEL) for path in _CELLS),
            LabelSource("mat_frames", "avenue.mat", "volLabel", abnormal=_VOL_LABEL),
            LabelSource("mat_intervals", "avenue.mat", "gt", abnormal=_GT),
            LabelSource("npy", "ground_truth_demo/gt_label.json", "volLabel", stands_in=True),
        ),
        masks=tuple(MaskSource(path, "mat") for path in _CELLS),
    )


AVENUE = DataSet(
    name="avenue",
    what="CUHK Avenue: people who pass a station's entrance, run, throw things, walk the wrong way",
    fps=25,
    licence="academic research alone",
    obtain="obtain both archives, videos and ground truth, from the page 'Avenue Dataset' of CUHK's Jiaya Jia",
    layouts=(
        _layout("official", "training_videos", "testing_videos"),
        _layout("common", "training/frames", "testing/frames", flat=("training", "testing")),
    ),
    aliases=("avenue", "avenuedataset", "cuhkavenue"),
    known="avenue",
    size=(360, 640),
    subsets={
        "hr": Subset(
            "HR-Avenue, without the frames in which no person is abnormal",
            left_out={
                "01": ((75, 121), (390, 437), (864, 911), (931, 1001)),
                "02": ((272, 320), (723, 764)),
                "03": ((293, 341),),
                "06": ((561, 625), (814, 1007)),
                "16": ((728, 740),),
            },
        ),
        "17": Subset("Avenue17, without test clips 01, 02, 08, 09, 10", without=("01", "02", "08", "09", "10")),
    },
)
