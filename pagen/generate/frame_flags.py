"""What skipped frames and patches may be: the flags that `pagen generate` and recipes of frames share, checked once.

The tables of patch masks and of intruders stand here, by name, so that flags are read without anything heavy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pagen.errors import PagenError, require_name
from pagen.registry import Registry

FARTHEST = 10_000
"""Pixels that a patch moves at most: no frame is as wide."""
PATCH_MASKS: Registry[Any] = Registry(
    "patch mask",
    "pagen.patch_masks",
    {name: f"pagen.generate.patch:{name}" for name in ("smoothmix_s", "smoothmix_c", "cutmix", "mixup")},
    callable,
)
"""Name -> a `PatchMask` of `pagen.generate.patch`."""
SOURCES: Registry[Any] = Registry(
    "source of intruders",
    "pagen.intruders",
    {name: f"pagen.generate.intruders:open_{name}" for name in ("pictures", "folder", "clips")},
    callable,
)
"""Name -> function over what follows the colon of `name:option`, empty without one, that gives an `Opener` of
`pagen.generate.intruders`; raises PagenError."""


def check_kinds(kinds: Sequence[str]) -> None:
    """Raise PagenError where a kind is named twice.

    Example:
        >>> check_kinds(("skip", "skip"))
        Traceback (most recent call last):
        pagen.errors.PagenError: expected each of --kinds once, found skip skip; leave the second away
    """
    if len(set(kinds)) < len(kinds):
        raise PagenError(f"expected each of --kinds once, found {' '.join(kinds)}; leave the second away")


def check_frames(strides: Sequence[int], patch: str, intruders: str, max_size: float, max_move: int) -> None:
    """Raise PagenError for strides, or for a patch, that no clip can be made with.

    Args:
        strides: of skipped frames, 2 and more.
        patch: a name of `PATCH_MASKS`.
        intruders: `name` or `name:option` of `SOURCES`; what the option names is looked for.
        max_size: largest side of a patch, as a share of the frame's, in (0, 1].
        max_move: most pixels that a patch moves along an axis, 0 and more.

    Example:
        >>> check_frames((2, 3), "cutmixx", "pictures", 0.5, 10)  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        pagen.errors.PagenError: no patch mask named 'cutmixx'; did you mean 'cutmix'? known: cutmix mixup ...
    """
    if min(strides, default=0) < 2:
        raise PagenError(f"expected --strides of 2 and more, found {tuple(strides)}; LNTRA takes 2 3 4 5")
    if not 0 < max_size <= 1 or not 0 <= max_move <= FARTHEST:
        raise PagenError(
            f"expected --max-size in (0, 1] and --max-move from 0 to {FARTHEST}, found {max_size} and {max_move}"
        )
    require_name(PATCH_MASKS.what, patch, PATCH_MASKS.names())
    source, _, option = intruders.partition(":")
    require_name(SOURCES.what, source, SOURCES.names())
    if option or source == "folder":
        SOURCES[source](option)
