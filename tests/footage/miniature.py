"""Miniature copies of the field's data sets: the real names and layouts, a few tiny frames a clip, labels in each set's format.

`write(name, layout, top)` writes the copy and gives the row of its counts; nothing in it is of the data sets themselves
but names, splits and the ways in which files are written.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import scipy.io
from PIL import Image

HEIGHT, WIDTH = 24, 32

Labels = npt.NDArray[np.uint8]
Interval = tuple[int, int]


@dataclass(frozen=True)
class Mini:
    """A clip of a miniature: `name` on disk, `frames` frames, abnormal on [1, frames - 1) where it is abnormal at all."""

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
    """Frames as pictures; `name` is a format of the frame's index, such as `{:04}.jpg`, or of one more, `{+1:03}.jpg`."""
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
    """A line of `Temporal_Anomaly_Annotation.txt`: first and last frame, counted from 1, -1 for none; two spaces between."""
    kind = "Normal" if "Normal" in clip.name else ucf_class(clip.name)
    pairs = [(start + 1, end) for start, end in clip.intervals][:2]
    numbers = [number for pair in [*pairs, (-1, -1), (-1, -1)][:2] for number in pair]
    return "  ".join([f"{clip.name}.mp4", kind, *map(str, numbers)]) + "  \n"


def ucf_class(name: str) -> str:
    return name.rstrip("_x264").rstrip("0123456789")


def box_line(clip: Mini, index: int) -> str:
    """Street Scene: file (counted from 1), track, x, y, w, h; x and y are the box's centre."""
    return f"Test/{clip.name}/{index + 1:03}.jpg 0 8 6 6 5\n"


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
    """Class folders that hold training and test clips alike, and one of clips that are in no list."""
    normal = {"train": "Training_Normal_Videos_Anomaly", "test": "Testing_Normal_Videos_Anomaly"}
    root = top / "UCF_Crimes"
    extra = Mini("train", "Normal_Videos_015_x264", 5, False, 30)
    write_video(root / "Normal_Videos_for_Event_Recognition" / f"{extra.name}.mp4", extra)
    return _ucf(
        root,
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
        folder = root / clip.split.title() / clip.name
        write_frames(folder, clip, "{+1:03}.jpg")
        if clip.split == "test":
            write_text(folder / f"{clip.name}_gt.txt", "".join(box_line(clip, int(i)) for i in clip.labels.nonzero()[0]))
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
    scenes = {clip.name: ("lawn", "indoor", "plaza")[index % 3] for index, clip in enumerate(clips)}
    for clip in clips:
        folder = root / scenes[clip.name]
        write_video(folder / f"{clip.split}ing" / f"{clip.name}.mp4", replace(clip, fps=30))
        if clip.split == "test":
            write_npy(folder / "labels" / f"{clip.name}.npy", clip.labels)
            write_npy(folder / "labels_by_text" / f"{clip.name}.npy", marked([(2, clip.frames)], clip.frames))
    return root


def ped1_official(top: Path, clips: Sequence[Mini]) -> Path:
    """Masks of ten clips, with what macOS leaves behind."""
    root = top / "UCSDped1"
    for clip in clips:
        write_frames(root / clip.split.title() / clip.name, clip, "{+1:03}.tif")
    for clip in of(clips, "test"):
        if int(clip.name[-3:]) in PED1_MASKED:
            write_masks(root / "Test" / f"{clip.name}_gt", clip.labels, "{+1:03}.bmp")
            write_bytes(root / "Test" / f"{clip.name}_gt" / "._.DS_Store", b"\0\5\x16\7AppleDouble")
    _write_m(root / "Test/UCSDped1.m", of(clips, "test"))
    return root


def ped1_common(top: Path, clips: Sequence[Mini]) -> Path:
    root = top / "ped1"
    for clip in clips:
        write_frames(root / f"{clip.split}ing/frames" / clip.name[-2:], clip, "{:03}.jpg")
    for clip in of(clips, "test"):
        if int(clip.name[-3:]) in PED1_MASKED:
            write_masks(root / "testing/masks" / clip.name[-2:], clip.labels, "{:03}.png")
    _write_m(root / "UCSDped1.m", of(clips, "test"))
    return root


def _write_m(path: Path, clips: Sequence[Mini]) -> None:
    lines = [", ".join(f"{start + 1}:{end}" for start, end in clip.intervals) for clip in clips]
    write_text(path, "".join(f"TestVideoFile{{end+1}}.gt_frame = [{line}];\n" for line in lines))


PED1_MASKED = (3, 4, 14, 18, 19, 21, 22, 23, 24, 32)
"""The test clips that UCSD's v1p2 has masks of."""
