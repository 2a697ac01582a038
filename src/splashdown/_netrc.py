"""Reads user and password of one host from a netrc file. A ``default`` entry is for no host, so it is never used."""

from __future__ import annotations

import netrc
import os
from pathlib import Path

from splashdown.errors import AuthError


def netrc_login(host: str, path: Path | None = None) -> tuple[str, str]:
    """User and password for exactly this host; ``path`` is the file, without it ``$NETRC`` or ``~/.netrc``.

    Raises :class:`~splashdown.errors.AuthError` when the file cannot be read or has no such entry.
    """
    file = path or Path(os.environ.get("NETRC") or Path.home() / ".netrc")
    try:
        entry = netrc.netrc(str(file)).hosts.get(host)
    except (OSError, netrc.NetrcParseError) as error:
        raise AuthError(f"{file} could not be read as a netrc file ({type(error).__name__})") from None
    if entry is None:
        raise AuthError(f"{file} has no entry for the host {host!r}; add: machine {host} login USER password PASSWORD")
    return entry[0], entry[2] or ""
