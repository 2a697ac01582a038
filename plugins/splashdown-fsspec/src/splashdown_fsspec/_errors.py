"""Explains exceptions of filesystems in one line, and decides whether a later try may succeed.

No message holds a credential: a URL with a password is refused at once.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace

from splashdown import store_errors
from splashdown.store_errors import Failure, judge_error

#: Advice by the name of the exception's class: the classes of the libraries are not imported for this.
_HINTS = {
    "HostKeyNotVerifiable": "the host's key is not known here; connect once with ssh, or set known_hosts",
    "PermissionDenied": "the host takes none of the credentials; check user, key and SSH agent",
    "ConnectError": "no connection, or no TLS at this port; check host, port and network",
    "FileNotFoundError": "the file or folder does not exist",
    "PermissionError": "these credentials do not allow it",
    # botocore, below s3fs, asks for the region again and again where a store answers 301 without one.
    "RecursionError": "the filesystem repeats its question without end; the bucket of a store is in another region or"
    " at another endpoint then: set AWS_DEFAULT_REGION, or endpoint_url among the storage_options",
}
_ANSWERS = {
    401: "no credentials, or wrong ones; set SPLASHDOWN_FSSPEC_USERNAME and SPLASHDOWN_FSSPEC_PASSWORD",
    403: "these credentials do not allow it",
}
_LASTING = {
    "HostKeyNotVerifiable",
    "PermissionDenied",
    "KeyImportError",
    "UnsupportedProtocol",
    "SFTPOpUnsupported",
    "RecursionError",
}


def storing(url: str, doing: str) -> AbstractContextManager[None]:
    """Turn exceptions of the filesystem into ``StoreError``."""
    return store_errors.storing(url, doing, _judge)


def reading(url: str) -> AbstractContextManager[None]:
    """Turn exceptions of the filesystem into the errors of a transport."""
    return store_errors.reading(url, _judge)


def is_absence(error: Exception) -> bool:
    """Whether the error says that the file does not exist."""
    return isinstance(error, FileNotFoundError) or judge_error(error).status == 404


def lacks_folder(error: Exception) -> bool:
    """Whether a file could not be written because its folder does not exist (409 with WebDAV: RFC 4918, 9.7.1)."""
    return is_absence(error) or judge_error(error).status == 409


def _judge(error: Exception) -> Failure:
    found, name = judge_error(error), type(error).__name__
    hint = _HINTS.get(name) or _ANSWERS.get(found.status or 0)
    if hint:
        found = replace(found, reason=f"{f'{found.status} ' if found.status else ''}{name}: {hint}")
    return replace(found, retryable=found.retryable and name not in _LASTING)
