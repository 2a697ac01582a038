"""The values that travel between the parts: frozen, slotted, keyword-only, and picklable.

Nothing here does I/O. Sizes are bytes, times are seconds, byte ranges are half-open (``start`` is the
first byte, ``stop`` the one after the last, as in Python's slices).
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import compress, count
from typing import TYPE_CHECKING, Any

from splashdown.columns import columns, take
from splashdown.redact import redact_target, safely_shown

if TYPE_CHECKING:
    import datetime as dt

    from splashdown.protocols import Signer, StepCredentials, Transport

#: A chunk of a body: any object with the buffer protocol.
Buffer = bytes | bytearray | memoryview

_EMPTY: Mapping[str, Any] = {}
_EMPTY_ORIGINS: Mapping[tuple[str | None, str], tuple[str, int]] = {}


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Asset:
    """One file that a source lists, described by its STAC metadata.

    ``key`` is the asset's name in its item or collection, ``item`` and ``collection`` the ids of those;
    ``(item, key)`` is unique in a result set. ``href`` is absolute. ``metadata`` is the asset object of the
    STAC document as it was read and is never changed; ``properties`` are its item's.
    """

    key: str
    href: str
    item: str | None = None
    collection: str | None = None
    media_type: str | None = None
    roles: tuple[str, ...] = ()
    size: int | None = None  #: ``file:size``, bytes
    checksum: str | None = None  #: ``file:checksum`` (or ``checksum:multihash``), a multihash in lower-case hex
    local_path: str | None = None  #: ``file:local_path``
    listed_as: str | None = None  #: its key in the root document, where that lists an item's file too
    bbox: tuple[float, ...] | None = None  #: west, south, east, north in degrees (RFC 7946, section 5)
    geometry: Mapping[str, Any] | None = None  #: GeoJSON geometry of the item
    start: dt.datetime | None = None  #: first instant; equals ``end`` for a single ``datetime``
    end: dt.datetime | None = None
    metadata: Mapping[str, Any] = field(default_factory=lambda: _EMPTY, repr=False)
    properties: Mapping[str, Any] = field(default_factory=lambda: _EMPTY, repr=False)

    @property
    def identity(self) -> tuple[str | None, str]:
        """``(item, key)``: it stays the same when a signed href is renewed."""
        return (self.item, self.key)

    @property
    def label(self) -> str:
        """The asset's name in messages: ``key``, or ``item/key`` where it belongs to an item with another name."""
        return f"{self.item}/{self.key}" if self.item and self.item != self.key else self.key


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class RemoteInfo:
    """The whole remote file, as the server describes it in its first answer."""

    size: int | None = None
    media_type: str | None = None
    etag: str | None = None  #: as sent, with quotes and a ``W/`` prefix where it is weak
    last_modified: str | None = None  #: as sent, an HTTP date
    ranges: bool = False  #: the server has served a range, or says that it would
    digests: Mapping[str, str] = field(default_factory=dict)  #: multihash in hex by name, as the server sent them
    version: str | None = None  #: an object's version id, where the store keeps versions
    quota_reset: float | None = None  #: seconds until the server answers again, where this answer used up a quota
    encoding: str | None = None  #: the ``Content-Encoding`` of the body: ``size`` and ``digests`` are of encoded bytes
    file_name: str | None = None  #: as the server gives it, without folders; not safe for every system yet
    cost: int | None = None  #: bytes that the transport has read to make this file, where it does not pass on a body

    @property
    def validator(self) -> str | None:
        """The mark of this version: a strong ETag, else the modification date (RFC 9110, section 13)."""
        if self.etag and not self.etag.startswith("W/"):
            return self.etag
        return self.last_modified

    def same_version(self, other: RemoteInfo) -> bool:
        """Whether two answers can be about one version of the file: no size or validator that both give differs."""
        # Servers leave out of one answer what they say in another, so what is missing proves nothing.
        if self.size is not None and other.size is not None and self.size != other.size:
            return False
        mine, theirs = self.validator, other.validator
        if mine and theirs and self.etag is None:  # what is known is a date
            theirs = other.last_modified or theirs
        return not (mine and theirs and mine != theirs)


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ReadRequest:
    """One read of a remote file.

    ``headers`` are credentials for the origin of ``href`` alone: a transport drops all of them when a redirect
    leaves that origin. ``steps`` has the credentials for the origins that the user has listed; a transport that follows
    redirects may send them there. ``start`` and ``stop`` ask for a range; ``(0, None)`` asks for the whole file in a
    way that also finds out whether ranges are served. ``pinned`` is the version that the answer must belong to.
    """

    href: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    start: int = 0
    stop: int | None = None
    pinned: RemoteInfo | None = None
    unless: str | None = (
        None  #: a validator: raise ``NotModifiedError`` when it still holds (a transport may ignore it)
    )
    steps: StepCredentials | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallBody:
    """A whole remote file, where it is small: what :class:`~splashdown.protocols.SupportsReadSmall` returns."""

    info: RemoteInfo
    data: Buffer = field(repr=False)  #: all of it, valid until the same thread reads again


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A piece of one file: ``number`` counts from 1 without gaps, ``stop`` is ``None`` where the end is unknown."""

    number: int
    start: int
    stop: int | None

    @property
    def size(self) -> int | None:
        """Bytes in the part, where its end is known."""
        return None if self.stop is None else self.stop - self.start


@dataclass(frozen=True, slots=True, kw_only=True)
class PartPolicy:
    """The rules by which a file is cut for a sink.

    Every part but the last has at least ``min_size`` and at most ``max_size`` bytes and is a multiple of
    ``align``; a file has at most ``max_parts`` parts. ``buffered`` sinks hold a part in memory before they
    send it (object stores); the others write each chunk in its place as it comes.
    """

    min_size: int = 1
    max_size: int | None = None
    max_parts: int | None = None
    align: int = 1
    buffered: bool = False


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Content:
    """An object about to be stored, described for the sink before the first byte."""

    size: int | None = None
    media_type: str | None = None
    checksum: str | None = None  #: the multihash (hex) that the bytes must have; in ``put_whole``, what they have
    source: str = ""  #: item and key of the asset; never an href
    replace: bool = True  #: whether an object of this name may be replaced
    durable: bool = False  #: whether the bytes must have reached stable storage when ``commit`` returns
    recorded: bool = True  #: whether the caller keeps a record, from which a later process goes on with it or aborts it


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Upload:
    """A store operation under way. ``token`` belongs to the sink; it is JSON-safe and holds no secrets."""

    key: str
    token: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPart:
    """A part that the sink has stored, with the tag that it returned."""

    part: Part
    tag: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfinished:
    """An upload, begun by any process, that is neither committed nor aborted."""

    upload: Upload
    begun: float | None = None  #: when it was last known to be under way, seconds since the epoch
    size: int | None = None  #: bytes that it holds


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Stored:
    """An object that a sink holds under a key."""

    size: int
    checksum: str | None = None  #: multihash in hex, where the sink knows it without reading the object
    location: str = ""  #: path or URL, for people
    modified: float | None = None  #: when the object was last written, seconds since the epoch
    version: str | None = (
        None  #: a mark that another one takes the place of when the object is written: an ETag, a time
    )


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ResultSet:
    """The result of a resolver: assets, the document that lists them, and how to renew their hrefs.

    ``items`` are the item documents below the root (empty where the root document has all assets), or the features
    of an item collection; ``document`` then leaves them out, because they may be too many for memory.
    ``signer`` gives credentials for the origin they belong to. ``transport`` returns the transport for an href that
    only the source's own client can read, and ``None`` for any other href; its users do not close it. ``refresh``
    reads the source again when signed hrefs have expired; ``expires`` is when they will, in seconds since the epoch.
    """

    id: str
    kind: str  #: ``job``, ``item``, ``collection``, ``catalog``, ``items``, ``several``, or a word of the resolver
    assets: Sequence[Asset]
    document: Mapping[str, Any] = field(repr=False)
    href: str | None = None  #: where the document was read, absolute; ``None`` for a document in memory
    items: Sequence[Mapping[str, Any]] = field(default=(), repr=False)
    warnings: tuple[str, ...] = ()
    signer: Signer | None = field(default=None, repr=False)
    transport: Callable[[str], Transport | None] | None = field(default=None, repr=False)
    refresh: Callable[[], ResultSet] | None = field(default=None, repr=False)
    expires: float | None = None
    members: Sequence[Member] = ()  #: the united sources, where several were opened together
    narrowed: tuple[str, ...] = ()  #: options that selected a part of the source
    from_public_web: bool = False  #: read from a public address: its hrefs lead to no private one
    unresolved: tuple[str, ...] = ()  #: a line for each source or linked document that could not be read
    #: by the identities of assets that are a part of a file: name and size of that file
    origins: Mapping[tuple[str | None, str], tuple[str, int]] = field(
        default_factory=lambda: _EMPTY_ORIGINS, repr=False
    )

    @property
    def parts(self) -> Sequence[Member]:
        """The members; a source that was opened alone is its own only member."""
        return self.members or (Member(folder="", results=self),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One of several sources that were opened together: its results, and the folder that they get in a target.

    An asset of the united set has the folder before its item's id, so that ``(item, key)`` stays unique there. A
    source that was opened alone is its own only member, and has no folder.
    """

    folder: str  #: one segment of a path; empty for a source that was opened alone
    results: ResultSet

    @property
    def prefix(self) -> str:
        """The start of this member's names in the target: empty, or the folder with a slash."""
        return f"{self.folder}/" if self.folder else ""

    def united_asset(self, asset: Asset) -> Asset:
        """An asset of this member's own results, as it is in the united set."""
        return replace(asset, item=self._united(asset.identity)[0]) if self.folder else asset

    def own_assets(self, chosen: Sequence[Asset]) -> list[tuple[Asset, Asset]]:
        """Those of the chosen assets that belong to this member, each with the member's own view of it."""
        if not self.folder:
            return [(asset, asset) for asset in chosen]
        own = {self._united(asset.identity): asset for asset in self.results.assets}
        return [(asset, own[asset.identity]) for asset in chosen if asset.identity in own]

    def own_outcomes(self, outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
        """The outcomes of this member, with its own assets and with names relative to its folder."""
        if not self.folder:
            return outcomes
        own = {self._united(asset.identity): asset for asset in self.results.assets}
        return [
            replace(outcome, transfer=replace(outcome.transfer, asset=own[outcome.asset.identity], name=name))
            for outcome in outcomes
            if (name := outcome.transfer.name.removeprefix(self.prefix)) != outcome.transfer.name
        ]

    def united_records(self, records: Mapping[str, StoredRecord]) -> Mapping[str, StoredRecord]:
        """The records of this member's receipt, with names and identities as in the united set: these where equal."""
        if not self.folder and all(record.identity and record.identity[0] != "" for record in records.values()):
            return records
        return {
            self.prefix + name: replace(record, identity=self._united(record.identity))
            for name, record in records.items()
        }

    def own_records(self, records: Mapping[str, StoredRecord]) -> dict[str, StoredRecord]:
        """The reverse: the records of this member, as its own receipt has them."""
        return {
            name.removeprefix(self.prefix): replace(record, identity=self._own(record.identity))
            for name, record in records.items()
            if name.startswith(self.prefix)
        }

    def _united(self, identity: tuple[str | None, str] | None) -> tuple[str | None, str]:
        item, key = identity or (None, "")
        return (self.prefix + item if item is not None else self.folder) or None, key

    def _own(self, identity: tuple[str | None, str] | None) -> tuple[str | None, str]:
        item, key = identity or (None, "")
        bare = (item or "").removeprefix(self.prefix)
        return (None if bare == self.folder else bare) or None, key


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class StoredRecord:
    """A file in the target as the receipt of an earlier run describes it."""

    size: int
    checksum: str | None = None  #: multihash in hex of what was stored
    validator: str | None = None  #: validator of the remote version that was stored
    identity: tuple[str | None, str] | None = None  #: the asset's ``(item, key)``
    written_at: float | None = None  #: when the receipt recorded it, seconds since the epoch
    ours: bool = True  #: false for a file that Splashdown did not create: receipts list it, later runs leave it alone
    version: str | None = None  #: the sink's mark of the file as it was stored, see :class:`Stored`
    source_mark: str | None = None  #: a digest of what the metadata said of the file, where they promise no checksum
    #: what the metadata promise of the format, where the record comes from a receipt; the file is the same without it
    media_type: str | None = field(default=None, compare=False)


class IfExists(StrEnum):
    """The rule for a name under which the target already holds something."""

    AUTO = "auto"  #: keep complete files, replace own stale files, refuse to replace a third party's
    SKIP = "skip"  #: keep whatever is there
    OVERWRITE = "overwrite"
    ERROR = "error"
    RENAME = "rename"  #: store under a free name


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """One asset and the name it will have in the target: a relative POSIX path, unique in its plan."""

    asset: Asset
    name: str
    if_exists: IfExists = IfExists.AUTO


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Skipped:
    """An asset that is not moved, and why."""

    asset: Asset
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Plan:
    """All transfers of a run, decided before the first byte. ``target`` is the path or URL of a folder."""

    target: str
    transfers: Sequence[Transfer]  #: a tuple, or for very many assets a sequence that creates them on access
    skipped: tuple[Skipped, ...] = ()
    source: str = ""  #: the source without secrets; part of every transfer's identity
    documents: tuple[str, ...] = ()  #: names of the metadata documents that are written after the files

    @property
    def known_size(self) -> int:
        """Bytes to move, as far as the metadata gives sizes."""
        return sum(filter(None, columns(self.transfers, "asset.size")))

    def __repr__(self) -> str:
        target = redact_target(self.target)
        return f"<Plan of {len(self.transfers)} files for {target!r}, {len(self.skipped)} assets left out>"

    def _repr_html_(self) -> str:
        """The plan in a notebook, as a table."""
        from splashdown._display.values import plan_html

        return plan_html(self)


class Status(StrEnum):
    """The end of a transfer."""

    STORED = "stored"
    SKIPPED = "skipped"
    FAILED = "failed"
    NOT_TRIED = "not_tried"  #: the run ended before the asset was complete: an earlier failure, a signal


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Outcome:
    """The result for one asset."""

    transfer: Transfer
    status: Status
    location: str = ""  #: path or URL of the stored file
    size: int | None = None
    checksum: str | None = None  #: multihash in hex of the stored bytes
    verified: tuple[str, ...] = ()  #: the checks that passed: ``size``, ``checksum``, ``digest``, ...
    validator: str | None = None  #: validator of the remote version, for the next run
    bytes_moved: int = 0  #: bytes that came over the wire in this run, repeats included
    attempts: int = 0
    seconds: float = 0.0
    error_type: str = ""
    error: str = ""
    reason: str = ""  #: why it was skipped
    ours: bool = True  #: false for a file of a third party that was kept unread
    version: str | None = None  #: the sink's mark of the stored file, for the next run
    source_mark: str | None = None  #: a digest of what the metadata say of the file, for the next run

    @property
    def asset(self) -> Asset:
        """The asset of the transfer."""
        return self.transfer.asset


_LANDED = frozenset({Status.STORED, Status.SKIPPED})


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class RunReport:
    """The outcome of every asset of a plan, in the plan's order."""

    plan: Plan
    outcomes: Sequence[Outcome]  #: in the order of the plan's transfers
    seconds: float = 0.0
    unwritten: str = ""  #: why the metadata document could not be written, where that is so
    interrupted: str = ""  #: what ended the run early: ``SIGINT``, ``SIGTERM``, ``break`` for a loop that was left
    stopped: str = ""  #: why the rest was not tried, where the same failure had come again and again
    #: Exit codes of ``--exec`` by the name of the file.
    commands: Mapping[str, int] = field(default_factory=dict, repr=False)

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """The outcomes that failed."""
        return self._with(Status.FAILED)

    @property
    def not_tried(self) -> tuple[Outcome, ...]:
        """The outcomes of assets that the run did not come to."""
        return self._with(Status.NOT_TRIED)

    @property
    def landed(self) -> Sequence[Outcome]:
        """The outcomes that are at their destination, whether moved now or found complete."""
        # Neither a generator nor a function of ours, which would cost a call for each outcome, several times a run.
        at = array("l", compress(count(), map(_LANDED.__contains__, self._statuses)))
        return take(self.outcomes, at)

    @property
    def ok(self) -> bool:
        """Whether everything landed, the metadata document is written where one was wanted, and no command failed."""
        return not self.unwritten and not any(self.commands.values()) and all(map(_LANDED.__contains__, self._statuses))

    @property
    def bytes_moved(self) -> int:
        """Bytes that came over the wire."""
        return sum(columns(self.outcomes, "bytes_moved"))

    @property
    def counts(self) -> str:
        """The outcomes in words: ``1 of 3 assets failed, 1 landed``, or ``2 of 3 assets landed, 1 not tried``."""
        counts = Counter(self._statuses)
        every, kept = len(self.outcomes), counts[Status.SKIPPED]
        failed, landed = counts[Status.FAILED], counts[Status.STORED]
        of_all = f"of {every} {'asset' if every == 1 else 'assets'}"
        said = [f"{failed} {of_all} failed"] if failed else [f"{landed} {of_all} landed"]
        said += [f"{landed} landed"] if failed and landed else []
        said += [f"{kept} {'was' if kept == 1 else 'were'} there already"] if kept else []
        said += [f"{counts[Status.NOT_TRIED]} not tried"] if counts[Status.NOT_TRIED] else []
        return ", ".join(said)

    def _with(self, wanted: Status) -> tuple[Outcome, ...]:
        return tuple(self.outcomes[n] for n, status in enumerate(self._statuses) if status is wanted)

    @property
    def _statuses(self) -> Iterator[Status]:
        return columns(self.outcomes, "status")

    def __repr__(self) -> str:
        failed = len(self.failed)
        return f"<RunReport of {len(self.outcomes)} files for {redact_target(self.plan.target)!r}, {failed} failed>"

    def _repr_html_(self) -> str:
        """The report in a notebook, as a table."""
        from splashdown._display.values import report_html

        return report_html(self)
