"""Reads JSON that may be far larger than memory: item collections, newline-delimited items, whole documents.

Yields the parts one by one; a ``features`` array is never in memory as a whole.
"""

from __future__ import annotations

import codecs
import io
import json
import re
from collections.abc import Callable, Collection, Iterator
from typing import IO, Any

from splashdown._series.blocks import MANY
from splashdown._series.documents import PackedObject
from splashdown.errors import ResolveError, error_text

_CHUNK = 256 * 1024
#: Most characters of one value (an item, a list of links), which is not streamed.
MAX_VALUE = 128 * 2**20
_INCOMPLETE = object()
_BLANK = " \t\r\n\x1e"  # U+001E starts each element of a JSON text sequence (RFC 7464)
#: A key without escapes, with its colon and the blanks around.
_key_at = re.compile(rf'[{_BLANK}]*"([^"\\\x00-\x1f]*)"[{_BLANK}]*:[{_BLANK}]*').match


def documents(file: IO[bytes], name: str) -> Iterator[tuple[bool, dict[str, Any]]]:
    """``(True, feature)`` for each member of a ``features`` array, ``(False, document)`` for each top-level object.

    A document comes after its features, without them. Several documents may follow each other (newline-delimited
    JSON, JSON text sequences). Raises ``ResolveError`` for anything that is not JSON, is cut off, or is not an object.
    """
    window = _Window(file, name)
    empty = True
    while window.peek(skip=_BLANK):
        empty = False
        if window.peek() == "[":
            yield from ((True, _object(value, window)) for value in window.array())
        elif window.peek() == "{":
            yield from _document(window)
        elif (value := window.try_value()) is not _INCOMPLETE:
            raise ResolveError(f"{name} holds JSON, but not a STAC document: {value!r:.40}; check the path or URL")
        else:
            raise window.wrong()
    if empty:
        raise ResolveError(f"{name} is empty")


def _document(window: _Window) -> Iterator[tuple[bool, dict[str, Any]]]:
    whole = window.try_value()
    if whole is not _INCOMPLETE:
        body = _object(whole, window)
        features = body.pop("features", None) if body.get("type") == "FeatureCollection" else None
        for feature in features if isinstance(features, list) else ():
            yield True, _object(feature, window)
        yield False, body
        return
    body = {}
    for key in window.members():
        if key == "features" and window.peek(skip=_BLANK) == "[":
            for value in window.array():
                yield True, _object(value, window)
        else:
            body[key] = _member(key, window)
    yield False, body


def large_object(data: bytes, name: str) -> dict[str, Any]:
    """The one object in ``data``, read member by member to save memory. Raises as :func:`documents` does."""
    window = _Window(io.BytesIO(data), name)
    if window.peek(skip=_BLANK) != "{":
        raise window.wrong()
    body = {key: _member(key, window) for key in window.members()}
    if window.peek(skip=_BLANK):
        raise window.wrong()
    return body


def object_members(file: IO[bytes], name: str, long: Collection[str]) -> Iterator[tuple[str, str, Any]]:
    """Key, kind and value of each member of the one object in a file, which is never in memory as a whole.

    Of arrays and objects whose keys are ``long``, the kind is ``[`` or ``{`` and the value an iterator of elements, or
    of keys and values, which has to be used up before the next member. Raises as :func:`documents` does.
    """
    window = _Window(file, name)
    if window.peek(skip=_BLANK) != "{":
        raise window.wrong()
    for key in window.members():
        start = window.peek(skip=_BLANK) if key in long else ""
        if start == "[":
            yield key, start, window.array()
        elif start == "{":
            yield key, start, ((each, window.value()) for each in window.members())
        else:
            yield key, "", window.value()
    if window.peek(skip=_BLANK):
        raise window.wrong()


def _member(key: str, window: _Window) -> Any:
    """A member of a document; assets are packed where there are many."""
    start = window.peek(skip=_BLANK)
    if key == "features" and start == "[":
        return list(window.array())
    if key != "assets" or start != "{":
        return window.value()
    assets = PackedObject()
    for each in window.members():
        assets.put(each, window.value())
    return assets if len(assets) >= MANY else dict(assets)


def _object(value: Any, window: _Window) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ResolveError(f"{window.name} holds a JSON {type(value).__name__} where an object is expected")
    return value


