"""No value shows a secret that is in one of its fields: every dataclass and named tuple of core and plugins."""

import dataclasses
import importlib
import inspect
import pkgutil
import types

import pytest

from splashdown.redact import _safe_repr

CANARY = "cAnArY0123456789"
URL = f"https://user:{CANARY}@h.example/a.tif?X-Amz-Signature={CANARY}"
PACKAGES = (
    "splashdown",
    *("splashdown_fsspec", "splashdown_geotiff", "splashdown_obstore", "splashdown_openeo"),
    *("splashdown_opentelemetry", "splashdown_planetary_computer", "splashdown_report", "splashdown_s3"),
    "splashdown_tables",
    "splashdown_xarray",
)
#: Names of fields that never hold an href, a header or an option: words of plugins, files and formats.
PLAIN = frozenset(
    {
        *(
            "name",
            "distribution",
            "version",
            "summary",
            "help",
            "type",
            "text",
            "variable",
            "metavar",
            "choices",
            "one",
        ),
        *("layout", "if_exists", "missing", "output", "encoding", "alternate", "datetime", "sep", "columns", "bands"),
        *("layer", "group", "description", "mask", "algorithm", "checksum", "validator", "etag", "tag", "extensions"),
        *("media_types", "schemes", "origins", "status", "disabled_by", "disable", "only", "provider", "scheme"),
        *("checked", "fields", "kind", "issuer", "id", "scopes", "loaders", "media_type", "region", "service", "moved"),
        *("names", "claimed", "noted", "documents", "folder", "profile", "library", "journal_number", "upload_id"),
        *(
            "client_id",
            "clients",
            "unwritten",
            "interrupted",
            "stopped",
            "offers",
            "broken",
            "warnings",
            "messages",
            "username",
        ),
    }
)


def kinds():
    """Each dataclass and named tuple with the names of the fields that could hold a secret."""
    found = {}
    for package in map(importlib.import_module, PACKAGES):
        names = [module.name for module in pkgutil.walk_packages(package.__path__, package.__name__ + ".")]
        for module in map(importlib.import_module, [package.__name__, *names]):
            for kind in vars(module).values():
                if inspect.isclass(kind) and kind.__module__ == module.__name__ and (fields := suspects(kind)):
                    found[f"{module.__name__}.{kind.__qualname__}"] = (kind, fields)
    return found


def suspects(kind):
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        hints = {name: str(kind.__annotations__[name]) for name in kind._fields}
    elif dataclasses.is_dataclass(kind):
        hints = {one.name: str(one.type) for one in dataclasses.fields(kind) if one.repr}
    else:
        return {}
    words = ("str", "Any", "object", "Mapping", "dict")
    return {
        name: hint
        for name, hint in hints.items()
        if name not in PLAIN and "Callable" not in hint and any(word in hint for word in words)
    }


def filled(hint):
    """A value of the type that holds the canary."""
    if "Mapping" in hint or "dict" in hint:
        return types.MappingProxyType({"href": URL, "token": CANARY, "deep": [{"href": URL}]})
    if "str" in hint and hint.startswith(("tuple", "list", "Sequence", "set", "frozenset")):
        return (URL,)
    return URL


def made(kind, fields):
    if issubclass(kind, tuple):
        return kind(**{name: filled(fields[name]) if name in fields else () for name in kind._fields})
    value = object.__new__(kind)
    for field in dataclasses.fields(kind):
        object.__setattr__(value, field.name, filled(fields[field.name]) if field.name in fields else ())
    return value


@pytest.mark.parametrize("name", KINDS := kinds())
def test_a_value_shows_no_secret_of_its_fields(name):
    kind, fields = KINDS[name]
    value = made(kind, fields)
    assert CANARY not in repr(value)
    assert CANARY not in str(value)


def test_the_walk_finds_the_values_that_matter():
    assert {"splashdown.model.Asset", "splashdown.events.Retried", "splashdown_s3._uri.Location"} <= KINDS.keys()
    assert len(KINDS) > 40


def test_a_value_that_is_safely_shown_has_no_repr_made_for_nothing():
    """Python compiles one for each class at every start; the decorator above it takes its place."""
    shown = [kind for kind, _ in KINDS.values() if dataclasses.is_dataclass(kind)]
    made = [kind.__qualname__ for kind in shown if kind.__dataclass_params__.repr and kind.__repr__ is _safe_repr]
    assert made == []
