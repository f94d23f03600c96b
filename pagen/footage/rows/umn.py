"""UMN: a crowd panics, in three scenes, as folders of clips.

It circulates as one film whose eleven parts begin normally and end in panic, with a text burned in that tells the
label; here each part is a clip, the text must have been painted over, and some parts, cut before the panic, train.
Two editions of labels disagree: intervals that were passed on, and the frames on which the text shows, later.
"""

from __future__ import annotations

from pagen.footage.catalogue import DataSet
from pagen.footage.layout import LabelSource, Layout, Part

_SCENES = ("lawn", "indoor", "plaza")

UMN = DataSet(
    name="umn",
    what="UMN: a crowd that panics, on a lawn, indoors, on a plaza; a folder a scene, the split is yours",
    fps=30,
    licence="research use by custom; University of Minnesota",
    obtain="cut the film of the University of Minnesota's page 'Unusual crowd activity' into clips, paint its text "
    "over, and lay them into SCENE/training and SCENE/testing",
    layouts=(
        Layout(
            name="scenes",
            parts=tuple(
                Part(split, (f"{scene}/{split}ing",), r".+", scene=scene)
                for scene in _SCENES
                for split in ("train", "test")
            ),
            labels=(
                LabelSource("npy", "{scene}/labels/{clip}.npy", "labels"),
                LabelSource("npy", "{scene}/labels_by_text/{clip}.npy", "labels_by_text"),
            ),
        ),
    ),
    aliases=("umn",),
    size=(240, 320),
    scene_names=_SCENES,
)
