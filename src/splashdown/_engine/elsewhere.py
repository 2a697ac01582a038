"""The other places of an asset (STAC extension "Alternate Assets"): tried when its href fails, where that is safe.

Safe is a file whose checksum the metadata promise: bytes that fit it are the right ones, wherever they come from.
Without a checksum the user has to trust the catalog (``trust_alternates``).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from splashdown._engine.context import Context
from splashdown._engine.retry import StoppedError
from splashdown._engine.source import Source
from splashdown._receipts.source_mark import source_mark
from splashdown.checksums import understood
from splashdown.errors import ExistsError, NoProviderError, NotModifiedError, StoreError, TransferError, error_text
from splashdown.events import Retried
from splashdown.model import Asset, Outcome
from splashdown.redact import redact

_log = logging.getLogger("splashdown")

#: Failures that another place of the same file cannot help.
_OF_TARGET = (StoppedError, NotModifiedError, ExistsError, StoreError)
#: Complete URLs of other machines. A document of the web must not lead to local files, and what is relative has no base
#: here.
_COMPLETE = re.compile(r"(?!file:)[a-z][a-z0-9+.-]*://[^\s\\]+", re.IGNORECASE)
_MOST = 8


def from_elsewhere(context: Context, source: Source, error: Exception, attempt: Callable[[Source], Outcome]) -> Outcome:
    """Move the asset from one of its other places. Raises the first error, with what became of the others in it."""
    if isinstance(error, _OF_TARGET) or not isinstance(error, TransferError | NoProviderError | OSError):
        raise error
    asset, said = source.transfer.asset, []
    for name, href in _others(context, source.asset):
        if context.stop.is_set():
            break
        _log.warning("%s: %s; going on with %s", asset.label, error_text(error), name)
        if context.events.active:
            context.events.emit(
                Retried(transfer=source.transfer, attempt=source.attempts, delay=0.0, error=error_text(error))
            )
        other = Source(
            replace(source.transfer, asset=replace(asset, href=href)),
            source.remote,
            events=source.events,
            stop=source.stop,
            renews=False,
            rate=source.rate,
        )
        try:
            outcome = attempt(other)
        except _OF_TARGET:
            raise
        except (TransferError, NoProviderError, OSError) as failure:
            said.append(f"{name} failed too ({redact(href)}: {error_text(failure)})")
            continue
        return replace(
            outcome,
            transfer=replace(outcome.transfer, asset=asset),
            source_mark=source_mark(asset),
            attempts=source.attempts + outcome.attempts,
            bytes_moved=source.moved + outcome.bytes_moved,
        )
    if said:
        raise _with(error, "; ".join(said)) from error
    raise error


def _others(context: Context, asset: Asset) -> Iterator[tuple[str, str]]:
    """Name and href of the other places of a file that the metadata say is the same."""
    settings, alternates = context.settings, asset.metadata.get("alternate")
    proven = settings.verify and understood(asset.checksum) is not None
    if not isinstance(alternates, Mapping) or not (proven or settings.trust_alternates):
        return
    found = [("its own href", asset.metadata), *((f"its alternate {name!r}", one) for name, one in alternates.items())]
    seen = {asset.href}
    for name, one in found[: _MOST + 1]:
        href = one.get("href") if isinstance(one, Mapping) else None
        if not isinstance(href, str) or href in seen or not _COMPLETE.fullmatch(href) or not _is_same(asset, one):
            continue
        seen.add(href)
        yield name, href


def _is_same(asset: Asset, other: Mapping[str, object]) -> bool:
    """Whether nothing that is said of another place shows that it holds another file."""
    size, checksum = other.get("file:size"), other.get("file:checksum")
    fits = size is None or asset.size is None or size == asset.size
    return fits and (
        checksum is None or asset.checksum is None or (isinstance(checksum, str) and checksum.lower() == asset.checksum)
    )


def _with(error: Exception, said: str) -> Exception:
    """The same error with more words; its type and what it carries stay."""
    error.args = (f"{error}; {said}", *error.args[1:])
    return error