class TooLargeError(ResolveError):
    """A single value is too large to be read."""


class _Window:
    """A window on the input, which reads more when the value at its position is not complete."""

    def __init__(self, file: IO[bytes], name: str) -> None:
        self.name = name
        self._file = file
        self._decode = codecs.getincrementaldecoder("utf-8-sig")()
        self._text = ""
        self._at = 0
        self._ended = False
        self._json = json.JSONDecoder()
        # What raw_decode calls: there are very many values, and it is a call more for each.
        self._scan: Callable[[str, int], tuple[Any, int]] = self._json.scan_once  # type: ignore[attr-defined]

    def peek(self, skip: str = "") -> str:
        """The next character after the skipped ones; empty at the end."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in skip:
                self._at += 1
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def try_value(self) -> Any:
        """The value here if it is complete in the window, else ``_INCOMPLETE``, and the position stays."""
        try:
            value, self._at = self._json.raw_decode(self._text, self._at)
        except RecursionError:
            raise self._deep() from None
        except ValueError:
            return _INCOMPLETE
        return value

    def value(self) -> Any:
        """The value here; reads as much as it needs."""
        try:
            value, end = self._scan(self._text, self._at)
            if self._text[end] not in ".eE":  # see below
                self._at = end
                return value
        except (StopIteration, ValueError, IndexError, RecursionError):
            pass  # a blank, the end of the window, or a fault
        self.peek(skip=_BLANK)
        size = _CHUNK
        while True:
            start = self._at
            value = self.try_value()
            # A number at the end of the window may continue behind it: "1" may become "12", and "1." may become "1.5".
            following = self._text[self._at : self._at + 1]
            if value is not _INCOMPLETE and (self._ended or (following and following not in ".eE")):
                return value
            self._at = start
            if len(self._text) - self._at > MAX_VALUE:
                raise TooLargeError(f"{self.name} holds a single value of more than {MAX_VALUE // 2**20} MiB")
            if not self._more(size) and value is _INCOMPLETE:
                raise self.wrong()
            size *= 2

    def array(self) -> Iterator[Any]:
        """The elements of the array that starts here."""
        self._at += 1
        while self.peek(skip=_BLANK) != "]":
            yield self.value()
            self._separator("]")
        self._at += 1

    def members(self) -> Iterator[str]:
        """The keys of the object that starts here; the caller takes each value."""
        self._at += 1
        while (found := _key_at(self._text, self._at)) or self.peek(skip=_BLANK) != "}":
            if found:
                self._at = found.end()
                yield found[1]
            else:
                yield self._key()
            self._separator("}")
        self._at += 1

    def _key(self) -> str:
        key = self.value()
        if not isinstance(key, str) or self.peek(skip=_BLANK) != ":":
            raise self.wrong()
        self._at += 1
        return key

    def wrong(self) -> ResolveError:
        """The error for input that is not JSON, with a hint at what it is."""
        if self._text[self._at :].lstrip()[:1] == "<":
            return ResolveError(f"{self.name} is a web page or XML, not JSON; check the path or URL")
        try:
            self._json.raw_decode(self._text, self._at)
        except ValueError as error:
            cause = error_text(error)
        else:
            cause = "something follows after its end"
        return ResolveError(f"{self.name} holds JSON that is broken or cut off ({cause})")

    def _separator(self, end: str) -> None:
        if self._text.startswith(",", self._at) or self.peek(skip=_BLANK) == ",":
            self._at += 1
        elif self.peek() != end:
            raise self.wrong()

    def _more(self, size: int = _CHUNK) -> bool:
        if self._ended:
            return False
        try:
            data = self._file.read(size)
            self._ended = not data
            text = self._decode.decode(data, final=self._ended)
        except UnicodeDecodeError as error:
            raise ResolveError(f"{self.name} is not UTF-8 ({error.reason}), so it cannot be JSON") from None
        except OSError as error:
            raise ResolveError(f"{self.name} cannot be read ({error_text(error)})") from None
        self._text = self._text[self._at :] + text
        self._at = 0
        return bool(text) or not self._ended

    def _deep(self) -> ResolveError:
        return ResolveError(f"{self.name} holds JSON that is nested too deeply")
