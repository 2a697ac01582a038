"""The sink: a file is written in one go to a hidden folder of the target, and moved to its name by ``commit``."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from splashdown.errors import StoreError
from splashdown.model import Buffer, Content, Part, PartPolicy, Stored, Upload
from splashdown.redact import redact_target
from splashdown.store_errors import already_exists
from splashdown_fsspec import _files as files
from splashdown_fsspec._errors import is_absence, lacks_folder, storing
from splashdown_fsspec._options import FsspecOptions
from splashdown_fsspec._places import Place, connect

#: Hidden folder for what is not finished; it goes when it is empty.
HIDDEN = ".splashdown"
#: How often a folder is made again that was removed before something was written into it.
_MAKINGS = 3


class FsspecSink:
    """Stores files below one folder of a filesystem. One object serves all threads."""

    def __init__(self, target: str, options: FsspecOptions) -> None:
        place = Place.of(target)
        self._url = place.url.rstrip("/")
        with storing(redact_target(self._url), "connect to"):
            self._fs, root = connect(place, options, trusted=True)
            files.find_bucket(self._fs, root)
        self._root = root.rstrip("/")
        # Few filesystems can write a file anywhere but from its start to its end.
        self.parts = PartPolicy(max_parts=1)
        self._made: set[str] = set()
        self._attempts: dict[str, int] = {}
        self._lock = threading.Lock()

    def begin(self, key: str, content: Content) -> Upload:
        """Note a name for the unfinished file."""
        if not content.replace:
            with storing(self._name(key), "look at"):
                self._refuse_existing(key)
        token = {"part": f"{secrets.token_hex(12)}.part"}
        if not content.replace:
            token["new"] = "1"
        return Upload(key=key, token=token)

    def put_part(self, upload: Upload, part: Part, chunks: Iterable[Buffer]) -> str:
        """Write the file, from its start to its end, and see that all of it is there."""
        # A server may still be busy with a body that broke off: each attempt has a name of its own.
        with self._lock:
            number = self._attempts[upload.token["part"]] = self._attempts.get(upload.token["part"], 0) + 1
        path = self._partial(upload, number)
        taken = _Taken(chunks)
        try:
            with storing(self._name(upload.key), "store"):
                total = self._write(path, taken, part.size)
                held = files.info(self._fs, path)["size"]
        except StoreError:
            if taken.error is not None:
                raise taken.error from None
            raise
        if held is not None and held != total:
            raise StoreError(f"cannot store {self._name(upload.key)}: {held} of {total} bytes have arrived")
        return str(number)

    def commit(self, upload: Upload, tags: Sequence[str]) -> str:
        """Move the file of the last attempt to its name."""
        path = self._path(upload.key)
        with storing(self._name(upload.key), "store"):
            self._make_folder(path)
            files.move(self._fs, self._partial(upload, int(tags[0])), path, replace="new" not in upload.token)
        self._remove(upload, range(1, int(tags[0])))
        return self._name(upload.key)

    def abort(self, upload: Upload) -> None:
        """Remove the unfinished file."""
        self._remove(upload, range(1, self._attempts.get(upload.token["part"], 1) + 1))

    def close(self) -> None:
        """Remove the hidden folder where nothing unfinished is left in it, and give back connections."""
        files.remove_empty(self._fs, f"{self._root}/{HIDDEN}")
        files.close(self._fs)

    def stat(self, key: str) -> Stored | None:
        """Size of a file. Raises ``StoreError`` where a folder has the name."""
        with storing(self._name(key), "look at"):
            try:
                info = files.info(self._fs, self._path(key))
            except (FileNotFoundError, NotADirectoryError):
                return None
        if info.get("type") == "directory":
            raise StoreError(f"cannot store {self._name(key)}: there is a folder of this name; move it away")
        return self._stored(key, info)

    def stat_all(self) -> Iterator[tuple[str, Stored]]:
        """Size, and ETag or time, of every file; one request for each folder with most protocols."""
        return ((name, self._stored(name, info)) for name, info in self._files(""))

    @contextmanager
    def read(self, key: str) -> Iterator[Iterator[Buffer]]:
        """The bytes of a stored file."""
        if self.stat(key) is None:
            raise FileNotFoundError(self._name(key))
        yield self._chunks(key)

    def list(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        """Every file below the target but the hidden ones, which are listed when they are asked for."""
        return ((name, int(info["size"] or 0)) for name, info in self._files(prefix))

    def delete(self, key: str) -> None:
        """Remove a file."""
        with storing(self._name(key), "delete"), suppress(FileNotFoundError, NotADirectoryError):
            self._fs.rm_file(self._path(key))

    def _files(self, prefix: str) -> Iterator[tuple[str, dict[str, Any]]]:
        hidden = prefix.startswith(f"{HIDDEN}/")
        folder = f"{HIDDEN}/" if hidden else ""
        with storing(redact_target(self._url), "list"):
            for found, info in files.walk(self._fs, f"{self._root}/{folder}".rstrip("/") or "/"):
                name = folder + found
                if name.startswith(prefix) and (hidden or not name.startswith(f"{HIDDEN}/")):
                    yield name, info

    def _stored(self, key: str, info: dict[str, Any]) -> Stored:
        return Stored(size=int(info["size"] or 0), location=self._name(key), version=files.mark(info))

    def _chunks(self, key: str) -> Iterator[Buffer]:
        try:
            yield from files.read(self._fs, self._path(key))
        except Exception as error:
            if is_absence(error):  # it went since stat()
                raise FileNotFoundError(self._name(key)) from None
            with storing(self._name(key), "read"):
                raise

    def _write(self, path: str, taken: _Taken, size: int | None) -> int:
        left = _MAKINGS
        while True:
            self._make_folder(path)
            try:
                return files.write(self._fs, path, taken, size)
            except Exception as error:
                if not (left and lacks_folder(error) and taken.can_begin_again):
                    raise
                left -= 1
                with self._lock:  # another run, which ended, has found the hidden folder empty and removed it
                    self._made.discard(path.rpartition("/")[0])

    def _refuse_existing(self, key: str) -> None:
        if files.exists(self._fs, self._path(key)):
            raise already_exists(self._name(key))

    def _make_folder(self, path: str) -> None:
        """Make the folder of a path once: it costs requests, and some filesystems fail when two make the same."""
        folder = path.rpartition("/")[0]
        with self._lock:
            if folder not in self._made:
                files.make_folder(self._fs, folder)
                self._made.add(folder)

    def _remove(self, upload: Upload, attempts: Iterable[int]) -> None:
        self._attempts.pop(upload.token["part"], None)
        for number in attempts:
            with suppress(Exception):
                self._fs.rm_file(self._partial(upload, number))

    def _partial(self, upload: Upload, number: int) -> str:
        return f"{self._root}/{HIDDEN}/{upload.token['part']}{number}"

    def _path(self, key: str) -> str:
        if any(part in {"", ".", ".."} for part in key.split("/")) or "\0" in key:
            raise StoreError(f"{key!r} is not the name of a file below the target")
        return f"{self._root}/{key}"

    def _name(self, key: str) -> str:
        return f"{self._url}/{key}"


class _Taken:
    """Chunks that remember what they raised, so that a failing source is not reported as a failing store."""

    def __init__(self, chunks: Iterable[Buffer]) -> None:
        self._chunks = chunks
        self._begun = False
        self.error: Exception | None = None

    @property
    def can_begin_again(self) -> bool:
        """Whether the first chunk can still be had: none was taken, or they are in memory."""
        return not self._begun or isinstance(self._chunks, Sequence)

    def __iter__(self) -> Iterator[Buffer]:
        self._begun = True
        try:
            yield from self._chunks
        except Exception as error:
            self.error = error
            raise
