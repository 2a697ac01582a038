"""What came is what was promised, or the asset fails."""

from contextlib import nullcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_api import Answer, scripted_api
from stac_item import stac_item

import splashdown
from splashdown.errors import ContentError, DownloadError
from splashdown.formats import FORMATS, check_content, unlike_promise
from splashdown.model import Asset

PAGE = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>"
TIFF = b"II*\x00 not much of a raster"
XML_ERROR = b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>'
JSON_ERROR = b'{"code": "Forbidden", "message": "no"}'


@pytest.fixture
def api():
    with scripted_api() as running:
        yield running


def download(api, folder, body, *, href="a.tif", settings=None, **metadata):
    metadata = {"type": "image/tiff; application=geotiff", **metadata}
    api.script["/item.json"] = Answer(stac_item({"a": {"href": f"./{href}", **metadata}}))
    api.script[f"/{href}"] = Answer(body, headers={"Content-Type": "text/html"})
    with splashdown.Session(config=False) as session:
        results = session.open(f"{api.url}/item.json")
        return results.download_files(folder, settings=settings)


@pytest.mark.parametrize(
    "body", [PAGE, XML_ERROR, JSON_ERROR, b"", b"\xef\xbb\xbf  <HTML lang='en'>", b"<!-- x --><html>"]
)
def test_an_answer_that_is_not_a_raster_is_not_stored_as_one(api, tmp_path, body):
    with pytest.raises(DownloadError) as raised:
        download(api, tmp_path / "out", body)
    (failed,) = raised.value.report.failed
    assert failed.error_type == "ContentError"
    assert "image/tiff" in failed.error
    assert not list(tmp_path.rglob("*.tif"))


def test_the_message_has_the_first_words_of_a_web_page(api, tmp_path):
    with pytest.raises(DownloadError) as raised:
        download(api, tmp_path, PAGE)
    assert "Sign in" in raised.value.report.failed[0].error


def test_the_bytes_count_more_than_the_type_that_a_server_says(api, tmp_path):
    download(api, tmp_path, TIFF)
    assert [path.read_bytes() for path in tmp_path.rglob("*.tif")] == [TIFF]


def test_a_checksum_that_holds_proves_any_bytes_right(api, tmp_path):
    import hashlib

    download(api, tmp_path, PAGE, **{"file:checksum": "1220" + hashlib.sha256(PAGE).hexdigest()})
    assert [path.read_bytes() for path in tmp_path.rglob("*.tif")] == [PAGE]


def test_without_verify_an_answer_is_stored_whatever_it_is(api, tmp_path):
    download(api, tmp_path, PAGE, settings=splashdown.Settings(verify=False))
    assert [path.read_bytes() for path in tmp_path.rglob("*.tif")] == [PAGE]


