"""Says in one line what a store, or the way to it, refused. No text holds a credential.

obstore's own texts quote whole requests, signed URLs among them, so that only the status, the store's error code and
the kind of failure are taken from them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

from splashdown.errors import (
    ChangedError,
    ExistsError,
    HttpStatusError,
    NetworkError,
    NotModifiedError,
    RangeNotServedError,
    SplashdownError,
    StoreError,
    TransferError,
)

if TYPE_CHECKING:
    from splashdown_obstore._stores import Location

_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>(\w+)</Code>|x-ms-error-code\W+(\w+)")
_HINTS = {
    "FileNotFoundError": "there is no such object, or no such bucket",
    "PermissionDeniedError": "the credentials do not allow it; check them and the rights of their account",
    "UnauthenticatedError": "no credentials, or wrong ones; set those of the store's own tools in the environment",
    "InvalidPathError": "obstore takes no such key; choose another layout",
    "ValueError": "obstore takes no such key; choose another layout",
}
#: What the HTTP client says when it has not got an answer, and what that means.
_CAUSES = {
    "BadScheme": "the endpoint is http://; set allow_http if that is meant",
    "certificate": "the endpoint's certificate is not trusted; name its authority with ca_bundle",
    "timed out": "no answer in time",
    "dns error": "the endpoint's host is not known",
    "onnect": "no connection to the endpoint; check endpoint, network and proxy",
}
_LASTING_CAUSES = ("BadScheme", "certificate")


def storing(where: Location, doing: str) -> AbstractContextManager[None]:
    """Turn what goes wrong into ``StoreError`` or ``ExistsError``."""
    return _raised_as(lambda error: _store_error(error, where, doing))


def reading(where: Location) -> AbstractContextManager[None]:
    """Turn what goes wrong into the errors of a transport."""
    return _raised_as(lambda error: _read_error(error, _text(error, where, "read")))


@contextmanager
def _raised_as(told: Callable[[Exception], TransferError]) -> Iterator[None]:
    try:
        yield
    except SplashdownError:
        raise
    except Exception as error:
        if not _is_of_store(error):
            raise
        raise told(error) from None


def _store_error(error: Exception, where: Location, doing: str) -> TransferError:
    if type(error).__name__ == "AlreadyExistsError":
        return ExistsError(f"{where} exists already; choose --if-exists overwrite or rename")
    failed = StoreError(_text(error, where, doing))
    failed.retryable = _may_pass(error)
    return failed


def _read_error(error: Exception, text: str) -> TransferError:
    name, status = type(error).__name__, _status(error)
    if name == "PreconditionError" or status == 412:
        return ChangedError(text)
    if name == "NotModifiedError" or status == 304:
        return NotModifiedError(text)
    if status == 416:
        return RangeNotServedError(text)
    if status is not None:
        return HttpStatusError(text, status=status)
    return NetworkError(text, retryable=_may_pass(error))


def _is_of_store(error: Exception) -> bool:
    from obstore.exceptions import BaseError

    return isinstance(error, BaseError | OSError | ValueError)


def _status(error: Exception) -> int | None:
    found = _STATUS.search(str(error))
    return int(found[1]) if found else None


def _text(error: Exception, where: Location, doing: str) -> str:
    name, text, status = type(error).__name__, str(error), _status(error)
    code = next((one for match in _CODE.finditer(text) for one in match.groups() if one), "")
    hint = _HINTS.get(name) or next((told for sign, told in _CAUSES.items() if sign in text), "")
    if not hint:
        hint = "try again later" if _may_pass(error) else "the store refuses it"
    answer = " ".join(str(one) for one in (status, code) if one)
    return f"cannot {doing} {where}: {name}: {f'{answer}: ' if answer else ''}{hint}"


def _may_pass(error: Exception) -> bool:
    status = _status(error)
    if status is not None:
        return status in {408, 425, 429} or status >= 500
    if any(sign in str(error) for sign in _LASTING_CAUSES):
        return False
    return type(error).__name__ == "GenericError" or isinstance(error, TimeoutError | ConnectionError)
