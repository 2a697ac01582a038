"""Actions by their names: on results, on a target, as a plan, with options of the call and of the configuration."""

import json
from dataclasses import dataclass

import pytest
from stac_item import stac_item

from splashdown import Session, hookimpl
from splashdown.actions import ActionOutcome, Download, SyncReport
from splashdown.errors import DownloadError, NoProviderError, OptionError, PluginError, UsageError
from splashdown.model import Plan, RunReport
from splashdown.specs import ActionSpec
from splashdown.testing import make_session


@dataclass(frozen=True, kw_only=True)
class TallyOptions:
    key: str
    by: str = "type"


def tally(results, *, key, by="type"):
    return key, by


def mirror(results, *, target):
    return results.run("download_files", target=target)


class Plugin:
    @hookimpl
    def splashdown_actions(self):
        yield ActionSpec(name="tally", run=tally, options=TallyOptions)
        yield ActionSpec(name="mirror", run=mirror, plan=lambda results, *, target: results.plan(target))
        yield ActionSpec(name="prune", on_target=lambda session, target, *, days=1: (type(session), target, days))


@pytest.fixture
def item(tmp_path):
    (tmp_path / "a.txt").write_text("a")
    path = tmp_path / "item.json"
    path.write_text(json.dumps(stac_item({"a.txt": {"href": "./a.txt"}})))
    return path


@pytest.fixture
def results(item):
    with make_session(Plugin()) as session:
        yield session.open(item)


def test_an_action_gets_its_options(results):
    assert results.run("tally", key="a") == ("a", "type")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({}, "'tally' needs the option 'key'; pass it or set SPLASHDOWN_TALLY_KEY"),
        ({"key": "a", "keys": 1}, "the action 'tally' has no option 'keys'; did you mean 'key'?"),
        ({"key": "a", "zzz": 1}, "the action 'tally' has no option 'zzz'; it has: key, by"),
    ],
)
def test_an_option_that_is_missing_or_unknown_is_told(results, options, text):
    with pytest.raises(OptionError) as told:
        results.run("tally", **options)
    assert str(told.value) == text


def test_an_argument_that_no_dataclass_describes_is_required(results):
    with pytest.raises(OptionError, match="the action 'mirror' needs the option 'target'"):
        results.run("mirror")


def test_options_come_from_the_call_then_the_environment_then_the_file(item, tmp_path, monkeypatch):
    file = tmp_path / "splashdown.toml"
    file.write_text('[options.tally]\nkey = "file"\nby = "file"\n')

    def run(**options):
        with Session(plugins=[Plugin()], discover=False, config=file) as session:
            return session.open(item).run("tally", **options)

    assert run() == ("file", "file")
    monkeypatch.setenv("SPLASHDOWN_TALLY_KEY", "environment")
    assert run() == ("environment", "file")
    assert run(key="call") == ("call", "file")


def test_a_built_in_action_reads_the_configuration_whoever_runs_it(item, tmp_path, monkeypatch):
    monkeypatch.setenv("SPLASHDOWN_DOWNLOAD_FILES_LAYOUT", "flat-{key}")
    with make_session() as session:
        results = session.open(item)
        results.download_files(tmp_path / "download")
        results.run("sync", target=tmp_path / "sync")
    assert [(tmp_path / where / "flat-a.txt").read_text() for where in ("download", "sync")] == ["a", "a"]


def test_a_plan_is_shown_without_moving_anything(results, tmp_path):
    plan = results.dry_run("mirror", target=tmp_path / "out")
    assert isinstance(plan, Plan)
    assert not (tmp_path / "out").exists()
    with pytest.raises(UsageError, match="the action 'tally' has no plan"):
        results.dry_run("tally", key="a")


@pytest.mark.parametrize("action", ["download_files", "download_file", "download_collection"])
def test_a_built_in_plan_names_the_files_that_the_run_stores(results, tmp_path, action):
    plan = results.dry_run(action, target=tmp_path / "out")
    done = results.run(action, target=tmp_path / "out")
    assert [t.name for t in plan.transfers] == [o.transfer.name for o in done.report.outcomes]


def test_a_plan_of_sync_says_what_is_stale(results, tmp_path):
    planned = results.dry_run("sync", target=tmp_path / "out")
    assert isinstance(planned, SyncReport)
    assert (planned.report, planned.stale) == (None, ())
    assert not (tmp_path / "out").exists()


def test_an_action_on_a_target_needs_no_source(results):
    session = results.session
    assert session.run("prune", "data/", days=3) == (Session, "data/", 3)
    with pytest.raises(OptionError, match="'prune' has no option 'day'; did you mean 'days'"):
        session.run("prune", "data/", day=3)


def test_results_and_targets_are_not_taken_for_each_other(results):
    with pytest.raises(UsageError, match=r"takes a target, not results: session.run\('prune', target\)"):
        results.run("prune")
    with pytest.raises(UsageError, match="the action 'tally' needs results"):
        results.session.run("tally", "data/", key="a")


def test_verify_checks_a_target_alone_or_what_results_list_too(results, tmp_path):
    results.download_files(tmp_path / "out")
    (tmp_path / "out" / "more").write_text("?")
    assert results.session.run("verify", tmp_path / "out").ok
    assert not results.session.run("verify", tmp_path / "out", strict=True).ok
    (tmp_path / "out" / "a.txt").unlink()
    (missing,) = results.run("verify", target=tmp_path / "out").of("missing")
    assert missing.name == "a.txt"


def test_an_unknown_action_is_told_with_the_nearest_one(results):
    with pytest.raises(NoProviderError, match=r"no action is called 'talli'; did you mean 'tally'\?"):
        results.run("talli")


def test_what_a_download_did_has_its_report_and_its_places(results, tmp_path):
    done = results.run("mirror", target=tmp_path / "out")
    assert isinstance(done, Download)
    assert isinstance(done, ActionOutcome)
    assert isinstance(done.report, RunReport)
    assert done.places == [tmp_path / "out" / "a.txt", tmp_path / "out" / "item.json"]
    assert done.metadata == str(done.places[-1])


def test_a_download_that_failed_in_part_raises_its_report(results, tmp_path):
    (tmp_path / "a.txt").unlink()
    with pytest.raises(DownloadError, match=r"1 of 1 asset failed: one/a\.txt: ") as failed:
        results.run("mirror", target=tmp_path / "out")
    assert len(failed.value.report.failed) == 1
    done = Download(report=failed.value.report)
    with pytest.raises(DownloadError, match=r"1 of 1 asset failed"):
        done.raise_failures()
    with pytest.raises(DownloadError, match=r"what could be read landed: x \(and 1 more\)"):
        Download(report=RunReport(plan=done.plan, outcomes=())).raise_failures(("x", "y"))


def test_a_plugin_in_the_place_of_download_has_to_return_a_download(item):
    class Other:
        @hookimpl
        def splashdown_actions(self):
            yield ActionSpec(name="download_files", run=lambda results, **options: ["a"])

    with make_session(Other(), disable=["download"]) as session:
        results = session.open(item)
        assert results.run("download_files") == ["a"]
        with pytest.raises(PluginError, match="the action 'download_files' returned list; it has to return a Download"):
            results.download_files("out")
