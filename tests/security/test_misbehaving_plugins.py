"""Whatever a plugin does at whichever place it is called: one line that names it, and the run keeps its report."""

import contextlib
import logging
import re
import subprocess
import sys
import threading
import types
import warnings

import pytest
from stac_item import stac_item

from splashdown import Session
from splashdown._engine import dispatch
from splashdown._engine.context import Forgetful
from splashdown._plugins import loading
from splashdown.errors import DownloadError, Interrupted, PluginError, PluginWarning, SplashdownError
from splashdown.hookspecs import HookSpecs, hookimpl
from splashdown.model import PartPolicy, ResultSet, RunReport, Status, Stored
from splashdown.specs import (
    ActionSpec,
    FilterSpec,
    ListenerSpec,
    LoaderSpec,
    ResolverSpec,
    SignerSpec,
    SinkSpec,
    TransportSpec,
)
from splashdown.testing import FakeTransport, MemorySink

FILES = {f"fake://host/{n}.bin": bytes([n]) * 3000 for n in range(3)}
DOCUMENT = stac_item({href.rpartition("/")[2]: {"href": href, "file:size": 3000} for href in FILES})
REGISTRATION = sorted(
    name for name in vars(HookSpecs) if name.startswith("splashdown_") and name != "splashdown_run_plan"
)


class OwnError(BaseException):
    """An exception that ``except Exception`` does not catch."""


class Junk:
    """A value of no use."""


def raising(error):
    def fault(*args, **options):
        raise error("boom")

    return fault


FAULTS = {
    "Exception": raising(ValueError),
    "BaseException": raising(OwnError),
    "SystemExit": raising(SystemExit),
    "GeneratorExit": raising(GeneratorExit),
    "None": lambda *args, **options: None,
    "junk": lambda *args, **options: Junk(),
}


def made(**hooks):
    """A plugin with these hooks."""
    plugin = types.ModuleType("made")
    plugin.__dict__.update(hooks)
    return plugin


class Bad:
    """A plugin of one part; ``at`` is the place at which it does what ``fault`` does."""

    def __init__(self, at, fault):
        self.at, self.fault = at, fault

    def wrong(self, place, right):
        """What a function at a place is: the right one, or the fault."""
        return self.fault if self.at == place else right


def sink_of(bad):
    class BadSink(MemorySink):
        @property
        def parts(self):
            return bad.wrong("sink.parts", lambda: self.__dict__.get("rules", PartPolicy()))()

        @parts.setter
        def parts(self, value):
            self.__dict__["rules"] = value

        @property
        def state_dir(self):
            return bad.wrong("sink.state_dir", lambda: None)()

        @state_dir.setter
        def state_dir(self, value):
            """The base class sets it."""

        def free_space(self):
            return bad.wrong("sink.free_space", lambda: None)()

        def copy_source(self, href):
            return bad.wrong("sink.copy_source", lambda: Stored(size=1))()

        def copy_from(self, href, key, content):
            return bad.wrong("sink.copy_from", lambda: None)()

    def method(name):
        def call(self, *args):
            return bad.wrong(f"sink.{name}", lambda: getattr(MemorySink, name)(self, *args))()

        call.__name__, call.__qualname__ = name, f"BadSink.{name}"
        return call

    for name in ("begin", "put_part", "commit", "abort", "close", "stat", "read", "list", "delete"):
        setattr(BadSink, name, method(name))
    return bad.wrong("sink.create", lambda target, options: BadSink())


class BadStream:
    def __init__(self, bad, stream):
        self._bad, self._stream = bad, stream
        self.start, self.length = stream.start, stream.length

    @property
    def info(self):
        return self._bad.wrong("stream.info", lambda: self._stream.info)()

    def __iter__(self):
        if self._bad.at == "stream.chunk":
            yield self._bad.fault()
        yield from self._bad.wrong("stream.iter", lambda: iter(self._stream))()


class BadTransport(FakeTransport):
    def __init__(self, bad):
        super().__init__(FILES)
        self.bad = bad

    def stream(self, request):
        return self.bad.wrong("transport.stream", lambda: self._stream(request))()

    @contextlib.contextmanager
    def _stream(self, request):
        with FakeTransport.stream(self, request) as stream:
            yield self.bad.wrong("transport.enter", lambda: BadStream(self.bad, stream))()
        self.bad.wrong("transport.exit", lambda: None)()

    def close(self):
        return self.bad.wrong("transport.close", lambda: None)()


