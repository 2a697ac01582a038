"""Which loader is chosen, what is said when none fits, and the built-in loaders' caps."""

from __future__ import annotations

import importlib
import json

import pytest
from installs import install

from splashdown import builtins
from splashdown._plugins import loaders as _loading
from splashdown._plugins.registry import Registry
from splashdown._plugins.suggest import package_for, package_for_file
from splashdown.errors import ConflictError, LoadError, NoAssetError, NoProviderError, OptionError
from splashdown.hookspecs import hookimpl
from splashdown.specs import LoaderSpec
from splashdown.testing import MemoryHandle as Handle
from splashdown.testing import make_asset


class Plugin:
    name = "given"

    def __init__(self, *specs):
        self.specs = specs

    @hookimpl
    def splashdown_loaders(self):
        yield from self.specs


def offered(*specs, disable=builtins.NAMES):
    """The loaders of a session that has these alone."""
    return Registry(plugins=[Plugin(*specs)], discover=False, disable=disable, environ={})


BUILTINS = Registry(discover=False, environ={})


def opened(content, key="data.bin", media_type=None, **fields):
    return Handle(content, make_asset(key, media_type=media_type, **fields))


def spec(name, **fields):
    return LoaderSpec(name=name, load=lambda asset, *, factor=1: (name, factor), **fields)


TIFF = spec("tiff", media_types=("image/tiff",), extensions=(".tif",), magic=(b"II*\0", b"MM\0*"))
CSV = spec("csv", media_types=("text/csv",), extensions=(".csv",))


def test_first_bytes_may_be_as_many_as_a_format_needs():
    long = spec("long", magic=(b"a line of text that tells the format\n",))
    assert _loading.load(opened(b"a line of text that tells the format\n1, 2"), offered(long)) == ("long", 1)


@pytest.mark.parametrize(
    ("handle", "expected"),
    [
        (opened(b"", "x.csv", "image/tiff; application=geotiff; profile=cloud-optimized"), "tiff"),
        (opened(b"", "x.csv", "IMAGE/TIFF"), "tiff"),
        (opened(b"II*\0", "x.csv", "application/octet-stream"), "csv"),
        (opened(b"II*\0", "x.CSV", None), "csv"),
        (opened(b"", "x", href="https://example.test/get/a.b.tif?signature=.csv"), "tiff"),
        (opened(b"", "openEO_2023-06-01Z.tif", href="https://example.test/download/17"), "tiff"),
        (opened(b"MM\0*...", "x", None), "tiff"),
        (opened(b"II*\0...", "x.bin", "binary/octet-stream"), "tiff"),
    ],
)
def test_the_media_type_is_looked_at_first_then_the_ending_then_the_first_bytes(handle, expected):
    assert _loading.choose(handle, offered(CSV, TIFF)).name == expected


def test_the_file_is_not_read_when_its_media_type_or_ending_tells():
    handle = opened(b"II*\0", "x.tif", None)
    _loading.choose(handle, offered(CSV, TIFF))
    assert handle.reads == []


def test_a_json_subtype_that_nobody_knows_is_json():
    handle = opened(b"[1]", "x", "application/schema+json")
    assert _loading.load(handle, BUILTINS) == [1]


def test_nothing_fits_says_what_was_looked_at_and_what_to_install():
    handle = opened(b"II*\0\1\2\3\4", "x.tif", "image/tiff; application=geotiff")
    with pytest.raises(NoProviderError) as caught:
        _loading.load(handle, BUILTINS)
    text = str(caught.value)
    assert "image/tiff" in text
    assert ".tif" in text
    assert "49 49 2a 00" in text
    assert "pip install splashdown-geotiff" in text


