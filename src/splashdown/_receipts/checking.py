"""Checks a target against its receipts: what is missing, what changed, what is there besides.

Knows nothing of sources: years later there may be none. Reading is the sink's, digests are the engine's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from splashdown._display.text import counted
from splashdown._receipts.memory import read_target
from splashdown._receipts.names import COMPANIONS, HIDDEN, SIGNATURES, SUMS
from splashdown.actions import Checked, State, VerifyReport
from splashdown.checksums import hash_of, same
from splashdown.errors import ResolveError, SplashdownError, TargetError, error_text
from splashdown.formats import HEAD_BYTES, unlike_promise
from splashdown.model import Buffer, StoredRecord
from splashdown.protocols import Sink, SupportsList, SupportsRead, SupportsStat


def verify_target(sink: Sink, target: str, *, jobs: int = 8, read: bool = True) -> VerifyReport:
    """Check every file that a receipt below the target describes; with ``read=False`` by its size alone.

    Raises ``ResolveError`` where there is no receipt, and ``TargetError`` for a store that cannot be looked into.
    """
    if not isinstance(sink, SupportsStat):
        raise TargetError(f"what is in {target} cannot be looked at: its sink has no stat()")
    found = read_target(sink, everywhere=True)
    if not found.records:
        raise ResolveError(
            f"{target} holds no receipt that describes files: name a folder that splashdown download or sync wrote"
        )
    with ThreadPoolExecutor(jobs, thread_name_prefix="splashdown-verify") as pool:
        expected = sorted(found.records.items())
        files = list(pool.map(lambda each: check(sink, each[0], each[1], read=read), expected))
    # A killed run may have noted a file that did not get its name any more, or that a later run has removed.
    files = [one for one in files if one.state is not State.MISSING or one.name not in found.noted]
    others = _extra(sink, {*found.records, *found.documents})
    return VerifyReport(target=target, files=(*files, *others), documents=found.documents)


def check(sink: Sink, name: str, record: StoredRecord, *, read: bool = True) -> Checked:
    """Compare one file with its record."""
    stored = None
    try:
        stored = sink.stat(name) if isinstance(sink, SupportsStat) else None
        if stored is None:
            return Checked(name=name, state=State.MISSING, size=record.size)
        if stored.size != record.size:
            detail = f"{counted(stored.size, 'byte')}, {record.size} were stored"
            return Checked(name=name, state=State.CHANGED, size=stored.size, checked=("size",), detail=detail)
        digest, head = _read(sink, name, record) if read else (None, b"")
    except (OSError, SplashdownError) as error:
        return Checked(
            name=name, state=State.UNREADABLE, size=stored.size if stored else None, detail=error_text(error)
        )
    checked = ("size",) if digest is None else ("size", "checksum")
    if digest is not None and record.checksum and not same(digest, record.checksum):
        detail = "the checksum is another one"
        return Checked(name=name, state=State.CHANGED, size=stored.size, checked=checked, detail=detail)
    if read and (found := unlike_promise(record.media_type, name, head, stored.size)):
        # As it was stored: by a run that did not check, or by an earlier version that could not.
        detail = f"{found}; remove it and download it again, or keep it"
        return Checked(name=name, state=State.UNEXPECTED, size=stored.size, checked=checked, detail=detail)
    return Checked(name=name, state=State.OK, size=stored.size, checked=checked)


def _read(sink: Sink, name: str, record: StoredRecord) -> tuple[str | None, bytes]:
    """The digest of a file, where one was recorded, and its first bytes."""
    if not isinstance(sink, SupportsRead):
        return None, b""
    head = bytearray()

    def noted(chunks: Iterable[Buffer]) -> Iterator[Buffer]:
        for chunk in chunks:
            if len(head) < HEAD_BYTES:
                head.extend(memoryview(chunk)[: HEAD_BYTES - len(head)])
            yield chunk

    with sink.read(name) as chunks:
        if record.checksum is not None and (digest := hash_of(noted(chunks), record.checksum)) is not None:
            return digest, bytes(head)
        for _ in noted(chunks):
            if len(head) >= HEAD_BYTES:
                break
    return None, bytes(head)


#: What may be beside a receipt, and no receipt describes.
_BESIDE = frozenset((*COMPANIONS, SUMS, *SIGNATURES))


def _extra(sink: Sink, ours: set[str]) -> Iterable[Checked]:
    if not isinstance(sink, SupportsList):
        return
    for name, size in sorted(sink.list()):
        if name not in ours and name not in _BESIDE and not name.startswith(f"{HIDDEN}/"):
            yield Checked(name=name, state=State.EXTRA, size=size)
