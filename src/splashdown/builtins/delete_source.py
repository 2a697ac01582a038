"""The action ``delete_source``: a move after proof.

It deletes at the source what is in the target, byte for byte, and nothing else. Both sides are read; lengths, names and
dates prove nothing.
"""

from __future__ import annotations

import os
import posixpath
import secrets
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from splashdown._foreign.calls import Closing
from splashdown._receipts.checking import check
from splashdown._receipts.document import put_object
from splashdown._receipts.memory import read_target
from splashdown.actions import Results, SourceDeletion, State
from splashdown.checksums import hash_of, same, sha256_of
from splashdown.errors import HttpStatusError, SplashdownError, UsageError, error_text
from splashdown.hookspecs import hookimpl
from splashdown.model import (
    Asset,
    Content,
    Part,
    Plan,
    ReadRequest,
    RemoteInfo,
    ResultSet,
    Skipped,
    StoredRecord,
    Transfer,
)
from splashdown.protocols import Sink, SupportsDelete, SupportsList, SupportsRead
from splashdown.redact import redact, safely_shown
from splashdown.sources import at_home, path_in_url, scheme_of
from splashdown.specs import ActionSpec

_LOCAL = frozenset({"", "file"})


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class DeleteOptions:
    """What ``delete_source`` takes besides the target."""

    below: str | None = field(
        default=None, metadata={"help": "Delete below this folder or URL alone; else below the source's document."}
    )
    confirm: Callable[[Sequence[str]], bool] | None = field(
        default=None, metadata={"python_only": "a function that gets the hrefs and says whether to delete them"}
    )
    jobs: int = field(default=8, metadata={"help": "Files at a time."})
    sink_options: Mapping[str, Any] = field(default_factory=dict)


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class _Proof:
    """One file at the source: why it stays, or the version that has the bytes of the target."""

    href: str
    why: str = ""
    version: RemoteInfo | None = None


def delete_source(results: Results, target: str | Path = ".", **given: Any) -> SourceDeletion:
    """Delete the selected files at their source that are in the target, by checksum.

    Raises ``UsageError`` where none of them can be deleted.
    """
    options = DeleteOptions(**given)
    plan = plan_delete(results, target, **given)
    left = {redact(one.asset.href): one.reason for one in plan.skipped}
    with Closing(results.session.sink(str(target), **options.sink_options)) as sink:
        proofs = _prove(results, sink, [one.asset for one in plan.transfers], options.jobs)
    left |= {redact(one.href): one.why for one in proofs if one.why}
    proven = [one for one in proofs if not one.why]
    if proven and options.confirm is not None and not options.confirm([redact(one.href) for one in proven]):
        left |= {redact(one.href): "its deletion was not confirmed" for one in proven}
        return SourceDeletion(target=str(target), left=left, declined=True)
    with ThreadPoolExecutor(options.jobs, "splashdown-delete") as pool:
        ends = list(pool.map(lambda one: _delete(results, one), proven))
    left |= {redact(one.href): why for one, why in zip(proven, ends, strict=True) if why}
    gone = tuple(redact(one.href) for one, why in zip(proven, ends, strict=True) if not why)
    return SourceDeletion(target=str(target), removed=gone, left=left)


def plan_delete(results: Results, target: str | Path = ".", **given: Any) -> Plan:
    """The files that :func:`delete_source` would try to prove, and why others stay; nothing is read."""
    options = DeleteOptions(**given)
    source = results.result_set
    if source.kind == "job":
        raise UsageError("the results of an openEO job cannot be deleted file by file: delete the job at its back-end")
    looked = [(asset, _stays(results, asset, options.below)) for asset in results.assets]
    kept = [Skipped(asset=asset, reason=why) for asset, why in looked if why]
    candidates = [Transfer(asset=asset, name=asset.key) for asset, why in looked if not why]
    if not candidates:
        why = f": {kept[0].asset.label}: {kept[0].reason}" if kept else ""
        raise UsageError(f"no file can be deleted at this source{why}")
    return Plan(target=str(target), transfers=candidates, skipped=tuple(kept), source=redact(source.href or source.id))


def _stays(results: Results, asset: Asset, below: str | None) -> str:
    """Why a file is not even looked at; empty for one that may go."""
    source = results.result_set
    if asset.identity in source.origins or (source.transport is not None and source.transport(asset.href) is not None):
        return "it is made of another file, and is not a file at the source"
    try:
        transport = results.session.transport(asset.href)
    except SplashdownError as error:
        return error_text(error)
    if not isinstance(transport, SupportsDelete):
        return f"a source of {scheme_of(asset.href) or 'this kind'}: cannot be deleted from"
    roots = [below] if below is not None else _roots(source)
    if not any(_is_below(asset.href, root) for root in roots):
        named = "the folder of the source's document" if below is None else redact(below)
        return f"it is outside of {named}: name the folder that may be emptied with below= (--delete-below)"
    return ""


def _roots(source: ResultSet) -> list[str]:
    """The folders of the documents that the user has named."""
    hrefs = [part.results.href for part in source.parts]
    return [posixpath.dirname(href) for href in hrefs if href and scheme_of(href) not in {"http", "https"}]


