"""The forms that published data takes: a figure, a line of transfers, and a table of ablations with its lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Published:
    """A figure of a paper: frame-level AUROC in percent; `macro` is None where it was not published.

    `source` is where it stands, and what of; `protocol`, the name of pagen's that comes nearest, None where nothing is
    known.
    """

    micro: float
    macro: float | None
    source: str
    protocol: str | None = None


def column(source: str, protocol: str | None = None, **figures: float | tuple[float, float]) -> dict[str, Published]:
    """Data set -> its figures: micro, or (micro, macro).

    Example:
        >>> column("a README", ped2=98.4)["ped2"]
        Published(micro=98.4, macro=None, source='a README', protocol=None)
    """
    pairs = {name: area if isinstance(area, tuple) else (area, None) for name, area in figures.items()}
    return {name: Published(micro, macro, source, protocol) for name, (micro, macro) in pairs.items()}


@dataclass(frozen=True)
class Carried:
    """A line of a paper's table of transfers: data set tested on -> micro AUROC in percent, as it is printed."""

    method: str
    trained_on: str
    figures: Mapping[str, str]


@dataclass(frozen=True)
class Variant:
    """One line of a table of ablations: a run, and what is measured of it; what is trained alike shares one run.

    Attributes:
        changes: fields of the recipe that differ from its scale's.
        stored: flags of `pagen generate` for its PA set; none, if the recipe makes its own.
        indicators: what is added up, or the one that counts.
        protocol: fields in which its protocol differs.
        measure: of a whole frame's error: mse, pse, bpe, or the network's own.
        published: the paper's figures, in the order of `Ablation.where`.
    """

    label: str
    recipe: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    stored: Mapping[str, Any] = field(default_factory=dict)
    indicators: tuple[str, ...] = ()
    protocol: Mapping[str, Any] = field(default_factory=dict)
    measure: str | None = None
    published: str = "-"


@dataclass(frozen=True)
class Ablation:
    """A table of a paper.

    Attributes:
        where: which figures stand beside ours.
        protocol: what it is measured in.
        stand_in: what all its variants look at in place of the paper's features of whole frames, which others may give.
    """

    title: str
    where: str
    protocol: str
    variants: tuple[Variant, ...]
    stand_in: str = ""
