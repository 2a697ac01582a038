"""Explains in one line why a store, or the way to it, failed, and what to do. No message holds a credential."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from email.utils import parsedate_to_datetime
from html import unescape
from typing import TYPE_CHECKING

from splashdown import store_errors
from splashdown.errors import NetworkError, StalledError, TransferError, TruncatedError
from splashdown.store_errors import Failure, status_may_pass

if TYPE_CHECKING:
    from splashdown_s3._store import Store
    from splashdown_s3._uri import Location

_ELEMENT = "<{0}>(.*?)</{0}>"

#: Error codes of S3 ("Error responses", List of error codes) that the same request may not meet again.
_PASSING = frozenset({
    "SlowDown", "RequestTimeout", "InternalError", "ServiceUnavailable", "OperationAborted",
    "ConditionalRequestConflict", "BadDigest", "XAmzContentChecksumMismatch",
    "XAmzContentSHA256Mismatch", "IncompleteBody", "Busy",
})  # fmt: skip

#: Codes that say "this store has no such thing" rather than "no", and what stores answer to a header they do not know.
LACKS = frozenset({"NotImplemented", "InvalidRequest", "InvalidArgument", "MalformedXML", "MissingContentLength"})

_NO_KMS_KEY = "the store has no key {kms_key!r} for encryption; check sse_kms_key_id"

#: What to do, by error code; ``{...}`` are filled from the request.
_HINTS: Mapping[str, str] = {
    "InvalidAccessKeyId": "the store does not know the access key (from: {origin}); check the profile or"
    " AWS_ACCESS_KEY_ID, and that {endpoint} is the endpoint it belongs to",
    "SignatureDoesNotMatch": "the secret key is not the one of this access key (from: {origin}); check the profile or"
    " AWS_SECRET_ACCESS_KEY",
    "ExpiredToken": "the session's credentials (from: {origin}) are past their time; sign in again"
    " (for example: aws sso login)",
    "InvalidToken": "the store does not accept the session token (from: {origin}); sign in again, or unset"
    " AWS_SESSION_TOKEN",
    "RequestTimeTooSkewed": "this machine's clock and the store's differ{skew}; set this machine's clock",
    "AccessDenied": "the credentials (from: {origin}) do not allow this; ask the bucket's owner, or choose another"
    " profile{listing}{payer}",
    "AllAccessDisabled": "the bucket's owner has disabled access",
    "NoSuchBucket": "there is no bucket {bucket!r} at {endpoint}; check its name and endpoint_url, or create it",
    "InvalidBucketName": "{bucket!r} cannot be the name of a bucket; check the URI",
    "NoSuchKey": "there is no such object",
    "NoSuchVersion": "there is no such version of the object",
    "NoSuchUpload": "the upload is gone: it was finished, aborted or cleaned up meanwhile; run it again",
    "PermanentRedirect": "the bucket is in another region or at another endpoint; set region{region}",
    "AuthorizationHeaderMalformed": "the region does not fit the bucket; set region{region}",
    "IllegalLocationConstraintException": "the region does not fit the bucket; set region{region}",
    "InvalidObjectState": "the object is in an archive; restore it first",
    "InvalidStorageClass": "the store does not know this storage_class; leave it out or choose another",
    "AccessControlListNotSupported": "the bucket takes no ACLs; leave acl out",
    "QuotaExceeded": "the quota of the bucket or user is used up; free space or ask its operator",
    "EntityTooLarge": "the object is larger than the store takes",
    "KeyTooLongError": "the key is longer than 1,024 bytes; choose a shorter prefix or layout",
    "MethodNotAllowed": "the store does not offer this operation",
    "NotImplemented": "the store does not offer this operation",
    "KMS.NotFoundException": _NO_KMS_KEY,
    "KMS.DisabledException": "the key of sse_kms_key_id is disabled; enable it, or choose another",
}


class Refused(Exception):  # noqa: N818 - reads as what happened
    """An answer of the store that is not a success."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str], region: str = "") -> None:
        super().__init__(code or str(status))
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers
        self.region = region

    @classmethod
    def parse(cls, status: int, body: str, headers: Mapping[str, str]) -> Refused:
        """Read an error document ("Error responses", REST error responses); a HEAD has none."""
        found = {
            name: unescape(match[1]) if (match := re.search(_ELEMENT.format(name), body, re.DOTALL)) else ""
            for name in ("Code", "Message", "Region")
        }
        return cls(status, found["Code"] or _BY_STATUS.get(status, ""), found["Message"], headers, found["Region"])

    @classmethod
    def of_boto(cls, response: Mapping[str, object]) -> Refused:
        """The same of botocore's ``ClientError.response``."""
        error, meta = _mapping(response.get("Error")), _mapping(response.get("ResponseMetadata"))
        status = int(str(meta.get("HTTPStatusCode", 0)))
        code = str(error.get("Code", ""))
        headers = {str(name): str(value) for name, value in _mapping(meta.get("HTTPHeaders")).items()}
        code = _BY_STATUS.get(status, code) if code.isdigit() else code
        # An error document without a message makes it None.
        return cls(status, code, str(error.get("Message") or ""), headers, str(error.get("Region") or ""))


