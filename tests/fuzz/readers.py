"""Every reader of a file that somebody else may have made, and a sound file of its own to be mangled."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import scipy.io
from PIL import Image

from pagen.arrays import read_array, read_foreign
from pagen.documents import read_json, read_toml
from pagen.errors import PagenError
from pagen.eval import region_files, score_files
from pagen.eval.camera.threshold import Threshold, read_threshold
from pagen.eval.protocol_file import read_protocol
from pagen.features.box_file import object_file
from pagen.features.file import About, read_stored
from pagen.footage import images, own
from pagen.footage.labels import (
    arrays,
    avenue,
    boxes,
    labels_csv,
    msad,
    name_list,
    ubnormal,
    ucf_crime,
    ucsd_m,
    xd_violence,
)
from pagen.footage.labels.images import array_masks
from pagen.footage.video import video_frames
from pagen.manifest import read_manifest
from pagen.models.convert.ldm_config import read_config
from pagen.models.pretrained import read_config as read_network
from pagen.models.runs import read_recipe
from pagen.scoring.zones import read_zones


class Reader(NamedTuple):
    """A file's name, a sound content, and what reads it. ValueError is what `read_foreign` raises by its contract."""

    name: str
    content: bytes
    read: Callable[[Path], Any]
    refusals: tuple[type[Exception], ...] = (PagenError,)


def _text(text: str) -> bytes:
    return text.encode()


def _npy(array: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, np.asarray(array))
    return file.getvalue()


def _npz(deflated: bool = False, **arrays: Any) -> bytes:
    file = io.BytesIO()
    (np.savez_compressed if deflated else np.savez)(file, **arrays)
    return file.getvalue()


def _mat(**variables: Any) -> bytes:
    file = io.BytesIO()
    scipy.io.savemat(file, variables, do_compression=True)
    return file.getvalue()


def _cell(*arrays: Any) -> Any:
    cell = np.empty((1, len(arrays)), object)
    for place, array in enumerate(arrays):
        cell[0, place] = array
    return cell


def _image(form: str, mode: str = "L") -> bytes:
    file = io.BytesIO()
    pixels = np.arange(24 * 32, dtype=np.uint8).reshape(24, 32)
    Image.fromarray(pixels).convert(mode).save(file, form)
    return file.getvalue()


