"""Any list of intervals, written in every form in which labels circulate, is read as the frames that it means.

What is expected is counted with sets of frame numbers; names are such as the field's sets have, near to each other.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import scipy.io
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pagen.footage.labels.arrays import read_npy, read_npz, read_values
from pagen.footage.labels.avenue import read_mat_frames, read_mat_intervals, read_mat_masks
from pagen.footage.labels.boxes import read_aed, read_street_scene
from pagen.footage.labels.labels_csv import read_csv
from pagen.footage.labels.msad import read_msad
from pagen.footage.labels.said import Said
from pagen.footage.labels.ubnormal import read_npy_for_tracks, read_tracks
from pagen.footage.labels.ucf_crime import read_ucf, read_ucf_mat
from pagen.footage.labels.ucsd_m import read_m
from pagen.footage.labels.xd_violence import read_xd


class Listed(NamedTuple):
    """A clip's length and what is abnormal in it: pairs [start, end) from 0, in any order, touching or not."""

    frames: int
    pairs: list[tuple[int, int]]

    @property
    def labels(self) -> np.ndarray:
        inside = {frame for start, end in self.pairs for frame in range(start, end)}
        return np.array([frame in inside for frame in range(self.frames)], np.uint8)


Clips = Mapping[str, Listed]
Saying = Callable[[Path, Clips], Mapping[str, Said | None]]
"""Writes the labels of all clips below a folder and reads them back, clip by clip."""

NAMES = (
    "Normal_Videos003_x264",
    "Normal_Videos_003_x264",
    "Bad.Boys.1995__#01-11-55_01-12-40_label_G-B2-B6",
    "v=S-7rRLrxnVQ__#1_label_B4-0-0",
    "Thelma...Louise.1991__#1_label_B1",
    "01_015",
    "01_0015",
    "10",
    "1",
)


@st.composite
def listed(draw: st.DrawFn, most: int = 4) -> Listed:
    frames = draw(st.integers(1, 300))
    starts = draw(st.lists(st.integers(0, frames - 1), max_size=most))
    return Listed(frames, [(start, draw(st.integers(start + 1, frames))) for start in starts])


def lines(path: Path, rows: Sequence[str]) -> Path:
    """With the ends of lines of either system, blank lines among them, and none after the last."""
    ends = ("\r\n", "\n", "\n\n")
    path.write_bytes("".join(row + ends[place % 3] for place, row in enumerate(rows)).strip().encode())
    return path


def cell(parts: Sequence[object]) -> np.ndarray:
    made = np.empty((1, len(parts)), object)
    for place, part in enumerate(parts):
        made[0, place] = part
    return made


def numbered(clips: Clips) -> list[tuple[str, str, Listed]]:
    """Clips by their place, from 1, as files of numbered clips have them."""
    return [(name, str(place), clip) for place, (name, clip) in enumerate(clips.items(), 1)]


def ucf(form: str) -> Saying:
    def said(folder: Path, clips: Clips) -> Mapping[str, Said | None]:
        rows = []
        for name, (frames, pairs) in clips.items():
            a, b, c, d = [*(number for start, end in pairs[:2] for number in (start + 1, end)), *[-1] * 4][:4]
            words = {"name": name, "kind": "Normal" if not pairs else "Abuse", "n": frames}
            rows.append(form.format(**words, a=a, b=b, c=c, d=d))
        path = lines(folder / "Temporal_Anomaly_Annotation.txt", rows[::-1])
        return {name: read_ucf(path, name) for name in clips}

    return said


def xd(ending: str) -> Saying:
    def said(folder: Path, clips: Clips) -> Mapping[str, Said | None]:
        abnormal = {name: clip.pairs for name, clip in clips.items() if clip.pairs}
        rows = [f"{name}{ending} " + " ".join(f"{a} {b}" for a, b in pairs) for name, pairs in abnormal.items()]
        path = lines(folder / "annotations.txt", ["other 0 1", *rows])
        return {name: read_xd(path, name) for name in clips}

    return said