def _is_below(href: str, root: str) -> bool:
    if scheme_of(href) in _LOCAL:
        if scheme_of(root) not in _LOCAL:
            return False
        folder = os.path.realpath(Path(_path(href)).parent)  # whatever links lead there
        return Path(folder).is_relative_to(os.path.realpath(_path(root)))
    start = root.rstrip("/") + "/"
    return href.startswith(start) and ".." not in unquote(href[len(start) :]).split("/")


def _path(place: str) -> str:
    return path_in_url(place) if scheme_of(place) else at_home(place)


def _prove(results: Results, sink: Sink, assets: Sequence[Asset], jobs: int) -> list[_Proof]:
    """A proof for each href. One that several assets share goes only with all of them."""
    records: dict[tuple[str | None, str], dict[str, StoredRecord]] = {}
    for name, record in read_target(sink, everywhere=True).records.items():
        if record.identity is not None and record.ours:
            records.setdefault(record.identity, {})[name] = record
    by_href: dict[str, list[Asset]] = {}
    for asset in assets:
        by_href.setdefault(asset.href, []).append(asset)
    places = _Places(results, sink)

    def prove(href: str) -> _Proof:
        found = [_proof(results, sink, places, one, records.get(one.identity, {})) for one in by_href[href]]
        return next((one for one in found if one.why), found[0])

    with ThreadPoolExecutor(jobs, "splashdown-prove") as pool:
        return list(pool.map(prove, by_href))


def _proof(results: Results, sink: Sink, places: _Places, asset: Asset, records: Mapping[str, StoredRecord]) -> _Proof:
    try:
        name, checksum, why = _in_target(sink, records)
        if why:
            return _Proof(href=asset.href, why=why)
        if why := places.alias(asset.href, name):
            return _Proof(href=asset.href, why=why)
        with results.session.transport(asset.href).stream(ReadRequest(href=asset.href)) as stream:
            version = stream.info
            digest = hash_of(stream, checksum) if stream.start == 0 else None
    except (OSError, SplashdownError) as error:
        return _Proof(href=asset.href, why=f"it could not be compared ({error_text(error)})")
    if digest is None or not same(digest, checksum):
        return _Proof(href=asset.href, why="it is not what was stored: it has changed since")
    return _Proof(href=asset.href, version=version)


def _in_target(sink: Sink, records: Mapping[str, StoredRecord]) -> tuple[str, str, str]:
    """A file of the target that was read and is as it was stored, with its checksum; else why there is none."""
    why = "no receipt in the target describes it"
    for name, record in records.items():
        found = check(sink, name, record)
        if found.state is State.OK and "checksum" in found.checked:
            return name, record.checksum or "", ""
        if found.state is State.OK and record.checksum is None and isinstance(sink, SupportsRead):
            # The store has copied it by itself, so its bytes never came here.
            with sink.read(name) as chunks:
                return name, sha256_of(chunks), ""
        why = f"{name} in the target is {found.state}" + (f" ({found.detail})" if found.detail else "")
        if found.state is State.OK:
            why = f"{name} in the target could not be compared by its checksum"
    return "", "", why


class _Places:
    """Whether folders of the source and of the target are the same one, under whatever names.

    Names, endpoints, links and mounts do not say. A small file that is written to the target does: it is, or it is not,
    to be seen at the source.
    """

    def __init__(self, results: Results, sink: Sink) -> None:
        self._results, self._sink = results, sink
        self._known: dict[tuple[str, str], str] = {}
        self._lock = threading.Lock()

    def alias(self, href: str, name: str) -> str:
        """Why a file may be the one in the target itself; empty where it is another."""
        pair = href.rpartition("/")[0], posixpath.dirname(name)
        with self._lock:
            if pair not in self._known:
                self._known[pair] = self._looked(*pair)
            return self._known[pair]

    def _looked(self, source: str, folder: str) -> str:
        if not isinstance(self._sink, SupportsList):
            return "this target cannot show that it is not the source itself"
        mark = f".splashdown-{secrets.token_hex(16)}"
        key, data = posixpath.join(folder, mark), mark.encode()
        content = Content(size=len(data), replace=False, recorded=False)
        put_object(self._sink, key, content, Part(number=1, start=0, stop=len(data)), [data])
        try:
            return self._seen(f"{source}/{mark}")
        finally:
            with suppress(OSError, SplashdownError):  # what is left is a file of fifty bytes
                self._sink.delete(key)

    def _seen(self, href: str) -> str:
        try:
            with self._results.session.transport(href).stream(ReadRequest(href=href)) as stream:
                for _ in stream:
                    break
        except SplashdownError as error:
            absent = isinstance(error, HttpStatusError) and error.status in {404, 410}
            if absent or isinstance(error.__cause__, FileNotFoundError):
                return ""
            return f"the target may be the source itself, which cannot be found out ({error_text(error)})"
        return "the target is the folder of the source itself"


def _delete(results: Results, proof: _Proof) -> str:
    """Delete one file, and say why it is still there otherwise."""
    transport = results.session.transport(proof.href)
    if not isinstance(transport, SupportsDelete) or proof.version is None:
        return "it cannot be deleted"
    try:
        transport.delete(proof.href, proof.version)
    except (OSError, SplashdownError) as error:
        return f"it could not be deleted ({error_text(error)})"
    return ""


@hookimpl
def splashdown_actions() -> Iterable[ActionSpec]:
    """Offer the verb."""
    yield ActionSpec(
        name="delete_source",
        run=delete_source,
        plan=plan_delete,
        options=DeleteOptions,
        summary="delete at the source what is proven to be in a target",
    )
