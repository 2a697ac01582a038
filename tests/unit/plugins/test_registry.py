"""Which plugin answers, and what is said when none or several do."""

import sys
import threading
import types
import warnings
from functools import partial
from importlib import metadata

import pytest
from installs import SINK, install
from made_sink import MadeSink

from splashdown._plugins import candidates, installed
from splashdown._plugins.registry import Registry
from splashdown.errors import ConflictError, NoProviderError, PluginError, PluginWarning, UsageError
from splashdown.hookspecs import hookimpl
from splashdown.model import Asset, Plan, ResultSet, RunReport, Transfer
from splashdown.specs import ActionSpec, FilterSpec, LoaderSpec, ResolverSpec, SinkSpec, TransportSpec

PLAN = Plan(target="out", transfers=())


def module(name, **hooks):
    made = types.ModuleType(name)
    for hook, specs in hooks.items():
        made.__dict__[hook] = _hook(hook, specs)
    return made


def _hook(hook, specs):
    def implementation():
        yield from specs

    implementation.__name__ = hook
    return hookimpl(implementation)


def sink(scheme, name=None):
    return SinkSpec(name=name or scheme, schemes=(scheme,), create=MadeSink)


def registry(*plugins, discover=False, environ=(), **options):
    return Registry(plugins=plugins, discover=discover, environ=dict(environ), **options)


class Takes:
    def __init__(self, kind):
        self.kind = kind

    def accepts(self, source):
        return isinstance(source, self.kind)

    def resolve(self, source, context):
        return ResultSet(id="x", kind="items", assets=(), document={})


def resolver(name, kind):
    return ResolverSpec(name=name, create=lambda: Takes(kind))


class TestAnswers:
    def test_a_module_and_an_object_can_be_passed(self):
        class Plugin:
            @hookimpl
            def splashdown_filters(self):
                yield FilterSpec(name="every_other", create=lambda value: lambda assets: assets[::2])

        r = registry(Plugin(), module("shelves", splashdown_sinks=[sink("shelf")]))
        assert r.sink("shelf").create("shelf://x", None).target == "shelf://x"
        assert r.filter("every_other").create(True)([1, 2, 3]) == [1, 3]

    def test_a_file_can_be_passed(self, tmp_path):
        path = install(tmp_path, "filed", SINK)
        assert registry(path).sink("shelf").name == "shelf"
        assert registry(str(path)).plugins()[-1].name == "filed"

    def test_a_file_may_define_dataclasses_with_postponed_annotations(self, tmp_path):
        path = tmp_path / "json.py"
        path.write_text(
            "from __future__ import annotations\nfrom dataclasses import dataclass\nfrom splashdown.hookspecs import hookimpl\n"
            "from splashdown.specs import SinkSpec\n@dataclass(kw_only=True)\nclass O:\n    a: int = 1\n"
            "@hookimpl\ndef splashdown_sinks():\n    yield SinkSpec(name='f', schemes=('f',), create=print, options=O)\n"
        )
        assert registry(path).check("json").options["f"][0].name == "a"

    def test_a_class_or_a_missing_file_is_wrong_usage(self, tmp_path):
        with pytest.raises(UsageError, match=r"pass an object of it: Takes\(\)"):
            registry(Takes)
        with pytest.raises(UsageError, match="no plugin file"):
            registry(tmp_path / "absent.py")

    def test_schemes_are_compared_in_lower_case(self):
        assert registry(module("p", splashdown_transports=[TransportSpec(name="T", schemes=("HTTPX",), create=print)]))
        r = registry(module("p", splashdown_transports=[TransportSpec(name="T", schemes=("HTTPX",), create=print)]))
        assert r.transport("httpx").name == "T"

    def test_the_resolver_that_accepts_is_found_or_the_named_one(self):
        r = registry(module("p", splashdown_resolvers=[resolver("ints", int), resolver("texts", str)]))
        assert r.resolver(3)[0] == "ints"
        assert r.resolver("a")[0] == "texts"
        assert r.resolver(3, name="texts")[0] == "texts"

    def test_actions_and_filters_are_listed_by_name(self):
        action = ActionSpec(name="count", run=len)
        r = registry(module("p", splashdown_actions=[action], splashdown_filters=[FilterSpec(name="f", create=print)]))
        assert r.actions()["count"] is action
        assert r.action("count").run([1]) == 1
        assert set(r.filters()) >= {"f"}


