"""Headers are typed where they enter: whatever they say, a value comes out, or nothing."""

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from splashdown._connections import waits
from splashdown._documents.redirects import Redirects
from splashdown.builtins.http import address, headers
from splashdown.builtins.http.failures import status_error
from splashdown.errors import TransferError

LONG = "9" * 4400
#: What real values consist of, so that most examples are nearly right.
PIECES = st.sampled_from(
    [
        *("bytes ", "0-9", "/100", "*", "-", "120", LONG, "Wed, 21 Oct 2015 07:28:00 ", "Mon, 01 Jan 0001 00:00:00 "),
        *("GMT", "-0000", "+2359", "-2359", "+99999999999999", "Fri, 31 Dec 9999 23:59:59 ", "sha-256=:AAAA:"),
        *(
            "limit=10",
            ", remaining=0",
            ";r=0;t=5",
            "\0",
            "\x7f",
            "\xb2",
            "\uff13",
            "\ud800",
            '"v"',
            "nan",
            "inf",
            "1e5",
            " ",
        ),
    ]
)
VALUES = st.lists(PIECES, max_size=6).map("".join) | st.text(max_size=40)


@given(VALUES)
@example(f"bytes 0-{LONG}/{LONG}")
@example("bytes 0-9/10000000000000000000")
@example("bytes \uff10-\uff19/\uff11\uff10")
def test_a_range_is_one_or_none(value):
    found = headers.content_range(value)
    assert found is None or 0 <= found.start < found.stop <= (found.size or found.stop) < 2**63
    size = headers.unsatisfied_size(value)
    assert size is None or 0 <= size < 2**63
    number = waits.number(value)
    assert number is None or 0 <= number < 2**63


@given(VALUES, VALUES)
@example("Mon, 01 Jan 0001 00:00:00 -0000", "")
@example("Mon, 01 Jan 0001 00:00:00 +2359", "")
@example("Fri, 31 Dec 9999 23:59:59 -2359", "")
@example("Mon, 01 Jan 2024 00:00:00 +99999999999999", "")
@example(f"Mon, {LONG} Jan 2024 00:00:00", LONG)
def test_a_time_to_wait_is_one_or_none(value, quota):
    for given_headers in (
        {"retry-after": value},
        {"ratelimit": quota, "x-ratelimit-reset": value, "ratelimit-remaining": "0"},
        {"x-ratelimit-remaining": quota, "x-ratelimit-reset": value},
    ):
        seconds = waits.retry_after(given_headers)
        assert seconds is None or (seconds >= 0 and math.isfinite(seconds))


@given(VALUES, VALUES)
@example('"a\0b"', "text/x\x1b[2J")
@example('"' + "a" * 100_000 + '"', "x")
def test_what_is_noted_of_a_file_can_be_sent_back_and_shown(value, other):
    given_headers = {"etag": value, "last-modified": other, "content-type": other, "x-amz-version-id": value}
    given_headers |= {"repr-digest": value, "digest": other, "x-goog-hash": value, "content-md5": other}
    info = headers.remote_info(given_headers, size=5, ranges=True, whole=True)
    for kept in (info.etag, info.last_modified, info.media_type, info.version):
        assert kept is None or (len(kept) <= 1000 and not any(c < " " or c == "\x7f" for c in kept))


@given(st.sampled_from([299, 400, 403, 404, 500, 999, 1000]), VALUES, st.binary(max_size=200))
@example(400, "", b"[" * 100_000)
@example(400, "", b'{"code": {"a": []}, "message": 9}')
@example(400, "", b'{"code": ' + b"9" * 5000 + b"}")
def test_an_error_answer_is_an_error_of_ours(status, value, body):
    error = status_error("https://h.invalid/x?" + value, status, {"retry-after": value}, body)
    assert isinstance(error, TransferError)
    assert len(str(error)) < 1000 + len(value)


HREF_PIECES = st.sampled_from(
    [
        *(
            "http",
            "https",
            "://",
            ":",
            "/",
            "//",
            "@",
            "[",
            "]",
            "\\",
            "a.b",
            "127.0.0.1",
            "::1",
            "?",
            "#",
            "%2f",
            "..",
        ),
        *(" ", "\t", "é", "\u2100", "\uff0f", "0", "99999", "\xb2", "-", ";", "xn--", "user", "\ud800", "\0", "\u0663"),
    ]
)
HREFS = st.builds(
    str.__add__,
    st.sampled_from(["", "http://", "https://h.invalid", "http://h.invalid:80/"]),
    st.lists(HREF_PIECES, max_size=8).map("".join),
)


@given(HREFS)
@example("http://h.invalid:²/")
@example("http://h.invalid/\ud800")
def test_an_href_has_one_address_or_is_an_error_of_ours(href):
    try:
        found = address.parse(href)
    except TransferError:
        return
    assert found.origin.startswith(("http://", "https://"))
    f"{found.origin}{found.target}".encode()  # can be sent


@given(HREFS)
@example("//h\ud800")
def test_a_location_leads_to_https_or_is_an_error_of_ours(location):
    location = location.encode("utf-8", "surrogatepass").decode("latin-1")
    hops = Redirects("https://h.invalid/x", TransferError)
    try:
        if hops.follow(302, location):
            assert hops.url.lower().startswith("https:")
            address.parse(hops.url)
    except TransferError:
        return


@pytest.mark.parametrize("name", ["etag", "last-modified"])
def test_a_usual_value_is_kept(name):
    for value in ('"abc"', 'W/"abc"', "Wed, 21 Oct 2015 07:28:00 GMT", "abc-5"):
        info = headers.remote_info({name: value}, size=5, ranges=True, whole=True)
        assert value in {info.etag, info.last_modified}
