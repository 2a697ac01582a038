"""What plugins implement. Any object with these methods will do; nothing has to be subclassed.

A protocol never gains a required method. What only some can do is a protocol of its own (``Supports...``),
found out once a run.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Any, Protocol, runtime_checkable

from splashdown.events import Event
from splashdown.model import (
    Asset,
    Buffer,
    Content,
    Part,
    PartPolicy,
    ReadRequest,
    RemoteInfo,
    ResultSet,
    Stored,
    StoredPart,
    Unfinished,
    Upload,
)


@runtime_checkable
class Stream(Protocol):
    """The body of one answer: iterate it once for its chunks.

    ``info`` describes the whole remote file. ``start`` is the offset of the first byte this stream yields: a
    transport whose server ignores ranges says ``0`` here, however the request read. ``length`` is how many
    bytes will come, where the server said so; a stream that ends early raises
    :class:`~splashdown.errors.TruncatedError`.
    """

    info: RemoteInfo
    start: int
    length: int | None

    def __iter__(self) -> Iterator[Buffer]:
        """Yield chunks of any size; a chunk is valid until the next one is asked for."""


@runtime_checkable
class Transport(Protocol):
    """Reads hrefs of some URL schemes. One object serves all threads of a run."""

    def stream(self, request: ReadRequest) -> AbstractContextManager[Stream]:
        """Open one range or the whole file.

        Raises a :class:`~splashdown.errors.TransferError` subclass for whatever the server or the network does.
        """

    def close(self) -> None:
        """Give back connections. Called once, after the last stream."""


@runtime_checkable
class Sink(Protocol):
    """Stores objects below one target. Nothing is visible under its key before ``commit`` returns."""

    @property
    def parts(self) -> PartPolicy:
        """How a file has to be cut for this sink."""

    def begin(self, key: str, content: Content) -> Upload:
        """Start to store one object. ``key`` is a safe, relative POSIX path."""

    def put_part(self, upload: Upload, part: Part, chunks: Iterable[Buffer]) -> str:
        """Take one part, in any order and from any thread; return a tag for ``commit``.

        A part may be put again after a failure; the last one counts. ``chunks`` yields exactly
        ``part.size`` bytes, or raises.
        """

    def commit(self, upload: Upload, tags: Sequence[str]) -> str:
        """Make the object visible, replacing what was there as one step; return its location (path or URL)."""

    def abort(self, upload: Upload) -> None:
        """Remove all traces of an upload. Never raises for one that is already gone."""

    def close(self) -> None:
        """Give back connections, and keep all that was committed. Once more does no harm."""


@runtime_checkable
class SupportsStat(Protocol):
    """A sink that can tell what it holds."""

    def stat(self, key: str) -> Stored | None:
        """Size and, where cheap, checksum of an object; ``None`` when there is none."""


@runtime_checkable
class SupportsRead(Protocol):
    """A sink whose objects can be read back: receipts, verification."""

    def read(self, key: str) -> AbstractContextManager[Iterator[Buffer]]:
        """The bytes of a committed object, in chunks. Raises ``FileNotFoundError`` when there is none."""


@runtime_checkable
class SupportsReadBack(Protocol):
    """A sink that can read an upload before it is committed, so that parts which came out of order can be hashed."""

    def read_back(
        self, upload: Upload, start: int = 0, stop: int | None = None
    ) -> AbstractContextManager[Iterator[Buffer]]:
        """The bytes ``start:stop`` of what is stored so far."""


@runtime_checkable
class SupportsResume(Protocol):
    """A sink that finds again what an earlier, interrupted run has put."""

    def recover(self, upload: Upload, parts: Sequence[StoredPart]) -> Sequence[StoredPart]:
        """Of the parts that the journal lists, those the sink really holds. Empty when the upload is gone."""


@runtime_checkable
class SupportsCompare(Protocol):
    """A sink that can tell whether a part which an earlier run has put has certain bytes.

    That is how an upload is gone on with where a checksum has to hold for the whole file and the sink cannot read its
    parts back: they are read from the source once more, and are not sent again.
    """

    def holds(self, upload: Upload, stored: StoredPart, data: Buffer) -> bool:
        """Whether the part has these bytes, by a checksum that the store computed itself; ``False`` in doubt."""


@runtime_checkable
class SupportsUnfinished(Protocol):
    """A sink that can list what crashed runs have left of uploads; ``abort`` removes one of them."""

    def unfinished(self) -> Iterator[Unfinished]:
        """Every upload below the target that is under way or was left behind, by whatever process or program."""


@runtime_checkable
class SupportsList(Protocol):
    """A sink that can list and delete: ``verify`` names extra files, ``sync --delete`` removes stale ones."""

    def list(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        """Key and size of every object below the target."""

    def delete(self, key: str) -> None:
        """Remove one object; no error when it is gone."""


@runtime_checkable
class SupportsServerSideCopy(Protocol):
    """A sink that can copy from its own store without moving bytes through this machine.

    A copy is visible at once. So a sink that can tell beforehand that the source is not what ``content`` promises
    (size, checksum) returns ``None`` and copies nothing: the engine streams then, and verifies before ``commit``. A
    copy that turns out wrong afterwards is removed by the engine where the sink is a :class:`SupportsList`.
    """

    def copy_from(self, href: str, key: str, content: Content) -> Stored | None:
        """Copy, or return ``None`` when this source cannot or should not be copied; the engine then streams."""


@runtime_checkable
class SupportsSpace(Protocol):
    """A sink that knows how many bytes it can still take."""

    def free_space(self) -> int | None:
        """Bytes available, or ``None`` when that cannot be told."""


@runtime_checkable
class SupportsState(Protocol):
    """A sink that has a place beside its objects for what the engine must remember of an unfinished run."""

    @property
    def state_dir(self) -> Path | None:
        """A folder of this machine, which the engine makes when it needs it and removes when it is empty.

        ``None`` says that there is nothing to remember: the objects do not outlive the process.
        """


@runtime_checkable
class Resolver(Protocol):
    """Turns a source into assets."""

    def accepts(self, source: object) -> bool:
        """Whether this resolver is meant for ``source``; judged by its form, without any I/O."""

    def resolve(self, source: Any, context: ResolveContext) -> ResultSet:
        """Read the source. Raises :class:`~splashdown.errors.ResolveError` or ``AuthError``."""


class ResolveContext(Protocol):
    """What a resolver is given besides the source."""

    @property
    def auth(self) -> object:
        """What the user passed as ``auth=``: ``None``, a token, ``(user, password)`` or a resolver's own object."""

    @property
    def options(self) -> Mapping[str, Any]:
        """What the user passed besides: ``wait``, ``partial``, ...; a resolver refuses what it does not know."""

    def notify(self, message: str) -> None:
        """Tell the user about progress while resolving takes long."""

    def resolve(self, source: object) -> ResultSet:
        """Resolve another source with whatever resolver accepts it, with the same credentials and options."""

    def open(self, href: str) -> AssetHandle:
        """A document that a transport has to read, one in a store for example; nothing is requested yet.

        Its methods raise :class:`~splashdown.errors.TransferError` for what the store says, and
        :class:`~splashdown.errors.NoProviderError` where no transport reads such hrefs.
        """


