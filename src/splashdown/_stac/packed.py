"""Many JSON objects in little memory: compressed in blocks, and decoded when they are looked at.

What an item says weighs some kilobytes as Python objects and some dozen bytes like this: a search of a hundred
thousand items fits into memory, and filters still find every property.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, overload

#: Items that are compressed together: more compress better, fewer are decoded sooner.
_BLOCK = 64


class Packed(Sequence[Mapping[str, Any]]):
    """A series of JSON objects that only grows. What is taken out of it is shared with others: not to be changed."""

    def __init__(self) -> None:
        self._blocks: list[bytes] = []
        self._open: list[dict[str, Any]] = []
        # Number and content of the block that was decoded last; replaced as a whole, so threads need no lock.
        self._recent: tuple[int, list[dict[str, Any]]] = (-1, [])

    def append(self, body: dict[str, Any]) -> None:
        """Put an object at the end. It must hold nothing but JSON values."""
        self._open.append(body)
        if len(self._open) == _BLOCK:
            self._blocks.append(zlib.compress(json.dumps(self._open).encode(), 1))
            self._open = []

    def __len__(self) -> int:
        return len(self._blocks) * _BLOCK + len(self._open)

    @overload
    def __getitem__(self, position: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, position: slice) -> list[dict[str, Any]]: ...
    def __getitem__(self, position: int | slice) -> dict[str, Any] | list[dict[str, Any]]:
        if isinstance(position, slice):
            return [self[i] for i in range(*position.indices(len(self)))]
        if not -len(self) <= position < len(self):
            raise IndexError(position)
        block, at = divmod(position % len(self), _BLOCK)
        if block == len(self._blocks):
            return self._open[at]
        number, content = self._recent
        if number != block:
            content = json.loads(zlib.decompress(self._blocks[block]))
            self._recent = (block, content)
        return content[at]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return (self[i] for i in range(len(self)))


class View(Mapping[str, Any]):
    """An object inside of a packed one (``path`` leads to it), looked up each time. Pickled, it is a plain dict."""

    __slots__ = ("_at", "_packed", "_path")

    def __init__(self, packed: Packed, at: int, path: tuple[str, ...]) -> None:
        self._packed = packed
        self._at = at
        self._path = path

    def _found(self) -> dict[str, Any]:
        found: Any = self._packed[self._at]
        for name in self._path:
            found = found[name]
        return found  # type: ignore[no-any-return]  # a view is made of what was a dict

    def __getitem__(self, name: str) -> Any:
        return self._found()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found())

    def __len__(self) -> int:
        return len(self._found())

    def __repr__(self) -> str:
        return repr(self._found())

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[dict[str, Any]]]:
        return dict, (dict(self._found()),)
