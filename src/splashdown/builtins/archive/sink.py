"""ArchiveSink: files that appear together, in one archive.

Transfers are parallel and an archive is one stream. So each file waits in the spool until it is verified and those
before it are written. Then it is copied into the archive, by whichever thread has brought what was missing.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from splashdown._receipts.document import put_object
from splashdown.builtins.archive.forms import Form
from splashdown.builtins.archive.outputs import Output
from splashdown.builtins.archive.spool import Held, Spool
from splashdown.errors import ExistsError, StoreError, error_text
from splashdown.model import Buffer, Content, Part, PartPolicy, Upload
from splashdown.safe_names import leads_below


class ArchiveSink:
    """Stores objects as entries of one archive, in the order that ``expect`` gives, others after those.

    Without ``expect`` nothing is written before ``finish``, and the order is that of the names.
    """

    def __init__(self, target: str, output: Output, form: type[Form]) -> None:
        self.parts = PartPolicy()
        self.state_dir: Path | None = None  #: no later run goes on with an archive
        self._target, self._output, self._form_type = target, output, form
        self._form: Form | None = None
        self._spool = Spool()
        self._uploads: dict[str, Held] = {}
        self._ready: dict[str, Held] = {}  #: committed, and not in the archive yet
        self._written: set[str] = set()
        self._lost: set[str] = set()  #: begun, and given up so far
        self._order: deque[str] | None = None
        self._numbers = count()
        self._lock = threading.Lock()
        self._draining = self._ended = False
        self._failure = ""

    def expect(self, keys: Sequence[str], *, replace: bool) -> None:
        """Take the order of the entries. Raises ``ExistsError`` where an archive is there that may not be replaced."""
        self._output.refuse_taken(replace=replace)
        self._order = deque(keys)

    def begin(self, key: str, content: Content) -> Upload:
        """Choose a place in the spool."""
        if not leads_below(key) or "\\" in key:
            raise StoreError(f"{key!r} is not the name of a file in an archive")
        if not content.replace:
            self._refuse_taken(key)
        held = self._spool.place(content.size)
        token = {"id": str(next(self._numbers)), **({} if content.replace else {"new": "1"})}
        with self._lock:
            self._uploads[token["id"]] = held
        return Upload(key=key, token=token)

    def put_part(self, upload: Upload, part: Part, chunks: Iterable[Buffer]) -> str:
        """Keep a part in the spool."""
        self._held(upload).put(part, chunks)
        return f"{part.number}"

    def commit(self, upload: Upload, tags: Sequence[str]) -> str:  # noqa: ARG002 - the parts are in their places already
        """Let the file take its turn; those whose turn it is go into the archive."""
        held = self._held(upload)
        if "new" in upload.token:
            self._refuse_taken(upload.key)
        held.seal()
        with self._lock:
            if upload.key in self._written:
                raise StoreError(f"{upload.key!r} is in the archive already, which is written once")
            self._uploads.pop(upload.token["id"], None)
            before = self._ready.pop(upload.key, None)
            self._ready[upload.key] = held
            self._lost.discard(upload.key)
        if before is not None:
            before.remove()
        self._drain()
        return f"{self._target}!/{upload.key}"

    def put_whole(self, key: str, content: Content, data: Buffer) -> str:
        """Take a file that is all there."""
        return put_object(self, key, content, Part(number=1, start=0, stop=len(data)), [data] if data else [])

    def abort(self, upload: Upload) -> None:
        """Forget a file that is not committed."""
        with self._lock:
            held = self._uploads.pop(upload.token.get("id", ""), None)
            if held is not None:
                self._lost.add(upload.key)
        if held is not None:
            held.remove()

    def finish(self) -> None:
        """Write the rest and make the archive appear. Raises ``StoreError`` where an entry is missing."""
        with self._lock:
            if self._order is None:
                self._order = deque(sorted(self._ready))
        self._drain()
        missing = [*self._order, *sorted(self._lost)]
        if missing:
            more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
            raise StoreError(f"{self._target} was not written: {missing[0]!r}{more} could not be stored")
        with self._storing():
            self._opened().finish()
            self._output.finish()
        self._ended = True

    def close(self) -> None:
        """Leave nothing of an archive that was not finished."""
        self._spool.close()
        self._uploads.clear()
        self._ready.clear()
        self._output.close()

    @contextmanager
    def read_back(self, upload: Upload, start: int = 0, stop: int | None = None) -> Iterator[Iterator[Buffer]]:
        """The bytes of a file that is not committed."""
        yield self._held(upload).chunks(start, stop)

    def free_space(self) -> int | None:
        """Bytes that both the place of the archive and the spool can take."""
        free = self._output.free_space()
        return None if free is None else min(free, self._spool.free_space())

    def _held(self, upload: Upload) -> Held:
        found = self._uploads.get(upload.token.get("id", ""))
        if found is None:
            raise StoreError(f"{upload.key!r}: this upload was aborted")
        return found

    def _refuse_taken(self, key: str) -> None:
        if key in self._ready or key in self._written:
            raise ExistsError(f"{key!r} is in the archive already")

    def _drain(self) -> None:
        """Write the entries whose turn it is; one thread does so at a time, also for what others bring meanwhile."""
        with self._lock:
            if self._failure:
                raise StoreError(self._failure)
            if self._draining:
                return
            self._draining = True
        try:
            while (entry := self._next()) is not None:
                name, held = entry
                with self._storing():
                    self._opened().add(name, held.size, held.read)
                held.remove()
        except BaseException:
            self._draining = False
            raise

    def _next(self) -> tuple[str, Held] | None:
        with self._lock:
            name = self._order[0] if self._order else next(iter(self._ready), None)
            if self._order is None or name is None or name not in self._ready:
                self._draining = False  # under the lock: what is committed after this look, its own thread writes
                return None
            if self._order:
                self._order.popleft()
            self._written.add(name)
            return name, self._ready.pop(name)

    def _opened(self) -> Form:
        if self._form is None:
            self._form = self._form_type(self._output)
        return self._form

    @contextmanager
    def _storing(self) -> Iterator[None]:
        try:
            yield
        except (OSError, StoreError) as error:
            self._failure = f"{self._target} cannot be written: {error_text(error)}"
            raise StoreError(self._failure) from error
