"""The kinds of masks by name; others register theirs."""

from __future__ import annotations

from collections.abc import Callable

from pagen.generate.mask_random import RandomMasks
from pagen.generate.masks import MaskKind
from pagen.registry import Registry


def _random(option: str) -> MaskKind:
    return RandomMasks(option or "small")


def _motion(option: str) -> MaskKind:
    from pagen.generate.mask_motion import MotionMasks

    return MotionMasks(option or "follow")


def _file(option: str) -> MaskKind:
    from pagen.generate.mask_file import open_mask_folder

    return open_mask_folder(option)


def _segment(option: str) -> MaskKind:
    from pagen.generate.mask_segment import open_segmenter

    return open_segmenter(option)


MASKS: Registry[Callable[[str], MaskKind]] = Registry(
    "mask", "pagen.masks", {"random": _random, "motion": _motion, "file": _file, "segment": _segment}
)
"""Name -> factory over what follows the colon of `name:option`, empty without one; raises PagenError."""


def open_masks(spec: str) -> MaskKind:
    """Masks by `name` or `name:option`: `motion`, `random:thick_256`, `file:DIR`.

    Raises:
        PagenError: no such masks, or no such option.
    """
    name, _, option = spec.partition(":")
    return MASKS[name](option)
