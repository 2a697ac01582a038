"""Files that a server sends with a Content-Encoding: decoded, kept or refused, and checked in either form."""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_api import Answer, scripted_api
from stac_item import stac_item

import splashdown
from splashdown._engine.decoding import Decoding
from splashdown.errors import DownloadError, TransferError, TruncatedError
from splashdown.model import Asset, Status

PLAIN = json.dumps({"type": "FeatureCollection", "features": list(range(3000))}).encode()
PACKED = gzip.compress(PLAIN, mtime=0)


def sha256(data):
    return "1220" + hashlib.sha256(data).hexdigest()


@pytest.fixture
def api():
    with scripted_api() as running:
        yield running


def ranged(body, encoding, **headers):
    """A store that knows ranges, of the encoded bytes, and sends those whatever is accepted."""

    def answer(asked):
        said = {"Content-Encoding": encoding, "ETag": '"v1"', "Accept-Ranges": "bytes", **headers}
        wanted = asked.headers["Range"]
        if asked.headers["If-None-Match"] == '"v1"':
            return Answer(b"", 304, said)
        if wanted is None:
            return Answer(body, headers=said)
        start, _, stop = wanted.removeprefix("bytes=").partition("-")
        first, last = int(start), min(int(stop or len(body) - 1), len(body) - 1)
        said["Content-Range"] = f"bytes {first}-{last}/{len(body)}"
        return Answer(body[first : last + 1], 206, said)

    return answer


def serve(api, answer, *, href="x.geojson", **metadata):
    api.script["/item.json"] = Answer(stac_item({"a": {"href": f"./{href}", **metadata}}))
    api.script[f"/{href}"] = answer
    return f"{api.url}/item.json"


def download(source, target, **options):
    with splashdown.Session(config=False) as session:
        return session.open(source).run("download_files", target=target, **options).report


def only(target, pattern="*x.*"):
    (path,) = target.glob(pattern)
    return path.read_bytes()


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "GZIP", "aws-chunked,gzip"])
@pytest.mark.parametrize("metadata", [{}, {"file:size": len(PLAIN)}, {"file:size": len(PACKED)}])
def test_a_file_stored_with_gzip_is_decoded(api, tmp_path, encoding, metadata):
    report = download(serve(api, ranged(PACKED, encoding), **metadata), tmp_path)
    assert only(tmp_path) == PLAIN
    (outcome,) = report.outcomes
    assert (outcome.size, outcome.checksum) == (len(PLAIN), sha256(PLAIN))
    assert outcome.verified == (("length", "size") if metadata else ("length",))


@pytest.mark.parametrize("data", [zlib.compress(PLAIN), zlib.compress(PLAIN)[2:-4]], ids=["zlib", "bare"])
def test_a_file_stored_with_deflate_is_decoded(api, tmp_path, data):
    download(serve(api, ranged(data, "deflate")), tmp_path)
    assert only(tmp_path) == PLAIN


@pytest.mark.parametrize("data", [PLAIN, PACKED], ids=["decoded", "encoded"])
def test_a_checksum_may_be_of_either_form(api, tmp_path, data):
    report = download(serve(api, ranged(PACKED, "gzip"), **{"file:checksum": sha256(data)}), tmp_path)
    assert "checksum" in report.outcomes[0].verified
    assert only(tmp_path) == PLAIN


@pytest.mark.parametrize("metadata", [{"file:size": 7}, {"file:checksum": sha256(b"other")}])
def test_metadata_that_fit_neither_form_fail_the_asset(api, tmp_path, metadata):
    with pytest.raises(DownloadError) as raised:
        download(serve(api, ranged(PACKED, "gzip"), **metadata), tmp_path).raise_failures()
    assert raised.value.report.failed[0].error_type == "ChecksumError"
    assert not list(tmp_path.glob("*x.*"))


def test_a_second_run_keeps_a_decoded_file_that_the_server_confirms(api, tmp_path):
    source = serve(api, ranged(PACKED, "gzip"), **{"file:checksum": sha256(PACKED), "file:size": len(PACKED)})
    download(source, tmp_path)
    report = download(source, tmp_path)
    assert [one.status for one in report.outcomes] == [Status.SKIPPED]
    assert api.sent("/x.geojson", "If-None-Match") == [None, '"v1"']
    assert splashdown.Session().run("verify", str(tmp_path)).ok


def test_a_second_run_fetches_a_decoded_file_whose_metadata_changed(api, tmp_path):
    download(serve(api, ranged(PACKED, "gzip"), **{"file:size": len(PACKED)}), tmp_path)
    other = gzip.compress(PLAIN + b" ", mtime=0)
    report = download(serve(api, ranged(other, "gzip", ETag='"v2"'), **{"file:size": len(other)}), tmp_path)
    assert [one.status for one in report.outcomes] == [Status.STORED]
    assert only(tmp_path) == PLAIN + b" "


