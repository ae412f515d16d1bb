"""Every relative link of the pages people read leads somewhere, also to the heading it names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\[[^\]]*\]\(\s*<?([^)\s>]+)>?[^)]*\)|(?:src|href)=\"([^\"]+)\"")
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`[^`\n]*`")


def links(text: str) -> list[str]:
    """Targets of all links outside of code that stay in the repository."""
    prose = INLINE.sub("", FENCE.sub("", text))
    targets = [one or other for one, other in LINK.findall(prose)]
    return [target for target in targets if not re.match(r"[a-z][a-z+.-]*:", target)]


def anchors(text: str) -> set[str]:
    """The names that the headings of a page can be linked by."""
    headings = re.findall(r"^#+\s+(.*?)\s*#*$", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken(page: Path) -> list[str]:
    faults = []
    for link in links(page.read_text()):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists():
            faults.append(f"{link}: no such file")
        elif anchor and anchor not in anchors(target.read_text()):
            faults.append(f"{link}: no such heading")
    return faults


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(page):
    assert not broken(page)


def test_a_broken_link_is_seen(tmp_path):
    (tmp_path / "there.md").write_text("# A Heading, here\n")
    page = tmp_path / "page.md"
    page.write_text(
        "[a](there.md) [b](there.md#a-heading-here) [c](https://example.com) `[d](code.md)`\n"
        "```\n[e](fenced.md)\n```\n"
        "[f](gone.md) [g](there.md#gone) ![h](gone.svg)\n"
    )
    assert broken(page) == [
        "gone.md: no such file",
        "there.md#gone: no such heading",
        "gone.svg: no such file",
    ]
