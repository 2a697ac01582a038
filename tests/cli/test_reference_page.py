"""The reference page of the command line tells of every command, and shows the JSON that it prints."""

import json
import re
import shlex
import shutil
from pathlib import Path

import click
import pytest

from splashdown._cli.root import COMMANDS, cli
from splashdown._demo.service import demo_service

PAGE = (Path(__file__).parents[2] / "docs/reference/command-line.md").read_text()
SHAPES = re.findall(r"<!-- shape: (.*?) -->\n```json\n(.*?)```", PAGE, re.DOTALL)


def leaves(command, *path):
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.commands if path else COMMANDS:
            yield from leaves(command.get_command(context, name), *path, name)
    else:
        yield path, command


ALL = [pytest.param(path, command, id=" ".join(path)) for path, command in leaves(cli)]


@pytest.mark.parametrize(("path", "command"), ALL)
def test_every_command_has_a_heading(path, command):
    assert re.search(rf"^## splashdown {' '.join(path)}\b", PAGE, re.MULTILINE)


@pytest.mark.parametrize(("path", "command"), ALL)
def test_every_json_is_shown(path, command):
    if any("--json" in option.opts for option in command.params):
        assert any(" ".join(path) in line for line, _ in SHAPES)


def shape(value):
    """The form of a document: keys, and kinds of values. Numbers are of one kind, and what is empty of any."""
    if isinstance(value, dict):
        return {key: shape(each) for key, each in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__


def agree(shown, real):
    if isinstance(shown, dict) and isinstance(real, dict):
        return shown.keys() == real.keys() and all(agree(shown[key], real[key]) for key in shown)
    if isinstance(shown, list) and isinstance(real, list):
        return not shown or not real or agree(shown[0], real[0])
    return shown == real or "NoneType" in (shown, real)


@pytest.fixture(scope="module")
def service():
    with demo_service() as running:
        yield running


@pytest.mark.parametrize(("line", "shown"), SHAPES, ids=[line for line, _ in SHAPES])
def test_the_json_of_a_command_has_the_form_that_is_shown(splashdown_command, service, tmp_path, line, shown):
    if "LANDED" in line:
        splashdown_command("download", service.job_url, tmp_path / "landed", "--quiet")
    real = {
        "SOURCE": service.job_url,
        "BACKEND": service.url,
        "TARGET": tmp_path / "out",
        "LANDED": tmp_path / "landed",
        "REPORT": tmp_path / "report.json",
        "LIST": tmp_path / "jobs.txt",
    }
    real["LIST"].write_text(service.job_id)
    if "REPORT" in line:
        report = json.loads(splashdown_command("download", service.job_url, tmp_path / "out", "--json").stdout)
        report["outcomes"] = [one | {"status": "failed"} for one in report["outcomes"]]
        real["REPORT"].write_text(json.dumps(report))
        shutil.rmtree(tmp_path / "out")
    done = splashdown_command(*(real.get(word, word) for word in shlex.split(line)), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    shown, printed = shape(json.loads(shown)), shape(json.loads(done.stdout))
    assert agree(shown, printed), f"shown {shown}, printed {printed}"
