"""Pages whose browser runs one script, theirs: what else may have slipped into a page stays text or is refused."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from typing import Any

import jinja2


def rendered(template: jinja2.Template, **values: Any) -> str:
    """The page of a template with a block `script`, and in it `policy`: what a browser may do with the page.

    A script is known by the hash of its text, so that no other one and no handler in a tag runs; nothing is asked of
    the network but `data:` pictures, which are no question (W3C, Content Security Policy Level 3).

    Example:
        >>> page = jinja2.Template("{{ policy }} <script>{% block script %}go(){% endblock %}</script>")
        >>> "'sha256-5KYv+PUboo5h+0+YAtGRPbwv5d/QxzHslP4YGnUaxRw='" in rendered(page)
        True
    """
    script = "".join(template.blocks["script"](template.new_context(values)))
    known = b64encode(sha256(script.encode()).digest()).decode()
    only = f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{known}'"
    return template.render(**values, policy=f"{only}; base-uri 'none'; form-action 'none'")