class BadFilter:
    def __init__(self, bad):
        self.bad = bad

    def __call__(self, assets):
        return self.bad.wrong("filter.call", lambda: assets[:1])()

    def why(self, asset):
        return self.bad.wrong("filter.why", lambda: "not the first")()


class BadSigner:
    def __init__(self, bad):
        self.bad = bad

    def sign(self, href):
        return self.bad.wrong("signer.sign", lambda: (href, {}))()


class BadResolver:
    def __init__(self, bad):
        self.bad = bad

    def accepts(self, source):
        return self.bad.wrong("resolver.accepts", lambda: source == "bad")()

    def resolve(self, source, context):
        return self.bad.wrong("resolver.resolve", lambda: ResultSet(id="x", kind="items", assets=(), document={}))()


def plugin_of(bad):
    """All kinds of specs, wrong at one place."""

    class Plugin:
        name = "bad"

        @hookimpl
        def splashdown_sinks(self):
            yield SinkSpec(name="bad", schemes=("bad",), create=sink_of(bad))

        @hookimpl
        def splashdown_transports(self):
            create = bad.wrong("transport.create", lambda options: BadTransport(bad))
            yield TransportSpec(name="bad", schemes=("fake",), create=create)

        @hookimpl
        def splashdown_signers(self):
            create = bad.wrong("signer.create", lambda options: BadSigner(bad))
            yield SignerSpec(name="bad", origins=("fake://host",), create=create)

        @hookimpl
        def splashdown_filters(self):
            yield FilterSpec(name="bad", create=bad.wrong("filter.create", lambda value: BadFilter(bad)))

        @hookimpl
        def splashdown_resolvers(self):
            yield ResolverSpec(name="bad", create=bad.wrong("resolver.create", lambda: BadResolver(bad)))

        @hookimpl
        def splashdown_loaders(self):
            yield LoaderSpec(
                name="bad",
                load=bad.wrong("loader.load", lambda asset, **options: 1),
                load_many=bad.wrong("loader.load_many", lambda assets, **options: 1),
                summarise=bad.wrong("loader.summarise", lambda asset, **options: {}),
                extensions=(".bin",),
            )

        @hookimpl
        def splashdown_listeners(self):
            create = bad.wrong("listener.create", lambda options: bad.wrong("listener.call", lambda event: None))
            yield ListenerSpec(name="bad", create=create)

        @hookimpl
        def splashdown_actions(self):
            yield ActionSpec(
                name="bad",
                run=bad.wrong("action.run", lambda results, **options: 1),
                plan=bad.wrong("action.plan", lambda results, **options: 1),
                on_target=bad.wrong("action.on_target", lambda session, target, **options: 1),
            )

        @hookimpl(wrapper=True)
        def splashdown_run_plan(self):
            bad.wrong("run_plan.before", lambda: None)()
            report = yield
            bad.wrong("run_plan.after", lambda: None)()
            return bad.wrong("run_plan.return", lambda: report)()

    plugin = Plugin()
    if bad.at in REGISTRATION:
        setattr(plugin, bad.at, hookimpl(lambda: bad.fault()))  # noqa: PLW0108 - a function that may be marked
    return plugin


def everything(session):
    """Use each part of the plugin; what each use ended in."""
    results = None

    def opened():
        nonlocal results
        results = session.open(DOCUMENT)
        return results

    def transferred():
        return results.transfer(results.plan("bad://t"), listeners=[session.listener("bad")])

    return (
        opened,
        lambda: session.open("bad", resolver="bad"),
        lambda: results.select(bad=True).plan("bad://t"),
        transferred,
        lambda: results.download_files("bad://t"),
        lambda: results.get_asset("0.bin").load("bad"),
        lambda: results.load(loader="bad"),
        lambda: _summary(results),
        lambda: results.run("bad"),
        lambda: results.dry_run("bad"),
        lambda: session.run("bad", "out"),
        lambda: session.run("verify", "bad://t"),
        session.close,
    )


def _summary(results):
    from splashdown._plugins.loaders import summarise

    return summarise(results.session.registry.loader("bad"), results.get_asset("0.bin").open())


