"""A server may promise any size: nothing is made of it before it was compared with what there is room for."""

import pytest
from raw_server import raw_server

import splashdown
from splashdown._engine.parts import cut
from splashdown._engine.settings import RetryPolicy, Settings
from splashdown.errors import DownloadError
from splashdown.model import PartPolicy

MIB = 2**20


def answer_to(total, stop=b"9"):
    head = b'HTTP/1.1 206 Partial Content\r\nETag: "v"\r\nContent-Length: 10\r\n'
    return head + b"Content-Range: bytes 0-" + stop + b"/" + total + b"\r\n\r\n0123456789"


def failure(url, target, **settings):
    policy = RetryPolicy(attempts=2, base=0.0)
    with splashdown.Session(discover=False, config=False, settings=Settings(retry=policy, **settings)) as session:
        item = {"type": "Feature", "stac_version": "1.0.0", "id": "i", "properties": {}, "links": []}
        results = session.open({**item, "assets": {"a.bin": {"href": url}}}, base="http://h.invalid/i.json")
        with pytest.raises(DownloadError) as failed:
            results.download_files(target)
    (outcome,) = failed.value.report.failed
    return outcome


@pytest.mark.parametrize("total", [b"1000000000000000", b"9" * 18])
@pytest.mark.parametrize("kind", ["folder", "memory"])
def test_a_total_that_nothing_can_hold_is_one_failed_asset(total, kind, tmp_path):
    target = str(tmp_path) if kind == "folder" else "memory://totals"
    with raw_server(lambda _, n: answer_to(total)) as server:
        outcome = failure(server.url + "/a.bin", target)
    assert outcome.error_type in {"StoreError", "TruncatedError"}
    assert "\n" not in outcome.error
    assert kind != "folder" or "free" in outcome.error or "cannot be" in outcome.error


@pytest.mark.parametrize(
    ("total", "stop"),
    [
        (b"9" * 5000, b"9"),
        (b"9" * 19, b"9"),
        (b"-5", b"9"),
        (b"5", b"9"),
        (b"100", b"-1"),
        (b"100", b"9" * 5000),
        (b"1e9", b"9"),
        ("\uff11\uff10\uff10".encode(), b"9"),
    ],
)
def test_a_range_that_makes_no_sense_is_one_failed_asset(total, stop, tmp_path):
    with raw_server(lambda _, n: answer_to(total, stop)) as server:
        outcome = failure(server.url + "/a.bin", str(tmp_path))
    assert outcome.error_type in {"RangeNotServedError", "TruncatedError"}
    assert not (tmp_path / "a.bin").exists()


def test_parts_are_made_when_they_are_asked_for():
    parts = cut(10**15, PartPolicy(), 32 * MIB, 8)
    assert len(parts) > 10**7
    assert (parts[0].start, parts[-1].stop) == (0, 10**15)
    for at in (1, len(parts) // 2, len(parts) - 20, len(parts) - 1):
        assert parts[at].start == parts[at - 1].stop
        assert parts[at].number == at + 1
