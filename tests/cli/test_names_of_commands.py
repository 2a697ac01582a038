"""How the command line is started, and what it says to a command that it does not know."""

import subprocess
import sys

import pytest

from splashdown import __version__


def test_the_package_runs_as_a_module():
    done = subprocess.run([sys.executable, "-m", "splashdown", "-V"], capture_output=True, text=True, check=True)
    assert __version__ in done.stdout


def test_a_mistyped_command_gets_the_nearest_one(splashdown_command):
    done = splashdown_command("--no-plugins", "downlaod", "x")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == "Error: no command 'downlaod'; did you mean 'download'?"


def test_a_command_that_resembles_none_gets_the_way_to_the_list(splashdown_command):
    done = splashdown_command("--no-plugins", "xyzzy")
    assert done.stderr.splitlines()[-1] == "Error: no command 'xyzzy'; 'splashdown --help' lists them"


@pytest.mark.parametrize("shell", ["bash", "fish", "zsh"])
def test_each_shell_gets_its_completion_script(splashdown_command, shell):
    done = splashdown_command("completion", shell)
    assert done.returncode == 0
    assert f"_SPLASHDOWN_COMPLETE={shell}_complete" in done.stdout


def test_bash_accepts_the_completion_script(splashdown_command):
    script = splashdown_command("completion", "bash").stdout
    done = subprocess.run(
        ["bash", "-c", f"{script}\ncomplete -p splashdown"], capture_output=True, text=True, check=True
    )
    assert "_splashdown_completion" in done.stdout
