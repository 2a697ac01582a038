"""What a small object costs: Python calls and hashes, which do not depend on how busy the machine is, as seconds do."""

from __future__ import annotations

import hashlib
import sys
from types import SimpleNamespace

from splashdown_s3 import _objects

from splashdown.model import Content, ReadRequest

#: Python calls from the href to the bytes, or from the bytes to the name, and a tenth for other versions of Python and
#: of the libraries. Lower them with each call that goes.
MOST_TO_READ = {"http": 68, "https": 100}  # TLS gives a body in pieces of 16 KiB
MOST_TO_STORE = {"http": 85, "https": 99}
DATA = bytes(64 * 1024)


def calls_of(action) -> int:
    """Calls of the third time: the first one connects, the second one learns what the store can do."""
    calls = 0

    def profile(frame, event, arg):
        nonlocal calls
        calls += event == "call"

    action(0)
    action(1)
    sys.setprofile(profile)
    try:
        action(2)
    finally:
        sys.setprofile(None)
    return calls


def test_a_small_object_is_read_with_no_more_calls_than_it_may_take(transport, plain, bucket, options):
    def read(n):
        found = transport.read_small(ReadRequest(href=f"s3://{bucket}/{n}"), len(DATA))
        if n == 0:
            with found as stream:
                list(stream)

    for n in range(3):
        plain.put_object(Bucket=bucket, Key=str(n), Body=DATA)
    assert calls_of(read) < MOST_TO_READ[options.endpoint_url.partition(":")[0]]


def test_a_small_object_is_stored_with_no_more_calls_than_it_may_take(sink, options):
    content = Content(size=len(DATA), source="item/key", checksum="1220" + hashlib.sha256(DATA).hexdigest())

    def store(n):
        assert sink.stat(str(n)) is None
        sink.put_whole(str(n), content, DATA)

    assert calls_of(store) < MOST_TO_STORE[options.endpoint_url.partition(":")[0]]


def test_a_body_whose_checksum_is_known_is_not_hashed_again(sink, monkeypatch):
    content = Content(size=len(DATA), source="item/key", checksum="1220" + hashlib.sha256(DATA).hexdigest())
    monkeypatch.setattr(_objects, "hashlib", SimpleNamespace(md5=hashlib.md5))
    sink.put_whole("k", content, DATA)
    assert sink.stat("k").checksum == content.checksum
