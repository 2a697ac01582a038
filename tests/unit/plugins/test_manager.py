"""What the manager refuses, and that it keeps nothing of what it refused."""

import types

import pytest

from splashdown._plugins.manager import REGISTRATION, RUN_PLAN, Manager
from splashdown.errors import PluginError
from splashdown.hookspecs import HookSpecs, hookimpl
from splashdown.specs import ActionSpec, FilterSpec, LoaderSpec, SinkSpec


def marked(function, **options):
    """A marked copy: the marker writes on the function itself."""
    return hookimpl(types.FunctionType(function.__code__, {}, function.__name__, function.__defaults__), **options)


def plugin(**functions):
    made = types.ModuleType("p")
    made.__dict__.update(functions)
    return made


def splashdown_sinks():
    yield SinkSpec(name="s", schemes=("s",), create=print)


def with_default(flag=True):
    yield


def with_kwargs(**options):
    yield


def plain(plan):
    return plan


def wrapping():
    yield


def unknown_argument(session):
    yield


REFUSED = {
    "unknown hook": (
        plugin(splashdown_sink=marked(with_default)),
        "no hook splashdown_sink; did you mean 'splashdown_sinks'",
    ),
    "typo in specname": (plugin(f=marked(plain, specname="splashdown_loader")), "did you mean 'splashdown_loaders'"),
    "default": (plugin(splashdown_sinks=marked(with_default)), "argument flag=True, which would never be filled"),
    "kwargs": (plugin(splashdown_sinks=marked(with_kwargs)), r"argument \*\*options"),
    "run_plan that is no wrapper": (
        plugin(splashdown_run_plan=marked(plain)),
        r"is a wrapper: @hookimpl\(wrapper=True\)",
    ),
    "old-style wrapper": (plugin(splashdown_run_plan=marked(wrapping, hookwrapper=True)), "is a wrapper"),
    "wrapper of a registration": (plugin(splashdown_sinks=marked(wrapping, wrapper=True)), "cannot be a wrapper"),
    "unmarked": (plugin(splashdown_sinks=splashdown_sinks), "put @hookimpl above it"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_malformed_hook_is_refused_with_the_way_out(case):
    made, text = REFUSED[case]
    manager = Manager()
    with pytest.raises(PluginError, match=text):
        manager.register("d:p", made)
    assert not manager.knows(made)


def test_an_argument_that_the_hook_does_not_have_is_refused_and_rolled_back():
    manager, made = Manager(), plugin(splashdown_sinks=marked(unknown_argument))
    with pytest.raises(Exception, match="session"):
        manager.register("d:p", made)
    assert not manager.knows(made)
    manager.register("d:p", plugin())  # the name is free again


@pytest.mark.parametrize(
    ("hook", "yielded", "text"),
    [
        ("splashdown_sinks", FilterSpec(name="f", create=print), "yielded FilterSpec; it has to yield SinkSpec"),
        ("splashdown_sinks", "s3", "yielded str"),
        ("splashdown_sinks", SinkSpec(name="", schemes=("s",), create=print), "name ''"),
        ("splashdown_sinks", SinkSpec(name="a:b", schemes=("s",), create=print), "without colons"),
        ("splashdown_sinks", SinkSpec(name="a", schemes="s3", create=print), r"schemes of 'a' is one string"),
        ("splashdown_loaders", LoaderSpec(name="a", load=print, magic=b"II"), "magic of 'a' is one string"),
        ("splashdown_loaders", LoaderSpec(name="a", load=print, extensions=("tif",)), r"with its dot: '\.tif'"),
        (
            "splashdown_sinks",
            SinkSpec(name="a", schemes=("s3://",), create=print),
            "'s3://', which is not a URL scheme",
        ),
        ("splashdown_sinks", SinkSpec(name="a", schemes=("s",), create=print, options=int), "has to be a dataclass"),
        ("splashdown_actions", ActionSpec(name="a"), "'a' has nothing to call; give it run= or on_target="),
        (
            "splashdown_actions",
            ActionSpec(name="a", plan=print, on_target=print),
            "has a plan= for results and no run=",
        ),
    ],
)
def test_a_yield_that_is_no_proper_spec_is_refused(hook, yielded, text):
    def implementation():
        yield yielded

    manager = Manager()
    manager.register("d:p", plugin(**{hook: hookimpl(implementation, specname=hook)}))
    with pytest.raises(PluginError, match=text):
        manager.collect("d:p")


def test_returning_one_spec_instead_of_yielding_is_explained():
    def splashdown_sinks():
        return SinkSpec(name="s", schemes=("s",), create=print)

    manager = Manager()
    manager.register("d:p", plugin(splashdown_sinks=hookimpl(splashdown_sinks)))
    with pytest.raises(PluginError, match="returned one SinkSpec; it has to yield SinkSpec objects"):
        manager.collect("d:p")


def test_a_list_may_be_returned_instead_of_yielding():
    def splashdown_sinks():
        return [SinkSpec(name="s", schemes=("s",), create=print)]

    manager = Manager()
    manager.register("d:p", plugin(splashdown_sinks=hookimpl(splashdown_sinks)))
    assert [s.name for s in manager.collect("d:p")] == ["s"]


def test_every_specified_hook_is_known_to_the_manager():
    specified = {name for name in vars(HookSpecs) if name.startswith("splashdown_")}
    assert specified == {*REGISTRATION, RUN_PLAN}