def msad(folder: Path, clips: Clips) -> Mapping[str, Said | None]:
    header = "name,scenario,total frames,starting frame of anomaly,ending frame of anomaly"
    rows = [f"{name},shop,{clip.frames},{a + 1},{b}" for name, clip in clips.items() for a, b in clip.pairs]
    path = lines(folder / "anomaly_annotation.csv", [header, *rows])
    return {name: read_msad(path, name) for name in clips}


def own(folder: Path, clips: Clips) -> Mapping[str, Said | None]:
    rows = [f"{name}.mp4,{a},{b}" for name, clip in clips.items() for a, b in clip.pairs]
    empty = [f"{name}.mp4,," for name, clip in clips.items() if not clip.pairs]
    path = lines(folder / "labels.csv", ["video,start_frame,end_frame", *empty, *rows])
    return {name: read_csv(path, name) for name in clips}


def tracks(number: Callable[[int], str]) -> Saying:
    def said(folder: Path, clips: Clips) -> Mapping[str, Said | None]:
        found: dict[str, Said | None] = {}
        for name, place, clip in numbered(clips):
            rows = [",".join(map(number, (1 + a % 3, a, b - 1))) for a, b in clip.pairs]
            found[name] = read_tracks(lines(folder / f"{place}_tracks.txt", rows), name) if rows else None
        return found

    return said


def boxes(read: Callable[[Path, str], Said], row: str) -> Saying:
    def said(folder: Path, clips: Clips) -> Mapping[str, Said | None]:
        found: dict[str, Said | None] = {}
        for name, place, clip in numbered(clips):
            frames = [(track, frame) for track, pair in enumerate(clip.pairs) for frame in range(*pair)]
            rows = [row.format(track=track, frame=frame, image=frame + 1) for track, frame in frames]
            found[name] = read(lines(folder / f"{place}.txt", rows), name) if rows else None
        return found

    return said


def intervals_of_matlab(kind: type) -> Saying:
    def said(folder: Path, clips: Clips) -> Mapping[str, Said | None]:
        pairs = [np.array([(a + 1, b) for a, b in clip.pairs], kind).reshape(-1, 2).T for clip in clips.values()]
        scipy.io.savemat(folder / "gt.mat", {"gt": cell(pairs)})
        return {name: read_mat_intervals(folder / "gt.mat", place) for name, place, _ in numbered(clips)}

    return said


def frames_of_matlab(folder: Path, clips: Clips) -> Mapping[str, Said | None]:
    held = {f"{place:>02}": clip.labels.astype(np.int32) for _, place, clip in numbered(clips)}
    scipy.io.savemat(folder / "avenue.mat", held)
    return {name: read_mat_frames(folder / "avenue.mat", place) for name, place, _ in numbered(clips)}


def masks_of_matlab(folder: Path, clips: Clips) -> Mapping[str, Said | None]:
    for _, place, clip in numbered(clips):
        masks = cell([np.array([[0, 0, label * 255]], np.uint8) for label in clip.labels])
        scipy.io.savemat(folder / f"{place}_label.mat", {"volLabel": masks}, do_compression=True)
    return {name: read_mat_masks(folder / f"{place}_label.mat", place) for name, place, _ in numbered(clips)}


def structures_of_matlab(folder: Path, clips: Clips) -> Mapping[str, Said | None]:
    found: dict[str, Said | None] = {}
    for name, place, clip in numbered(clips):
        largest = max([1, *(end for _, end in clip.pairs)])
        kind = (np.uint8 if largest < 256 else np.uint16) if clip.pairs else np.int16
        rows = np.array([(a + 1, b) for a, b in clip.pairs] or [(-1, -1)], kind)
        record = {"VideoName": f"{name}.mp4", "Anno": rows, "EventName": "Abuse"}
        scipy.io.savemat(folder / f"{place}.mat", {"Annotation_file": record})
        found[name] = read_ucf_mat(folder / f"{place}.mat", name)
    return found


