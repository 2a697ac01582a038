"""Says in one line what a filesystem refused, and whether a later try may succeed.

No text holds a credential: a URL with a password is refused before anything is done with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from splashdown.errors import (
    HttpStatusError,
    NetworkError,
    SplashdownError,
    StoreError,
    TransferError,
    error_text,
)

#: What to do, by the name of the exception's class: the libraries' own classes are not imported for this.
_HINTS = {
    "HostKeyNotVerifiable": "the host's key is not known here; connect once with ssh, or set known_hosts",
    "PermissionDenied": "the host takes none of the credentials; check user, key and SSH agent",
    "ConnectError": "no connection, or no TLS at this port; check host, port and network",
    "FileNotFoundError": "there is no such file or folder",
    "PermissionError": "these credentials do not allow it",
}
_ANSWERS = {
    401: "no credentials, or wrong ones; set SPLASHDOWN_FSSPEC_USERNAME and SPLASHDOWN_FSSPEC_PASSWORD",
    403: "these credentials do not allow it",
}
_LASTING = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError, FileExistsError, ValueError)
_LASTING_NAMES = {
    "HostKeyNotVerifiable",
    "PermissionDenied",
    "KeyImportError",
    "UnsupportedProtocol",
    "SFTPOpUnsupported",
}


def storing(url: str, doing: str) -> AbstractContextManager[None]:
    """Turn what goes wrong at the filesystem into ``StoreError``."""
    return _raised_as(lambda error: _store_error(error, _text(error, url, doing)))


def reading(url: str) -> AbstractContextManager[None]:
    """Turn what goes wrong at the filesystem into the errors of a transport."""
    return _raised_as(lambda error: _read_error(error, _text(error, url, "read")))


def is_absence(error: Exception) -> bool:
    """Whether the error says that there is no such file."""
    return isinstance(error, FileNotFoundError) or _status(error) == 404


@contextmanager
def _raised_as(told: Callable[[Exception], TransferError]) -> Iterator[None]:
    try:
        yield
    except SplashdownError:
        raise
    except Exception as error:
        raise told(error) from None


def _store_error(error: Exception, text: str) -> TransferError:
    failed = StoreError(text)
    failed.retryable = _may_pass(error)
    return failed


def _read_error(error: Exception, text: str) -> TransferError:
    if (status := _status(error)) is not None:
        return HttpStatusError(text, status=status)
    return NetworkError(text) if _may_pass(error) else TransferError(text)


def _text(error: Exception, url: str, doing: str) -> str:
    status = _status(error)
    # The libraries' texts may quote URLs; with a hint, only the kind of error is told.
    hint = _HINTS.get(type(error).__name__) or _ANSWERS.get(status or 0, "")
    told = f"{type(error).__name__}: {hint}" if hint else error_text(error)
    return f"cannot {doing} {url}: {f'{status} ' if status else ''}{told}"


def _may_pass(error: Exception) -> bool:
    status = _status(error)
    if status is not None:
        return status in {408, 425, 429} or status >= 500
    return not isinstance(error, _LASTING) and type(error).__name__ not in _LASTING_NAMES


def _status(error: Exception) -> int | None:
    """The HTTP status, where there was an answer: webdav4 has it on the error, httpx and others on its response."""
    for holder in (error, getattr(error, "response", None)):
        status = getattr(holder, "status_code", None)
        if isinstance(status, int):
            return status
    return None
