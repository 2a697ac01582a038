"""The decision about a name that is taken in the target: keep, replace, refuse or rename. It is made before reading.

A stored file counts as complete by its size and checksum, or by the validator that was recorded when it was stored;
never by its name alone.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import replace as altered
from typing import Any

from splashdown._engine.context import Context
from splashdown._foreign.calls import wrong_type
from splashdown._receipts.source_mark import decoded_mark, source_mark
from splashdown.checksums import comparable, hash_of, same
from splashdown.errors import ExistsError
from splashdown.model import Asset, IfExists, Status, Stored, StoredRecord, Transfer
from splashdown.redact import safely_shown

#: So many names beside one that is taken are tried; each costs a request where the target is a store.
_MOST_NAMES = 10_000
#: Who replaces a file that comes to be there after the decision; a sink that cannot say what is there can still refuse.
_REPLACING = frozenset({IfExists.OVERWRITE, IfExists.AUTO, IfExists.SKIP})
_REPLACING_UNSEEN = frozenset({IfExists.OVERWRITE, IfExists.AUTO})
#: Why a file is kept whose validator still holds, by the server's word.
UNCHANGED = "not changed since it was stored"


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Verdict:
    """``keep`` says why nothing has to be moved; else the name to store under and how."""

    name: str
    keep: str = ""
    stored: Stored | None = None  #: what is there
    checksum: str | None = None  #: of what is there, where it is known
    verified: tuple[str, ...] = ()
    replace: bool = True
    unless: str | None = None  #: what is there is complete as long as the server says that this validator holds
    ours: bool = True  #: whether what is kept was stored by us, or is the asset for sure
    version: str | None = None  #: the sink's mark of what is there, where that was compared
    source_mark: str | None = None  #: what the metadata said of what is there

    def renamed(self, transfer: Transfer) -> Transfer:
        """The transfer with the name that was chosen."""
        return transfer if transfer.name == self.name else altered(transfer, name=self.name)

    def kept(self, transfer: Transfer, reason: str) -> dict[str, Any]:
        """The facts for the outcome of a transfer that was not necessary."""
        stored = self.stored
        return {
            "transfer": self.renamed(transfer),
            "status": Status.SKIPPED,
            "location": stored.location if stored else self.name,  # no more is known where the sink has no stat()
            "size": stored.size if stored else None,
            "checksum": self.checksum,
            "verified": self.verified,
            "validator": self.unless,
            "reason": reason,
            "ours": self.ours,
            "version": self.version,
            "source_mark": self.source_mark,
        }


def decide(context: Context, transfer: Transfer, *, wait: bool = True) -> Verdict:
    """Decide about one transfer; with ``wait`` not before another run has stored a file of this name.

    Raises ``ExistsError`` where what is there must not be touched.
    """
    stat, policy, name = context.can.stat, transfer.if_exists, transfer.name
    if wait:
        context.journal.wait_for_others(name, lambda seconds: _has_ended(context, name, seconds))
    there = _there(context, transfer)
    if there is None or stat is None:
        return _untaken(context, transfer)
    verdict = judge(context, transfer, there)
    if verdict.keep or verdict.unless:
        return verdict
    # Another run may have stored it since this one looked.
    if policy is IfExists.AUTO and context.memory.look_again(name, context.stop.wait):
        there = stat.stat(name) or there
        verdict = _compare(context, transfer.asset, name, there)
        if verdict.keep or verdict.unless:
            return verdict
    if policy is IfExists.RENAME:
        return _renamed(context, transfer)
    if policy is IfExists.AUTO and name in context.memory.recorded:
        # An older version of the same asset is replaced: that is what a later run is for.
        other = context.memory.recorded[name].identity
        if other is None or _may_be_one(other, transfer.asset.identity):
            return verdict
        raise ExistsError(
            f"{there.location or name} exists and is another asset ({'/'.join(filter(None, other))}): give each asset"
            " a name of its own (--layout by-item), or choose --if-exists overwrite, skip or rename, or another target"
        )
    raise ExistsError(
        f"{there.location or name} exists and was not recognised as this asset; choose --if-exists overwrite, skip or"
        " rename, or another target"
    )


def decide_at_once(context: Context, transfer: Transfer) -> Verdict | None:
    """The same without waiting for another run or reading what is there; ``None`` where that may be needed."""
    if context.journal.is_awaited(transfer.name):
        return None
    there = _there(context, transfer)
    if there is None:
        return _untaken(context, transfer)
    if transfer.name not in context.listed:
        return None
    verdict = judge(context, transfer, there, read=False)
    return verdict if verdict.keep or verdict.unless else None


def _untaken(context: Context, transfer: Transfer) -> Verdict:
    """The decision about a name that is free, or may be replaced whatever is there."""
    replacing = _REPLACING if context.can.stat else _REPLACING_UNSEEN
    return Verdict(name=transfer.name, replace=transfer.if_exists in replacing)


def _there(context: Context, transfer: Transfer) -> Stored | None:
    """What has the name of a file now, where that matters and the sink can say it."""
    stat = context.can.stat
    if transfer.if_exists is IfExists.OVERWRITE or stat is None:
        return None
    found = context.listed.get(transfer.name) or stat.stat(transfer.name)
    return found if found is None else stored_or_none(found, stat.stat)


def stored_or_none(found: object, call: Callable[..., object]) -> Stored | None:
    """The answer of a sink. Raises ``PluginError``, which names the method, for anything else."""
    if found is not None and not isinstance(found, Stored):
        raise wrong_type(found, Stored | None, call)
    return found


def judge(context: Context, transfer: Transfer, there: Stored, *, read: bool = True) -> Verdict:
    """Whether what is there may stay. Without ``read`` no bytes are read: ``keep`` may be missing that would be there.

    It is not for a transfer that overwrites whatever is there.
    """
    if transfer.if_exists is IfExists.SKIP:
        return _kept_unread(context, transfer.asset, transfer.name, there)
    return _compare(context, transfer.asset, transfer.name, there, read=read)


def _has_ended(context: Context, name: str, seconds: float) -> bool:
    """Wait; whether another run has meanwhile stored a file, or this one is to stop."""
    return context.memory.look_again(name, context.stop.wait) or context.stop.wait(seconds)


def _may_be_one(one: tuple[str | None, str], other: tuple[str | None, str]) -> bool:
    """Whether two identities may be one asset's: a document that was saved lists it without its item."""
    return one[1] == other[1] and (one[0] == other[0] or None in {one[0], other[0]})


