"""Whatever is public has a place in the reference: hooks, names, events, errors, commands and their options."""

from __future__ import annotations

import dataclasses
import enum
import inspect
import pkgutil
import re

import click
import pytest
from doc_pages import ROOT, Page, pages

import splashdown
from splashdown import actions, backend, errors, events, model, protocols, resolving, specs, testing
from splashdown._cli.exit_codes import exit_code
from splashdown._cli.root import COMMANDS, cli
from splashdown._engine.settings import RetryPolicy, Settings
from splashdown._plugins.manager import REGISTRATION
from splashdown._plugins.registry import Registry
from splashdown.hookspecs import HookSpecs

REFERENCE = ROOT / "docs" / "reference"
HOOKS = sorted(name for name in vars(HookSpecs) if name.startswith("splashdown_"))


def page(*path: str) -> Page:
    return Page(path=REFERENCE.joinpath(*path))


def named(*pages: Page) -> set[str]:
    """All words that stand in headings, in backticks and in the examples of these pages."""
    words: set[str] = set()
    for one in pages:
        prose, blocks = re.sub(r"```.*?```", "", one.text, flags=re.DOTALL), [block.code for block in one.blocks]
        for code in [*one.headings, *re.findall(r"`([^`]+)`", prose), *blocks]:
            words.update(re.findall(r"[A-Za-z_][A-Za-z0-9_-]*", code))
    return words


def reference() -> list[Page]:
    return [one for one in pages() if one.path.is_relative_to(REFERENCE)]


def own(module: object, kind: type = object) -> list[type]:
    """The public classes that a module defines."""
    return [
        value
        for name, value in vars(module).items()
        if inspect.isclass(value) and issubclass(value, kind) and value.__module__ == module.__name__
        if not name.startswith("_")
    ]


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_has_a_page_with_a_whole_example_and_each_field_of_its_spec(hook):
    about = page("hooks", f"{hook}.md")
    assert about.path.exists(), f"write {about.name}"
    assert about.headings[0] == hook
    run = [block.code for block in about.blocks if block.not_run is None]
    assert any(re.search(rf"@hookimpl.*\n\s*def {hook}\(", code) for code in run), "no example that is run"
    fields = [f.name for f in dataclasses.fields(REGISTRATION[hook])] if hook in REGISTRATION else ["plan", "execute"]
    rows = re.findall(r"^\| `(\w+)` \|", about.text, re.MULTILINE)
    assert rows == fields
    assert f"]({hook}.md)" in page("hooks", "index.md").text


def test_there_is_no_page_about_a_hook_that_does_not_exist():
    assert sorted(path.stem for path in (REFERENCE / "hooks").glob("splashdown_*.md")) == HOOKS


def test_every_public_name_is_in_the_reference():
    assert set(splashdown.__all__) - named(*reference()) == set()


def test_every_public_module_is_in_the_reference():
    found = {one.name for one in pkgutil.iter_modules(splashdown.__path__) if not one.name.startswith("_")}
    assert "columns" in found
    assert found - named(*reference()) == set()


def test_every_argument_of_a_session_is_in_its_table():
    section = page("library.md").text.partition("## Session")[2].partition("\n## ")[0]
    arguments = set(inspect.signature(splashdown.Session).parameters)
    described = {
        name for row in re.findall(r"^\| (.*?) \|", section, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)
    }
    assert described == arguments


def test_every_method_of_the_typed_face_is_in_the_reference():
    faces = (splashdown.Session, splashdown.JobResults, splashdown.ResultAsset)
    methods = {name for face in faces for name in vars(face) if not name.startswith("_")}
    assert methods - named(*reference()) == set()


def test_every_name_of_the_test_kit_is_on_its_page():
    assert set(testing.__all__) - named(page("testing.md")) == set()


@pytest.mark.parametrize("module", [actions, model, protocols, specs, resolving], ids=lambda module: module.__name__)
def test_every_value_protocol_and_spec_is_in_the_reference(module):
    assert {kind.__name__ for kind in own(module)} - named(*reference()) == set()


@pytest.mark.parametrize("value", own(model), ids=lambda value: value.__name__)
def test_every_field_of_a_value_is_in_the_reference(value):
    row = re.search(rf"^\| `{value.__name__}` \| (.*?) \|", page("values-and-protocols.md").text, re.MULTILINE)
    assert row, f"{value.__name__} is not on the page"
    fields = [field.name for field in dataclasses.fields(value)] if dataclasses.is_dataclass(value) else list(value)
    assert re.findall(r"`(\w+)`", row[1]) == fields


