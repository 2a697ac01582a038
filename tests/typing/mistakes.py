"""What plugin authors get wrong, each an error of mypy and of pyright; never run.

Each comment names the error. Both checkers complain about a comment that is not needed, so a mistake that either of
them stops finding fails the test.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from splashdown import Asset, JobResults, Plan, Session, Settings, hookimpl
from splashdown.events import RunStarted
from splashdown.model import Buffer, Content, Part, PartPolicy, ResultSet, Upload
from splashdown.protocols import AssetHandle, Filter, Listener, ResolveContext, Resolver, Signer, Sink, Transport
from splashdown.specs import ActionSpec, FilterSpec, LoaderSpec, ResolverSpec, SinkSpec, TransportSpec


class ForgetsAbort:
    parts = PartPolicy()

    def begin(self, key: str, content: Content) -> Upload:
        return Upload(key=key)

    def put_part(self, upload: Upload, part: Part, chunks: Iterable[Buffer]) -> str:
        return ""

    def commit(self, upload: Upload, tags: Sequence[str]) -> str:
        return ""

    def close(self) -> None: ...


class CommitsNothing(ForgetsAbort):
    def commit(self, upload: Upload, tags: Sequence[str]) -> None: ...  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]

    def abort(self, upload: Upload) -> None: ...


class TakesNoContent(ForgetsAbort):
    def begin(self, key: str) -> Upload:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        return Upload(key=key)

    def abort(self, upload: Upload) -> None: ...


class ReturnsBytes:
    def stream(self, request: object) -> bytes:
        return b""

    def close(self) -> None: ...


class ForgetsAccepts:
    def resolve(self, source: Any, context: ResolveContext) -> ResultSet:
        return ResultSet(id="", kind="items", assets=(), document={})


class ReturnsAssets:
    def accepts(self, source: object) -> bool:
        return True

    def resolve(self, source: Any, context: ResolveContext) -> list[Asset]:
        return []


class SignsWithText:
    def sign(self, href: str) -> str:
        return href


class JudgesOneByOne:
    def __call__(self, assets: Asset) -> bool:
        return True


def load_without_asset() -> object: ...


def act_without_results() -> object: ...


def act_on_a_target_alone(target: str) -> object: ...


def listens_to_starts(event: RunStarted) -> None: ...


forgets: Sink = ForgetsAbort()  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
nothing: Sink = CommitsNothing()  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
content: Sink = TakesNoContent()  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
stream: Transport = ReturnsBytes()  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
accepts: Resolver = ForgetsAccepts()  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
returns: Resolver = ReturnsAssets()  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
signs: Signer = SignsWithText()  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
judges: Filter = JudgesOneByOne()  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
listens: Listener = listens_to_starts  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]


def make_forgetful(target: str, options: object) -> ForgetsAbort:
    return ForgetsAbort()


@hookimpl
def splashdown_sinks() -> Iterator[SinkSpec]:
    yield SinkSpec(name="a", schemes=("a",), create=make_forgetful)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    yield SinkSpec(name="a", schemes=("a",))  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    yield SinkSpec(name="a", scheme="a", create=lambda target, options: content)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    yield FilterSpec(name="a", create=lambda value: judges)  # type: ignore[misc]  # pyright: ignore[reportReturnType]


@hookimpl
def splashdown_transports() -> Iterator[TransportSpec]:
    yield TransportSpec(name="a", schemes=("a",), create=lambda options: ReturnsBytes())  # type: ignore[arg-type, return-value]  # pyright: ignore[reportArgumentType]


@hookimpl
def splashdown_resolvers() -> Iterator[ResolverSpec]:
    yield ResolverSpec(name="a", create=ForgetsAccepts)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


@hookimpl
def splashdown_loaders() -> Iterator[LoaderSpec]:
    yield LoaderSpec(name="a", load=load_without_asset)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


@hookimpl
def splashdown_actions() -> Iterator[ActionSpec]:
    yield ActionSpec(name="a", run=act_without_results)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    yield ActionSpec(name="a", on_target=act_on_a_target_alone)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def changes_values(plan: Plan, asset: AssetHandle, results: JobResults) -> Mapping[str, object]:
    plan.target = "elsewhere"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    asset.size = 3  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    results.download_files(7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Settings(job=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Session(settings={"jobs": 3})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    return {}
