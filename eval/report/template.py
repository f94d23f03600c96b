"""Pages out of templates, with their pictures in the best quality that keeps them small."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import jinja2

from pagen.folders import write_text
from pagen.html import rendered

LARGEST = 8_000_000
"""Bytes that a page stays under."""
QUALITIES = (70, 55, 40, 25, 10)
"""Of WebP."""


class Pictures(Protocol):
    """The pictures of a page."""

    def encoded(self, quality: int) -> dict[str, Any]:
        """What the page's script shows of them, in a quality from 1 to 100."""


def write_page(path: Path, name: str, content: dict[str, Any], pictures: Pictures, pseudo: str | None = None) -> int:
    """Write the page of a template, in the best quality of pictures that fits into `LARGEST`; returns its bytes.

    `content["drawn"]` is the data of the page's script, pictures aside; `pseudo` a gallery as a data URI.
    """
    for quality in QUALITIES:
        data = {**content["drawn"], **pictures.encoded(quality)}
        page = rendered(_template(name), content=content, data=data, pseudo=pseudo)
        if len(page.encode()) < LARGEST:
            break
    write_text(path, page)
    return len(page.encode())


def _template(name: str) -> jinja2.Template:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    ).get_template(name)
