"""One's own videos, or folders of images."""

from __future__ import annotations

from pagen.footage.catalogue import DataSet
from pagen.footage.layout import LabelSource, Layout, MaskSource, Part

FOLDER = DataSet(
    name="folder",
    what="your own videos or image folders, with labels.csv, labels/ or masks/ if you have them",
    fps=25,
    licence="yours",
    obtain="put normal clips into DIR/training and clips to score into DIR/testing, then give --root DIR",
    layouts=(
        Layout(
            name="folder",
            parts=(
                Part("train", ("training/frames", "training", "train/frames", "train"), r".+"),
                Part("test", ("testing/frames", "testing", "test/frames", "test"), r".+"),
            ),
            labels=(
                LabelSource("csv", "labels.csv", "labels.csv"),
                LabelSource("npy", "labels/{clip}.npy", "labels/*.npy"),
                LabelSource("masks", "masks/{clip}", "derived from pixel masks"),
            ),
            masks=(MaskSource("masks/{clip}"),),
            train_labels=(
                LabelSource("csv", "labels.csv", "labels.csv", key="training/{clip}"),
                LabelSource("npy", "labels/training/{clip}.npy", "labels/*.npy"),
            ),
        ),
    ),
)