@runtime_checkable
class Signer(Protocol):
    """Gives an href what it needs to be read, for a listed set of origins, just before each attempt."""

    def sign(self, href: str) -> tuple[str, Mapping[str, str]]:
        """The href to read and the headers to send with it; ``(href, {})`` for an origin that is not its own."""


@runtime_checkable
class Filter(Protocol):
    """Chooses assets. It gets all of them, so that a filter can say "one per item"; it returns a subset."""

    def __call__(self, assets: Sequence[Asset]) -> Iterable[Asset]:
        """Return the assets to keep, in their order."""


@runtime_checkable
class SupportsWhy(Protocol):
    """A filter that can say why it dropped an asset: shown by ``--dry-run`` and in ``plan.skipped``."""

    def why(self, asset: Asset) -> str:
        """The reason, in a few words without the filter's own name."""


@runtime_checkable
class AssetHandle(Protocol):
    """One asset opened for a loader: reading goes over the transports, with their signing and retries."""

    @property
    def asset(self) -> Asset:
        """The description."""

    @property
    def size(self) -> int:
        """Bytes of the whole file; found out by the first read where the metadata does not say."""

    def bytes(self, max_bytes: int | None = None) -> builtins.bytes:
        """The whole file. Raises :class:`~splashdown.errors.LoadError` when it is larger than ``max_bytes``."""

    def open(self) -> IO[builtins.bytes]:
        """A seekable binary file that reads ranges as they are asked for."""

    def path(self) -> Path:
        """A local file with the bytes: the stored copy where there is one that verifies, else a temporary one."""

    def read_range(self, start: int, stop: int) -> memoryview:
        """Exactly the bytes ``start:stop`` (cut at the end of the file)."""

    def read_ranges(self, ranges: Sequence[tuple[int, int]]) -> Iterator[tuple[int, memoryview]]:
        """Read several ranges over several connections; yields ``(index, bytes)`` as they arrive, in any order."""


@runtime_checkable
class SupportsSiblings(Protocol):
    """An opened asset that is a folder of objects (Zarr): each is opened in its turn, with the same credentials."""

    def sibling(self, name: str) -> AssetHandle:
        """The object ``name`` (a relative POSIX path) below the asset's href.

        Raises :class:`~splashdown.errors.UsageError` for a name that leads elsewhere.
        """


@runtime_checkable
class Loader(Protocol):
    """Makes a Python object of an asset. Options arrive as keyword arguments."""

    def __call__(self, asset: AssetHandle, **options: Any) -> object:
        """Make the object. Raises :class:`~splashdown.errors.LoadError` for a file that it cannot read."""


@runtime_checkable
class Listener(Protocol):
    """Observes events, one at a time, on a thread of its own; it is dropped when it raises."""

    def __call__(self, event: Event) -> None:
        """Take note of one event."""
