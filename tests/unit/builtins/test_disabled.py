"""Each built-in plugin, disabled: what needs it is refused in one line, in Python and on the command line."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path

import pytest
from stac_item import stac_item

import splashdown
from splashdown import builtins
from splashdown._cli.main import main
from splashdown._demo.service import demo_service
from splashdown.errors import DisabledError, DownloadError, OptionError

ARGUMENT = "an argument (disable= or --disable-plugin)"
#: Nothing needs them: a run without is a run that logs nothing, or shows no progress.
NEEDED_BY_NOTHING = {"log", "progress"}


@dataclass(frozen=True, kw_only=True)
class Place:
    """A folder with an item of two files, one that holds them already, and a job on the demo back-end."""

    folder: Path
    service: object

    @property
    def item(self):
        return str(self.folder / "item.json")

    @property
    def stored(self):
        return str(self.folder / "stored")

    @property
    def new(self):
        return str(self.folder / "new")

    def open(self, session):
        return session.open(self.item)


@pytest.fixture(scope="module")
def service():
    with demo_service() as running:
        yield running


@pytest.fixture
def place(tmp_path, monkeypatch, service):
    (tmp_path / "a.json").write_text('{"x": 1}')
    (tmp_path / "b.txt").write_text("b")
    assets = {"a": {"href": "./a.json", "type": "application/json"}, "b": {"href": "./b.txt", "type": "text/plain"}}
    (tmp_path / "item.json").write_text(json.dumps(stac_item(assets)))
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    made = Place(folder=tmp_path, service=service)
    with splashdown.Session(discover=False) as session:
        made.open(session).download_files(made.stored)
    return made


def failed_run(place, session):
    """A report of a run in which one asset failed, and the asset is there again."""
    hidden = (place.folder / "b.txt").rename(place.folder / "hidden")
    with pytest.raises(DownloadError) as caught, splashdown.Session(discover=False) as able:
        place.open(able).download_files(place.stored, if_exists="overwrite")
    hidden.rename(place.folder / "b.txt")
    return caught.value.report


USES = {
    "archive": {"download": lambda p, s: p.open(s).download_files("zip:new.zip")},
    "collection": {"catalog": lambda p, s: p.open(s).download_collection(p.new)},
    "delete_source": {"move": lambda p, s: p.open(s).delete_source(p.stored)},
    "download": {
        "files": lambda p, s: p.open(s).download_files(p.new),
        "file": lambda p, s: p.open(s)["a"].download(f"{p.new}/a"),
        "plan": lambda p, s: p.open(s).dry_run("download_files", target=p.new),
        "retry": lambda p, s: p.open(s).retry(failed_run(p, s)),
        "sync": lambda p, s: p.open(s).run("sync", target=p.new),
    },
    "file": {
        "download": lambda p, s: p.open(s).download_files(p.new),
        "load": lambda p, s: p.open(s)["a"].load(),
    },
    "filters": {"select": lambda p, s: p.open(s).select(keys="a")},
    "http": {
        "download": lambda p, s: s.open(p.service.job_url).download_files(p.new),
        "load": lambda p, s: s.open(p.service.job_url).load("timeseries.json"),
    },
    "load_json": {"load": lambda p, s: p.open(s).load_json("a")},
    "loaders": {
        "by type": lambda p, s: p.open(s)["a"].load(),
        "by name": lambda p, s: p.open(s)["b"].load_text(),
    },
    "local": {"download": lambda p, s: p.open(s).download_files(p.new)},
    "memory": {"download": lambda p, s: p.open(s).download_files("memory://x/")},
    "openeo": {
        "open": lambda p, s: s.open(p.service.job_url),
        "connect": lambda p, s: splashdown.connect(p.service.url, session=s),
    },
    "processes": {"download": lambda p, s: p.open(s).download_files(p.new, executor="processes:1")},
    "progress": {"download": lambda p, s: p.open(s).download_files(p.new, progress=True)},
    "publish": {
        "target": lambda p, s: s.run(
            "publish", p.stored, api=p.service.job_url.rpartition("/jobs/")[0], public_url="https://cdn.example/"
        ),
    },
    "several": {"open": lambda p, s: s.open([p.item, p.item])},
    "stac": {
        "path": lambda p, s: p.open(s),
        "dict": lambda p, s: s.open(json.loads(Path(p.item).read_text())),
    },
    "sync": {
        "run": lambda p, s: p.open(s).run("sync", target=p.new),
        "plan": lambda p, s: p.open(s).dry_run("sync", target=p.new),
    },
    "verify": {
        "results": lambda p, s: p.open(s).run("verify", target=p.stored),
        "target": lambda p, s: s.run("verify", p.stored),
    },
}
EACH_USE = [pytest.param(name, use, id=f"{name}-{how}") for name, uses in USES.items() for how, use in uses.items()]

COMMANDS = {
    "archive": (["download", "{item}", "zip:new.zip"], ["download", "{item}", "tar:-"]),
    "collection": (["download", "{item}", "{new}", "--as-collection"],),
    "delete_source": (["download", "{item}", "{new}", "--delete-source", "--yes"],),
    "download": (
        ["download", "{item}", "{new}"],
        ["download", "{item}", "{new}", "--key", "a"],
        ["download", "{item}", "{new}", "--dry-run"],
        ["sync", "{item}", "{new}"],
        ["demo", "{new}"],
    ),
    "file": (["download", "{item}", "{new}"], ["load", "{item}", "a"]),
    "filters": (["ls", "{item}", "--include", "a"],),
    "http": (["download", "{job}", "{new}"],),
    "loaders": (["load", "{item}", "a"],),
    "local": (["download", "{item}", "{new}"], ["verify", "{stored}"]),
    "memory": (["download", "{item}", "memory://x/"],),
    "netrc": (["download", "{item}", "{new}", "-o", "netrc.origins=https://host.example"],),
    "openeo": (["ls", "{job}"], ["jobs", "{backend}"], ["logs", "{job}"]),
    "processes": (["download", "{item}", "{new}", "--executor", "processes:1"],),
    "several": (["download", "{item}", "{item}", "{new}"],),
    "stac": (["ls", "{item}"], ["download", "{item}", "{new}"]),
    "sync": (["sync", "{item}", "{new}"], ["sync", "{item}", "{new}", "--dry-run"]),
    "verify": (["verify", "{stored}"],),
}
EACH_COMMAND = [
    pytest.param(name, command, id=f"{name}-{' '.join(command)}")
    for name, commands in COMMANDS.items()
    for command in commands
]


def by_argument(name, folder, monkeypatch):
    return ["--disable-plugin", name], ARGUMENT


def by_environment(name, folder, monkeypatch):
    monkeypatch.setenv("SPLASHDOWN_DISABLE_PLUGINS", name)
    return [], "SPLASHDOWN_DISABLE_PLUGINS"


def by_file(name, folder, monkeypatch):
    file = folder / "splashdown.toml"
    file.write_text(f'[plugins]\ndisable = ["{name}"]\n')
    return [], str(file)


def test_every_built_in_plugin_is_disabled_by_a_test():
    assert set(USES) | {"netrc", "log"} == set(builtins.NAMES)
    # No command runs the action load_json: 'splashdown load' calls the loader. The command publish goes with its plugin.
    assert set(COMMANDS) | NEEDED_BY_NOTHING | {"load_json", "publish"} == set(builtins.NAMES)


@pytest.mark.parametrize(("name", "use"), EACH_USE)
def test_python_is_refused_what_a_disabled_plugin_does(place, name, use):
    with splashdown.Session(discover=False, disable=[name]) as session, pytest.raises(DisabledError) as refused:
        use(place, session)
    assert str(refused.value).endswith(f": the built-in plugin '{name}' is disabled by {ARGUMENT}")
    assert not Path(place.new).exists()
    with splashdown.Session(discover=False) as session:
        use(place, session)


def test_options_of_a_disabled_plugin_are_refused(place):
    options = {"netrc": {"origins": ("https://host.example",)}}
    with splashdown.Session(discover=False, disable=["netrc"], options=options) as session:
        results = place.open(session)
        with pytest.raises(OptionError, match="under the name 'netrc': the built-in plugin 'netrc' is disabled by"):
            results.download_files(place.new)
    assert not Path(place.new).exists()


@pytest.mark.parametrize("disable", [by_argument, by_environment, by_file])
@pytest.mark.parametrize(("name", "command"), EACH_COMMAND)
def test_a_command_is_refused_what_a_disabled_plugin_does(place, monkeypatch, capsys, name, command, disable):
    words = {"item": place.item, "stored": place.stored, "new": place.new}
    words |= {"job": place.service.job_url, "backend": place.service.url}
    arguments = [part.format(**words) for part in command]
    switches, where = disable(name, place.folder, monkeypatch)
    assert main(["--no-plugins", *switches, *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("Error: ")
    assert line.endswith(f": the built-in plugin '{name}' is disabled by {where}")
    assert not Path(place.new).exists()


@pytest.mark.parametrize(("name", "command"), EACH_COMMAND)
def test_the_same_command_works_with_the_plugin(place, capsys, name, command):
    words = {"item": place.item, "stored": place.stored, "new": place.new}
    words |= {"job": place.service.job_url, "backend": place.service.url}
    assert main(["--no-plugins", *(part.format(**words) for part in command)]) == 0, capsys.readouterr().err


def test_a_download_goes_on_without_a_display(place, capsys):
    assert main(["--no-plugins", "--disable-plugin", "progress", "download", place.item, place.new]) == 0
    done = capsys.readouterr()
    assert "2 of 2 files" in done.out
    assert done.err == ""


def test_a_failure_is_named_where_no_display_did_it(place, capsys):
    (place.folder / "b.txt").unlink()
    assert main(["--no-plugins", "--disable-plugin", "progress", "download", place.item, place.new]) == 1
    failed, error = capsys.readouterr().err.splitlines()
    assert failed.startswith("Failed: one/b: ")
    assert error.startswith("Error: 1 of 2 assets failed")


def test_a_run_without_the_log_logs_nothing(place, caplog):
    caplog.set_level(logging.INFO, logger="splashdown")
    with splashdown.Session(discover=False, disable=["log"]) as session:
        place.open(session).download_files(place.new)
    assert caplog.records == []
    with splashdown.Session(discover=False) as session:
        place.open(session).download_files(place.new)
    assert caplog.records != []


def test_nothing_lands_when_only_some_assets_need_what_is_disabled(place):
    document = json.loads(Path(place.item).read_text())
    document["assets"]["far"] = {"href": "http://far.invalid/far.json"}
    Path(place.item).write_text(json.dumps(document))
    with splashdown.Session(discover=False, disable=["http"]) as session, pytest.raises(DisabledError, match="'http'"):
        place.open(session).download_files(place.new)
    assert not Path(place.new).exists()


def test_what_no_plugin_reads_fails_alone_whatever_is_disabled(place):
    document = json.loads(Path(place.item).read_text())
    document["assets"]["far"] = {"href": "unknown://host/far.json"}
    Path(place.item).write_text(json.dumps(document))
    with splashdown.Session(discover=False, disable=["http"]) as session, pytest.raises(DownloadError) as failed:
        place.open(session).download_files(place.new)
    assert len(failed.value.report.landed) == 2


def test_another_plugin_may_take_the_place_of_a_disabled_one(place):
    from splashdown import hookimpl
    from splashdown.specs import ActionSpec

    class Other:
        @hookimpl
        def splashdown_actions(self):
            yield ActionSpec(name="verify", on_target=lambda session, target: f"looked at {target}")

    with splashdown.Session(plugins=[Other()], discover=False, disable=["verify"]) as session:
        assert session.run("verify", "x") == "looked at x"
