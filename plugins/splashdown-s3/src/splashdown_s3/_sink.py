"""The sink ``s3://bucket/prefix/``: one PutObject for a small object, a multipart upload for the others.

A part is held in memory until the store has it; nothing touches the disk. Cutting, retries and verification are the
engine's. An object that fits in one part is kept until ``commit``, so that nothing is visible before.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from botocore.exceptions import ClientError

from splashdown.errors import ExistsError, StoreError
from splashdown.model import Buffer, Content, Part, PartPolicy, Stored, StoredPart, Unfinished, Upload
from splashdown.store_errors import already_exists
from splashdown_s3 import _objects as objects
from splashdown_s3._buffers import borrow, cut, fill
from splashdown_s3._checksums import by_name
from splashdown_s3._copying import Copier
from splashdown_s3._errors import LACKS, Refused, storing
from splashdown_s3._multipart import Multipart, Started, Tag
from splashdown_s3._options import MAX_PARTS, S3Options
from splashdown_s3._presence import Presence
from splashdown_s3._store import Store
from splashdown_s3._uri import SCHEME, Location, folder, split


class _StoringNew(AbstractContextManager[None]):
    """Stores an object, which is known from then on; so is one that another run has stored meanwhile.

    A class, as what it uses is one: each small object enters it.
    """

    __slots__ = ("_key", "_presence", "_storing")

    def __init__(self, store: Store, presence: Presence, where: Location) -> None:
        self._storing, self._presence, self._key = storing(store, where, "store"), presence, where.key

    def __enter__(self) -> None:
        self._storing.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._storing.__exit__(kind, error, trace)
        except ExistsError:
            self._presence.written(self._key)
            raise
        if error is None or isinstance(error, ExistsError):
            self._presence.written(self._key)


@dataclass(slots=True)
class _Held:
    """An object that is small, or whose size is not known yet: what this process holds of it."""

    content: Content
    body: bytearray | None = None
    started: Started | None = None


#: Answers of a store that does not list, or not in this way: some do not know the request, some take it for an object.
_NO_LISTING = LACKS | {"AccessDenied", "MethodNotAllowed", "NoSuchKey"}


class S3Sink:
    """Stores objects under one prefix of one bucket. One object serves all threads."""

    def __init__(self, target: str, options: S3Options) -> None:
        self._target = folder(target)
        with storing(None, self._target, "store under"):
            self._store = Store(options)
        self._multipart = Multipart(self._store)
        self._copier = Copier(self._store)
        self._presence = Presence(self._first_page)
        self._held: dict[str, _Held] = {}
        self._versions: dict[str, str | None] = {}  #: of objects just stored, until they are asked for
        self.parts = PartPolicy(min_size=options.part_size, max_parts=MAX_PARTS, buffered=True)

    def begin(self, key: str, content: Content) -> Upload:
        """Open an upload. Asks for the key first when nothing may be replaced: not every store knows conditions."""
        where = self._where(key)
        if not content.replace:
            self._refuse_existing(where)
        if content.size is None or content.size <= self.parts.min_size:
            name = secrets.token_hex(8)
            self._held[name] = _Held(content)
            return Upload(key=key, token={"id": name})
        with storing(self._store, where, "store"):
            return Upload(key=key, token=self._multipart.start(where, content).token())

    def put_part(self, upload: Upload, part: Part, chunks: Iterable[Buffer]) -> str:
        """Send a part, or keep it where it may be all there is."""
        where = self._where(upload.key)
        if "upload" in upload.token:
            return self._send(where, Started.of(upload.token), part.number, borrow(part, chunks))
        held = self._holding(upload)
        # A first part that is shorter than parts have to be is the last one as well.
        short = part.number == 1 and part.size is not None and part.size < self.parts.min_size
        if held.content.size is not None or short:
            held.body = fill(part, chunks)
            return ""
        if part.stop is not None:
            return self._send(where, self._start(where, held), part.number, borrow(part, chunks))
        return self._put_open(where, held, chunks)

    def commit(self, upload: Upload, tags: Sequence[str]) -> str:
        """Make the object visible, by PutObject or CompleteMultipartUpload."""
        where = self._where(upload.key)
        held = None if "upload" in upload.token else self._holding(upload)
        started = held.started if held else Started.of(upload.token)
        parts = [Tag.parse(one) for tag in tags for one in tag.split()]
        guarded = started.new if started else not (held and held.content.replace)
        if guarded and not started and self._store.lacks.conditions:
            self._refuse_existing(where)
        new = guarded or self._presence.declared_free(where.key)
        with _StoringNew(self._store, self._presence, where):
            if held and not parts:
                self._versions[upload.key] = objects.put(self._store, where, held.content, held.body or b"", new=new)
            elif started:
                self._multipart.finish(where, started, parts, new=new)
        self._held.pop(upload.token.get("id", ""), None)
        if held and started and not parts:
            # An attempt before the last one was long enough for a multipart upload; nothing of it is needed.
            self._drop(where, started)
        return where.uri

    def put_whole(self, key: str, content: Content, data: Buffer) -> str:
        """Store an object by PutObject, at once: a kill leaves nothing."""
        where = self._where(key)
        if not content.replace:
            self._refuse_existing(where)
        new = not content.replace or self._presence.declared_free(where.key)
        known = objects.sha256_of(content.checksum)
        body = data if isinstance(data, bytes) else bytes(data)  # a transport may use its buffer again for an answer
        try:
            self._versions[key] = objects.put(self._store, where, content, body, new=new, sha256=known)
        except Exception:
            with _StoringNew(self._store, self._presence, where):
                raise
        self._presence.written(where.key)
        return where.uri

    def abort(self, upload: Upload) -> None:
        """Drop what was sent and what is held."""
        held = self._held.pop(upload.token.get("id", ""), None)
        started = Started.of(upload.token) if "upload" in upload.token else held and held.started
        if started:
            self._drop(self._where(upload.key), started)

    def close(self) -> None:
        """Give back connections and memory."""
        self._held.clear()
        self._store.close()

    def recover(self, upload: Upload, parts: Sequence[StoredPart]) -> Sequence[StoredPart]:
        """The parts that ListParts shows with the ETag and size that they had."""
        if "upload" not in upload.token:
            return ()
        where = self._where(upload.key)
        with storing(self._store, where, "list the parts of"):
            held = self._multipart.held(where, Started.of(upload.token))
        return [one for one in parts if _is_held(one, held.get(one.part.number))]

    def holds(self, upload: Upload, stored: StoredPart, data: Buffer) -> bool:
        """Whether the store has taken these bytes for a part."""
        algorithm = by_name(Started.of(upload.token).algorithm)
        return Tag.parse(stored.tag).fits(data, algorithm)

    def stat(self, key: str) -> Stored | None:
        """Size and, where this plugin or the store noted one, checksum."""
        where = self._where(key)
        with storing(self._store, where, "look at"):
            return None if self._presence.is_free(where.key) else objects.head(self._store, where)

    def stat_all(self) -> Iterator[tuple[str, Stored]]:
        """Size, ETag and time of every object, a thousand with each request."""
        for key, one in self._objects(""):
            yield (
                key,
                Stored(
                    size=one["Size"],
                    location=str(self._where(key)),
                    modified=one["LastModified"].timestamp(),
                    version=objects.version(one.get("ETag")),
                ),
            )

    def version(self, key: str) -> str | None:
        """The ETag of an object that was stored with one request; that of others differs from store to store."""
        return self._versions.pop(key, None)

    @contextmanager
    def read(self, key: str) -> Iterator[Iterator[Buffer]]:
        """The bytes of an object."""
        where = self._where(key)
        missing = False
        with storing(self._store, where, "read"):
            try:
                response = self._store.open(where)
            except Refused as refused:
                missing = refused.code == "NoSuchKey"
                if not missing:
                    raise
        if missing:
            raise FileNotFoundError(str(where))
        try:
            yield self._chunks(where, objects.chunks(response, response.length_remaining))
        finally:
            if response.length_remaining != 0:
                response.close()
            response.release_conn()

    def unfinished(self) -> Iterator[Unfinished]:
        """Every multipart upload below the target that was not ended, whoever began it."""
        with storing(self._store, self._target, "list the uploads under"):
            for where, started, begun, size in self._multipart.left(self._target):
                upload = Upload(key=where.key[len(self._target.key) :], token=started.token())
                yield Unfinished(upload=upload, begun=begun, size=size)

    def list(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        """Every object below the target, without the empty ones that consoles make to show a folder."""
        return ((key, one["Size"]) for key, one in self._objects(prefix))

    @property
    def store(self) -> str:
        """Names the store; a transport that names the same one reads what this sink can copy by itself."""
        return self._store.identity

    def copy_source(self, href: str) -> Stored | None:
        """An object of this store; ``None`` where the store shows none, or copies are not wanted."""
        if not self._store.options.server_side_copy or not href.lower().startswith(SCHEME):
            return None
        return self._copier.look(split(href))

    def copy_from(self, href: str, key: str, content: Content) -> Stored | None:
        """Copy inside the store; ``None`` when it refuses or has no such object."""
        return self._copied(split(href), key, content) if href.lower().startswith(SCHEME) else None

    def duplicate(self, key: str, copy: str, content: Content) -> Stored | None:
        """Copy an object of the target inside the store."""
        return self._copied(self._where(key), copy, content)

    def _copied(self, source: Location, key: str, content: Content) -> Stored | None:
        if not self._store.options.server_side_copy:
            return None
        where = self._where(key)
        if not content.replace:
            self._refuse_existing(where)
        with storing(self._store, where, "copy to"):
            stored = self._copier.copy(source, where, content)
        if stored is not None:
            self._presence.written(where.key)
        return stored

    def delete(self, key: str) -> None:
        """Remove an object."""
        where = self._where(key)
        with storing(self._store, where, "delete"):
            objects.delete(self._store, where)

    def _where(self, key: str) -> Location:
        return Location(self._target.bucket, self._target.key + key)

    def _objects(self, prefix: str) -> Iterator[tuple[str, dict[str, Any]]]:
        base = self._where(prefix)
        self._presence.forget_page()
        with storing(self._store, base, "list"):
            for page in self._pages(base):
                for one in page.get("Contents", ()):
                    if not one["Key"].endswith("/"):
                        yield one["Key"][len(self._target.key) :], one

    def _pages(self, base: Location) -> Iterator[dict[str, Any]]:
        """A listing page by page: by ListObjectsV2, or where a store has only the first version, by that."""
        client, last = self._store.client_for(base.bucket), ""
        arguments: dict[str, Any] = {"Bucket": base.bucket, "Prefix": base.key, **self._store.payer}
        try:
            for page in client.get_paginator("list_objects_v2").paginate(**arguments):
                yield page
                # A store that overlooks list-type=2 names no token for what follows, and botocore would stop here.
                if page.get("IsTruncated") and not page.get("NextContinuationToken"):
                    last = page["Contents"][-1]["Key"]
                    break
            else:
                return
        except ClientError as error:
            if Refused.of_boto(error.response).code not in _NO_LISTING - {"AccessDenied"}:
                raise
        yield from client.get_paginator("list_objects").paginate(**arguments, Marker=last)

    def _first_page(self) -> tuple[set[str], bool]:
        client = self._store.client_for(self._target.bucket)
        try:
            page = client.list_objects_v2(Bucket=self._target.bucket, Prefix=self._target.key, **self._store.payer)
        except ClientError as error:
            if Refused.of_boto(error.response).code not in _NO_LISTING:
                raise
            return set(), False  # each object is asked for itself
        return {one["Key"] for one in page.get("Contents", ())}, not page.get("IsTruncated")

    def _holding(self, upload: Upload) -> _Held:
        held = self._held.get(upload.token.get("id", ""))
        if held is None:
            raise StoreError(f"cannot store {self._where(upload.key)}: this upload was aborted or finished before")
        return held

    def _refuse_existing(self, where: Location) -> None:
        with storing(self._store, where, "look at"):
            found = objects.head(self._store, where)
        if found is not None:
            raise already_exists(where)

    def _start(self, where: Location, held: _Held) -> Started:
        if held.started is None:
            with storing(self._store, where, "store"):
                held.started = self._multipart.start(where, held.content)
        return held.started

    def _send(self, where: Location, started: Started, number: int, body: Buffer) -> str:
        with storing(self._store, where, "store"):
            return str(self._multipart.put(where, started, number, body))

    def _put_open(self, where: Location, held: _Held, chunks: Iterable[Buffer]) -> str:
        """Take a body of unknown size: keep it when it is small, else send it part by part as it comes."""
        tags: list[str] = []
        held.body = None
        bodies = cut(chunks, self.parts.min_size)
        first = next(bodies)
        for number, body in enumerate(bodies, start=2):
            started = self._start(where, held)
            if number == 2:
                tags.append(self._send(where, started, 1, first))
                del first
            tags.append(self._send(where, started, number, body))
        if not tags:
            held.body = first
        return " ".join(tags)

    def _drop(self, where: Location, started: Started) -> None:
        with storing(self._store, where, "abort the upload of"):
            self._multipart.drop(where, started.upload_id)

    def _chunks(self, where: Location, body: Iterator[bytes]) -> Iterator[bytes]:
        with storing(self._store, where, "read"):
            yield from body


def _is_held(one: StoredPart, held: tuple[str, int] | None) -> bool:
    tag = Tag.parse(one.tag)
    return held == (tag.etag, tag.size)
