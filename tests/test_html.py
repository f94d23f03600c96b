"""A page runs its own script alone."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jinja2
import pytest

from pagen.html import rendered

ROOT = Path(__file__).parents[1]
PAGES = ("eval/report/report.html.jinja", "eval/report/runs.html.jinja", "pagen/generate/gallery.html.jinja")
PAGE = """<!DOCTYPE html>
<meta http-equiv="Content-Security-Policy" content="{{ policy | safe }}">
<title>before</title><p>{{ name | safe }}</p>
<script>{% block script %}

const name = {{ name | tojson }};
document.title += " own";
{% endblock %}</script>"""
EVIL = (
    "<script>document.title += ' evil'</script>",
    "<img src=x onerror=\"document.title += ' evil'\">",
    "<svg onload=\"document.title += ' evil'\"></svg>",
    "<a id=go href=\"javascript:document.title += ' evil'\">go</a>",
    "<base href='https://example.org/'><form id=f action='https://example.org/'></form>",
)


@pytest.mark.parametrize("page", PAGES)
def test_every_page_lets_its_own_script_run_and_no_other(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert 'http-equiv="Content-Security-Policy" content="{{ policy | safe }}"' in text
    assert re.findall(r"<script>(.{0,18})", text) == ["{% block script %}"]
    assert not re.search(r"\son[a-z]+=", text)


def test_the_policy_names_the_script_by_its_hash() -> None:
    page = rendered(jinja2.Environment(autoescape=True).from_string(PAGE), name="</script>'\"&Ü")
    (script,) = re.findall(r"<script>(.*?)</script>", page.split("</p>")[1], re.DOTALL)
    known = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = re.findall(r'content="(.*?)"', page)[0]
    assert f"script-src 'sha256-{known}';" in policy
    assert "default-src 'none'" in policy


@pytest.mark.slow
@pytest.mark.parametrize("evil", EVIL)
def test_a_browser_refuses_what_slipped_in(evil: str, tmp_path: Path) -> None:
    from playwright.sync_api import sync_playwright

    page = rendered(jinja2.Environment(autoescape=True, trim_blocks=True).from_string(PAGE), name=evil)
    (tmp_path / "page.html").write_text(page, encoding="utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        shown: Any = browser.new_page()
        shown.goto((tmp_path / "page.html").as_uri())
        shown.evaluate("document.getElementById('go')?.click()")
        shown.wait_for_timeout(200)
        seen = SimpleNamespace(title=shown.title(), address=shown.url)
        browser.close()
    assert seen == SimpleNamespace(title="before own", address=(tmp_path / "page.html").as_uri())
