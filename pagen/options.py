"""What flags may be, where several verbs or rooms share it: each list of names stands once, and without torch."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Literal, cast, get_args

from pagen.errors import require_name

Scale = Literal["paper", "cpu", "tiny"]
"""How large a training is."""
PseudoKind = Literal["spatial", "temporal", "skip", "patch"]
"""Kinds of pseudo-anomalies."""
PSEUDO_KINDS: tuple[PseudoKind, ...] = get_args(PseudoKind)
"""The same as a tuple, in the order in which they are made and listed."""
Source = Literal["frames", "flow", "features", "density"]
"""What a run looks at: frames, optical flow, an encoder's features of frames, or features whose density it knows."""
FusionWeights = Literal["published", "uniform", "pseudo", "oracle"]
"""Where the weights of what is fused come from."""
Precision = Literal["fp32", "bf16"]
"""Numbers that networks over clips multiply when they score."""
Measure = Literal["mse", "pse", "bpe"]
"""How the error of a whole frame is measured: squared, blurred first, or blur-pooled."""
FolderKind = Literal["prepared", "flow", "pa_set", "features", "run", "scores", "rows", "maps"]
"""Kinds of folders with a manifest; ARCHITECTURE.md tells what lies in each."""

SIZE = (256, 256)
"""Height and width that frames are prepared at by default, pixels."""
SMALLEST_SIDE = 16
"""Pixels a side at least, which optical flow and masks need."""
POOLED = 16
"""Frames of a window that is judged as a whole by the mean of its features (Rai et al., 2024)."""
STRIDES = (2, 3, 4, 5)
"""Strides of skip pseudo-anomalies by default (LNTRA)."""


def scale_in(argv: Sequence[str]) -> Scale:
    """The value of --scale, read ahead because other defaults depend on it. Raises PagenError: no such scale."""
    words = [word for argument in argv for word in argument.split("=", 1)]
    values = [value for flag, value in pairwise(words) if flag == "--scale"]
    scale = values[-1] if values else "cpu"
    require_name("scale", scale, get_args(Scale))
    return cast("Scale", scale)


FLAGS = {"called": "name", "rounding": "precision"}
"""Field of a configuration -> its flag, where that is called otherwise: kinds of features have names, too."""


def flag_of(name: str) -> str:
    """A field of a configuration as it is typed: `limit_clips` is --limit-clips."""
    return f"--{FLAGS.get(name, name).replace('_', '-')}"


def words_of(name: str, value: Any) -> list[str]:
    """A flag as it is typed.

    Example:
        >>> words_of("limit_clips", 2), words_of("size", (48, 64)), words_of("colour", False)
        (['--limit-clips', '2'], ['--size', '48', '64'], ['--no-colour'])
    """
    if isinstance(value, bool):
        return [flag_of(name) if value else flag_of(f"no_{name}")]
    return [flag_of(name), *map(str, value if isinstance(value, (tuple, list)) else [value])]
