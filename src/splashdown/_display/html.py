"""The building blocks of HTML in notebooks: tables that sort and fold, facts, folded lists, and the frame around them.

No block asks a network for anything, and each takes its colours from the page, so that it fits a light and a dark one.
A plain string is always escaped; only what a block returns is :class:`Html`, which goes in as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from splashdown.redact import safely_shown

#: More rows than this make a notebook slow to scroll.
MOST_ROWS: Final = 100
#: So many rows are seen before the reader unfolds the table.
ROWS_AT_FIRST: Final = 12
#: A cell of more characters is broken where it does not fit.
_LONGEST_LINE: Final = 32

_STYLE = (
    "<style>.splashdown{text-align:left}"
    ".splashdown p{margin:.3em 0}"
    ".splashdown table{margin:0;border-collapse:collapse;font-size:.88em}"
    ".splashdown :is(th,td){text-align:left!important;vertical-align:top;padding:.2em .5em .2em 0;border:0;"
    "border-bottom:1px solid rgba(128,128,128,.3);background:none;white-space:nowrap;"
    "font-variant-numeric:tabular-nums}"
    ".splashdown td.long{white-space:normal;overflow-wrap:anywhere;max-width:32em}"
    ".splashdown th button{all:unset;cursor:pointer;font-weight:600}"
    ".splashdown th button:focus-visible{outline:2px solid currentColor;outline-offset:2px}"
    ".splashdown th[aria-sort=ascending] button:after{content:' \\25B2'}"
    ".splashdown th[aria-sort=descending] button:after{content:' \\25BC'}"
    ".splashdown-table{display:flex;flex-direction:column;align-items:flex-start;overflow-x:auto}"
    ".splashdown-table>details{order:2}.splashdown summary{cursor:pointer;padding:.2em 0}"
    f".splashdown-table>details:not([open])+table>tbody>tr:nth-child(n+{ROWS_AT_FIRST + 1}){{display:none}}"
    ".splashdown svg{display:block;max-width:100%;margin:.3em 0}"
    ".splashdown img{display:inline-block;max-width:96px;max-height:96px;margin:0}"
    ".splashdown-beside{display:flex;flex-wrap:wrap;gap:0 1.5em;align-items:flex-start}"
    "</style>"
)
#: A click on a title sorts the rows: numbers where cells have them in ``data-v``, else words and numbers in words. A
#: handler in an attribute works wherever HTML is inserted, in a script element it would not.
_SORT = escape(
    "const b=event.target.closest('button');if(b){const h=b.parentNode,t=h.closest('table').tBodies[0],n=h.cellIndex,"
    "d=h.getAttribute('aria-sort')==='ascending'?-1:1,v=r=>r.cells[n].dataset.v??r.cells[n].textContent;"
    "for(const o of h.parentNode.cells)o.removeAttribute('aria-sort');"
    "h.setAttribute('aria-sort',d>0?'ascending':'descending');"
    "t.append(...[...t.rows].sort((x,y)=>d*v(x).localeCompare(v(y),undefined,{numeric:true})))}"
)


class Html(str):
    """A string that is HTML already: made of blocks and escaped strings, never of what a document says."""

    __slots__ = ()


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Cell:
    """A cell that is sorted by a number instead of by what it shows."""

    shown: str
    sort: float | None


Shown = str | Html | Cell


def escaped(value: object) -> Html:
    """The value as HTML: a string, or another value's string, without meaning to a browser."""
    return value if isinstance(value, Html) else Html(escape(str(value)))


def frame(*blocks: Html) -> Html:
    """All blocks of one value, with the style that they share."""
    return Html(f'{_STYLE}<div class="splashdown">{"".join(blocks)}</div>')


def line(*parts: object) -> Html:
    """A paragraph."""
    return Html(f"<p>{''.join(map(escaped, parts))}</p>")


def bold(value: object) -> Html:
    """The value, made to stand out."""
    return Html(f"<b>{escaped(value)}</b>")


def beside(*blocks: Html) -> Html:
    """Blocks beside each other, where the page is wide enough; empty ones are left out."""
    return Html(f'<div class="splashdown-beside">{"".join(f"<div>{one}</div>" for one in blocks if one)}</div>')


def facts(found: Mapping[str, object]) -> Html:
    """A line for each fact that is known."""
    known = {name: value if isinstance(value, str) else str(value) for name, value in found.items() if value}
    rows = "".join(f"<tr><th>{escaped(name)}</th>{_td(value)}</tr>" for name, value in known.items())
    return Html(f"<table><tbody>{rows}</tbody></table>" if rows else "")


def folded(title: str, block: Html) -> Html:
    """A block that the reader unfolds."""
    return Html(f"<details><summary>{escaped(title)}</summary>{block}</details>")


def table(head: Sequence[str], rows: Iterable[Sequence[Shown]], *, count: int) -> Html:
    """A table that sorts by a click on a title; a long one shows its first rows until it is unfolded.

    ``rows`` are at most :data:`MOST_ROWS` of ``count``. Columns in which no row has anything are left out.
    """
    rows = list(rows)
    used = [n for n in range(len(head)) if any(_shown(row[n]) for row in rows)]
    titles = "".join(f'<th scope="col"><button type="button">{escaped(head[n])}</button></th>' for n in used)
    body = "".join(f"<tr>{''.join(_cell(row[n]) for n in used)}</tr>" for row in rows)
    fold = ""
    if len(rows) > ROWS_AT_FIRST:
        fold = f"<details><summary>{len(rows) - ROWS_AT_FIRST} more rows</summary></details>"
    more = line(f"and {count - len(rows)} more") if count > len(rows) else ""
    if not rows:
        return Html(more)
    grid = f'<table><thead onclick="{_SORT}"><tr>{titles}</tr></thead><tbody>{body}</tbody></table>'
    return Html(f'<div class="splashdown-table">{fold}{grid}</div>{more}')


def _td(shown: str, more: str = "") -> str:
    """A cell: a long one may be broken anywhere, dates, sizes and other short ones nowhere."""
    long = ' class="long"' if len(shown) > _LONGEST_LINE else ""
    return f"<td{long}{more}>{escaped(shown)}</td>"


def _shown(cell: Shown) -> str:
    return cell.shown if isinstance(cell, Cell) else cell


def _cell(cell: Shown) -> str:
    if not isinstance(cell, Cell):
        return _td(cell)
    # What has no number comes first, in either direction of reading the same.
    number = -1 if cell.sort is None else cell.sort
    return _td(cell.shown, f' data-v="{number}"')
