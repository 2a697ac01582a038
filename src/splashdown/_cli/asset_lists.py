"""The lists of assets that other programs read: ``ls --format``."""

from __future__ import annotations

import csv
import io
import posixpath
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

import click

from splashdown._cli.render import asset_record, asset_records
from splashdown._display.json import dumps
from splashdown._display.text import printable
from splashdown.checksums import understood
from splashdown.columns import columns
from splashdown.redact import redact
from splashdown.sources import is_url

if TYPE_CHECKING:
    import datetime as dt

    from splashdown.model import Asset
    from splashdown.results import JobResults

#: A list of URLs that is given to a program line by line cannot hold these.
_LINE_ENDS = ("\n", "\r")


def urls(results: JobResults) -> Iterator[str]:
    """A href a line, as a program needs it: signed ones give access to whoever reads them."""
    yield from (asset_href for asset_href in columns(results.assets, "href") if not _breaks(asset_href))


def aria2(results: JobResults) -> Iterator[str]:
    """The input of ``aria2c -i``: each URL, and below it the name that a download gives the file."""
    for name, href in _downloads(results):
        yield href
        yield f"  out={name}"


def wget(results: JobResults) -> Iterator[str]:
    """Commands for a shell: a folder where one is needed, and a call of wget for each file."""
    made = {""}
    for name, href in _downloads(results):
        folder = posixpath.dirname(name)
        if folder not in made:
            made.add(folder)
            yield f"mkdir -p -- {shlex.quote(folder)}"
        yield f"wget -nc -O {shlex.quote(f'./{name}')} -- {shlex.quote(href)}"


def as_csv(results: JobResults) -> Iterator[str]:
    """A table with a head; the hrefs without their secrets."""
    names = ("item", "key", "href", "type", "roles", "size", "checksum", "start", "end")
    made = io.StringIO()
    write = csv.writer(made, lineterminator="").writerow
    write(names)
    for record, times in zip(asset_records(results.assets), columns(results.assets, "start", "end"), strict=True):
        yield made.getvalue()
        made.seek(0)
        made.truncate()
        record["roles"] = " ".join(record["roles"])
        write(["" if value is None else value for value in (*record.values(), *map(_moment, times))])
    yield made.getvalue()


def geojson(results: JobResults) -> Iterator[str]:
    """A FeatureCollection (RFC 7946) with a feature for each asset; the hrefs without their secrets."""
    yield '{"type": "FeatureCollection", "features": ['
    last = len(results.assets) - 1
    for number, asset in enumerate(results.assets):
        feature = {
            "type": "Feature",
            "geometry": asset.geometry,
            **({"bbox": list(asset.bbox)} if asset.bbox else {}),
            "properties": asset_record(asset) | _times(asset),
        }
        yield f"{dumps(feature, default=str)}{',' if number < last else ''}"
    yield "]}"


def metalink(results: JobResults) -> Iterator[str]:
    """A Metalink 4 document (RFC 5854), as aria2c and this program read it: sizes, hashes and all URLs."""
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield '<metalink xmlns="urn:ietf:params:xml:ns:metalink">'
    for name, asset in _planned(results):
        yield f"  <file name={quoteattr(_xml(name))}>"
        if asset.size is not None:
            yield f"    <size>{asset.size}</size>"
        if (checksum := understood(asset.checksum)) is not None and checksum.name in _METALINK_HASHES:
            yield f'    <hash type="{_METALINK_HASHES[checksum.name]}">{checksum.digest.hex()}</hash>'
        for priority, href in enumerate(_places(asset), 1):
            yield f'    <url priority="{priority}">{escape(_xml(href))}</url>'
        yield "  </file>"
    yield "</metalink>"


def _places(asset: Asset) -> Iterator[str]:
    """The URLs of a file, its alternates after its href."""
    alternates = asset.metadata.get("alternate")
    others = alternates.values() if isinstance(alternates, Mapping) else ()
    hrefs = (str(one.get("href")) for one in others if isinstance(one, Mapping))
    yield from dict.fromkeys([asset.href, *(href for href in hrefs if is_url(href) and not _breaks(href))])


def _xml(text: str) -> str:
    """Without characters that XML cannot hold."""
    return _NOT_XML.sub("_", text)


_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_METALINK_HASHES = {"sha2-512": "sha-512", "sha2-384": "sha-384", "sha2-256": "sha-256", "sha1": "sha-1", "md5": "md5"}

FORMATS: Mapping[str, Callable[[JobResults], Iterator[str]]] = {
    "urls": urls,
    "aria2": aria2,
    "wget": wget,
    "csv": as_csv,
    "geojson": geojson,
    "metalink": metalink,
}


def _downloads(results: JobResults) -> Iterator[tuple[str, str]]:
    """The name in a target and the URL of each asset that has one."""
    yield from ((name, asset.href) for name, asset in _planned(results))


def _planned(results: JobResults) -> Iterator[tuple[str, Asset]]:
    """The name in a target of each asset that has a URL; the others have a line on stderr."""
    for transfer in results.plan(".").transfers:
        href = transfer.asset.href
        if is_url(href) and not _breaks(href):
            yield transfer.name, transfer.asset
        else:
            label = printable(transfer.asset.label)
            click.echo(f"Left out: {label}: {printable(redact(href))} is not a URL of http or https", err=True)


def _breaks(href: str) -> bool:
    """Whether the href would be two lines of a list: what follows would be another one's URL, or an option."""
    return any(end in href for end in _LINE_ENDS)


def _times(asset: Asset) -> dict[str, str | None]:
    return {"start": _moment(asset.start), "end": _moment(asset.end)}


def _moment(time: dt.datetime | None) -> str | None:
    return time.isoformat() if time else None
