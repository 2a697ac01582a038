"""Which loader is chosen, what is said when none fits, and the built-in loaders' caps."""

from __future__ import annotations

import json

import pytest
from memory_handle import MemoryHandle

from splashdown import _loading
from splashdown.builtins import loaders as builtin
from splashdown.errors import ConflictError, LoadError, NoProviderError, OptionError
from splashdown.specs import LoaderSpec

BUILTINS = tuple(builtin.splashdown_loaders())


def spec(name, **fields):
    return LoaderSpec(name=name, load=lambda asset, *, factor=1: (name, factor), **fields)


TIFF = spec("tiff", media_types=("image/tiff",), extensions=(".tif",), magic=(b"II*\0", b"MM\0*"))
CSV = spec("csv", media_types=("text/csv",), extensions=(".csv",))


@pytest.mark.parametrize(
    ("handle", "expected"),
    [
        (MemoryHandle(b"", "x.csv", "image/tiff; application=geotiff; profile=cloud-optimized"), "tiff"),
        (MemoryHandle(b"", "x.csv", "IMAGE/TIFF"), "tiff"),
        (MemoryHandle(b"II*\0", "x.csv", "application/octet-stream"), "csv"),
        (MemoryHandle(b"II*\0", "x.CSV", None), "csv"),
        (MemoryHandle(b"", "x", href="https://example.test/get/a.b.tif?signature=.csv"), "tiff"),
        (MemoryHandle(b"", "openEO_2023-06-01Z.tif", href="https://example.test/download/17"), "tiff"),
        (MemoryHandle(b"MM\0*...", "x", None), "tiff"),
        (MemoryHandle(b"II*\0...", "x.bin", "binary/octet-stream"), "tiff"),
    ],
)
def test_the_media_type_is_looked_at_first_then_the_ending_then_the_first_bytes(handle, expected):
    assert _loading.choose(handle, (CSV, TIFF)).name == expected


def test_the_file_is_not_read_when_its_media_type_or_ending_tells():
    handle = MemoryHandle(b"II*\0", "x.tif", None)
    _loading.choose(handle, (CSV, TIFF))
    assert handle.reads == []


def test_a_json_subtype_that_nobody_knows_is_json():
    handle = MemoryHandle(b"[1]", "x", "application/schema+json")
    assert _loading.load(handle, BUILTINS) == [1]


def test_nothing_fits_says_what_was_looked_at_and_what_to_install():
    handle = MemoryHandle(b"II*\0\1\2\3\4", "x.tif", "image/tiff; application=geotiff")
    with pytest.raises(NoProviderError) as caught:
        _loading.load(handle, BUILTINS)
    text = str(caught.value)
    assert "image/tiff" in text
    assert ".tif" in text
    assert "49 49 2a 00" in text
    assert "pip install splashdown-geotiff" in text


def test_nothing_fits_and_no_package_is_known_lists_the_loaders():
    with pytest.raises(NoProviderError, match=r"\(none\).*bytes, json, text"):
        _loading.load(MemoryHandle(b"\0\0\0\0", "x"), BUILTINS)


def test_two_that_fit_are_an_error_that_names_both():
    with pytest.raises(ConflictError, match="'csv', 'other'"):
        _loading.choose(MemoryHandle(b"", "x.csv", "text/csv"), (CSV, spec("other", media_types=("text/csv",))))


def test_a_name_picks_whatever_the_media_type_says():
    assert _loading.load(MemoryHandle(b"{}", "x.json", "application/json"), BUILTINS, "bytes") == b"{}"


@pytest.mark.parametrize(
    ("name", "advice"), [("jsn", "did you mean 'json'"), ("geotiff", "pip install splashdown-geotiff")]
)
def test_an_unknown_name_says_what_is_near_and_what_to_install(name, advice):
    with pytest.raises(NoProviderError, match=advice):
        _loading.load(MemoryHandle(b""), BUILTINS, name)


def test_options_reach_the_loader():
    assert _loading.load(MemoryHandle(b"", "x.csv"), (CSV,), factor=3) == ("csv", 3)


def test_an_unknown_option_is_refused_before_a_byte_is_read():
    handle = MemoryHandle(b"{}", "x.json")
    with pytest.raises(OptionError, match="did you mean 'max_depth'"):
        _loading.load(handle, BUILTINS, max_dept=3)
    assert handle.reads == []


def test_whatever_a_loader_raises_becomes_one_line_with_its_type():
    def broken(asset):
        raise KeyError("band")

    with pytest.raises(LoadError, match=r"'odd' cannot read x\.odd: KeyError: 'band'"):
        _loading.load(MemoryHandle(b"", "x.odd"), (LoaderSpec(name="odd", load=broken, extensions=(".odd",)),))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32-be"])
def test_json_is_read_in_every_encoding_it_may_have(encoding):
    handle = MemoryHandle('{"ä": [1, null, "]["]}'.encode(encoding), "x.json")
    assert _loading.load(handle, BUILTINS, "json") == {"ä": [1, None, "]["]}


def test_json_larger_than_its_cap_is_refused():
    with pytest.raises(LoadError):
        _loading.load(MemoryHandle(b"[1, 2, 3]", "x.json"), BUILTINS, max_bytes=8)


@pytest.mark.parametrize("depth", [101, 100_000])
def test_json_that_nests_too_deep_is_refused(depth):
    handle = MemoryHandle(b"[" * depth + b"]" * depth, "x.json")
    with pytest.raises(LoadError, match="deeper than 100"):
        _loading.load(handle, BUILTINS)


def test_json_as_deep_as_its_cap_is_read():
    text = '{"a":' * 50 + "[" * 50 + "]" * 50 + "}" * 50
    assert _loading.load(MemoryHandle(text.encode(), "x.json"), BUILTINS) == json.loads(text)


def test_many_brackets_that_do_not_nest_are_read():
    text = json.dumps([[i] for i in range(1000)]).encode()
    assert len(_loading.load(MemoryHandle(text, "x.json"), BUILTINS)) == 1000


@pytest.mark.parametrize("content", [b"", b"{", b"<html>", b"\xff\xfe\xfd", b"[" + b"9" * 5000 + b"]"])
def test_what_is_not_json_says_so(content):
    with pytest.raises(LoadError, match=r"x\.json is not JSON"):
        _loading.load(MemoryHandle(content, "x.json"), BUILTINS)


def test_text_is_decoded_and_a_wrong_encoding_named():
    assert _loading.load(MemoryHandle("grüße".encode("latin-1"), "x.txt"), BUILTINS, encoding="latin-1") == "grüße"
    with pytest.raises(LoadError, match="UnicodeDecodeError"):
        _loading.load(MemoryHandle(b"\xff\xfe\xfd", "x.txt"), BUILTINS)
    with pytest.raises(LoadError, match="LookupError"):
        _loading.load(MemoryHandle(b"a", "x.txt"), BUILTINS, encoding="utf-99")


def test_summaries_tell_what_a_person_asks_first():
    by_name = {s.name: s.summarise for s in BUILTINS}
    assert by_name["json"]({"type": "FeatureCollection", "features": [1, 2]}) == {
        "type": "object",
        "keys": ["type", "features"],
        "features": 2,
    }
    assert by_name["json"]([1]) == {"type": "array", "length": 1}
    assert by_name["text"]("a\nb\n") == {"characters": 4, "lines": 2}
    assert by_name["bytes"](b"abc") == {"bytes": 3}
