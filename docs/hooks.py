"""What mkdocs calls while it builds the site: a link to a file outside of docs/ becomes plain text.

Where the pages are read beside the source, such links lead into it; the site holds the pages alone.
"""

from __future__ import annotations

import re
from posixpath import dirname, normpath
from typing import Any

LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)#:\s]+)[^)]*\)")


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """The page's text without links that leave docs/."""
    folder = dirname(page.file.src_uri)

    def kept(link: re.Match[str]) -> str:
        return link[1] if normpath(f"{folder or '.'}/{link[2]}").startswith("..") else link[0]

    return LINK.sub(kept, markdown)
