"""The kinds of masks by name; others register theirs."""

from __future__ import annotations

from collections.abc import Callable

from pagen.generate.masks import MaskKind
from pagen.registry import Registry

MASKS: Registry[Callable[[str], MaskKind]] = Registry(
    "mask",
    "pagen.masks",
    {
        "random": "pagen.generate.mask_random:open_random",
        "motion": "pagen.generate.mask_motion:open_motion",
        "file": "pagen.generate.mask_file:open_mask_folder",
        "segment": "pagen.generate.mask_segment:open_segmenter",
    },
    callable,
)
"""Name -> factory over what follows the colon of `name:option`, empty without one; raises PagenError."""


def open_masks(spec: str) -> MaskKind:
    """Masks by `name` or `name:option`: `motion`, `random:thick_256`, `file:DIR`.

    Raises PagenError: no such masks, or no such option.

    Example:
        >>> open_masks("random:thin_256"), open_masks("motion")
        (RandomMasks(preset='thin_256'), MotionMasks(choice='follow'))
    """
    name, _, option = spec.partition(":")
    return MASKS[name](option)
