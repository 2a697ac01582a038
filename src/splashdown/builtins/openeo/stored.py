"""The files of the ``openeo-auth`` tool: its configuration, and refresh tokens, read and renewed in their own layout.

``auth-config.json``: ``backends / URL / oidc / providers / ID / client_id, client_secret``.
``refresh-tokens.json``: ``ISSUER / CLIENT_ID / refresh_token, date``. Both must be readable by their owner alone.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import stat
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from splashdown._documents.places import same_origin
from splashdown.errors import AuthError

_APP = "openeo-python-client"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredToken:
    """A refresh token, and the client that it was given to."""

    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    refresh_token: str = field(repr=False)


def find_token(api: str, provider: str, issuer: str, default_clients: tuple[str, ...]) -> StoredToken | None:
    """The stored token for one provider: of the configured client, of a default client, or of any."""
    tokens = _section(_read(_folder("data") / "refresh-tokens.json"), issuer)
    secrets = dict(_configured(api, provider))
    for client_id in (*secrets, *default_clients, *tokens):
        token = _section(tokens, client_id).get("refresh_token")
        if isinstance(token, str) and token:
            return StoredToken(client_id=client_id, client_secret=secrets.get(client_id), refresh_token=token)
    return None


def store_token(issuer: str, client_id: str, refresh_token: str) -> None:
    """Put a new refresh token in the place of the old one, so that the next sign-in works."""
    path = _folder("data") / "refresh-tokens.json"
    document = dict(_read(path))
    now = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    clients = {**_section(document, issuer), client_id: {"date": now, "refresh_token": refresh_token}}
    document[_key(document, issuer)] = clients
    # mkstemp files are readable by their owner alone, and the replacement is one step.
    handle, scratch = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            json.dump(document, out, indent=2)
        Path(scratch).replace(path)
    except BaseException:
        Path(scratch).unlink(missing_ok=True)
        raise


def _configured(api: str, provider: str) -> Iterator[tuple[str, str | None]]:
    backends = _section(_read(_folder("config") / "auth-config.json"), "backends")
    for url, backend in backends.items():
        # The tool stores a back-end under the address as typed, with or without a path or https://.
        if not same_origin(url if "://" in url else f"https://{url}", api) or not isinstance(backend, Mapping):
            continue
        client = _section(_section(_section(backend, "oidc"), "providers"), provider)
        if isinstance(client.get("client_id"), str):
            secret = client.get("client_secret")
            yield client["client_id"], secret if isinstance(secret, str) else None


def _folder(kind: str) -> Path:
    """The tool's folder: the first existing one of those that it uses."""
    roots = [Path(root).expanduser() / _APP for root in _roots(kind) if root]
    if os.environ.get("OPENEO_CONFIG_HOME"):
        roots.insert(0, Path(os.environ["OPENEO_CONFIG_HOME"]))
    return next((root for root in roots if root.is_dir()), roots[-1])


def _roots(kind: str) -> tuple[str | None, ...]:
    xdg, fallback = {
        "config": ("XDG_CONFIG_HOME", "~/.config"),
        "data": ("XDG_DATA_HOME", "~/.local/share"),
    }[kind]
    if sys.platform == "win32":
        return os.environ.get("APPDATA"), "~\\AppData\\Roaming", fallback
    if sys.platform == "darwin":
        return os.environ.get(xdg), "~/Library/Preferences" if kind == "config" else "~/Library", fallback
    return os.environ.get(xdg), fallback


def _read(path: Path) -> Mapping[str, Any]:
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise AuthError(f"{path} could not be read ({type(error).__name__}: {error.strerror})") from None
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise AuthError(f"{path} can be read by other users; make it private: chmod 600 {path}")
    try:
        document = json.loads(text)
    except ValueError:
        raise AuthError(f"{path} does not hold valid JSON; sign in again with openeo-auth") from None
    return document if isinstance(document, dict) else {}


def _section(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    section = document.get(_key(document, name))
    return section if isinstance(section, Mapping) else {}


def _key(document: Mapping[str, Any], name: str) -> str:
    # Issuers are stored without a slash at their end.
    bare = name.rstrip("/") or "/"
    return name if name in document and bare not in document else bare
