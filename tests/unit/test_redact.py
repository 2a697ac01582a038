"""What is shown of an href never holds a secret."""

import json

import pytest
from stac_item import stac_item

from splashdown._cli.main import main
from splashdown.events import (
    Progress,
    Retried,
    RunFinished,
    RunInterrupted,
    RunStarted,
    TransferFinished,
    TransferStarted,
)
from splashdown.model import (
    Asset,
    Member,
    Outcome,
    Plan,
    ReadRequest,
    ResultSet,
    RunReport,
    Skipped,
    Status,
    Stored,
    Transfer,
)
from splashdown.redact import redact, redact_target, redact_text, secrets_of


@pytest.mark.parametrize(
    ("href", "shown"),
    [
        ("https://user:pw@host.example/a.tif?X-Amz-Signature=abc#f", "https://host.example/a.tif?..."),
        ("https://host.example/a.tif", "https://host.example/a.tif"),
        ("s3://bucket/a b/../c.tif", "s3://bucket/a b/../c.tif"),
        ("/data/a.tif", "/data/a.tif"),
        (
            "https://h.example/openeo/1.2/jobs/j/results/assets/am9obg==/869f8633d341ba237d95a5d6f9e35a55/sub/a.tif?expires=1",
            "https://h.example/openeo/1.2/jobs/j/results/assets/.../sub/a.tif?...",
        ),
        (
            "https://h.example/jobs/j/results/am9obg==/869f8633d341ba237d95a5d6f9e35a55?expires=1",
            "https://h.example/jobs/j/results/...?...",
        ),
        (
            "https://h.example/jobs/j/results/assets/869f8633d341ba237d95a5d6f9e35a55/a.tif",
            "https://h.example/jobs/j/results/assets/.../a.tif",
        ),
        (
            "https://h.example/jobs/j/results/assets/a.tif",
            "https://h.example/jobs/j/results/assets/a.tif",
        ),
        ("http://[bad", "(an href that is not a URL)"),
    ],
)
def test_an_href_is_shown_without_userinfo_query_and_fragment(href, shown):
    assert redact(href) == shown


@pytest.mark.parametrize("target", ["data/out?", "s3://bucket/a?b/", "C:\\out", "a@b/c", "s3://bucket/a@b/"])
def test_a_target_without_a_user_is_shown_as_it_is(target):
    assert redact_target(target) == target


def test_a_password_in_a_target_is_not_shown_by_a_dry_run(tmp_path, capsys):
    (tmp_path / "a.txt").write_text("a")
    path = tmp_path / "item.json"
    path.write_text(json.dumps(stac_item({"a": {"href": "a.txt"}})))
    for more in ([], ["--json"]):
        assert main(["download", str(path), "sftp://user:hunter2@host.example/x", "--dry-run", *more]) == 0
        assert main(["sync", str(path), "sftp://user:hunter2@host.example/x", "--dry-run", *more]) != 0
    shown = "".join(capsys.readouterr())
    assert "hunter2" not in shown
    assert "sftp://host.example/x" in shown


@pytest.mark.parametrize(
    "href",
    [
        "https:user:hunter2@h/x",
        "https:/user:hunter2@h/x",
        "//user:hunter2@h/x?s",
        "https://user:hun/hunter2@h/x",
        "simplecache::https://user:hunter2@h/x",
        "fsspec://sftp/user:hunter2@h/x",
        "s3://bucket/key?X-Amz-Security-Token=hunter2",
    ],
)
def test_odd_forms_of_hrefs_are_shown_without_their_secret(href):
    assert "hunter2" not in redact(href)


def test_what_a_server_repeats_of_a_request_is_not_shown():
    known = secrets_of("https://h/a?unknown=Query%2FSecret", {"Authorization": "Basic dXNlcjpodW50ZXIyMg=="})
    text = redact_text("no: Query/Secret Query%2FSecret hunter22 dXNlcjpodW50ZXIyMg UXVlcnkvU2VjcmV0 end", known)
    assert text == "no: ... ... ... ... ... end"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://h.example:8080: it is down", "http://h.example:8080: it is down"),
        ("see http://[::1]:80, or http://h.example:1.", "see http://[::1]:80, or http://h.example:1."),
        ("http://user:pa:ss:word@h.example:80: no", "(an href that is not a URL) no"),
        ("http://user:hunter2@h.example:80: no", "(an href that is not a URL) no"),
        ("<?xml version='1.0'?>", "<?xml version='1.0'?>"),
        ("http://h.example/a<?xmlsecret", "http://h.example/a<?..."),
    ],
)
def test_a_sentence_about_an_origin_stays_readable(text, shown):
    assert redact_text(text) == shown


def _values():
    signed = "https://user:hunter2@h.example/a.tif?sig=hunter2"
    asset = Asset(key="a", href=signed, metadata={"href": signed}, properties={"x": signed})
    transfer = Transfer(asset=asset, name="a.tif")
    outcome = Outcome(transfer=transfer, status=Status.STORED, location=signed)
    plan = Plan(target="sftp://user:hunter2@h/x", transfers=(transfer,))
    report = RunReport(plan=plan, outcomes=(outcome,))
    results = ResultSet(id="i", kind="item", assets=(asset,), document={"href": signed}, href=signed)
    return [
        *(asset, transfer, outcome, plan, report, results, Member(folder="f", results=results)),
        *(Skipped(asset=asset, reason="r"), ReadRequest(href=signed, headers={"Authorization": "Bearer hunter2"})),
        *(RunStarted(plan=plan), TransferStarted(transfer=transfer, size=1), RunFinished(report=report)),
        *(Progress(transfer=transfer, done=1, size=2), TransferFinished(outcome=outcome), RunInterrupted(plan=plan)),
        *(Retried(transfer=transfer, attempt=1, delay=1.0, error="E"), Stored(size=1, location=signed)),
    ]


@pytest.mark.parametrize("value", _values(), ids=lambda value: type(value).__name__)
def test_no_value_or_event_shows_a_secret_when_it_is_printed(value):
    assert "hunter2" not in repr(value)
    assert "hunter2" not in str(value)