@pytest.mark.parametrize("package", ["splashdown-geotiff", "splashdown-xarray", "splashdown-tables"])
def test_whatever_a_package_of_this_project_loads_is_known_without_it(package):
    plugin = importlib.import_module(package.replace("-", "_"))
    for offered in plugin.splashdown_loaders():
        assert package_for("loaders", offered.name) == package
        found = [package_for_file(media_type, (), b"") for media_type in offered.media_types]
        found += [package_for_file("", (ending,), b"") for ending in offered.extensions]
        found += [package_for_file("", (), magic) for magic in offered.magic]
        assert set(found) <= {package}


def test_nothing_fits_and_no_package_is_known_lists_the_loaders():
    with pytest.raises(NoProviderError, match=r"\(none\).*bytes, json, picture, text"):
        _loading.load(opened(b"\0\0\0\0", "x"), BUILTINS)


def test_two_that_fit_are_an_error_that_names_both():
    with pytest.raises(
        ConflictError, match=r"media type text/csv is offered by 'given'; pick one .*'given:csv' or 'given:other'"
    ):
        _loading.choose(opened(b"", "x.csv", "text/csv"), offered(CSV, spec("other", media_types=("text/csv",))))


def test_what_is_installed_changes_no_call_that_worked_before(tmp_path, monkeypatch):
    install(tmp_path, "json-rival", RIVAL)
    monkeypatch.syspath_prepend(str(tmp_path))
    registry = Registry(only=["json-rival"], environ={})
    for handle in (opened(b"{}", "x", "application/json"), opened(b"{}", "x.json"), opened(b"{}", "x")):
        assert _loading.load(handle, registry) == {}
    assert _loading.load(opened(b"{}", "x.rival"), registry) == "theirs"
    assert _loading.load(opened(b"{}", "x.json"), registry, "json-rival:json") == "theirs"


RIVAL = """
    from splashdown.hookspecs import hookimpl
    from splashdown.specs import LoaderSpec

    @hookimpl
    def splashdown_loaders():
        yield LoaderSpec(
            name="json", load=lambda asset: "theirs", media_types=("application/json",), extensions=(".json", ".rival"),
            magic=(b"{",),
        )
"""


def test_a_name_picks_whatever_the_media_type_says():
    assert _loading.load(opened(b"{}", "x.json", "application/json"), BUILTINS, "bytes") == b"{}"


@pytest.mark.parametrize(
    ("name", "advice"), [("jsn", "did you mean 'json'"), ("geotiff", "pip install splashdown-geotiff")]
)
def test_an_unknown_name_says_what_is_near_and_what_to_install(name, advice):
    with pytest.raises(NoProviderError, match=advice):
        _loading.load(opened(b""), BUILTINS, name)


def test_options_reach_the_loader():
    assert _loading.load(opened(b"", "x.csv"), offered(CSV), factor=3) == ("csv", 3)


def test_an_unknown_option_is_refused_before_a_byte_is_read():
    handle = opened(b"{}", "x.json")
    with pytest.raises(OptionError, match="did you mean 'max_depth'"):
        _loading.load(handle, BUILTINS, max_dept=3)
    assert handle.reads == []


def test_whatever_a_loader_raises_becomes_one_line_with_its_type():
    def broken(asset):
        raise KeyError("band")

    with pytest.raises(LoadError, match=r"'odd' cannot read x\.odd: KeyError: 'band'"):
        _loading.load(opened(b"", "x.odd"), offered(LoaderSpec(name="odd", load=broken, extensions=(".odd",))))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32-be"])
def test_json_is_read_in_every_encoding_it_may_have(encoding):
    handle = opened('{"ä": [1, null, "]["]}'.encode(encoding), "x.json")
    assert _loading.load(handle, BUILTINS, "json") == {"ä": [1, None, "]["]}


def test_json_larger_than_its_cap_is_refused():
    with pytest.raises(LoadError):
        _loading.load(opened(b"[1, 2, 3]", "x.json"), BUILTINS, max_bytes=8)


@pytest.mark.parametrize("depth", [101, 100_000])
def test_json_that_nests_too_deep_is_refused(depth):
    handle = opened(b"[" * depth + b"]" * depth, "x.json")
    with pytest.raises(LoadError, match="deeper than 100"):
        _loading.load(handle, BUILTINS)