@pytest.mark.parametrize(
    ("href", "metadata", "headers"),
    [
        ("x.csv.gz", {}, {}),
        ("x", {"type": "application/gzip"}, {}),
        ("x.tgz", {"type": "application/x-tar"}, {}),
        ("x.any", {}, {"Content-Type": "application/x-gzip"}),
    ],
)
def test_a_file_that_is_compressed_by_itself_is_kept_as_it_is(api, tmp_path, href, metadata, headers):
    report = download(serve(api, ranged(PACKED, "gzip", **headers), href=href, **metadata), tmp_path)
    (outcome,) = report.outcomes
    assert outcome.checksum == sha256(PACKED)


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, br", "x-unknown"])
def test_other_encodings_fail_in_one_line_that_names_them(api, tmp_path, encoding):
    with pytest.raises(DownloadError, match=f"Content-Encoding {encoding} although identity was requested"):
        download(serve(api, ranged(PACKED, encoding)), tmp_path).raise_failures()
    assert api.paths().count("/x.geojson") == 1


def test_a_loader_reads_what_an_encoded_file_stands_for(api):
    with splashdown.Session(config=False) as session:
        results = session.open(serve(api, ranged(PACKED, "gzip")))
        assert results.load_json() == json.loads(PLAIN)
        assert bytes(results.handle(results.assets[0]).read_range(70_000, 70_010)) == PLAIN[70_000:70_010]
        assert bytes(results.handle(results.assets[0]).read_range(2, 12)) == PLAIN[2:12]


def test_a_part_of_a_large_encoded_file_is_never_decoded(api):
    import random

    noise = random.Random(3).randbytes(200_000)
    with splashdown.Session(config=False) as session:
        results = session.open(serve(api, ranged(gzip.compress(noise), "gzip"), href="x.bin"))
        handle = results.handle(results.assets[0])
        assert bytes(handle.read_range(0, 100)) == noise[:100]
        assert bytes(handle.read_range(150_000, 150_100)) == noise[150_000:150_100]
        assert bytes(results.load_bytes()) == noise


def test_a_damaged_body_is_asked_for_once_more_and_fails_then(api, tmp_path):
    broken = PACKED[:100] + b"\xff" * 20 + PACKED[120:]
    with pytest.raises(DownloadError) as raised:
        download(serve(api, ranged(broken, "gzip")), tmp_path).raise_failures()
    assert raised.value.report.failed[0].error_type == "ChecksumError"
    assert not list(tmp_path.glob("*x.*"))


def test_no_more_comes_out_of_a_bomb_than_file_size_says(api, tmp_path):
    bomb = gzip.compress(bytes(200_000_000))
    with pytest.raises(DownloadError, match="than file:size says"):
        download(serve(api, ranged(bomb, "gzip"), **{"file:size": 1000}), tmp_path).raise_failures()


def test_no_more_comes_out_of_a_bomb_than_the_target_has_free(api, tmp_path, monkeypatch):
    from splashdown.builtins.local import LocalSink

    monkeypatch.setattr(LocalSink, "free_space", lambda self: 3_000_000)
    bomb = gzip.compress(bytes(50_000_000))
    with pytest.raises(DownloadError, match="than the target has free"):
        download(serve(api, ranged(bomb, "gzip")), tmp_path).raise_failures()
    assert not list(tmp_path.rglob("*.part"))


def test_an_empty_body_with_an_encoding_is_an_empty_file(api, tmp_path):
    download(serve(api, Answer(b"", headers={"Content-Encoding": "gzip"}), href="x.bin"), tmp_path)
    assert only(tmp_path) == b""


def decoded(data, cuts, encoding="gzip"):
    one = Decoding(Asset(key="a", href="http://h/a"), encoding, len(data), verify=True)
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [data[start:stop] for start, stop in pairwise(edges)]
    return b"".join(one.chunks(iter(pieces))), one


@given(st.lists(st.binary(max_size=3000), min_size=1, max_size=4), st.lists(st.integers(0, 3000), max_size=6))
def test_whatever_members_a_body_has_and_however_it_comes_it_is_decoded(members, cuts):
    packed = b"".join(gzip.compress(one) for one in members)
    found, one = decoded(packed, cuts)
    assert found == b"".join(members)
    assert one.is_whole
    assert decoded(packed + bytes(9), cuts)[0] == found, "padding"


@given(st.binary(min_size=1, max_size=300), st.data())
def test_a_body_that_is_cut_or_damaged_is_never_taken_for_whole(content, data):
    packed = gzip.compress(content)
    short = packed[: data.draw(st.integers(1, len(packed) - 1))]
    with pytest.raises(TruncatedError):
        decoded(short, [])
    at = data.draw(st.integers(10, len(packed) - 1))
    damaged = packed[:at] + bytes([packed[at] ^ 0xFF]) + packed[at + 1 :]
    try:
        found = decoded(damaged, [])[0]
    except TransferError:
        return
    assert found == content, "only a byte that does not matter may pass"


def test_much_that_comes_out_of_little_comes_in_pieces():
    packed = gzip.compress(bytes(20_000_000))
    one = Decoding(Asset(key="a", href="http://h/a"), "gzip", len(packed), verify=True)
    sizes = [len(chunk) for chunk in one.chunks(iter([packed]))]
    assert sum(sizes) == 20_000_000
    assert max(sizes) <= 1024 * 1024
