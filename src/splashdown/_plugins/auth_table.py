"""The table ``[auth]`` of the configuration: origins, and where their credentials come from. It holds no secret.

A value is ``env:NAME``, ``keyring:SERVICE/USER`` or ``command:PROGRAM ARGUMENTS``, or ``{user = ..., password = one of
these}``, or ``{header = NAME, key = one of these}``, or the same with ``query``. It is read when a request needs it,
and again once what it gave was refused.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

from splashdown.auth import ApiKey
from splashdown.errors import AuthError, OptionError, UsageError
from splashdown.redact import safely_shown
from splashdown.sources import refuse_no_origin

_ENV, _KEYRING, _COMMAND = "env:", "keyring:", "command:"
#: A command may ask its user for a passphrase.
_SECONDS: Final = 120


def credentials_of(path: Path, table: Mapping[str, object]) -> dict[str, Callable[[], object]]:
    """The sources of the credentials of each origin.

    Raises :class:`~splashdown.errors.OptionError` for a key that is not an origin, and for a secret.
    """
    found = {}
    for origin, value in table.items():
        refuse_no_origin(origin, f"{path}: [auth]")
        where = f"{path}: [auth] {origin}"
        if isinstance(value, Mapping) and "key" in value:
            found[origin] = _api_key(where, value)
        elif isinstance(value, Mapping):
            found[origin] = _pair(where, value)
        else:
            found[origin] = _reader(where, value)
    return found


def source_shown(value: object) -> str:
    """Where a value of the table reads its secret, for ``config show``: arguments of a program are left out."""
    if isinstance(value, Mapping):
        return f"{value.get('user')}, {source_shown(value.get('password'))}"
    kind, colon, rest = str(value).partition(":")
    if f"{kind}:" == _ENV:
        return f"{_ENV}{rest.strip()}"
    words = rest.split()
    return f"{_COMMAND}{words[0]}{' ...' if words[1:] else ''}" if f"{kind}{colon}" == _COMMAND and words else "..."


@safely_shown
@dataclass(frozen=True, slots=True, repr=False)
class _Named:
    """Reads a secret by the name of its place; another process can do the same (:func:`splashdown.auth.is_name`)."""

    read: Callable[..., str]
    where: str
    arguments: tuple[Any, ...]

    names_credentials: ClassVar[bool] = True

    def __call__(self) -> str:
        return self.read(self.where, *self.arguments)


@safely_shown
@dataclass(frozen=True, slots=True, repr=False)
class _Pair:
    """A user, and where the password is."""

    user: str
    password: Callable[[], str]

    names_credentials: ClassVar[bool] = True

    def __call__(self) -> tuple[str, str]:
        return self.user, self.password()


@safely_shown
@dataclass(frozen=True, slots=True, repr=False)
class _Key:
    """The name under which a key is sent, and where the key is."""

    key: Callable[[], str]
    names: Mapping[str, str]

    names_credentials: ClassVar[bool] = True

    def __call__(self) -> ApiKey:
        return ApiKey(key=self.key(), **self.names)


def _pair(where: str, table: Mapping[str, object]) -> Callable[[], object]:
    user = table.get("user")
    if set(table) != {"user", "password"} or not isinstance(user, str):
        raise OptionError(f'{where}: write a pair as {{user = "NAME", password = "env:VARIABLE"}}')
    return _Pair(user, _reader(where, table["password"]))


def _api_key(where: str, table: Mapping[str, object]) -> Callable[[], object]:
    read = _reader(where, table["key"])
    names = {name: value for name, value in table.items() if name != "key" and isinstance(value, str)}
    if len(names) != len(table) - 1 or not names.keys() <= {"header", "query"}:
        raise OptionError(f'{where}: write a key as {{header = "X-API-Key", key = "env:VARIABLE"}}, or query = "NAME"')
    try:
        ApiKey(key="a", **names)
    except UsageError as error:
        raise OptionError(f"{where}: {error}") from None
    return _Key(read, names)


def _reader(where: str, value: object) -> Callable[[], str]:
    if isinstance(value, str) and value.startswith(_ENV) and (name := value.removeprefix(_ENV).strip()):
        return _Named(_variable, where, (name,))
    if isinstance(value, str) and value.startswith(_KEYRING):
        # A service is often a URL, a user is a name.
        service, _, user = value.removeprefix(_KEYRING).strip().rpartition("/")
        if service and user:
            return _Named(_kept, where, (service, user))
    if isinstance(value, str) and value.startswith(_COMMAND) and (words := _words(where, value)):
        return _Named(_output, where, (words,))
    # The value is not shown: it may be the secret.
    raise OptionError(
        f'{where}: a secret does not stand in a file; write "env:VARIABLE", "keyring:SERVICE/USER" or, for a program'
        ' that prints it, "command:PROGRAM ARGUMENTS"'
    )


def _words(where: str, value: str) -> list[str]:
    try:
        return shlex.split(value.removeprefix(_COMMAND), posix=os.name != "nt")
    except ValueError:
        raise OptionError(f"{where}: the command has an open quotation mark") from None


def _variable(where: str, name: str) -> str:
    if not os.environ.get(name):
        raise AuthError(f"{where}: the environment variable {name} is not set")
    return os.environ[name]


def _kept(where: str, service: str, user: str) -> str:
    """What the keyring of the system keeps. It may ask its user to unlock it."""
    try:
        import keyring  # late: it takes long, and only few need it
    except ImportError:
        raise AuthError(f"{where}: a keyring needs one package more: pip install 'splashdown[keyring]'") from None
    try:
        found = keyring.get_password(service, user)
    except Exception as error:  # back-ends raise what they like, and a message may hold the secret
        raise AuthError(f"{where}: the keyring cannot be read ({type(error).__name__})") from None
    if not found:
        raise AuthError(
            f"{where}: the keyring has nothing for {service} and {user}; store it with: keyring set {service} {user}"
        )
    return found


def _output(where: str, words: list[str]) -> str:
    import subprocess

    try:
        done = subprocess.run(words, stdout=subprocess.PIPE, check=False, timeout=_SECONDS)  # noqa: S603 - the user's own
    except (OSError, subprocess.TimeoutExpired) as error:
        raise AuthError(f"{where}: {words[0]} did not run ({type(error).__name__})") from None
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    if done.returncode or not lines or not lines[0].strip():
        raise AuthError(f"{where}: {words[0]} printed no credentials (exit code {done.returncode})")
    return lines[0].strip()