#: At these places an answer has no meaning for the host, so that only exceptions are faults.
ANY_ANSWER = {
    "sink.abort",
    "sink.close",
    "sink.delete",
    "transport.exit",
    "transport.close",
    "loader.load",
    "loader.load_many",
    "listener.call",
    "action.run",
    "action.plan",
    "action.on_target",
    "run_plan.before",
    "run_plan.after",
}
#: Here ``None`` is an answer as well.
NONE_IS_FINE = {"sink.stat", "sink.state_dir", "sink.free_space", "sink.copy_source", "sink.copy_from"}
#: These are called after a failure only, or by nothing that is used here.
NOT_CALLED = {"sink.abort", "sink.delete"}
#: What is broken here changes nothing: the body has come already.
HARMLESS = {"transport.exit"}
PLACES = [
    *(
        f"sink.{name}"
        for name in [
            "create",
            "parts",
            "state_dir",
            "free_space",
            "copy_source",
            "copy_from",
            "begin",
            "put_part",
            "commit",
            "abort",
            "close",
        ]
    ),
    *(f"sink.{name}" for name in ["stat", "read", "list"]),
    *(f"transport.{name}" for name in ["create", "stream", "enter", "exit", "close"]),
    *(f"stream.{name}" for name in ["info", "iter", "chunk"]),
    *("signer.create", "signer.sign", "filter.create", "filter.call", "filter.why"),
    *("resolver.create", "resolver.accepts", "resolver.resolve"),
    *("loader.load", "loader.load_many", "loader.summarise", "listener.create", "listener.call"),
    *("action.run", "action.plan", "action.on_target"),
    *("run_plan.before", "run_plan.after", "run_plan.return"),
    *REGISTRATION,
]


def ends(uses):
    """Every line that the uses end in; anything but an error of the project is raised."""
    lines = []
    for use in uses:
        try:
            done = use()
        except SplashdownError as error:
            lines.append(str(error))
            lines += [outcome.error for outcome in error.report.failed] if isinstance(error, DownloadError) else []
        else:
            if isinstance(done, RunReport):
                assert len(done.outcomes) == len(FILES), "each asset has its outcome"
                lines += [outcome.error for outcome in done.failed]
    return lines


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("place", PLACES)
def test_a_plugin_that_misbehaves_anywhere_is_named_in_one_line(place, fault, caplog):
    caplog.set_level(logging.WARNING, "splashdown")
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always", PluginWarning)
        with Session(plugins=[plugin_of(Bad(place, FAULTS[fault]))], discover=False, config=False) as session:
            lines = ends(everything(session))
    lines += [str(one.message) for one in warned] + [record.getMessage() for record in caplog.records]
    assert not [line for line in lines if "\n" in line]
    if place in NOT_CALLED | HARMLESS:
        return
    if fault in {"None", "junk"} and (place in ANY_ANSWER or (fault == "None" and place in NONE_IS_FINE)):
        return
    about = [line for line in lines if re.search(r"\bbad\b|Bad[A-Z]|test_misbehaving|lambda|fault|Plugin", line)]
    assert about, lines
    expected = "boom" if fault not in {"None", "junk"} else "return|yield|stream|made|Junk|None"
    assert any(re.search(expected, line) for line in about), about
    assert place not in REGISTRATION or any(place in line or "boom" in line for line in about)


@pytest.mark.parametrize("fault", ["Exception", "BaseException", "SystemExit", "GeneratorExit"])
@pytest.mark.parametrize(
    "place", ["run_plan.before", "run_plan.after", "sink.close", "listener.call", "transport.close"]
)
def test_what_breaks_around_a_run_costs_no_file_of_its_report(place, fault, caplog):
    with (
        pytest.warns(PluginWarning, match="boom") if place != "listener.call" else contextlib.nullcontext(),
        Session(plugins=[plugin_of(Bad(place, FAULTS[fault]))], discover=False, config=False) as session,
    ):
        results = session.open(DOCUMENT)
        report = results.transfer(results.plan("bad://t"), listeners=[session.listener("bad")])
        assert [outcome.status for outcome in report.outcomes] == [Status.STORED] * len(FILES)
    assert place != "listener.call" or "boom" in caplog.text


