"""Reading a file once more from its first byte: when that is needed, and how often it may happen."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from splashdown.errors import ChangedError, ChecksumError, TransferError

if TYPE_CHECKING:
    from splashdown._engine.source import Source

T = TypeVar("T")


class RestartError(TransferError):
    """The bytes so far are worthless: read the file again from its first byte. ``cause`` says why."""

    def __init__(self, cause: TransferError, *, ranges: bool, retries: bool) -> None:
        super().__init__(str(cause))
        self.cause = cause
        self.ranges = ranges  #: whether ranges may be used again
        self.retries = retries  #: whether the retry policy has counted this failure


def with_restarts(source: Source, attempt: Callable[[], T]) -> T:
    """Return what ``attempt`` returns; where the bytes so far are worthless, start over and call it again.

    A failure that the retry policy has counted may start a file over as often as the policy lets it pass. Everything
    else is a surprise: another version of the file on the server, ranges that are not served after all, bytes that do
    not match their checksum. A file has one surprise; the second one is raised. Bytes may be damaged on their way, but
    metadata that is wrong stays wrong, and a file that changes during each read never arrives. A checksum that fails
    before the first byte came (the sizes differ) is raised at once.

    Servers behind one name may give one file different ETags. So a second change is not raised either: the file is read
    once more, and answers then belong together by size and date. A file that changes has another date.
    """
    surprised = False
    while True:
        try:
            return attempt()
        except RestartError as restart:
            if not restart.retries:
                if surprised and (source.by_date or not isinstance(restart.cause, ChangedError)):
                    raise restart.cause from restart
                source.by_date = surprised
                surprised = True
            source.ranges = source.ranges and restart.ranges
        except ChecksumError:
            if surprised or not source.done:
                raise
            surprised = True
        source.start_over()
