"""Whether a data set lies in its folder in a second layout too, of which nothing is read."""

from __future__ import annotations

from pagen.footage.clips import Footage
from pagen.footage.location import Location


def other_layouts(footage: Footage) -> list[str]:
    """The layouts in which clips of located footage are there and are not read, in words for a line each.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from pagen.footage.locate import locate
        >>> with tempfile.TemporaryDirectory() as root:
        ...     for name in ("testing_videos/08.avi", "testing/frames/08/0000.jpg"):
        ...         Path(root, name).parent.mkdir(parents=True)
        ...         Path(root, name).touch()
        ...     other_layouts(locate("avenue", Path(root)))
        ['clips in common layout, since those in official layout are']
    """
    if footage.root is None:
        return []
    others = [Location(footage.root, layout) for layout in footage.dataset.layouts if layout.name != footage.layout]
    there = [one.layout.name for one in others if any(one.holds(part) for part in one.layout.parts)]
    return [f"clips in {name} layout, since those in {footage.layout} layout are" for name in there]