def test_json_as_deep_as_its_cap_is_read():
    text = '{"a":' * 50 + "[" * 50 + "]" * 50 + "}" * 50
    assert _loading.load(opened(text.encode(), "x.json"), BUILTINS) == json.loads(text)


def test_many_brackets_that_do_not_nest_are_read():
    text = json.dumps([[i] for i in range(1000)]).encode()
    assert len(_loading.load(opened(text, "x.json"), BUILTINS)) == 1000


@pytest.mark.parametrize("content", [b"", b"{", b"<html>", b"\xff\xfe\xfd", b"[" + b"9" * 5000 + b"]"])
def test_what_is_not_json_says_so(content):
    with pytest.raises(LoadError, match=r"x\.json is not JSON") as error:
        _loading.load(opened(content, "x.json"), BUILTINS)
    assert "loader" not in str(error.value)


def test_text_is_decoded_and_a_wrong_encoding_named():
    assert _loading.load(opened("grüße".encode("latin-1"), "x.txt"), BUILTINS, encoding="latin-1") == "grüße"
    with pytest.raises(LoadError, match="UnicodeDecodeError"):
        _loading.load(opened(b"\xff\xfe\xfd", "x.txt"), BUILTINS)
    with pytest.raises(LoadError, match="LookupError"):
        _loading.load(opened(b"a", "x.txt"), BUILTINS, encoding="utf-99")


def test_many_become_one_object_and_other_formats_are_left_out():
    many = spec(
        "tiff",
        media_types=("image/tiff",),
        extensions=(".tif",),
        load_many=lambda assets, *, jobs=1: [*(h.asset.key for h in assets), jobs],
    )
    handles = [opened(b"", "a.tif"), opened(b"", "b.json", "application/json"), opened(b"", "c", "image/tiff")]
    assert _loading.load_many(handles, offered(many, CSV), "tiff", jobs=2) == ["a.tif", "c", 2]
    with pytest.raises(NoAssetError, match="image/tiff"):
        _loading.load_many(handles[1:2], offered(many), "tiff")
    with pytest.raises(OptionError, match="one by one"):
        _loading.load_many(handles, offered(many, CSV), "csv")
    with pytest.raises(OptionError, match="'jobs'"):
        _loading.load_many(handles, offered(many, CSV), "tiff", job=2)


def test_several_assets_are_loaded_as_one_where_one_loader_is_for_all_or_is_named():
    many = spec("tiff", media_types=("image/tiff",), extensions=(".tif",), load_many=len)
    tiffs = [make_asset("a.tif"), make_asset("b", media_type="image/tiff")]
    mixed = [*tiffs, make_asset("c.csv")]
    loaders = offered(many, CSV)
    assert _loading.loader_of_all(tiffs, loaders, None) == "tiff"
    assert _loading.loader_of_all(mixed, loaders, None) is None
    assert _loading.loader_of_all(mixed, loaders, "tiff") == "tiff"
    assert _loading.loader_of_all(mixed, loaders, "csv") is None
    assert _loading.loader_of_all(tiffs, offered(many, spec("other", extensions=(".tif",))), None) == "tiff"
    twice = spec("twin", media_types=("image/tiff",), extensions=(".tif",), load_many=lambda assets: 0)
    with pytest.raises(ConflictError, match="all of these assets"):
        _loading.loader_of_all(tiffs, offered(many, twice), None)


def test_a_login_page_in_place_of_a_file_is_named_by_any_loader():
    page = opened(b"<!DOCTYPE html><title>Sign in</title>", "x.json", media_type="application/json")
    with pytest.raises(LoadError, match="is not JSON") as error:
        _loading.load(page, BUILTINS)
    assert "; a web page (HTML) came ('<!DOCTYPE html><title>Sign in</title>') where" in str(error.value)
