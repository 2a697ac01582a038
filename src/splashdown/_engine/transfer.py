"""One asset from its first request to its name in the target."""

from __future__ import annotations

import time
from dataclasses import replace as altered

from splashdown._engine.context import Context
from splashdown._engine.retry import RestartError
from splashdown._engine.skip import Verdict, decide
from splashdown._engine.source import Reader, Source
from splashdown._engine.verify import Expectation
from splashdown.errors import NotModifiedError, StoreError, TransferError, describe
from splashdown.events import TransferFinished, TransferStarted
from splashdown.model import Content, Outcome, Part, Status, Transfer, Upload
from splashdown.redact import redact


def move(context: Context, number: int, transfer: Transfer) -> Outcome:
    """Move one asset; whatever goes wrong is in the outcome."""
    begun = time.perf_counter()
    source = Source(context, transfer)
    try:
        outcome = _move(context, number, source)
    except Exception as error:
        outcome = Outcome(
            transfer=transfer, status=Status.FAILED, error_type=type(error).__name__, error=_text(error, source)
        )
    source.forget()
    outcome = altered(outcome, attempts=source.attempts, bytes_moved=source.moved, seconds=time.perf_counter() - begun)
    if context.events.active:
        context.events.emit(TransferFinished(outcome=outcome))
    return outcome


def _move(context: Context, number: int, source: Source) -> Outcome:
    verdict = decide(context, source.transfer)
    if verdict.keep:
        return _kept(source, verdict, verdict.keep)
    source.unless = verdict.unless
    forgiven = False
    while True:
        try:
            return _attempt(context, number, source, verdict)
        except NotModifiedError:
            return _kept(source, verdict, "not changed since it was stored")
        except RestartError as restart:
            if not restart.retries and forgiven:
                raise restart.cause from restart
            forgiven = forgiven or not restart.retries
            source.ranges = source.ranges and restart.ranges
            source.forget()


def _attempt(context: Context, number: int, source: Source, verdict: Verdict) -> Outcome:
    """One pass from the first byte; raises ``RestartError`` when another should follow."""
    reader = Reader(source, budget=source.budget)
    info = reader.open()
    expected = Expectation(source.asset, info, context.settings)
    if context.events.active:
        context.events.emit(TransferStarted(transfer=source.transfer, size=info.size))
    content = Content(
        size=info.size,
        media_type=source.asset.media_type or info.media_type,
        checksum=source.asset.checksum,
        source=source.asset.label,
        replace=verdict.replace,
        durable=context.settings.fsync,
    )
    upload = context.sink.begin(verdict.name, content)
    context.active[number] = upload
    try:
        digests = expected.digests()
        reader.update = digests.update if digests else None
        tag = context.sink.put_part(upload, Part(number=1, start=0, stop=info.size), reader.chunks(info.size))
        reader.finish()
        verified = expected.check(reader.pos, digests)
        location = context.sink.commit(upload, [tag])
    except BaseException:
        _abort(context, upload)
        raise
    finally:
        del context.active[number]
    return Outcome(
        transfer=_named(source.transfer, verdict.name),
        status=Status.STORED,
        location=location,
        size=reader.pos,
        checksum=digests.multihash,
        verified=verified,
        validator=info.validator,
    )


def _kept(source: Source, verdict: Verdict, reason: str) -> Outcome:
    stored = verdict.stored
    return Outcome(
        transfer=_named(source.transfer, verdict.name),
        status=Status.SKIPPED,
        location=stored.location if stored else "",
        size=stored.size if stored else None,
        checksum=verdict.checksum,
        verified=verdict.verified,
        validator=verdict.unless,
        reason=reason,
    )


def _named(transfer: Transfer, name: str) -> Transfer:
    return transfer if transfer.name == name else altered(transfer, name=name)


def _abort(context: Context, upload: Upload) -> None:
    try:
        context.sink.abort(upload)
    except Exception as error:
        raise StoreError(f"could not clean up after {upload.key!r}: {describe(error)}") from error


def _text(error: Exception, source: Source) -> str:
    """The error's text. A plugin's own exception may quote the href it was given; that must not be shown."""
    text = " ".join(str(error).split()) or type(error).__name__
    for href in {source.asset.href, source.transfer.asset.href}:
        text = text.replace(href, redact(href))
    return text if isinstance(error, TransferError) else f"{source.asset.label}: {text}"
