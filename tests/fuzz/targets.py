"""The parsers of what comes from outside; each target takes bytes, and only errors of this project may leave it."""

from __future__ import annotations

import contextlib
import io
import json
import os
import struct
import tempfile
import warnings
from pathlib import Path

from splashdown_geotiff import open_geotiff
from splashdown_geotiff._summary import summarise
from wrong_types import API, ERROR, GOOD, RESULTS, SENT, nodes, own_errors_alone, use, with_value
from wrong_types import STAC as STAC_DOCUMENTS

from splashdown import Session, connect
from splashdown._connections import waits
from splashdown._documents import places
from splashdown._documents.client import Client, Fetched
from splashdown._documents.expiry import href_expires, parse_datetime
from splashdown._documents.streaming import documents
from splashdown._engine import records
from splashdown._receipts import fragments
from splashdown._receipts.reading import read_receipts
from splashdown.builtins.http import headers as http_headers
from splashdown.builtins.openeo import jobs
from splashdown.builtins.openeo.urls import parse_job_url
from splashdown.errors import SplashdownError
from splashdown.redact import redact, redact_target, redact_text, secrets_of
from splashdown.safe_names import is_safe_path, leads_below, safe_path, safe_segment
from splashdown.sources import at_home, is_job_url, matches_origin, origin_of, scheme_of
from splashdown.testing import MemoryHandle, MemorySink, make_asset

STAC = tuple(STAC_DOCUMENTS.values())
OPENEO = (ERROR, *(document for url, document in GOOD.items() if document not in STAC))
NODES = {id(document): list(nodes(document)) for document in (*STAC, *OPENEO)}
HEADERS = (
    *("content-range", "content-length", "retry-after", "etag", "last-modified", "content-type", "digest"),
    *("repr-digest", "x-goog-hash", "content-md5", "ratelimit", "ratelimit-reset", "x-ratelimit-reset"),
    *("ratelimit-remaining", "x-amz-version-id", "x-amz-meta-splashdown-multihash"),
)
os.chdir(tempfile.mkdtemp(prefix="splashdown-fuzz-"))  # a document in memory may name files of the working folder
warnings.simplefilter("ignore")
_session = Session(discover=False, config=False)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass" if data[:1] < b"\x80" else "replace") if _decodes(data) else repr(data)


def _decodes(data: bytes) -> bool:
    try:
        data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True


def _json(data: bytes) -> object:
    with contextlib.suppress(ValueError, RecursionError):
        return json.loads(data)
    return _text(data)


def _document(data: bytes, valid):
    """A valid document with one value in the place of one node; the first three bytes choose both."""
    if len(data) < 3:
        return None
    document = valid[data[0] % len(valid)]
    paths = NODES[id(document)]
    return with_value(document, paths[int.from_bytes(data[1:3], "big") % len(paths)], _json(data[3:]))


def hrefs(data: bytes) -> None:
    """Hrefs, names and what is shown of them."""
    text = _text(data)
    assert is_safe_path(safe_path(text))
    assert "/" not in safe_segment(text)
    base, _, href = text.partition("\n")
    with contextlib.suppress(SplashdownError):
        base = places.place_of(base)
    for call in (
        redact,
        redact_target,
        redact_text,
        secrets_of,
        scheme_of,
        at_home,
        is_job_url,
        href_expires,
        leads_below,
    ):
        call(text)
    parse_datetime(text)
    matches_origin(text, "https://*.example")
    for place in ("https://host.example/a/item.json", "s3://bucket/a/item.json", "file:///a/item.json", "", base):
        with own_errors_alone():
            places.resolve_href(place, href or text)
            places.why_refused(place, href or text)
            places.may_link(place, href or text)
    for call in (places.place_of, parse_job_url):
        with own_errors_alone():
            call(text)
    with contextlib.suppress(ValueError):
        origin_of(text)


def headers(data: bytes) -> None:
    """Headers of an answer."""
    text = data.decode("latin-1")
    name = HEADERS[data[0] % len(HEADERS)] if data else "etag"
    given = {"ratelimit-remaining": "0", "x-ratelimit-remaining": "0", name: text[1:]}
    http_headers.content_range(text)
    http_headers.unsatisfied_size(text)
    waits.number(text)
    assert (waits.retry_after(given) or 0.0) >= 0.0
    http_headers.remote_info(given, size=None, ranges=True, whole=True)


