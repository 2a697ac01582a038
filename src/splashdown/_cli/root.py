"""The root command: lazy subcommands, exit codes, one line for each error."""

from __future__ import annotations

import importlib
import io
import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TextIO

import click
from click.shell_completion import CompletionItem

from splashdown._cli.exit_codes import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_TERMINATED, exit_code, reader_gone
from splashdown._cli.help import Group
from splashdown._version import __version__

#: As many characters as one line of help takes.
_WIDEST = 80

#: The commands, and what help says about each; the command NAME is in the module ``_cli/NAME.py``.
COMMANDS = {
    "completion": "Print the completion script of a shell.",
    "config": "Show the configuration.",
    "demo": "Download a small finished job from a back-end in this process.",
    "download": "Save assets to a folder or a store.",
    "jobs": "List your jobs on an openEO back-end.",
    "load": "Print one asset: JSON, text, or a summary.",
    "logs": "Print the log of an openEO job.",
    "ls": "List the assets of a source.",
    "plugins": "Show plugins, and what is wrong with one.",
    "retry": "Repeat what failed in an earlier download.",
    "sync": "Make a target hold what a source lists.",
    "uploads": "List and remove what unfinished runs left in a store.",
    "verify": "Check that what was downloaded is still whole.",
    "watch": "Land what finishes or appears, again and again.",
}


class LazyGroup(Group):
    """A group that imports a command when it is run: neither ``--version`` nor ``--help`` nor completion imports one.

    Any other name may be an action of a plugin; plugins are loaded to find out.
    """

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; of a reader that has gone (`splashdown ls ... | head`), click would make a SystemExit."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            return reader_gone()

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All command names, those of plugins included."""
        from splashdown._cli.action import action_commands

        return sorted({*COMMANDS, *action_commands(ctx)})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """One command, imported now."""
        if cmd_name in COMMANDS:
            command: click.Command = importlib.import_module(f"splashdown._cli.{cmd_name}").command
            return command
        from splashdown._cli.action import action_command, action_commands

        name = action_commands(ctx).get(cmd_name.replace("_", "-"))
        return None if name is None else action_command(ctx, name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command of the first argument; a name that is not known ends with the one that is nearest to it."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from splashdown.errors import did_you_mean

            if not args or args[0].startswith("-"):
                raise
            hint = did_you_mean(args[0], self.list_commands(ctx)) or "; 'splashdown --help' lists them"
            raise click.UsageError(f"no command {args[0]!r}{hint}", ctx) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands with one line for each."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self._lines(ctx).items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete the name of a command, or an option of the group."""
        found = [CompletionItem(name, help=about) for name, about in self._lines(ctx).items()]
        options = click.Command.shell_complete(self, ctx, incomplete)
        return [*(item for item in found if item.value.startswith(incomplete)), *options]

    def _lines(self, ctx: click.Context) -> dict[str, str]:
        """All commands by name, with what help says about each."""
        names = self.list_commands(ctx)
        added = {name: self.get_command(ctx, name) for name in names if name not in COMMANDS}
        return {name: COMMANDS.get(name) or _line_of(added[name]) for name in names}


def _line_of(command: click.Command | None) -> str:
    return command.get_short_help_str(limit=_WIDEST) if command else ""


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, "-V", "--version", prog_name="splashdown")
# Eager, so that `--plugin FILE --help` lists what the file adds.
@click.option("--plugin", metavar="FILE", multiple=True, is_eager=True, help="Use this Python file as a plugin.")
@click.option("--no-plugins", is_flag=True, is_eager=True, help="Use no installed plugin.")
@click.option("--disable-plugin", metavar="NAME", multiple=True, is_eager=True, help="Leave this plugin out.")
@click.option("--only-plugin", metavar="NAME", multiple=True, is_eager=True, help="Of the installed ones, only this.")
@click.option("--strict", is_flag=True, is_eager=True, help="Stop when a plugin is broken.")
@click.option("-v", "--verbose", count=True, help="Show the log on stderr: runs and files; -vv shows requests too.")
@click.option("--log-file", type=click.Path(dir_okay=False), help="Append the log to this file, with times in UTC.")
@click.option("--log-format", type=click.Choice(["text", "json"]), default="text", help="json: an object a line.")
@click.pass_context
def cli(context: click.Context, /, verbose: int, log_file: str | None, log_format: str, **_plugins: Any) -> None:
    """Land the results of openEO batch jobs, and any STAC assets, where they are needed.

    Example: splashdown download https://openeo.example/openeo/1.2/jobs/JOB data/

    Credentials come from the environment: SPLASHDOWN_TOKEN (what follows "Bearer "), or SPLASHDOWN_USER and
    SPLASHDOWN_PASSWORD.

    Exit codes: 0 all landed, 1 some assets failed, 2 wrong usage, 3 source not resolved,
    4 not authorised, 5 ended because every file would have failed, 130 interrupted (Ctrl-C), 143 terminated (SIGTERM).
    """
    if verbose or log_file or log_format != "text":
        from splashdown._cli.log_output import start

        context.call_on_close(start(verbose=verbose, file=log_file, form=log_format))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; every error ends as one line on stderr."""
    # A command may be started with its output closed (`splashdown ls SOURCE >&-`); Python has no stream then.
    sys.stdout, sys.stderr = sys.stdout or _nowhere(), sys.stderr or _nowhere()
    try:
        _write_any_text()
        _warn_in_one_line()
        with _ending_at_sigterm():
            result: Any = cli.main(args=list(arguments) if arguments is not None else None, standalone_mode=False)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt) as error:
        click.echo("Interrupted; run the same command again to go on where it stopped.", err=True)
        # click makes its own exception of a KeyboardInterrupt.
        kinds = {type(one).__name__ for one in (error, error.__cause__)}
        return EXIT_TERMINATED if "Terminated" in kinds else EXIT_INTERRUPTED
    except BaseException as error:  # SystemExit of a plugin is an error like any other
        return _report(error)
    return result if isinstance(result, int) else 0


@contextmanager
def _ending_at_sigterm() -> Iterator[None]:
    """Let SIGTERM end a command as Ctrl-C does: with what is unfinished kept, a whole report, and its own exit code."""

    def end(_number: int, _frame: object) -> None:
        from splashdown.errors import Terminated

        raise Terminated

    # Only a main thread gets signals; who embeds the command line in another one keeps its own way to end.
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _nowhere() -> TextIO:
    return os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8")


def _write_any_text() -> None:
    """Escape what the terminal's encoding, or any, cannot hold: a strange name must not end a command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _warn_in_one_line() -> None:
    """Show each warning about a plugin, or about certificates, once and as a line; others are for developers."""
    usual, shown = warnings.showwarning, set[str]()

    def show(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
        text = str(message)
        if category.__name__ == "InsecureRequestWarning":
            text = "certificates are not checked (http.verify): what comes may be of anybody"
        elif category.__name__ != "PluginWarning":
            usual(message, category, *where, **more)
            return
        if text not in shown:
            shown.add(text)
            click.echo(f"Warning: {text}", err=True)

    warnings.showwarning = show


def _report(error: BaseException) -> int:
    from splashdown.errors import SplashdownError, error_text

    if os.environ.get("SPLASHDOWN_DEBUG"):
        raise error
    if isinstance(error, SplashdownError):
        click.echo(f"Error: {' '.join(str(error).split())}", err=True)
        return exit_code(error)
    click.echo(f"Error: {error_text(error)} (set SPLASHDOWN_DEBUG=1 to see where)", err=True)
    return EXIT_FAILED
