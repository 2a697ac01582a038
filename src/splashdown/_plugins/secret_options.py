"""Options that are secrets: none has a place in a file, and none goes to another process."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from splashdown.redact import is_private_name

if TYPE_CHECKING:
    from splashdown._plugins.options import Field

#: An option of this name says where a secret is, or which one it is: ``token_file``, ``access_key_id``.
_ABOUT_A_SECRET = re.compile(r"_(?:id|file|path|url|uri|endpoint|name|env|command|process|type)$", re.IGNORECASE)


def is_secret(name: str, value: object) -> bool:
    """Whether an option is a secret by its name, or a URL with a password."""
    if is_private_name(name) and not _ABOUT_A_SECRET.search(name):
        return True
    return isinstance(value, str) and _holds_password(value)


def secrets_in(
    table: Mapping[str, object], fields: tuple[Field, ...] = (), above: tuple[str, ...] = ()
) -> Iterator[tuple[str, ...]]:
    """The path of each secret in a table of options and the tables in it; ``fields`` may declare more of them."""
    declared = {field.name: field for field in fields}
    for name, value in table.items():
        field, path = declared.get(name), (*above, name)
        if field is not None and field.secret:
            yield path
        elif isinstance(value, Mapping):
            yield from secrets_in(value, field.nested if field else (), path)
        elif any(is_secret(name, one) for one in (value if isinstance(value, list | tuple) else (value,))):
            yield path


def _holds_password(value: str) -> bool:
    if "://" not in value:
        return False
    try:
        return urlsplit(value).password is not None
    except ValueError:  # it cannot be said where the password ends
        return "@" in value
