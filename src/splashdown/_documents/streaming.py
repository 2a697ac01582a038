"""Reads JSON that may be far larger than memory: item collections, newline-delimited items, whole documents.

Yields the parts as they come; a ``features`` array is never held as a whole.
"""

from __future__ import annotations

import codecs
import io
import json
from collections.abc import Iterator
from typing import IO, Any

from splashdown._series.blocks import MANY
from splashdown._series.documents import PackedObject
from splashdown.errors import ResolveError, error_text

_CHUNK = 256 * 1024
#: Characters of one value (an item, a list of links) that is not streamed itself.
MAX_VALUE = 128 * 2**20
_INCOMPLETE = object()
_BLANK = " \t\r\n\x1e"  # U+001E starts each text of a JSON text sequence (RFC 7464)


def documents(file: IO[bytes], name: str) -> Iterator[tuple[bool, dict[str, Any]]]:
    """``(True, feature)`` for each member of a ``features`` array, ``(False, document)`` for each top-level object.

    A document comes after its features, without them. Several documents may follow each other (newline-delimited
    JSON, JSON text sequences). Raises ``ResolveError`` for what is not JSON, is cut off, or is no object.
    """
    text = _Text(file, name)
    empty = True
    while text.peek(skip=_BLANK):
        empty = False
        if text.peek() == "[":
            yield from ((True, _object(value, text)) for value in text.array())
        elif text.peek() == "{":
            yield from _document(text)
        elif (value := text.try_value()) is not _INCOMPLETE:
            raise ResolveError(f"{name} holds JSON, but no STAC document: {value!r:.40}; check the path or URL")
        else:
            raise text.wrong()
    if empty:
        raise ResolveError(f"{name} is empty")


def _document(text: _Text) -> Iterator[tuple[bool, dict[str, Any]]]:
    whole = text.try_value()
    if whole is not _INCOMPLETE:
        body = _object(whole, text)
        features = body.pop("features", None) if body.get("type") == "FeatureCollection" else None
        for feature in features if isinstance(features, list) else ():
            yield True, _object(feature, text)
        yield False, body
        return
    body = {}
    for key in text.members():
        if key == "features" and text.peek(skip=_BLANK) == "[":
            for value in text.array():
                yield True, _object(value, text)
        else:
            body[key] = _member(key, text)
    yield False, body


def large_object(data: bytes, name: str) -> dict[str, Any]:
    """The one object in ``data``, read member by member: it takes less memory. Raises as :func:`documents` does."""
    text = _Text(io.BytesIO(data), name)
    if text.peek(skip=_BLANK) != "{":
        raise text.wrong()
    body = {key: _member(key, text) for key in text.members()}
    if text.peek(skip=_BLANK):
        raise text.wrong()
    return body


def _member(key: str, text: _Text) -> Any:
    """A member of a document; assets are packed where there are many."""
    start = text.peek(skip=_BLANK)
    if key == "features" and start == "[":
        return list(text.array())
    if key != "assets" or start != "{":
        return text.value()
    assets = PackedObject()
    for each in text.members():
        assets.put(each, text.value())
    return assets if len(assets) >= MANY else dict(assets)


def _object(value: Any, text: _Text) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ResolveError(f"{text.name} holds a JSON {type(value).__name__} where an object is expected")
    return value


class _Text:
    """A window on the text: values are decoded where it stands, more is read when a value is not complete."""

    def __init__(self, file: IO[bytes], name: str) -> None:
        self.name = name
        self._file = file
        self._decode = codecs.getincrementaldecoder("utf-8-sig")()
        self._text = ""
        self._at = 0
        self._ended = False
        self._json = json.JSONDecoder()

    def peek(self, skip: str = "") -> str:
        """The next character, after those to skip; empty at the end."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in skip:
                self._at += 1
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def try_value(self) -> Any:
        """The value here if the window has all of it, else ``_INCOMPLETE`` and nothing is taken."""
        try:
            value, self._at = self._json.raw_decode(self._text, self._at)
        except RecursionError:
            raise self._deep() from None
        except ValueError:
            return _INCOMPLETE
        return value

    def value(self) -> Any:
        """The value here, whatever has to be read for it."""
        self.peek(skip=_BLANK)
        size = _CHUNK
        while True:
            start = self._at
            value = self.try_value()
            # A number at the end of the window may go on behind it: "1" may become "12", and "1." may become "1.5".
            following = self._text[self._at : self._at + 1]
            if value is not _INCOMPLETE and (self._ended or (following and following not in ".eE")):
                return value
            self._at = start
            if len(self._text) - self._at > MAX_VALUE:
                raise ResolveError(f"{self.name} holds a single value of more than {MAX_VALUE // 2**20} MiB")
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
        while self.peek(skip=_BLANK) != "}":
            key = self.value()
            if not isinstance(key, str) or self.peek(skip=_BLANK) != ":":
                raise self.wrong()
            self._at += 1
            yield key
            self._separator("}")
        self._at += 1

    def wrong(self) -> ResolveError:
        """The error for text that is no JSON: it says what it looks like."""
        if self._text[self._at :].lstrip()[:1] == "<":
            return ResolveError(f"{self.name} is a web page or XML, not JSON; check the path or URL")
        try:
            self._json.raw_decode(self._text, self._at)
        except ValueError as error:
            cause = error_text(error)
        else:
            cause = "something follows where it should have ended"
        return ResolveError(f"{self.name} holds JSON that is broken or cut off ({cause})")

    def _separator(self, end: str) -> None:
        character = self.peek(skip=_BLANK)
        if character == ",":
            self._at += 1
        elif character != end:
            raise self.wrong()

    def _more(self, size: int = _CHUNK) -> bool:
        if self._ended:
            return False
        try:
            data = self._file.read(size)
            self._ended = not data
            text = self._decode.decode(data, final=self._ended)
        except UnicodeDecodeError as error:
            raise ResolveError(f"{self.name} is no UTF-8 text ({error.reason}); it cannot be JSON") from None
        except OSError as error:
            raise ResolveError(f"{self.name} cannot be read ({error_text(error)})") from None
        self._text = self._text[self._at :] + text
        self._at = 0
        return bool(text) or not self._ended

    def _deep(self) -> ResolveError:
        return ResolveError(f"{self.name} holds JSON that is nested too deeply")