def _kept_unread(context: Context, asset: Asset, name: str, there: Stored) -> Verdict:
    """Keep what is there without reading it; ours only where an earlier run recorded it."""
    record = _record_of(context, asset, name, there)
    if record is None:
        return Verdict(name=name, keep="there already", stored=there, checksum=there.checksum, ours=False)
    # Nothing was compared, so what was noted of the file stays as it is.
    return Verdict(
        name=name,
        keep="there already",
        stored=there,
        checksum=record.checksum,
        unless=record.validator,
        version=record.version,
        source_mark=record.source_mark,
    )


def _record_of(context: Context, asset: Asset, name: str, there: Stored) -> StoredRecord | None:
    """The record of an earlier run; none for a file that is another asset's or has another size now."""
    record = context.memory.recorded.get(name)
    if record is not None and (record.size != there.size or (record.identity or asset.identity) != asset.identity):
        return None
    return record


def _compare(context: Context, asset: Asset, name: str, there: Stored, *, read: bool = True) -> Verdict:
    """Whether what is there is the asset, for sure (``keep``), maybe (``unless``) or not."""
    record = _record_of(context, asset, name, there)
    different = Verdict(name=name, stored=there)
    # The cheapest check first: what has another size need not be read.
    if asset.size is not None and asset.size != there.size:
        return _was_decoded(asset, name, there, record) or different
    actual = there.checksum or _checksum_there(context, name, there, record, asset, read=read)
    if asset.checksum and actual:
        if not same(asset.checksum, actual):
            return _was_decoded(asset, name, there, record) or different
        checks = ("size", "checksum") if asset.size is not None else ("checksum",)
        as_stored = record is not None and record.checksum is not None and same(record.checksum, actual)
        return Verdict(
            name=name,
            keep="complete",
            stored=there,
            checksum=actual,
            verified=checks,
            unless=record.validator if record is not None and as_stored else None,  # it is of these bytes
            version=there.version,
        )
    if record is None or not _may_be_as_stored(record, there, actual):
        return different
    mark = source_mark(asset)
    trusted = context.settings.trust_metadata and mark is not None and mark == record.source_mark
    if record.validator is None and not trusted:
        return different
    # The metadata name no checksum, so only the server knows whether the file is still that version.
    return Verdict(
        name=name,
        keep="not changed, by its metadata" if trusted and _is_as_stored(record, there, actual) else "",
        stored=there,
        checksum=record.checksum,
        unless=record.validator,
        version=there.version,
        source_mark=mark,
    )


