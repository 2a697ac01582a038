"""The options that ``splashdown load`` has for tables; what they mean is said where they are used."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from splashdown.redact import safely_shown
from splashdown.specs import LoaderOptions


def _option(help: str, metavar: str = "") -> Any:
    return field(default=None, metadata={"help": help, "metavar": metavar})


@safely_shown
@dataclass(frozen=True, kw_only=True, repr=False)
class CsvOptions(LoaderOptions):
    """How a CSV file is written."""

    sep: str | None = _option("What stands between columns.", "TEXT")
    encoding: str | None = _option("The encoding of text, e.g. latin-1.", "NAME")
    decimal: str | None = _option("What stands before decimals, e.g. a comma.", "TEXT")
    thousands: str | None = _option("What stands between thousands, e.g. a point.", "TEXT")
    comment: str | None = _option("What begins a comment, e.g. #.", "TEXT")
    skiprows: int | None = _option("Lines before the names of columns.", "N")


@dataclass(frozen=True, kw_only=True)
class ParquetOptions(LoaderOptions):
    """The options for a Parquet file."""

    columns: tuple[str, ...] | None = _option("Only these columns.", "A,B")
    bbox: tuple[float, ...] | None = _option("Only rows that touch this box, in the CRS of the table.", "W,S,E,N")


@dataclass(frozen=True, kw_only=True)
class FlatgeobufOptions(LoaderOptions):
    """The options for a FlatGeobuf file."""

    bbox: tuple[float, ...] | None = _option("Only features that touch this box, in the CRS of the file.", "W,S,E,N")


@dataclass(frozen=True, kw_only=True)
class GeopackageOptions(LoaderOptions):
    """The options for a GeoPackage."""

    layer: str | None = _option("This layer instead of the first.", "NAME")


@dataclass(frozen=True, kw_only=True)
class TimeseriesOptions(LoaderOptions):
    """What a time series does not say itself."""

    bands: tuple[str, ...] | None = _option("The names of the bands.", "B04,B08")
