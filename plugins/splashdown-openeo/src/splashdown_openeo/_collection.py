"""Saves results as a STAC collection with items: reads the documents, settles every path, fetches, and writes them.

Documents are written last, each in one step, so that none names a file that is not there.
"""

from __future__ import annotations

import json
import logging
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import requests
from openeo.rest import OpenEoApiError, OpenEoClientException, OpenEoRestError
from openeo.rest.job import DEFAULT_JOB_RESULTS_FILENAME, JobResultDownloadException

from splashdown.redact import redact, safely_shown
from splashdown.store_errors import why_no_folder
from splashdown_openeo._files import write_file
from splashdown_openeo._moving import Move, fetch, media_type_of
from splashdown_openeo._naming import Taken, file_of, name_in_url, no_folder, safe_name

if TYPE_CHECKING:
    from openeo.rest.job import BatchJob

_log = logging.getLogger(__name__)

#: Where things go below the root folder, unless the caller says otherwise.
_TEMPLATES = {
    "collection": DEFAULT_JOB_RESULTS_FILENAME,
    "item": "{item_id}/{item_id}.json",
    "asset": "{item_id}/{asset_filename}",
    "collection-asset": "{asset_filename}",
    "generic-link": "{filename}",
}
_READERS = 4
_UNNAMED = "unnamed"


@safely_shown
@dataclass(slots=True, kw_only=True, repr=False)
class _Document:
    """A STAC document that will be saved."""

    body: dict[str, Any]
    path: Path


@safely_shown
@dataclass(slots=True, kw_only=True, repr=False)
class _File:
    """A file that will be fetched; ``holder`` is the asset or link, in ``document``, whose href leads to it."""

    holder: dict[str, Any]
    document: _Document
    path: Path
    name: str
    landed: bool = False


