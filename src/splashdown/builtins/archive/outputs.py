"""Where the bytes of an archive go: into an object of another sink, as one stream, or to standard output."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import BinaryIO, Final, Protocol

from splashdown.errors import ExistsError, StoreError, error_text
from splashdown.model import Content, Part, Upload
from splashdown.protocols import Sink, SupportsSpace, SupportsStat

#: Bytes that are gathered before they are passed on, and so many pieces may wait.
_PIECE, _PIECES = 1024 * 1024, 4
_LOOK_SECONDS = 0.1
_END: Final = None


class Output(Protocol):
    """Takes an archive once, from its start to its end."""

    def refuse_taken(self, *, replace: bool) -> None:
        """Raise ``ExistsError`` where something is there that may not be replaced."""

    def write(self, data: bytes, /) -> int:
        """Take bytes."""

    def tell(self) -> int:
        """How many there are."""

    def flush(self) -> None:
        """Nothing: the bytes are on their way."""

    def finish(self) -> str:
        """Make the archive appear, as one step; where it is."""

    def close(self) -> None:
        """Leave nothing of an archive that is not finished, as far as that can be done."""

    def free_space(self) -> int | None:
        """Bytes that can be taken, where that is known."""


class InSink:
    """An object in another sink. A thread feeds that one, because it asks for the bytes that others write."""

    def __init__(self, sink: Sink, key: str) -> None:
        self._sink, self._key = sink, key
        self._replace = False
        self._upload: Upload | None = None
        self._pieces: queue.Queue[bytes | None] = queue.Queue(_PIECES)
        self._gathered = bytearray()
        self._written = 0
        self._thread: threading.Thread | None = None
        self._tag = ""
        self._error: Exception | None = None
        self._cancelled = threading.Event()

    def refuse_taken(self, *, replace: bool) -> None:
        """Look whether the name is free; a link or a folder of that name is never replaced."""
        self._replace = replace
        found = self._sink.stat(self._key) if isinstance(self._sink, SupportsStat) else None
        if found is not None and not replace:
            raise ExistsError(
                f"{found.location or self._key} exists, and an archive is written as a whole; choose --if-exists"
                " overwrite, or another name"
            )

    def write(self, data: bytes, /) -> int:
        """Take bytes; raises what the sink has raised."""
        self._gathered += data
        self._written += len(data)
        if len(self._gathered) >= _PIECE:
            self._pass_on()
        return len(data)

    def tell(self) -> int:
        """How many there are."""
        return self._written

    def flush(self) -> None:
        """Nothing: the bytes are on their way."""

    def finish(self) -> str:
        """Commit the object."""
        self._pass_on()
        self._offer(_END)
        assert self._thread is not None
        assert self._upload is not None
        self._thread.join()
        self._raise()
        place = self._sink.commit(self._upload, [self._tag])
        self._upload = None
        return place

    def close(self) -> None:
        """Abort what is not committed."""
        self._cancelled.set()
        if self._thread is not None:
            self._thread.join()
        try:
            if self._upload is not None:
                self._sink.abort(self._upload)
        finally:
            self._sink.close()

    def free_space(self) -> int | None:
        """Bytes that the sink can take."""
        return self._sink.free_space() if isinstance(self._sink, SupportsSpace) else None

    def _pass_on(self) -> None:
        if self._thread is None:
            content = Content(source=self._key, replace=self._replace, recorded=False)
            self._upload = self._sink.begin(self._key, content)
            self._thread = threading.Thread(target=self._feed, name="splashdown-archive", daemon=True)
            self._thread.start()
        piece, self._gathered = bytes(self._gathered), bytearray()
        if piece:
            self._offer(piece)

    def _offer(self, piece: bytes | None) -> None:
        while True:
            self._raise()
            try:
                self._pieces.put(piece, timeout=_LOOK_SECONDS)
            except queue.Full:
                continue
            return

    def _raise(self) -> None:
        if self._error is not None:
            raise StoreError(f"the archive {self._key!r} cannot be stored: {error_text(self._error)}") from self._error

    def _feed(self) -> None:
        assert self._upload is not None
        try:
            self._tag = self._sink.put_part(self._upload, Part(number=1, start=0, stop=None), self._chunks())
        except Exception as error:
            self._error = error

    def _chunks(self) -> Iterator[bytes]:
        while not self._cancelled.is_set():
            try:
                piece = self._pieces.get(timeout=_LOOK_SECONDS)
            except queue.Empty:
                continue
            if piece is None:
                return
            yield piece
        raise StoreError("the archive was given up")


class ToStream:
    """Standard output. Nothing written there can be taken back: an archive that is given up has no end."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._written = stream, 0

    def refuse_taken(self, *, replace: bool) -> None:
        """Nothing is there."""

    def write(self, data: bytes, /) -> int:
        """Write bytes."""
        try:
            self._stream.write(data)
        except OSError as error:
            raise StoreError(f"standard output cannot be written: {error_text(error)}") from error
        self._written += len(data)
        return len(data)

    def tell(self) -> int:
        """How many there are."""
        return self._written

    def flush(self) -> None:
        """Nothing: the bytes are on their way."""

    def finish(self) -> str:
        """Flush the stream, which stays open."""
        try:
            self._stream.flush()
        except OSError as error:
            raise StoreError(f"standard output cannot be written: {error_text(error)}") from error
        return "-"

    def close(self) -> None:
        """It belongs to the process."""

    def free_space(self) -> int | None:
        """Not known."""
        return None
