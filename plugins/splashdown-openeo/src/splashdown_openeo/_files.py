"""Stores files at exactly the paths that the openEO client promises, each in one step.

A file has no name until it is whole, or a hidden one where the system cannot do that, and nothing else is
ever written: no journal, no receipt.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Self

from splashdown.errors import ExistsError, StoreError, error_text
from splashdown.model import Buffer, Content, Part, PartPolicy, Upload


class PendingFile:
    """A file that appears under its path with ``commit`` and not before; an older one is replaced then."""

    def __init__(self, path: Path) -> None:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        self._device = path.exists() and not path.is_file()
        # Through a symbolic link the file that it points at is written, as open() would.
        self._path = path if self._device else Path(os.path.realpath(path))
        self._folder = Path(tempfile.gettempdir()) if self._device else self._path.parent
        self._folder.mkdir(parents=True, exist_ok=True)
        self._hidden = self._folder / f".{secrets.token_hex(8)}.part"
        self._lock = threading.Lock()
        self._fd = self._unnamed()
        self._named = self._fd is None
        if self._fd is None:
            self._fd = os.open(self._hidden, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.discard()

    def write(self, chunk: Buffer, offset: int) -> None:
        """Write all of a chunk at an offset, from any thread."""
        rest = memoryview(chunk)
        with self._lock:
            os.lseek(self._descriptor(), offset, os.SEEK_SET)
            while rest:
                rest = rest[os.write(self._descriptor(), rest) :]

    def commit(self, *, replace: bool = True) -> None:
        """Give the file its name. Raises ``FileExistsError`` for one that is taken and may not be replaced."""
        if self._device:
            self._pour()
            return
        if not self._named:
            # Only with a folder's descriptor does os.link() follow the symbolic link that /proc shows (linkat(2)).
            os.link(f"/proc/self/fd/{self._descriptor()}", self._hidden, src_dir_fd=self._descriptor())
            self._named = True
        with suppress(FileNotFoundError):
            # A file that is written again keeps its permissions.
            self._hidden.chmod(stat.S_IMODE(self._path.stat().st_mode))
        self._close()
        if not replace:
            os.link(self._hidden, self._path)
            self.discard()
            return
        self._hidden.replace(self._path)
        self._named = False

    def discard(self) -> None:
        """Remove what was not committed. Harmless afterwards."""
        self._close()
        if self._named:
            self._hidden.unlink(missing_ok=True)
            self._named = False

    def _unnamed(self) -> int | None:
        """A file without a name, which vanishes by itself when the process is killed (Linux, most file systems)."""
        flag = getattr(os, "O_TMPFILE", None)
        if flag is None or not Path("/proc/self/fd").is_dir():
            return None
        try:
            return os.open(self._folder, flag | os.O_RDWR, 0o666)
        except OSError:
            return None

    def _pour(self) -> None:
        """Copy into something that is not a regular file, for example a named pipe or ``/dev/stdout``."""
        with self._path.open("wb", buffering=0) as device:
            os.lseek(self._descriptor(), 0, os.SEEK_SET)
            while chunk := os.read(self._descriptor(), 1 << 20):
                device.write(chunk)
        self.discard()

    def _descriptor(self) -> int:
        if self._fd is None:
            raise ValueError(f"the new {self._path} is closed already")
        return self._fd

    def _close(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def write_file(path: Path, data: bytes) -> None:
    """Write a small file, in one step."""
    with PendingFile(path) as pending:
        pending.write(data, 0)
        pending.commit()


class PathsSink:
    """A sink whose keys stand for paths anywhere (see :class:`~splashdown.protocols.Sink`).

    ``causes`` keeps the ``OSError`` behind a failure, by key, for callers who promise that exception.
    """

    parts = PartPolicy()

    def __init__(self, paths: Mapping[str, Path]) -> None:
        self._paths = paths
        self._pending: dict[str, PendingFile] = {}
        self._keeping: set[str] = set()  #: uploads that may not replace a file
        self._numbers = count()
        self.causes: dict[str, OSError] = {}

    def begin(self, key: str, content: Content) -> Upload:
        """Open the file that will be this key's."""
        number = str(next(self._numbers))
        with self._noting(key):
            self._pending[number] = PendingFile(self._paths[key])
        if not content.replace:
            self._keeping.add(number)
        return Upload(key=key, token={"number": number})

    def put_part(self, upload: Upload, part: Part, chunks: Iterable[Buffer]) -> str:
        """Write the part where it belongs."""
        pending, offset = self._begun(upload), part.start
        for chunk in chunks:
            with self._noting(upload.key):
                pending.write(chunk, offset)
            offset += memoryview(chunk).nbytes
        return str(part.number)

    def commit(self, upload: Upload, tags: Sequence[str]) -> str:  # noqa: ARG002 - the protocol's signature
        """Give the file its name; return its path."""
        number, pending = upload.token["number"], self._begun(upload)
        with self._noting(upload.key):
            pending.commit(replace=number not in self._keeping)
        del self._pending[number]
        return str(self._paths[upload.key])

    def abort(self, upload: Upload) -> None:
        """Remove the file."""
        pending = self._pending.pop(upload.token["number"], None)
        if pending is not None:
            pending.discard()

    def path(self, key: str) -> Path:
        """Where the file of a key is stored."""
        return self._paths[key]

    def close(self) -> None:
        """Remove whatever was neither committed nor aborted."""
        for pending in tuple(self._pending.values()):
            pending.discard()

    def _begun(self, upload: Upload) -> PendingFile:
        try:
            return self._pending[upload.token["number"]]
        except KeyError:
            raise StoreError(f"{self._paths[upload.key]}: this upload was aborted") from None

    @contextmanager
    def _noting(self, key: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.causes[key] = error
            kind = ExistsError if isinstance(error, FileExistsError) else StoreError
            raise kind(f"{self._paths[key]} could not be written: {error_text(error)}") from error
