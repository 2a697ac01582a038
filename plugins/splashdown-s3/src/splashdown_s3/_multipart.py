"""Multipart uploads: the requests, their checksums, and what an endpoint turns out to lack."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from botocore.exceptions import ClientError

from splashdown.model import Buffer, Content
from splashdown_s3 import _attributes as attributes
from splashdown_s3 import _objects as objects
from splashdown_s3._checksums import Algorithm, by_name, choose
from splashdown_s3._errors import LACKS, Refused
from splashdown_s3._failures import FAILURES
from splashdown_s3._honoured import require_encryption, settle_tags
from splashdown_s3._store import Store
from splashdown_s3._uri import Location


@dataclass(frozen=True, slots=True)
class Tag:
    """The record of a part: its ETag, its size, and its checksum where one was sent."""

    etag: str
    size: int
    checksum: str = ""

    def __str__(self) -> str:
        return f"{self.etag}|{self.size}|{self.checksum}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what ``str`` wrote."""
        etag, size, checksum = text.rsplit("|", 2)
        return cls(etag, int(size), checksum)

    def fits(self, data: Buffer, algorithm: Algorithm | None) -> bool:
        """Whether the store has taken these bytes for the part: by the checksum it was sent with, else by its MD5."""
        if len(data) != self.size:
            return False
        if algorithm is not None and self.checksum:
            return algorithm.of(data) == self.checksum
        # An ETag is the MD5 of a part nearly everywhere; where it is not (SSE-KMS), nothing fits.
        return self.etag.strip('"').lower() == hashlib.md5(data, usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class Started:
    """A multipart upload that the store has opened. It is JSON in an upload's token, and in the journal."""

    upload_id: str
    algorithm: str = ""  #: checksum that the store promised to keep; empty for none
    new: bool = False  #: whether nothing may have the key before

    def token(self) -> dict[str, str]:
        """The token's fields."""
        return {"upload": self.upload_id, "checksum": self.algorithm, "new": "1" if self.new else ""}

    @classmethod
    def of(cls, token: Mapping[str, str]) -> Self:
        """Read a token."""
        return cls(token["upload"], token.get("checksum", ""), bool(token.get("new")))


class Multipart:
    """Opens, fills, finishes and drops multipart uploads of one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def start(self, where: Location, content: Content, *, checksums: bool = True) -> Started:
        """Open an upload; asks for a whole-object checksum while the store has not refused one."""
        store = self._store
        require_encryption(store, where)
        arguments: dict[str, Any] = {
            "Bucket": where.bucket,
            "Key": where.key,
            "ContentType": attributes.media_type(content),
            "Metadata": attributes.metadata(content.source, content.checksum),
            **store.attributes,
            **store.payer,
        }
        algorithm = choose(store.options.checksum) if checksums and not store.lacks.checksums else None
        client = store.client_for(where.bucket)
        if algorithm is not None:
            asked = {"ChecksumAlgorithm": algorithm.name, "ChecksumType": "FULL_OBJECT"}
            try:
                answer = client.create_multipart_upload(**arguments, **asked)
            except ClientError as error:
                if Refused.of_boto(error.response).code not in LACKS:
                    raise
                store.lacks.checksums = True
                answer = client.create_multipart_upload(**arguments)
        else:
            answer = client.create_multipart_upload(**arguments)
        # Only what the store repeats does it keep; the others take the header and forget it.
        kept = algorithm is not None and answer.get("ChecksumAlgorithm") == algorithm.name
        kept = kept and answer.get("ChecksumType", "FULL_OBJECT") == "FULL_OBJECT"
        return Started(str(answer["UploadId"]), algorithm.name if kept and algorithm else "", not content.replace)

    def put(self, where: Location, started: Started, number: int, body: Buffer) -> Tag:
        """Send one part."""
        algorithm = by_name(started.algorithm) if started.algorithm else None
        checksum = algorithm.of(body) if algorithm else ""
        headers = {algorithm.header: checksum} if algorithm else {}
        if not algorithm and self._store.options.checksum != "none":
            headers = objects.seal(self._store, where, body)
        query = [("partNumber", str(number)), ("uploadId", started.upload_id)]
        answer = self._store.request("PUT", where, query=query, headers=headers, body=body)
        return Tag(answer["etag"], len(body), checksum)

    def finish(self, where: Location, started: Started, tags: Sequence[Tag], *, new: bool) -> None:
        """Make the object visible, with ``new`` only where there is none. A lost answer is looked for by HEAD."""
        try:
            if new:
                self._require_free(where)
            self._complete(where, started, tags, new=new)
        except (ClientError, Refused, *FAILURES) as error:
            refused = Refused.of_boto(error.response) if isinstance(error, ClientError) else error
            lost = not isinstance(refused, Refused) or refused.status in {404, 412} or refused.status >= 500
            if not (lost and self._is_there(where, tags)):
                if isinstance(refused, Refused) and refused.status >= 500 and not self.held(where, started):
                    # Ceph RGW says of an upload that is gone that it is being completed, however often it is asked.
                    raise Refused(404, "NoSuchUpload", "", {}) from error
                raise
        settle_tags(self._store, where, "multipart")

    def drop(self, where: Location, upload_id: str) -> None:
        """Remove an upload and its parts; no error when it is gone."""
        client = self._store.client_for(where.bucket)
        which = {"Bucket": where.bucket, "Key": where.key, "UploadId": upload_id, **self._store.payer}
        try:
            client.abort_multipart_upload(**which)
        except ClientError as error:
            if Refused.of_boto(error.response).status == 404:
                return
            # Some stores answer an abort that worked, or a second one, with an error: ask whether it is gone.
            try:
                client.list_parts(**which)
            except ClientError as gone:
                if Refused.of_boto(gone.response).status == 404:
                    return
            raise

    def held(self, where: Location, started: Started) -> dict[int, tuple[str, int]]:
        """ETag and size of every part that the store has, by number; empty when the upload is gone."""
        pages = self._store.client_for(where.bucket).get_paginator("list_parts")
        which = {"Bucket": where.bucket, "Key": where.key, "UploadId": started.upload_id, **self._store.payer}
        found: dict[int, tuple[str, int]] = {}
        try:
            for page in pages.paginate(**which):
                found.update((one["PartNumber"], (one["ETag"], one["Size"])) for one in page.get("Parts", ()))
        except ClientError as error:
            if Refused.of_boto(error.response).status != 404:
                raise
            return {}
        return found

    def left(self, where: Location) -> Iterator[tuple[Location, Started, float, int]]:
        """Every upload under a prefix that was not ended: key, id, when it began, and bytes that it holds."""
        pages = self._store.client_for(where.bucket).get_paginator("list_multipart_uploads")
        for page in pages.paginate(Bucket=where.bucket, Prefix=where.key, **self._store.payer):
            for one in page.get("Uploads", ()):
                key, started = Location(where.bucket, one["Key"]), Started(one["UploadId"])
                yield key, started, one["Initiated"].timestamp(), sum(n for _, n in self.held(key, started).values())

    def _complete(self, where: Location, started: Started, tags: Sequence[Tag], *, new: bool) -> None:
        algorithm = by_name(started.algorithm) if started.algorithm else None
        arguments: dict[str, Any] = {
            "Bucket": where.bucket,
            "Key": where.key,
            "UploadId": started.upload_id,
            "MultipartUpload": {"Parts": list(_numbered(tags, algorithm))},
            **self._store.payer,
        }
        if algorithm is not None:
            arguments["ChecksumType"] = "FULL_OBJECT"
            arguments[algorithm.field] = algorithm.combine((tag.checksum, tag.size) for tag in tags)
        client = self._store.client_for(where.bucket)
        if new and not self._store.lacks.conditions:
            try:
                client.complete_multipart_upload(**arguments, IfNoneMatch="*")
            except ClientError as error:
                if Refused.of_boto(error.response).code not in LACKS:
                    raise
                self._store.lacks.conditions = True
            else:
                return
        client.complete_multipart_upload(**arguments)

    def _require_free(self, where: Location) -> None:
        """Raise what the store would: Ceph RGW 16 and others take a condition on a completion, and do not keep it."""
        try:
            found = objects.head(self._store, where)
        except Refused as refused:
            if refused.status != 403:
                raise
            return  # who may write and not read has nothing but the condition
        if found is not None:
            raise Refused(412, "PreconditionFailed", "", {})

    def _is_there(self, where: Location, tags: Sequence[Tag]) -> bool:
        try:
            found = self._store.request("HEAD", where)
        except (Refused, *FAILURES):
            return False
        size = int(found.get("content-length", -1))
        return size == sum(tag.size for tag in tags) and found.get("etag") == _whole_etag(tags)


def _numbered(tags: Iterable[Tag], algorithm: Algorithm | None) -> Iterable[dict[str, Any]]:
    for number, tag in enumerate(tags, start=1):
        part: dict[str, Any] = {"PartNumber": number, "ETag": tag.etag}
        if algorithm is not None:
            part[algorithm.field] = tag.checksum
        yield part


def _whole_etag(tags: Sequence[Tag]) -> str | None:
    """The ETag that nearly all stores give to a multipart object; ``None`` where its parts' are no MD5s."""
    try:
        digests = b"".join(bytes.fromhex(tag.etag.strip('"')) for tag in tags)
    except ValueError:
        return None
    return f'"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-{len(tags)}"'
