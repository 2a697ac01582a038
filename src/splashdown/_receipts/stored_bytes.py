"""The bytes of objects in a target: one that is there and cannot be read is an error, and never taken for none."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing

from splashdown._folders.fields import LONGEST_FILE
from splashdown._folders.folder import OddFileError
from splashdown.errors import SplashdownError, TargetError, error_text
from splashdown.model import Buffer
from splashdown.protocols import SupportsRead, SupportsStat

#: Most bytes of an object that is read as a whole: another program may have put it there.
_MAX_BYTES = 256 * 2**20
#: Most bytes of a document that is read member by member: of some twenty million items.
_MAX_STREAMED = LONGEST_FILE
#: Longer documents are read member by member, which takes longer and less memory.
_WHOLE = 2**20


def read_bytes(sink: SupportsRead, name: str) -> bytes | None:
    """The bytes of a small object; ``None`` where there is none.

    Raises ``TargetError`` for one that is there and cannot be read now, or is too large: a run that took that for none
    would write a receipt that knows nothing of what earlier runs have stored.
    """
    data = bytearray()
    try:
        with closing(_chunks(sink, name, _MAX_BYTES)) as chunks:
            for chunk in chunks:  # a sink may use its buffer again
                data += chunk
    except FileNotFoundError:
        return None
    return bytes(data)


class StoredDocument:
    """A document of a target: ``data`` where it is short, else a file to :meth:`read` once. Close it."""

    def __init__(self, sink: SupportsRead, name: str) -> None:
        """Begin to read. Raises ``FileNotFoundError``, and ``TargetError`` as :func:`read_bytes` does."""
        self._chunks = _chunks(sink, name, _MAX_STREAMED)
        self._begun = bytearray()
        for chunk in self._chunks:
            self._begun += chunk
            if len(self._begun) > _WHOLE:
                break
        self.data = bytes(self._begun) if len(self._begun) <= _WHOLE else None

    def read(self, size: int) -> bytes:
        """The next bytes, at most ``size``; none at the end."""
        while len(self._begun) < size and (chunk := next(self._chunks, None)) is not None:
            self._begun += chunk
        data = bytes(self._begun[:size])
        del self._begun[:size]
        return data

    def close(self) -> None:
        """Close what is read."""
        self._chunks.close()


def _chunks(sink: SupportsRead, name: str, most: int) -> Generator[Buffer]:
    left = most
    try:
        with sink.read(name) as chunks:
            for chunk in chunks:
                left -= len(chunk)
                if left < 0:
                    raise _TooLargeError
                yield chunk
    except FileNotFoundError:
        raise
    except _TooLargeError:
        raise too_large(name, f"more than {most // 2**20} MiB") from None
    except OddFileError as error:
        raise TargetError(f"the name of a receipt is taken: {error.strerror}; nothing was done") from None
    except (OSError, SplashdownError) as error:
        if not _is_there(sink, name):
            raise FileNotFoundError(name) from None
        raise TargetError(
            f"{name} says what is in the target, and cannot be read ({error_text(error)}); nothing was done"
        ) from error


def too_large(name: str, what: str) -> TargetError:
    """The error for a document that is not read, and must not be taken for none."""
    return TargetError(
        f"{name} in the target is too large to be read ({what}), so what it says of the files there is unknown; nothing"
        " was done: move it away to go on, files that are complete are found by their checksums, or use another target"
    )


class _TooLargeError(Exception):
    pass


def _is_there(sink: object, name: str) -> bool:
    try:
        return isinstance(sink, SupportsStat) and sink.stat(name) is not None
    except (OSError, SplashdownError):  # a user who may only write gets neither answer
        return False
