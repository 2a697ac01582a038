"""Tables for pipes and for many rows, in the form of the short ones: a hundred thousand rows take a second."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from splashdown._display.text import printable

#: Between two columns.
_GAP = "   "


def lines(
    columns: Sequence[str], rows: Sequence[Sequence[str]], *, right: Collection[str] = (), header: bool = True
) -> Iterator[str]:
    """The lines of a table; no cell is cut or folded."""
    padded = [
        _padded([*([name] if header else []), *cells], left=name not in right)
        for name, cells in zip(columns, zip(*rows, strict=True), strict=True)
    ]
    whole = map(_GAP.join, zip(*padded, strict=True))
    first = next(whole)
    width = sum(map(_width, (cells[0] for cells in padded))) + len(_GAP) * (len(padded) - 1)
    yield " " * (width + 2)
    yield f" {first} "
    if header:
        yield f" {'─' * width} "
    yield from (f" {line} " for line in whole)
    yield " " * (width + 2)


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
