"""Assets opened for loaders, over real sockets: what is read, what it costs, what happens when it breaks."""

from __future__ import annotations

import gc
import hashlib
import io
import threading
import zipfile
from dataclasses import replace

import pytest
from fault_server import FaultServer
from faults import Chunked, Cut, Flip, IgnoreRange, NewVersion, Status
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from splashdown._engine.concurrent import map_unordered
from splashdown._engine.remote import Remote, unsigned
from splashdown._engine.remote_handle import open_asset
from splashdown._engine.renew import Renewal
from splashdown._engine.settings import RetryPolicy, Settings
from splashdown.errors import ChangedError, ChecksumError, HttpStatusError, LoadError, UsageError
from splashdown.http import HttpTransport
from splashdown.model import Asset, Outcome, Transfer
from splashdown.model import Status as Ended
from splashdown.protocols import AssetHandle

KIB = 1024
CONTENT = hashlib.shake_256(b"asset").digest(300 * KIB)
QUICK = Settings(retry=RetryPolicy(base=0.001, max_delay=0.002))


@pytest.fixture
def server():
    with FaultServer() as running:
        running.add("/a.tif", CONTENT)
        running.add("/small.json", b'{"a": 1}')
        yield running


def stored_at(path):
    """What a run reports that has stored the content there."""
    transfer = Transfer(asset=Asset(key="a", href="http://h/a"), name=path.name)
    checksum = "1220" + hashlib.sha256(CONTENT).hexdigest()
    return Outcome(transfer=transfer, status=Ended.STORED, location=str(path), size=len(CONTENT), checksum=checksum)


@pytest.fixture
def opened(server):
    transport, handles = HttpTransport(), []

    def make(path="/a.tif", *, settings=QUICK, sign=unsigned, refresh=None, local=None, **fields):
        asset = Asset(key="a", href=fields.pop("href", server.url + path), **fields)
        remote = Remote(transport=lambda _: transport, sign=sign, settings=settings, renewal=Renewal(refresh))
        handle = open_asset(asset, remote, local=local)
        handles.append(handle)
        return handle

    yield make
    for handle in handles:
        if local := getattr(handle, "close", None):
            local()
    transport.close()


def test_a_handle_is_what_loaders_expect_and_requests_nothing_by_itself(server, opened):
    handle = opened()
    assert server.seen == []
    assert isinstance(handle, AssetHandle)


def test_a_small_file_costs_one_request_whatever_is_read_of_it(server, opened):
    handle = opened("/small.json")
    assert handle.read_range(0, 4) == b'{"a"'
    assert handle.size == 8
    assert handle.bytes() == b'{"a": 1}'
    assert handle.open().read() == b'{"a": 1}'
    assert handle.path().read_bytes() == b'{"a": 1}'
    assert server.ranges("/small.json") == ["bytes=0-65535"]


def test_a_head_and_one_window_cost_two_requests(server, opened):
    handle = opened()
    assert handle.read_range(0, 64 * KIB) == CONTENT[: 64 * KIB]
    assert handle.read_range(100_000, 120_000) == CONTENT[100_000:120_000]
    assert handle.read_range(10, 900) == CONTENT[10:900]
    assert server.ranges("/a.tif") == ["bytes=0-65535", "bytes=100000-119999"]
    assert server.seen[1].headers["if-match"] == server.files["/a.tif"].etag


def test_the_whole_file_costs_one_request_and_none_twice(server, opened):
    assert opened().bytes() == CONTENT
    assert server.ranges("/a.tif") == ["bytes=0-"]
    handle = opened()
    handle.read_range(0, 16)
    assert handle.bytes() == CONTENT
    assert server.ranges("/a.tif")[1:] == ["bytes=0-65535", "bytes=65536-"]


def test_a_first_read_in_the_middle_needs_no_other(server, opened):
    handle = opened()
    assert handle.read_range(200_000, 200_010) == CONTENT[200_000:200_010]
    assert handle.size == len(CONTENT)
    assert len(server.seen) == 1


@pytest.mark.parametrize(("start", "stop"), [(10**6, 10**6 + 5), (299 * KIB, 10**6), (5, 5), (len(CONTENT), 10**7)])
def test_ranges_are_cut_at_the_end_of_the_file(opened, start, stop):
    assert opened().read_range(start, stop) == CONTENT[start:stop]


def test_a_range_that_is_none_is_refused(opened):
    with pytest.raises(UsageError):
        opened().read_range(5, 4)