#: How stores refuse an anonymous request: AWS, Ceph RGW and SeaweedFS with 403, Swift with 400, 401 or 412.
_ANONYMOUS = frozenset({400, 401, 403, 412})
_NOT_ABOUT_ACCESS = frozenset({"PreconditionFailed", "AuthorizationHeaderMalformed", "InvalidBucketName"})
_PAYER = "; where the reader pays, set requester_pays"
#: Operations that send attributes of an object.
_WRITING = frozenset({"store", "copy to"})
_UNSIGNED = "bucket {bucket!r} is not open to everybody; leave unsigned out and use credentials"

#: The code of an answer without a body.
_BY_STATUS: Mapping[int, str] = {
    301: "PermanentRedirect",
    403: "AccessDenied",
    404: "NoSuchKey",
    405: "MethodNotAllowed",
    412: "PreconditionFailed",
    416: "InvalidRange",
    501: "NotImplemented",
    503: "SlowDown",
}


def storing(store: Store | None, where: Location, doing: str) -> AbstractContextManager[None]:
    """Turn exceptions of the store into ``StoreError`` or ``ExistsError``."""
    return store_errors.storing(where, doing, lambda error: _judge(error, store, where, doing))


def reading(store: Store | None, where: Location) -> AbstractContextManager[None]:
    """Turn exceptions of the store into the errors of a transport."""
    return store_errors.reading(where, lambda error: _judge(error, store, where, "read"))


def unanswered(error: NetworkError, store: Store, where: Location) -> NetworkError:
    """What kept the transport of http hrefs from reaching the store, in the words of this one."""
    hint = "check endpoint_url, region and network" if error.retryable else "check endpoint_url, or set ca_bundle"
    text = scrub(f"cannot read {where}: {error}; {hint}", store.secrets())
    return NetworkError(text, retryable=error.retryable)


def _judge(error: Exception, store: Store | None, where: Location, doing: str) -> Failure | None:
    """Explain an answer of the store, or what kept it from answering; ``None`` for errors of another kind."""
    from botocore.exceptions import ClientError

    from splashdown_s3._failures import FAILURES

    if isinstance(error, ClientError):
        error = Refused.of_boto(error.response)
    if isinstance(error, Refused):
        return Failure(
            reason=_answered(error, store, where, doing),
            status=error.status,
            retryable=_may_pass(error),
            retry_after=_retry_after(error.headers),
            exists=error.status == 412,
        )
    if isinstance(error, FAILURES):
        reason, retryable = _unreached(error, store)
        secrets = store.secrets() if store else ()
        return Failure(reason=scrub(reason, secrets), retryable=retryable, kind=_kind(type(error).__name__))
    return None


def _kind(name: str) -> type[TransferError] | None:
    if "ReadTimeout" in name:
        return StalledError
    if name in {"IncompleteRead", "ProtocolError", "ResponseStreamingError", "IncompleteReadError"}:
        return TruncatedError
    return None


def _answered(refused: Refused, store: Store | None, where: Location, doing: str) -> str:
    template = _HINTS.get(refused.code, "")
    if store and store.options.unsigned and refused.status in _ANONYMOUS and refused.code not in _NOT_ABOUT_ACCESS:
        template = _UNSIGNED
    if "kms-keyid" in refused.message:
        template = _NO_KMS_KEY  # Ceph RGW calls this InvalidAccessKeyId as well
    if template:
        hint = template.format_map(_facts(refused, store, where, doing))
    else:
        hint = "try again later" if _may_pass(refused) else (refused.message or _unsaid(refused, store, doing))
    answer = f"{refused.status} {refused.code}".strip()
    return scrub(f"{answer}: {hint}", store.secrets() if store else ())


