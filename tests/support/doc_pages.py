"""The project's pages in Markdown, read by a parser: their Python blocks, links and anchors."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
_NOT_RUN = re.compile(r"<!-- not run: (.*?) -->\s*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One fenced block of Python. ``line`` is the page's line of its first statement."""

    code: str
    line: int
    not_run: str | None  #: the reason that the page gives, or ``None``


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    path: Path

    @property
    def name(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @property
    def blocks(self) -> list[Block]:
        tokens, found = _parse(self.text), []
        for number, token in enumerate(tokens):
            if token.type == "fence" and token.info.split()[:1] == ["python"]:
                before = tokens[number - 1].content if number and tokens[number - 1].type == "html_block" else ""
                reason = _NOT_RUN.search(before)
                found.append(
                    Block(code=token.content, line=token.map[0] + 2, not_run=reason[1].strip() if reason else None)
                )
        return found

    @property
    def links(self) -> list[str]:
        """Targets of links and images, as written."""
        return [
            str(target)
            for token in _walk(_parse(self.text))
            if (target := token.attrs.get("href" if token.type == "link_open" else "src"))
        ]

    @property
    def headings(self) -> list[str]:
        """The plain text of each heading."""
        tokens = _parse(self.text)
        return [
            "".join(child.content for child in after.children or () if child.type in {"text", "code_inline"})
            for token, after in itertools.pairwise(tokens)
            if token.type == "heading_open"
        ]

    @property
    def anchors(self) -> set[str]:
        """What a fragment may name, made of headings as GitHub makes it."""
        seen: Counter[str] = Counter()
        found = set()
        for heading in self.headings:
            slug = re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
            found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
            seen[slug] += 1
        return found


def pages() -> list[Page]:
    """README and all of docs/."""
    return [Page(path=path) for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))]


def more_pages() -> list[Page]:
    """The other pages at the top of the checkout, and the READMEs of the packages."""
    own = sorted(path for path in ROOT.glob("*.md") if path.name != "README.md")
    return [Page(path=path) for path in (*own, *sorted((ROOT / "plugins").glob("*/README.md")))]


def _parse(text: str) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(text)


def _walk(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _walk(token.children or [])
