"""The copies in which each data set circulates, written as miniatures: see `miniature`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from miniature import (
    Mini,
    box_line,
    marked,
    of,
    pixels,
    ucf_class,
    ucf_line,
    write_by_clip,
    write_bytes,
    write_frames,
    write_gt,
    write_m,
    write_masks,
    write_npy,
    write_text,
    write_tracks,
    write_video,
    write_vol_label,
)

Write = Callable[[Path, Sequence[Mini]], Path]


def avenue_official(top: Path, clips: Sequence[Mini]) -> Path:
    """The official archive, and beside it the second one, which repeats the test videos."""
    root = top / "Avenue Dataset"
    for clip in clips:
        write_video(root / f"{clip.split}ing_videos" / f"{clip.name}.avi", clip)
    for clip in of(clips, "test"):
        write_video(top / "ground_truth_demo/testing_videos" / f"{clip.name}.avi", clip)
        write_vol_label(top / "ground_truth_demo/testing_label_mask" / f"{int(clip.name)}_label.mat", clip.labels)
    write_bytes(root / "testing_vol/vol01.mat", b"features, no labels")
    return root


def avenue_together(top: Path, clips: Sequence[Mini]) -> Path:
    """Both archives in one folder."""
    avenue_official(top / "apart", clips)
    root = top / "avenue"
    (top / "apart/Avenue Dataset").rename(root)
    (top / "apart/ground_truth_demo").rename(root / "ground_truth_demo")
    return root


def _ano_pred(root: Path, clips: Sequence[Mini], frames: str) -> Path:
    for clip in clips:
        write_frames(root / f"{clip.split}ing" / frames / clip.name, clip, "{:04}.jpg")
    return root


def avenue_common(top: Path, clips: Sequence[Mini]) -> Path:
    """The field's copy, in which `avenue.mat` holds `gt`."""
    root = _ano_pred(top / "avenue", clips, "frames")
    write_gt(root / "avenue.mat", of(clips, "test"))
    return root


def avenue_flat(top: Path, clips: Sequence[Mini]) -> Path:
    """The same without the folder `frames`; `avenue.mat` holds one variable a clip."""
    root = _ano_pred(top / "avenue", clips, "")
    write_by_clip(root / "avenue.mat", of(clips, "test"))
    return root


def shanghaitech_official(top: Path, clips: Sequence[Mini]) -> Path:
    """Original training clips (three digits) as video, test clips (four) as frames; the split may be another."""
    root = top / "shanghaitech"
    for clip in clips:
        if len(clip.name) == len("01_001"):
            write_video(root / "training/videos" / f"{clip.name}.avi", clip)
        else:
            write_frames(root / "testing/frames" / clip.name, clip, "{:03}.jpg")
            _shanghaitech_masks(root / "testing", clip, "test_frame_mask")
            write_npy(root / "testing/test_pixel_mask" / f"{clip.name}.npy", pixels(clip.labels))
    return root


def shanghaitech_extracted(top: Path, clips: Sequence[Mini]) -> Path:
    """The same after users extracted the training videos, in which frames are not padded."""
    root = shanghaitech_official(top, clips)
    for clip in clips:
        video = root / "training/videos" / f"{clip.name}.avi"
        if video.exists():
            video.unlink()
            write_frames(root / "training/frames" / clip.name, clip, "{}.jpg")
    return root


def shanghaitech_flat(top: Path, clips: Sequence[Mini]) -> Path:
    """The copy without `frames` and `videos`, with the labels at its top."""
    root = top / "shanghai"
    for clip in clips:
        original = len(clip.name) == len("01_001")
        folder = "training" if original else "testing"
        write_frames(root / folder / clip.name, clip, "{}.jpg" if original else "{:03}.jpg")
        if not original:
            _shanghaitech_masks(root, clip, "testframemask")
    return root


def _shanghaitech_masks(folder: Path, clip: Mini, name: str) -> None:
    write_npy(folder / name / f"{clip.name}.npy", clip.labels)


def ubnormal_official(top: Path, clips: Sequence[Mini]) -> Path:
    """Clips by scene, whatever their split; tracks and maps of abnormal ones, maps of ids for the normal ones too."""
    root = top / "UBnormal"
    for number, clip in enumerate(clips):
        folder = root / f"Scene{clip.name.split('_scene_')[1].split('_')[0]}"
        write_video(folder / f"{clip.name}.mp4", replace(clip, fps=30))
        annotations = folder / f"{clip.name}_annotations"
        write_masks(annotations, np.ones(clip.frames, np.uint8), f"{clip.name}_{{:04}}_gt.png", value=1)  # a walker
        if clip.abnormal:
            write_tracks(annotations / f"{clip.name}_tracks.txt", clip, floats=number % 5 == 0)
            write_masks(annotations, clip.labels, f"{clip.name}_{{:04}}_gt.png", value=4)
    return root


