"""JSON objects in blocks: an item takes kilobytes as Python objects, and some dozen bytes here."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from splashdown._series.blocks import Blocks
from splashdown.columns import ByName


class Documents(Blocks[dict[str, Any]]):
    """A sequence of JSON objects; filters still find every property."""

    def __init__(self) -> None:
        super().__init__(_encoded, json.loads)


#: Documents come from JSON, so that nothing in them holds itself; without blanks they take less, too.
_encode = json.JSONEncoder(check_circular=False, separators=(",", ":")).encode


def _encoded(values: Sequence[dict[str, Any]]) -> bytes:
    return _encode(values).encode()


#: A document inside packed ones: these, and its number.
Place = tuple[Documents, int]


class View(Mapping[str, Any]):
    """An object inside a packed one (at ``path``), looked up on each access. It pickles as a plain dict."""

    __slots__ = ("at", "packed", "path")

    def __init__(self, packed: Documents, at: int, path: tuple[str, ...]) -> None:
        self.packed = packed
        self.at = at
        self.path = path

    def _found(self) -> dict[str, Any]:
        found: Any = self.packed.at(self.at)
        for name in self.path:
            found = found[name]
        return found  # type: ignore[no-any-return]  # views are made of dicts only

    def __getitem__(self, name: str) -> Any:
        return self._found()[name]

    def get(self, name: str, default: Any = None) -> Any:
        """As a dictionary's: most fields that are asked for are not there, and that is not worth an exception."""
        return self._found().get(name, default)

    def __iter__(self) -> Iterator[str]:
        return iter(self._found())

    def __len__(self) -> int:
        return len(self._found())

    def __repr__(self) -> str:
        return repr(self._found())

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[dict[str, Any]]]:
        return dict, (dict(self._found()),)


class PackedObject(ByName[str, Any]):
    """A JSON object with very many members. It pickles and copies as a plain dict."""

    def __init__(self) -> None:
        self._values = Documents()
        self._append, self._count = self._values.append, 0
        super().__init__((), self._values)

    def put(self, key: str, value: Any) -> None:
        """Add a member; the last one of equal keys counts."""
        self._positions[key] = self._count
        self._count += 1
        self._append(value)

    def view(self, key: str) -> View:
        """A member, looked up on each access."""
        return View(self._values, self._positions[key], ())

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[dict[str, Any]]]:
        return dict, (dict(self),)


def is_packed(value: object) -> bool:
    """Whether each access decodes a new object, whose own members may be changed, but not the values inside them."""
    return isinstance(value, Documents | PackedObject)


def plain(body: dict[str, Any]) -> dict[str, Any]:
    """A document without packed members; the same object if it has none."""
    # Only the assets of a document are ever packed, and this is asked of each item of a source.
    assets = body.get("assets")
    return {**body, "assets": dict(assets)} if type(assets) is PackedObject else body
