"""Street Scene, NWPU Campus, IITB Corridor and CHAD: fixed cameras, one or many, and days of normal life."""

from __future__ import annotations

from dataclasses import replace

from pagen.footage.catalogue import DataSet
from pagen.footage.layout import LISTED, LabelSource, Layout, Part, SplitList

STREET_SCENE = DataSet(
    name="street_scene",
    what="Street Scene: a two-lane street from above, jaywalkers, loiterers, cars parked where none may",
    fps=15,
    licence="research use; see its page",
    obtain="obtain it from the page 'Street Scene' of Mitsubishi Electric Research Laboratories (MERL)",
    layouts=(
        Layout(
            name="official",
            parts=(
                Part("train", ("Train",), r"Train(?P<number>\d{3})", first=1, videos=()),
                Part("test", ("Test",), r"Test(?P<number>\d{3})", first=1, videos=()),
            ),
            labels=(LabelSource("street_scene", "Test/{clip}/{clip}_gt.txt", "boxes"),),
        ),
    ),
    aliases=("streetscene",),
    known="street_scene",
    size=(720, 1280),
)

_NWPU_NAME = r"(?P<scene>D\d{3})_\d+"
NWPU_CAMPUS = DataSet(
    name="nwpu_campus",
    what="NWPU Campus: many scenes of a campus, anomalies that are none elsewhere",
    fps=25,
    licence="research use; see its page",
    obtain="obtain it from the page 'NWPU Campus dataset' of Congqi Cao et al.",
    layouts=(
        Layout(
            name="official",
            parts=(
                Part("train", ("videos/Train",), _NWPU_NAME, images=()),
                Part("test", ("videos/Test",), _NWPU_NAME, images=()),
            ),
            labels=(LabelSource("npz", "groundtruth/NWPU_Campus_gt.npz", "NWPU_Campus_gt.npz", slack=1),),
        ),
    ),
    aliases=("nwpucampus", "nwpucampusdataset"),
    counts={"train": 305, "test": 242},
    size=(1080, 1920),
)

_ANNOTATIONS = ("Test_IITB-Corridor/Test_Annotation", "Test_IITB_Corridor/Test_Annotation", "Test_Annotation")
_ONE_SHORTER = 1
"""Arrays of labels are one shorter than videos in the copies of at least one reader."""
IITB_CORRIDOR = DataSet(
    name="iitb_corridor",
    what="IITB Corridor: a corridor of a campus, staged fights, chases; test numbers go on from training",
    fps=25,
    licence="research use; see its page",
    obtain="obtain it from the page 'Multi-timescale Trajectory Prediction' of Royston Rodrigues et al.",
    layouts=(
        Layout(
            name="official",
            parts=(
                Part("train", ("Train_IITB?Corridor/Train/*", "Train/*"), r"\d{6}", images=()),
                Part("test", ("Test_IITB?Corridor/Test/*", "Test/*"), r"\d{6}", images=()),
            ),
            labels=tuple(
                LabelSource("npy", f"{folder}/Annotation/{{clip}}/{{clip}}.npy", "Annotation", slack=_ONE_SHORTER)
                for folder in _ANNOTATIONS
            ),
        ),
        Layout(
            name="common",
            parts=(
                Part("train", ("training/frames", "training/videos", "training"), r"\d{6}"),
                Part("test", ("testing/frames", "testing/videos", "testing"), r"\d{6}"),
            ),
            labels=tuple(
                LabelSource("npy", path, "Annotation", slack=_ONE_SHORTER)
                for path in ("anomaly_labels/{clip}.npy", "groundtruth/{clip}/{clip}.npy")
            ),
        ),
    ),
    aliases=("iitb", "iitbcorridor", "corridor"),
    known="iitb_corridor",
    size=(1080, 1920),
)


def _chad(number: int) -> tuple[Layout]:
    """The layout of CHAD with one of its two splits."""
    labels = (LabelSource("npy", "CHAD_Meta/anomaly_labels/{clip}.npy", "anomaly_labels"),)
    return (
        Layout(
            name="official",
            parts=(Part(LISTED, ("CHAD_Videos",), r"(?P<scene>[1-4])_\d+_(?:0|(?P<abnormal>1))", images=()),),
            labels=labels,
            train_labels=labels,
            lists=tuple(
                SplitList(split, f"CHAD_Meta/splits/{split}_split_{number}.txt") for split in ("train", "test")
            ),
        ),
    )


CHAD = DataSet(
    name="chad",
    what="CHAD: a car park by four cameras; split 1, in which no training clip is abnormal",
    fps=30,
    licence="Apache-2.0, by its repository",
    obtain="obtain CHAD_Videos and CHAD_Meta by the links in the repository 'CHAD' of TeCSAR-UNCC",
    layouts=_chad(1),
    aliases=("chad",),
    scene_names=("1", "2", "3", "4"),
)

CHAD_SECOND_SPLIT = replace(
    CHAD,
    name="chad:split2",
    what="CHAD: a car park by four cameras; split 2, in which both sides hold clips with anomalies",
    layouts=_chad(2),
)
