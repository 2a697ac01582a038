"""Help that can be copied: every command shows an example, on one line, that its own parser takes."""

import shlex

import click
import pytest
from click.testing import CliRunner

from splashdown._cli.root import COMMANDS, cli


def commands(group, context, names, *path):
    for name in names:
        command = group.get_command(context, name)
        yield (*path, name)
        if isinstance(command, click.Group):
            yield from commands(command, context, command.commands, *path, name)


# Built-in commands alone: what else is installed has tests of its own.
ALL = [pytest.param(path, id=" ".join(path)) for path in commands(cli, click.Context(cli), COMMANDS)]


def example_of(path):
    shown = CliRunner().invoke(cli, [*path, "--help"], terminal_width=60).output.splitlines()
    return shown[shown.index("  Example:") + 1].strip()


@pytest.mark.parametrize("path", ALL)
def test_the_example_of_a_command_is_a_line_that_the_command_takes(path):
    program, *words = shlex.split(example_of(path))
    assert program == "splashdown"
    command = cli
    context = click.Context(cli, info_name="splashdown")
    while isinstance(command, click.Group):
        name = words.pop(0)
        command = command.get_command(context, name)
        assert command is not None, name
    assert command.make_context("example", words, parent=context).params


@pytest.mark.parametrize("path", ALL)
def test_the_short_help_is_not_cut_off(path):
    listed = CliRunner().invoke(cli, [*path[:-1], "--help"], terminal_width=80).output
    (line,) = [line for line in listed.splitlines() if line.startswith(f"  {path[-1]} ")]
    assert not line.endswith("...")


@pytest.mark.parametrize("name", COMMANDS)
def test_the_line_of_a_command_is_its_own_short_help(name):
    assert cli.get_command(click.Context(cli), name).short_help == COMMANDS[name]


def test_completion_knows_the_commands_and_their_lines():
    completed = {item.value: item.help for item in cli.shell_complete(cli.make_context("splashdown", ["ls"]), "lo")}
    assert completed == {"load": COMMANDS["load"], "logs": COMMANDS["logs"]}


def test_options_of_one_purpose_are_together():
    shown = CliRunner().invoke(cli, ["download", "--help"]).output
    places = [shown.index(f"\n{title}:") for title in ("Options", "Which assets", "Sign in", "Plugins")]
    assert places == sorted(places)
    assert places[1] < shown.index("--include") < places[2] < shown.index("--netrc") < places[3]