def stac(data: bytes) -> None:
    """STAC documents: as bytes, and valid ones with one value changed."""
    with own_errors_alone():
        list(documents(io.BytesIO(data), "data"))
    document = _document(data, STAC)
    Client._fetch = lambda self, url, headers, question, method="": Fetched(url, 404, b"{}", SENT)  # type: ignore[method-assign]
    with own_errors_alone():
        use(_session.open(document, resolver="stac"))


def openeo(data: bytes) -> None:
    """What an openEO back-end and its providers answer."""
    document = _document(data, OPENEO)
    answer = data[3:] if document is None else json.dumps(document).encode()
    status = 200 if not data or data[0] % len(OPENEO) else (400, 401, 404, 424)[data[-1] % 4]  # the first is an error
    good = {"api_version": "1.2.0", "status": "finished", **RESULTS}

    def fetch(self, url, headers, question, method=""):
        if data and url.count("/") % 3 == data[-1] % 3:
            return Fetched(url, 200, json.dumps(good).encode(), SENT)
        return Fetched(url, status, answer, SENT)

    Client._fetch = fetch  # type: ignore[method-assign]
    jobs.time.sleep = lambda seconds: None
    for auth in (None, ("user", "password")):
        with own_errors_alone():
            backend = connect("https://host.example", auth=auth, session=_session)
            repr(backend)
            for job in backend.jobs(limit=3):
                repr(job)
                str(job.known_status)
            backend.job("j").logs()
            backend.job("j").status()
        with own_errors_alone():
            use(_session.open(f"{API}/jobs/j", auth=auth))


def records_of_runs(data: bytes) -> None:
    """Journals, fragments and receipts in a target that others may write to."""
    records.replay(records.lines_of(io.BytesIO(data)))
    fragment = fragments.Fragment()
    fragment.add(fragments.lines_of(io.BytesIO(data)))
    fragments.unite(fragment.stored)
    changed = _document(data, STAC)
    for content in (data, b"" if changed is None else json.dumps(changed).encode()):
        sink = MemorySink(dict.fromkeys(("collection.json", "item.json", "catalog.json", "a/item.json"), content))
        with own_errors_alone():
            read_receipts(sink)


def tiff(data: bytes) -> None:
    """Headers, tags and tiles of GeoTIFFs, by the reader in Python."""
    handle = MemoryHandle(data, make_asset("a.tif"))
    for read in (summarise, lambda h: open_geotiff(h, engine="native").read(window=(0, 0, 8, 8))):
        with contextlib.suppress(SplashdownError):
            read(handle)


TARGETS = {
    "hrefs": hrefs,
    "headers": headers,
    "stac": stac,
    "openeo": openeo,
    "records": records_of_runs,
    "tiff": tiff,
}


def seeds(name: str) -> list[bytes]:
    """Inputs to begin with."""
    if name == "hrefs":
        return [
            b"https://user:pw@host.example:443/a/b.tif?sig=x#f",
            b"../a b%20c/\xc3\xa9.tif",
            b"s3://bucket/key",
            b"~\0/item.json",
            b"http://[::1]:80/",
        ]
    if name == "headers":
        return [
            b"\x00bytes 0-9/10",
            b"\x02Wed, 21 Oct 2026 07:28:00 GMT",
            b"\x0alimit=10, r=0;t=5",
            b"\x06sha-256=AAAA",
        ]
    if name == "tiff":
        from handmade_tiff import handmade_tiff
        from mutated_tiffs import good_files

        files = good_files(Path(tempfile.mkdtemp()))
        return [handmade_tiff(), *(content for content in files.values() if len(content) < 20_000)]
    if name == "records":
        lines = [fragments.alive_line(5.0), fragments.unstored_line("a"), records.ended("1")]
        return [b"".join(lines), *(json.dumps(document).encode() for document in STAC)]
    valid = STAC if name == "stac" else OPENEO
    values = [
        b"null",
        b"[]",
        b'{"a":[1]}',
        b"-1e999",
        b"12345678901234567890123",
        b'"\\ud800"',
        b'"http://["',
        b"[[[5]]]",
    ]
    chosen = [
        struct.pack(">BH", n, at) + values[(n + at) % len(values)] for n in range(len(valid)) for at in range(0, 60, 3)
    ]
    return [*chosen, *(json.dumps(document).encode() for document in valid)]
