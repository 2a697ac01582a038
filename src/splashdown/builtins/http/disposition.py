"""The file name in ``Content-Disposition`` (RFC 6266, RFC 8187). Pure functions; invalid headers count as absent."""

from __future__ import annotations

import re
from contextlib import suppress
from email.message import Message
from email.utils import collapse_rfc2231_value
from typing import Any

#: Longer headers are not read: names have some hundred characters, and parsing costs time.
_LONGEST = 16 * 1024
#: Those of RFC 8187 and its predecessor. Python knows more, some of which are slow or are not charsets at all.
_CHARSETS = frozenset({"utf-8", "utf8", "iso-8859-1", "us-ascii"})
_SEPARATOR = re.compile(r"[/\\]")


def file_name(value: str) -> str | None:
    """The last part of the name, as the server gives it, without any folder. It still has to be made safe.

    ``filename*`` counts before ``filename``. UTF-8 that nothing declares, as many servers send it, is read as such.
    """
    if len(value) > _LONGEST:
        return None
    message = Message()
    message["content-disposition"] = value
    pairs: list[tuple[str, Any]] = message.get_params(failobj=[], header="content-disposition")
    given = [one for name, one in pairs if name.lower() == "filename"]
    for one in sorted(given, key=lambda one: not isinstance(one, tuple)):
        with suppress(ValueError):  # half a character
            if text := _text(one):
                return text
    return None


def _text(given: str | tuple[str | None, str | None, str]) -> str:
    if isinstance(given, str):
        name = _of_bytes(given)
    elif (given[0] or "us-ascii").lower() in _CHARSETS:
        name = collapse_rfc2231_value(given, errors="strict")
    else:
        return ""
    name = _SEPARATOR.split(name)[-1].strip()
    return name if name.strip(". ") else ""


def _of_bytes(text: str) -> str:
    try:
        return text.encode("latin-1").decode("utf-8")
    except ValueError:
        return text
