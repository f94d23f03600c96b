"""What lies in a data set's folder and is not read: clips of other names, copies among them, and another layout."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from pagen.footage.catalogue import DataSet
from pagen.footage.clips import Footage
from pagen.footage.frame_files import few
from pagen.footage.layout import Layout
from pagen.footage.listing import IMAGES
from pagen.footage.location import Entry, Location


def passed_over(footage: Footage) -> tuple[str, ...]:
    """What is not read in the folder of located footage, and why, in words for a line each.

    Example:
        >>> import tempfile
        >>> from pagen.footage.locate import locate
        >>> with tempfile.TemporaryDirectory() as root:
        ...     Path(root, "testing_videos").mkdir()
        ...     for name in ("08.avi", "08 (1).avi"):
        ...         Path(root, "testing_videos", name).touch()
        ...     passed_over(locate("avenue", Path(root)))
        ('testing_videos/08 (1).avi, called otherwise than clips of avenue are',)
    """
    layout = next((layout for layout in footage.dataset.layouts if layout.name == footage.layout), None)
    if footage.root is None or layout is None:
        return ()
    location = Location(footage.root, layout)
    return (*_called_otherwise(footage.name, location), *_other_layouts(footage.dataset, location))


def _called_otherwise(name: str, location: Location) -> Iterator[str]:
    """Videos, and folders of images, beside clips, which no part of the layout takes for one."""
    layout, root = location.layout, location.root
    places = [(part, pattern) for part in layout.parts for pattern in part.folders]
    found = {entry.path: entry for place in places for entry in location.like_clips(*place)}
    clips = [entry for entry in found.values() if _is_clip(entry, layout)]
    masks = {entry.place(source.path) for entry in clips for source in (*layout.masks, *layout.labels)}
    known = {entry.path for entry in clips} | masks
    if odd := [path for path in found if path not in known and _is_footage(path)]:
        names = few(sorted(path.relative_to(root).as_posix() for path in odd))
        yield f"{names}, called otherwise than clips of {name} are"


def _is_clip(entry: Entry, layout: Layout) -> bool:
    return any(re.fullmatch(part.clip, entry.stem) for part in layout.parts)


def _is_footage(path: Path) -> bool:
    """Whether it is a video, or a folder in which images lie."""
    if not path.is_dir():
        return True
    with os.scandir(path) as entries:
        return any(entry.name.lower().endswith(IMAGES) for entry in entries)


def _other_layouts(dataset: DataSet, location: Location) -> Iterator[str]:
    """Layouts in which clips are there too."""
    for layout in dataset.layouts:
        other = Location(location.root, layout)
        if layout is not location.layout and any(other.holds(part) for part in layout.parts):
            yield f"clips in {layout.name} layout, since those in {location.layout.name} layout are"
