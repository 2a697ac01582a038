"""Tables for pipes and for many rows, in the form of the short ones: a hundred thousand rows take a second.

It also makes those of a terminal fit: names lose the parts they share before the parts in which they differ.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from splashdown._display.text import printable, shared_start, shortened

#: Between two columns.
_GAP = "   "
#: Columns of names, and the width below which a name is folded rather than shortened further.
NAMES = frozenset({"file", "item", "key", "asset", "id"})
_NARROWEST = 16
#: So many characters more are tried where two names would look the same.
_STEP = 4


def lines(
    columns: Sequence[str], rows: Sequence[Sequence[str]], *, right: Collection[str] = (), header: bool = True
) -> Iterator[str]:
    """The lines of a table; no cell is cut or folded, and no line ends with blanks."""
    padded = [
        _padded([*([name] if header else []), *cells], left=name not in right)
        for name, cells in zip(columns, zip(*rows, strict=True), strict=True)
    ]
    whole = map(_GAP.join, zip(*padded, strict=True))
    first = next(whole)
    width = sum(map(_width, (cells[0] for cells in padded))) + len(_GAP) * (len(padded) - 1)
    yield ""
    yield f" {first}".rstrip()
    if header:
        yield f" {'─' * width}"
    yield from (f" {line}".rstrip() for line in whole)
    yield ""


def _padded(cells: Sequence[str], *, left: bool) -> list[str]:
    # No function of Python is called for a plain cell: that is the difference between one second and fifteen.
    clean = [cell if cell.isprintable() else printable(cell) for cell in cells]
    if all(map(str.isascii, clean)):
        most = max(map(len, clean))
        return [cell.ljust(most) for cell in clean] if left else [cell.rjust(most) for cell in clean]
    widths = [len(cell) if cell.isascii() else _width(cell) for cell in clean]
    most = max(widths)
    pairs = zip(clean, widths, strict=True)
    return [cell + " " * (most - w) if left else " " * (most - w) + cell for cell, w in pairs]


def _width(cell: str) -> int:
    from rich.cells import cell_len  # some characters take two places, some none

    return cell_len(cell)


def fitted(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[list[str]]:
    """The rows with names shortened so that a line of a terminal holds a row, where that can be."""
    if not rows:
        return []
    cells = [list(column) for column in zip(*rows, strict=True)]
    widths = [max(map(_width, (name, *column))) for name, column in zip(columns, cells, strict=True)]
    names = [n for n, name in enumerate(columns) if name in NAMES]
    # A margin at both ends, and two spaces beside each bar that a terminal's table has.
    over = sum(widths) + len(_GAP) * len(columns) - width
    for n in sorted(names, key=widths.__getitem__, reverse=True):
        if over > 0 and widths[n] > _NARROWEST:
            most, cut = _distinct(cells[n], max(_NARROWEST, widths[n] - over))
            over -= widths[n] - most
            cells[n] = cut
    return [list(row) for row in zip(*cells, strict=True)]


def _distinct(names: Sequence[str], width: int) -> tuple[int, list[str]]:
    """The names, shortened to a width that is the given one, or so much wider that different names stay different."""
    common, different = shared_start(names), len(set(names))
    while True:
        cut = [shortened(name, width, common) for name in names]
        if len(set(cut)) == different:
            return width, cut
        width += _STEP
