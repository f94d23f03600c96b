"""What is known of a data set's clips without decoding them: lengths, labels, the size of the first frame.

For those who bring something else of every clip, such as features out of files: a hundred hours of video need not be
decoded for what nobody looks at.
"""

from __future__ import annotations

import functools
from pathlib import Path

from pagen.arrays import write_array
from pagen.fill import Made, fill
from pagen.folders import Folder, digests, folder_name
from pagen.footage.check import require
from pagen.footage.clips import ClipSource
from pagen.footage.content import cache_folder
from pagen.footage.locate import locate
from pagen.footage.prepare import (
    Prepared,
    about,
    identity_of,
    known_of,
    open_prepared,
    require_one_a_frame,
)
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
    identity = identity_of(footage)
    path = cache_folder() / f"{folder_name(dataset)}-outline-{identity[:8]}"
    config = {"dataset": dataset, "size": None, "colour": False, "frames": False, **about(footage)}
    volatile = {"root": str(footage.root), "layout": footage.layout}
    folder = Folder.begin(path, "prepared", config, {"footage": identity}, volatile)
    fill(
        folder,
        {clip.name: clip for clip in footage.clips},
        functools.partial(_outlined, path),
        workers,
        f"look at {dataset}",
    )
    return open_prepared(path)


def _outlined(path: Path, clip: ClipSource) -> Made:
    """Write the labels of one clip; returns their digest and the shape of the frames, as if they were grey."""
    length, file = clip.length(), path / f"labels/{clip.name}.npy"
    fitted = clip.fitted_labels(length=length)
    if fitted is not None:
        require_one_a_frame(clip.name, "labels", len(fitted.labels), length)
        write_array(file, fitted.labels)
    shape = (length, *next(iter(clip.frames())).shape[:2], 1)
    return digests(path, [file] if fitted is not None else []), known_of(shape, fitted)
