"""The footage that the benchmarks and the pictures of the docs are made of."""

from __future__ import annotations

from pagen.errors import PagenError
from pagen.footage.locate import locate


def ped2_or_street() -> str:
    """`ped2` where it is found (PAGEN_DATA), else `street`, which every machine has."""
    try:
        locate("ped2")
    except PagenError:
        return "street"
    return "ped2"