def test_ranges_are_read_over_several_connections(server, opened):
    handle, waiting = opened(), threading.Barrier(4, timeout=60)
    handle.read_range(0, 1)

    def meet(handler, answer):
        waiting.wait()  # broken unless four requests are there at once
        handler.send(answer)

    server.script("/a.tif", meet, meet, meet, meet)
    wanted = [(70_000 + n * 10_000, 75_000 + n * 10_000) for n in range(4)]
    read = dict(handle.read_ranges([*wanted, (0, 10)]))
    assert [read[n] for n in range(4)] == [CONTENT[start:stop] for start, stop in wanted]
    assert read[4] == CONTENT[:10]
    assert len(server.seen) == 5


def test_the_first_error_ends_the_reading_of_ranges(server, opened):
    handle = opened()
    handle.read_range(0, 1)
    server.always("/a.tif", Status(404))
    with pytest.raises(HttpStatusError):
        list(handle.read_ranges([(70_000 + n, 80_000 + n) for n in range(20)]))


def test_a_broken_body_and_an_error_are_repaired(server, opened):
    server.script("/a.tif", Status(500), Cut(100), None, Cut(50))
    handle = opened()
    assert handle.read_range(0, 64 * KIB) == CONTENT[: 64 * KIB]
    assert handle.read_range(70_000, 71_000) == CONTENT[70_000:71_000]
    assert server.ranges("/a.tif")[-1] == "bytes=70050-70999"


def test_another_version_is_an_error_and_never_mixed(server, opened):
    handle = opened()
    handle.read_range(0, 10)
    server.script("/a.tif", NewVersion(b"x" * len(CONTENT)))
    with pytest.raises(ChangedError):
        handle.read_range(100_000, 100_010)


def test_another_version_is_read_again_where_the_whole_file_is_wanted(server, opened):
    handle = opened()
    handle.read_range(0, 10)
    server.script("/a.tif", NewVersion(b"x" * len(CONTENT)))
    assert handle.bytes() == b"x" * len(CONTENT)
    assert handle.read_range(0, 10) == b"x" * 10


@pytest.mark.parametrize("fault", [IgnoreRange(advertise=False), Chunked()])
def test_a_server_without_ranges_is_read_once_to_a_temporary_file(server, opened, fault):
    server.always("/a.tif", fault)
    handle = opened()
    assert handle.read_range(0, 10) == CONTENT[:10]
    assert handle.read_range(100_000, 100_010) == CONTENT[100_000:100_010]
    assert handle.size == len(CONTENT)
    assert dict(handle.read_ranges([(0, 5), (290_000, 290_005)])) == {0: CONTENT[:5], 1: CONTENT[290_000:290_005]}
    assert handle.bytes() == CONTENT
    assert len(server.seen) == 2


def test_ranges_that_stop_to_be_served_are_replaced_by_the_whole_file(server, opened):
    handle = opened()
    handle.read_range(0, 10)
    server.always("/a.tif", IgnoreRange())
    assert handle.read_range(100_000, 100_010) == CONTENT[100_000:100_010]


def test_small_files_without_length_and_empty_ones_are_read(server, opened):
    server.always("/small.json", Chunked())
    assert opened("/small.json").read_range(0, 5) == b'{"a":'
    assert opened("/small.json").size == 8
    server.add("/empty")
    assert opened("/empty").bytes() == opened("/empty").read_range(0, 9) == opened("/empty").open().read() == b""


def test_too_large_a_file_is_not_read(server, opened):
    with pytest.raises(LoadError, match="max_bytes"):
        opened().bytes(1000)
    server.always("/a.tif", Chunked())
    with pytest.raises(LoadError, match="max_bytes"):
        opened().bytes(1000)


def test_the_whole_file_is_verified(server, opened):
    good = "1220" + hashlib.sha256(CONTENT).hexdigest()
    assert opened(checksum=good, size=len(CONTENT)).bytes() == CONTENT
    handle = opened(checksum=good)
    handle.read_range(0, 10)
    assert handle.path().read_bytes() == CONTENT
    for wrong in ({"checksum": "1220" + "00" * 32}, {"size": 5}):
        with pytest.raises(ChecksumError):
            opened(**wrong).bytes()
        with pytest.raises(ChecksumError):
            opened(**wrong).path()


@pytest.mark.parametrize("path", ["/a.tif", "/small.json"])
@pytest.mark.parametrize("head", [True, False], ids=["after its head", "at once"])
def test_a_body_damaged_on_its_way_is_read_once_more(server, opened, path, head):
    content = server.files[path].content
    handle = opened(path, checksum="1220" + hashlib.sha256(content).hexdigest())
    server.script(path, Flip(5))
    if head:  # a single range cannot be verified
        assert handle.read_range(0, 8) != content[:8]
    assert handle.bytes() == content
    assert handle.read_range(0, 8) == content[:8]


