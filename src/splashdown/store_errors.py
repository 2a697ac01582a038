"""Turns exceptions of a store's library into the errors of sinks and transports. For authors of plugins.

    with storing("shelf://top/a.tif", "store"):   # StoreError or ExistsError
        client.upload(data)
    with reading("shelf://top/a.tif"):            # TransferError
        data = client.download()

:func:`judge_error` decides by the HTTP status on an exception, its ``errno`` and its class. A plugin that knows more
about its library passes a function of its own, which may start from that one. Errors of Splashdown pass unchanged, so
keep the chunks of a caller outside: their exceptions have to leave ``put_part`` as they are.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from splashdown.errors import (
    RETRYABLE_STATUS,
    ChangedError,
    ExistsError,
    HttpStatusError,
    NetworkError,
    NotModifiedError,
    RangeNotServedError,
    SplashdownError,
    StoreError,
    TransferError,
    error_text,
)
from splashdown.redact import redact_text, safely_shown

__all__ = [
    "IT_IS_A_FILE",
    "Failure",
    "Judge",
    "already_exists",
    "judge_error",
    "reading",
    "status_may_pass",
    "storing",
    "why_no_folder",
]

#: What :func:`why_no_folder` says of a path that leads to a file.
IT_IS_A_FILE = "it is a file"
#: The same request fails again after these; mistakes in a program are among them.
_LASTING = (
    FileNotFoundError,
    FileExistsError,
    IsADirectoryError,
    NotADirectoryError,
    PermissionError,
    ArithmeticError,
    AttributeError,
    LookupError,
    NotImplementedError,
    TypeError,
    ValueError,
)
_LASTING_ERRNO = frozenset(
    getattr(errno, name)
    for name in (
        "EDQUOT",
        "EFBIG",
        "EINVAL",
        "ELOOP",
        "ENAMETOOLONG",
        "ENOSPC",
        "ENOSYS",
        "ENOTEMPTY",
        "EROFS",
        "EXDEV",
    )
    if hasattr(errno, name)
)
_READ_ERRORS: dict[int, type[TransferError]] = {304: NotModifiedError, 412: ChangedError, 416: RangeNotServedError}


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Failure:
    """The meaning of an exception.

    ``reason`` is the part of the message after ``cannot store URL:``, what happened and what to do. It must
    not hold a secret; messages of libraries may quote signed URLs.
    """

    reason: str
    status: int | None = None  #: HTTP status of the store's answer
    retryable: bool = False  #: whether the same request may succeed later
    retry_after: float | None = None  #: seconds to wait, where the store named them
    exists: bool = False  #: the store refused to replace an object
    kind: type[TransferError] | None = None  #: class for :func:`reading`, where the status does not give it


#: Explains an exception; ``None`` for one that does not come from the store, which is then raised unchanged.
Judge = Callable[[Exception], Failure | None]


def judge_error(error: Exception) -> Failure:
    """Explain any exception by its HTTP status (``status_code`` of it or of its ``response``), ``errno`` and class.

    URLs in its message lose their query and password; other secrets stay.
    """
    status = _status(error)
    if status is not None:
        retryable = status_may_pass(status)
    else:
        retryable = not isinstance(error, _LASTING) and getattr(error, "errno", None) not in _LASTING_ERRNO
    text = redact_text(error_text(error))
    return Failure(reason=f"{status} {text}" if status else text, status=status, retryable=retryable)


def why_no_folder(path: str | os.PathLike[str]) -> str:
    """Why a path on this machine cannot be a folder: ``it is a file``, or its name; empty where it may be one.

    It does not have to be there, and a link to a folder is one.
    """
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 - Path's refuse odd names in ways that differ by version
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return "its name is too long for the file system"
        return "a part of its path is a file" if error.errno == errno.ENOTDIR else ""
    except ValueError as error:  # a null character, half a character of UTF-16
        return f"it cannot be the name of a folder ({error_text(error)})"
    return "" if stat.S_ISDIR(mode) else IT_IS_A_FILE


def status_may_pass(status: int) -> bool:
    """Whether the same request may succeed later after an answer with this HTTP status."""
    return status in RETRYABLE_STATUS or status >= 500


def storing(where: object, doing: str, judge: Judge = judge_error) -> AbstractContextManager[None]:
    """Raise exceptions of the store as ``StoreError``: ``cannot DOING WHERE: reason``.

    With :attr:`Failure.exists` it is an ``ExistsError``.
    """

    def store_error(failure: Failure) -> SplashdownError:
        if failure.exists:
            return already_exists(where)
        failed = StoreError(_line(doing, where, failure))
        failed.retryable = failure.retryable
        return failed

    return _Raising(store_error, judge)


def reading(where: object, judge: Judge = judge_error) -> AbstractContextManager[None]:
    """Raise exceptions of the store as ``TransferError``: ``cannot read WHERE: reason``.

    The class is :attr:`Failure.kind`, else that of the HTTP status: 304, 412 and 416 have one each, any other is an
    ``HttpStatusError``. Without a status it is a ``NetworkError`` if the same request may succeed later.
    """
    return _Raising(lambda failure: _read_error(_line("read", where, failure), failure), judge)


class _Raising(AbstractContextManager[None]):
    """Raises what the store raises as an error of ours; what ``judge`` does not know passes.

    A class, because a generator costs twice as many calls, and each small file enters some of these.
    """

    __slots__ = ("_error_of", "_judge")

    def __init__(self, error_of: Callable[[Failure], SplashdownError], judge: Judge) -> None:
        self._error_of, self._judge = error_of, judge

    def __enter__(self) -> None:
        """Nothing is prepared."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None or isinstance(error, SplashdownError) or not isinstance(error, Exception):
            return
        failure = self._judge(error)
        if failure is not None:
            raise self._error_of(failure) from None


def already_exists(where: object) -> ExistsError:
    """The error for an object that must not be replaced."""
    return ExistsError(f"{where} exists already; choose --if-exists overwrite or rename")


def _read_error(text: str, failure: Failure) -> TransferError:
    kind = failure.kind or _READ_ERRORS.get(failure.status or 0)
    if kind is not None:
        return kind(text)
    if failure.status is None:
        return NetworkError(text) if failure.retryable else TransferError(text)
    failed = HttpStatusError(text, status=failure.status, retry_after=failure.retry_after)
    failed.retryable = failure.retryable
    return failed


def _line(doing: str, where: object, failure: Failure) -> str:
    return " ".join(f"cannot {doing} {where}: {failure.reason}".split())


def _status(error: Exception) -> int | None:
    for holder in (error, getattr(error, "response", None)):
        status = getattr(holder, "status_code", None)
        if isinstance(status, int):
            return status
    return None