@pytest.mark.parametrize(
    ("media_type", "href", "head"),
    [
        ("text/html", "a", PAGE),
        ("application/json", "a.json", JSON_ERROR),
        ("application/geo+json", "a.json", b"[1]"),
        ("application/vnd.google-earth.kml+xml", "a.kml", XML_ERROR),
        ("image/svg+xml", "a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        ("text/plain", "a.txt", PAGE),
        ("application/x-unknown", "a.tif", PAGE),
        (None, "a.unknown", PAGE),
        ("text/csv", "a.csv", b""),
        ("image/tiff", "a.tif", b"\x89PNG\r\n\x1a\n and so on"),
        ("image/jpeg", "a.zip#a.jpg", b"PK\x03\x04 members"),
        ("image/tiff", "a.tif", b"short, then bytes \x00\x01\xff"),
        ("application/fits", "a.fits", b"SIMPLE  =                    T"),
        (None, "a.grib", b"GRIB and the rest"),
        ("image/x-portable-graymap", "a.pgm", b"P2 2 2 9 1 2 3 4"),
        (None, "a.tar", b"name/of/a/member.txt"),
    ],
)
def test_what_may_be_right_passes(media_type, href, head):
    check_content(Asset(key="a", href=f"https://e.example/{href}", media_type=media_type), head, len(head))


@pytest.mark.parametrize(
    ("media_type", "href", "head"),
    [
        (None, "a.tif?x=1", PAGE),
        ("application/octet-stream", "a.nc", JSON_ERROR),
        ("application/json", "a", PAGE),
        ("application/xml", "a", PAGE),
        ("text/csv", "a", PAGE),
        ("application/x-netcdf", "a", XML_ERROR),
        ("application/vnd.apache.parquet", "a", b""),
        ("image/png", "a", PAGE.decode().encode("utf-16")),
    ],
)
def test_what_is_evidently_wrong_fails(media_type, href, head):
    with pytest.raises(ContentError):
        check_content(Asset(key="a", href=f"https://e.example/{href}", media_type=media_type), head, len(head))


def test_an_error_in_place_of_a_table_or_json_is_wrong_by_the_word_of_the_server():
    csv = Asset(key="a", href="https://e.example/a", media_type="text/csv")
    json = Asset(key="a", href="https://e.example/a", media_type="application/json")
    for asset, head, said in (
        (csv, JSON_ERROR, "application/json"),
        (csv, XML_ERROR, "application/xml"),
        (json, b"Access denied", "text/plain"),
    ):
        with pytest.raises(ContentError):
            check_content(asset, head, len(head), said)
    for asset, head, said in (
        (csv, JSON_ERROR, "text/csv"),
        (csv, b"<DATE>,<OPEN>\n1,2\n", "text/plain"),
        (json, b"[true]", "text/plain"),
        (json, b"null", "text/plain"),
    ):
        check_content(asset, head, len(head), said)


@pytest.mark.parametrize(
    ("media_type", "href", "head"),
    [
        ("image/tiff", "a", b"Error: the token has expired\r\n"),
        ("image/tiff; application=geotiff; profile=cloud-optimized", "a", b"{not json"),
        (None, "a.nc", "Zugriff verweigert: Ausw\u00e4hlen".encode()),
        ("application/zip", "a", "\u00c4rger mit dem Zugang".encode() + b"\xc3"),
    ],
)
def test_plain_text_is_wrong_where_the_server_calls_it_text(media_type, href, head):
    asset = Asset(key="a", href=f"https://e.example/{href}", media_type=media_type)
    for said in (None, "image/tiff", "application/octet-stream"):
        check_content(asset, head, len(head), said)
    with pytest.raises(ContentError, match="plain text"):
        check_content(asset, head, len(head), "text/plain; charset=utf-8")


@pytest.mark.parametrize("body", [b"Access denied", b"x" * 200_000])
def test_plain_text_in_place_of_a_raster_is_not_stored(api, tmp_path, body):
    with pytest.raises(DownloadError, match="plain text"):
        download(api, tmp_path, body)


@pytest.mark.parametrize("known", [one for one in FORMATS if one.first_bytes], ids=lambda one: one.name)
def test_a_file_of_a_known_format_passes_under_its_types_and_extensions(known):
    for start in known.first_bytes:
        for media_type in (None, *known.media_types):
            for extension in known.extensions:
                asset = Asset(key="a", href=f"https://e.example/a{extension}", media_type=media_type)
                check_content(asset, start + b"printable text", 40)


#: What may come before a beginning that is evident, and what may follow one.
_AROUND = st.lists(
    st.sampled_from([b"<html>", b"{", b"[1", b" ", b"\xc2\xa0", b"\xef\xbb\xbf", b"\x1c", b"\0", b"abc"])
)


@given(
    st.binary(max_size=600) | _AROUND.map(b"".join),
    st.sampled_from(["image/tiff", "application/json", "text/csv", None]),
)
def test_whatever_comes_is_judged_or_passes(head, media_type):
    asset = Asset(key="a", href="https://e.example/a.nc", media_type=media_type)
    found = unlike_promise(media_type, asset.href, head, len(head))
    with pytest.raises(ContentError) if found else nullcontext():
        check_content(asset, head, len(head))


def test_the_beginning_that_an_earlier_run_has_stored_is_not_judged():
    check_content(Asset(key="a", href="https://e.example/a.tif", media_type="image/tiff"), b"", 10)
