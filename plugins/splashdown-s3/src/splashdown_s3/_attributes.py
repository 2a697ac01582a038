"""Attributes of an object: media type, metadata, class, ACL, encryption, tags."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlencode

from splashdown.model import Content
from splashdown_s3._options import S3Options

#: Names of our user metadata; S3 puts ``x-amz-meta-`` before them.
MULTIHASH = "splashdown-multihash"
SOURCE = "splashdown-source"

_DEFAULT_TYPE = "application/octet-stream"
# User metadata is at most 2 KB in all ("Working with object metadata"); a source key longer than this is cut.
_MAX_SOURCE = 1024

_HEADERS: Mapping[str, str] = {
    "ContentType": "content-type",
    "StorageClass": "x-amz-storage-class",
    "ACL": "x-amz-acl",
    "ServerSideEncryption": "x-amz-server-side-encryption",
    "SSEKMSKeyId": "x-amz-server-side-encryption-aws-kms-key-id",
    "Tagging": "x-amz-tagging",
}


def fixed(options: S3Options) -> dict[str, str]:
    """What the options say about every object, as arguments of botocore's methods."""
    encryption = options.sse or ("aws:kms" if options.sse_kms_key_id else None)
    chosen = {
        "StorageClass": options.storage_class,
        "ACL": options.acl,
        "ServerSideEncryption": encryption,
        "SSEKMSKeyId": options.sse_kms_key_id,
        # Not a plus sign for a space, which Ceph RGW takes for one.
        "Tagging": urlencode(dict(options.tags), quote_via=quote) or None,
    }
    return {name: value for name, value in chosen.items() if value}


def metadata(source: str, checksum: str | None) -> dict[str, str]:
    """User metadata: where the object is from, and its multihash in hex where that is known by now."""
    found = {SOURCE: quote(source, safe=" /:@!$&'()*+,;=-._~[]{}")[:_MAX_SOURCE]} if source else {}
    if checksum:
        found[MULTIHASH] = checksum
    return found


def media_type(content: Content) -> str:
    """The Content-Type; a value that cannot be a header (RFC 9110, section 5.5) is replaced."""
    value = (content.media_type or "").strip()
    return value if value.isascii() and value.isprintable() and value else _DEFAULT_TYPE


def as_headers(arguments: Mapping[str, str], user: Mapping[str, str]) -> dict[str, str]:
    """Arguments of botocore's methods, and user metadata, as headers of a PUT."""
    headers = {_HEADERS[name]: value for name, value in arguments.items()}
    headers.update({f"x-amz-meta-{name}": value for name, value in user.items()})
    return headers
