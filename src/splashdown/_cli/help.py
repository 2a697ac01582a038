"""How help is laid out: examples that can be copied whole, options in groups of one purpose."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click
from click.core import ParameterSource

F = TypeVar("F", bound=Callable[..., Any])
_EXAMPLE = "Example: "

#: Headings, and the parameters that belong under them; all others are plain options.
_GROUPS = {
    "Which assets": (
        "include",
        "exclude",
        "type",
        "role",
        "item",
        "datetime",
        "bbox",
        "filter",
        "latest_per",
        "one_per",
        "ids",
        "collections",
        "limit",
        "where",
        "alternate",
    ),
    "A STAC catalog as output": ("as_collection", "output", "missing", "original_hrefs"),
    "Lists of jobs": ("jobs_from", "backend"),
    "Jobs that are not finished": ("wait", "partial", "interval", "timeout"),
    "Sign in": ("login", "netrc", "stored_login", "token_origin"),
    "Plugins": ("resolver", "option"),
}


#: The heading of options that loaders bring; their parameters begin with this.
LOADERS, LOADER_PREFIX = "Options of loaders", "of_loader_"


def _group(option: click.Option) -> str:
    name = option.name or ""
    if name.startswith(LOADER_PREFIX):
        return LOADERS
    return next((title for title, names in _GROUPS.items() if name in names), "Options")


def with_options(function: F, options: Sequence[Callable[[F], F]]) -> F:
    """Give a command several options; help shows them in this order."""
    for option in reversed(options):
        function = option(function)
    return function


def was_given(name: str) -> bool:
    """Whether the running command has a value for this option other than the default, which may be configured."""
    return click.get_current_context().get_parameter_source(name) is not ParameterSource.DEFAULT


def in_words_of_command(message: str, context: click.Context | None = None) -> str:
    """A message of the library in the words of the running command; as it is where none is running."""
    context = context or click.get_current_context(silent=True)
    if context is None:
        return message
    from splashdown._cli.spelling import spelled  # late: most commands have no such message

    options = [one for one in context.command.get_params(context) if isinstance(one, click.Option)]
    return spelled(message, {(one.name or "").removeprefix(LOADER_PREFIX): max(one.opts, key=len) for one in options})


class Command(click.Command):
    """A command with such help, whose errors name its options."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. Errors of the library say ``--max-bytes`` here, where they say ``max_bytes=`` in Python."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            from splashdown.errors import SplashdownError  # late: most commands end without one

            if isinstance(error, SplashdownError) and error.args and isinstance(error.args[0], str):
                error.args = (in_words_of_command(error.args[0], ctx), *error.args[1:])
            raise

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        """Write the paragraphs of the help text."""
        write_help(self, formatter)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, group by group; those that belong to none come first."""
        options = [each for each in self.get_params(ctx) if isinstance(each, click.Option)]
        shown = [(_group(each), row) for each in options if (row := each.get_help_record(ctx)) is not None]
        sections = {title: [row for group, row in shown if group == title] for title in ("Options", LOADERS, *_GROUPS)}
        for title, rows in sections.items():
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)


class Group(click.Group):
    """A group of commands with such help."""

    command_class = Command

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        """Write the paragraphs of the help text."""
        write_help(self, formatter)


def write_help(command: click.Command, formatter: click.HelpFormatter) -> None:
    """Write the help of a command; an example stays on one line, whatever the width, so that it can be copied."""
    for paragraph in (command.help or "").split("\n\n"):
        text = " ".join(paragraph.split())
        formatter.write_paragraph()
        if text.startswith(_EXAMPLE):
            formatter.write(f"  {_EXAMPLE.strip()}\n    {text.removeprefix(_EXAMPLE)}\n")
        elif text:
            with formatter.indentation():
                formatter.write_text(text)