@pytest.mark.parametrize("name", ["begin", "put_part", "commit", "stat"])
def test_a_failed_asset_names_the_method_and_its_module(name):
    def exits(self, *args):
        raise SystemExit(3)

    exits.__qualname__ = f"Shelf.{name}"
    shelf = type("Shelf", (MemorySink,), {name: exits})
    plugin = made(splashdown_transports=hookimpl(lambda: [TransportSpec(name="f", schemes=("fake",), create=_fake)]))
    with Session(plugins=[plugin], discover=False, config=False) as session:
        results = session.open(DOCUMENT)
        report = results.transfer(results.plan("out"), sink=shelf(), memory=Forgetful())
    assert report.failed[0].error.endswith(f"3, in Shelf.exits() of {__name__}")


def _fake(options):
    return FakeTransport(FILES)


class TestFilters:
    def select(self, chosen):
        plugin = made(splashdown_filters=hookimpl(lambda: [FilterSpec(name="odd", create=lambda value: chosen)]))
        session = Session(plugins=[plugin], discover=False, config=False)
        return session.open(DOCUMENT).select(odd=True)

    def test_an_asset_that_was_not_given_is_refused(self):
        import dataclasses

        with pytest.raises(
            PluginError, match=r"^the filter 'odd' returned the asset '.*0.bin', which it was not given"
        ):
            self.select(lambda assets: [dataclasses.replace(assets[0], href="file:///etc/passwd")])

    def test_an_asset_that_comes_twice_is_refused(self):
        with pytest.raises(PluginError, match=r"^the filter 'odd' returned the asset '.*0.bin' twice$"):
            self.select(lambda assets: [assets[0], assets[0]])

    def test_a_filter_that_never_ends_is_stopped(self):
        def endless(assets):
            while True:
                yield assets[0]

        with pytest.raises(PluginError, match="twice"):
            self.select(endless)

    def test_a_filter_that_empties_its_list_changes_nothing_else(self):
        with pytest.raises(PluginError, match="returned None"):
            self.select(lambda assets: assets.clear())

    def test_a_generator_is_a_filter(self):
        assert len(self.select(lambda assets: (a for a in assets[1:]))) == 2


class TestInterrupts:
    @pytest.mark.parametrize("place", ["run_plan.after", "run_plan.return"])
    def test_ctrl_c_after_the_run_keeps_its_report(self, place):
        with Session(
            plugins=[plugin_of(Bad(place, raising(KeyboardInterrupt)))], discover=False, config=False
        ) as session:
            results = session.open(DOCUMENT)
            with pytest.raises(Interrupted) as raised:
                results.transfer(results.plan("bad://t"))
        assert raised.value.report.interrupted == "SIGINT"
        assert len(raised.value.report.landed) == len(FILES)

    @pytest.mark.parametrize(
        "place", ["filter.call", "resolver.resolve", "action.run", "sink.create", "run_plan.before"]
    )
    def test_ctrl_c_in_a_plugin_ends_the_program_as_ever(self, place):
        with Session(
            plugins=[plugin_of(Bad(place, raising(KeyboardInterrupt)))], discover=False, config=False
        ) as session:
            seen = []
            for use in everything(session):
                try:
                    use()
                except KeyboardInterrupt:
                    seen.append(use)
                except SplashdownError:
                    continue
        assert seen