@pytest.mark.parametrize(
    "value",
    [kind for kind in own(actions) if dataclasses.is_dataclass(kind) or issubclass(kind, enum.Enum)],
    ids=lambda value: value.__name__,
)
def test_every_field_that_an_action_returns_is_on_its_page(value):
    row = re.search(rf"^\| `{value.__name__}` \| (.*?) \|", page("actions.md").text, re.MULTILINE)
    assert row, f"{value.__name__} is not on the page"
    fields = [field.name for field in dataclasses.fields(value)] if dataclasses.is_dataclass(value) else list(value)
    assert re.findall(r"`(\w+)`", row[1]) == fields


def test_every_name_for_authors_of_resolvers_is_in_its_table():
    section = page("library.md").text.partition("## resolving")[2].partition("\n## ")[0]
    described = set(re.findall(r"^\| `(\w+)\(", section, re.MULTILINE))
    assert described == set(resolving.__all__) - {"Answer", "Fetch"}


@pytest.mark.parametrize("event", own(events), ids=lambda event: event.__name__)
def test_every_event_is_on_its_page_with_its_fields(event):
    row = re.search(rf"^\| `{event.__name__}` \| (.*?)\|", page("events.md").text, re.MULTILINE)
    assert row, f"{event.__name__} is not on the page"
    assert re.findall(r"`(\w+)`", row[1]) == [field.name for field in dataclasses.fields(event)]


@pytest.mark.parametrize("error", own(errors, BaseException), ids=lambda error: error.__name__)
def test_every_error_is_on_its_page_with_what_it_carries(error):
    row = re.search(rf"^\| `{error.__name__}` \| .*? \|(.*?)\|$", page("errors.md").text, re.MULTILINE)
    assert row, f"{error.__name__} is not on the page"
    added = set(re.findall(r"self\.(\w+) =", inspect.getsource(error))) - {"retryable"}
    assert added <= set(re.findall(r"`(\w+)`", row[1]))


def test_the_tree_of_errors_in_the_module_names_each():
    assert {error.__name__ for error in own(errors, BaseException)} - set(re.findall(r"\w+", errors.__doc__)) == set()


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_a_heading(name):
    command = cli.get_command(click.Context(cli), name)
    wanted = {name} if not isinstance(command, click.Group) else {f"{name} {sub}" for sub in command.commands}
    headings = page("command-line.md").headings
    for one in wanted:
        assert any(re.match(rf"splashdown {one}\b", heading) for heading in headings), f"splashdown {one}"


def _commands() -> dict[str, click.Command]:
    found: dict[str, click.Command] = {"": cli}
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        subcommands = command.commands.items() if isinstance(command, click.Group) else ()
        found |= {f"{name} {sub}": one for sub, one in subcommands} or {name: command}
    return found


@pytest.mark.parametrize(("name", "command"), _commands().items())
def test_every_option_of_a_command_is_described(name, command):
    text = page("command-line.md").text
    options = {opt for p in command.params if isinstance(p, click.Option) for opt in p.opts if opt.startswith("--")}
    assert {option for option in options if f"{option}`" not in text and f"{option} " not in text} == set()


@pytest.mark.parametrize("spec", Registry(environ={}).loaders(), ids=lambda spec: spec.name)
def test_every_option_of_a_loader_is_in_the_table_of_load(spec):
    section = page("command-line.md").text.partition("## splashdown load")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(--[\w-]+)[^|]* \| (.*?) \|", section, re.MULTILINE)
    for field in dataclasses.fields(spec.options) if spec.options else ():
        flag = "--" + field.name.replace("_", "-")
        assert any(flag == option and _is_among(spec.name, who) for option, who in rows), flag


def _is_among(loader, who):
    named = loader in who.removeprefix("all but ").split(", ")
    return named != who.startswith("all but ")


def test_the_exit_codes_are_those_of_the_table():
    rows = dict(re.findall(r"^\| (\d+) \| (.*?) \|$", page("command-line.md").text, re.MULTILINE))
    assert set(rows) == {"0", "1", "2", "3", "4", "5", "6", "130", "143"}
    for error, code in (
        (errors.UsageError, 2),
        (errors.PluginError, 2),
        (errors.ResolveError, 3),
        (errors.AuthError, 4),
    ):
        assert exit_code(error("x")) == code


@pytest.mark.parametrize("kind", [Settings, RetryPolicy])
def test_every_setting_is_in_the_reference(kind):
    fields = {field.name for field in dataclasses.fields(kind)}
    assert fields - named(*reference()) == set()


@pytest.mark.parametrize(
    ("owner", "told_in"),
    [
        (splashdown.Session, "library.md"),
        (splashdown.JobResults, "library.md"),
        (splashdown.ResultAsset, "library.md"),
        (backend.Backend, "connect.md"),
        (backend.Job, "connect.md"),
    ],
)
def test_every_public_method_of_a_handle_is_told(owner: type, told_in: str):
    methods = {name for name in dir(owner) if not name.startswith("_")}
    assert methods - named(page(told_in)) == set()