class CollectionDownload:
    """One call of ``download_as_collection``."""

    def __init__(
        self,
        *,
        job: BatchJob,
        root: Path,
        rewrite_references: bool,
        add_original_hrefs: bool,
        json_dump: Mapping[str, Any],
        on_failure: str,
        templates: Mapping[str, str],
    ) -> None:
        if reason := why_no_folder(root):
            raise no_folder(root, reason)
        self._job = job
        self._root = root
        self._rewriting = rewrite_references
        self._keeping_originals = add_original_hrefs
        self._json_dump = {"ensure_ascii": False, **json_dump}
        self._on_failure = on_failure
        self._templates = {**_TEMPLATES, **templates}
        self._numbers: Counter[str] = Counter()
        self._taken = Taken()
        #: Everything that will be in the target, in the order in which the client's function returns it.
        self._entries: list[_Document | _File] = []

    def run(self, *, derived_from: bool, collection_assets: bool) -> list[Path]:
        """Do it; return the paths of all that landed."""
        root = self._read_root()
        self._take_links(root, rels={"derived_from"} if derived_from else set())
        self._take_collection_assets(root, everything=collection_assets)
        self._entries.append(root)
        failures = self._fetch()
        for entry in self._entries:
            if isinstance(entry, _Document):
                write_file(entry.path, json.dumps(entry.body, **self._json_dump).encode())
        for name, error in failures:
            self._failed(name, error)
        return [entry.path for entry in self._entries if isinstance(entry, _Document) or entry.landed]

    def _read_root(self) -> _Document:
        body = self._get(self._job.get_results_metadata_url())
        if body.get("type") != "Collection":
            raise OpenEoClientException(
                f"the results are a STAC {body.get('type')!r}, not a Collection (back-ends of openEO API 1.1 and"
                " later have those): use download_files instead"
            )
        path = self._path("collection", "collection", ".json", collection_id=body.get("id"))
        return _Document(body=body, path=path)

    def _get(self, href: str) -> dict[str, Any]:
        body: dict[str, Any] = self._job.connection.get(href, expected_status=200).json()
        return body

    def _take_links(self, root: _Document, rels: set[str]) -> None:
        links = root.body.get("links") or []
        seen: dict[str, Path] = {}
        with self._reading(_item_hrefs(root.body)) as reading:
            for link in links:
                href = link.get("href", "")
                if link.get("rel") == "item":
                    with self._attempt(f"item {redact(href)}"):
                        if href not in seen:
                            seen[href] = self._take_item(reading[href].result())
                        self._rewrite(link, seen[href], root)
                elif link.get("rel") in rels:
                    with self._attempt(f"{link['rel']} link {redact(href)}"):
                        self._take_link(link, root)

    @contextmanager
    def _reading(self, hrefs: Iterable[str]) -> Iterator[Mapping[str, Future[dict[str, Any]]]]:
        """Read several documents at a time, each once."""
        pool = ThreadPoolExecutor(_READERS, thread_name_prefix="splashdown-items")
        try:
            yield {href: pool.submit(self._get, href) for href in dict.fromkeys(hrefs)}
        finally:
            pool.shutdown(cancel_futures=True)

    def _take_item(self, body: dict[str, Any]) -> Path:
        item_id = body["id"]
        document = _Document(body=body, path=self._path("item", "item", ".json", item_id=item_id))
        for key, asset in (body.get("assets") or {}).items():
            with self._attempt(f"asset {key!r} of item {item_id!r}"):
                self._take_asset("asset", key, asset, document, item_id=item_id)
        self._entries.append(document)
        return document.path

    def _take_asset(self, kind: str, key: str, asset: dict[str, Any], document: _Document, **names: str) -> None:
        filename = name_in_url(asset["href"]) or safe_name(key, default=_UNNAMED)
        path = self._path(
            kind, "asset", PurePosixPath(filename).suffix, asset_key=key, asset_filename=filename, **names
        )
        owner = f" of item {names['item_id']!r}" if names else ""
        self._entries.append(_File(holder=asset, document=document, path=path, name=f"asset {key!r}{owner}"))

    def _take_link(self, link: dict[str, Any], root: _Document) -> None:
        filename = name_in_url(link["href"]) or _UNNAMED
        path = self._path("generic-link", "generic", PurePosixPath(filename).suffix, rel=link["rel"], filename=filename)
        name = f"{link['rel']} link {redact(link['href'])}"
        self._entries.append(_File(holder=link, document=root, path=path, name=name))

    def _take_collection_assets(self, root: _Document, *, everything: bool) -> None:
        """Take the collection's own assets: all, or those that no item has."""
        in_items = {file_of(entry.holder["href"]) for entry in self._entries if isinstance(entry, _File)}
        for key, asset in (root.body.get("assets") or {}).items():
            with self._attempt(f"collection asset {key!r}"):
                if everything or file_of(asset["href"]) not in in_items:
                    self._take_asset("collection-asset", key, asset, root)

    def _path(self, kind: str, pool: str, extension: str, **names: str | None) -> Path:
        """The path that a template gives, made of safe names; another one beside it when it is taken."""
        self._numbers[pool] += 1
        safe = {name: safe_name(str(value), default=_UNNAMED) for name, value in names.items()}
        path = self._templates[kind].format(
            job_id=safe_name(self._job.job_id, default=_UNNAMED),
            auto_increment=self._numbers[pool],
            extension=extension,
            **safe,
        )
        return self._taken.assign_names(self._root / path)

    def _fetch(self) -> list[tuple[str, Exception]]:
        files = [entry for entry in self._entries if isinstance(entry, _File)]
        moves = [
            Move(href=file.holder["href"], path=file.path, media_type=media_type_of(file.holder)) for file in files
        ]
        failures = []
        for file, error in zip(files, fetch(self._job.connection, moves, renew=self._renewed), strict=True):
            if error is None:
                file.landed = True
                self._rewrite(file.holder, file.path, file.document)
            else:
                failures.append((file.name, error))
        return failures

    def _renewed(self, moves: Sequence[Move]) -> list[str]:
        """Fresh hrefs of the same files, from documents that are read again; the old ones where that fails."""
        fresh: dict[str, str] = {}
        with suppress(OpenEoRestError, requests.RequestException):
            root = self._get(self._job.get_results_metadata_url())
            with self._reading(_item_hrefs(root)) as reading:
                for body in (root, *(future.result() for future in reading.values())):
                    fresh |= {file_of(asset["href"]): asset["href"] for asset in (body.get("assets") or {}).values()}
        return [fresh.get(file_of(move.href), move.href) for move in moves]

    def _rewrite(self, holder: dict[str, Any], path: Path, document: _Document) -> None:
        if not self._rewriting:
            return
        original = holder["href"]
        holder["href"] = Path(os.path.relpath(path, start=document.path.parent)).as_posix()
        if not self._keeping_originals:
            return
        alternate = holder.setdefault("alternate", {})
        if isinstance(alternate, dict):
            alternate[_free_key(alternate)] = {"href": original}
        else:
            _log.warning("The original href of %s is not kept: its 'alternate' is not an object", path.name)

    @contextmanager
    def _attempt(self, name: str) -> Iterator[None]:
        try:
            yield
        except JobResultDownloadException:
            raise
        except Exception as error:
            self._failed(name, error)

    def _failed(self, name: str, error: Exception) -> None:
        # The texts of requests' exceptions hold hrefs with their signatures; those of the API are for people.
        shown = isinstance(error, OpenEoApiError | LookupError | ValueError | OSError)
        said = f": {error}" if shown and not isinstance(error, requests.RequestException) else ""
        message = f"{name} could not be downloaded: {type(error).__name__}{said}"
        if self._on_failure == "warn":
            _log.warning("%s", message)
            return
        if self._on_failure != "raise":
            _log.warning("on_download_failure is 'warn' or 'raise', not %r; raising", self._on_failure)
        raise JobResultDownloadException(message) from error


def _item_hrefs(body: Mapping[str, Any]) -> list[str]:
    return [link["href"] for link in body.get("links") or [] if link.get("rel") == "item"]


def _free_key(alternate: Iterable[str]) -> str:
    names = set(alternate)
    candidates = (f"original-{number}" for number in count(1))
    return "original" if "original" not in names else next(name for name in candidates if name not in names)