class TestBuiltins:
    @pytest.fixture
    def builtin(self, site, monkeypatch):
        """One built-in plugin whose sink is for shelf://."""
        install(site, "built", SINK)
        monkeypatch.setattr(candidates.builtins, "OFFERS", {"shelves": {"sinks": ("shelf",)}})
        monkeypatch.setattr(candidates.importlib, "import_module", lambda name: __import__("built"))
        (site / "built-1.0.dist-info" / "entry_points.txt").write_text("")
        return site

    def test_installing_a_package_never_changes_who_answers(self, builtin):
        install(builtin, "rival", SINK)
        r = registry(discover=True)
        assert r.sink("shelf") is not r.sink("rival:shelf")
        first = r.sink("shelf")
        r.plugins()  # scans
        assert r.sink("shelf") is first
        assert r.sink("splashdown:shelf") is first

    def test_no_scan_happens_while_built_ins_answer(self, builtin, monkeypatch):
        monkeypatch.setattr(installed, "distributions", lambda: pytest.fail("scanned"))
        assert registry(discover=True).sink("shelf")

    def test_what_a_built_in_answers_imports_nothing_installed_after_a_scan_either(self, builtin):
        install(builtin, "rival", SINK, groups=["splashdown.sinks"])
        r = registry(discover=True)
        assert r.loaders() == ()  # scans
        assert r.sink("shelf")
        assert "rival" not in sys.modules

    def test_a_passed_plugin_that_claims_a_built_in_scheme_is_a_conflict(self, builtin):
        r = registry(module("mine", splashdown_sinks=[sink("shelf")]))
        with pytest.raises(
            ConflictError, match=r"'shelves' \(splashdown .*'mine'.*'splashdown:shelf://' or 'mine:shelf://'"
        ):
            r.sink("shelf")
        assert r.sink("mine:shelf").create("t", None).target == "t"

    def test_a_built_in_can_be_disabled(self, builtin):
        r = registry(module("mine", splashdown_sinks=[sink("shelf")]), disable=["shelves"])
        assert r.sink("shelf").create("t", None).target == "t"


#: A sink for shelf:// that also stands around runs.
BOTH = f"""{SINK}
    @hookimpl(wrapper=True)
    def splashdown_run_plan(plan, execute):
        return (yield)
"""


