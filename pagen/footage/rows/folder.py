"""One's own videos, or folders of images."""

from __future__ import annotations

import re
from dataclasses import replace

from pagen.errors import PagenError
from pagen.footage.catalogue import WITHOUT, DataSet, modifiers_of
from pagen.footage.layout import LabelSource, Layout, MaskSource, Part
from pagen.footage.own import Own, said_by

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


def own(name: str, entry: Own) -> DataSet:
    """The row of a data set of one's own, which lies as `folder`.

    Raises PagenError: a scene that is called as a modifier of names.

    Example:
        >>> from pathlib import Path
        >>> own("shop", Own(Path("footage"), scenes=("till",))).scene_names
        ('till',)
    """
    taken = [scene for scene in entry.scenes if scene in modifiers_of(FOLDER) or scene.startswith(WITHOUT)]
    if taken:
        found = f"{taken[0]} in {said_by(name)}; rename it"
        raise PagenError(f"expected scenes that are no modifier of names for {name}, found {found}")
    (layout,) = FOLDER.layouts
    parts = tuple(replace(part, clip=_clip(entry.scenes)) for part in layout.parts)
    layout = replace(layout, parts=parts, labels=entry.labels or layout.labels)
    row = replace(FOLDER, name=name, what=entry.what, fps=entry.fps, licence=entry.licence, layouts=(layout,))
    return replace(row, obtain=f"{said_by(name)} says where it lies", scene_names=entry.scenes, root=entry.root)


def _clip(scenes: tuple[str, ...]) -> str:
    """The regular expression of clips' names, any of them; of two scenes that fit, the longer name counts."""
    names = "|".join(re.escape(scene) for scene in sorted(scenes, key=len, reverse=True))
    return rf"(?P<scene>{names})(?:[-_. ].*)?|.+" if scenes else r".+"
