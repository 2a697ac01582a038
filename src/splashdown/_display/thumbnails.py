"""Thumbnails as data URIs, from files of this machine alone."""

from __future__ import annotations

import os
import stat
from base64 import b64encode
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from splashdown._display.html import Html, escaped
from splashdown.picture import Picture

#: A notebook keeps what it shows: larger files, and more of them, are left out.
MOST_BYTES: Final = 96 * 1024
MOST_IN_ALL: Final = 384 * 1024
MOST: Final = 6

_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def thumbnails(found: Iterable[tuple[str, Path | Picture]]) -> Html:
    """Small pictures with the names of their assets; what is missing, too large or not a picture is left out."""
    shown, left = [], MOST_IN_ALL
    for name, place in found:
        picture = place if isinstance(place, Picture) else _read(place)
        if picture is None or not len(picture.data) <= min(left, MOST_BYTES):
            continue
        left -= len(picture.data)
        data = b64encode(picture.data).decode()
        label = escaped(name)
        shown.append(f'<img alt="{label}" title="{label}" src="data:{picture.media_type};base64,{data}">')
        if len(shown) == MOST:
            break
    return Html(" ".join(shown))


def _read(path: Path) -> Picture | None:
    try:
        # A pipe would keep the notebook waiting: it is opened without waiting, and left alone.
        with os.fdopen(os.open(path, _FLAGS), "rb") as file:
            data = file.read(MOST_BYTES + 1) if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else b""
        return Picture.of(data)
    except (OSError, ValueError):
        return None
