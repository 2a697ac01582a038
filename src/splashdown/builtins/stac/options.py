"""Options of ``splashdown.open(SOURCE, ...)`` for a STAC source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from splashdown._documents.walk import MAX_DOCUMENTS
from splashdown.builtins.filters import values
from splashdown.errors import OptionError, refuse_unknown
from splashdown.redact import safely_shown


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class StacOptions:
    """Options of the resolver ``stac``; a STAC API applies the first six, for other sources they are applied here."""

    datetime: str | None = None  #: RFC 3339 date-time or interval ``A/B``, either end may be ``..``
    bbox: Sequence[float] | str | None = None  #: west, south, east, north in degrees
    ids: Sequence[str] | str | None = None  #: ids of items
    collections: Sequence[str] | str | None = None  #: ids of collections
    #: CQL2, as text or JSON; a STAC API without the Filter extension is asked without it, and it is applied here
    filter: str | Mapping[str, Any] | None = None
    limit: int | None = None  #: most items to take, counted after all filters
    page_size: int = 200  #: items per answer of a STAC API
    method: str | None = (
        None  #: ``GET`` or ``POST`` for a STAC API; by default POST where offered, GET for a ``filter`` that is text
    )
    base: str | None = None  #: base of relative hrefs of a document in memory: a URL, or a folder or file
    alternate: str | None = None  #: use the alternate href of this name if an asset has one
    max_documents: int = MAX_DOCUMENTS  #: most documents of a static catalog to read

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> StacOptions:
        """Check names and values; raises :class:`~splashdown.errors.OptionError`."""
        known = [each.name for each in fields(cls)]
        refuse_unknown("the resolver 'stac'", given, known)
        options = {name: value for name, value in given.items() if value is not None}
        for name in ("limit", "page_size", "max_documents"):
            if name in options:
                options[name] = _count(name, options[name])
        for name in ("ids", "collections"):
            if name in options:
                options[name] = _listed(options[name])
        if "bbox" in options:
            options["bbox"] = values.box(options["bbox"])
        if "datetime" in options:
            options["datetime"] = _rfc3339(options["datetime"])
        if options.get("method") and str(options["method"]).upper() not in {"GET", "POST"}:
            raise OptionError(f"the option 'method' is GET or POST, not {options['method']!r}")
        return cls(**options)

    @property
    def searches(self) -> bool:
        """Whether any option selects items."""
        return any(v is not None for v in (self.datetime, self.bbox, self.ids, self.collections, self.filter))


def _rfc3339(value: object) -> str:
    """The interval for an API: full date-times, ``..`` for an open end."""
    start, end = values.interval(value)
    ends = [moment.isoformat().replace("+00:00", "Z") if moment else ".." for moment in (start, end)]
    return ends[0] if start == end else "/".join(ends)


def _count(name: str, value: object) -> int:
    try:
        count = int(value)  # type: ignore[call-overload]
    except (TypeError, ValueError):
        count = 0
    if count < 1:
        raise OptionError(f"the option {name!r} is a number from 1 on, not {value!r}")
    return int(count)


def _listed(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return tuple(str(part) for part in value)  # type: ignore[attr-defined]
