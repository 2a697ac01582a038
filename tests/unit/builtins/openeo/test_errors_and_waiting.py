"""Error documents as exceptions, and the life of a job that is not finished."""

import pytest
from scripted_api import Answer, ScriptedApi

from splashdown.builtins.openeo import jobs
from splashdown.errors import (
    ApiError,
    JobFailed,
    JobNotFinished,
    JobNotFound,
    NotFoundError,
    OptionError,
    ResolveError,
    ResultLinkExpired,
)

JOB = "/openeo/1.2/jobs/j1"
RESULTS = JOB + "/results"
NOT_FINISHED = Answer({"code": "JobNotFinished", "message": "not yet", "id": "r-9"}, 400)
DONE = Answer({"type": "Collection", "id": "j1", "assets": {"a": {"href": "/a"}}})


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    """Waiting between two polls is the clock's business, not these tests'."""
    monkeypatch.setattr(jobs, "_FIRST_PAUSE", 0.001)
    monkeypatch.setattr(jobs, "_LONGEST_PAUSE", 0.001)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (404, "JobNotFound", JobNotFound),
        (404, "NotFound", NotFoundError),
        (410, "ResultLinkExpired", ResultLinkExpired),
        (402, "PaymentRequired", ApiError),
        (400, "JobLocked", ApiError),
        (500, "Internal", ApiError),
    ],
)
def test_an_error_document_becomes_a_typed_exception_with_code_message_and_id(
    api: ScriptedApi, resolve, status, code, kind
):
    api.script[RESULTS] = Answer({"code": code, "message": "Because of reasons.", "id": "r-7"}, status)
    with pytest.raises(kind) as caught:
        resolve()
    assert (caught.value.status, caught.value.code, caught.value.id) == (status, code, "r-7")
    assert "Because of reasons" in str(caught.value)


def test_an_error_page_without_json_is_told_by_its_status(api: ScriptedApi, resolve):
    api.script[RESULTS] = Answer(b"<html>nginx</html>", 404)
    with pytest.raises(NotFoundError, match="HTTP 404"):
        resolve()


def test_424_is_a_failed_job_with_its_log_entry(api: ScriptedApi, resolve):
    entry = {"id": "132", "level": "error", "code": "OutOfMemory", "message": "The worker ran out of memory"}
    api.script[RESULTS] = Answer(entry, 424)
    with pytest.raises(JobFailed, match="ran out of memory") as caught:
        resolve()
    assert caught.value.log == (entry,)


def test_a_server_that_is_not_there_is_one_clear_line(resolve):
    with pytest.raises(ResolveError, match="could not be read") as caught:
        resolve("http://127.0.0.1:1/jobs/j1")
    assert "\n" not in str(caught.value)


def test_the_signature_of_a_signed_link_is_not_shown(api: ScriptedApi, resolve):
    api.script[RESULTS + "/dXNlcg==/0123abcd"] = Answer({"code": "ResultLinkExpired", "message": "expired"}, 410)
    with pytest.raises(ResultLinkExpired) as caught:
        resolve(RESULTS + "/dXNlcg==/0123abcd?expires=1")
    assert "0123abcd" not in str(caught.value)
    assert "expires=1" not in str(caught.value)


def test_a_job_that_is_not_finished_tells_its_status(api: ScriptedApi, resolve):
    api.script[RESULTS] = NOT_FINISHED
    api.script[JOB] = Answer({"id": "j1", "status": "running", "progress": 40})
    with pytest.raises(JobNotFinished, match=r"running \(40 %\)") as caught:
        resolve()
    assert caught.value.job_status == "running"


@pytest.mark.parametrize("status", ["error", "canceled"])
def test_a_job_that_ended_badly_is_told_with_the_errors_of_its_log(api: ScriptedApi, resolve, status):
    api.script[RESULTS] = NOT_FINISHED
    api.script[JOB] = Answer({"id": "j1", "status": status})
    api.script[JOB + "/logs"] = Answer(
        {
            "logs": [{"level": "info", "message": "started"}, {"level": "error", "message": "no memory left"}],
            "links": [],
        }
    )
    with pytest.raises(JobFailed, match=f"'{status}'.*no memory left") as caught:
        resolve()
    assert [entry["message"] for entry in caught.value.log] == ["no memory left"]


def test_waiting_goes_on_through_trouble_until_the_job_is_finished(api: ScriptedApi, resolve, unit_context):
    api.script[JOB] = [
        Answer({"status": "queued"}),
        Answer({"status": "running", "progress": 10}),
        *[Answer(b"<html>bad gateway</html>", 500)] * 4,
        *[Answer(b'{"sta', length=100)] * 4,
        Answer({"status": "running", "progress": 90}),
        Answer({"status": "finished"}),
    ]
    api.script[RESULTS] = DONE
    context = unit_context(wait=True)
    assert [a.key for a in resolve(context=context).assets] == ["a"]
    assert context.told == [
        "job j1: queued",
        "job j1: running (10 %)",
        "job j1: no answer, asking again (ApiError)",
        "job j1: no answer, asking again (ResolveError)",
        "job j1: running (90 %)",
    ]


