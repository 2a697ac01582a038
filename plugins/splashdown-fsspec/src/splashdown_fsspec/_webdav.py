"""What WebDAV needs besides webdav4: paths taken as they are, and a MOVE that is sure of its destination.

Imported when a WebDAV URL is used.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from webdav4.client import Client, ResourceAlreadyExists

from splashdown.errors import StoreError
from splashdown.store_errors import already_exists


class ExactClient(Client):  # type: ignore[misc]  # the library has no types
    """Escapes what has a meaning in URLs: the library puts paths with ``%``, ``?`` or ``#`` into URLs as they are."""

    def join_url(self, path: str, *args: Any, **kwargs: Any) -> Any:
        """The URL of a path."""
        return super().join_url(quote(path), *args, **kwargs)


def move(client: Client, old: str, new: str, *, replace: bool) -> None:
    """MOVE with the header Overwrite (RFC 4918, section 10.6), which is one request.

    A file that is replaced is gone for a moment: the server has to delete it before it moves (section 9.9.3).

    Some servers (WsgiDAV 4.4) decode the header Destination before they split it, and lose what follows a ``?`` or
    ``;``: the file would replace another one. Such names are tried out in the hidden folder first. Raises
    ``StoreError`` where they do not hold.
    """
    if set(new) & set("?;"):
        tried = f"{old}.tried?;"
        client.move(old, tried)
        if not client.exists(tried):
            client.remove(f"{old}.tried")
            raise StoreError(
                f"cannot store {new!r}: this WebDAV server loses what follows '?' or ';' in the name of a file that is"
                " moved; choose another layout"
            )
        old = tried
    try:
        client.move(old, new, overwrite=replace)
    except ResourceAlreadyExists:
        raise already_exists(new) from None