class TestImports:
    @pytest.mark.parametrize("error", ["SystemExit(3)", "GeneratorExit()", "BaseException('b')", "RecursionError()"])
    def test_a_plugin_that_raises_when_imported_is_left_out(self, tmp_path, error):
        (tmp_path / "p.py").write_text(f"raise {error}\n")
        session = Session(plugins=[tmp_path / "p.py"], discover=False, config=False)
        with pytest.warns(PluginWarning, match=f"plugin 'p' failed at import: {error.partition('(')[0]}"):
            assert len(session.open(DOCUMENT)) == len(FILES)

    def test_a_plugin_whose_import_hangs_is_named(self, tmp_path, monkeypatch, capfd):
        said, go = threading.Event(), threading.Event()
        monkeypatch.setattr(loading, "SLOW_SECONDS", 0.01)
        say = loading._say_slow
        monkeypatch.setattr(loading, "_say_slow", lambda label: (say(label), said.set(), go.set()))
        (tmp_path / "hang.py").write_text("import sys\nsys.modules['hangs_for_a_test'].go.wait(30)\n")
        monkeypatch.setitem(sys.modules, "hangs_for_a_test", types.SimpleNamespace(go=go))
        Session(plugins=[tmp_path / "hang.py"], discover=False, config=False).open(DOCUMENT)
        assert said.is_set()
        assert capfd.readouterr().err == "waiting for plugin 'hang' to import\n"

    def test_a_plugin_that_is_imported_quickly_is_not_announced(self, tmp_path, capfd):
        (tmp_path / "quick.py").write_text("")
        Session(plugins=[tmp_path / "quick.py"], discover=False, config=False).open(DOCUMENT)
        assert all(t.finished.is_set() for t in threading.enumerate() if isinstance(t, threading.Timer))
        assert capfd.readouterr().err == ""

    def test_a_hook_that_never_stops_yielding_is_a_failure(self):
        def endless():
            number = 0
            while True:
                number += 1
                yield FilterSpec(name=f"f{number}", create=list)

        plugin = made(splashdown_filters=hookimpl(endless))
        with pytest.warns(PluginWarning, match="seems not to end"):
            Session(plugins=[plugin], discover=False, config=False).open(DOCUMENT)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (SinkSpec(name="x", schemes=5, create=print), "schemes of 'x' is of type int"),
        (SinkSpec(name="x", schemes=(5,), create=print), "schemes of 'x' has 5; each has to be str"),
        (SinkSpec(name="x", schemes=None, create=print), "schemes of 'x' is None"),
        (SinkSpec(name="x", schemes=("x",), create=None), "create of 'x' is None, which cannot be called"),
        (SinkSpec(name="x", schemes=("x",), create=print, summary=5), "summary of 'x' is of type int"),
        (TransportSpec(name="x", schemes=(b"x",), create=print), "each has to be str"),
        (LoaderSpec(name="x", load=print, magic=("II*",)), "magic of 'x' has 'II*'; each has to be bytes"),
        (LoaderSpec(name="x", load=print, extensions=(1,)), "extensions of 'x' has 1"),
        (LoaderSpec(name="x", load=print, load_many=1), "load_many of 'x' is of type int"),
        (LoaderSpec(name="x", load=print, media_types=(None,)), "media_types of 'x' has None"),
        (SignerSpec(name="x", create=print, origins=(1,)), "origins of 'x' has 1"),
        (ActionSpec(name="x", run=1), "run of 'x' is of type int"),
    ],
)
def test_a_field_of_another_type_is_refused_when_the_plugin_loads(spec, message):
    hook = next(hook for hook, kind in loading.REGISTRATION.items() if isinstance(spec, kind))
    plugin = made(**{hook: hookimpl(lambda: [spec])})
    with pytest.warns(PluginWarning, match=re.escape(message)):
        Session(plugins=[plugin], discover=False, config=False).open(DOCUMENT)


def test_a_listener_that_hangs_is_named_and_the_run_ends(monkeypatch, caplog):
    monkeypatch.setattr(dispatch, "_CLOSE_SECONDS", 0.05)
    go = threading.Event()

    class Hangs:
        def __call__(self, event):
            go.wait(30)

    try:
        plugin = made(
            splashdown_transports=hookimpl(lambda: [TransportSpec(name="f", schemes=("fake",), create=_fake)])
        )
        results = Session(plugins=[plugin], discover=False, config=False).open(DOCUMENT)
        report = results.transfer(results.plan("out"), sink=MemorySink(), listeners=[Hangs()])
    finally:
        go.set()
    assert report.ok
    assert re.search(r"listener \S+\.Hangs did not return within", caplog.text)


def test_a_command_with_an_exiting_action_ends_in_one_line(tmp_path):
    (tmp_path / "p.py").write_text(
        "import sys\nfrom splashdown import hookimpl\nfrom splashdown.specs import ActionSpec\n"
        "def leave(session, target):\n    sys.exit(0)\n"
        "@hookimpl\ndef splashdown_actions():\n    yield ActionSpec(name='leave', on_target=leave, command=True)\n"
    )
    code = "import sys; from splashdown._cli.main import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "--plugin", str(tmp_path / "p.py"), "--no-plugins", "leave", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == "Error: the action 'leave' failed: SystemExit: 0, in leave() of _splashdown_plugin_p\n"