def test_waiting_ends_with_the_errors_of_the_log_when_the_job_fails(api: ScriptedApi, resolve):
    api.script[JOB] = [Answer({"status": "running"}), Answer({"status": "error"})]
    api.script[JOB + "/logs"] = Answer({"logs": [{"level": "error", "message": "boom"}]})
    with pytest.raises(JobFailed, match="boom"):
        resolve(wait=True)


def test_waiting_for_a_job_that_nobody_started_does_not_begin(api: ScriptedApi, resolve):
    api.script[JOB] = Answer({"status": "created"})
    with pytest.raises(JobNotFinished, match="start it"):
        resolve(wait=True)


@pytest.mark.parametrize("given", [{"status": "frozen"}, {}])
def test_waiting_ends_for_a_status_that_does_not_exist(api: ScriptedApi, resolve, given):
    api.script[JOB] = Answer(given)
    named = given.get("status", "unknown")
    with pytest.raises(JobNotFinished, match=rf"its status is {named}; that is not a status of the openEO API"):
        resolve(wait=True)
    assert api.paths() == [JOB] * 18


def test_an_unknown_status_between_known_ones_is_waited_for(api: ScriptedApi, resolve):
    api.script[JOB] = [
        *[Answer({"status": "frozen"})] * 17,
        Answer({"status": "running"}),
        *[Answer({"status": "thawing"})] * 17,
        Answer({"status": "finished"}),
    ]
    api.script[RESULTS] = DONE
    assert resolve(wait=True).assets


def test_a_signed_link_is_waited_for_as_long_as_a_job(api: ScriptedApi, resolve):
    signed = RESULTS + "/dXNlcg==/0123abcd"
    api.script[signed] = [*[NOT_FINISHED] * 30, DONE]
    assert resolve(signed, wait=True).assets


def test_waiting_ends_when_its_time_is_over(api: ScriptedApi, resolve):
    api.script[JOB] = Answer({"status": "running"})
    with pytest.raises(JobNotFinished, match="running"):
        resolve(wait=0.05)


def test_partial_results_are_asked_for_with_the_word_true(api: ScriptedApi, resolve):
    api.script[RESULTS + "?partial=true"] = Answer(
        {"type": "Collection", "id": "j1", "openeo:status": "running", "links": []}
    )
    results = resolve(partial=True)
    assert results.warnings
    assert list(results.assets) == []


@pytest.mark.parametrize("options", [{"wait": "yes"}, {"wait": -1}, {"partial": 1}, {"alternate": 3}])
def test_an_option_with_a_value_that_makes_no_sense_is_refused(resolve, options):
    with pytest.raises(OptionError, match=next(iter(options))):
        resolve(**options)


def test_an_unknown_option_is_refused_with_a_close_match(resolve):
    with pytest.raises(OptionError, match="'partial'"):
        resolve(partail=True)


def test_logs_are_read_page_by_page_and_a_circle_of_pages_ends(api: ScriptedApi):
    from splashdown._documents.client import Client

    api.script["/j/logs"] = Answer({"logs": [{"id": "1"}], "links": [{"rel": "next", "href": "/j/logs2"}]})
    api.script["/j/logs2"] = Answer({"logs": [{"id": "2"}], "links": [{"rel": "next", "href": "/j/logs"}]})
    log = jobs.read_log(Client(), api.url + "/j")
    assert [next(log)["id"], next(log)["id"]] == ["1", "2"]
    with pytest.raises(ResolveError, match="no end"):
        next(log)


def test_waiting_for_a_back_end_that_never_answers_comes_to_an_end(resolve):
    with pytest.raises(ResolveError, match="could not be read"):
        resolve("http://127.0.0.1:1/jobs/j1", wait=True)


def test_a_signed_link_is_waited_for_by_itself(api: ScriptedApi, resolve, unit_context):
    signed = RESULTS + "/dXNlcg==/0123abcd"
    api.script[signed] = [NOT_FINISHED, NOT_FINISHED, DONE]
    context = unit_context(wait=True)
    assert [a.key for a in resolve(signed, context=context).assets] == ["a"]
    assert context.told == ["job j1: not finished"]


def test_pauses_grow_while_only_the_progress_changes(api: ScriptedApi, monkeypatch):
    from splashdown.builtins.openeo.jobs import _Watch

    monkeypatch.setattr(jobs, "_FIRST_PAUSE", 1.0)
    monkeypatch.setattr(jobs, "_LONGEST_PAUSE", 4.0)
    answers = iter([{"status": "queued"}, *({"status": "running", "progress": n} for n in range(5))])
    watch = _Watch(lambda: next(answers), "j1", lambda _: None)
    pauses = []
    for _ in range(6):
        watch.look()
        pauses.append(watch.pause)
    assert pauses == [1.0, 1.0, 1.5, 2.25, 3.375, 4.0]
