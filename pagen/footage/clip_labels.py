"""Where the labels of one clip are written, and how they are read from there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pagen.footage.layout import LABEL_KINDS, LabelSource
from pagen.registry import resolve

if TYPE_CHECKING:
    from pagen.footage.labels.said import Fitted, Said


@dataclass(frozen=True)
class ClipLabels:
    """Where the labels of one clip are written.

    Attributes:
        key: what the clip is called there.

    Example:
        >>> ClipLabels(LabelSource("csv", "labels.csv", "labels.csv"), Path("labels.csv"), "walk").key
        'walk'
    """

    source: LabelSource
    path: Path
    key: str

    def read(self, length: int) -> Fitted | None:
        """Labels of a clip of so many frames, or None where the file does not name it.

        Raises PagenError: the file is not in its form, or what it says does not fit by more than the source's slack.
        """
        source = self.source
        read: Callable[[Path, str], Said | None] = resolve(LABEL_KINDS[source.kind].read)
        if (said := read(self.path, self.key)) is None:
            return None
        where = f"{self.path}, clip {self.key}"
        return said.fit(length, where, slack=source.slack, counting=source.counting, normal=source.normal)
