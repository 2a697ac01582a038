"""Uses the whole public API with its types. Checked by mypy and pyright in their strict modes; never run."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, assert_type

import pytest

import splashdown
from splashdown import (
    Asset,
    AuthError,
    DownloadError,
    IfExists,
    JobFailed,
    JobNotFinished,
    JobNotFound,
    JobResults,
    LoadError,
    MultipleAssetsError,
    NoAssetError,
    NoProviderError,
    Outcome,
    Plan,
    ResolveError,
    ResultAsset,
    ResultLinkExpired,
    RetryPolicy,
    RunReport,
    Session,
    Settings,
    SplashdownError,
    Status,
    Transfer,
    TransferError,
    UnknownKeyError,
    UsageError,
    connect,
    hookimpl,
    hookspec,
)
from splashdown.actions import (
    ActionOutcome,
    ActionSession,
    Checked,
    Download,
    Places,
    PublishReport,
    Results,
    SourceDeletion,
    State,
    SyncReport,
    VerifyReport,
)
from splashdown.aio import AsyncResults
from splashdown.auth import ClientCredentials, Netrc, StoredLogin
from splashdown.errors import HttpStatusError, PluginWarning, StoreError, error_text
from splashdown.events import (
    Event,
    Progress,
    Reading,
    Retried,
    RunFinished,
    RunInterrupted,
    RunStarted,
    TransferFinished,
    TransferStarted,
    Waiting,
    WorkersProgress,
)
from splashdown.landing import JobOutcome, JobsReport, JobState, land_jobs, read_jobs, watch
from splashdown.model import (
    Buffer,
    Content,
    Part,
    PartPolicy,
    ReadRequest,
    RemoteInfo,
    ResultSet,
    SmallBody,
    Stored,
    StoredPart,
    Unfinished,
    Upload,
)
from splashdown.protocols import (
    AssetHandle,
    AwaitedFile,
    Filter,
    GuardedTransport,
    Listener,
    Loader,
    RenewingSigner,
    ResolveContext,
    Resolver,
    Signer,
    Sink,
    StepCredentials,
    Stream,
    SupportsAskSmall,
    SupportsBundle,
    SupportsCompare,
    SupportsDelete,
    SupportsDuplicate,
    SupportsEach,
    SupportsList,
    SupportsNews,
    SupportsPutWhole,
    SupportsRead,
    SupportsReadBack,
    SupportsReadSmall,
    SupportsResume,
    SupportsServerSideCopy,
    SupportsServes,
    SupportsSiblings,
    SupportsSpace,
    SupportsStat,
    SupportsStatAll,
    SupportsState,
    SupportsUnfinished,
    SupportsVersion,
    SupportsWatch,
    SupportsWhy,
    Transport,
    Workers,
)
from splashdown.resolving import PackedItems, describe_asset, pack
from splashdown.specs import (
    ActionSpec,
    ExecutorSpec,
    FilterSpec,
    ListenerSpec,
    LoaderOptions,
    LoaderSpec,
    ResolverSpec,
    SignerSpec,
    SinkSpec,
    TransportSpec,
)
from splashdown.streams import OutcomeStream
from splashdown.testing import (
    HEAVY,
    ExecutorContract,
    FakeContext,
    FakeFile,
    FakeTransport,
    Fault,
    FilterContract,
    LoaderContract,
    MemoryHandle,
    MemorySink,
    ResolverContract,
    SinkContract,
    TransportContract,
    answers,
    assert_light_import,
    cuts_after,
    fails_with,
    is_fine,
    make_asset,
    make_session,
)

# --- the operator ----------------------------------------------------------------------------------------------------


def lists_of_jobs() -> None:
    report = land_jobs("jobs.csv", "data", backends="https://openeo.example", wait=3600.0, on_outcome=one_line)
    assert_type(report, JobsReport)
    assert_type(report.failed, tuple[JobOutcome, ...])
    assert_type(read_jobs([{"id": "j-1"}]).jobs[0].folder, str)
    watch("https://openeo.example", "data", once=True, choose=lambda results: results.select(types="image/tiff"))


def one_line(outcome: JobOutcome) -> None:
    assert_type(outcome.line, str)
    assert_type(outcome.state is JobState.LANDED, bool)


# --- the scientist ---------------------------------------------------------------------------------------------------


def in_a_notebook() -> None:
    results = splashdown.open("https://openeo.example/openeo/1.2/jobs/JOB", auth="TOKEN", wait=True)
    assert_type(results, JobResults)
    assert_type(results.get_metadata(), dict[str, Any])
    assert_type(results.get_assets(), list[ResultAsset])
    for asset in results:
        assert_type(asset, ResultAsset)
        assert_type(asset.media_type, str | None)
        assert_type(asset.download("data/out/" + asset.name), Path | str)
    assert_type(results.download_files("data/out"), Places)
    assert_type(results.download_file("data/out/a.tif", key="a.tif"), Path | str)
    assert_type(results.select(keys="*.tif"), JobResults)
    assert_type(results.stream("out"), OutcomeStream)
    assert_type(list(results.stream("out", ahead=1)), list[Outcome])
    assert_type(results.stream("out").report, RunReport)
    assert_type(results.delete_source("out", confirm=lambda hrefs: len(hrefs) < 3), SourceDeletion)
    assert_type(results.get_asset("a").load_bytes(), bytes)
    assert_type(results.get_asset("a").load_text(), str)
    with results.get_asset("a").open().open() as file:
        assert_type(file.read(), bytes)
    assert_type(splashdown.__version__, str)
    for auth in (Netrc(), StoredLogin(provider="egi"), ClientCredentials(client_id="me", client_secret="pw")):
        for job in connect("https://openeo.example", auth=auth).jobs():
            assert_type(job.get_results(), JobResults)


async def awaited() -> None:
    results = await splashdown.aio.open("https://openeo.example/openeo/1.2/jobs/JOB", auth="TOKEN")
    assert_type(results, AsyncResults)
    assert_type(await results.download_files("out", layout="flat"), Places)
    assert_type(await results.sync("out", delete=True), SyncReport)
    async for outcome in results.select(keys="*.tif").stream("out"):
        assert_type(outcome, Outcome)


def when_it_fails(results: JobResults) -> RunReport | None:
    try:
        results.download_files("out", if_exists=IfExists.RENAME)
    except DownloadError as error:
        for outcome in error.report.failed:
            assert_type(outcome, Outcome)
            assert_type(outcome.status, Status)
            assert_type(outcome.transfer, Transfer)
            assert_type(outcome.asset, Asset)
        return results.retry(error.report)
    except JobFailed as error:
        print(error.log, error.code, error.id)
    except JobNotFinished as error:
        print(error.job_status)
    except (JobNotFound, ResultLinkExpired, AuthError) as error:
        print(error.status)
    except MultipleAssetsError as error:
        assert_type(error.keys, tuple[str, ...])
    except (UnknownKeyError, NoAssetError, NoProviderError, UsageError, ResolveError, LoadError, TransferError):
        raise
    except SplashdownError as error:
        print(error_text(error))
    return None


# --- the operator ----------------------------------------------------------------------------------------------------


def at_night(results: JobResults) -> bool:
    settings = Settings(jobs=4, retry=RetryPolicy(attempts=8))
    with Session(settings=settings, options={"s3": {"region": "eu"}}, disable=["http"], strict=True) as session:
        again = session.open("collection.json")
        plan = again.plan("s3://bucket/prefix/")
        assert_type(plan, Plan)
        report = again.transfer(plan)
        assert_type(report.bytes_moved, int)
        session.listener("progress")(RunFinished(report=report))
        return report.ok


# --- the developer: one plugin of each kind ----------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class ShelfOptions:
    folder: str = "shelf"
    tries: int = field(default=3, metadata={"help": "How often to try."})


class ShelfSink:
    """Has every ability that a sink may have."""

    def __init__(self, target: str, options: ShelfOptions) -> None:
        self.store: dict[str, bytes] = {}
        self.target, self.options = target, options

    @property
    def parts(self) -> PartPolicy:
        return PartPolicy(min_size=1, max_parts=1)

    def begin(self, key: str, content: Content) -> Upload:
        assert_type(content.size, int | None)
        return Upload(key=key, token={"folder": self.options.folder})

    def put_whole(self, key: str, content: Content, data: Buffer) -> str:
        assert_type(content.replace, bool)
        return f"{self.options.folder}/{key}/{len(data)}"

    def put_part(self, upload: Upload, part: Part, chunks: Iterable[Buffer]) -> str:
        data = b"".join(bytes(chunk) for chunk in chunks)
        if part.size is not None and len(data) != part.size:
            raise StoreError("the shelf is too short")
        self.store[upload.key] = data
        return str(len(data))

    def commit(self, upload: Upload, tags: Sequence[str]) -> str:
        return f"shelf://{upload.key}?{len(tags)}"

    def abort(self, upload: Upload) -> None:
        self.store.pop(upload.key, None)

    def close(self) -> None: ...

    def stat(self, key: str) -> Stored | None:
        return Stored(size=len(self.store[key])) if key in self.store else None

    def stat_all(self) -> Iterator[tuple[str, Stored]]:
        return ((key, Stored(size=len(data), version="1")) for key, data in self.store.items())

    def version(self, key: str) -> str | None:
        return "1" if key in self.store else None

    @contextmanager
    def read(self, key: str) -> Generator[Iterator[Buffer]]:
        yield iter((self.store[key],))

    @contextmanager
    def read_back(self, upload: Upload, start: int = 0, stop: int | None = None) -> Generator[Iterator[Buffer]]:
        yield iter((self.store[upload.key][start:stop],))

    def recover(self, upload: Upload, parts: Sequence[StoredPart]) -> Sequence[StoredPart]:
        return [stored for stored in parts if stored.tag and upload.key in self.store]

    def list(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        return ((key, len(data)) for key, data in self.store.items() if key.startswith(prefix))

    def delete(self, key: str) -> None:
        self.store.pop(key, None)

    def copy_source(self, href: str) -> Stored | None:
        return None

    def copy_from(self, href: str, key: str, content: Content) -> Stored | None:
        return None

    def duplicate(self, key: str, copy: str, content: Content) -> Stored | None:
        return None

    def free_space(self) -> int | None:
        return 10_000 - sum(map(len, self.store.values()))

    def holds(self, upload: Upload, stored: StoredPart, data: Buffer) -> bool:
        return self.store.get(upload.key) == bytes(data)

    def unfinished(self) -> Iterator[Unfinished]:
        return (Unfinished(upload=Upload(key=key), size=len(data)) for key, data in self.store.items())

    @property
    def state_dir(self) -> Path | None:
        return None

    def expect(self, keys: Sequence[str], *, replace: bool) -> None:
        assert_type(replace, bool)
        self.store.update(dict.fromkeys(keys, b""))

    def finish(self) -> None:
        self.store.clear()


def abilities(sink: ShelfSink) -> tuple[object, ...]:
    plain: Sink = sink
    stat: SupportsStat = sink
    read: SupportsRead = sink
    read_back: SupportsReadBack = sink
    resume: SupportsResume = sink
    listing: SupportsList = sink
    copies: SupportsServerSideCopy = sink
    second: SupportsDuplicate = sink
    space: SupportsSpace = sink
    state: SupportsState = sink
    compares: SupportsCompare = sink
    unfinished: SupportsUnfinished = sink
    stats: SupportsStatAll = sink
    version: SupportsVersion = sink
    whole: SupportsPutWhole = sink
    bundle: SupportsBundle = sink
    looks = (stat, stats, version, read, read_back)
    return plain, looks, (whole, bundle), resume, listing, (copies, second), space, state, compares, unfinished


class ShelfStream:
    def __init__(self, data: bytes) -> None:
        self.info = RemoteInfo(size=len(data))
        self.start = 0
        self.length: int | None = len(data)
        self.data = data

    def __iter__(self) -> Iterator[Buffer]:
        yield self.data


class ShelfFile:
    """A file that is fetched from the shelf."""

    unusual = False

    def __init__(self, transport: ShelfTransport, request: ReadRequest) -> None:
        self._transport, self._request = transport, request

    def fileno(self) -> int:
        return 0

    def take(self) -> SmallBody | None:
        return None

    def rest(self) -> AbstractContextManager[Stream]:
        return self._transport.stream(self._request)

    def close(self) -> None:
        """Stay where you are."""


class ShelfTransport:
    def for_public_documents(self) -> ShelfTransport:
        return self

    def delete(self, href: str, version: RemoteInfo) -> None:
        assert href
        assert version.etag

    def read_small(self, request: ReadRequest, most: int) -> SmallBody | AbstractContextManager[Stream]:
        return SmallBody(info=RemoteInfo(size=1), data=b"x") if most else self.stream(request)

    def ask_small(self, request: ReadRequest, most: int) -> AwaitedFile | None:
        return ShelfFile(self, request) if most else None

    @contextmanager
    def stream(self, request: ReadRequest) -> Generator[Stream]:
        if request.pinned is not None and request.stop is not None:
            raise HttpStatusError("no ranges on a shelf", status=416)
        yield ShelfStream(request.href.encode())

    def close(self) -> None: ...


class ShelfResolver:
    def accepts(self, source: object) -> bool:
        return isinstance(source, str) and source.startswith("shelf:")

    def resolve(self, source: Any, context: ResolveContext) -> ResultSet:
        context.notify(f"looking at {source} as {context.auth}")
        return ResultSet(id=str(source), kind="items", assets=pack(self.assets_of({})), document={})

    def assets_of(self, item: dict[str, Any]) -> list[Asset]:
        described = describe_asset("a", "shelf://a", {}, item="i", owner=item)
        return PackedItems().add(item, [described])


class ShelfSteps:
    held = True

    def lists(self, url: str) -> bool:
        return url.startswith("https://shelf.example/")

    def headers(self, url: str) -> Mapping[str, str]:
        return {"Authorization": "Bearer token"} if self.lists(url) else {}

    def renew(self, url: str, refused: Mapping[str, str]) -> Mapping[str, str]:
        return {}

    def cookie(self, url: str) -> str:
        return ""

    def keep_cookies(self, url: str, lines: Sequence[str]) -> None: ...


class ShelfSigner:
    def renew(self, href: str, refused: Mapping[str, str]) -> Mapping[str, str]:
        return {}

    def serves(self, href: str) -> bool:
        return href.startswith("shelf:")

    def sign(self, href: str) -> tuple[str, Mapping[str, str]]:
        return href, {"Authorization": "Basic c2hlbGY="}


class EveryOther:
    def __call__(self, assets: Sequence[Asset]) -> Iterable[Asset]:
        return assets[::2]

    def why(self, asset: Asset) -> str:
        return f"{asset.label} is odd"


def load_shelf(asset: AssetHandle, *, upper: bool = False) -> str:
    text = asset.bytes(max_bytes=1000).decode()
    if isinstance(asset, SupportsSiblings):
        text += asset.sibling("more").bytes().decode()
    return text.upper() if upper else text


def load_lengths(assets: Sequence[AssetHandle]) -> list[int]:
    return [asset.size for asset in assets]


def note(event: Event) -> None:
    match event:
        case RunStarted(plan=plan):
            assert_type(plan, Plan)
        case TransferStarted(transfer=transfer, size=size):
            print(transfer.name, size)
        case Progress(done=done):
            assert_type(done, int)
        case Retried(delay=delay):
            assert_type(delay, float)
        case TransferFinished(outcome=outcome):
            assert_type(outcome, Outcome)
        case RunFinished(report=report):
            assert_type(report, RunReport)
        case RunInterrupted(plan=plan):
            assert_type(plan, Plan)
        case Waiting(delay=delay):
            assert_type(delay, float)
        case Reading(items=items):
            assert_type(items, int)
        case WorkersProgress(finished=finished):
            assert_type(finished, int)


def shelve(results: JobResults, *, folder: str, tries: int) -> RunReport:
    return results.transfer(results.plan(f"shelf://{folder}/{tries}"))


def plan_shelf(results: Results, *, folder: str, tries: int) -> Plan:
    return results.plan(f"shelf://{folder}/{tries}")


def tidy(session: ActionSession, target: str | Path, *, folder: str, tries: int) -> VerifyReport:
    with closing(session.sink(str(target))) as sink:
        assert_type(sink, Sink)
    return VerifyReport(target=str(target), files=(Checked(name=folder, state=State.OK, size=tries),))


def uses_what_actions_return(session: Session, results: JobResults) -> ActionOutcome:
    given: Results = results
    place: ActionSession = session
    done: Download = given.run("download_files", target="out")
    assert_type(done.places, Places)
    done.raise_failures(given.result_set.unresolved)
    planned: SyncReport = given.dry_run("sync", target="out")
    checked: VerifyReport = place.run("verify", "out")
    published: PublishReport = place.run("publish", "out", api="https://stac.example/")
    assert checked.ok
    assert published.ok
    return planned if planned.stale else done


def seams() -> tuple[object, ...]:
    transport: Transport = ShelfTransport()
    small: SupportsReadSmall = ShelfTransport()
    asking: SupportsAskSmall = ShelfTransport()
    deleting: SupportsDelete = ShelfTransport()
    resolver: Resolver = ShelfResolver()
    signer: Signer = ShelfSigner()
    serving: SupportsServes = ShelfSigner()
    renewing: RenewingSigner = ShelfSigner()
    steps: StepCredentials = ShelfSteps()
    guarded: GuardedTransport = ShelfTransport()
    chosen: Filter = EveryOther()
    reasons: SupportsWhy = EveryOther()
    listener: Listener = note
    opened: AbstractContextManager[Stream] = transport.stream(ReadRequest(href="shelf://a"))
    loader: Loader = load_anything
    return (
        resolver,
        signer,
        chosen,
        reasons,
        listener,
        opened,
        loader,
        small,
        asking,
        deleting,
        serving,
        renewing,
        steps,
        guarded,
    )


def load_anything(asset: AssetHandle, **options: Any) -> object:
    return asset.bytes(), options


def make_sink(target: str, options: ShelfOptions) -> ShelfSink:
    return ShelfSink(target, options)


@hookimpl
def splashdown_sinks() -> Iterable[SinkSpec]:
    yield SinkSpec(name="shelf", schemes=("shelf",), create=make_sink, options=ShelfOptions, summary="A shelf.")


@hookimpl
def splashdown_transports() -> Iterable[TransportSpec]:
    yield TransportSpec(name="shelf", schemes=("shelf",), create=lambda options: ShelfTransport())


@hookimpl
def splashdown_resolvers() -> Iterable[ResolverSpec]:
    yield ResolverSpec(name="shelf", create=ShelfResolver)


@hookimpl
def splashdown_signers() -> Iterable[SignerSpec]:
    yield SignerSpec(name="shelf", origins=("https://shelf.example",), create=lambda options: ShelfSigner())


@hookimpl
def splashdown_filters() -> Iterable[FilterSpec]:
    yield FilterSpec(name="every_other", create=lambda value: EveryOther())


@hookimpl
def splashdown_loaders() -> Iterable[LoaderSpec]:
    yield LoaderSpec(
        name="shelf",
        load=load_shelf,
        load_many=load_lengths,
        media_types=("text/x-shelf",),
        options=LoaderOptions,
    )


@hookimpl
def splashdown_listeners() -> Iterable[ListenerSpec]:
    yield ListenerSpec(name="note", create=lambda options: note)


class Team:
    """Workers that are threads."""

    count = 1
    label = "1 thread"
    stopped = None

    def __init__(self) -> None:
        self.pool = ThreadPoolExecutor(1)

    def submit(self, function: Callable[[Any], Any], argument: Any) -> Future[Any]:
        return self.pool.submit(function, argument)

    def is_lost(self, error: BaseException) -> bool:
        return False

    def revive(self) -> str:
        return ""

    def stop(self) -> None: ...

    def close(self) -> None:
        self.pool.shutdown()

    def watch(self) -> None: ...

    def submit_with_news(
        self, function: Callable[[Any, Callable[[Any], None]], Any], argument: Any, hear: Callable[[Any], None]
    ) -> Future[Any]:
        return self.pool.submit(function, argument, hear)

    def each(self, function: Callable[[Any], Any], argument: Any) -> Mapping[str, Any]:
        return {self.label: function(argument)}


def workers_of(given: Any, options: Any) -> Workers:
    team = Team()
    each: SupportsEach = team
    assert each.each(len, "x")
    watched: SupportsWatch = team
    watched.watch()
    with_news: SupportsNews = team
    with_news.submit_with_news(max, 1, print)
    return team


@hookimpl
def splashdown_executors() -> Iterable[ExecutorSpec]:
    yield ExecutorSpec(name="team", create=workers_of)


@hookimpl
def splashdown_actions() -> Iterable[ActionSpec]:
    yield ActionSpec(name="shelve", run=shelve, plan=plan_shelf, options=ShelfOptions, command=True)
    yield ActionSpec(name="tidy", on_target=tidy, options=ShelfOptions, command=True)


@hookimpl(wrapper=True)
def splashdown_run_plan(plan: Plan) -> Generator[None, RunReport, RunReport]:
    print(plan.known_size)
    return (yield)


@hookspec
def a_hook_of_another_host() -> None: ...


# --- the developer's tests -------------------------------------------------------------------------------------------


class TestShelfSink(SinkContract):
    @pytest.fixture
    def sink(self, tmp_path: Path) -> Sink:
        return ShelfSink(str(tmp_path), ShelfOptions())


class TestShelfTransport(TransportContract): ...


class TestShelfResolver(ResolverContract): ...


class TestShelfLoader(LoaderContract): ...


class TestEveryOther(FilterContract): ...


class TestTeam(ExecutorContract): ...


def test_with_fakes() -> None:
    faults: list[Fault] = [fails_with(TimeoutError()), answers(503, retry_after=1.0), cuts_after(10), is_fine]
    transport = FakeTransport({"fake://a": FakeFile(data=b"x", faults=faults), "fake://b": b"y"})
    context: ResolveContext = FakeContext(options={"wait": True})
    handle: AssetHandle = MemoryHandle(b"text", make_asset("a.txt", media_type="text/plain"))
    sink: Sink = MemorySink()
    with make_session(sink) as session:
        assert_type(session.sink("memory://"), Sink)
    assert_light_import("splashdown", heavy=HEAVY)
    with pytest.warns(PluginWarning):
        assert transport.requests == [context, load_shelf(handle)]
