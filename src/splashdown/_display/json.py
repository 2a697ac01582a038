"""JSON for every reader: Python writes ``NaN`` and ``Infinity``, which RFC 8259 (section 6) does not allow."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any


def writer() -> Callable[[object], str]:
    """A function like ``dumps(value, ensure_ascii=False)`` for very many values: its encoder is made once."""
    encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, check_circular=False).encode

    def write(value: object) -> str:
        try:
            return encode(value)
        except (ValueError, RecursionError):
            return dumps(value, ensure_ascii=False)

    return write


def dumps(value: object, **how: Any) -> str:
    """The value as JSON, with ``null`` for infinite numbers and NaN. Options are those of ``json.dumps``."""
    try:
        return json.dumps(value, allow_nan=False, **how)
    except ValueError:
        return json.dumps(_finite(value), allow_nan=False, **how)


def _finite(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: _finite(each) for name, each in value.items()}
    return [_finite(each) for each in value] if isinstance(value, list | tuple) else value
