"""The sink for folders: paths and ``file://`` URLs.

Bytes go to a file of a random name in the hidden folder ``.splashdown`` of the target, which is in the target's own
filesystem, and appear under their name by one rename. Verification and retries are the engine's.
"""

from __future__ import annotations

import errno
import functools
import io
import itertools
import os
import secrets
import shutil
import stat
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from splashdown.errors import ExistsError, StoreError, TargetError, error_text
from splashdown.hookspecs import hookimpl
from splashdown.model import Buffer, Content, Part, PartPolicy, Stored, StoredPart, Unfinished, Upload
from splashdown.sources import at_home
from splashdown.specs import SinkSpec

#: Hidden folder for what is not finished; it goes when it is empty.
HIDDEN = ".splashdown"

_READ_SIZE = 1024 * 1024
#: The engine gives up what nobody came back for within a week; this is longer, so that the two never disagree.
_FORGOTTEN_SECONDS = 14 * 24 * 3600.0
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_AGAIN = os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
#: Waits before another try of a rename that a virus scanner or indexer on Windows holds up, in seconds.
_RENAME_WAITS = (0.05, 0.1, 0.2, 0.4, 0.8) if sys.platform == "win32" else ()


class LocalSink:
    """Stores objects as files below a folder, which is made when the first one comes."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._hidden = root / HIDDEN
        self.parts = PartPolicy()
        self._open: dict[str, int] = {}
        self._parents: dict[str, str] = {}
        self._real_root: Path | None = None
        # Text, because a path object costs more than the system call it is for, thousands of times.
        self._partials = f"{self._hidden}{os.sep}"
        # Names that nobody else gives or guesses: random once, then counted.
        self._stem, self._numbers = secrets.token_hex(12), itertools.count(1)

    @property
    def state_dir(self) -> Path | None:
        """Where unfinished files are, and the engine's journal beside them."""
        return self._hidden

    def begin(self, key: str, content: Content) -> Upload:
        """Make the temporary file; it gets the mode that the umask leaves."""
        self._parent(key)
        name = f"{self._stem}-{next(self._numbers)}.part"
        with _storing(key):
            self._open[name] = self._create(self._partials + name)
        token = {"part": name, "boot": _boot()}
        if content.durable:
            token["durable"] = "1"
        if not content.replace:
            token["new"] = "1"
        return Upload(key=key, token=token)

    def put_part(self, upload: Upload, part: Part, chunks: Iterable[Buffer]) -> str:
        """Write chunks where they belong. Parts may be written at the same time."""
        name = upload.token["part"]
        descriptor = self._open.pop(name, None)
        try:
            if descriptor is None:
                with _storing(upload.key):
                    descriptor = os.open(self._partials + name, _AGAIN)
            return _write(descriptor, upload, part, chunks)
        finally:
            if descriptor is not None:
                os.close(descriptor)

    def commit(self, upload: Upload, tags: Sequence[str]) -> str:  # noqa: ARG002 - the parts are in their places already
        """Rename the temporary file over the final name."""
        part = self._partials + upload.token["part"]
        folder = self._parent(upload.key)
        final = os.path.join(folder, upload.key.rpartition("/")[2])  # noqa: PTH118 - see self._partials
        self._forget(upload)
        with _storing(upload.key):
            if "new" in upload.token:
                _place_new(part, final)
            else:
                _replace(part, final)
            if "durable" in upload.token:
                _sync_folder(folder)
        return final

    def abort(self, upload: Upload) -> None:
        """Remove the temporary file."""
        self._forget(upload)
        with suppress(OSError):
            os.unlink(self._partials + upload.token["part"])  # noqa: PTH108

    def close(self) -> None:
        """Remove the hidden folder where nothing unfinished is left in it."""
        for name in tuple(self._open):
            os.close(self._open.pop(name))
        with suppress(OSError):
            _remove_forgotten(self._hidden)
            self._hidden.rmdir()

    def stat(self, key: str) -> Stored | None:
        """Size and time of a file. Raises ``StoreError`` where a folder has the name."""
        path = os.path.join(self.root, key)  # noqa: PTH118 - see self._partials
        try:
            found = os.stat(path)  # noqa: PTH116
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise StoreError(f"cannot look at {key!r}: {error_text(error)}") from error
        if stat.S_ISDIR(found.st_mode):
            raise StoreError(f"cannot store {key!r}: there is a folder of this name at {path}; move it away")
        return Stored(size=found.st_size, location=path, modified=found.st_mtime)

    @contextmanager
    def read(self, key: str) -> Iterator[Iterator[Buffer]]:
        """The bytes of a stored file."""
        with (self.root / key).open("rb", buffering=0) as file:
            yield _chunks(file, None)

    @contextmanager
    def read_back(self, upload: Upload, start: int = 0, stop: int | None = None) -> Iterator[Iterator[Buffer]]:
        """The bytes of an unfinished file."""
        with (self._hidden / upload.token["part"]).open("rb", buffering=0) as file:
            file.seek(start)
            yield _chunks(file, None if stop is None else stop - start)

    def recover(self, upload: Upload, parts: Sequence[StoredPart]) -> Sequence[StoredPart]:
        """What an earlier process wrote. After a crash of the machine only what was synced is believed."""
        if "durable" not in upload.token and upload.token.get("boot") != _boot():
            return ()
        try:
            size = (self._hidden / upload.token["part"]).stat().st_size
        except (OSError, KeyError):
            return ()
        return [one for one in parts if one.part.stop is not None and one.part.stop <= size]

    def unfinished(self) -> Iterator[Unfinished]:
        """Every partial file. Whose it was to become only the run that writes it knows, so it goes by its own name."""
        for path in sorted(self._hidden.glob("*.part")):
            with suppress(FileNotFoundError):  # finished meanwhile
                found = path.stat()
                upload = Upload(key=f"{HIDDEN}/{path.name}", token={"part": path.name})
                yield Unfinished(upload=upload, begun=found.st_mtime, size=found.st_size)

    def list(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        """Every file below the target but the hidden ones of this sink."""
        for folder, names, files in os.walk(self.root):
            names[:] = sorted(name for name in names if name != HIDDEN)
            for name in sorted(files):
                path = Path(folder, name)
                key = path.relative_to(self.root).as_posix()
                if key.startswith(prefix):
                    yield key, path.stat().st_size

    def delete(self, key: str) -> None:
        """Remove a file, and the folders below the target that are empty then."""
        folder = Path(self._parent(key, make=False))
        with _storing(key):
            (folder / key.rpartition("/")[2]).unlink(missing_ok=True)
        with suppress(OSError):  # a folder that holds something else stays
            for _ in range(key.count("/")):
                folder.rmdir()
                folder = folder.parent

    def free_space(self) -> int | None:
        """Bytes that the filesystem of the target can take."""
        for folder in (self.root, *self.root.absolute().parents):
            try:
                return shutil.disk_usage(folder).free
            except FileNotFoundError:
                continue
            except OSError:
                return None
        return None

    def _create(self, path: str) -> int:
        try:
            return os.open(path, _NEW, 0o666)
        except FileNotFoundError:
            # Another process that finished may have removed the folder just now; once more is enough for that.
            self._hidden.mkdir(parents=True, exist_ok=True)
            if self._hidden.is_symlink():
                raise StoreError(f"{self._hidden} is a symbolic link; remove it, it has to be a folder") from None
            return os.open(path, _NEW, 0o666)

    def _forget(self, upload: Upload) -> None:
        descriptor = self._open.pop(upload.token["part"], None)
        if descriptor is not None:
            os.close(descriptor)

    def _parent(self, key: str, *, make: bool = True) -> str:
        """The folder of a key, made and checked once: nothing is stored outside of the target."""
        name, tail = key.rpartition("/")[::2]
        if not tail or tail in {".", ".."} or "\0" in tail or (os.sep != "/" and os.sep in tail):
            raise StoreError(f"{key!r} is not the name of a file below the target")
        folder = self._parents.get(name)
        if folder is None:
            folder = self._checked_parent(key, name, make=make)
            self._parents[name] = folder
        return folder

    def _checked_parent(self, key: str, name: str, *, make: bool) -> str:
        parts = name.split("/") if name else []
        if any(part in {"", ".", ".."} or "\0" in part or (os.sep != "/" and os.sep in part) for part in parts):
            raise StoreError(f"{key!r} is not the name of a file below the target")
        folder = self.root.joinpath(*parts)
        with _storing(key):
            if make:
                folder.mkdir(parents=True, exist_ok=True)
            self._real_root = self._real_root or self.root.resolve()
            if not folder.resolve().is_relative_to(self._real_root):
                raise StoreError(f"cannot store {key!r}: a symbolic link leads out of the target {self.root}")
        return str(folder)


def _write(descriptor: int, upload: Upload, part: Part, chunks: Iterable[Buffer]) -> str:
    key, total = upload.key, 0
    with _storing(key):
        if part.start:
            os.lseek(descriptor, part.start, os.SEEK_SET)
    for chunk in chunks:
        try:
            done = os.write(descriptor, chunk)
            size = len(chunk)
            total += size
            while done < size:  # a full disk or a signal cuts writes short
                done += os.write(descriptor, memoryview(chunk)[done:])
        except OSError as error:
            raise _store_error(key, error) from error
    with _storing(key):
        # The file's own position tells whether all bytes that the system said it took have really moved it.
        end = os.lseek(descriptor, 0, os.SEEK_CUR)
        if end != part.start + total:
            raise StoreError(f"cannot store {key!r}: {part.start + total - end} bytes were lost while writing")
        if "durable" in upload.token:
            os.fsync(descriptor)
    return f"{part.start}-{end}"


def _chunks(file: io.FileIO, left: int | None) -> Iterator[Buffer]:
    buffer = memoryview(bytearray(_READ_SIZE if left is None else min(left, _READ_SIZE)))
    while left is None or left > 0:
        size = file.readinto(buffer if left is None else buffer[:left])
        if not size:
            return
        left = None if left is None else left - size
        yield buffer[:size]


def _remove_forgotten(hidden: Path) -> None:
    """Remove partial files that a kill left in the moment before anybody knew of them, and nobody has touched since."""
    for path in hidden.glob("*.part"):
        if time.time() - path.lstat().st_mtime > _FORGOTTEN_SECONDS:
            path.unlink()


def _replace(part: str, final: str) -> None:
    for wait in _RENAME_WAITS:
        try:
            os.replace(part, final)  # noqa: PTH105
            return
        except PermissionError:
            time.sleep(wait)
    try:
        os.replace(part, final)  # noqa: PTH105
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _replace_across(Path(part), Path(final))


def _replace_across(part: Path, final: Path) -> None:
    """A folder of the target is another filesystem: copy beside the final name, then rename there."""
    beside = final.with_name(f".{secrets.token_hex(12)}.part")
    try:
        target = os.open(beside, _NEW, 0o666)
        with os.fdopen(target, "wb") as out, part.open("rb") as source:
            shutil.copyfileobj(source, out, _READ_SIZE)
            out.flush()
            os.fsync(out.fileno())
        beside.replace(final)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
    part.unlink()


def _place_new(part: str, final: str) -> None:
    """Give the final name only when nobody has it: a hard link never replaces."""
    taken = ExistsError(f"{final} exists already; choose --if-exists overwrite or rename")
    try:
        os.link(part, final)
    except FileExistsError:
        raise taken from None
    except OSError:  # no hard links in this filesystem
        if Path(final).exists():
            raise taken from None
        _replace(part, final)
        return
    Path(part).unlink()


def _sync_folder(folder: str) -> None:
    if sys.platform == "win32":
        return  # folders cannot be opened there
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@functools.cache
def _boot() -> str:
    """What changes when the machine starts anew; empty where the system does not tell."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _store_error(key: str, error: OSError) -> StoreError:
    return StoreError(f"cannot store {key!r}: {error_text(error)}; nothing under its name was changed")


class _Storing(AbstractContextManager[None]):
    """Turns ``OSError`` into ``StoreError``; a class because generator-based managers cost three times as much."""

    __slots__ = ("_key",)

    def __init__(self, key: str) -> None:
        self._key = key

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            raise _store_error(self._key, error) from error


_storing = _Storing


def create(target: str, options: Any) -> LocalSink:  # noqa: ARG001 - a sink spec's signature
    """The sink for a path or a ``file://`` URL. Raises ``TargetError`` when that cannot be a folder."""
    path = at_home(target)
    if target[:5].lower() == "file:":
        split = urlsplit(target)
        if split.netloc not in {"", "localhost"}:
            raise TargetError(f"{target!r} names the host {split.netloc!r}; a file URL has three slashes: file:///path")
        path = url2pathname(split.path)
    root = Path(path)
    if root.exists() and not root.is_dir():
        raise TargetError(f"{path!r} is a file; the target has to be a folder")
    return LocalSink(root)


@hookimpl
def splashdown_sinks() -> Iterable[SinkSpec]:
    """Folders."""
    yield SinkSpec(
        name="local", schemes=("", "file"), create=create, summary="files below a folder, each appearing by one rename"
    )
