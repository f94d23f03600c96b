"""UBnormal: synthetic scenes. Clips of all splits lie together by scene; the split is lists of names.

Tracks `object,first,last` count from 0 and include the last frame (`inclusive`). Copies that dropped it are in use
(`exclusive`); where a clip has `_new_tracks.txt`, the authors' scripts disagree on whether it replaces `_tracks.txt`.
"""

from __future__ import annotations

from pagen.footage.catalogue import DataSet
from pagen.footage.layout import LISTED, LabelSource, Layout, MaskSource, Part

_ANNOTATIONS = "{folder}/{clip}_annotations"
_LABELS = (
    LabelSource("tracks", f"{_ANNOTATIONS}/{{clip}}_tracks.txt", "inclusive", abnormal=49850),
    LabelSource("tracks", "gt/{clip}_tracks.txt", "inclusive", abnormal=49850),
    LabelSource("values", "ground_truth/{clip}/ground_truth_frame_level.txt", "inclusive", abnormal=49850),
    LabelSource("tracks", f"{_ANNOTATIONS}/{{clip}}_tracks.txt", "exclusive", counting="half-open", abnormal=49650),
    LabelSource("npy_for_tracks", "gt/{clip}_tracks.txt", "exclusive", normal=1, abnormal=49650),
    LabelSource("tracks", f"{_ANNOTATIONS}/{{clip}}_new_tracks.txt", "new_tracks"),
    LabelSource("tracks", f"{_ANNOTATIONS}/{{clip}}_tracks.txt", "new_tracks", stands_in=True),
)

UBNORMAL = DataSet(
    name="ubnormal",
    what="UBnormal: 29 synthetic scenes, clips with and without abnormal events in training, validation and test",
    fps=30,
    licence="CC BY-NC-ND 4.0",
    obtain="obtain it by the link in the repository 'UBnormal' of Lilian Georgescu; the split comes with pagen",
    layouts=(
        Layout(
            name="official",
            parts=(Part(LISTED, ("Scene*",), r"(?:ab)?normal_scene_(?P<scene>\d+)_scenario_?\d+.*", images=()),),
            labels=_LABELS,
            masks=(MaskSource(f"{_ANNOTATIONS}/{{clip}}_tracks.txt", "objects"),),
            train_labels=_LABELS,
        ),
    ),
    aliases=("ubnormal",),
    known="ubnormal",
    scene_names=tuple(str(scene) for scene in range(1, 30)),
)
