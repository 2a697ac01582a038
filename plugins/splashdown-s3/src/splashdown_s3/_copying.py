"""Copies inside one store: no byte passes through this machine.

CopyObject takes sources of up to 5 GiB; larger ones are copied as the parts of a multipart upload (Amazon S3 User
Guide, "Copying an object using multipart upload").
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from botocore.exceptions import ClientError

from splashdown.checksums import comparable, same
from splashdown.errors import ChecksumError
from splashdown.model import Content, Part, Stored
from splashdown_s3 import _attributes as attributes
from splashdown_s3 import _objects as objects
from splashdown_s3._errors import Refused
from splashdown_s3._failures import FAILURES
from splashdown_s3._honoured import settle_tags
from splashdown_s3._multipart import Multipart, Started, Tag
from splashdown_s3._options import MAX_PARTS
from splashdown_s3._store import Store
from splashdown_s3._uri import Location

GIB = 1024**3
_THREADS = 8


class Copier:
    """Copies objects of one store. ``limit`` is the largest for CopyObject, ``step`` the size of larger ones' parts."""

    def __init__(self, store: Store, *, limit: int = 5 * GIB, step: int = GIB) -> None:
        self._store = store
        self._multipart = Multipart(store)
        self._limit, self._step = limit, step

    def look(self, source: Location) -> Stored | None:
        """Size and checksum of an object to copy; ``None`` where it cannot be looked at."""
        try:
            return objects.head(self._store, source)
        except (ClientError, Refused, *FAILURES):
            return None

    def copy(self, source: Location, target: Location, content: Content) -> Stored | None:
        """Copy, and look at the result; ``None`` when the store does not do it.

        The source as the store describes it is compared with ``content`` first. The copy is pinned to that version:
        nothing wrong becomes visible or replaces anything. Raises ``ChecksumError`` for a source that is something
        else, and ``Refused`` with status 412 when the target exists and may not be replaced.
        """
        if _may_be_one(source, target):
            return None  # to remove a copy that is not right would be to remove the source
        try:
            headers = self._store.request("HEAD", source, headers={"x-amz-checksum-mode": "ENABLED"})
            size, checksum = int(headers["content-length"]), objects.noted(headers)
            _require_promised(source, content, size, checksum)
            asked = {
                "CopySource": {"Bucket": source.bucket, "Key": source.key},
                "CopySourceIfMatch": headers["etag"],
                **self._store.payer,
            }
            if size == 0 and self._encrypted:
                return None  # it has no parts, see ``_copy``
            self._copy(target, content, checksum, asked, size)
            return self._checked(source, headers["etag"], target, size)
        except (ClientError, Refused, *FAILURES) as error:
            refused = Refused.of_boto(error.response) if isinstance(error, ClientError) else error
            if isinstance(refused, Refused) and refused.status == 412 and not content.replace:
                raise
            return None

    def _copy(self, target: Location, content: Content, checksum: str | None, asked: dict[str, Any], size: int) -> None:
        """Copy in one request or in parts."""
        # Encrypted it is copied in parts: Ceph RGW takes no notice of an encryption in CopyObject.
        if size <= self._limit and not self._encrypted:
            try:
                self._copy_whole(target, content, checksum, asked)
                return
            except ClientError as error:
                # Ceph RGW copies an encrypted object in parts alone.
                if size == 0 or Refused.of_boto(error.response).code != "NotImplemented":
                    raise
        self._copy_parts(target, content, checksum, asked, size)

    @property
    def _encrypted(self) -> bool:
        """Whether the copy has to be."""
        return "ServerSideEncryption" in self._store.attributes

    def _checked(self, source: Location, etag: str, target: Location, size: int) -> Stored | None:
        """The copy, if it is as large as its source and that is what it was; else it is left to streaming.

        Not every store pins a copy to the version that was asked for: Ceph RGW 16 does not.
        """
        stored = objects.head(self._store, target)
        now = self._store.request("HEAD", source)["etag"]
        if stored is not None and (stored.size, now) == (size, etag):
            return stored
        objects.delete(self._store, target)
        return None

    def _copy_whole(self, target: Location, content: Content, checksum: str | None, asked: dict[str, Any]) -> None:
        condition = {} if content.replace or self._store.lacks.conditions else {"IfNoneMatch": "*"}
        self._store.client_for(target.bucket).copy_object(
            Bucket=target.bucket,
            Key=target.key,
            MetadataDirective="REPLACE",
            TaggingDirective="REPLACE",
            ContentType=attributes.media_type(content),
            Metadata=attributes.metadata(content.source, checksum),
            **self._store.attributes,
            **condition,
            **asked,
        )
        settle_tags(self._store, target, "copy")

    def _copy_parts(
        self, target: Location, content: Content, checksum: str | None, asked: dict[str, Any], size: int
    ) -> None:
        known = Content(
            size=size,
            media_type=content.media_type,
            checksum=checksum,
            source=content.source,
            replace=content.replace,
        )
        started = self._multipart.start(target, known, checksums=False)
        try:
            with ThreadPoolExecutor(_THREADS, thread_name_prefix="splashdown-copy") as pool:
                tags = list(pool.map(lambda one: self._copy_part(target, started, asked, one), self._ranges(size)))
            self._multipart.finish(target, started, tags, new=not content.replace)
        except BaseException:
            self._multipart.drop(target, started.upload_id)
            raise

    def _copy_part(self, target: Location, started: Started, asked: dict[str, Any], part: Part) -> Tag:
        answer = self._store.client_for(target.bucket).upload_part_copy(
            Bucket=target.bucket,
            Key=target.key,
            UploadId=started.upload_id,
            PartNumber=part.number,
            CopySourceRange=f"bytes={part.start}-{(part.stop or 0) - 1}",
            **asked,
        )
        return Tag(answer["CopyPartResult"]["ETag"], part.size or 0)

    def _ranges(self, size: int) -> Iterator[Part]:
        step = max(self._step, -(-size // MAX_PARTS))
        for number, start in enumerate(range(0, size, step), start=1):
            yield Part(number=number, start=start, stop=min(size, start + step))


def _may_be_one(source: Location, target: Location) -> bool:
    """Whether both may be one object; the bucket of an access point's ARN or alias is not known here."""
    buckets = {source.bucket, target.bucket}
    unknown = any(bucket.startswith("arn:") or bucket.endswith("-s3alias") for bucket in buckets)
    return source.key == target.key and (len(buckets) == 1 or unknown)


def _require_promised(source: Location, content: Content, size: int, checksum: str | None) -> None:
    if content.size is not None and content.size != size:
        raise ChecksumError(f"{source} has {size} bytes, file:size says {content.size}; nothing was copied")
    wanted = content.checksum
    if wanted and checksum and comparable(wanted, checksum) and not same(wanted, checksum):
        raise ChecksumError(f"{source} has another checksum than file:checksum; nothing was copied")
