"""Lay out the pages of the checkout as a site: Markdown in, Markdown out.

The pages stay what they are in the checkout, whole without a site. Here they get places and links of the site, lists of
contents, and pages made of docstrings. A new page in a folder of docs/ is found by itself.
"""

from __future__ import annotations

import pkgutil
import posixpath
import re
import shutil
from pathlib import Path
from urllib.parse import urlsplit

import splashdown

ROOT = Path(__file__).parents[3]
#: The parts of the site: folder, title, what a reader finds there.
PARTS = {
    "tutorial": ("Tutorials", "to learn by doing"),
    "how-to": ("How-to guides", "to reach a goal"),
    "coming-from": ("Coming from", "for users of other programs"),
    "reference": ("Reference", "to look up"),
    "api": ("API", "from the docstrings"),
    "explanation": ("Explanation", "to understand"),
    "plugins": ("Plugins", "distributions of their own"),
    "about": ("About", "the project"),
}
_LINK = re.compile(r"(?P<before>!?\[(?P<text>(?:[^\[\]]|\[[^\]]*\])*)\]\()(?P<target>[^)\s]+)\)")
_FENCE = re.compile(r"^ *```.*?^ *```", re.DOTALL | re.MULTILINE)


def places() -> dict[str, str]:
    """Where each file of the checkout that belongs to the site goes."""
    found = {path.name: f"about/{path.name}" for path in ROOT.glob("*.md") if path.name != "paper.md"}
    for path in sorted((ROOT / "docs").rglob("*")):
        if path.is_file():
            found[path.relative_to(ROOT).as_posix()] = path.relative_to(ROOT / "docs").as_posix()
    for path in sorted((ROOT / "plugins").glob("s*/README.md")):
        found[path.relative_to(ROOT).as_posix()] = f"plugins/{path.parent.name}.md"
    return found


def relink(text: str, page: str, known: dict[str, str]) -> str:
    """The page with links that hold on the site; what has no place there stays as words."""

    def link(match: re.Match[str]) -> str:
        parts = urlsplit(match["target"])
        if parts.scheme or not parts.path:
            return match[0]
        target = posixpath.normpath(posixpath.join(posixpath.dirname(page), parts.path))
        for candidate in (target, f"{target}/index.md"):
            if candidate in known:
                place = posixpath.relpath(known[candidate], posixpath.dirname(known[page]) or ".")
                return f"{match['before']}{place}{'#' * bool(parts.fragment)}{parts.fragment})"
        return match["text"]

    pieces, at = [], 0
    for fence in _FENCE.finditer(text):
        pieces += [_LINK.sub(link, text[at : fence.start()]), fence[0]]
        at = fence.end()
    return "".join([*pieces, _LINK.sub(link, text[at:])])


def modules() -> list[str]:
    """The public modules."""
    found = (one.name for one in pkgutil.iter_modules(splashdown.__path__))
    return [name for name in found if name[0] != "_" and name != "builtins"]


def api_page(module: str) -> str:
    """A page that Sphinx fills with the docstrings of a module."""
    name = f"splashdown.{module}" if module else "splashdown"
    options = {"testing": ["imported-members:"], "http": ["imported-members:"], "": ["no-members:"]}.get(module, [])
    body = "\n   :".join([f".. automodule:: {name}", *options])
    if not module:  # the other names are on the pages of their modules
        body += "\n\n.. autofunction:: splashdown.open\n"
    return f"# `{name}`\n\n```{{eval-rst}}\n{body}\n```\n"


def contents(folder: Path) -> str:
    """The hidden lists of contents, by part, and the list of parts that the index shows."""
    shown, hidden = [], []
    for part, (title, purpose) in PARTS.items():
        pages = sorted(path for path in (folder / part).rglob("*.md") if path != folder / part / "index.md")
        pages = [path for path in pages if path.parent == folder / part or path.name == "index.md"]
        (folder / part / "index.md").write_text(_part(folder / part, title, purpose, pages), encoding="utf-8")
        shown.append(f"- [{title}]({part}/index.md), {purpose}")
        hidden.append(f"{part}/index")
    toc = "\n".join(hidden)
    return "\n".join(["", "## All pages", "", *shown, "", "```{toctree}", ":hidden:", "", toc, "```", ""])


def _part(folder: Path, title: str, purpose: str, pages: list[Path]) -> str:
    own = folder / "index.md"
    head = own.read_text(encoding="utf-8") if own.exists() else f"# {title}\n\nPages {purpose}.\n"
    names = [path.relative_to(folder).with_suffix("").as_posix() for path in pages]
    return "\n".join([head, "```{toctree}", ":maxdepth: 1", "", *names, "```", ""])


def stage(folder: Path) -> None:
    """Write all pages of the site below a folder, which is emptied first."""
    shutil.rmtree(folder, ignore_errors=True)
    known = places()
    for page, place in known.items():
        target = folder / place
        target.parent.mkdir(parents=True, exist_ok=True)
        if page.endswith(".md"):
            target.write_text(relink((ROOT / page).read_text(encoding="utf-8"), page, known), encoding="utf-8")
        else:
            shutil.copyfile(ROOT / page, target)
    (folder / "api").mkdir()
    for module in ("", *modules()):
        (folder / "api" / f"{module or 'splashdown'}.md").write_text(api_page(module), encoding="utf-8")
    hooks = folder / "reference/hooks/index.md"
    listed = "\n```{toctree}\n:hidden:\n:glob:\n\nsplashdown_*\n```\n"
    hooks.write_text(hooks.read_text(encoding="utf-8") + listed, encoding="utf-8")
    index = folder / "index.md"
    index.write_text(index.read_text(encoding="utf-8") + contents(folder), encoding="utf-8")
