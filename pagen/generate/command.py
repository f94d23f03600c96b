"""How a PA set is asked for on the command line: what messages advise, so that it works when it is typed."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pagen.footage.own import NAMED, asked_as
from pagen.generate.config import Generate
from pagen.options import Scale, words_of


def command(dataset: str, flags: Mapping[str, Any], scale: Scale = "cpu") -> str:
    """`pagen generate` with every flag in which a set differs from what a scale gives by itself.

    Args:
        flags: field of `Generate` -> value, in the order in which they are to stand.

    Example:
        >>> command("street", {"kinds": ("spatial",), "size": (96, 144), "colour": True}, "tiny")
        'pagen generate --dataset street --scale tiny --kinds spatial --colour'
        >>> command("street", {"colour": False}, "paper")
        'pagen generate --dataset street --scale paper --no-colour'
    """
    usual = asdict(Generate.at(scale, dataset))
    words = ["pagen", "generate", *asked_as(dataset), *(["--scale", scale] if scale != "cpu" else [])]
    said = {"root"} if dataset in NAMED else set()
    for name, value in flags.items():
        words += words_of(name, value) if value != usual[name] and name not in said else []
    return shlex.join(words)
