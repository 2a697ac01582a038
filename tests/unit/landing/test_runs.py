"""Runs over lists of jobs, on a back-end that answers as a test says: order, waiting, credentials, giving up."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from scripted_api import Answer, scripted_api

import splashdown
from splashdown._landing import waiting
from splashdown.errors import OptionError, UsageError
from splashdown.landing import JobState, land_jobs, read_jobs

LANDED, FAILED, UNFINISHED = JobState.LANDED, JobState.FAILED, JobState.UNFINISHED


def states(report):
    return {one.job.source: one.state for one in report.outcomes}


def test_each_job_lands_in_its_folder_and_a_rerun_finds_it_there(api, tmp_path):
    for job in ("j-1", "j-2"):
        api.job(job)
    first = land_jobs(["j-1", "j-2"], tmp_path, backends=api.url)
    assert first.ok
    assert [(tmp_path / job / "a.txt").read_text() for job in ("j-1", "j-2")] == ["j-1", "j-2"]
    again = land_jobs(["j-1", "j-2"], tmp_path, backends=api.url)
    assert set(states(again).values()) == {JobState.PRESENT}
    assert api.server.paths().count("/") == 2  # one connection to a back-end for each run


def test_failures_are_repeated_alone(api, tmp_path):
    api.job("j-1")
    api.job("j-2")
    file = api.server.script["/files/j-2"]
    api.server.script["/files/j-2"] = Answer(status=404)
    first = land_jobs(["j-1", "j-2"], tmp_path, backends=api.url)
    assert states(first) == {"j-1": LANDED, "j-2": FAILED}
    api.server.script["/files/j-2"] = file
    again = land_jobs(["j-1", "j-2"], tmp_path, backends=api.url)
    assert states(again) == {"j-1": JobState.PRESENT, "j-2": LANDED}


def test_unfinished_jobs_land_in_the_order_in_which_they_finish(api, tmp_path, pauses):
    api.job("slow", "queued", "running", "running", "finished")
    api.job("fast", "running", "finished")
    api.job("done")
    api.server.script["/jobs/bad"] = [api.status("bad", "running"), api.status("bad", "error")]
    api.fails("bad", 400)
    api.server.script["/jobs/bad/results"].body["code"] = "JobNotFinished"
    api.server.script["/jobs/bad/logs"] = Answer(
        {"logs": [{"level": "error", "message": "out of memory"}], "links": []}
    )
    lines, said = [], []
    report = land_jobs(
        ["slow", "bad", "fast", "done"],
        tmp_path,
        backends=api.url,
        wait=True,
        interval=7,
        on_outcome=lambda one: lines.append(one.line),
        notify=said.append,
    )
    assert [line.split(":")[0] for line in lines] == ["done", "bad", "fast", "slow"]
    assert "out of memory" in lines[1]
    assert [one.job.source for one in report.outcomes] == ["slow", "bad", "fast", "done"]
    assert said == ["3 jobs are not finished; asking every 7 s"]
    assert pauses.count(7) == 3
    assert max(pauses) == 7


def test_without_wait_unfinished_jobs_are_reported_with_their_status(api, tmp_path):
    api.job("j-1", "running", "finished")
    api.job("j-2", "created", "finished")
    report = land_jobs(["j-1", "j-2"], tmp_path, backends=api.url)
    assert [(one.state, one.status) for one in report.outcomes] == [(UNFINISHED, "running"), (UNFINISHED, "created")]
    assert not list(tmp_path.iterdir())


def test_a_wait_ends_with_its_timeout_and_not_for_unstarted_jobs(api, tmp_path, monkeypatch):
    clock = iter(range(0, 10_000, 10))
    monkeypatch.setattr(waiting.Clock, "now", staticmethod(lambda: next(clock)))
    api.job("j-1", *["running"] * 100, "finished")
    api.job("j-2", "created", "finished")
    report = land_jobs(["j-1", "j-2"], tmp_path, backends=api.url, wait=60.0, interval=5)
    assert states(report) == {"j-1": UNFINISHED, "j-2": UNFINISHED}
    assert api.server.paths().count("/jobs/j-1") < 10
    assert api.server.paths().count("/jobs/j-2") == 1


def test_a_backend_that_is_down_for_a_while_does_not_end_a_wait(api, tmp_path, pauses, monkeypatch):
    monkeypatch.setattr("splashdown._documents.repeating.REPEATS.total", 0)
    api.job("j-1", "running", "finished")
    down = Answer({"code": "Internal", "message": "down", "id": "r"}, 500)
    api.server.script["/jobs/j-1"] = [api.status("j-1", "running"), *[down] * 9, api.status("j-1", "finished")]
    said = []
    report = land_jobs(["j-1"], tmp_path, backends=api.url, wait=True, interval=5, notify=said.append)
    assert report.ok
    assert len(said) == 2  # that it waits, and once that nothing answers
    assert max(pauses) > 5  # pauses grow


def test_credentials_go_to_the_named_backend_alone(api, tmp_path):
    api.job("j-1")
    with scripted_api() as other:
        stranger = type(api)(other)
        stranger.job("j-2")
        rows = ["j-1", f"{stranger.url}/jobs/j-2", f"{api.url}/jobs/j-1"]
        report = land_jobs(rows, tmp_path, backends=api.url, auth="secret-token")
        assert report.ok
        assert {one.headers.get("Authorization") for one in other.asked} == {None}
        assert {"Bearer secret-token"} == set(api.server.sent("/jobs/j-1/results", "Authorization"))


def test_one_token_is_not_for_two_backends(api):
    with pytest.raises(UsageError, match="cannot be for several back-ends"):
        land_jobs(["j"], backends={"a": api.url, "b": "https://other.example"}, auth="token")


def test_a_list_from_the_web_leads_to_named_places_alone(api, tmp_path):
    api.job("j-1")
    with scripted_api() as other:
        other.script["/jobs.txt"] = Answer(f"j-1\n{api.url}/jobs/j-1\n{api.server.other_name}/jobs/j-1\n".encode())
        report = land_jobs(f"{other.url}/jobs.txt", tmp_path, backends=api.url)
        assert [one.state for one in report.outcomes] == [LANDED, LANDED, JobState.REFUSED]
        assert "save the list to a file" in report.outcomes[2].error


def test_rows_find_their_backend_by_its_name(api, tmp_path):
    api.job("j-1")
    rows = [{"id": "j-1", "backend_name": name} for name in ("mine", "mein", "")]
    report = land_jobs(rows, tmp_path, backends={"mine": api.url})
    assert [one.state for one in report.outcomes] == [LANDED, JobState.REFUSED, JobState.REFUSED]
    assert "did you mean 'mine'?" in report.outcomes[1].error
    assert "--backend URL" in report.outcomes[2].error


def test_a_backend_that_refuses_everybody_is_given_up(api, tmp_path):
    for n in range(20):
        api.fails(f"j-{n}", 403)
    api.job("other")
    rows = [*(f"j-{n}" for n in range(20)), {"url": f"{api.server.other_name}/jobs/other"}]
    report = land_jobs(rows, tmp_path, backends=api.url)
    assert [one.state for one in report.outcomes] == [FAILED] * 8 + [JobState.NOT_TRIED] * 12 + [LANDED]
    assert "8 times in a row" in report.stopped


def test_jobs_that_failed_at_their_backend_do_not_end_a_run(api, tmp_path):
    for n in range(12):
        api.fails(f"j-{n}", 404)
    api.job("good")
    report = land_jobs([*(f"j-{n}" for n in range(12)), "good"], tmp_path, backends=api.url)
    assert report.outcomes[-1].state is LANDED


def test_documents_of_stac_are_rows_too(api, tmp_path):
    item = {"type": "Feature", "stac_version": "1.0.0", "id": "S2", "geometry": None, "properties": {}, "links": []}
    item |= {"assets": {"B04": {"href": f"{api.url}/files/b04.tif"}}}
    api.server.script["/items/S2.json"] = Answer(item)
    api.server.script["/files/b04.tif"] = Answer(b"II*\0")
    report = land_jobs([f"{api.url}/items/S2.json"], tmp_path, partial=True)
    assert report.ok
    assert (tmp_path / "S2" / "item.json").exists()


def test_an_option_that_nothing_has_is_an_error_and_not_an_outcome(api, tmp_path):
    api.job("j-1")
    with pytest.raises(OptionError, match="if_exist"):
        land_jobs(["j-1"], tmp_path, backends=api.url, if_exist="skip")


def test_an_interval_without_a_pause_is_refused(api):
    with pytest.raises(UsageError, match="interval is 1 second or more"):
        land_jobs(["j-1"], backends=api.url, wait=True, interval=0)


def test_a_surprise_of_one_job_does_not_end_the_others(api, tmp_path):
    api.job("j-1")
    api.job("j-2")

    def choose(results):
        if results.id == "j-1":
            raise ZeroDivisionError
        return results

    report = land_jobs(["j-1", "j-2"], tmp_path, backends=api.url, choose=choose)
    assert states(report) == {"j-1": FAILED, "j-2": LANDED}


def test_a_handle_of_a_backend_serves_as_one(api, tmp_path):
    api.job("j-1")
    handle = splashdown.connect(api.url, auth="secret-token")
    assert land_jobs(["j-1", f"{api.url}/jobs/j-1"], tmp_path, backends=handle).ok
    assert set(api.server.sent("/jobs/j-1/results", "Authorization")) == {"Bearer secret-token"}


def test_a_list_that_was_read_shows_the_folders(tmp_path):
    (tmp_path / "jobs.txt").write_text("j-1\na:b\n")
    found = read_jobs(tmp_path / "jobs.txt")
    assert found.jobs[0].folder == "j-1"
    assert found.jobs[1].folder.startswith("a_b-")


def test_sigterm_while_a_job_lands_ends_with_143_and_every_row(api, tmp_path):
    for job in ("j-1", "j-2", "j-3"):
        api.job(job)
    asked, go_on = threading.Event(), threading.Event()

    def slow(_):
        asked.set()
        go_on.wait(30)
        return Answer(b"late")

    api.server.script["/files/j-2"] = slow
    command = [Path(sys.executable).with_name("splashdown"), "download", "--jobs-from", "-", tmp_path, "--json"]
    with subprocess.Popen(
        [*command, "--backend", api.url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdin.write(b"j-1\nj-2\nj-3\n")
        process.stdin.close()
        process.stdin = None
        assert asked.wait(60)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
        go_on.set()
    assert process.returncode == 143
    assert b"Traceback" not in err
    assert [one["state"] for one in json.loads(out)["jobs"]] == ["landed", "not_tried", "not_tried"]
    assert land_jobs(["j-1", "j-2", "j-3"], tmp_path, backends=api.url).ok
