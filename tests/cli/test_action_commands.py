"""Commands that plugins bring show plans, reports and failures as the built-in commands do."""

import json
import textwrap

import pytest
from stac_item import stac_item

from splashdown._cli.main import main

PLUGIN = textwrap.dedent("""
    from dataclasses import dataclass, field
    from pathlib import Path

    from splashdown.actions import Checked, State, VerifyReport
    from splashdown.hookspecs import hookimpl
    from splashdown.specs import ActionSpec

    @dataclass(frozen=True, kw_only=True)
    class MirrorOptions:
        to: Path = field(metadata={"help": "Where to."})

    @dataclass(frozen=True, kw_only=True)
    class Mirrored:
        plan: object
        report: object = None
        metadata: str = ""
        mirrors: int = 1

    @dataclass(frozen=True, kw_only=True)
    class PruneOptions:
        days: int = field(default=30, metadata={"help": "Keep younger ones."})

    def mirror(results, *, to):
        done = results.run("download_files", target=to)
        return Mirrored(plan=done.plan, report=done.report, metadata=done.metadata)

    def plan_mirror(results, *, to):
        return Mirrored(plan=results.plan(to))

    def transfer(results, *, to):
        return results.transfer(results.plan(to))

    def prune(session, target, *, days):
        with open(f"{target}/days", "w") as file:
            file.write(str(days))
        return VerifyReport(target=str(target), files=(Checked(name="x", state=State.MISSING),))

    @hookimpl
    def splashdown_actions():
        yield ActionSpec(name="mirror", run=mirror, plan=plan_mirror, options=MirrorOptions, command=True)
        yield ActionSpec(name="move_all", run=transfer, options=MirrorOptions, command=True)
        yield ActionSpec(name="prune", on_target=prune, options=PruneOptions, command=True, summary="Remove the old.")
""")


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run the command line with the plugin, where an item lies whose second file is not there."""
    (tmp_path / "brings.py").write_text(PLUGIN)
    (tmp_path / "a.txt").write_text("a")
    assets = {"a.txt": {"href": "./a.txt"}, "b.txt": {"href": "./b.txt"}}
    (tmp_path / "item.json").write_text(json.dumps(stac_item(assets)))
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        code = main(["--no-plugins", "--plugin", "brings.py", *arguments])
        done = capsys.readouterr()
        return code, done.out, done.err

    return call


def test_the_report_of_an_action_is_a_table_and_decides_the_exit_code(run):
    code, out, err = run("move-all", "item.json", "--to", "out", "--include", "a*")
    assert (code, err) == (0, "")
    assert "a.txt" in out
    assert "1 of 1 file in out, 1 B moved" in out


@pytest.mark.parametrize("command", ["mirror", "move-all"])
def test_a_run_that_failed_in_part_is_shown_and_ends_with_exit_code_1(run, command):
    code, out, err = run(command, "item.json", "--to", "out")
    assert code == 1
    assert "1 of 2 files in out, 1 B moved" in out
    failed, error = err.splitlines()
    assert failed.startswith("Failed: one/b.txt: ")
    assert error == "Error: 1 of 2 assets failed, 1 landed; run the same command again for the rest"


def test_json_is_the_report_with_what_else_the_outcome_says(run):
    code, out, _ = run("mirror", "item.json", "--to", "out", "--include", "a*", "--json")
    report = json.loads(out)
    assert (code, report["ok"], report["mirrors"]) == (0, True, 1)
    assert report["metadata"].endswith("item.json")
    assert [outcome["status"] for outcome in report["outcomes"]] == ["stored"]


def test_a_dry_run_shows_the_plan_and_moves_nothing(run, tmp_path):
    code, out, _ = run("mirror", "item.json", "--to", "out", "--dry-run")
    assert code == 0
    assert "2 files would go to out" in out
    code, out, _ = run("mirror", "item.json", "--to", "out", "--dry-run", "--json")
    plan = json.loads(out)
    assert [transfer["name"] for transfer in plan["transfers"]] == ["a.txt", "b.txt"]
    assert plan["mirrors"] == 1
    assert not (tmp_path / "out").exists()


def test_only_an_action_with_a_plan_has_a_dry_run(run):
    assert "--dry-run" in run("mirror", "--help")[1]
    code, _, err = run("move-all", "item.json", "--to", "out", "--dry-run")
    assert code == 2
    assert "No such option" in err
    assert "--dry-run" in err


def test_an_action_on_a_target_takes_a_target_and_no_source(run, tmp_path):
    _, out, _ = run("prune", "--help")
    assert "prune [OPTIONS] TARGET" in out
    assert "--days" in out
    assert "--include" not in out
    code, out, err = run("prune", str(tmp_path), "--days", "3")
    assert (code, err) == (1, "")
    assert "missing" in out
    assert (tmp_path / "days").read_text() == "3"


def test_json_of_a_check_is_that_of_verify(run, tmp_path):
    code, out, _ = run("prune", str(tmp_path), "--json")
    assert code == 1
    assert json.loads(out)["files"] == [
        {
            "name": "x",
            "state": "missing",
            "size": None,
            "checked": [],
            "detail": "",
            "source": None,
            "evidence": [],
            "repaired": False,
        }
    ]


def test_a_built_in_command_takes_what_is_configured_for_its_action(run, tmp_path):
    (tmp_path / ".git").mkdir()
    (tmp_path / "splashdown.toml").write_text(
        '[options.download_files]\nlayout = "deep/{key}"\nif_exists = "overwrite"\n[options.verify]\nstrict = true\n'
    )
    assert run("download", "item.json", "out", "--include", "a*")[0] == 0
    assert (tmp_path / "out" / "deep" / "a.txt").exists()
    assert run("verify", "out")[0] == 0
    (tmp_path / "out" / "more").write_text("?")
    assert run("verify", "out")[0] == 1
    for command in ("download", "sync"):
        file = tmp_path / "out" / "deep" / "a.txt"
        file.write_text("edited")
        assert run(command, "item.json", "out", "--include", "a*", "--if-exists", "skip")[0] == 0
        assert file.read_text() == "edited"
        assert run(command, "item.json", "out", "--include", "a*")[0] == 0
        assert file.read_text() == "a"
