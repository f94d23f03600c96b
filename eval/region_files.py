"""Files of regions and scored boxes, one a video; what they count or measure otherwise is converted here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pagen.errors import PagenError
from pagen.eval.metrics.regions import Detections, Floats, Regions
from pagen.folders import write_text
from pagen.footage.labels.boxes import TrackBox, aed_boxes, street_scene_boxes
from pagen.texts import number, read_text, whole


def read_tracks(path: Path) -> Regions:
    """Read regions in lines `track, frame, x_min, y_min, x_max, y_max`: the files of Georgescu et al. (AED).

    Raises PagenError: a line of another form.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "a.txt")
        ...     _ = path.write_text("0,3,2,2,5,6\\n")
        ...     read_tracks(path).boxes
        array([[2., 2., 5., 6.]])
    """
    return _regions(aed_boxes(path))


def read_detections(path: Path) -> Detections:
    """Read boxes in lines `frame, x_min, y_min, x_max, y_max, score`: the files of Georgescu et al. (AED).

    Raises PagenError: a line of another form.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "a.txt")
        ...     _ = path.write_text("3,2,2,5,6,0.9\\n")
        ...     read_detections(path).scores
        array([0.9])
    """
    table = _table(path, 6, "frame,x_min,y_min,x_max,y_max,score")
    return Detections(table[:, 0].astype(np.int64), table[:, 1:5], table[:, 5])


def read_street_scene(path: Path) -> Regions:
    """Read regions in lines `image track x y width height`, x and y the centre: Street Scene and its UCSD annotations.

    The frame is the number in the image's name, which counts from 1 (Ramachandra and Jones, WACV 2020). Raises
    PagenError: a line of another form.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "a.txt")
        ...     _ = path.write_text("004.jpg 0 4 4 4 4\\n")
        ...     read_street_scene(path).frames
        array([3])
    """
    return _regions(street_scene_boxes(path))


def write_tracks(path: Path, regions: Regions) -> None:
    """Write the file that `read_tracks` reads, by track and frame; pixels are left out.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "a.txt")
        ...     write_tracks(path, Regions(np.array([3]), np.array([0]), np.array([[2.0, 2, 5, 6]])))
        ...     path.read_text()
        '0,3,2,2,5,6\\n'
    """
    order = np.lexsort((regions.frames, regions.tracks))
    rows = zip(regions.tracks[order], regions.frames[order], regions.boxes[order], strict=True)
    write_text(path, "".join(f"{track},{frame},{_numbers(box)}\n" for track, frame, box in rows))


def write_detections(path: Path, detections: Detections) -> None:
    """Write the file that `read_detections` reads, in the order of the rows; scores keep every digit.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "a.txt")
        ...     write_detections(path, Detections(np.array([3]), np.array([[2.0, 2, 5, 6]]), np.array([0.9])))
        ...     path.read_text()
        '3,2,2,5,6,0.9\\n'
    """
    rows = zip(detections.frames, detections.boxes, detections.scores, strict=True)
    write_text(path, "".join(f"{frame},{_numbers(box)},{float(score)!r}\n" for frame, box, score in rows))


def _regions(boxes: Sequence[TrackBox]) -> Regions:
    frames, tracks = (np.array([getattr(box, name) for box in boxes], np.int64) for name in ("frame", "track"))
    return Regions(frames, tracks, np.array([box.box for box in boxes], np.float64).reshape(-1, 4))


def _table(path: Path, columns: int, form: str) -> Floats:
    """Lines of numbers between commas or spaces: (N, columns)."""
    rows = []
    for place, line in enumerate(read_text(path, "boxes").splitlines(), 1):
        words = line.replace(",", " ").split()
        if not words:
            continue
        try:
            rows.append(
                [whole(words[0]), *(number(word) for word, _ in zip(words[1:], range(columns - 1), strict=True))]
            )
        except ValueError:
            raise PagenError(f"{path}, line {place}: expected '{form}', found {line.strip()!r:.80}; mend it") from None
    return np.array(rows, np.float64).reshape(-1, columns)


def _numbers(box: Floats) -> str:
    return ",".join(str(int(value)) if value.is_integer() else repr(value) for value in box.tolist())
