"""One asset: is it there already, can the store copy it by itself, else attempts until one succeeds."""

from __future__ import annotations

from dataclasses import replace

from splashdown._engine.attempt import Attempt
from splashdown._engine.context import Context
from splashdown._engine.copies import content_of, copied
from splashdown._engine.elsewhere import from_elsewhere
from splashdown._engine.existing import UNCHANGED, Verdict, decide, stored_or_none
from splashdown._engine.restart import with_restarts
from splashdown._engine.retry import StoppedError, host_of
from splashdown._engine.same_url import duplicate, stored_stream
from splashdown._engine.small import Handover, Step
from splashdown._engine.source import Source
from splashdown._foreign.calls import raised_in
from splashdown._receipts.source_mark import source_mark
from splashdown.checksums import comparable, same, understood
from splashdown.errors import ChecksumError, ExistsError, NotModifiedError, SplashdownError, TransferError, error_text
from splashdown.events import TransferFinished
from splashdown.model import Asset, Content, IfExists, Outcome, Status, Stored, StoredRecord, Transfer
from splashdown.protocols import SupportsServerSideCopy
from splashdown.redact import redact_text, secrets_of


def move(context: Context, transfer: Transfer, straight: Step | None = None, first: Outcome | None = None) -> Outcome:
    """Move one asset; whatever goes wrong is in the outcome. ``straight`` is asked first.

    ``first`` is the outcome of another asset with the same URL, whose file is in the target.
    """
    source: Source | None = None
    try:
        handover = None if straight is None or first is not None else straight(transfer)
        if isinstance(handover, Outcome):
            return handover
        source = Source(transfer, context.remote, events=context.events, stop=context.stop, rate=context.rate)
        context.under_way.add(source)
        outcome = _move(context, source, handover, first)
    except BaseException as error:  # on a thread of the engine no signal arrives: whatever comes is of this asset
        status = Status.NOT_TRIED if isinstance(error, StoppedError) else Status.FAILED
        context.breaker.failed(host_of(transfer.asset.href), error)
        source = source or Source(transfer, context.remote, events=context.events, stop=context.stop, rate=context.rate)
        outcome = source.outcome(
            transfer=transfer, status=status, error_type=type(error).__name__, error=_message(error, source)
        )
    context.under_way.discard(source)
    if context.events.active:
        context.events.emit(TransferFinished(outcome=outcome))
    return outcome


def _move(context: Context, source: Source, handover: Handover | None, first: Outcome | None) -> Outcome:
    verdict = decide(context, source.transfer) if handover is None else handover.verdict
    if handover is not None:
        source.begun = handover.begun
        if handover.first is not None:
            source.first, source.attempts = handover.first, 1
    if verdict.keep:
        return _skipped(source, verdict, verdict.keep)
    source.unless = verdict.unless
    try:
        if first is not None:
            if (shared := duplicate(context, source.transfer, verdict, first)) is not None:
                return shared
            source.first = stored_stream(context, source.transfer, verdict, first)
        if (copied := _copied_in_store(context, source, verdict)) is not None:
            return copied
        return _attempted(context, source, verdict)
    except NotModifiedError:
        return _skipped(source, verdict, UNCHANGED)
    except ExistsError:
        # The sink cannot say what is there, or another program was faster: found out only when the file got its name.
        if source.transfer.if_exists is not IfExists.SKIP:
            raise
        return _skipped(source, replace(verdict, ours=False), "there already")


def _attempted(context: Context, source: Source, verdict: Verdict) -> Outcome:
    """Move the file by its href, or by another one that the metadata have."""

    def attempt(source: Source) -> Outcome:
        return with_restarts(source, lambda: Attempt(context, source, verdict).run())

    try:
        return attempt(source)
    except Exception as error:
        if "alternate" not in source.asset.metadata:
            raise
        return from_elsewhere(context, source, error, attempt)


def _copied_in_store(context: Context, source: Source, verdict: Verdict) -> Outcome | None:
    """Let the store copy by itself where it can; the bytes do not come through this machine."""
    sink, asset = context.can.copy, source.asset
    # Where a validator may still hold, a request with a condition is cheaper than a copy.
    if verdict.unless or sink is None or source.first is not None:
        return None
    content = content_of(context, asset, verdict, size=asset.size, checksum=asset.checksum)
    stored = _noted_copy(context, sink, asset, verdict.name, content)
    if stored is None:  # the store cannot, or will not
        return None
    try:
        verified = _check_copy(context, asset, stored)
    except ChecksumError as error:
        context.memory.unstored(verdict.name)
        raise ChecksumError(f"{error}; {_remove_copy(context, verdict.name)}") from error
    return source.outcome(
        transfer=verdict.renamed(source.transfer),
        status=Status.STORED,
        location=stored.location,
        size=stored.size,
        checksum=stored.checksum,
        verified=verified,
        version=stored.version,
        source_mark=source_mark(asset),
    )


def _noted_copy(
    context: Context, sink: SupportsServerSideCopy, asset: Asset, name: str, content: Content
) -> Stored | None:
    """Copy what the sink has found at the source, and note what it was when that differs from what was found."""
    found = stored_or_none(sink.copy_source(asset.href), sink.copy_source)
    if found is None:
        return None
    record = StoredRecord(size=found.size, checksum=found.checksum, identity=asset.identity)
    stored = copied(context, name, record, sink.copy_from, asset.href, name, content)
    if stored is None:
        return None
    actual = replace(record, size=stored.size, checksum=stored.checksum)
    if actual != record:  # the source has changed since it was looked at, or only the copy has a checksum
        context.memory.storing({name: actual})
    return stored


def _check_copy(context: Context, asset: Asset, stored: Stored) -> tuple[str, ...]:
    if not context.settings.verify:
        return ()
    verified = []
    if asset.size is not None:
        if stored.size != asset.size:
            raise ChecksumError(f"{asset.label}: the store copied {stored.size} bytes, file:size says {asset.size}")
        verified.append("size")
    wanted, found = asset.checksum, stored.checksum
    # A store has its own kind of checksum; one of another kind neither proves nor disproves anything.
    if wanted and found and understood(wanted) and comparable(wanted, found):
        if not same(found, wanted):
            raise ChecksumError(f"{asset.label}: the store's copy has another checksum than file:checksum")
        verified.append("checksum")
    return tuple(verified)


def _remove_copy(context: Context, name: str) -> str:
    """Remove a wrong copy, which a store shows at once; what became of it, for the message."""
    if context.can.delete is not None:
        try:
            context.can.delete.delete(name)
        except BaseException as error:
            return f"the copy could not be removed, do not use it ({error_text(error)})"
        return "the copy was removed"
    return "the copy is still there, do not use it: this store cannot remove it"


def _skipped(source: Source, verdict: Verdict, reason: str) -> Outcome:
    return source.outcome(**verdict.kept(source.transfer, reason))


def _message(error: BaseException, source: Source) -> str:
    """The error's message without signatures: a plugin's own exception may quote the href that it was given."""
    known = secrets_of(source.asset.href) | secrets_of(source.transfer.asset.href)
    text = " ".join(str(error).split()) or type(error).__name__
    if not isinstance(error, SplashdownError | OSError):
        text += raised_in(error)
    message = redact_text(text, known)
    return message if isinstance(error, TransferError) else f"{source.asset.label}: {message}"
