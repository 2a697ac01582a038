"""HTML as a browser reads it, and strings that would mean something to one."""

from __future__ import annotations

from html.parser import HTMLParser

#: What the blocks are made of. A tag or attribute besides these came from a document.
TAGS = frozenset(
    [
        "style",
        "div",
        "p",
        "b",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "button",
        "details",
        "summary",
        "svg",
        "rect",
        "g",
        "path",
        "text",
        "img",
        "a",
    ]
)
ATTRIBUTES = frozenset(
    [
        "class",
        "scope",
        "type",
        "onclick",
        "data-v",
        "open",
        "role",
        "aria-label",
        "width",
        "height",
        "viewbox",
        "fill",
        "stroke",
        "stroke-width",
        "fill-opacity",
        "fill-rule",
        "d",
        "x",
        "y",
        "font-size",
        "font-family",
        "alt",
        "title",
        "src",
        "href",
        "target",
        "rel",
    ]
)


class Page(HTMLParser):
    """The tags, attributes and words of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.words.append(data)

    @property
    def strange(self):
        """What no block makes."""
        addresses = [v for n, v in self.attributes if n == "src" and not str(v).startswith("data:image/")]
        addresses += [v for n, v in self.attributes if n == "href" and (":" in str(v) or str(v).startswith("//"))]
        return {*self.tags} - TAGS, {name for name, _ in self.attributes} - ATTRIBUTES, addresses


HOSTILE = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</style><b>", "'onclick='x", "&lt;", "\0"]
