"""The forms that published data takes: a figure, and a table of ablations with its lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Published:
    """A figure of a paper: frame-level AUROC in percent."""

    micro: float
    macro: float | None
    """None where it was not published."""
    source: str
    """Where it stands, and what of."""
    protocol: str | None = None
    """The name of pagen's protocol that comes nearest; None where nothing is known."""


def column(source: str, protocol: str | None = None, **figures: float | tuple[float, float]) -> dict[str, Published]:
    """Data set -> its figures: micro, or (micro, macro).

    Example:
        >>> column("a README", ped2=98.4)["ped2"]
        Published(micro=98.4, macro=None, source='a README', protocol=None)
    """
    pairs = {name: area if isinstance(area, tuple) else (area, None) for name, area in figures.items()}
    return {name: Published(micro, macro, source, protocol) for name, (micro, macro) in pairs.items()}


@dataclass(frozen=True)
class Variant:
    """One line of a table of ablations: a run, and what is measured of it; what is trained alike shares one run."""

    label: str
    recipe: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the recipe that differ from its scale's."""
    stored: Mapping[str, Any] = field(default_factory=dict)
    """Flags of `pagen generate` for its PA set; none, if the recipe makes its own."""
    indicators: tuple[str, ...] = ()
    """What is added up, or the one that counts."""
    protocol: Mapping[str, Any] = field(default_factory=dict)
    """Fields in which its protocol differs."""
    measure: str | None = None
    """Of a whole frame's error: mse, pse, bpe, or the network's own."""
    published: str = "-"
    """The paper's figures, in the order of `Ablation.where`."""


@dataclass(frozen=True)
class Ablation:
    """A table of a paper."""

    title: str
    where: str
    """Which figures are beside ours."""
    protocol: str
    """In which it is measured, where none is asked for."""
    variants: tuple[Variant, ...]
