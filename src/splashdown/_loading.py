"""Which loader makes an object of an asset: by media type, then by file ending, then by the first bytes.

Owns the choice and the errors around it. What a loader does is its own business; opening the asset is
``_engine/reader.py``'s.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import PurePosixPath
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from splashdown.errors import (
    ConflictError,
    LoadError,
    NoAssetError,
    NoProviderError,
    OptionError,
    SplashdownError,
    describe,
)
from splashdown.model import Asset
from splashdown.protocols import AssetHandle
from splashdown.specs import LoaderSpec

#: As many first bytes as any format here needs to be told apart.
_HEAD = 16


class _Package(NamedTuple):
    """What a separate distribution would load; used only to say what to install."""

    name: str
    loaders: Sequence[str]
    media_types: Sequence[str]
    endings: Sequence[str]
    magic: Sequence[bytes] = ()


_PACKAGES = (
    _Package(
        "splashdown-geotiff",
        ("geotiff", "numpy", "geotiff-handle", "png"),
        ("image/tiff", "image/vnd.stac.geotiff", "image/png"),
        (".tif", ".tiff", ".geotiff", ".png"),
        (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"\x89PNG\r\n\x1a\n"),
    ),
    _Package(
        "splashdown-xarray",
        ("netcdf", "zarr"),
        ("application/netcdf", "application/x-netcdf", "application/x-hdf5", "application/vnd+zarr"),
        (".nc", ".nc4", ".h5", ".zarr"),
        (b"CDF\x01", b"CDF\x02", b"CDF\x05", b"\x89HDF\r\n\x1a\n"),
    ),
    _Package(
        "splashdown-tables",
        ("csv", "parquet", "geopackage", "geojson", "timeseries"),
        ("text/csv", "application/vnd.apache.parquet", "application/geopackage+sqlite3"),
        (".csv", ".parquet", ".geoparquet", ".gpkg"),
        (b"PAR1", b"SQLite format 3\0"),
    ),
)


def load(handle: AssetHandle, loaders: Sequence[LoaderSpec], name: str | None = None, **options: object) -> object:
    """Make an object of the asset with the loader called ``name``, or with the one that fits.

    Raises ``NoProviderError`` when no loader fits, ``ConflictError`` when two do, ``OptionError`` for an option
    that the loader does not have, and ``LoadError`` when it cannot read the file.
    """
    return apply(choose(handle, loaders, name), handle, **options)


def choose(handle: AssetHandle, loaders: Sequence[LoaderSpec], name: str | None = None) -> LoaderSpec:
    """The loader that ``name`` means, or the one that fits the asset."""
    if name is not None:
        return _by_name(name, loaders)
    asset = handle.asset
    media_type = bare_type(asset.media_type)
    endings = _endings(asset)
    if found := _one(loaders, lambda s: _serves_type(s, media_type), f"media type {media_type}"):
        return found
    for ending in endings:
        if found := _one(loaders, partial(_has_ending, ending=ending), f"ending {ending}"):
            return found
    head = bytes(handle.read_range(0, _HEAD))
    if found := _one(loaders, lambda s: head.startswith(tuple(s.magic)) if s.magic else False, "first bytes"):
        return found
    raise NoProviderError(_nothing_fits(asset, media_type, endings, head, loaders))


def apply(spec: LoaderSpec, handle: AssetHandle, **options: object) -> object:
    """Call a loader: options are checked before any byte is read, and what it raises becomes a ``LoadError``."""
    _check_options(spec, spec.load, options)
    with _named(spec, handle.asset.label):
        return spec.load(handle, **options)


def load_many(handles: Sequence[AssetHandle], loaders: Sequence[LoaderSpec], name: str, **options: object) -> object:
    """Make one object of several assets; those whose type and ending are of another format are left out.

    Raises ``NoAssetError`` when none is left, and otherwise what :func:`load` raises.
    """
    spec = _by_name(name, loaders)
    if spec.load_many is None:
        raise OptionError(f"loader {name!r} makes one object of one asset: load them one by one")
    _check_options(spec, spec.load_many, options)
    own = [handle for handle in handles if _is_for(spec, handle.asset)]
    if not own:
        raise NoAssetError(f"none of {len(handles)} assets is for the loader {name!r}: {', '.join(spec.media_types)}")
    with _named(spec, f"{len(own)} assets"):
        return spec.load_many(own, **options)


def bare_type(media_type: str | None) -> str:
    """The media type without parameters, in lower case: they carry a profile, never another format."""
    return (media_type or "").partition(";")[0].strip().lower()


@contextmanager
def _named(spec: LoaderSpec, what: str) -> Iterator[None]:
    """Whatever a loader raises tells which one it was and what it read."""
    try:
        yield
    except SplashdownError:
        raise
    except ImportError as error:
        raise LoadError(
            f"loader {spec.name!r} cannot read {what}: it needs a package that is not installed ({describe(error)})"
        ) from error
    except Exception as error:
        raise LoadError(f"loader {spec.name!r} cannot read {what}: {describe(error)}") from error


def _is_for(spec: LoaderSpec, asset: Asset) -> bool:
    return _serves_type(spec, bare_type(asset.media_type)) or any(_has_ending(spec, e) for e in _endings(asset))


def _serves_type(spec: LoaderSpec, media_type: str) -> bool:
    if not media_type:
        return False
    served = {bare_type(t) for t in spec.media_types}
    # RFC 6839: a "+json" type that nobody knows better is JSON.
    return media_type in served or (media_type.endswith("+json") and "application/json" in served)


def _has_ending(spec: LoaderSpec, ending: str) -> bool:
    return ending in map(str.lower, spec.extensions)


def _endings(asset: Asset) -> tuple[str, ...]:
    """Endings of the href's file name, longest first, then those of the key: openEO's keys are file names."""
    names = (PurePosixPath(unquote(urlsplit(asset.href).path)), PurePosixPath(asset.key))
    found: dict[str, None] = {}
    for name in names:
        suffixes = name.suffixes[-2:]
        for start in range(len(suffixes)):
            found["".join(suffixes[start:]).lower()] = None
    return tuple(found)


def _one(loaders: Sequence[LoaderSpec], fits: Callable[[LoaderSpec], bool], why: str) -> LoaderSpec | None:
    found = [spec for spec in loaders if fits(spec)]
    if len(found) > 1:
        names = ", ".join(repr(spec.name) for spec in found)
        raise ConflictError(f"loaders {names} all take {why}: name one, for example load({found[0].name!r})")
    return found[0] if found else None


def _by_name(name: str, loaders: Sequence[LoaderSpec]) -> LoaderSpec:
    for spec in loaders:
        if spec.name == name:
            return spec
    known = sorted(spec.name for spec in loaders)
    advice = [f"installed are: {', '.join(known) or 'none'}"]
    if close := difflib.get_close_matches(name, known, n=1):
        advice.append(f"did you mean {close[0]!r}?")
    advice += [f"pip install {p.name}" for p in _PACKAGES if name in p.loaders]
    raise NoProviderError(f"there is no loader {name!r}; {'; '.join(advice)}")


def _nothing_fits(
    asset: Asset, media_type: str, endings: Sequence[str], head: bytes, loaders: Iterable[LoaderSpec]
) -> str:
    looked = (
        f"media type {media_type or '(none)'}, ending {', '.join(endings) or '(none)'}, first bytes {head[:8].hex(' ')}"
    )
    for package in _PACKAGES:
        if (
            media_type in package.media_types
            or set(endings) & set(package.endings)
            or (package.magic and head.startswith(tuple(package.magic)))
        ):
            return f"no installed loader takes {asset.label} ({looked}): pip install {package.name}"
    known = ", ".join(sorted(spec.name for spec in loaders))
    return f"no loader takes {asset.label} ({looked}): name one of {known}, for example load('bytes')"


def _check_options(spec: LoaderSpec, load: Callable[..., object], options: Iterable[str]) -> None:
    parameters = inspect.signature(load).parameters.values()
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return
    known = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]
    for option in options:
        if option not in known:
            close = difflib.get_close_matches(option, known, n=1)
            advice = f"did you mean {close[0]!r}?" if close else f"it has: {', '.join(known) or 'none'}"
            raise OptionError(f"loader {spec.name!r} has no option {option!r}; {advice}")