def _was_decoded(asset: Asset, name: str, there: Stored, record: StoredRecord | None) -> Verdict | None:
    """What may be the asset all the same: it was decoded when it was stored, and the metadata are of encoded bytes."""
    if (
        record is None
        or record.validator is None
        or record.source_mark is None
        or record.source_mark != decoded_mark(asset)
        or not _may_be_as_stored(record, there, there.checksum)
    ):
        return None
    return Verdict(
        name=name,
        stored=there,
        checksum=record.checksum,
        unless=record.validator,
        version=there.version,
        source_mark=record.source_mark,
    )


def _is_as_stored(record: StoredRecord, there: Stored, actual: str | None) -> bool:
    """Whether what is there is for sure what was stored."""
    return bool(record.checksum and actual and same(record.checksum, actual)) or _is_as_recorded(record, there)


def _may_be_as_stored(record: StoredRecord, there: Stored, actual: str | None) -> bool:
    """Whether nothing shows that what is there is not what was stored."""
    if record.checksum and actual:
        return same(record.checksum, actual)
    return record.version is None or there.version is None or record.version == there.version


def _checksum_there(
    context: Context, name: str, there: Stored, record: StoredRecord | None, asset: Asset, *, read: bool
) -> str | None:
    """The checksum of what is stored: from the receipt where the file was not written since, else by reading it."""
    wanted = asset.checksum or (record.checksum if record else None)
    if wanted is None:
        return None
    known = record.checksum if record is not None and _is_as_recorded(record, there) else None
    if known and (asset.checksum is None or comparable(known, asset.checksum)):
        return known
    # Reading back is cheap only where a sink writes in place; an object store would send everything over the wire.
    if not read or context.sink.parts.buffered or context.can.read is None:
        return None
    with context.can.read.read(name) as chunks:
        return hash_of(chunks, wanted)


def _is_as_recorded(record: StoredRecord, there: Stored) -> bool:
    """Whether a file was not written since it was recorded; by its age only where no version of it is known."""
    if record.version is not None and there.version is not None:
        return record.version == there.version
    return record.written_at is not None and there.modified is not None and there.modified <= record.written_at


def _renamed(context: Context, transfer: Transfer) -> Verdict:
    """A free name beside the one that is taken: ``name-1.ext``, ``name-2.ext``, ..."""
    stat = context.can.stat
    assert stat is not None
    stem, extension = posixpath.splitext(transfer.name)
    for number in range(1, _MOST_NAMES):
        name = f"{stem}-{number}{extension}"
        there = stat.stat(name)
        if there is not None:
            # An earlier run may have renamed this very asset: each run would add a copy otherwise.
            verdict = _compare(context, transfer.asset, name, there)
            if verdict.keep or verdict.unless:
                return verdict
            continue
        with context.names_lock:
            if name not in context.names and name not in context.claimed:
                context.claimed.add(name)
                return Verdict(name=name, replace=False)
    raise ExistsError(
        f"{transfer.name} and {_MOST_NAMES - 1} names beside it are taken; choose another target, or remove some files"
    )
