"""What Shift-Tab shows of the methods that people call."""

from __future__ import annotations

import inspect
from dataclasses import fields

import pytest

import splashdown
from splashdown._plugins import keyword_types as kinds
from splashdown.builtins.collection import CollectionOptions
from splashdown.builtins.download import DownloadOptions, FileOptions
from splashdown.builtins.openeo.resolve import JobOptions
from splashdown.builtins.stac.options import StacOptions
from splashdown.hookspecs import hookimpl
from splashdown.results import JobResults
from splashdown.specs import FilterSpec, LoaderSpec


class Plugin:
    @hookimpl
    def splashdown_filters(self):
        yield FilterSpec(name="cloudless", create=lambda _value: list, summary="scenes without clouds")

    @hookimpl
    def splashdown_loaders(self):
        def load(asset, *, sharpness: int = 3):
            return sharpness

        yield LoaderSpec(name="sharp", load=load, summary="a sharper image")


class Broken:
    @hookimpl
    def splashdown_loaders(self):
        def load(asset, **options: Unpack[Missing]):  # noqa: F821 - the mistake
            return options

        yield LoaderSpec(name="broken", load=load)


@pytest.fixture
def document():
    return {"type": "Catalog", "stac_version": "1.0.0", "id": "c", "description": "", "links": []}


def parameters(function):
    return inspect.signature(function).parameters


@pytest.mark.parametrize(
    ("keywords", "options"),
    [
        (kinds.DownloadKeywords, [DownloadOptions]),
        (kinds.FileKeywords, [FileOptions]),
        (kinds.CollectionKeywords, [CollectionOptions]),
        (kinds.SyncKeywords, [DownloadOptions, CollectionOptions]),
        (kinds.OpenKeywords, [JobOptions, StacOptions]),
    ],
)
def test_the_keywords_are_the_fields_of_the_options(keywords, options):
    assert {*keywords.__annotations__} == {field.name for kind in options for field in fields(kind)}


@pytest.mark.parametrize("verb", ["download_files", "download_file", "download_collection", "sync"])
def test_a_download_shows_each_of_its_options(verb):
    shown = parameters(getattr(JobResults, verb))
    assert {"target", "progress", "if_exists", "sink_options"} <= {*shown}
    assert "options" not in shown
    assert repr(shown["if_exists"].default) == "..."


def test_open_shows_the_options_of_the_built_in_resolvers():
    for function in (splashdown.open, splashdown.Session.open):
        assert {"source", "auth", "resolver", "wait", "bbox", "options"} <= {*parameters(function)}


def test_select_shows_the_filters_of_plugins_too(document):
    select = splashdown.Session(plugins=[Plugin()], discover=False).open(document).select
    assert {"bbox", "cloudless", "filters"} <= {*parameters(select)}
    assert "    cloudless: scenes without clouds" in inspect.getdoc(select).splitlines()
    assert len(select(bbox=None)) == 0


def test_load_shows_the_options_of_every_loader(document):
    load = splashdown.Session(plugins=[Plugin()], discover=False).open(document).load
    assert {"key", "loader", "max_bytes", "sharpness"} <= {*parameters(load)}
    assert "    sharp: a sharper image (sharpness)" in inspect.getdoc(load).splitlines()


def test_a_broken_plugin_breaks_no_signature(document):
    load = splashdown.Session(plugins=[Broken()], discover=False).open(document).load
    assert [*parameters(load)] == ["key", "loader", "options"]
    assert inspect.getdoc(load).startswith("One asset as a Python object")
