"""The protocols that plugins implement. Any object with these methods fits; subclassing is not needed.

A protocol never gains a required method. Each optional ability is a separate protocol (``Supports...``); the engine
looks for it once a run.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from concurrent.futures import Future

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
        SmallBody,
        Stored,
        StoredPart,
        Unfinished,
        Upload,
    )


@runtime_checkable
class Stream(Protocol):
    """The body of one answer: iterate it once for its chunks.

    ``info`` describes the whole remote file. ``start`` is the offset of the first byte this stream yields: a
    transport whose server ignores ranges says ``0`` here, whatever the request says. ``length`` is how many
    bytes will come, where the server said so; a stream that ends early raises
    :class:`~splashdown.errors.TruncatedError`.
    """

    info: RemoteInfo
    start: int
    length: int | None

    def __iter__(self) -> Iterator[Buffer]:
        """Yield chunks of any size; a chunk is valid until the next one is requested."""


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
class GuardedTransport(Transport, Protocol):
    """A transport that treats the hrefs of strangers otherwise than those of the user."""

    def for_public_documents(self) -> Transport:
        """The same transport for hrefs of documents of the public web, which leads to public addresses alone."""


@runtime_checkable
class SupportsReadSmall(Protocol):
    """A transport that can read a small file in one call.

    The engine uses it for the first request of a file, with a sink that is a :class:`SupportsPutWhole`.
    """

    def read_small(self, request: ReadRequest, most: int) -> SmallBody | AbstractContextManager[Stream]:
        """The whole file where it has at most ``most`` bytes and nothing about its answer is unusual.

        Else, and whenever in doubt, what ``stream`` returns for the same request; the server is asked once. A body that
        is slow to come is a stream, so that the engine can watch over it. Raises what ``stream`` raises. The request
        is always for a whole file: it has neither a range nor a version, but it may have a condition (``unless``).
        """


class AwaitedFile(Protocol):
    """A small file that was asked for. One thread reads many of them as they come."""

    @property
    def unusual(self) -> bool:
        """Whether :meth:`take` will never give it, so that :meth:`rest` has to."""

    def fileno(self) -> int:
        """The descriptor that can be read when more has come."""

    def take(self) -> SmallBody | None:
        """The file once all of it has come, valid until the thread reads again; else ``None``. Does not wait.

        Raises what ``stream`` raises.
        """

    def rest(self) -> AbstractContextManager[Stream]:
        """What ``stream`` returns for the same request, beginning with what has come. It may wait, in any thread."""

    def close(self) -> None:
        """End it: neither :meth:`take` nor :meth:`rest` is called any more."""


@runtime_checkable
class SupportsAskSmall(Protocol):
    """A transport that can ask for small files without waiting for each: one thread then has many under way.

    Threads that wait for each other's turn of the interpreter cost more than the file.
    """

    def ask_small(self, request: ReadRequest, most: int) -> AwaitedFile | None:
        """:meth:`read_small` up to where the answer is waited for; ``None`` where nothing could be asked at once."""


@runtime_checkable
class SupportsDelete(Protocol):
    """A transport that can delete what it reads: for moves, whose files have been proven to be elsewhere."""

    def delete(self, href: str, version: RemoteInfo) -> None:
        """Delete a file that is still the version which an answer has described, as one step where the store can.

        Raises :class:`~splashdown.errors.ChangedError` for another version, and
        :class:`~splashdown.errors.TransferError` for what is not there, is a link, or may not be deleted.
        """


@runtime_checkable
class Sink(Protocol):
    """Stores objects below one target. Nothing is visible under its key before ``commit`` returns."""

    @property
    def parts(self) -> PartPolicy:
        """The rules by which files are cut for this sink."""

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
        """Remove all traces of an upload. An upload that is already gone is not an error."""

    def close(self) -> None:
        """Give back connections, and keep all that was committed. A second call does nothing."""


@runtime_checkable
class SupportsStat(Protocol):
    """A sink that can look up an object."""

    def stat(self, key: str) -> Stored | None:
        """Size and, where cheap, checksum of an object; ``None`` when it does not exist."""


@runtime_checkable
class SupportsStatAll(Protocol):
    """A sink that can look up all objects at less cost than one by one.

    A run that meets many files which are there already asks for them in this way. A listing that fails costs it no
    more than this saving.
    """

    def stat_all(self) -> Iterator[tuple[str, Stored]]:
        """Key of every object below the target, and what ``stat`` says of it; a checksum may be missing.

        ``version`` is that of ``stat``, or ``None``. Objects that ``stat`` refuses are left out.
        """


@runtime_checkable
class SupportsPutWhole(Protocol):
    """A sink that can store a small object in one call.

    The engine uses it for small files whose bytes are all there and have been verified, and keeps no record of them
    for a later run.
    """

    def put_whole(self, key: str, content: Content, data: Buffer) -> str:
        """Store one object as one step, and return its location: as ``begin``, ``put_part`` and ``commit`` do.

        Nothing is visible under the key before all of it is stored, and a failure leaves nothing behind. What a killed
        process leaves, the sink finds by itself and removes later. ``data`` is valid until the call returns;
        ``content.checksum``, where there is one, is that of ``data``. Raises
        :class:`~splashdown.errors.ExistsError` where ``content.replace`` is false and the key is taken.
        """


@runtime_checkable
class SupportsVersion(Protocol):
    """A sink that knows the version of an object which it has just stored, without asking for it."""

    def version(self, key: str) -> str | None:
        """What ``stat`` calls ``version``, or ``None``.

        Asked at most once after ``commit`` or ``put_whole``, by the same thread.
        """


@runtime_checkable
class SupportsBundle(Protocol):
    """A sink whose objects appear together, as one: an archive. Here ``commit`` makes nothing visible.

    Where an asset fails, ``finish`` is not called, and nothing is left. Later runs do not go on with a bundle.
    """

    def expect(self, keys: Sequence[str], *, replace: bool) -> None:
        """Called once, before the first byte: the files that will come, in the order in which they are to be stored.

        Further objects (receipts) come after them. ``replace`` says whether what is there may be replaced; raises
        :class:`~splashdown.errors.ExistsError` where it may not.
        """

    def finish(self) -> None:
        """Make everything visible, as one step.

        Raises :class:`~splashdown.errors.StoreError` where an object is missing or the step fails; nothing is visible
        then.
        """


@runtime_checkable
class SupportsRead(Protocol):
    """A sink whose objects can be read back: receipts, verification."""

    def read(self, key: str) -> AbstractContextManager[Iterator[Buffer]]:
        """The bytes of a committed object, in chunks. Raises ``FileNotFoundError`` when it does not exist."""


@runtime_checkable
class SupportsReadBack(Protocol):
    """A sink that can read an upload before it is committed, so that parts which came out of order can be hashed."""

    def read_back(
        self, upload: Upload, start: int = 0, stop: int | None = None
    ) -> AbstractContextManager[Iterator[Buffer]]:
        """The bytes ``start:stop`` that are stored so far."""


@runtime_checkable
class SupportsResume(Protocol):
    """A sink that finds the parts again which an earlier, interrupted run has stored."""

    def recover(self, upload: Upload, parts: Sequence[StoredPart]) -> Sequence[StoredPart]:
        """Those of the journal's parts that the sink really holds. Empty when the upload is gone."""


