"""The sink: an object that is small is put by ``commit``, any other is sent in parts that ``commit`` joins.

Nothing is visible before, nothing touches the disk, and no copy is made in the store. obstore does not let one part be
sent again or by another process; a broken upload is dropped in the store and starts again.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import obstore

from splashdown.errors import StoreError
from splashdown.model import Buffer, Content, Part, PartPolicy, Stored, Upload
from splashdown.store_errors import already_exists
from splashdown_obstore._errors import storing
from splashdown_obstore._options import ObstoreOptions
from splashdown_obstore._stores import Location, connect

if TYPE_CHECKING:
    from obstore import Attributes, ObjectMeta, WritableFile


@dataclass(slots=True)
class _Held:
    """An object under way: its bytes where it is small, else the open upload."""

    content: Content
    body: bytes | None = None
    writer: WritableFile | None = None


class ObstoreSink:
    """Stores objects under one prefix of one bucket. One object serves all threads."""

    def __init__(self, target: str, options: ObstoreOptions) -> None:
        where = Location.of(target)
        self._target = where._replace(key=f"{where.key.strip('/')}/" if where.key.strip("/") else "")
        self._store = connect(where, options)
        self._buffer = options.buffer_size
        self._held: dict[str, _Held] = {}
        self._versions: dict[str, str | None] = {}  #: of objects just stored, until they are asked for
        self.parts = PartPolicy(max_parts=1)

    def begin(self, key: str, content: Content) -> Upload:
        """Note an object. Asks for the key first when nothing may be replaced."""
        if not content.replace:
            self._refuse_existing(key)
        name = secrets.token_hex(8)
        self._held[name] = _Held(content)
        return Upload(key=key, token={"id": name})

    def put_part(self, upload: Upload, part: Part, chunks: Iterable[Buffer]) -> str:
        """Send the object, or keep it if it is small. Bytes of an earlier attempt are dropped."""
        held, where = self._holding(upload), self._where(upload.key)
        self._drop(held)
        if part.size is not None and part.size <= self._buffer:
            held.body = b"".join(bytes(chunk) for chunk in chunks)
            return str(len(held.body))
        with storing(where, "store"):
            held.writer = obstore.open_writer(
                self._store, where.key, attributes=_attributes(held.content), buffer_size=self._buffer
            )
        total = 0
        for chunk in chunks:
            with storing(where, "store"):
                held.writer.write(bytes(chunk))
            total += len(chunk)
        return str(total)

    def commit(self, upload: Upload, tags: Sequence[str]) -> str:  # noqa: ARG002 - an object is one part
        """Make the object visible, replacing what was there as one step.

        Where nothing may be replaced, the store itself sees to it for a small object; for others it is asked just
        before, because multipart uploads take no such condition here.
        """
        held, where = self._holding(upload), self._where(upload.key)
        if held.writer is not None:
            if not held.content.replace:
                self._refuse_existing(upload.key)
            with storing(where, "store"):
                held.writer.close()
                held.writer = None
        else:
            with storing(where, "store"):
                done = obstore.put(
                    self._store,
                    where.key,
                    held.body or b"",
                    attributes=_attributes(held.content),
                    mode="overwrite" if held.content.replace else "create",
                    use_multipart=False,
                )
            self._versions[upload.key] = _bare(done["e_tag"])
        self._held.pop(upload.token["id"], None)
        return where.url

    def abort(self, upload: Upload) -> None:
        """Drop what was sent and what is held."""
        held = self._held.pop(upload.token.get("id", ""), None)
        if held is not None:
            self._drop(held)

    def close(self) -> None:
        """Drop what was not committed."""
        for name in tuple(self._held):
            self._drop(self._held.pop(name))

    def duplicate(self, key: str, copy: str, content: Content) -> Stored | None:
        """A copy that the store makes by itself."""
        if not content.replace:
            self._refuse_existing(copy)
        try:
            obstore.copy(self._store, self._where(key).key, self._where(copy).key)
        except Exception:  # whatever the reason is, the engine stores the bytes
            return None
        return self.stat(copy)

    def stat(self, key: str) -> Stored | None:
        """Size and time of an object."""
        where = self._where(key)
        with storing(where, "look at"):
            try:
                meta = obstore.head(self._store, where.key)
            except FileNotFoundError:
                return None
        return self._stored(key, meta)

    def stat_all(self) -> Iterator[tuple[str, Stored]]:
        """Size, time and ETag of every object."""
        return ((name, self._stored(name, meta)) for name, meta in self._objects(""))

    def version(self, key: str) -> str | None:
        """The ETag of an object that was stored in one go; the answer to a multipart upload is out of reach."""
        return self._versions.pop(key, None)

    @contextmanager
    def read(self, key: str) -> Iterator[Iterator[Buffer]]:
        """The bytes of an object."""
        where = self._where(key)
        missing = False
        with storing(where, "read"):
            try:
                found = obstore.get(self._store, where.key)
            except FileNotFoundError:
                missing = True
        if missing:
            raise FileNotFoundError(str(where))
        with storing(where, "read"):
            yield (memoryview(chunk) for chunk in found.stream())

    def list(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        """Every object below the target, without the empty ones that consoles make to show a folder."""
        return ((name, meta["size"]) for name, meta in self._objects(prefix))

    def delete(self, key: str) -> None:
        """Remove an object."""
        where = self._where(key)
        with storing(where, "delete"), suppress(FileNotFoundError):
            obstore.delete(self._store, where.key)

    def _objects(self, prefix: str) -> Iterator[tuple[str, ObjectMeta]]:
        folder = self._target.key + prefix[: prefix.rfind("/") + 1]  # a store lists whole segments
        with storing(self._target, "list"):
            for batch in obstore.list(self._store, folder or None):
                for meta in batch:
                    name = meta["path"].removeprefix(self._target.key)
                    if name.startswith(prefix) and not name.endswith("/"):
                        yield name, meta

    def _stored(self, key: str, meta: ObjectMeta) -> Stored:
        return Stored(
            size=meta["size"],
            location=self._where(key).url,
            modified=meta["last_modified"].timestamp(),
            version=_bare(meta["e_tag"]),
        )

    def _where(self, key: str) -> Location:
        return self._target._replace(key=f"{self._target.key}{key}")

    def _holding(self, upload: Upload) -> _Held:
        try:
            return self._held[upload.token["id"]]
        except KeyError:
            raise StoreError(f"{self._where(upload.key)}: this upload was dropped; run it again") from None

    def _refuse_existing(self, key: str) -> None:
        if self.stat(key) is not None:
            raise already_exists(self._where(key))

    @staticmethod
    def _drop(held: _Held) -> None:
        """Give up an open upload: a writer that exits with an exception makes the store drop the parts."""
        held.body, writer, held.writer = None, held.writer, None
        if writer is not None:
            dropped = StoreError("dropped")
            with suppress(Exception):
                writer.__exit__(StoreError, dropped, None)


def _attributes(content: Content) -> Attributes:
    return {"Content-Type": content.media_type} if content.media_type else {}


def _bare(tag: str | None) -> str | None:
    """An ETag without quotation marks: Azure's listings leave them out."""
    return None if tag is None else tag.strip('"')
