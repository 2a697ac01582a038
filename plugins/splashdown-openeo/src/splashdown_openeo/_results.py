"""JobResults and ResultAsset in place of the openEO client's: what moves bytes is replaced, the rest is inherited.

Inheriting keeps ``isinstance`` checks, messages and representations what they are in the installed client.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

import requests
from openeo.rest import DEFAULT_DOWNLOAD_CHUNK_SIZE, DEFAULT_DOWNLOAD_RANGE_SIZE, OpenEoRestError
from openeo.rest import job as client
from openeo.util import ensure_dir

from splashdown.redact import redact
from splashdown.store_errors import IT_IS_A_FILE, why_no_folder
from splashdown_openeo._collection import CollectionDownload
from splashdown_openeo._files import write_file
from splashdown_openeo._moving import Move, fetch, media_type_of, read
from splashdown_openeo._naming import Taken, file_of, no_folder

_log = logging.getLogger(__name__)


class ResultAsset(client.ResultAsset):
    """One file of a batch job; see :class:`openeo.rest.job.ResultAsset`."""

    __slots__ = ()

    def download(
        self,
        target: Path | str | None = None,
        *,
        chunk_size: int = DEFAULT_DOWNLOAD_CHUNK_SIZE,
        range_size: int = DEFAULT_DOWNLOAD_RANGE_SIZE,
        redact_url_logging: bool | str | Callable[[str], object] = False,
    ) -> Path:
        """Save the file under a path, or in an existing folder (the working folder by default); returns the path.

        ``chunk_size`` limits the bytes read at once, ``range_size`` those of one request. Queries of hrefs never
        get into the log; ``redact_url_logging`` may be a function that takes out more. Raises what
        the client raises: ``OpenEoApiPlainError``, exceptions of requests, ``OSError``; nothing is left then.
        """
        path = Path(target or Path.cwd())
        if path.is_dir():
            path = path / self._make_filename()
        ensure_dir(path.parent)
        _log.info("Downloading asset %r from %s to %s", self.key, _shown(self.href, redact_url_logging), path)
        moves = [Move(href=self.href, path=path, media_type=media_type_of(self.metadata))]
        _raise_first(
            fetch(
                self.job.connection,
                moves,
                chunk_size=chunk_size,
                range_size=range_size,
                renew=lambda moves: _renewed(self.job, moves),
            )
        )
        return path

    def _get_response(self, stream: bool = True) -> requests.Response:  # noqa: ARG002 - the client's signature
        return read(self.job.connection, self.href)


class JobResults(client.JobResults):
    """The results of a batch job; see :class:`openeo.rest.job.JobResults`."""

    def get_assets(self) -> list[ResultAsset]:  # type: ignore[override] # a list of the subclass
        """All assets that the results list."""
        return [
            ResultAsset(job=asset.job, key=asset.key, href=asset.href, metadata=asset.metadata)
            for asset in super().get_assets()
        ]

    def download_files(
        self,
        target: Path | str | None = None,
        include_stac_metadata: bool = True,
        chunk_size: int = DEFAULT_DOWNLOAD_CHUNK_SIZE,
    ) -> list[Path]:
        """Save all assets, and ``job-results.json``, into a folder; returns their paths.

        Files are fetched several at a time, and every one is tried: the first failure in the order of the assets
        is raised at the end, and ``job-results.json`` is not written then. An asset whose name is taken by another
        one, or by ``job-results.json``, gets a number.
        """
        folder = Path(target or Path.cwd())
        if reason := why_no_folder(folder):
            if reason == IT_IS_A_FILE:
                # The client refuses this itself, with its own exception and words.
                return super().download_files(folder, include_stac_metadata, chunk_size)
            raise no_folder(folder, reason)
        ensure_dir(folder)
        taken = Taken()
        metadata_path = folder / client.DEFAULT_JOB_RESULTS_FILENAME
        if include_stac_metadata:
            taken.assign_names(metadata_path)
        assets = self.get_assets()
        paths = [taken.assign_names(folder / asset._make_filename()) for asset in assets]  # noqa: SLF001 - inherited
        _log.info("Downloading %d assets of job %r to %s", len(assets), self.get_job_id(), folder)
        moves = [
            Move(href=asset.href, path=path, media_type=media_type_of(asset.metadata))
            for asset, path in zip(assets, paths, strict=True)
        ]
        renew = lambda moves: _renewed(self._job, moves)  # noqa: E731 - a closure of one line
        _raise_first(fetch(self._job.connection, moves, chunk_size=chunk_size, renew=renew))
        if include_stac_metadata:
            write_file(metadata_path, json.dumps(self.get_metadata()).encode())
            paths.append(metadata_path)
        return paths

    def download_as_collection(
        self,
        target: Path | str | None = None,
        *,
        rewrite_references: bool = True,
        add_original_hrefs: bool = False,
        download_derived_from: bool = False,
        download_collection_assets: bool = False,
        json_dump: dict[str, Any] | None = None,
        on_download_failure: Literal["warn", "raise"] = "warn",
        path_templates: dict[str, str] | None = None,
        redact_url_logging: bool | str | Callable[[str], object] = True,  # noqa: ARG002 - logs are always redacted
    ) -> list[Path]:
        """Save the results as a STAC collection with its items and their assets; returns all paths.

        Parameters are those of the client. Without ``download_collection_assets`` the collection's own assets are
        left out where an item has the same file, and only there. Two files that want one path both
        land, the second with a number.
        """
        download = CollectionDownload(
            job=self._job,
            root=Path(target or Path.cwd() / self._job.job_id),
            rewrite_references=rewrite_references,
            add_original_hrefs=add_original_hrefs,
            json_dump=json_dump or {},
            on_failure=on_download_failure,
            templates=path_templates or {},
        )
        return download.run(derived_from=download_derived_from, collection_assets=download_collection_assets)


def _raise_first(errors: Iterable[Exception | None]) -> None:
    for error in errors:
        if error is not None:
            raise error


def _renewed(job: client.BatchJob, moves: Sequence[Move]) -> list[str]:
    """Fresh hrefs of the same files, from results that are read again; the old ones where that does not help."""
    try:
        fresh = {file_of(asset.href): asset.href for asset in client.JobResults(job).get_assets()}
    except (OpenEoRestError, requests.RequestException):
        fresh = {}
    return [fresh.get(file_of(move.href), move.href) for move in moves]


def _shown(href: str, redacting: bool | str | Callable[[str], object]) -> object:
    return redacting(href) if callable(redacting) else redact(href)
