"""Turns error answers and broken connections into this project's errors. No message holds a query or a header."""

from __future__ import annotations

import http.client
import json
import re
import socket
import ssl
import time
from collections.abc import Iterable, Mapping
from http import HTTPStatus

import urllib3.exceptions as u3

from splashdown._connections.answers import AnswerError
from splashdown._connections.tls import CERTIFICATE_WANTED, NAME_AUTHORITY, wants_certificate
from splashdown._connections.waits import retry_after
from splashdown.errors import (
    HttpStatusError,
    LinkExpiredError,
    NetworkError,
    StalledError,
    TransferError,
    TruncatedError,
)
from splashdown.redact import redact, redact_text, secrets_of

#: Bytes of an error body that are read.
ERROR_BYTES = 16 * 1024
_EXPIRED_STATUS = frozenset({400, 401, 403, 404, 410})
#: Codes of openEO and of object stores for an expired link.
_EXPIRED_CODES = frozenset({"ResultLinkExpired", "ExpiredToken", "RequestExpired"})
_EXPIRED_TEXT = re.compile(r"request has expired|link (has )?expired|signature (has )?expired", re.IGNORECASE)
_XML = re.compile(r"<(Code|Message)>([^<]{1,300})</\1>")
_HINTS = {
    202: "the file is being prepared",
    401: "pass auth=, or a link that is signed",
    403: "the link may have expired, or the account may not read this file",
    404: "the file does not exist, or no longer",
    410: "the file no longer exists",
    429: "too many requests",
}


def status_error(
    href: str, status: int, headers: Mapping[str, str], body: bytes, secrets: Iterable[str] = (), *, hint: str = ""
) -> TransferError:
    """The error for an answer without a file; ``secrets`` of the request, which servers repeat, are not shown.

    ``hint`` is the next step, where more is known than the status says.
    """
    code, message = _explanation(body, {*secrets, *secrets_of(href)})
    if status in _EXPIRED_STATUS and (
        code in _EXPIRED_CODES or _EXPIRED_TEXT.search(message) or (status != 400 and _has_expired(href))
    ):
        return LinkExpiredError(f"{redact(href)}: the signed link has expired ({status}); read the source again")
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "no registered status"
    said = ": ".join(part for part in (code, message) if part)
    hint = hint or _HINTS.get(status, "")
    text = f"{redact(href)}: the server answered {status} {phrase}"
    text += f" ({said})" if said else ""
    text += f"; {hint}" if hint else ""
    return HttpStatusError(text, status=status, retry_after=retry_after(headers))


def connection_error(href: str, error: BaseException) -> TransferError:
    """The error for a connection that could not be made, or that broke."""
    where = redact(href)
    chain = list(_chain(error))
    if _has(chain, u3.ReadTimeoutError):
        return StalledError(f"{where}: no answer within the read timeout (ReadTimeoutError)")
    if _has(chain, u3.IncompleteRead, http.client.IncompleteRead):
        return TruncatedError(f"{where}: the connection ended before the body did (IncompleteRead)")
    if _has(chain, u3.InvalidChunkLength):
        return TruncatedError(f"{where}: the chunked body is broken (InvalidChunkLength)")
    if _has(chain, ssl.SSLCertVerificationError, ssl.CertificateError):
        reason = next((e.verify_message for e in chain if isinstance(e, ssl.SSLCertVerificationError)), "")
        text = f"{where}: the server's certificate is not trusted ({reason}); {NAME_AUTHORITY}"
        return NetworkError(text, retryable=False)
    if wants_certificate(chain):
        return NetworkError(f"{where}: {CERTIFICATE_WANTED}", retryable=False)
    if _has(chain, u3.ConnectTimeoutError) and not _has(chain, u3.NewConnectionError):
        return NetworkError(f"{where}: no connection within the connect timeout (ConnectTimeoutError)")
    if (answer := next((one for one in chain if isinstance(one, AnswerError)), None)) is not None:
        return NetworkError(f"{where}: {answer}")
    for name_error in chain:
        if isinstance(name_error, socket.gaierror):
            final = name_error.errno == socket.EAI_NONAME
            return NetworkError(f"{where}: the host's name cannot be resolved (gaierror)", retryable=not final)
    refused = _has(chain, ConnectionRefusedError)
    return NetworkError(f"{where}: the connection failed ({_reason(chain)})", refused=refused)


def _explanation(body: bytes, secrets: Iterable[str]) -> tuple[str, str]:
    """Code and message of an error document: openEO's JSON, or an object store's XML; empty for anything else."""
    text = body.decode("utf-8", "replace")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        found = dict(_XML.findall(text))
        code, message = found.get("Code", ""), found.get("Message", "")
    else:
        fields = document if isinstance(document, dict) else {}
        code, message = str(fields.get("code", "")), str(fields.get("message", ""))
    return redact_text(code, secrets)[:60], " ".join(redact_text(message, secrets).split())[:200]


def _has_expired(href: str) -> bool:
    from splashdown._documents.expiry import href_expires

    end = href_expires(href)
    return end is not None and end < time.time()


def _chain(error: BaseException | None) -> list[BaseException]:
    """The error and what it wraps, whether as a cause, a context or (urllib3's habit) an argument."""
    found: list[BaseException] = []
    waiting = [error]
    while waiting:
        one = waiting.pop()
        if one is None or any(one is known for known in found):
            continue
        found.append(one)
        waiting.extend((one.__cause__, one.__context__))
        waiting.extend(arg for arg in (*one.args, getattr(one, "reason", None)) if isinstance(arg, BaseException))
    return found


def _has(chain: list[BaseException], *types: type[BaseException]) -> bool:
    return any(isinstance(one, types) for one in chain)


def _reason(chain: list[BaseException]) -> str:
    """Type and system message. Messages of libraries are left out: they may quote the request line with the query."""
    system = next((one.strerror for one in chain if isinstance(one, OSError) and isinstance(one.strerror, str)), "")
    name = type(chain[0]).__name__
    return f"{name}: {system}" if system else name
