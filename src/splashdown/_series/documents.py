"""JSON objects in blocks: what an item says weighs some kilobytes as Python objects and some dozen bytes like this."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from splashdown._series.blocks import Blocks
from splashdown.columns import ByName


class Documents(Blocks[dict[str, Any]]):
    """A series of objects that hold nothing but JSON values; filters still find every property."""

    def __init__(self) -> None:
        super().__init__(_encoded, json.loads)


def _encoded(values: Sequence[dict[str, Any]]) -> bytes:
    return json.dumps(values).encode()


class View(Mapping[str, Any]):
    """An object inside of a packed one (``path`` leads to it), looked up each time. Pickled, it is a plain dict."""

    __slots__ = ("at", "packed", "path")

    def __init__(self, packed: Documents, at: int, path: tuple[str, ...]) -> None:
        self.packed = packed
        self.at = at
        self.path = path

    def _found(self) -> dict[str, Any]:
        found: Any = self.packed[self.at]
        for name in self.path:
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


class PackedObject(ByName[str, Any]):
    """A JSON object with very many members. Pickled or copied, it is a plain dict."""

    def __init__(self) -> None:
        self._values = Documents()
        super().__init__((), self._values)

    def put(self, key: str, value: Any) -> None:
        """Add a member; of equal keys the last one counts."""
        self._positions[key] = len(self._values)
        self._values.append(value)

    def view(self, key: str) -> View:
        """A member, to be looked up each time."""
        return View(self._values, self._positions[key], ())

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[dict[str, Any]]]:
        return dict, (dict(self),)


def is_packed(value: object) -> bool:
    """Whether what is taken out of it is decoded each time, so that its top may be changed; what that holds, not."""
    return isinstance(value, Documents | PackedObject)


def member(holder: Mapping[str, Any], key: str, value: Any) -> Any:
    """The value that was taken from under this key, or what looks it up again where the holder is packed."""
    return holder.view(key) if isinstance(holder, PackedObject) else value


def plain(body: dict[str, Any]) -> dict[str, Any]:
    """A document without packed members; the very same where it has none."""
    if any(isinstance(value, PackedObject) for value in body.values()):
        return {name: dict(value) if isinstance(value, PackedObject) else value for name, value in body.items()}
    return body
