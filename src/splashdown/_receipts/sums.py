"""``SHA256SUMS`` of a target, for ``sha256sum -c``: the checksums of all files that receipts describe, and of those.

It is written on request and for other programs. This one decides nothing by it but whether to remove it: a run that
changed the target leaves none that is out of date.
"""

from __future__ import annotations

import hashlib
import logging
import posixpath
from collections.abc import Iterable, Mapping

from splashdown._receipts import document as receipt
from splashdown._receipts.names import SUMS
from splashdown._receipts.stored_bytes import read_bytes
from splashdown.checksums import Multihash, sha256_of
from splashdown.errors import ExistsError, SplashdownError, TargetError, error_text
from splashdown.protocols import Sink, SupportsList, SupportsRead

_log = logging.getLogger("splashdown")

#: The first line: programs that read such files take it for a comment, and this one for its own.
_FIRST = b"# written by splashdown verify --write-sums\n"
_SHA256 = 0x12
_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r"})


def write_sums(sink: Sink, checksums: Mapping[str, str | None], documents: Iterable[str]) -> str:
    """Write the checksums of files (multihashes by name) and receipts; returns where.

    Files whose multihash is of another function, or ``None``, are read. Raises ``ExistsError`` where the name is taken
    by a file that this did not write.
    """
    if not isinstance(sink, SupportsRead):
        raise TargetError(f"{SUMS} needs a target that can be read")
    there = read_bytes(sink, SUMS)
    if there is not None and not there.startswith(_FIRST):
        raise ExistsError(f"{SUMS} in the target is not of this program: move it away, it was not changed")
    digests = {name: _sha256(checksum) or _read(sink, name) for name, checksum in checksums.items()}
    digests |= {name: _read(sink, name) for name in documents}
    lines = [_line(digest, name) for name, digest in sorted(digests.items())]
    data = _FIRST + "".join(lines).encode(errors="surrogateescape")
    return receipt.store_bytes(sink, SUMS, data, "text/plain")


def drop_sums(sink: Sink, documents: Iterable[str], *, changed: bool) -> None:
    """Remove the checksums where files have changed, or one of the receipts is another one now.

    A file of that name that this did not write stays. What has stored files does not fail for it.
    """
    if not isinstance(sink, SupportsRead) or not isinstance(sink, SupportsList):
        return
    try:
        there = read_bytes(sink, SUMS)
        if there is None or not there.startswith(_FIRST):
            return
        if changed or not all(_line(_read(sink, name), name).encode() in there for name in documents):
            sink.delete(SUMS)
    except (OSError, SplashdownError) as error:  # a link of that name, for one, is not ours
        _log.warning("%s in the target may be out of date: %s", SUMS, error_text(error))


def _line(digest: str, name: str) -> str:
    """A line as coreutils write it: a backslash before it says that there are some in the name."""
    shown = name if name != "-" else posixpath.join(".", name)  # that alone is standard input
    escaped = shown.translate(_ESCAPES)
    return f"{'' if escaped == shown else chr(92)}{digest}  {escaped}\n"


def _sha256(checksum: str | None) -> str | None:
    try:
        found = Multihash.parse(checksum or "")
    except ValueError:
        return None
    return found.digest.hex() if found.code == _SHA256 and len(found.digest) == hashlib.sha256().digest_size else None


def _read(sink: SupportsRead, name: str) -> str:
    with sink.read(name) as chunks:
        return Multihash.parse(sha256_of(chunks)).digest.hex()
