"""s3:// URIs: split once, and taken as they are. Buckets and keys are opaque.

A key may hold ``?``, ``#``, ``%``, spaces, ``..`` and leading slashes; nothing is decoded, lower-cased or normalised
(Amazon S3 User Guide, "Naming Amazon S3 objects": a key is a sequence of at most 1,024 bytes of UTF-8).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from splashdown.errors import TargetError
from splashdown.redact import redact, safely_shown

SCHEME = "s3://"

# An access point's ARN stands where a bucket's name does, and holds a slash itself.
_ARN = re.compile(r"(arn:[^:/]+:s3[^:/]*:[^:/]*:[^:/]*:accesspoint[:/][^:/]+)(?:/(.*))?", re.DOTALL)


@safely_shown
class Location(NamedTuple):
    """A bucket (name or access point ARN) and a key or prefix in it."""

    bucket: str
    key: str

    @property
    def uri(self) -> str:
        """The URI as it is; messages have ``str()`` of the location, without a query that an href had."""
        return f"{SCHEME}{self.bucket}/{self.key}"

    def __str__(self) -> str:
        return redact(self.uri)


def split(uri: str) -> Location:
    """Bucket and key of ``s3://bucket/key``. Raises ``TargetError`` without a bucket, and for credentials in it."""
    if uri[: len(SCHEME)].lower() != SCHEME:
        raise TargetError(f"{redact(uri)!r} is not an S3 URI; write s3://bucket/prefix/")
    rest = uri[len(SCHEME) :]
    arn = _ARN.fullmatch(rest)
    bucket, key = (arn[1], arn[2] or "") if arn else rest.partition("/")[::2]
    if not bucket:
        raise TargetError(f"{redact(uri)!r} names no bucket; write s3://bucket/prefix/")
    if "@" in bucket:  # which no bucket has; what is before it must not be shown
        raise TargetError("an s3:// URI takes no credentials; write s3://bucket/prefix/ and set AWS_PROFILE or profile")
    return Location(bucket, key)


def folder(uri: str) -> Location:
    """As :func:`split`, for a target: the key becomes a prefix that ends with a slash, or is empty."""
    location = split(uri)
    if location.key and not location.key.endswith("/"):
        return Location(location.bucket, location.key + "/")
    return location
