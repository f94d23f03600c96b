"""Miniature copies of the field's data sets: real names, layouts and forms of labels, a few tiny frames a clip.

`COPIES` writes one in each layout in which a set circulates; `clips_of` says which clips, and `shortened` makes the row's
counts those of the miniature. Nothing in them is of the data sets themselves but names and splits.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.io
from PIL import Image

from pagen.footage.catalogue import DataSet
from pagen.footage.known_clips import KnownClip

HEIGHT, WIDTH = 24, 32

Labels = npt.NDArray[np.uint8]
Interval = tuple[int, int]


@dataclass(frozen=True)
class Mini:
    """A clip of a miniature, of `name` on disk; abnormal from its second frame to its last but one, or nowhere."""

    split: str
    name: str
    frames: int
    abnormal: bool
    fps: float = 25

    @property
    def intervals(self) -> list[Interval]:
        return [(1, self.frames - 1)] if self.abnormal else []

    @property
    def labels(self) -> Labels:
        return marked(self.intervals, self.frames)


def marked(intervals: Iterable[Interval], frames: int) -> Labels:
    """Labels (frames,) that are 1 inside the intervals, counted from 0, end excluded."""
    labels = np.zeros(frames, np.uint8)
    for start, end in intervals:
        labels[start:end] = 1
    return labels


def of(clips: Iterable[Mini], split: str) -> list[Mini]:
    return [clip for clip in clips if clip.split == split]


# The clips of a copy


def shortened(row: DataSet) -> DataSet:
    """The row for miniature copies: lengths of a few frames, no totals; tables of known clips are `short`'s to change."""
    layouts = tuple(
        replace(layout, labels=tuple(replace(source, abnormal=None) for source in layout.labels))
        for layout in row.layouts
    )
    lengths = {
        split: tuple(5 + index % 4 for index, _ in enumerate(getattr(row, split))) for split in ("train", "test")
    }
    counts = {split: len([one for one in UNLISTED.get(row.name, ()) if one[0] == split]) for split in row.counts}
    return replace(row, **lengths, layouts=layouts, abnormal=None, counts=counts)


def short(known: Iterable[KnownClip]) -> tuple[KnownClip, ...]:
    """Known clips with lengths of a few frames; where bounds alone are known, so they are here."""
    return tuple(
        replace(clip, frames=4 + index % 4, most=6 + index % 4)
        if clip.most
        else replace(clip, frames=5 + index % 4 if clip.frames else None)
        for index, clip in enumerate(known)
    )


def clips_of(row: DataSet) -> list[Mini]:
    """The clips that are written of a shortened row; one in five is normal where nothing is known of that."""
    known = row.known_clips or tuple(KnownClip(*one) for one in UNLISTED[row.name])
    return [
        Mini(
            split=clip.split,
            name=clip.clip,
            frames=(clip.frames or 5 + index % 4) + bool(clip.most),
            abnormal=clip.split == "test" and index % 5 > 0 if clip.abnormal is None else clip.abnormal,
            fps=clip.fps or row.fps,
        )
        for index, clip in enumerate(known)
    ]


_XD = (
    ("train", "Bad.Boys.1995__#01-11-55_01-12-40_label_G-B2-B6", None, None, None, True),
    ("train", "v=0_ZAhCCK9qU__#1_label_A", None, None, None, False),
    ("train", "Kingsman.The.Secret.Service__#00-30-00_00-31-00_label_B1", None, None, None, True),
    ("train", "v=zz@x__#1_label_G", None, None, None, True),
    ("test", "v=S-7rRLrxnVQ__#1_label_B4-0-0", None, None, None, True),
    ("test", "Thelma...Louise.1991__#01-00-00_01-01-00_label_B2-0-0", None, None, None, True),
    ("test", "Before.Sunset.2004__#01-14-30_01-16-51_label_A", None, None, None, False),
    ("test", "Casino.Royale.2006__#00-50-05_00-51-16_label_B1-B2-B6", None, None, None, True),
)
_NWPU = (
    *(("train", f"D{scene:03}_{number:02}") for scene in range(1, 7) for number in range(1, 4)),
    *(("test", f"D{scene:03}_{number:02}") for scene in range(1, 6) for number in range(1, 4)),
)
_CHAD = (
    *(("train", f"{camera}_{number:03}_0", None, None, None, False) for camera in range(1, 5) for number in (1, 2)),
    *(
        ("test", f"{camera}_{60 + number:03}_{number}", None, None, None, number == 1)
        for camera in range(1, 5)
        for number in (0, 1)
    ),
)
_CHAD_2 = (*_CHAD[:7], ("train", "4_070_1", None, None, None, True), *_CHAD[8:])
_UMN = tuple(("test" if number in (2, 6, 7, 8, 10, 11) else "train", f"{number:02}") for number in range(1, 12))
UNLISTED: dict[str, tuple[tuple[Any, ...], ...]] = {
    "xd_violence": _XD,
    "nwpu_campus": _NWPU,
    "chad": _CHAD,
    "chad:2": _CHAD_2,
    "umn": _UMN,
}
"""Clips of sets whose names pagen does not carry, as the arguments of `KnownClip`."""