def test_a_temporary_copy_keeps_the_ending_and_goes_with_the_handle(opened):
    handle = opened()
    path = handle.path()
    assert path.suffix == ".tif"
    assert path == handle.path()
    assert [*path.parent.iterdir()] == [path]
    handle.close()
    assert not path.parent.exists()


def test_a_temporary_copy_is_removed_with_the_last_reference_to_the_handle(server):
    transport = HttpTransport()
    asset = Asset(key="a", href=server.url + "/a.tif")
    handle = open_asset(asset, Remote(transport=lambda _: transport, settings=QUICK))
    path = handle.path()
    del handle
    gc.collect()
    assert not path.parent.exists()


def test_a_stored_copy_is_read_instead_of_the_server(server, opened, tmp_path):
    copy = tmp_path / "copy.tif"
    copy.write_bytes(CONTENT)
    handle = opened(local=stored_at(copy))
    assert isinstance(handle, AssetHandle)
    assert handle.size == len(CONTENT)
    assert handle.path() == copy
    assert handle.read_range(299 * KIB, 10**9) == CONTENT[299 * KIB :]
    assert dict(handle.read_ranges([(0, 3), (7, 9)])) == {0: CONTENT[:3], 1: CONTENT[7:9]}
    assert handle.open().read() == handle.bytes() == CONTENT
    with pytest.raises(LoadError, match="max_bytes"):
        handle.bytes(10)
    copy.unlink()
    with pytest.raises(LoadError, match="FileNotFoundError"):
        handle.bytes()
    assert server.seen == []


@pytest.mark.parametrize("change", [CONTENT[::-1], CONTENT[:-1], None], ids=["bytes", "size", "removed"])
def test_a_stored_copy_that_has_changed_is_not_read(server, opened, tmp_path, change):
    copy = tmp_path / "copy.tif"
    if change is not None:
        copy.write_bytes(change)
    assert opened(local=stored_at(copy)).bytes() == CONTENT
    assert len(server.seen) == 1


def test_requests_are_signed_each_time(server, opened):
    server.files["/a.tif"].needs = {"authorization": "Bearer t"}
    handle = opened(sign=lambda href: (href, {"Authorization": "Bearer t"}))
    assert handle.read_range(0, 10) == CONTENT[:10]
    assert handle.read_range(100_000, 100_010) == CONTENT[100_000:100_010]


def test_an_expired_link_is_renewed_once(server, opened):
    server.files["/a.tif"].signed = True
    handle = opened(
        href=server.sign("/a.tif"),
        refresh=lambda: {(None, "a"): replace(handle.asset, href=server.sign("/a.tif"))},
    )
    assert handle.read_range(0, 10) == CONTENT[:10]
    server.expire_links()
    assert handle.read_range(100_000, 100_010) == CONTENT[100_000:100_010]
    assert [one.status for one in server.seen] == [206, 403, 206]


def test_a_zip_file_is_listed_and_read_through_the_open_file(server, opened):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for number in range(20):
            archive.writestr(f"{number}.bin", CONTENT[: 50 * KIB])
    server.add("/a.zip", packed.getvalue())
    with opened("/a.zip").open() as file, zipfile.ZipFile(file) as archive:
        assert archive.read("17.bin") == CONTENT[: 50 * KIB]
    assert server.sent("/a.zip") < 400 * KIB


def test_sequential_reading_asks_for_larger_and_larger_ranges(server, opened):
    server.add("/big.bin", CONTENT * 20)
    with opened("/big.bin").open() as file:
        assert b"".join(iter(lambda: file.read(10_000), b"")) == CONTENT * 20
    assert len(server.seen) < 12
    assert server.sent() == len(CONTENT) * 20


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("seek"), st.integers(0, 310 * KIB), st.just(0)),
            st.tuples(st.just("seek"), st.integers(-300 * KIB, 10), st.just(2)),
            st.tuples(st.just("read"), st.integers(-1, 150 * KIB), st.just(0)),
        ),
        max_size=8,
    )
)
def test_the_open_file_behaves_like_a_file(opened, steps):
    mine, theirs = opened().open(), io.BytesIO(CONTENT)
    for name, number, whence in steps:
        if name == "seek":
            assert mine.seek(number, whence) == theirs.seek(number, whence)
        else:
            assert mine.read(number) == theirs.read(number)
        assert mine.tell() == theirs.tell()


def test_work_in_threads_stays_close_to_its_taker():
    calls = []

    def note(value):
        calls.append(value)
        return value * 2

    results = map_unordered(note, range(100), 3)
    assert next(results)[1] in {0, 2, 4}
    results.close()
    assert len(calls) <= 8
    assert dict(map_unordered(note, range(50), 4)) == {n: n * 2 for n in range(50)}
    assert list(map_unordered(note, [], 4)) == []
