"""UCF-Crime, XD-Violence and MSAD: videos out of many places, abnormal ones among the training clips too."""

from __future__ import annotations

from pagen.footage.catalogue import DataSet
from pagen.footage.layout import LISTED, LabelSource, Layout, Part

_UCF_FILES = (
    "Temporal_Anomaly_Annotation.txt",
    "Temporal_Anomaly_Annotation_for_Testing_Videos.txt",
    "Temporal_Anomaly_Annotation_New.txt",
)
_UCF_EDITIONS = {"one-inclusive": 84338, "half-open": 84182, "zero-inclusive": 84331}
"""How intervals are counted -> abnormal test frames. The authors' scorer is the first; copies in Python the others."""
_UCF_BEYOND = 3
"""By how many frames five of the intervals end after their videos."""

UCF_CRIME = DataSet(
    name="ucf_crime",
    what="UCF-Crime: untrimmed surveillance videos of thirteen kinds of crimes and of none",
    fps=30,
    licence="research use; see its page",
    obtain="obtain it from the page 'Real-world Anomaly Detection in Surveillance Videos' of UCF's CRCV; the split "
    "comes with pagen",
    layouts=(
        Layout(
            name="official",
            parts=tuple(Part(LISTED, (glob,), r".+_x264", images=()) for glob in ("*", "*/*")),
            labels=tuple(
                LabelSource("ucf", path, edition, slack=_UCF_BEYOND, counting=edition, abnormal=abnormal)
                for edition, abnormal in _UCF_EDITIONS.items()
                for path in _UCF_FILES
            ),
        ),
    ),
    aliases=("ucfcrime", "ucfcrimes"),
    known="ucf_crime",
)

_XD_NAME = r".+_label_(?:A|(?P<abnormal>[BG]\d?(?:-.+)?))"
"""`_label_A` is normal; else up to three classes, with `-0` where there are fewer, or without."""
_XD_BEYOND = 16
"""The authors' script cuts labels to whole snippets of 16 frames, so that nobody saw where they end after a video."""

XD_VIOLENCE = DataSet(
    name="xd_violence",
    what="XD-Violence: violent scenes of films and of the web; pagen does not hear their sound",
    fps=24,
    licence="research use; see its page",
    obtain="obtain it from the page 'XD-Violence' of Peng Wu et al.",
    layouts=(
        Layout(
            name="official",
            parts=(
                Part("train", ("[0-9]*-[0-9]*", "train*", "videos/train*"), _XD_NAME, images=()),
                Part("test", ("test_videos", "test/videos", "test", "videos", "videos/test*"), _XD_NAME, images=()),
            ),
            labels=(LabelSource("xd", "annotations.txt", "annotations.txt", slack=_XD_BEYOND),),
        ),
    ),
    aliases=("xdviolence", "xd"),
    counts={"train": 3954, "test": 800},
)

_MSAD_LABELS = (LabelSource("msad", "anomaly_annotation.csv", "anomaly_annotation.csv", abnormal=33739),)

MSAD = DataSet(
    name="msad",
    what="MSAD: anomalies of eleven kinds in fourteen scenarios, in the split of the authors' protocol ii",
    fps=30,
    licence="academic and research use, no redistribution",
    obtain="apply for it on the page 'MSAD dataset' of Liyun Zhu et al.; the split comes with pagen",
    layouts=(
        Layout(
            name="official",
            parts=(
                Part(LISTED, ("MSAD_anomaly_blur/*", "MSAD_anomaly/*"), r"[A-Z][a-z]+(?:_[a-z]+)?_\d+", images=()),
                Part(LISTED, ("MSAD_normal_training_blur", "MSAD_normal_training"), r"MSAD_normal_.+", images=()),
                Part(LISTED, ("MSAD_normal_testing_blur", "MSAD_normal_testing"), r"MSAD_normal_.+", images=()),
            ),
            labels=_MSAD_LABELS,
            train_labels=_MSAD_LABELS,
        ),
    ),
    aliases=("msad", "msadblur"),
    known="msad",
)