# Frames


@cache
def _video(frames: int, fps: float, suffix: str) -> bytes:
    import av

    file = io.BytesIO()
    with av.open(file, "w", format=suffix.removeprefix(".")) as container:
        stream = container.add_stream("mpeg4", rate=Fraction(fps).limit_denominator(1000))
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for index in range(frames):
            picture = np.full((HEIGHT, WIDTH, 3), 20 + 5 * index, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return file.getvalue()


@cache
def _picture(suffix: str, value: int = 90) -> bytes:
    file = io.BytesIO()
    kinds = {".jpg": "JPEG", ".png": "PNG", ".tif": "TIFF", ".bmp": "BMP"}
    Image.fromarray(np.full((HEIGHT, WIDTH), value, np.uint8)).save(file, kinds[suffix])
    return file.getvalue()


def write_bytes(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def write_text(path: Path, text: str) -> None:
    write_bytes(path, text.encode())


def write_video(path: Path, clip: Mini) -> None:
    write_bytes(path, _video(clip.frames, clip.fps, path.suffix))


def write_frames(folder: Path, clip: Mini, name: str) -> None:
    """Frames as pictures; `name` formats the frame's index, as `{:04}.jpg`, or one more, as `{+1:03}.jpg`."""
    first, name = ("{+1" in name), name.replace("{+1", "{")
    for index in range(clip.frames):
        write_bytes(folder / name.format(index + first), _picture(Path(name).suffix))


def write_masks(folder: Path, labels: Labels, name: str, value: int = 255) -> None:
    """One picture a frame, `value` in a corner where the frame is abnormal."""
    for index, label in enumerate(labels):
        mask = np.zeros((HEIGHT, WIDTH), np.uint8)
        mask[4:9, 6:12] = value * label
        path = folder / name.replace("{+1", "{").format(index + ("{+1" in name))
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(mask).save(path)


def write_npy(path: Path, array: npt.NDArray[np.generic]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:  # which keeps the name as it is, whatever it ends in
        np.save(file, array)


# Labels as each set writes them


def write_vol_label(path: Path, labels: Labels) -> None:
    """Avenue's masks: a cell (1, T) of arrays (H, W)."""
    cells = np.empty((1, len(labels)), object)
    for index, label in enumerate(labels):
        cells[0, index] = np.zeros((HEIGHT, WIDTH), np.uint8)
        cells[0, index][4:9, 6:12] = label
    path.parent.mkdir(parents=True, exist_ok=True)
    scipy.io.savemat(path, {"volLabel": cells}, do_compression=True)


def write_gt(path: Path, clips: Sequence[Mini]) -> None:
    """Hasan et al.'s intervals: a cell (1, clips) of arrays 2 x k, starts above ends, counted from 1, end included."""
    cells = np.empty((1, len(clips)), object)
    for index, clip in enumerate(clips):
        columns = [(start + 1, end) for start, end in clip.intervals]
        cells[0, index] = np.array(columns, np.uint16).reshape(-1, 2).T
    path.parent.mkdir(parents=True, exist_ok=True)
    scipy.io.savemat(path, {"gt": cells})


def write_by_clip(path: Path, clips: Sequence[Mini]) -> None:
    """A `.mat` of one variable a clip, (1, T) int32."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scipy.io.savemat(path, {clip.name: clip.labels[None].astype(np.int32) for clip in clips})


def write_tracks(path: Path, clip: Mini, floats: bool = False) -> None:
    """UBnormal's tracks: `object,first,last` from 0, last included, CRLF; one file in five as numpy's floats."""
    rows = [(4, start, end - 1) for start, end in clip.intervals]
    numbers = [",".join(f"{number:.18e}" if floats else str(number) for number in row) for row in rows]
    write_text(path, "".join(f"{line}\r\n" for line in numbers))


def ucf_line(clip: Mini) -> str:
    """A line of `Temporal_Anomaly_Annotation.txt`: frames from 1, the last included, -1 for none; two spaces between."""
    kind = "Normal" if "Normal" in clip.name else ucf_class(clip.name)
    pairs = [(start + 1, end) for start, end in clip.intervals][:2]
    numbers = [number for pair in [*pairs, (-1, -1), (-1, -1)][:2] for number in pair]
    return "  ".join([f"{clip.name}.mp4", kind, *map(str, numbers)]) + "  \n"


def ucf_class(name: str) -> str:
    return name.removesuffix("_x264").rstrip("0123456789")


def box_line(clip: Mini, index: int) -> str:
    """Street Scene: file (counted from 1), track, x, y, w, h; x and y are the box's centre."""
    return f"Test/Test{clip.name:>03}/{index + 1:03}.jpg 0 8 6 6 5\n"


# The copies

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
            write_npy(root / "testing/test_pixel_mask" / f"{clip.name}.npy", _pixels(clip.labels))
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


def _pixels(labels: Labels) -> npt.NDArray[np.uint8]:
    masks = np.zeros((len(labels), HEIGHT, WIDTH), np.uint8)
    masks[:, 4:9, 6:12] = labels[:, None, None]
    return masks


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
    _write_m(root / "Test/UCSDped1.m", of(clips, "test"))
    return root


def ped1_common(top: Path, clips: Sequence[Mini]) -> Path:
    root = top / "ped1"
    for clip in clips:
        write_frames(root / f"{clip.split}ing/frames" / clip.name, clip, "{:03}.jpg")
    for clip in of(clips, "test"):
        if int(clip.name) in PED1_MASKED:
            write_masks(root / "testing/masks" / clip.name, clip.labels, "{:03}.png")
    _write_m(root / "UCSDped1.m", of(clips, "test"))
    return root


def _write_m(path: Path, clips: Sequence[Mini]) -> None:
    lines = [", ".join(f"{start + 1}:{end}" for start, end in clip.intervals) for clip in clips]
    write_text(path, "".join(f"TestVideoFile{{end+1}}.gt_frame = [{line}];\n" for line in lines))


PED1_MASKED = (3, 4, 14, 18, 19, 21, 22, 23, 24, 32)
"""The test clips that UCSD's v1p2 has masks of."""

COPIES: dict[str, dict[str, Write]] = {
    "avenue": {
        "archives apart": avenue_official,
        "archives together": avenue_together,
        "frames": avenue_common,
        "frames, flat": avenue_flat,
    },
    "chad": {"official": chad_official},
    "chad:2": {"official": chad_official},
    "iitb_corridor": {
        "official": iitb_official,
        "official, underscore": partial(iitb_official, hyphen="_"),
        "frames": iitb_flat,
    },
    "msad": {"official": msad_official},
    "nwpu_campus": {"official": nwpu_official},
    "ped1": {"official": ped1_official, "common": ped1_common},
    "shanghaitech": {
        "official": shanghaitech_official,
        "extracted": shanghaitech_extracted,
        "flat": shanghaitech_flat,
    },
    "shanghaitech:weak": {
        "official": shanghaitech_official,
        "extracted": shanghaitech_extracted,
        "flat": shanghaitech_flat,
    },
    "street_scene": {"official": street_scene_official},
    "ubnormal": {"official": ubnormal_official},
    "ucf_crime": {"class folders": ucf_official, "archives": ucf_hyphens},
    "umn": {"scenes": umn_scenes},
    "xd_violence": {"archives": xd_official},
}
"""Data set -> way in which it circulates -> function that writes it below a folder and gives the data set's own folder."""
