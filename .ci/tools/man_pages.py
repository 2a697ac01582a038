"""Write a man page for each command into a folder; run by ``nox -s man``. Needs click-man."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click
from click_man.core import generate_man_page

from splashdown import __version__
from splashdown._cli.root import cli


def commands(context: click.Context) -> Iterator[click.Context]:
    """The command itself and all below it. click-man alone finds none that is imported when it is used."""
    yield context
    if isinstance(context.command, click.Group):
        for name in context.command.list_commands(context):
            command = context.command.get_command(context, name)
            if command is not None and not command.hidden:
                yield from commands(click.Context(command, info_name=name, parent=context))


def main(folder: Path) -> None:
    """Write the pages, one for each command."""
    folder.mkdir(parents=True, exist_ok=True)
    for context in commands(click.Context(cli, info_name="splashdown")):
        page = folder / f"{context.command_path.replace(' ', '-')}.1"
        page.write_text(generate_man_page(context, version=__version__), encoding="utf-8")
        print(page)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