def _unsaid(refused: Refused, store: Store | None, doing: str) -> str:
    """What may be behind a refusal without a message: Ceph RGW sends none with most."""
    hint = "the store gives no reason"
    if store is None or doing not in _WRITING or refused.code not in LACKS:
        return hint
    options = store.options
    given = {"storage_class": options.storage_class, "acl": options.acl, "sse": options.sse, "tags": dict(options.tags)}
    asked = ", ".join(f"{name}={value!r}" for name, value in given.items() if value)
    return f"{hint}; it may not know what is asked of it: {asked}" if asked else hint


def _facts(refused: Refused, store: Store | None, where: Location, doing: str) -> dict[str, str]:
    """The request and its answer, for hints."""
    region = refused.headers.get("x-amz-bucket-region") or refused.region
    return {
        "bucket": where.bucket,
        "endpoint": store.endpoint if store else "",
        "origin": store.source_of_credentials() if store else "",
        "region": f" to {region!r}" if region else "",
        "skew": _skew(refused.headers),
        "kms_key": (store.options.sse_kms_key_id if store else None) or "",
        "payer": "" if doing != "read" or (store and store.options.requester_pays) else _PAYER,
        # A store answers 403, not 404, to a HEAD by a user who may not list the bucket.
        "listing": "; without s3:ListBucket, choose --if-exists overwrite" if doing == "look at" else "",
    }


def _unreached(error: Exception, store: Store | None) -> tuple[str, bool]:
    """What kept a request from being answered, and whether that may pass."""
    name = type(error).__name__
    endpoint = store.endpoint if store else "the endpoint"
    if name in {"NoCredentialsError", "PartialCredentialsError"}:
        return (
            f"{name}: no complete AWS credentials were found; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, choose"
            " a profile, or set unsigned for a public bucket"
        ), False
    if name == "CredentialRetrievalError":
        return f"{name}: {error}; check the profile, or sign in again", False
    if name == "NotRenewed":
        return str(error), True
    if "SSO" in name or "Token" in name:
        return f"{name}: {error}; sign in again (aws sso login)", False
    if "SSL" in name:
        return (f"{name}: {error}; check that {endpoint} speaks https, or name its certificates with ca_bundle"), False
    if name in {"NewConnectionError", "NameResolutionError", "EndpointConnectionError", "ConnectTimeoutError"}:
        return f"{name}: {endpoint} does not answer; check endpoint_url, region and network", True
    if name in {"ConnectionClosedError", "RemoteDisconnected"}:
        hint = "where that goes on, check that endpoint_url begins with http:// or https:// as the store wants it"
        return f"{name}: {endpoint} closed the connection without an answer; {hint}", True
    passing = not name.endswith(("ValidationError", "ProfileNotFound", "InvalidRegionError", "NoRegionError"))
    return f"{name}: {error}", passing


def _may_pass(refused: Refused) -> bool:
    if refused.code in _PASSING:
        return True
    return status_may_pass(refused.status) and refused.status != 501


def _skew(headers: Mapping[str, str]) -> str:
    """`` by 2:00:00``, from the store's own clock in its answer."""
    try:
        theirs = parsedate_to_datetime(headers.get("date") or headers.get("Date") or "")
    except ValueError:
        return ""
    seconds = abs((dt.datetime.now(dt.UTC) - theirs.astimezone(dt.UTC)).total_seconds())
    return f" by {dt.timedelta(seconds=round(seconds))}"


def _retry_after(headers: Mapping[str, str]) -> float | None:
    value = headers.get("retry-after", "")
    return float(value) if value.isdigit() else None


_SIGNED = re.compile(
    r"(?i)(X-Amz-(?:Signature|Credential|Security-Token)|AWSAccessKeyId|Signature|Credential)=[^&\s,]+"
)
_KEY_ID = re.compile(r"\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{12,}\b")


def scrub(text: str, secrets: tuple[str, ...] = ()) -> str:
    """One line without anything that looks like, or is, a credential."""
    for secret in secrets:
        # Very short values are those of test stores, and would turn every word into stars.
        if len(secret) >= 8:
            text = text.replace(secret, "***")
    return " ".join(_KEY_ID.sub("***", _SIGNED.sub(r"\1=***", text)).split())


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}
