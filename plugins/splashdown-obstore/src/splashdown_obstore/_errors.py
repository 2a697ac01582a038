"""Explains exceptions of obstore in one line. No message holds a credential.

obstore's own messages quote whole requests with signed URLs; only the status, the store's error code and the kind of
failure are taken from them.
"""

from __future__ import annotations

import re
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from splashdown import store_errors
from splashdown.store_errors import Failure, status_may_pass

if TYPE_CHECKING:
    from splashdown_obstore._stores import Location

_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>(\w+)</Code>|x-ms-error-code\W+(\w+)")
_HINTS = {
    "FileNotFoundError": "the object or the bucket does not exist",
    "PermissionDeniedError": "the credentials do not allow it; check them and the rights of their account",
    "UnauthenticatedError": "no credentials, or wrong ones; set those of the store's own tools in the environment",
    "InvalidPathError": "obstore does not accept this key; choose another layout",
    "ValueError": "obstore does not accept this key; choose another layout",
}
#: Words in the HTTP client's message when there was no answer, and what they mean.
_CAUSES = {
    "BadScheme": "the endpoint is http://; set allow_http if that is meant",
    "certificate": "the endpoint's certificate is not trusted; name its authority with ca_bundle",
    "without LOCATION": "the bucket is in another region or at another endpoint; set region or endpoint in config",
    "timed out": "no answer in time",
    "dns error": "the endpoint's host is not known",
    "onnect": "no connection to the endpoint; check endpoint, network and proxy",
}
#: obstore does not always give the status of these.
_STATUS_BY_NAME = {"PreconditionError": 412, "NotModifiedError": 304}
_LASTING_CAUSES = ("BadScheme", "certificate", "without LOCATION")


def storing(where: Location, doing: str) -> AbstractContextManager[None]:
    """Turn exceptions of the store into ``StoreError`` or ``ExistsError``."""
    return store_errors.storing(where, doing, _judge)


def reading(where: Location) -> AbstractContextManager[None]:
    """Turn exceptions of the store into the errors of a transport."""
    return store_errors.reading(where, _judge)


def _judge(error: Exception) -> Failure | None:
    from obstore.exceptions import BaseError

    if not isinstance(error, BaseError | OSError | ValueError):
        return None
    name, text, status = type(error).__name__, str(error), _status(error)
    retryable = _may_pass(error, status)
    code = next((one for match in _CODE.finditer(text) for one in match.groups() if one), "")
    hint = _HINTS.get(name) or next((advice for sign, advice in _CAUSES.items() if sign in text), "")
    if not hint:
        hint = "try again later" if retryable else "the store refuses it"
    answer = " ".join(str(one) for one in (status, code) if one)
    return Failure(
        reason=f"{name}: {f'{answer}: ' if answer else ''}{hint}",
        status=_STATUS_BY_NAME.get(name, status),
        retryable=retryable,
        exists=name == "AlreadyExistsError",
    )


def _status(error: Exception) -> int | None:
    found = _STATUS.search(str(error))
    return int(found[1]) if found else None


def _may_pass(error: Exception, status: int | None) -> bool:
    if status is not None:
        return status_may_pass(status) and status != 501
    if any(sign in str(error) for sign in _LASTING_CAUSES):
        return False
    return type(error).__name__ == "GenericError" or isinstance(error, TimeoutError | ConnectionError)