def _ucf(root: Path, clips: Sequence[Mini], folder: Callable[[Mini], str], annotation: str) -> Path:
    for clip in clips:
        write_video(root / folder(clip) / f"{clip.name}.mp4", replace(clip, fps=30))
    write_text(root / annotation, "".join(map(ucf_line, of(clips, "test"))))
    return root


def ucf_official(top: Path, clips: Sequence[Mini]) -> Path:
    """Class folders that hold training and test clips alike."""
    normal = {"train": "Training_Normal_Videos_Anomaly", "test": "Testing_Normal_Videos_Anomaly"}
    return _ucf(
        top / "UCF_Crimes",
        clips,
        lambda clip: ucf_class(clip.name) if clip.abnormal else normal[clip.split],
        "Temporal_Anomaly_Annotation.txt",
    )


def ucf_hyphens(top: Path, clips: Sequence[Mini]) -> Path:
    """The archives as they unpack, in parts, with hyphens."""
    normal = {"train": "Training-Normal-Videos-Part-1", "test": "Testing_Normal_Videos_Anomaly"}
    return _ucf(
        top / "UCF-Crime",
        clips,
        lambda clip: f"Anomaly-Videos-Part-1/{ucf_class(clip.name)}" if clip.abnormal else normal[clip.split],
        "Temporal_Anomaly_Annotation_for_Testing_Videos.txt",
    )


def street_scene_official(top: Path, clips: Sequence[Mini]) -> Path:
    root = top / "StreetScene"
    for clip in clips:
        folder = root / clip.split.title() / f"{clip.split.title()}{clip.name:>03}"
        write_frames(folder, clip, "{+1:03}.jpg")
        if clip.split == "test":
            lines = [box_line(clip, int(index)) for index in clip.labels.nonzero()[0]]
            write_text(folder / f"{folder.name}_gt.txt", "".join(lines))
    return root


def nwpu_official(top: Path, clips: Sequence[Mini]) -> Path:
    root = top / "NWPUCampusDataset"
    for clip in clips:
        write_video(root / "videos" / clip.split.title() / f"{clip.name}.avi", clip)
    (root / "groundtruth").mkdir()
    np.savez(root / "groundtruth/NWPU_Campus_gt.npz", **{clip.name: clip.labels for clip in of(clips, "test")})
    return root


def iitb_official(top: Path, clips: Sequence[Mini], hyphen: str = "-") -> Path:
    """Each video in a folder of its own name; labels are one shorter."""
    root = top / "IITB-Corridor"
    folders = {"train": "Train_IITB_Corridor/Train", "test": f"Test_IITB{hyphen}Corridor/Test"}
    for clip in clips:
        write_video(root / folders[clip.split] / clip.name / f"{clip.name}.avi", clip)
    for clip in of(clips, "test"):
        folder = root / f"Test_IITB{hyphen}Corridor/Test_Annotation/Annotation" / clip.name
        write_npy(folder / f"{clip.name}.npy", clip.labels[:-1])
    return root


def iitb_flat(top: Path, clips: Sequence[Mini]) -> Path:
    """Frames from 0001 in `training` and `testing`, labels in one folder."""
    root = top / "iitb"
    for clip in clips:
        write_frames(root / f"{clip.split}ing" / clip.name, clip, "{+1:04}.jpg")
    for clip in of(clips, "test"):
        write_npy(root / "anomaly_labels" / f"{clip.name}.npy", clip.labels)
    return root


def xd_official(top: Path, clips: Sequence[Mini]) -> Path:
    """Training in the folders of its five archives, test in `videos`."""
    root = top / "XD-Violence"
    for number, clip in enumerate(clips):
        folder = ("1-1004", "3320-3954")[number % 2] if clip.split == "train" else "videos"
        write_video(root / folder / f"{clip.name}.mp4", replace(clip, fps=24))
    lines = [f"{clip.name} " + " ".join(f"{a} {b}" for a, b in clip.intervals) for clip in of(clips, "test")]
    write_text(root / "annotations.txt", "\n".join(line for line in lines if not line.endswith(" ")))
    return root


