"""Clips of procedural footage, which needs no folder."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from pagen.registry import resolve

if TYPE_CHECKING:
    from pagen.arrays import Frames, Masks
    from pagen.footage.labels.said import Fitted

_FITTED = "pagen.footage.labels.said:Fitted"  # which needs numpy, and a list of data sets does not


@dataclass(frozen=True)
class SceneClip:
    """A clip of procedural footage, with the methods of `ClipSource`; `drawn` has the frames, labels and masks.

    Attributes:
        fps: that of its data set.
        moved_to: the split, where it is not the scene's own.
        called: its name, where it is not the scene's own.

    Example:
        >>> from pagen.footage.street.scene import scenes
        >>> clip = SceneClip(scenes(train=1, test=0, frames=2)[0])
        >>> next(clip.frames()).shape, clip.labels().tolist()
        ((128, 192), [0, 0])
    """

    drawn: Any
    fps: float = 0.0
    moved_to: str = ""
    called: str = ""
    abnormal: ClassVar[None] = None
    scene: ClassVar[str] = ""

    @property
    def name(self) -> str:
        return self.called or str(self.drawn.name)

    @property
    def split(self) -> str:
        return self.moved_to or str(self.drawn.split)

    def frames(self) -> Iterator[Frames]:
        yield from self.drawn.frames()

    def labels(self, edition: str | None = None) -> Frames | None:
        return self.drawn.labels()  # type: ignore[no-any-return]  # a scene of anybody's

    def fitted_labels(self, edition: str | None = None, length: int | None = None) -> Fitted | None:
        labels = self.labels(edition)
        return None if labels is None else resolve(_FITTED)(labels, 0)

    def masks(self) -> Iterator[Masks] | None:
        return self.drawn.masks()  # type: ignore[no-any-return]  # as there

    def length(self) -> int:
        return int(self.drawn.length)

    @property
    def has_masks(self) -> bool:
        return True

    def breaks(self) -> Mapping[int, str]:
        return {}

    def identity(self) -> str:
        return hashlib.sha256(repr(self.drawn).encode()).hexdigest()[:32]

    def notes(self) -> list[str]:
        return []

    def moved(self, split: str) -> SceneClip:
        return replace(self, moved_to=split)

    def renamed(self, name: str) -> SceneClip:
        return replace(self, called=name)
