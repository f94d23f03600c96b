"""The card of a network: what its README.md says on disk and on the Hugging Face hub."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pagen.models.detectors import Detector
    from pagen.models.pretrained import Pretrained

UNKNOWN = "unknown: whoever saved these weights left no account of it."


def card(
    network: Pretrained,
    title: str | None = None,
    trained_on: str = UNKNOWN,
    settings: Mapping[str, object] | None = None,
) -> str:
    """The text of a README.md with the front matter of the hub.

    Args:
        network: whose class, configuration and number of parameters are told.
        title: of the card; the network's class without one.
        trained_on: the sentence that **Trained on** begins.
        settings: further rows of the table, for example the recipe.
    """
    count = sum(parameter.numel() for parameter in network.parameters())
    rows = {"parameters": f"{count:,}", **network.config, **dict(sorted((settings or {}).items()))}
    return _text(type(network), "from_pretrained", title, trained_on, rows)


def detector_card(detector: Detector, title: str, trained_on: str, settings: Mapping[str, object]) -> str:
    """The same of a detector of features; arguments as for `card`."""
    return _text(type(detector), "load", title, trained_on, {**detector.config(), **dict(sorted(settings.items()))})


def _text(kind: type, loader: str, title: str | None, trained_on: str, rows: Mapping[str, object]) -> str:
    about = (kind.__doc__ or "").partition("\n")[0]
    return f"""---
library_name: pagen
license: other
tags: [video-anomaly-detection]
---
# {title or kind.__name__}

{about}

**Trained on** {trained_on}

**Meant for** research, and for pointing a person at footage worth a look. Not for deciding about people.
**Limits:** the scenes that it was trained on; its scores need a threshold from normal footage.
**Licence** of the weights: that of the footage they were trained on.

**Load** with `from {kind.__module__} import {kind.__name__}; {kind.__name__}.{loader}(path)`.

| setting | value |
| --- | --- |
{_table({"class": kind.__name__, **rows})}
"""


def _table(rows: Mapping[str, object]) -> str:
    cells = ((str(key), str(value).replace("|", r"\|")) for key, value in rows.items())
    return "\n".join(f"| {key} | {value} |" for key, value in cells)
