"""What a page ships: little, from this host, and nothing inline."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STATIC, TEMPLATES = ROOT / "static", ROOT / "templates"
MOST_BYTES = 150_000
PAGES = sorted(TEMPLATES.rglob("*.html"))


def test_all_script_and_style_together_is_small() -> None:
    shipped = [*STATIC.rglob("*.css"), *STATIC.rglob("*.js")]

    compressed = sum(len(gzip.compress(path.read_bytes(), 6)) for path in shipped)

    assert len(shipped) >= 7
    assert compressed < MOST_BYTES


def test_every_icon_in_use_is_in_the_sprite() -> None:
    drawn = set(re.findall(r'<symbol id="([\w-]+)"', (STATIC / "icons.svg").read_text()))
    literal = re.compile(r"""\{% icon "([\w-]+)"|symbol="([\w-]+)\"""")
    used = {name for page in PAGES for match in literal.findall(page.read_text()) for name in match if name}

    assert used, "the pattern finds the icons of templates"
    assert used <= drawn


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(TEMPLATES)))
def test_no_template_holds_inline_code_or_asks_another_host(page: Path) -> None:
    text = page.read_text()

    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert not re.search(r"<style|\sstyle=", text)
    assert not re.search(r"\son[a-z]+=", text)
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", text)
