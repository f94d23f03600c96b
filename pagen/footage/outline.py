"""What is known of a data set's clips without decoding them: lengths, labels, the size of the first frame.

For those who bring something else of every clip, such as features out of files: a hundred hours of video need not be
decoded for what nobody looks at.
"""

from __future__ import annotations

import functools
from pathlib import Path

from pagen.fill import Made, fill
from pagen.folders import digests
from pagen.footage.check import require
from pagen.footage.clips import ClipSource
from pagen.footage.locate import locate
from pagen.footage.prepare import Prepared, begun, open_prepared, write_labels
from pagen.spread import Workers


def outline(dataset: str, root: Path | None = None, workers: Workers = None, partial: bool = False) -> Prepared:
    """A data set's clips as `prepare` gives them at the footage's own size, without their frames and masks.

    Raises PagenError: the footage is missing or damaged, or labels do not fit.

    Example:
        >>> outline("strete")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        pagen.errors.PagenError: no data set named 'strete'; did you mean 'street'? known: ...
    """
    footage = locate(dataset, root)
    require(footage, partial)
    folder = begun(footage, "outline", {"size": None, "colour": False, "frames": False})
    clips = {clip.name: clip for clip in footage.clips}
    fill(folder, clips, functools.partial(_outlined, folder.path), workers, f"look at {dataset}")
    return open_prepared(folder.path)


def _outlined(path: Path, clip: ClipSource) -> Made:
    """Write the labels of one clip; returns their digest and the shape of the frames, as if they were grey."""
    length, file = clip.length(), path / f"labels/{clip.name}.npy"
    shape = (length, *next(iter(clip.frames())).shape[:2], 1)
    known = {"shape": shape, **write_labels(file, clip, length)}
    return digests(path, [file] if file.exists() else []), known