@runtime_checkable
class SupportsCompare(Protocol):
    """A sink that can compare a stored part with bytes.

    The engine needs this to resume an upload where a checksum must be verified over the whole file and the sink cannot
    read its parts back: it reads them from the source again, and does not send them again.
    """

    def holds(self, upload: Upload, stored: StoredPart, data: Buffer) -> bool:
        """Whether the part has these bytes, by a checksum that the store computed itself; ``False`` in doubt."""


@runtime_checkable
class SupportsUnfinished(Protocol):
    """A sink that can list unfinished uploads of crashed runs; ``abort`` removes one of them."""

    def unfinished(self) -> Iterator[Unfinished]:
        """Every upload below the target that is under way or was left behind, by any process or program."""


@runtime_checkable
class SupportsList(Protocol):
    """A sink that can list and delete: ``verify`` names extra files, ``sync --delete`` removes stale ones."""

    def list(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        """Key and size of every object below the target."""

    def delete(self, key: str) -> None:
        """Remove one object; it is not an error when it is gone already."""


@runtime_checkable
class SupportsServerSideCopy(Protocol):
    """A sink that can copy from its own store without moving bytes through this machine.

    A copy is visible at once. So a sink that knows beforehand that the source differs from what ``content`` promises
    (size, checksum) returns ``None`` and copies nothing: the engine streams then, and verifies before ``commit``. A
    copy that turns out wrong afterwards is removed by the engine where the sink is a :class:`SupportsList`.
    """

    def copy_source(self, href: str) -> Stored | None:
        """The object that would be copied; ``None`` when this sink cannot copy it. Asked just before ``copy_from``.

        The engine notes its size before the copy is visible, so that after a kill the next run knows the copy as ours.
        """

    def copy_from(self, href: str, key: str, content: Content) -> Stored | None:
        """Copy, or return ``None`` when this source cannot or should not be copied; the engine then streams."""


@runtime_checkable
class SupportsDuplicate(Protocol):
    """A sink that can give an object a second key without moving its bytes through this machine.

    Several assets may have one URL: it is fetched once, and the engine asks for the others' files in this way.
    """

    def duplicate(self, key: str, copy: str, content: Content) -> Stored | None:
        """Store the object ``key`` under ``copy`` too, as one step; ``None`` where that cannot be done.

        The two are then independent: to replace or delete one leaves the other as it is. Raises
        :class:`~splashdown.errors.ExistsError` where ``content.replace`` is false and ``copy`` is taken.
        """


@runtime_checkable
class SupportsSpace(Protocol):
    """A sink that knows how many bytes it can still take."""

    def free_space(self) -> int | None:
        """Bytes available, or ``None`` when that is unknown."""


@runtime_checkable
class SupportsState(Protocol):
    """A sink that has a folder for the engine's notes about unfinished runs."""

    @property
    def state_dir(self) -> Path | None:
        """A folder of this machine, which the engine makes when it needs it and removes when it is empty.

        ``None`` means that the objects do not outlive the process, so notes would be useless.
        """


@runtime_checkable
class Resolver(Protocol):
    """Turns a source into assets."""

    def accepts(self, source: object) -> bool:
        """Whether this resolver is meant for ``source``; it looks at the form alone, without I/O."""

    def resolve(self, source: Any, context: ResolveContext) -> ResultSet:
        """Read the source. Raises :class:`~splashdown.errors.ResolveError` or ``AuthError``."""


class ResolveContext(Protocol):
    """The second argument of a resolver, next to the source."""

    @property
    def auth(self) -> object:
        """The user's ``auth=``: ``None``, a token, ``(user, password)`` or a resolver's own object."""

    @property
    def options(self) -> Mapping[str, Any]:
        """The user's other options: ``wait``, ``partial``, ...; a resolver refuses unknown ones."""

    def notify(self, message: str) -> None:
        """Show the user a line of progress while resolving takes long."""

    def resolve(self, source: object) -> ResultSet:
        """Resolve another source with the resolver that accepts it, with the same credentials and options."""

    def open(self, href: str) -> AssetHandle:
        """A document that a transport has to read, one in a store for example; nothing is requested yet.

        Its methods raise :class:`~splashdown.errors.TransferError` for an error of the store, and
        :class:`~splashdown.errors.NoProviderError` where no transport reads such hrefs.
        """


@runtime_checkable
class Signer(Protocol):
    """Makes an href readable (a signature, headers) for a listed set of origins, just before each attempt."""

    def sign(self, href: str) -> tuple[str, Mapping[str, str]]:
        """The href to read and the headers to send with it; ``(href, {})`` for an origin that it does not serve."""


@runtime_checkable
class SupportsServes(Protocol):
    """A signer that knows beforehand for which origins it has something to add."""

    def serves(self, href: str) -> bool:
        """Whether hrefs of the same origin (scheme, host, port) may get headers or another form; asked once for each.

        ``False`` promises that ``sign`` returns ``(href, {})`` for all of them, during the whole run.
        """


@runtime_checkable
class RenewingSigner(Signer, Protocol):
    """A signer that may have other headers once those that it gave were refused with 401."""

    def renew(self, href: str, refused: Mapping[str, str]) -> Mapping[str, str]:
        """The headers to send in place of these; empty when there are none."""


@runtime_checkable
class StepCredentials(Protocol):
    """Credentials for the steps of redirects: for the origins that the user has listed alone. For all threads.

    ``held`` says whether there are credentials for some origin.
    """

    @property
    def held(self) -> bool:
        """Whether the user has given credentials, for whatever origin."""

    def lists(self, url: str) -> bool:
        """Whether the user has listed the origin of a URL."""

    def headers(self, url: str) -> Mapping[str, str]:
        """The credentials of the origin that a redirect leads to; empty for one that is not listed."""

    def renew(self, url: str, refused: Mapping[str, str]) -> Mapping[str, str]:
        """Other headers in place of those that were refused with 401; empty when there are none."""

    def cookie(self, url: str) -> str:
        """The value of the header ``Cookie``; empty for none."""

    def keep_cookies(self, url: str, lines: Sequence[str]) -> None:
        """Keep the ``Set-Cookie`` lines of an answer for its own origin, until the run ends."""


@runtime_checkable
class Filter(Protocol):
    """Chooses assets. It gets all of them, so that it can choose one per item; it returns a subset."""

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
        """Bytes of the whole file; the first read finds it out where the metadata has no size."""

    def bytes(self, max_bytes: int | None = None) -> builtins.bytes:
        """The whole file. Raises :class:`~splashdown.errors.LoadError` when it is larger than ``max_bytes``."""

    def open(self) -> IO[builtins.bytes]:
        """A seekable binary file that reads ranges on demand."""

    def path(self) -> Path:
        """A local file with the bytes: the stored copy if it exists and verifies, else a temporary file."""

    def read_range(self, start: int, stop: int) -> memoryview:
        """Exactly the bytes ``start:stop`` (cut at the end of the file)."""

    def read_ranges(self, ranges: Sequence[tuple[int, int]]) -> Iterator[tuple[int, memoryview]]:
        """Read several ranges over several connections; yields ``(index, bytes)`` as they arrive, in any order."""


@runtime_checkable
class SupportsSiblings(Protocol):
    """An opened asset that is a folder of objects (Zarr): each can be opened with the same credentials."""

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
    """Observes events, one at a time, on a separate thread; it is dropped when it raises."""

    def __call__(self, event: Event) -> None:
        """Take note of one event."""


@runtime_checkable
class Workers(Protocol):
    """Other processes that run functions, on this machine or elsewhere; made for one run, used by one thread.

    Functions and their arguments are pickled. Each may run more than once without harm, so that a library may give one
    to a second worker.
    """

    @property
    def count(self) -> int:
        """How many functions run at once now; 0 where no worker is there for the moment."""

    @property
    def label(self) -> str:
        """The workers in words, for people: ``4 processes``."""

    def submit(self, function: Callable[[Any], Any], argument: Any) -> Future[Any]:
        """Have a function run. Raises whatever the library raises where it cannot."""

    def is_lost(self, error: BaseException) -> bool:
        """Whether the error of a submitted function says that its worker has gone, and not that the function failed."""

    def revive(self) -> str:
        """Make it possible to submit again after a loss; returns why that cannot be, and ``""`` where it can."""

    @property
    def stopped(self) -> Callable[[], bool] | None:
        """A function that says on a worker whether ``stop`` was called here; it pickles. ``None`` where none can."""

    def stop(self) -> None:
        """Let ``stopped`` be true from now on, for functions that are running."""

    def close(self) -> None:
        """Give back what belongs to the run; what the user passed stays open. A second call does nothing."""


@runtime_checkable
class SupportsWatch(Protocol):
    """Workers whose library does not notice each loss on its own."""

    def watch(self) -> None:
        """Look, and let functions fail whose workers have gone. It is called often while functions run."""


@runtime_checkable
class SupportsNews(Protocol):
    """Workers whose functions can say how far they are while they run."""

    def submit_with_news(
        self, function: Callable[[Any, Callable[[Any], None]], Any], argument: Any, hear: Callable[[Any], None]
    ) -> Future[Any]:
        """Have a function run that also gets a function; what it calls that with goes to ``hear`` here.

        ``hear`` returns at once, and is called on a thread of the workers, never after the function has ended.
        """


@runtime_checkable
class SupportsEach(Protocol):
    """Workers that can be asked one by one."""

    def each(self, function: Callable[[Any], Any], argument: Any) -> Mapping[str, Any]:
        """Call a function on every worker that is there; the answers by a name of the worker, for people."""
