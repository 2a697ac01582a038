"""Templates for names: ``{item}/{datetime:%Y/%m}/{key}{ext}``. Pure; only the template itself makes folders."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from splashdown.errors import UsageError, did_you_mean
from splashdown.model import Asset
from splashdown.redact import safely_shown
from splashdown.safe_names import safe_segment, split_suffix

_FIELD = re.compile(r"\{([^{}]*)\}")


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Fields:
    """The fields of one asset for a template. ``counter`` counts from 1 in the order of the plan."""

    asset: Asset
    job_id: str
    counter: int
    filename: str
    name: str


def render(template: str, fields: Fields) -> str:
    """The template with its fields filled in; a field's value never makes a folder.

    Fields are ``job_id``, ``collection``, ``item``, ``key``, ``filename`` (the name that the href has), ``name`` (the
    name that openEO clients give), ``ext`` (with its dot), ``datetime``, ``start``, ``end`` (with a format as of
    ``strftime``), ``counter`` (with a format such as ``04d``), and any property of the item or field of the asset.
    An absent value becomes empty, an absent date ``undated``.
    """
    return _FIELD.sub(lambda found: _value(found.group(1), fields), template)


def check(template: str, assets: Sequence[Asset]) -> None:
    """Raise ``UsageError`` for a template with a field that no asset has."""
    if set(_FIELD.sub("", template)) & set("{}"):
        raise UsageError(f"the name template {template!r} has a brace without its pair")
    for field in dict.fromkeys(_FIELD.findall(template)):
        name = field.partition(":")[0]
        if name in _DATES or name in _KNOWN or not assets:
            continue
        if not any(n in source for a in assets for source in (a.properties, a.metadata) for n in (field, name)):
            raise UsageError(f"{{{field}}} is not a field of a name template{_advice(name)}")


def _value(field: str, fields: Fields) -> str:
    name, colon, spec = field.partition(":")
    sources = (fields.asset.properties, fields.asset.metadata)
    # Properties have colons in their names ("eo:cloud_cover"), and so have formats: the whole name comes first.
    for source in sources if colon else ():
        if field in source:
            return _text(source[field], "")
    if name in _DATES:
        return _date(name, spec, fields)
    if name in _KNOWN:
        return _text(_KNOWN[name](fields), spec)
    return next((_text(source[name], spec) for source in sources if name in source), "")


def _date(name: str, spec: str, fields: Fields) -> str:
    moment = fields.asset.end if name == "end" else fields.asset.start
    if moment is None:
        return "undated"
    # The format comes from the author of the template: its slashes make folders.
    return "/".join(safe_segment(part) for part in moment.strftime(spec or "%Y-%m-%dT%H%M%SZ").split("/") if part)


def _text(value: Any, spec: str) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, list | tuple):
        value = "-".join(str(v) for v in value)
    try:
        text = format(value, spec)
    except (TypeError, ValueError):
        raise UsageError(
            f"{value!r} cannot be written in the format {spec!r} that the name template asks for"
        ) from None
    return _inner(text)


def _inner(text: str) -> str:
    """Safe as a piece of a segment; a leading dot (of an extension) is kept."""
    return safe_segment("x" + text)[1:]


def _extension(fields: Fields) -> str:
    return split_suffix(fields.filename)[1]


_DATES = ("datetime", "start", "end")
_KNOWN: Mapping[str, Callable[[Fields], Any]] = {
    "job_id": lambda f: f.job_id,
    "collection": lambda f: f.asset.collection,
    "item": lambda f: f.asset.item,
    "key": lambda f: f.asset.key,
    "filename": lambda f: f.filename,
    "name": lambda f: f.name,
    "ext": _extension,
    "counter": lambda f: f.counter,
}


def _advice(name: str) -> str:
    known = [*_KNOWN, *_DATES]
    return did_you_mean(name, known) or f"; use {', '.join(known)} or an item's property"