def matlab_code(folder: Path, clips: Clips) -> Mapping[str, Said | None]:
    rows = [", ".join(f"{a + 1}:{b}" for a, b in clip.pairs) for clip in clips.values() if clip.pairs]
    code = [f"TestVideoFile{{end+1}}.gt_frame = [{row}];" for row in rows]
    path = lines(folder / "UCSDped1.m", ["TestVideoFile = {};", *code])
    places = iter(range(1, len(code) + 1))
    return {name: read_m(path, str(next(places))) if clip.pairs else None for name, clip in clips.items()}


def arrays(folder: Path, clips: Clips) -> Mapping[str, Said | None]:
    for _, place, clip in numbered(clips):
        np.save(folder / f"{place}.npy", clip.labels)
    return {name: read_npy(folder / f"{place}.npy", name) for name, place, _ in numbered(clips)}


def archive(folder: Path, clips: Clips) -> Mapping[str, Said | None]:
    with (folder / "gt.npz").open("wb") as file:
        np.savez(file, **{name: clip.labels for name, clip in clips.items()})  # type: ignore[arg-type]
    return {name: read_npz(folder / "gt.npz", name) for name in clips}


def values(folder: Path, clips: Clips) -> Mapping[str, Said | None]:
    for _, place, clip in numbered(clips):
        np.savetxt(folder / f"{place}.txt", clip.labels)
    return {name: read_values(folder / f"{place}.txt", name) for name, place, _ in numbered(clips)}


def normal_is_one(folder: Path, clips: Clips) -> Mapping[str, Said | None]:
    for _, place, clip in numbered(clips):
        with (folder / f"{place}_tracks.txt").open("wb") as file:
            np.save(file, 1.0 - clip.labels)
    return {name: read_npy_for_tracks(folder / f"{place}_tracks.txt", name) for name, place, _ in numbered(clips)}


FORMS: dict[str, Saying] = {
    "UCF-Crime, the authors'": ucf("{name}.mp4  {kind}  {a}  {b}  {c}  {d}  "),
    "UCF-Crime, no extension": ucf("{name}  {kind}  {a}  {b}  {c}  {d}  "),
    "UCF-Crime, tabs": ucf("{name}.mp4\t{kind}\t{a}\t{b}\t{c}\t{d}\t{n}"),
    "UCF-Crime, folders": ucf("{kind}/{name}.mp4 {n} {kind} {a} {b} {c} {d}"),
    "UCF-Crime, brackets": ucf("{kind}/{name}.mp4|{n}|[{a}, {b}, {c}, {d}]"),
    "UCF-Crime, no class": ucf("{name}.mp4 {a} {b} {c} {d}"),
    "UCF-Crime, a structure a clip": structures_of_matlab,
    "XD-Violence": xd(""),
    "XD-Violence, .mp4": xd(".mp4"),
    "MSAD": msad,
    "labels.csv": own,
    "tracks": tracks(str),
    "tracks as floats": tracks(lambda number: f"{number:.18e}"),
    "AED": boxes(read_aed, "{track},{frame},4,4,9,9"),
    "Street Scene": boxes(read_street_scene, "Test001/{image:03d}.jpg {track} 6 6 4 4"),
    "gt, the smallest type": intervals_of_matlab(np.uint16),
    "gt, doubles": intervals_of_matlab(float),
    "a variable a clip": frames_of_matlab,
    "volLabel": masks_of_matlab,
    "UCSD's .m": matlab_code,
    ".npy": arrays,
    ".npz": archive,
    "values": values,
    "an array called tracks": normal_is_one,
}


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_whatever_the_intervals_the_labels_are_their_frames(form: str, data: st.DataObject) -> None:
    one_alone, two = form == "MSAD", form.startswith("UCF-Crime,")
    names = data.draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True))
    clips = {name: data.draw(listed(most=2 if two else 1 if one_alone else 4)) for name in names}
    with tempfile.TemporaryDirectory() as folder:
        found = FORMS[form](Path(folder), clips)
        normal = int(form == "an array called tracks")
        fitted = {name: said and said.fit(clips[name].frames, normal=normal) for name, said in found.items()}
    for name, clip in clips.items():
        labels = fitted[name]
        if labels is None:
            assert not clip.pairs, "what is not named has nothing abnormal"
            continue
        assert labels.labels.tolist() == clip.labels.tolist()
        assert labels.surplus == 0
