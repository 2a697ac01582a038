"""One line of a file that this tool keeps for itself, each field checked as it is read: others may have written it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from splashdown.checksums import Multihash
from splashdown.safe_names import leads_below

#: The longest text in such a file: names, tokens of stores, ETags.
#: Bytes of a file of ours in a target. No run makes a longer one, and reading what a stranger has made must end.
LONGEST_FILE = 16 * 2**30
_LONGEST_TEXT = 8192
#: What a header may hold (RFC 9110, section 5.5): nothing that ends it.
_HEADER = re.compile(r"[\x20-\x7e\x80-\xff]*")
_USUAL_MULTIHASH = re.compile(r"1220[0-9a-f]{64}")  #: SHA-256: the code of the function, and 32 bytes
_MOST_FIELDS = 64
_LARGEST = 2**63


class FieldError(ValueError):
    """A field is not what this tool writes."""


class Fields:
    """A JSON object, or a line that has to be one.

    Every method raises ``KeyError`` or ``ValueError`` for what is not as this tool writes it.
    """

    __slots__ = ("_values",)

    def __init__(self, given: bytes | Mapping[str, Any]) -> None:
        values = given if isinstance(given, Mapping) else read_json(given)
        if not isinstance(values, Mapping):
            raise FieldError("not an object")
        self._values: Mapping[str, Any] = values

    def text(self, name: str) -> str:
        """A text that can be written to any file."""
        return _text(self._values[name])

    def optional(self, name: str) -> str | None:
        """A text or ``None``."""
        value = self._values.get(name)
        return None if value is None else _text(value)

    def name(self, name: str) -> str:
        """The name of an object below the target."""
        value = self._values[name]
        if not leads_below(value):
            raise FieldError("not the name of an object")
        return value

    def number(self, name: str) -> int:
        """A count of bytes or parts."""
        return _number(self._values[name])

    def numbers(self, name: str) -> list[int]:
        """Several of them."""
        values = self._values[name]
        if not isinstance(values, list):
            raise FieldError("not an array")
        return [_number(one) for one in values]

    def time(self, name: str) -> float:
        """Seconds since the epoch."""
        value = self._values[name]
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise FieldError("not a time")
        if not (0 <= value < _LARGEST and math.isfinite(value)):
            raise FieldError("not a time")
        return float(value)

    def checksum(self, name: str) -> str | None:
        """A multihash in hex, or ``None``."""
        value = self.optional(name)
        if value is not None and not _USUAL_MULTIHASH.fullmatch(value):  # nearly all are, and parsing costs five calls
            Multihash.parse(value)
        return value

    def validator(self, name: str) -> str | None:
        """An ETag or a date as a server sent it, which is sent back in a header; or ``None``."""
        value = self.optional(name)
        if value is not None and not _HEADER.fullmatch(value):
            raise FieldError("not a validator")
        return value

    def texts(self, name: str) -> dict[str, str]:
        """A flat object of texts: the token of an upload."""
        values = self._values[name]
        if not isinstance(values, dict) or len(values) > _MOST_FIELDS:
            raise FieldError("not a token")
        return {_text(key): _text(value) for key, value in values.items()}


def read_json(data: bytes) -> Any:
    """What JSON says. Raises ``ValueError`` for what is none, and for what is nested deeper than can be walked."""
    try:
        return json.loads(data)
    except RecursionError:
        raise FieldError("nested too deep") from None


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        raise FieldError("not a text")
    if not value.isascii():
        value.encode()  # half a surrogate pair is a UnicodeEncodeError, which is a ValueError
    return value


def _number(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _LARGEST:
        raise FieldError("not a count")
    return value
