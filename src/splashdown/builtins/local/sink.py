"""LocalSink: objects as files below a folder."""

from __future__ import annotations

import io
import itertools
import os
import re
import shutil
import stat
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from splashdown._folders import owner
from splashdown._folders.clock import FolderClock
from splashdown._folders.folder import Folder, LazyChild, LazyFolder, kind_of_file
from splashdown.builtins.local.partial_files import (
    PART,
    boot,
    chunks_of,
    is_partial,
    partial_name,
    remove_forgotten,
    store_error,
    storing,
    version_of,
    write_part,
)
from splashdown.builtins.local.placing import place
from splashdown.errors import StoreError, error_text
from splashdown.model import Buffer, Content, Part, PartPolicy, Stored, StoredPart, Unfinished, Upload
from splashdown.safe_names import fold, leads_below

#: Hidden folder for what is not finished; it goes when it is empty.
HIDDEN = ".splashdown"
#: Most keys have one segment of this form, and need no closer look: they lead nowhere else, and are not hidden.
_FLAT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}")


class LocalSink:
    """Stores objects as files below a folder, which is made when the first one comes.

    The folder may be named through links. Below it none is followed, and only regular files are read or listed: see
    :mod:`splashdown._folders.folder`.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.parts = PartPolicy()
        self._root, self._hidden = LazyFolder(str(root)), LazyChild(str(root), HIDDEN)
        self._open: dict[str, int] = {}
        self._planned: set[str] = set()  #: names of partial files that the first bytes will make
        self._making = threading.Lock()
        self._spare: deque[str] = deque()  #: names of partial files that are free
        self._versions: dict[str, str] = {}  #: of files just stored in one call, until they are asked for
        # Text, because a path object costs more than the system call it is for, thousands of times.
        self._place = f"{root}{os.sep}"
        # Names that no other process gives or guesses: random once, then counted.
        self._stem, self._numbers = os.urandom(12).hex(), itertools.count(1)

    @property
    def state_dir(self) -> Path | None:
        """Where unfinished files are, and the engine's journal beside them."""
        return self.root / HIDDEN

    def begin(self, key: str, content: Content) -> Upload:
        """Choose the temporary file. One that the caller records is made when its first bytes come.

        By then its name is recorded: a kill in between leaves no file that is in no record. Other temporary files are
        made at once; their names say whose they are.
        """
        name = f"{self._stem}-{next(self._numbers)}.part" if content.recorded else owner.new_name(PART)
        try:
            # Makes the folder of the key now: a link or a file in its way must cost no transfer.
            folder, _ = self._reach(key, make=True)
            if "/" in key:
                folder.close()
            if content.recorded:
                self._planned.add(name)
            else:
                self._open[name] = self._create(name)[0]
        except OSError as error:
            raise store_error(key, error) from error
        token = {"part": name, "boot": boot()}
        if content.durable:
            token["durable"] = "1"
        if not content.replace:
            token["new"] = "1"
        return Upload(key=key, token=token)

    def put_part(self, upload: Upload, part: Part, chunks: Iterable[Buffer]) -> str:
        """Write chunks where they belong. Parts may be written at the same time."""
        name = partial_name(upload)
        descriptor = self._open.pop(name, None)
        try:
            if descriptor is None:
                with storing(upload.key):
                    descriptor = self._made(name)
                    if descriptor is None:
                        descriptor = self._hidden.get().open(name, os.O_WRONLY)
            return write_part(descriptor, upload, part, chunks)
        finally:
            if descriptor is not None:
                os.close(descriptor)

    def commit(self, upload: Upload, tags: Sequence[str]) -> str:  # noqa: ARG002 - the parts are in their places already
        """Rename the temporary file over the final name."""
        key, part = upload.key, partial_name(upload)
        self._forget(part)
        try:
            if (descriptor := self._made(part)) is not None:  # no part has come: the file is empty
                os.close(descriptor)
            folder, name = self._reach(key, make=True)
            try:
                hidden = self._hidden.get()
                place(hidden, part, folder, name, replacing="new" not in upload.token)
                if "durable" in upload.token:
                    folder.sync()
            finally:
                if "/" in key:
                    folder.close()
        except OSError as error:
            raise store_error(key, error) from error
        return self._location(key)

    def put_whole(self, key: str, content: Content, data: Buffer) -> str:
        """Write a partial file and rename it. The name of that says whose it is, so it needs no other record."""
        try:
            folder, name = self._reach(key, make=True)
            try:
                # A few names, used again and again: a kill leaves as many files at most.
                part = self._spare.pop() if self._spare else owner.new_name(PART)
                hidden = self._write_whole(part, key, content, data)
                try:
                    place(hidden, part, folder, name, replacing=content.replace)
                except BaseException:
                    hidden.unlink(part)
                    raise
                if content.durable:
                    folder.sync()
            finally:
                if "/" in key:
                    folder.close()
        except OSError as error:
            raise store_error(key, error) from error
        self._spare.append(part)
        return self._location(key)

    def _write_whole(self, part: str, key: str, content: Content, data: Buffer) -> Folder:
        """Make a partial file with these bytes; the folder that it is in."""
        descriptor, hidden = self._create(part)
        try:
            size = len(data)
            done = os.write(descriptor, data)
            while done < size:  # as in write_part()
                done += os.write(descriptor, memoryview(data)[done:])
            if content.durable:
                os.fsync(descriptor)
            there = os.fstat(descriptor)
            if there.st_size != size:
                raise StoreError(f"cannot store {key!r}: bytes were lost while writing")
            self._versions[key] = version_of(there)
        except BaseException:
            os.close(descriptor)
            hidden.unlink(part)
            raise
        os.close(descriptor)
        return hidden

    def abort(self, upload: Upload) -> None:
        """Remove the temporary file."""
        with suppress(StoreError, OSError):
            part = partial_name(upload)
            self._forget(part)
            with self._making:
                self._planned.discard(part)
            self._hidden.get().unlink(part)

    def close(self) -> None:
        """Remove the hidden folder where nothing unfinished is left in it."""
        for name in tuple(self._open):
            os.close(self._open.pop(name))
        with suppress(OSError):
            remove_forgotten(self._hidden.get(), FolderClock(self._hidden))
        self._hidden.drop()
        self._root.close()

    def stat(self, key: str) -> Stored | None:
        """Size and time of a file. Raises ``StoreError`` where a folder, a link or another odd thing has the name."""
        try:
            folder, name = self._reach(key, make=False)
            try:
                found = folder.stat(name)
            finally:
                if "/" in key:
                    folder.close()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise StoreError(f"cannot look at {key!r}: {error_text(error)}") from error
        if not stat.S_ISREG(found.st_mode):
            raise StoreError(f"cannot store {key!r}: there is {kind_of_file(found)} of this name; move it away")
        return self._stored(key, found)

    def stat_all(self) -> Iterator[tuple[str, Stored]]:
        """Every regular file below the target but the hidden ones of this sink."""
        for name, found in self._walk():
            yield name, self._stored(name, found)

    def version(self, key: str) -> str | None:
        """The time of a file; not by way of ``stat``, which makes more of it, for each file that is stored."""
        if (known := self._versions.pop(key, None)) is not None:
            return known
        try:
            folder, name = self._reach(key, make=False)
            try:
                return version_of(folder.stat(name))
            finally:
                if "/" in key:
                    folder.close()
        except (StoreError, OSError):
            return None

    @contextmanager
    def read(self, key: str) -> Iterator[Iterator[Buffer]]:
        """The bytes of a stored file."""
        with self._parent(key) as (folder, name):
            number = folder.open(name)
        with io.FileIO(number) as file:
            yield chunks_of(file, None)

    @contextmanager
    def read_back(self, upload: Upload, start: int = 0, stop: int | None = None) -> Iterator[Iterator[Buffer]]:
        """The bytes of an unfinished file."""
        with io.FileIO(self._hidden.get().open(partial_name(upload))) as file:
            file.seek(start)
            yield chunks_of(file, None if stop is None else stop - start)

    def recover(self, upload: Upload, parts: Sequence[StoredPart]) -> Sequence[StoredPart]:
        """What an earlier process wrote. After a crash of the machine only what was synced is believed."""
        if "durable" not in upload.token and upload.token.get("boot") != boot():
            return ()
        try:
            found = self._hidden.get().stat(partial_name(upload))
        except (OSError, StoreError):
            return ()
        size = found.st_size if stat.S_ISREG(found.st_mode) else 0
        return [one for one in parts if one.part.stop is not None and one.part.stop <= size]

    def duplicate(self, key: str, copy: str, content: Content) -> Stored | None:
        """A hard link; ``None`` where the filesystem has none."""
        try:
            with self._parent(key) as (folder, name):
                hidden = self._hidden.get(make=True)
                part = owner.new_name(PART)
                try:
                    folder.link(name, hidden, part)
                    return self._place_link(hidden, part, copy, content)
                finally:
                    with suppress(FileNotFoundError):  # to rename a link over one of the same file does nothing
                        hidden.unlink(part)
        except OSError:
            return None

    def _place_link(self, hidden: Folder, part: str, key: str, content: Content) -> Stored | None:
        found = hidden.stat(part)
        if not stat.S_ISREG(found.st_mode):  # the name has become a link to somewhere
            return None
        into, name = self._reach(key, make=True)
        try:
            place(hidden, part, into, name, replacing=content.replace)
            if content.durable:
                into.sync()
        finally:
            if "/" in key:
                into.close()
        return self._stored(key, found)

    def unfinished(self) -> Iterator[Unfinished]:
        """Every partial file. Whose it was to become only the run that writes it knows, so it goes by its own name."""
        try:
            found = [*self._hidden.get().scan()]
        except OSError:
            return
        for name, state in sorted(found, key=lambda each: each[0]):
            if is_partial(name) and stat.S_ISREG(state.st_mode):
                upload = Upload(key=f"{HIDDEN}/{name}", token={"part": name})
                yield Unfinished(upload=upload, begun=state.st_mtime, size=state.st_size)

    def list(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        """Size of every regular file below the target but the hidden ones of this sink."""
        return ((name, found.st_size) for name, found in self._walk() if name.startswith(prefix))

    def delete(self, key: str) -> None:
        """Remove a file, and the folders below the target that are empty then."""
        with storing(key), suppress(FileNotFoundError), self._parent(key) as (folder, name):
            folder.unlink(name)
        folders = key.split("/")[:-1]
        with suppress(OSError):  # a folder that holds something else stays
            while folders:
                with self._parent("/".join(folders)) as (above, name):
                    above.rmdir(name)
                folders.pop()

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

    def _walk(self) -> Iterator[tuple[str, os.stat_result]]:
        try:
            root = self._root.get()
        except FileNotFoundError:
            return iter(())
        return root.walk(skip=HIDDEN)

    def _stored(self, key: str, found: os.stat_result) -> Stored:
        return Stored(
            size=found.st_size,
            location=self._location(key),
            modified=found.st_mtime,
            version=version_of(found),
        )

    def _create(self, name: str) -> tuple[int, Folder]:
        """A descriptor of a new partial file, and the folder that it is in."""
        try:
            hidden = self._hidden.folder or self._hidden.get(make=True)
            return hidden.create(name), hidden
        except FileNotFoundError:
            # Another process that finished may have removed the folder just now; once more is enough for that.
            self._hidden.close()
            hidden = self._hidden.get(make=True)
            return hidden.create(name), hidden

    def _made(self, name: str) -> int | None:
        """A descriptor of a temporary file that is made now; ``None`` where it has been made before."""
        if name not in self._planned:
            return None
        with self._making:  # parts may come at the same time
            if name not in self._planned:
                return None
            descriptor, _ = self._create(name)
            self._planned.remove(name)
            return descriptor

    def _forget(self, part: str) -> None:
        descriptor = self._open.pop(part, None)
        if descriptor is not None:
            os.close(descriptor)

    def _location(self, key: str) -> str:
        return self._place + (key if os.sep == "/" else key.replace("/", os.sep))

    @contextmanager
    def _parent(self, key: str) -> Iterator[tuple[Folder, str]]:
        """The folder of a key that is there, and the last segment of the key."""
        folder, name = self._reach(key, make=False)
        try:
            yield folder, name
        finally:
            if "/" in key:
                folder.close()

    def _reach(self, key: str, *, make: bool) -> tuple[Folder, str]:
        """The same, for what is done with each file: a context manager costs more than the system call it is for.

        The caller closes the folder where the key has several segments; else it is the root, which stays open.
        """
        if not _FLAT.fullmatch(key):
            if not leads_below(key) or (os.sep != "/" and os.sep in key):
                raise StoreError(f"{key!r} is not the name of a file below the target")
            if HIDDEN in fold(key).split("/"):
                raise StoreError(f"{key!r} is where unfinished files are; choose another name")
        root = self._root.folder or self._root.get(make=make)
        return root.reach(key, make=make) if "/" in key else (root, key)