def _video() -> bytes:
    import av

    file = io.BytesIO()
    with av.open(file, "w", "mp4") as container:
        stream: Any = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        for value in range(12):
            frame = av.VideoFrame.from_ndarray(np.full((32, 32, 3), 20 * value, np.uint8), "rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return file.getvalue()


def _threshold(path: Path) -> Threshold:
    return read_threshold(path.parent)


THRESHOLD = Threshold("flow_speed", "", "flow_speed", 0.5, 2, 2, 0.2, 10, 1, 1, 0, 3, 0, 0.1, None, None)
MASKS = np.zeros((3, 4, 5), np.uint8)
OBJECTS = {
    "training_clips": np.array(["01"]),
    "training_clip_frames": np.array([2]),
    "training_boxes": np.ones((3, 4), np.float32),
    "training_box_offsets": np.array([0, 1, 3]),
}
MANIFEST = {
    "schema": 1,
    "pagen": "0.1.0",
    "kind": "flow",
    "config": {"method": "dis"},
    "inputs": {"prepared": "ab"},
    "items": {"a": {"files": {"flow/a.npy": {"bytes": 3, "sha256": "ab"}}}},
    "complete": True,
    "volatile": {},
}
CSV = "video,frame,score\na,0,0.5\na,1,0.25\nb,0,1\n"
MSAD = "name,scenario,total frames,starting frame of anomaly,ending frame of anomaly\nAssault_1,shop,4,2,3\n"
VIDEOS = {"a": [0, 1, 1], "b": [1.0, 0.5]}
LDM = Path(__file__).parents[1] / "models/data"

TEXTS = {
    "labels.csv": Reader(
        "a.csv", _text("video,start_frame,end_frame\na.mp4,3,5\nb.mp4,,\n"), lambda p: labels_csv.read_csv(p, "a")
    ),
    "UCSD .m": Reader(
        "a.m",
        _text("TestVideoFile = {};\nTestVideoFile{end+1}.gt_frame = [2:3, 5];\n"),
        lambda p: ucsd_m.read_m(p, "1"),
    ),
    "values": Reader("a.txt", _text("0.0e+00\n1.0e+00\n"), lambda p: arrays.read_values(p, "a").fit(2)),
    "tracks": Reader("a_tracks.txt", _text("4,0,2\n7,3,3\n"), lambda p: ubnormal.read_tracks(p, "a").fit(5)),
    "UCF-Crime": Reader(
        "a.txt", _text("Abuse028_x264.mp4  Abuse  2  3  -1  -1\n"), lambda p: ucf_crime.read_ucf(p, "Abuse028_x264")
    ),
    "XD-Violence": Reader(
        "a.txt", _text("v=S__#1_label_B4-0-0 0 15 19 30\n"), lambda p: xd_violence.read_xd(p, "v=S__#1_label_B4-0-0")
    ),
    "MSAD": Reader("a.csv", _text(MSAD), lambda p: msad.read_msad(p, "Assault_1")),
    "Street Scene": Reader("a.txt", _text("004.jpg 0 4 4 4 4\n"), lambda p: boxes.read_street_scene(p, "a").fit(9)),
    "AED": Reader("a.txt", _text("0,1,4,142,119,249\n"), lambda p: boxes.read_aed(p, "a").fit(9)),
    "list": Reader("a.txt", _text("01_001,0,764\nAbuse/Abuse001_x264.mp4\n"), name_list.names_in_list),
    "tracks of regions": Reader("a.txt", _text("0,3,2,2,5,6\n"), region_files.read_tracks),
    "detections": Reader("a.txt", _text("3,2,2,5,6,0.9\n"), region_files.read_detections),
    "regions": Reader("a.txt", _text("004.jpg 0 4 4 4 4\n"), region_files.read_street_scene),
    "scores .csv": Reader("a.csv", _text(CSV), lambda p: score_files.read(p, "score")),
    "scores .txt": Reader("a.txt", _text("0.5, 0.25\n1"), lambda p: score_files.read(p.parent, "score")),
}
DOCUMENTS = {
    "scores .json": Reader("a.json", _text(json.dumps(VIDEOS)), lambda p: score_files.read(p, "score")),
    "counts": Reader("a.json", _text('{"a": 3, "b": 5}'), lambda p: score_files.counted_of(None, p)),
    "boxes .json": Reader(
        "a.json", _text('{"train_01": [[0, 1, 2, 3, 4]]}'), lambda p: object_file(str(p), "box").clips()
    ),
    "features.json": Reader(
        "features.json", _text('{"snippet": 16}'), lambda p: read_json(p, About, "what rows are of")
    ),
    "zones": Reader(
        "a.json", _text('{"exclude": [[[0, 0], [4, 0], [4, 8]]]}'), lambda p: read_zones(p).mask((6, 8), (12, 16))
    ),
    "alarms.json": Reader("alarms.json", _text(json.dumps(asdict(THRESHOLD))), _threshold),
    "protocol": Reader("a.json", _text('{"policy": "mean", "smooth": "causal", "sigma": {"*": 3}}'), read_protocol),
    "manifest.json": Reader("manifest.json", _text(json.dumps(MANIFEST)), lambda p: read_manifest(p.parent)),
    "recipe.json": Reader(
        "recipe.json", _text('{"recipe": "skip", "dataset": "ped2", "size": [32, 48]}'), lambda p: read_recipe(p.parent)
    ),
    "calibration.json": Reader(
        "c.json", _text('{"psnr": {"p1": 0.5}}'), lambda p: read_json(p, dict[str, dict[str, float]], "figures")
    ),
    "config.json": Reader(
        "config.json", _text('{"class": "ConvAE3d", "channels": 1}'), lambda p: read_network(p.parent)
    ),
    "datasets.toml": Reader(
        "a.toml",
        _text("[shop]\nroot = '/data'\nfps = 15\nlabels = ['a.csv']\n"),
        lambda p: [own._own(p, *one) for one in read_toml(p, dict[str, own.Entry], "data sets").items()],
    ),
    "config.yaml": Reader("a.yaml", _text("model:\n  params:\n    timesteps: 1000\n"), read_config),
}
ARRAYS = {
    "npy": Reader("a.npy", _npy([0, 1, 0]), lambda p: arrays.read_npy(p, "a").fit(3)),
    "npz": Reader("a.npz", _npz(a=[0, 1]), lambda p: arrays.read_npz(p, "a")),
    "masks .npy": Reader("a.npy", _npy(MASKS), lambda p: list(array_masks((p,)))),
    "own array": Reader("a.npy", _npy(MASKS), lambda p: np.asarray(read_array(p)).sum()),
    "scores .npy": Reader("a.npy", _npy([0.5, 1.0]), lambda p: score_files.read(p, "score")),
    "scores .npz": Reader("a.npz", _npz(a=[0.5, 1.0]), lambda p: score_files.read(p, "score")),
    "foreign": Reader("a.npz", _npz(deflated=True, a=np.zeros(900), b=[1]), read_foreign, (PagenError, ValueError)),
    "features": Reader("a.npz", _npz(features=np.ones((3, 4), "f4"), frames=np.arange(3)), read_stored),
    "boxes .npz": Reader("a.npz", _npz(**OBJECTS), lambda p: object_file(str(p), "box").clips()),
}
MATLAB = {
    "cell of masks": Reader(
        "1_label.mat", _mat(volLabel=_cell(MASKS[0], MASKS[0])), lambda p: avenue.read_mat_masks(p, "1")
    ),
    "intervals": Reader(
        "a.mat",
        _mat(gt=_cell(np.array([[5.0, 140], [90, 200]]), np.array([[1.0], [2]]))),
        lambda p: avenue.read_mat_intervals(p, "1"),
    ),
    "a label a frame": Reader("a.mat", _mat(**{"01": [0, 1]}), lambda p: avenue.read_mat_frames(p, "1")),
    "UCF-Crime .mat": Reader(
        "a.mat",
        _mat(Annotation_file={"VideoName": "a.mp4", "Anno": [[2, 3]], "EventName": "A"}),
        lambda p: ucf_crime.read_ucf_mat(p, "a"),
    ),
}
PICTURES = {
    form: Reader(
        f"a.{form.lower()}",
        _image(form, mode),
        lambda p: (images.image_shape(p), images.read_image(p), list(images.mask_frames([p]))),
    )
    for form, mode in {"PNG": "RGBA", "JPEG": "RGB", "BMP": "L", "TIFF": "L"}.items()
} | {"video": Reader("a.mp4", _video(), lambda p: sum(1 for _ in video_frames(p)))}
READERS: dict[str, Reader] = TEXTS | DOCUMENTS | ARRAYS | MATLAB | PICTURES
