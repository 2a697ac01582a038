"""``splashdown completion``: print the script that completes commands and options in a shell."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from splashdown._cli.help import Command

_SHELLS = ("bash", "fish", "zsh")


@click.command("completion", cls=Command, short_help="Print the completion script of a shell.")
@click.argument("shell", type=click.Choice(_SHELLS))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print the script that completes commands and options in a shell.

    Example: splashdown completion bash

    The script belongs into ~/.local/share/bash-completion/completions/splashdown for bash, into
    ~/.config/fish/completions/splashdown.fish for fish, and into ~/.zfunc/_splashdown for zsh, with ~/.zfunc in fpath.
    """
    completion = get_completion_class(shell)
    assert completion is not None, "click knows these shells"
    made = completion(context.find_root().command, {}, "splashdown", "_SPLASHDOWN_COMPLETE")
    # Without a call of the shell for its version, which may not be installed where the script is made.
    click.echo(made.source_template % made.source_vars())
