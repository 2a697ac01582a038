"""Turns the error answers of an openEO API into the exceptions of this package (openEO API, "Error Handling")."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from typing import Any

from splashdown._documents.places import shown
from splashdown._documents.withheld import sign_in_advice
from splashdown.errors import (
    ApiError,
    AuthError,
    JobFailed,
    JobNotFinished,
    JobNotFound,
    NotFoundError,
    ResolveError,
    ResultLinkExpired,
)
from splashdown.redact import redact_text, secrets_of

#: Error codes of the API's errors.json that have a separate exception.
_BY_CODE: dict[str, type[ApiError]] = {
    "JobNotFound": JobNotFound,
    "JobNotFinished": JobNotFinished,
    "JobNotStarted": JobNotFinished,
    "ResultLinkExpired": ResultLinkExpired,
    "AuthenticationRequired": AuthError,
    "AuthenticationSchemeInvalid": AuthError,
    "TokenInvalid": AuthError,
    "CredentialsInvalid": AuthError,
    "PermissionsInsufficient": AuthError,
}
_BY_STATUS: dict[int, type[ApiError]] = {
    401: AuthError,
    403: AuthError,
    404: NotFoundError,
    410: ResultLinkExpired,
}
_ADVICE: dict[type[ApiError], str] = {
    JobNotFound: "check the id and that these credentials are the owner's",
    JobNotFinished: "wait for it with wait=True (--wait)",
    ResultLinkExpired: "ask for the results again with the job's own URL",
    NotFoundError: "check the URL",
}
_LONGEST_TEXT = 300


def is_passing(error: ResolveError) -> bool:
    """Whether a missing or broken answer, or a 5xx, may be over in a minute; any other 4xx will not."""
    if isinstance(error, AuthError | NotFoundError):
        return False
    return not isinstance(error, ApiError) or error.status >= 500 or error.status == 429


def fault(
    url: str,
    status: int,
    body: bytes,
    *,
    authorized: bool,
    secrets: Iterable[str] = (),
    held: bool = False,
    wait: str = "",
) -> ApiError:
    """The exception for an error answer. ``authorized`` says whether the request carried credentials.

    ``held`` says whether the user has given credentials for some origin, ``wait`` that the server asks for a long wait.

    ``secrets`` of the request, which servers repeat, are not shown.
    """
    document = _clean(_parse(body), {*secrets, *secrets_of(url)})
    if status == 424 and "level" in document:
        return _failed(url, document)
    code = _text(document.get("code"))
    kind = _BY_CODE.get(code) or _BY_STATUS.get(status, ApiError)
    if status == 403 and not document and not authorized:
        # An API answers in JSON; this came from something before it, which no sign-in satisfies.
        return ApiError(
            f"{shown(url)}: access denied (HTTP 403), without a reason in JSON: a firewall or proxy may refuse this"
            " program or this network (http.user_agent says how it names itself), or a sign-in is needed",
            status=status,
        )
    said = _said(document) or "the server gave no reason"
    marks = [mark for mark in (code, f"HTTP {status}", _identifier(document)) if mark]
    advice = _auth_advice(url, authorized=authorized, held=held) if kind is AuthError else _ADVICE.get(kind, wait)
    text = f"{shown(url)}: {said.rstrip('.')} ({', '.join(marks)})"
    return kind(f"{text}; {advice}" if advice else text, status=status, code=code, id=_text(document.get("id")))


def _said(document: dict[str, Any]) -> str:
    # "message" is openEO's word; STAC APIs say "description" (OGC API, exceptions), or "detail".
    return next((text for name in ("message", "description", "detail") if (text := _text(document.get(name)))), "")


def job_failed(job: str, status: str, log: list[dict[str, Any]]) -> JobFailed:
    """The exception for a job that ended without results; ``log`` holds the entries that say why."""
    reasons = [_text(entry.get("message")) for entry in log if entry.get("message")]
    # The last entry is nearest to the end of the job; `log` has all of them.
    why = f": {reasons[-1].rstrip('.')}" if reasons else ""
    return JobFailed(f"job {job} has the status {status!r} and no results{why}; see its log", code="", log=log)


def _failed(url: str, entry: dict[str, Any]) -> JobFailed:
    # The API answers 424 with the log entry that says why the job failed, not with an error object.
    why = _text(entry.get("message")) or "no reason given"
    return JobFailed(
        f"{shown(url)}: the job failed: {why.rstrip('.')} (HTTP 424)",
        status=424,
        code=_text(entry.get("code")),
        id=_text(entry.get("id")),
        log=[entry],
    )


def _auth_advice(url: str, *, authorized: bool, held: bool) -> str:
    if authorized:
        return "the credentials were refused: check the token, or sign in again"
    if held:
        return sign_in_advice([url], sent=False, held=True)
    return (
        "sign in with auth= (on the command line: SPLASHDOWN_TOKEN, or SPLASHDOWN_USER and SPLASHDOWN_PASSWORD, or"
        " --login)"
    )


def _identifier(document: dict[str, Any]) -> str:
    return f"id {_text(document['id'])}" if document.get("id") else ""


def _parse(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _clean(document: dict[str, Any], secrets: Collection[str]) -> dict[str, Any]:
    return {key: redact_text(value, secrets) if isinstance(value, str) else value for key, value in document.items()}


def _text(value: object) -> str:
    # One line of limited length: back-ends put whole tracebacks here.
    text = " ".join(str(value or "").split())
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}..."