class TestInstalled:
    def test_the_entry_points_are_scanned_once(self, site, monkeypatch):
        install(site, "one", SINK)
        scans = []
        real = installed.distributions

        def watched(**of):
            scans.extend([] if of else ["scan"])  # of one by its name it is no scan
            return real(**of)

        monkeypatch.setattr(installed, "distributions", watched)
        r = registry(discover=True)
        r.sink("shelf")
        r.plugins()
        with pytest.raises(NoProviderError):
            r.sink("nothing")
        assert scans == ["scan"]

    def test_entry_points_without_a_plugin_are_not_parsed(self, site, monkeypatch):
        install(site, "one", SINK)
        install(site, "another", "", groups=["console_scripts"])
        parsed, kind = [], type(next(iter(installed.distributions())))  # of importlib_metadata where that is imported
        real = kind.entry_points.fget
        monkeypatch.setattr(kind, "entry_points", property(lambda one: parsed.append(one.name) or real(one)))
        assert registry(discover=True).sink("shelf")
        assert parsed == ["one"]

    def test_a_distribution_that_another_one_shadows_has_no_plugin(self, site, tmp_path_factory, monkeypatch):
        behind = tmp_path_factory.mktemp("behind")
        install(behind, "one", SINK)
        install(site, "one", "", groups=["console_scripts"])
        both = partial(metadata.distributions, path=[str(site), str(behind)])
        monkeypatch.setattr(installed, "distributions", both)
        with pytest.raises(NoProviderError):
            registry(discover=True).sink("shelf")

    def test_a_group_of_one_kind_is_imported_for_this_kind_alone(self, site):
        install(site, "shelf-package", SINK, groups=["splashdown.sinks"])
        r = registry(discover=True)
        r.loaders()
        assert "shelf_package" not in sys.modules
        assert r.sink("shelf")

    def test_a_plugin_in_two_groups_is_one_plugin(self, site):
        install(site, "one", BOTH, groups=["splashdown.sinks", "splashdown.run_plan"])
        assert registry(discover=True).check("one").info.offers == {"sinks": ("shelf",), "run_plan": ("wrapper",)}

    @pytest.mark.parametrize("group", ["splashdown.loaders", "splashdown.run_plan"])
    def test_an_offer_that_no_group_names_is_refused(self, site, group):
        install(site, "one", SINK, groups=[group])
        with pytest.warns(PluginWarning, match=r"it offers sinks.*add the group 'splashdown\.sinks'"):
            assert registry(discover=True).check("one").info.status == "failed"

    def test_a_group_that_does_not_exist_is_named_with_the_nearest(self, site):
        install(site, "one", SINK, groups=["splashdown.sink"])
        with pytest.warns(PluginWarning, match=r"no entry point group 'splashdown\.sink'; did you mean"):
            registry(discover=True).loaders()

    def test_threads_that_ask_at_once_load_a_plugin_once(self, site):
        install(site, "one", SINK)
        r = registry(discover=True)
        found = []
        threads = [threading.Thread(target=lambda: found.append(r.sink("shelf"))) for _ in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert len({id(s) for s in found}) == 1
        assert len(found) == 8

    def test_two_that_claim_a_scheme_conflict_at_use_and_either_can_be_picked(self, site):
        install(site, "one", SINK)
        install(site, "two", SINK, name="second", version="2.5")
        r = registry(discover=True)
        with pytest.raises(ConflictError) as error:
            r.sink("shelf")
        text = str(error.value)
        assert "'one' (one 1.0)" in text
        assert "'second' (two 2.5)" in text
        assert "'one:shelf://' or 'two:shelf://'" in text
        assert r.sink("one:shelf") is not r.sink("two:shelf")
        assert r.sink("second:shelf") is r.sink("two:shelf")

    def test_a_distribution_is_found_by_any_spelling_of_its_name(self, site):
        install(site, "my-shelf", SINK)
        assert registry(discover=True).sink("My_Shelf:shelf")

    def test_a_plugin_that_is_also_passed_counts_once(self, site):
        install(site, "one", SINK)
        import one

        r = registry(one, discover=True)
        assert r.sink("shelf")
        assert [p.name for p in r.plugins() if "shelf" in p.offers.get("sinks", ())] == ["one"]

    def test_refresh_finds_what_was_installed_since(self, site):
        r = registry(discover=True)
        with pytest.raises(NoProviderError):
            r.sink("shelf")
        install(site, "one", SINK)
        with pytest.raises(NoProviderError):
            r.sink("shelf")
        r.refresh()
        assert r.sink("shelf")

    def test_refresh_tries_a_broken_plugin_again(self, site):
        path = install(site, "one", "raise ImportError('no')")
        r = registry(discover=True)
        with pytest.warns(PluginWarning, match="one"):
            assert [f.plugin for f in r.failures or (r.plugins() and r.failures)] == ["one"]
        path.write_text("x = 1")
        r.refresh()
        r.plugins()
        assert r.failures == ()


class TestOffSwitches:
    @pytest.fixture(autouse=True)
    def two(self, site):
        install(site, "one", SINK)
        install(site, "two", SINK.replace("shelf", "rack"))

    def works(self, r):
        found = set()
        for scheme in ("shelf", "rack"):
            try:
                r.sink(scheme)
                found.add(scheme)
            except NoProviderError:
                pass
        return found

    def test_discovery_can_be_switched_off(self):
        assert self.works(registry(discover=True)) == {"shelf", "rack"}
        assert self.works(registry(discover=False)) == set()

    @pytest.mark.parametrize(
        ("environ", "expected"),
        [
            ({"SPLASHDOWN_NO_PLUGINS": "1"}, set()),
            ({"SPLASHDOWN_NO_PLUGINS": "true"}, set()),
            ({"SPLASHDOWN_NO_PLUGINS": "0"}, {"shelf", "rack"}),
            ({"SPLASHDOWN_NO_PLUGINS": ""}, {"shelf", "rack"}),
            ({"SPLASHDOWN_DISABLE_PLUGINS": "one, other"}, {"rack"}),
            ({"SPLASHDOWN_DISABLE_PLUGINS": "one,two:two"}, set()),
            ({"SPLASHDOWN_ONLY_PLUGINS": "one"}, {"shelf"}),
            ({"SPLASHDOWN_ONLY_PLUGINS": ""}, set()),
        ],
    )
    def test_the_environment_switches_off(self, environ, expected):
        assert self.works(registry(discover=True, environ=environ)) == expected

    def test_the_process_environment_is_the_default(self, monkeypatch):
        monkeypatch.setenv("SPLASHDOWN_NO_PLUGINS", "1")
        assert self.works(Registry()) == set()

    def test_arguments_and_environment_restrict_together(self):
        assert self.works(registry(discover=True, only=["one", "two"], environ={"SPLASHDOWN_ONLY_PLUGINS": "two"})) == {
            "rack"
        }
        assert self.works(registry(discover=True, only=["one"])) == {"shelf"}
        assert (
            self.works(registry(discover=True, disable=["one"], environ={"SPLASHDOWN_DISABLE_PLUGINS": "two"})) == set()
        )

    def test_a_disabled_plugin_is_not_imported_but_listed(self, site):
        (site / "one.py").write_text("raise AssertionError('imported')")
        r = registry(discover=True, disable=["one"])
        assert {p.name: p.status for p in r.plugins() if p.distribution in {"one", "two"}} == {
            "one": "disabled",
            "two": "ok",
        }
        with pytest.raises(NoProviderError, match="disabled: one"):
            r.sink("shelf")


class TestMissing:
    @pytest.mark.parametrize(
        ("ask", "text"),
        [
            (lambda r: r.sink("s3"), "no plugin stores to s3://: pip install splashdown-s3; there are: rack, shelf"),
            (lambda r: r.sink("shelv"), "no plugin stores to shelv://; did you mean 'shelf'?; there are: rack, shelf"),
            (lambda r: r.transport("gs"), "no plugin reads gs://: pip install splashdown-obstore; there are: none"),
            (lambda r: r.loader("geotiff"), "pip install splashdown-geotiff"),
            (lambda r: r.filter("kyes"), "no filter is called 'kyes'; did you mean 'keys'?"),
            (lambda r: r.action("x"), "no action is called 'x'; there are: none"),
            (lambda r: r.sink("rival:shelf"), "it is offered by 'p'"),
            (lambda r: r.resolver(object()), "no resolver accepts an object of type object"),
            (lambda r: r.resolver("s3://bucket/x/"), "accepts 's3://bucket/x/'; pip install splashdown-s3"),
            (lambda r: r.resolver("https://user:pw@h/x?token=abc"), r"no resolver accepts 'https://h/x\?...'"),
        ],
    )
    def test_the_error_says_what_to_do(self, ask, text):
        plugin = module(
            "p",
            splashdown_sinks=[sink("shelf"), sink("rack")],
            splashdown_filters=[FilterSpec(name="keys", create=print)],
            splashdown_loaders=[LoaderSpec(name="text", load=print)],
        )
        r = registry(plugin, disable=candidates.builtins.NAMES)
        with pytest.raises(NoProviderError, match=text.replace("?;", r"\?;")):
            ask(r)

    def test_a_plugin_that_failed_is_named_with_its_reason(self, site):
        install(site, "splashdown-s3", "import no_such_module", name="s3", version="0.1")
        r = registry(discover=True)
        with pytest.warns(PluginWarning), pytest.raises(NoProviderError) as error:
            r.sink("s3")
        assert "pip install" not in str(error.value)
        assert "plugin 's3' (splashdown-s3 0.1) failed at import: ModuleNotFoundError" in str(error.value)

    def test_two_resolvers_that_accept_conflict(self):
        r = registry(
            module("p", splashdown_resolvers=[resolver("a", complex)]),
            module("q", splashdown_resolvers=[resolver("b", complex)]),
        )
        with pytest.raises(ConflictError, match="'p' and 'q'"):
            r.resolver(1j)


BROKEN = {
    "import": "raise RuntimeError('boom')",
    "exit": "raise SystemExit(3)",
    "syntax": "def (",
    "registration": """
        from splashdown.hookspecs import hookimpl
        @hookimpl
        def splashdown_sink():
            yield 1
    """,
    "hook": """
        from splashdown.hookspecs import hookimpl
        from splashdown.specs import FilterSpec
        @hookimpl
        def splashdown_filters():
            yield FilterSpec(name="leftover", create=print)
        @hookimpl
        def splashdown_sinks():
            raise RuntimeError('boom')
    """,
}
STAGE = {"exit": "import", "syntax": "import"}


class TestIsolation:
    @pytest.mark.parametrize("how", BROKEN)
    def test_one_broken_plugin_is_named_once_and_leaves_nothing(self, site, how):
        install(site, "bad", BROKEN[how])
        install(site, "good", SINK)
        r = registry(discover=True)
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            assert r.sink("shelf")
            r.plugins()
            assert "leftover" not in r.filters()
        assert [str(w.message) for w in said if issubclass(w.category, PluginWarning)] == [str(f) for f in r.failures]
        (failure,) = r.failures
        assert (failure.plugin, failure.distribution, failure.version) == ("bad", "bad", "1.0")
        assert failure.stage == STAGE.get(how, how)
        assert failure.traceback
        assert {p.name: p.status for p in r.plugins() if p.origin == "installed" and p.name in {"bad", "good"}} == {
            "bad": "failed",
            "good": "ok",
        }

    @pytest.mark.parametrize("how", BROKEN)
    def test_strict_mode_raises(self, site, how):
        install(site, "bad", BROKEN[how])
        r = registry(discover=True, strict=True)
        with pytest.raises(PluginError, match=r"plugin 'bad' \(bad 1.0\) failed at"):
            r.sink("nowhere")

    @pytest.mark.parametrize("how", BROKEN)
    def test_plugins_are_listed_in_strict_mode_too(self, site, how):
        for name in ("bad", "worse"):
            install(site, name, BROKEN[how])
        install(site, "good", SINK)
        r = registry(discover=True, strict=True)
        statuses = {p.name: p.status for p in r.plugins() if p.origin == "installed"}
        assert statuses == {"bad": "failed", "good": "ok", "worse": "failed"}
        assert not r.check("worse").ok

    def test_a_keyboard_interrupt_during_import_is_the_users(self, site):
        install(site, "bad", "raise KeyboardInterrupt")
        with pytest.raises(KeyboardInterrupt):
            registry(discover=True).plugins()

    def test_a_create_that_breaks_names_its_plugin(self):
        broken = SinkSpec(name="b", schemes=("b",), create=lambda target, options: 1 / 0)
        r = registry(module("p", splashdown_sinks=[broken, sink("fine")]))
        with pytest.raises(PluginError, match="plugin 'p' failed at use: ZeroDivisionError: division by zero"):
            r.sink("b").create("b://x", None)
        assert r.sink("fine").create("t", 1).options == 1
        assert [f.stage for f in r.failures] == ["use"]

    def test_what_is_made_without_the_methods_of_its_kind_names_its_plugin(self):
        forgot = SinkSpec(name="b", schemes=("b",), create=lambda target, options: None)
        r = registry(module("p", splashdown_sinks=[forgot], splashdown_resolvers=[ResolverSpec(name="r", create=dict)]))
        with pytest.raises(PluginError, match=r"plugin 'p' failed at use: .*create\(\) returned nothing"):
            r.sink("b").create("b://x", None)
        with pytest.raises(PluginError, match="made a dict without accepts and resolve"):
            r.resolver("x", "r")

    def test_an_error_of_this_project_passes_through_create_unchanged(self):
        def create(target, options):
            raise UsageError("wrong target")

        r = registry(module("p", splashdown_sinks=[SinkSpec(name="b", schemes=("b",), create=create)]))
        with pytest.raises(UsageError, match=r"^wrong target$"):
            r.sink("b").create("b://x", None)
        assert r.failures == ()

    def test_a_resolver_that_breaks_while_asked_does_not_stop_the_others(self):
        class Breaks(Takes):
            def accepts(self, source):
                raise RuntimeError("boom")

        bad = ResolverSpec(name="bad", create=lambda: Breaks(int))
        r = registry(
            module("p", splashdown_resolvers=[bad]), module("q", splashdown_resolvers=[resolver("good", complex)])
        )
        with pytest.warns(PluginWarning, match="plugin 'p' failed at use: RuntimeError: boom"):
            assert r.resolver(1j)[0] == "good"

    def test_broken_metadata_on_the_path_does_not_hide_a_plugin(self, site):
        install(site, "one", SINK)
        (site / "one-1.0.dist-info" / "METADATA").write_bytes(b"\xff\xfe\x00")
        r = registry(discover=True)
        assert r.sink("shelf")


class TestRunPlan:
    def wrapper(self, name, log, before=None, after=None):
        made = types.ModuleType(name)

        @hookimpl(wrapper=True)
        def splashdown_run_plan(plan):
            log.append(f"{name} before")
            if before:
                raise before
            report = yield
            log.append(f"{name} after")
            if after:
                raise after
            return report

        made.splashdown_run_plan = splashdown_run_plan
        return made

    def report(self, log):
        def execute():
            log.append("run")
            return RunReport(plan=PLAN, outcomes=())

        return execute

    @pytest.mark.parametrize(
        ("href", "metadata", "imported"),
        [
            ("https://h/a.tif", {}, False),
            ("a.tif", {}, False),
            ("HTTPS://h/a.tif", {}, False),
            ("shelf://h/a.tif", {}, True),
            ("https://h/a.tif", {"alternate": {"shelf": {"href": "shelf://h/a.tif"}}}, True),
        ],
    )
    def test_a_run_imports_installed_transports_that_it_may_need(self, site, href, metadata, imported):
        install(site, "reads-shelves", "", groups=["splashdown.transports"])
        asset = Asset(key="a", href=href, metadata=metadata)
        plan = Plan(target="out", transfers=(Transfer(asset=asset, name="a.tif"),))
        registry(discover=True).run_plan(plan, lambda: RunReport(plan=plan, outcomes=()))
        assert ("reads_shelves" in sys.modules) is imported

    def test_a_run_of_very_many_files_imports_installed_transports_unasked(self, site):
        install(site, "reads-shelves", "", groups=["splashdown.transports"])
        one = Transfer(asset=Asset(key="a", href="https://h/a.tif"), name="a.tif")
        plan = Plan(target="out", transfers=(one,) * 1_001)
        registry(discover=True).run_plan(plan, lambda: RunReport(plan=plan, outcomes=()))
        assert "reads_shelves" in sys.modules

    def test_without_wrappers_the_run_just_happens(self):
        log = []
        assert registry().run_plan(PLAN, self.report(log)).plan is PLAN
        assert log == ["run"]

    def test_wrappers_stand_around_the_run(self):
        log = []
        r = registry(self.wrapper("a", log), self.wrapper("b", log))
        r.run_plan(PLAN, self.report(log))
        assert sorted(log[:2]) == ["a before", "b before"]
        assert log[2] == "run"
        assert [x.split()[0] for x in log[3:]] == [x.split()[0] for x in reversed(log[:2])]

    @pytest.mark.parametrize("when", ["before", "after"])
    def test_a_wrapper_that_breaks_costs_neither_the_run_nor_its_report(self, when):
        log = []
        r = registry(self.wrapper("good", log), self.wrapper("bad", log, **{when: RuntimeError("boom")}))
        with pytest.warns(PluginWarning, match="plugin 'bad' failed at use: RuntimeError: boom"):
            assert isinstance(r.run_plan(PLAN, self.report(log)), RunReport)
        assert log.count("run") == 1
        assert log.count("good after") == 1

    def test_a_wrapper_may_refuse_a_run(self):
        log = []
        r = registry(self.wrapper("quota", log, before=UsageError("quota used up")))
        with pytest.raises(UsageError, match="quota used up"):
            r.run_plan(PLAN, self.report(log))
        assert "run" not in log

    def test_what_the_run_raises_passes_through_the_wrappers(self):
        def execute():
            raise OSError("disk")

        r = registry(self.wrapper("a", []))
        with pytest.raises(OSError, match="disk"):
            r.run_plan(PLAN, execute)
        assert r.failures == ()

    def test_a_wrapper_that_loses_the_report_is_named_and_the_report_kept(self):
        made = types.ModuleType("forgets")

        @hookimpl(wrapper=True)
        def splashdown_run_plan():
            yield

        made.splashdown_run_plan = splashdown_run_plan
        with pytest.warns(PluginWarning, match="returned NoneType"):
            assert isinstance(registry(made).run_plan(PLAN, self.report([])), RunReport)

    def test_a_wrapper_that_calls_execute_itself_does_not_run_twice(self):
        made, log = types.ModuleType("eager"), []

        @hookimpl(wrapper=True)
        def splashdown_run_plan(execute):
            execute()
            return (yield)

        made.splashdown_run_plan = splashdown_run_plan
        registry(made).run_plan(PLAN, self.report(log))
        assert log == ["run"]


class Shelf:
    """A sink that forgets abort()."""

    def __init__(self, target, options):
        self.parts = None

    def begin(self, key, content): ...

    def put_part(self, upload, part, chunks): ...

    def commit(self, upload, tags): ...

    def close(self): ...


def make_shelf(target, options) -> Shelf:
    raise AssertionError("called")


class Reads:
    """A transport that wants the href and the range apart."""

    def __init__(self, options): ...

    def stream(self, href, start): ...

    def close(self): ...


class TestCheck:
    def test_a_good_plugin_has_no_problems_and_shows_its_options(self):
        r = registry(module("p", splashdown_sinks=[sink("shelf")]))
        result = r.check("p")
        assert result.ok
        assert result.info.offers == {"sinks": ("shelf",)}

    @pytest.mark.parametrize(
        ("plugin", "problem"),
        [
            ({"splashdown_sinks": []}, "offers nothing"),
            ({"splashdown_sinks": [SinkSpec(name="s", schemes=(), create=lambda t, o: t)]}, "schemes is empty"),
            (
                {"splashdown_sinks": [SinkSpec(name="s", schemes=("s",), create=lambda: 1)]},
                "create has to take 2 arguments",
            ),
            ({"splashdown_resolvers": [ResolverSpec(name="r", create=object)]}, "without accepts and resolve"),
            ({"splashdown_resolvers": [ResolverSpec(name="r", create=lambda: 1 / 0)]}, "ZeroDivisionError"),
            ({"splashdown_loaders": [LoaderSpec(name="l", load=lambda: 1)]}, "load has to take 1 argument"),
            ({"splashdown_sinks": [SinkSpec(name="s", schemes=("s",), create=Shelf)]}, "Shelf has no abort()"),
            (
                {"splashdown_sinks": [SinkSpec(name="s", schemes=("s",), create=make_shelf)]},
                "Shelf has no abort(), which a Sink needs",
            ),
            (
                {"splashdown_transports": [TransportSpec(name="t", schemes=("t",), create=Reads)]},
                "Reads.stream() has to take 1 argument",
            ),
            ({"splashdown_actions": [ActionSpec(name="a", run=lambda: 1)]}, "run has to take 1 argument"),
            (
                {"splashdown_actions": [ActionSpec(name="a", run=lambda results, more: 1, command=True)]},
                "missing a required argument: 'more'",
            ),
            (
                {"splashdown_actions": [ActionSpec(name="a", run=print, plan=lambda: 1)]},
                "plan has to take 1 argument",
            ),
            (
                {"splashdown_actions": [ActionSpec(name="a", on_target=lambda session: 1)]},
                "on_target has to take 2 arguments",
            ),
            ({"splashdown_filters": [FilterSpec(name="no-name", create=lambda v: v)]}, "not a Python identifier"),
        ],
    )
    def test_problems_are_found_without_using_the_plugin(self, plugin, problem):
        result = registry(module("p", **plugin)).check("p")
        assert not result.ok
        assert problem in result.problems[0]

    def test_an_action_may_need_more_than_the_results_when_it_is_no_command(self):
        action = ActionSpec(name="again", run=lambda results, report: report)
        assert registry(module("p", splashdown_actions=[action])).check("p").ok

    def test_a_failed_plugin_is_explained(self, site):
        install(site, "bad", BROKEN["import"])
        with pytest.warns(PluginWarning):
            result = registry(discover=True).check("bad")
        assert "RuntimeError: boom" in result.problems[0]
        assert "Traceback" in result.info.failures[0].traceback

    def test_an_unknown_name_gets_a_suggestion(self):
        with pytest.raises(NoProviderError, match="did you mean 'shelves'"):
            registry(module("shelves")).check("shelve")
