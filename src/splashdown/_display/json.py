"""JSON for every reader: Python writes ``NaN`` and ``Infinity``, which RFC 8259 (section 6) does not allow."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from json.encoder import encode_basestring, encode_basestring_ascii
from typing import Any, Final

#: Between two strings of a list in a record.
_NEXT: Final = ",\n      "


def writer() -> Callable[[object], str]:
    """A function like ``dumps(value, ensure_ascii=False)`` for very many values: its encoder is made once."""
    encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, check_circular=False)
    # JSONEncoder.encode() makes the encoder in C for each value, which takes as long as to encode a small one.
    make = getattr(json.encoder, "c_make_encoder", None)
    encode = make and make(None, encoder.default, encode_basestring, None, ": ", ", ", False, False, False)

    def write(value: object) -> str:
        try:
            return "".join(encode(value, 0)) if encode else encoder.encode(value)
        except (ValueError, RecursionError):
            return dumps(value, ensure_ascii=False)

    return write


def dumps(value: object, **how: Any) -> str:
    """The value as JSON, with ``null`` for infinite numbers and NaN. Options are those of ``json.dumps``."""
    try:
        return json.dumps(value, allow_nan=False, **how)
    except ValueError:
        return json.dumps(_finite(value), allow_nan=False, **how)


def records(values: Iterable[Mapping[str, object]], *, ensure_ascii: bool) -> Iterator[str]:
    """The pieces of ``dumps(list(values), indent=2, default=str)``, for very many records of a few fields.

    With an indent, Python's own encoder takes several times as long, and the list takes memory.
    """
    string = encode_basestring_ascii if ensure_ascii else encode_basestring

    def encoded(value: object) -> str:
        if type(value) is str:
            return string(value)
        if value is None:
            return "null"
        if type(value) is int:
            return str(value)
        if type(value) is list and all(type(each) is str for each in value):
            return f"[\n      {_NEXT.join(map(string, value))}\n    ]" if value else "[]"
        return dumps(value, indent=2, ensure_ascii=ensure_ascii, default=str).replace("\n", "\n    ")

    start = "[\n  {\n    "
    for record in values:
        yield start + ",\n    ".join([f"{string(name)}: {encoded(value)}" for name, value in record.items()])
        start = "\n  },\n  {\n    "
    yield "[]" if start[0] == "[" else "\n  }\n]"


def _finite(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: _finite(each) for name, each in value.items()}
    return [_finite(each) for each in value] if isinstance(value, list | tuple) else value
