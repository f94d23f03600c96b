"""Masks: which pixels of a frame are replaced.

No mask is empty or covers more than half of its frame: where one would, a random `small` one takes its place, and is
counted.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

import numpy as np

from pagen.arrays import Frames, Masks
from pagen.generate.mask_random import LARGEST_SHARE, random_mask


class MaskKind(Protocol):
    """A kind of masks, which goes through a clip in segments.

    `prepare` looks at the whole clip once; `segment` gives the masks of some consecutive frames, and what
    it gives does not depend on which segments were asked for before.

    Example:
        >>> from pagen.generate.mask_kinds import open_masks
        >>> kind: MaskKind = open_masks("random")
        >>> kind.origin() is None
        True
    """

    def prepare(self, frames: Frames, name: str) -> Any:
        """What `segment` wants to know of the whole clip, uint8 (T, H, W, C), of that name (`train_01`).

        Raises PagenError: there are no masks for this clip, or none that fit it.
        """

    def segment(self, frames: Frames, state: Any, rng: np.random.Generator, start: int) -> tuple[Masks, int]:
        """Masks, bool (T, H, W), of frames start .. start + T of the clip, and how many of them are fall-backs."""

    def origin(self) -> tuple[str, str] | None:
        """The option and a fingerprint of what lies outside of pagen and of the clips; None where nothing does."""


def bounded(masks: Iterable[Masks], rng: np.random.Generator) -> tuple[Masks, int]:
    """Masks (T, H, W), with a random `small` one for each that is empty or covers too much, and how many are.

    Each is looked at before the next is asked for: what is drawn for them, and the fall-backs, come from the same
    generator in the order of the frames.

    Example:
        >>> full, some = np.ones((32, 32), np.bool_), np.eye(32, dtype=bool)
        >>> masks, fell_back = bounded([full, some], np.random.default_rng(0))
        >>> fell_back, bool((masks[1] == some).all())
        (1, True)
    """
    kept, fell_back = [], 0
    for mask in masks:
        fits = 0 < mask.mean() <= LARGEST_SHARE
        kept.append(mask if fits else random_mask((mask.shape[0], mask.shape[1]), rng))
        fell_back += not fits
    return np.stack(kept), fell_back
