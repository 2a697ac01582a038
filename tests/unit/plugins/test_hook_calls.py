"""Hooks register and stand around runs: how often they are called does not depend on how much is moved."""

from collections import Counter

import pytest
from stac_item import stac_item

from splashdown import Session
from splashdown.hookspecs import HookSpecs, hookimpl
from splashdown.specs import FilterSpec, SignerSpec, TransportSpec
from splashdown.testing import FakeFile, FakeTransport, cuts_after

HOOKS = {name for name in vars(HookSpecs) if name.startswith("splashdown_")}


class Plugin:
    """Has its part in everything that a run does."""

    def __init__(self, transport):
        self.transport = transport
        self.signed = 0

    @hookimpl
    def splashdown_transports(self):
        yield TransportSpec(name="fake", schemes=("fake",), create=lambda options: self.transport)

    @hookimpl
    def splashdown_signers(self):
        yield SignerSpec(name="fake", origins=("fake://host",), create=lambda options: self)

    @hookimpl
    def splashdown_filters(self):
        yield FilterSpec(name="all", create=lambda value: list)

    @hookimpl(wrapper=True)
    def splashdown_run_plan(self):
        return (yield)

    def sign(self, href):
        self.signed += 1
        return href, {}


def calls_of_a_run(count, size, tmp_path, faults=()):
    """All hook calls from the making of a session to the end of a download, and what else was asked of the plugin."""
    files = {f"fake://host/{n}.bin": FakeFile(data=bytes(size), faults=list(faults)) for n in range(count)}
    plugin = Plugin(FakeTransport(files, chunk=1000))
    document = stac_item({href.rpartition("/")[2]: {"href": href} for href in files})
    calls: Counter[str] = Counter()
    with Session(plugins=[plugin], discover=False, config=False) as session:
        manager = session.registry._loading._manager._pluggy
        manager.add_hookcall_monitoring(
            lambda name, impls, kwargs: calls.update([name]), lambda outcome, name, impls, kwargs: None
        )
        landed = session.open(document).select(all=True).download_files(tmp_path / f"{count}-{size}-{len(faults)}")
    assert len(landed) == count + 1
    return calls, plugin


@pytest.mark.parametrize(
    ("count", "size", "faults"), [(1, 500_000, ()), (60, 10, ()), (3, 5000, (cuts_after(2000), cuts_after(1000)))]
)
def test_hook_calls_do_not_grow_with_assets_chunks_or_retries(tmp_path, count, size, faults):
    fewest, _ = calls_of_a_run(1, 1, tmp_path)
    calls, plugin = calls_of_a_run(count, size, tmp_path, faults)
    assert calls == fewest
    assert calls["splashdown_run_plan"] == 2, "once for each wrapper: the plugin's, and the built-in one that logs"
    assert set(calls) == HOOKS
    assert plugin.signed >= count
    assert len(plugin.transport.requests) >= count * (1 + len(faults))


def test_no_hook_is_called_outside_the_thread_that_asked(tmp_path, monkeypatch):
    import threading

    from splashdown._plugins.manager import Manager

    threads = set()
    for name in ("collect", "run_plan"):
        monkeypatch.setattr(Manager, name, _noting(getattr(Manager, name), lambda: threads.add(threading.get_ident())))
    calls_of_a_run(20, 10, tmp_path)
    assert threads == {threading.get_ident()}


def _noting(function, note):
    def noting(*args, **kwargs):
        note()
        return function(*args, **kwargs)

    return noting