def msad_official(top: Path, clips: Sequence[Mini]) -> Path:
    root = top / "MSAD_blur"
    rows = []
    for clip in clips:
        kind = clip.name.rpartition("_")[0]
        normal = {"train": "MSAD_normal_training_blur", "test": "MSAD_normal_testing_blur"}[clip.split]
        folder = f"MSAD_anomaly_blur/{kind}" if clip.abnormal else normal
        write_video(root / folder / f"{clip.name}.mp4", replace(clip, fps=30))
        rows += [f"{clip.name},shop,{clip.frames},{start + 1},{end}" for start, end in clip.intervals]
    header = "name,scenario,total frames,starting frame of anomaly,ending frame of anomaly"
    write_text(root / "anomaly_annotation.csv", "\n".join([header, *rows]))
    return root


def chad_official(top: Path, clips: Sequence[Mini]) -> Path:
    root = top / "CHAD"
    for clip in clips:
        write_video(root / "CHAD_Videos" / f"{clip.name}.mp4", replace(clip, fps=30))
        write_npy(root / "CHAD_Meta/anomaly_labels" / f"{clip.name}.npy", clip.labels)
    for split in ("train", "test"):
        names = "\n".join(clip.name for clip in of(clips, split))
        for number in (1, 2):
            write_text(root / f"CHAD_Meta/splits/{split}_split_{number}.txt", names)
    return root


def umn_scenes(top: Path, clips: Sequence[Mini]) -> Path:
    """A folder a scene, each with its own splits and with labels of two editions."""
    root = top / "umn"
    for clip in clips:
        folder = root / umn_scene(clip.name)
        write_video(folder / f"{clip.split}ing" / f"{clip.name}.mp4", replace(clip, fps=30))
        if clip.split == "test":
            write_npy(folder / "labels" / f"{clip.name}.npy", clip.labels)
            write_npy(folder / "labels_by_text" / f"{clip.name}.npy", marked([(2, clip.frames)], clip.frames))
    return root


def umn_scene(name: str) -> str:
    return "lawn" if name < "03" else "indoor" if name < "09" else "plaza"


def ped1_official(top: Path, clips: Sequence[Mini]) -> Path:
    """Masks of ten clips, with what macOS leaves behind."""
    root = top / "UCSDped1"
    for clip in clips:
        write_frames(root / clip.split.title() / f"{clip.split.title()}{clip.name:>03}", clip, "{+1:03}.tif")
    for clip in of(clips, "test"):
        if int(clip.name) in PED1_MASKED:
            folder = root / "Test" / f"Test{clip.name:>03}_gt"
            write_masks(folder, clip.labels, "{+1:03}.bmp")
            write_bytes(folder / "._.DS_Store", b"\0\5\x16\7AppleDouble")
    write_m(root / "Test/UCSDped1.m", of(clips, "test"))
    return root


def ped1_common(top: Path, clips: Sequence[Mini]) -> Path:
    root = top / "ped1"
    for clip in clips:
        write_frames(root / f"{clip.split}ing/frames" / clip.name, clip, "{:03}.jpg")
    for clip in of(clips, "test"):
        if int(clip.name) in PED1_MASKED:
            write_masks(root / "testing/masks" / clip.name, clip.labels, "{:03}.png")
    write_m(root / "UCSDped1.m", of(clips, "test"))
    return root


PED1_MASKED = (3, 4, 14, 18, 19, 21, 22, 23, 24, 32)
"""The test clips that UCSD's v1p2 has masks of."""

COPIES: dict[str, dict[str, Write]] = {
    "avenue": {
        "official, apart": avenue_official,
        "official, together": avenue_together,
        "common": avenue_common,
        "common, flat": avenue_flat,
    },
    "chad": {"official": chad_official},
    "chad:split2": {"official": chad_official},
    "iitb_corridor": {
        "official": iitb_official,
        "official, underscore": partial(iitb_official, hyphen="_"),
        "common": iitb_flat,
    },
    "msad": {"official": msad_official},
    "nwpu_campus": {"official": nwpu_official},
    "ped1": {"official": ped1_official, "common": ped1_common},
    "shanghaitech": {
        "official": shanghaitech_official,
        "official, extracted": shanghaitech_extracted,
        "official, flat": shanghaitech_flat,
    },
    "shanghaitech:weak": {
        "official": shanghaitech_official,
        "official, extracted": shanghaitech_extracted,
        "official, flat": shanghaitech_flat,
    },
    "street_scene": {"official": street_scene_official},
    "ubnormal": {"official": ubnormal_official},
    "ucf_crime": {"official": ucf_official, "official, archives": ucf_hyphens},
    "umn": {"scenes": umn_scenes},
    "xd_violence": {"official": xd_official},
}
"""Data set -> layout, and how it differs -> function that writes it below a folder and gives the set's own folder."""
