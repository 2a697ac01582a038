"""The library for asyncio: the same engine on its threads, awaited.

For example::

    results = await splashdown.aio.open("https://openeo.example/openeo/1.2/jobs/JOB")
    async for outcome in results.stream("data"):
        print(outcome.location)

A cancelled download ends its run as Ctrl-C does, with what landed in the receipt. A cancelled ``open`` or ``load`` is
not waited for: its requests end by themselves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from splashdown import session as sessions
from splashdown._plugins.keyword_types import CollectionKeywords, DownloadKeywords, FileKeywords, SyncKeywords
from splashdown._plugins.signatures import shows
from splashdown.actions import Download, Places, SyncReport
from splashdown.results import JobResults, expected
from splashdown.streams import OutcomeStream

if TYPE_CHECKING:
    from splashdown.result_asset import ResultAsset
    from splashdown.session import Session

__all__ = ["AsyncResults", "open"]


async def open(  # noqa: A001 - the verb of the field, as in :func:`splashdown.open`
    source: object, *, session: Session | None = None, **options: Any
) -> AsyncResults:
    """Resolve a source into results, in a new session where none is given.

    Options and errors are those of :func:`splashdown.open`.
    """
    resolve = sessions.open if session is None else session.open
    return AsyncResults(await asyncio.to_thread(resolve, source, **options))


class AsyncResults:
    """:class:`~splashdown.JobResults` whose verbs are awaited; ``results`` are those themselves."""

    def __init__(self, results: JobResults) -> None:
        self.results = results

    def __repr__(self) -> str:
        return repr(self.results).replace("<JobResults", "<AsyncResults", 1)

    def __len__(self) -> int:
        return len(self.results)

    def __iter__(self) -> Iterator[ResultAsset]:
        return iter(self.results)

    def select(self, **filters: Any) -> AsyncResults:
        """The assets that pass all filters, as :meth:`splashdown.JobResults.select` chooses them."""
        return AsyncResults(self.results.select(**filters))

    @shows(DownloadKeywords, closed=False)
    def stream(
        self, target: str | Path = ".", *, action: str = "download_files", ahead: int = 100, **options: Any
    ) -> OutcomeStream:
        """Outcomes as files land, for ``async for``: :meth:`splashdown.JobResults.stream`."""
        return self.results.stream(target, action=action, ahead=ahead, **options)

    @shows(DownloadKeywords)
    async def download_files(
        self, target: str | Path = ".", include_stac_metadata: bool = True, **options: Unpack[DownloadKeywords]
    ) -> Places:
        """Save all assets into a folder, as :meth:`splashdown.JobResults.download_files` does."""
        given = {**options, "include_stac_metadata": include_stac_metadata}
        return (await self._download("download_files", target=target, **given)).places

    @shows(CollectionKeywords)
    async def download_collection(self, target: str | Path = ".", **options: Unpack[CollectionKeywords]) -> Path | str:
        """Save a STAC catalog, as :meth:`splashdown.JobResults.download_collection` does."""
        return (await self._download("download_collection", target=target, **options)).places[-1]

    @shows(FileKeywords)
    async def download_file(
        self, target: str | Path | None = None, key: str | None = None, **options: Unpack[FileKeywords]
    ) -> Path | str:
        """Save one asset, as :meth:`splashdown.JobResults.download_file` does."""
        return (await self._download("download_file", target=target, key=key, **options)).places[0]

    @shows(SyncKeywords)
    async def sync(
        self,
        target: str | Path = ".",
        *,
        delete: bool = False,
        as_collection: bool = False,
        **options: Unpack[SyncKeywords],
    ) -> SyncReport:
        """Make a target hold what these results list, as :meth:`splashdown.JobResults.sync` does."""
        given = {**options, "target": target, "delete": delete, "as_collection": as_collection}
        return expected(await self._end("sync", given), SyncReport, "sync")

    async def load(self, key: str | None = None, loader: str | None = None, **options: Any) -> Any:
        """One asset as a Python object, or all of one format as one: :meth:`splashdown.JobResults.load`."""
        return await asyncio.to_thread(self.results.load, key, loader, **options)

    async def run(self, action: str, /, **options: Any) -> Any:
        """Do what a plugin's action of this name does. One that takes no listeners is not ended by cancelling."""
        return await asyncio.to_thread(self.results.run, action, **options)

    async def _download(self, action: str, **options: Any) -> Download:
        return expected(await self._end(action, options), Download, action)

    async def _end(self, action: str, options: dict[str, Any]) -> Any:
        """What the action returns or raises; the run ends when this is cancelled."""
        async with OutcomeStream(self.results, action, options, ahead=1000) as stream:
            async for _ in stream:
                pass
        return stream.result()
