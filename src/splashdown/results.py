"""JobResults: the typed face of a result set, method for method what openEO users know.

The verbs themselves are actions of plugins; the methods here give them types, defaults and documentation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

from splashdown._choosing.filtering import apply_filters, nothing_left
from splashdown._choosing.keys import asset_of_key
from splashdown._foreign.calls import Closing, Named
from splashdown._plugins.keyword_types import CollectionKeywords, DownloadKeywords, FileKeywords, SyncKeywords
from splashdown._plugins.signatures import (
    describes,
    filters_of,
    loaders_of,
    names_of_filters,
    options_of_loaders,
    shows,
)
from splashdown._receipts.copies import LocalCopies
from splashdown._series.assets import pack, reordered
from splashdown._series.documents import plain
from splashdown._stac.describe import directories
from splashdown.columns import columns
from splashdown.errors import NoAssetError, OptionError, PluginError, SplashdownError, error_text
from splashdown.model import Asset, IfExists, Plan, Skipped
from splashdown.redact import redact, redact_target
from splashdown.result_asset import ResultAsset, ResultAssets
from splashdown.sources import scheme_of

if TYPE_CHECKING:
    import xarray as xr

    from splashdown._display.html import Html
    from splashdown._engine.context import Memory
    from splashdown._engine.remote import Remote
    from splashdown._engine.settings import Settings
    from splashdown._receipts.memory import TargetMemory
    from splashdown.actions import Download, Places, SourceDeletion, SyncReport
    from splashdown.model import RemoteInfo, ResultSet, RunReport
    from splashdown.protocols import AssetHandle, Listener, Sink
    from splashdown.session import Session
    from splashdown.streams import OutcomeStream

__all__ = ["JobResults", "ResultAsset"]

T = TypeVar("T")


class JobResults:
    """The assets of one source, perhaps a selection of them, and what can be done with them."""

    def __init__(
        self,
        session: Session,
        result_set: ResultSet,
        *,
        assets: Sequence[Asset] | None = None,
        skipped: Sequence[Skipped] = (),
    ) -> None:
        self.session = session
        self.result_set = result_set
        self.assets: Sequence[Asset] = result_set.assets if assets is None else assets
        self.skipped = tuple(skipped)
        #: Local copies that this object's downloads made, with their checksums; loaders read those.
        self._copies = LocalCopies()
        #: Made when the first byte is read, and shared with every selection: one renewal of links serves all of them.
        self._remote: Callable[[], Remote] = cache(lambda: _remote(session, result_set))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the assets and how they are read, and read again where that needs no secret."""
        from splashdown._engine.remote import refuse_own_transport
        from splashdown._engine.renew import elsewhere

        results = self.result_set
        refuse_own_transport(results)
        chosen = None if self.assets is results.assets else tuple(self.assets)
        members = tuple(
            replace(one, results=replace(one.results, refresh=None, signer=None)) for one in results.members
        )
        travelling = replace(results, refresh=elsewhere(results.refresh), members=members)
        return _results_again, (self.session, travelling, chosen, self.skipped)

    def __repr__(self) -> str:
        return f"<JobResults for {self.result_set.kind} {self.id!r}>"

    def _repr_html_(self) -> str:
        """The assets in a notebook, as a table."""
        from splashdown._display.values import results_html

        return results_html(
            self.result_set.kind, self.id, self.assets, self.result_set.warnings, self._thumbnails(self.assets)
        )

    def __len__(self) -> int:
        return len(self.assets)

    def __iter__(self) -> Iterator[ResultAsset]:
        return (ResultAsset(self, asset) for asset in self.assets)

    def __contains__(self, wanted: object) -> bool:
        """Whether there is an asset with this key (or ``item/key``), or this asset."""
        if isinstance(wanted, ResultAsset):
            return any(asset.identity == wanted.asset.identity for asset in self.assets)
        return any(wanted in {asset.key, f"{asset.item}/{asset.key}"} for asset in self.assets)

    def __getitem__(self, key: str) -> ResultAsset:
        """The asset with this key, as :meth:`get_asset` finds it; an ``UnknownKeyError`` is a ``KeyError``."""
        return self.get_asset(key)

    @property
    def id(self) -> str:
        """The id of the job, item, collection or catalog."""
        return self.result_set.id

    def get_job_id(self) -> str:
        """The id of the job (or of whatever the source is)."""
        return self.id

    def get_metadata(self) -> dict[str, Any]:
        """The STAC document that lists the assets; a search's holds all items, however many they are."""
        document = plain(dict(self.result_set.document))
        if document.get("type") == "FeatureCollection":
            document.setdefault("features", [dict(item) for item in self.result_set.items])
        return document

    def get_assets(self) -> list[ResultAsset]:
        """All assets, in the order of the document."""
        return ResultAssets(self)

    def get_asset(self, key: str | None = None, *, name: str | None = None) -> ResultAsset:
        """The asset with this key (``name`` is the older spelling); without a key the only one.

        ``item/key`` picks one of several items. Raises :class:`~splashdown.errors.MultipleAssetsError`,
        :class:`~splashdown.errors.UnknownKeyError` or :class:`~splashdown.errors.NoAssetError`.
        """
        return ResultAsset(self, self._one(key if key is not None else name))

    @describes("session.registry", names_of_filters, filters_of)
    def select(self, **filters: Any) -> JobResults:
        """The assets that pass all filters, named by keyword and applied in order.

        Built in are ``keys``, ``exclude`` (globs), ``regex``, ``types`` (media types), ``roles``, ``items``,
        ``collections``, ``datetime``, ``bbox``, ``min_size``, ``max_size``; plugins add theirs by their names. A
        value is one thing or a list of alternatives; a filter with ``None`` is left out.
        """
        if all(value is None for value in filters.values()):
            return self._narrowed(self.assets, self.skipped)  # packed assets are not unpacked for nothing
        registry = self.session.registry
        assets, skipped = apply_filters(self.assets, filters, lambda name, value: registry.filter(name).create(value))
        return self._narrowed(pack(assets), [*self.skipped, *skipped])

    def sorted_by(self, field: str, *, reverse: bool = False) -> JobResults:
        """The same assets ordered by a field of :class:`~splashdown.Asset`, as ``size``; those without it come last."""
        found = list(columns(self.assets, field))
        known = sorted(
            (n for n, value in enumerate(found) if value is not None), key=found.__getitem__, reverse=reverse
        )
        unknown = [n for n, value in enumerate(found) if value is None]
        return self._narrowed(reordered(self.assets, (*known, *unknown)), self.skipped)

    def clip(self, bbox: object = None, *, geometry: object = None) -> JobResults:
        """The part of each asset that lies in an area, as a file of its own, in place of the whole file.

        ``bbox`` is west, south, east, north in degrees; ``geometry`` is GeoJSON and stands for the box around it. A
        raster becomes a Cloud Optimized GeoTIFF with the pixels, bands, nodata and CRS of the source, not resampled.
        Headers are read now, pixels when a clip is downloaded or loaded. Assets beside the area, and those whose
        format no installed plugin clips, are in ``skipped`` with the reason. Raises
        :class:`~splashdown.errors.OptionError` for what is not an area.
        """
        from splashdown._derived.clip import clip_assets
        from splashdown.clipping import area_of

        found = clip_assets(
            self.result_set, self.assets, area_of(bbox, geometry), self._remote(), self.session.registry
        )
        return JobResults(self.session, found.result_set, assets=found.assets, skipped=[*self.skipped, *found.skipped])

    def unpack(self) -> JobResults:
        """The files inside ZIP and TAR archives as assets in place of the archive; other assets stay.

        Their keys are ``product.zip!/PATH``. The index of each archive is read now, with ranges; of a file only its
        own bytes are read when it is downloaded or loaded. Files that cannot be read are in ``skipped``; an archive
        that cannot be read is in ``result_set.unresolved``, and a download then fails at its end.
        """
        from splashdown._derived.unpack import unpack_assets

        found = unpack_assets(self.result_set, self.assets, self._remote())
        return JobResults(self.session, found.result_set, assets=found.assets, skipped=[*self.skipped, *found.skipped])

    def mirrored(self, mirrors: Mapping[str, str]) -> JobResults:
        """The same assets with a second source each: where an href fails that begins with a key, the value is tried.

        ``{"https://data.example/": "https://mirror.example/data/"}``; several are tried in their order, and before the
        alternates of the metadata. A mirror counts only where ``file:checksum`` shows that its file is the same, or
        with ``Settings(trust_alternates=True)``; it gets neither a signature nor credentials of the first source.

        Raises :class:`~splashdown.errors.OptionError` for what is not a URL.
        """
        from splashdown._derived.mirrors import check_mirrors, mirrored, with_mirrors

        pairs = check_mirrors(mirrors)
        assets = pack(mirrored(self.assets, pairs))
        return JobResults(self.session, with_mirrors(self.result_set, pairs), assets=assets, skipped=self.skipped)

    def named_by_servers(self) -> JobResults:
        """The same assets, those whose URLs name no file with the names that servers give (``Content-Disposition``).

        A URL such as ``https://data.example/products(7)/$value`` names none. Each is asked for one byte now, so that
        a plan has the names; where the server gives none, the media type that it gives decides the extension. Names
        are made safe as all are. A URL that does not answer keeps its name, with a warning in the log.
        """
        from splashdown._derived.server_names import named_by_servers

        assets = pack(list(named_by_servers(self.assets, self.ask_source)))
        return JobResults(self.session, self.result_set, assets=assets, skipped=self.skipped)

    def of(self, asset: Asset) -> JobResults:
        """These results narrowed to one asset."""
        return self._narrowed([asset], self.skipped)

    def plan(
        self,
        target: str | Path = ".",
        *,
        layout: str = "openeo",
        if_exists: str | IfExists = IfExists.AUTO,
        reserved: Iterable[str] = (),
        names: Mapping[str | tuple[str | None, str], str] | None = None,
    ) -> Plan:
        """What a download to ``target`` would do: names are assigned, nothing is read or written.

        ``layout`` is a preset or a template for names, ``reserved`` holds names that no asset may get, ``names``
        chooses the name of single assets by their identity or label (``item/key``, or ``key`` alone).
        """
        if folders := directories(self.assets):
            whole = pack(asset for n, asset in enumerate(self.assets) if n not in folders)
            skipped = [Skipped(asset=self.assets[n], reason=reason) for n, reason in folders.items()]
            return self._narrowed(whole, [*self.skipped, *skipped]).plan(
                target, layout=layout, if_exists=if_exists, reserved=reserved, names=names
            )
        from splashdown._naming.selection import name_selection  # late: a listing needs no names

        transfers = name_selection(
            self.result_set,
            self.assets,
            layout=layout,
            reserved=tuple(reserved),
            names=names,
            if_exists=_policy(if_exists),
        )
        source = redact(self.result_set.href) if self.result_set.href else self.id
        return Plan(target=str(target), transfers=transfers, skipped=self.skipped, source=source)

    def transfer(
        self,
        plan: Plan,
        *,
        sink: Sink | None = None,
        memory: Memory | None = None,
        listeners: Sequence[Listener] = (),
        settings: Settings | None = None,
        before_cleanup: Callable[[RunReport], None] | None = None,
        executor: object = None,
        sink_options: Mapping[str, Any] | None = None,
    ) -> RunReport:
        """Run a plan; failures are in the report, not raised. ``sink`` is one that is open already.

        ``executor`` moves the files in other processes: an executor of ``concurrent.futures``, which is left open, a
        ``distributed.Client``, or a name such as ``processes:4``. ``sink_options`` are those of the sinks that its
        workers open.

        Files that earlier runs have stored in the target are known, and replaced where the asset has changed. No
        receipt is written, unless ``before_cleanup`` does so, which is called with the report before unfinished uploads
        are forgotten. ``memory`` is what the target remembers, where the caller has read that.
        """
        from splashdown._engine.context import Forgetful
        from splashdown._engine.run import Run, run_plan
        from splashdown._receipts.memory import TargetMemory

        self._refuse_disabled(plan)
        remote = self._remote() if settings is None else self._remote().with_settings(settings)
        with (
            Named(f"the sink of {redact_target(plan.target)}"),
            Closing(self.session.sink(plan.target)) if sink is None else nullcontext(sink) as place,
        ):
            own = TargetMemory(place, self.result_set.parts, target=plan.target) if memory is None else None
            with own or nullcontext():
                run = Run(
                    plan=plan,
                    sink=place,
                    memory=memory or own or Forgetful(),
                    listeners=(*listeners, *self.session.listeners),
                    before_cleanup=before_cleanup,
                )
                execute: Callable[[], RunReport] = partial(run_plan, run, remote)
                if executor is not None and executor != "threads":
                    from splashdown._workers.run import run_elsewhere  # late: few runs need it

                    execute = partial(run_elsewhere, run, remote, self.session, executor, sink_options or {})
                report = self.session.registry.run_plan(plan, execute)
                if own is not None:
                    report = _finished(own, report)
        if scheme_of(plan.target) in {"", "file"}:
            self._copies.add(report.landed)
        return report

    def run(self, action: str, /, **options: Any) -> Any:
        """Do what a plugin's action of this name does, and return what it returns.

        The action's options come from the call, then from the environment and the configuration file. Raises
        :class:`~splashdown.errors.OptionError` for an option that the action does not have, or needs.
        """
        return self.session.run(action, self, **options)

    def dry_run(self, action: str, /, **options: Any) -> Any:
        """What :meth:`run` would move with the same arguments; nothing is moved.

        Returns a :class:`~splashdown.Plan`, or an :class:`~splashdown.actions.ActionOutcome` whose report is ``None``.
        Raises what :meth:`run` raises, and :class:`~splashdown.errors.UsageError` for an action without a plan.
        """
        return self.session.dry_run(action, self, **options)

    @shows(DownloadKeywords)
    def download_files(
        self,
        target: str | Path = ".",
        include_stac_metadata: bool = True,
        **options: Unpack[DownloadKeywords],
    ) -> Places:
        """Save all assets into a folder (the current one by default); returns their paths (or URLs).

        With ``include_stac_metadata`` the STAC document is saved beside them, with hrefs, sizes and checksums of
        what landed. Options: ``layout``, ``if_exists`` (``auto``, ``skip``, ``overwrite``, ``error``,
        ``rename``), ``progress`` (show it), ``listeners``, ``settings`` (of the engine), ``executor`` (move files in
        other processes: :meth:`transfer`), ``sink_options``.

        Raises :class:`~splashdown.errors.DownloadError` at the end when assets failed (the others landed), and
        :class:`~splashdown.errors.TargetError` when the target cannot be a folder.
        """
        given = {**options, "target": target, "include_stac_metadata": include_stac_metadata}
        return self._download("download_files", given).places

    @shows(CollectionKeywords)
    def download_collection(self, target: str | Path = ".", **options: Unpack[CollectionKeywords]) -> Path | str:
        """Save assets and metadata as a self-contained STAC catalog; returns the path (or URL) of its root document.

        Hrefs are relative, ``file:size``, ``file:checksum`` and ``file:local_path`` say what landed, and no signature
        or token is written. Options: ``missing`` (``drop`` or ``keep`` assets that were filtered out or failed),
        ``original_hrefs`` (keep them as ``alternate``), ``output`` (``catalog``, ``items``, ``geoparquet``), and those
        of :meth:`download_files`. Raises what :meth:`download_files` raises.
        """
        return self._download("download_collection", {**options, "target": target}).places[-1]

    @shows(SyncKeywords)
    def sync(
        self,
        target: str | Path = ".",
        *,
        delete: bool = False,
        as_collection: bool = False,
        **options: Unpack[SyncKeywords],
    ) -> SyncReport:
        """Make a target hold what these results list; what is complete there is not fetched again.

        ``delete`` removes files whose asset the source does not have any more. Other options are those of
        :meth:`download_files`, or of :meth:`download_collection` with ``as_collection``. Raises what these raise, and
        removes nothing then.
        """
        done = self.run("sync", target=target, delete=delete, as_collection=as_collection, **options)
        from splashdown.actions import SyncReport  # late, as all that a listing does without

        return expected(done, SyncReport, "sync")

    @shows(FileKeywords)
    def download_file(
        self,
        target: str | Path | None = None,
        key: str | None = None,
        *,
        name: str | None = None,
        **options: Unpack[FileKeywords],
    ) -> Path | str:
        """Save one asset to a file, or into an existing folder; returns its path (or URL).

        ``key`` picks the asset where there are several (``name`` is the older spelling). A file that is named
        outright is replaced, as one step. Options are those of :meth:`download_files`.
        """
        given = {**options, "target": target, "key": key if key is not None else name}
        return self._download("download_file", given).places[0]

    @shows(DownloadKeywords, closed=False)
    def stream(
        self, target: str | Path = ".", *, action: str = "download_files", ahead: int = 100, **options: Any
    ) -> OutcomeStream:
        """A loop over the outcomes of a download, each as soon as its file is landed and verified.

        ``for outcome in results.stream("data")``, or ``async for``. The run begins with the loop; leaving it ends the
        run as Ctrl-C does, with what landed in the receipt. ``ahead`` outcomes may wait for a slow loop: then the run
        waits, too. ``action`` is ``download_files``, ``download_collection`` or ``sync``, with its options. The
        :class:`~splashdown.streams.OutcomeStream` has the ``report`` afterwards.
        """
        from splashdown.streams import OutcomeStream  # late: asyncio is not for every run

        return OutcomeStream(self, action, {**options, "target": target}, ahead=ahead)

    def delete_source(
        self,
        target: str | Path = ".",
        *,
        below: str | None = None,
        confirm: Callable[[Sequence[str]], bool] | None = None,
        **options: Any,
    ) -> SourceDeletion:
        """Delete these files at their source, where each is proven to be in a target: a move after its download.

        Both sides are read and compared by checksum. Only files below the folder of the source's document go, or those
        ``below`` another one; ``confirm`` gets their hrefs and says whether to go on. Other options: ``jobs``,
        ``sink_options``. Raises :class:`~splashdown.errors.UsageError` where nothing can be deleted.
        """
        done = self.run("delete_source", target=target, below=below, confirm=confirm, **options)
        from splashdown.actions import SourceDeletion

        return expected(done, SourceDeletion, "delete_source")

    @describes("session.registry", options_of_loaders, loaders_of)
    def load(self, key: str | None = None, loader: str | None = None, **options: Any) -> Any:
        """One asset as a Python object, see :meth:`ResultAsset.load`; or all of one format as one object.

        Without ``key``, several assets become one object where their loader makes one: GeoTIFFs become an array
        (t, band, y, x). All have to be of that format, unless ``loader`` names it: the others are left out then.
        """
        from splashdown._plugins.loaders import load_many, loader_of_all

        loaders = self.session.registry
        if key is None and len(self.assets) > 1 and (name := loader_of_all(self.assets, loaders, loader)):
            return load_many([self.handle(asset) for asset in self.assets], loaders, name, **options)
        return self.get_asset(key).load(loader, **options)

    def load_json(self, key: str | None = None, **options: Any) -> Any:
        """One asset as parsed JSON."""
        return self.run("load_json", key=key, **options)

    def load_bytes(self, key: str | None = None, **options: Any) -> bytes:
        """One asset's bytes."""
        return self.get_asset(key).load_bytes(**options)

    def load_geotiffs(self, **options: Any) -> xr.DataArray:
        """All GeoTIFFs at once as one array (t, band, y, x), where they share a grid; needs ``splashdown-geotiff``.

        Options are those of :meth:`ResultAsset.load_geotiff`, and ``jobs``, how many are read at a time. With
        ``chunks`` headers are read now and pixels when they are computed. Raises
        :class:`~splashdown.errors.LoadError`, which says what differs, when they do not fit together.
        """
        from splashdown._plugins.loaders import load_many

        handles = [self.handle(asset) for asset in self.assets]
        array: xr.DataArray = load_many(handles, self.session.registry, "geotiff", **options)  # type: ignore[assignment]  # that loader's type
        return array

    def load_cube(self, **options: Any) -> xr.Dataset:
        """All rasters on one grid, a variable (time, y, x) for each band; needs ``splashdown-geotiff[cube]``.

        Options: ``bands``, ``crs``, ``resolution``, ``bbox`` with ``bbox_crs``, ``groupby``, ``resampling``, and those
        of :meth:`load_geotiffs`. Raises :class:`~splashdown.errors.LoadError` for a raster without a place or date.
        """
        from splashdown._plugins.loaders import load_many

        handles = [self.handle(asset) for asset in self.assets]
        cube: xr.Dataset = load_many(handles, self.session.registry, "cube", **options)  # type: ignore[assignment]  # that loader's type
        return cube

    def retry(
        self,
        report: RunReport,
        *,
        progress: bool = False,
        listeners: Sequence[Listener] = (),
        settings: Settings | None = None,
        executor: object = None,
        sink_options: Mapping[str, Any] | None = None,
    ) -> RunReport:
        """Repeat what failed in an earlier run of :meth:`download_files` or :meth:`download_file`, with its names.

        The metadata document that belongs to the files is brought up to date. The report is about the repeated assets
        alone; nothing is raised for those that fail again. The options are those of the download. Raises
        :class:`~splashdown.errors.UsageError` for a report of something else.
        """
        repeated: RunReport = self.run(
            "retry",
            report=report,
            progress=progress,
            listeners=listeners,
            settings=settings,
            executor=executor,
            sink_options=sink_options or {},
        )
        return repeated

    def handle(self, asset: Asset) -> AssetHandle:
        """A handle for reading an asset: of its local copy where this object made one, else of the remote file."""
        from splashdown._engine.remote_handle import open_asset

        return open_asset(asset, self._remote(), local=self._copies.get(asset.identity))

    def ask_source(self, asset: Asset, *, unless: str | None = None) -> RemoteInfo | None:
        """What the source says of a file now, without reading it; ``None`` while the validator ``unless`` holds.

        It costs one request, whatever local copies there are. Raises
        :class:`~splashdown.errors.TransferError` where the source does not answer.
        """
        from splashdown._engine.inquiry import ask_source

        return ask_source(asset, self._remote(), unless)

    def _refuse_disabled(self, plan: Plan) -> None:
        """Refuse a run before the first byte when the user disabled what would read some of it."""
        own = self.result_set.transport
        hrefs = (href for href in columns(plan.transfers, "asset.href") if not (own and own(href)))
        self.session.registry.refuse_disabled_transports(hrefs)

    def _download(self, action: str, options: Mapping[str, Any]) -> Download:
        from splashdown.actions import Download

        return expected(self.run(action, **options), Download, action)

    def _thumbnails(self, assets: Sequence[Asset]) -> Html:
        """The pictures of assets that are on this machine, or were loaded; nothing is fetched for it."""
        from splashdown._choosing.pictures import local_pictures
        from splashdown._display.thumbnails import thumbnails

        return thumbnails(local_pictures(assets, self.result_set.href, self._copies))

    def _one(self, key: str | None) -> Asset:
        if not self.assets:
            raise NoAssetError(nothing_left(self.result_set, self.skipped))
        return asset_of_key(self.assets, key)

    def _narrowed(self, assets: Sequence[Asset], skipped: Sequence[Skipped]) -> JobResults:
        narrowed = JobResults(self.session, self.result_set, assets=assets, skipped=skipped)
        narrowed._copies, narrowed._remote = self._copies, self._remote
        return narrowed


def expected(done: object, kind: type[T], action: str) -> T:
    """What an action returned, of the type that it has to return. Raises ``PluginError`` for another one."""
    if not isinstance(done, kind):
        raise PluginError(f"the action {action!r} returned {type(done).__name__}; it has to return a {kind.__name__}")
    return done


def _results_again(
    session: Session, results: ResultSet, assets: Sequence[Asset] | None, skipped: Sequence[Skipped]
) -> JobResults:
    return JobResults(session, results, assets=assets, skipped=skipped)


def _finished(memory: TargetMemory, report: RunReport) -> RunReport:
    """The report, with what kept the target from remembering the run, if anything did."""
    try:
        with Named(f"the sink of {redact_target(report.plan.target)}"):
            memory.finish(lambda _known: False, whole=report.ok)
    except (OSError, SplashdownError) as error:
        return replace(report, unwritten=error_text(error))
    return report


def _remote(session: Session, results: ResultSet) -> Remote:
    from splashdown._engine.remote import remote_of  # late: a command that only lists assets does without the engine

    return remote_of(results, session)


def _policy(value: str) -> IfExists:
    try:
        return IfExists(value)
    except ValueError:
        raise OptionError(f"if_exists is one of {', '.join(IfExists)}, not {value!r}") from None
