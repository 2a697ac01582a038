"""Which loader makes an object of an asset: by media type, then by file extension, then by the first bytes.

Owns the choice and the errors around it. It does not know what a loader does;
``_engine/remote_handle.py`` opens the asset.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import PurePosixPath
from typing import Protocol
from urllib.parse import unquote, urlsplit

from splashdown._foreign.calls import PASSES, wrong_type
from splashdown._plugins.keywords import keywords_of
from splashdown._plugins.suggest import package_for_file
from splashdown.errors import (
    ConflictError,
    LoadError,
    NoAssetError,
    NoProviderError,
    OptionError,
    SplashdownError,
    error_text,
    refuse_unknown,
)
from splashdown.formats import HEAD_BYTES, unlike_promise
from splashdown.model import Asset
from splashdown.protocols import AssetHandle
from splashdown.specs import LoaderSpec

#: So many first bytes are read at least: what is said of an unknown file shows some of them.
_HEAD = 16


class Loaders(Protocol):
    """The loaders of a session; its registry is one."""

    def loader(self, name: str) -> LoaderSpec:
        """The one of this name; raises ``NoProviderError`` or ``ConflictError``."""

    def loaders(self, *, installed: bool = True) -> Sequence[LoaderSpec]:
        """All, or only those that are built in or given."""

    def conflict(self, what: str, specs: Sequence[LoaderSpec]) -> ConflictError:
        """What to raise when several of them take the same."""

    def no_loader(self, what: str, fits: Callable[[LoaderSpec], bool], hint: str) -> NoProviderError:
        """What to raise where none ``fits``: ``what`` is missing, and which plugin is disabled, or else a hint."""

    def is_installed(self, distribution: str) -> bool:
        """Whether a plugin of this distribution is there, loaded or not."""


def load(handle: AssetHandle, loaders: Loaders, name: str | None = None, **options: object) -> object:
    """Make an object of the asset with the loader called ``name``, or with the one that fits.

    Raises ``NoProviderError`` when no loader fits, ``ConflictError`` when two do, ``OptionError`` for an option
    that the loader does not have, and ``LoadError`` when it cannot read the file.
    """
    return apply(choose(handle, loaders, name), handle, **options)


def choose(handle: AssetHandle, loaders: Loaders, name: str | None = None) -> LoaderSpec:
    """The loader that ``name`` means, or the one that fits the asset.

    Built-in and given loaders answer first: what a call gives is not to depend on what else is installed. Only the
    guess by the first bytes, for which the file has to be read, comes after the media types and extensions of all.
    """
    if name is not None:
        return loaders.loader(name)
    asset = handle.asset
    media_type, extensions = bare_type(asset.media_type), _extensions(asset)
    for installed in (False, True):
        if found := _one(loaders, installed, lambda s: _serves_type(s, media_type), f"media type {media_type}"):
            return found
        for extension in extensions:
            fits = partial(_has_extension, extension=extension)
            if found := _one(loaders, installed, fits, f"extension {extension}"):
                return found
    longest = max((len(prefix) for spec in loaders.loaders() for prefix in spec.magic), default=0)
    head = bytes(handle.read_range(0, max(_HEAD, longest)))
    for installed in (False, True):
        if found := _one(loaders, installed, lambda s: _begins(s, head), f"the first bytes {head[:8].hex(' ')}"):
            return found
    raise _nothing_fits(asset, media_type, extensions, head, loaders)


def apply(spec: LoaderSpec, handle: AssetHandle, **options: object) -> object:
    """Call a loader: options are checked before any byte is read, and what it raises becomes a ``LoadError``."""
    _check_options(spec, spec.load, options)
    try:
        with naming(spec, handle.asset.label):
            return spec.load(handle, **options)
    except LoadError as error:
        if found := _evidently_other(handle):
            error.args = (f"{error}; {found}",)
        raise


def _evidently_other(handle: AssetHandle) -> str:
    """Words for a login page or an error document in place of the file; empty where nothing says so."""
    try:
        head = handle.read_range(0, HEAD_BYTES)
    except SplashdownError:
        return ""
    return unlike_promise(handle.asset.media_type, handle.asset.href, head, len(head))


def summarise(spec: LoaderSpec, handle: AssetHandle, **options: object) -> Mapping[str, object]:
    """What the loader says of an asset; raises what :func:`apply` raises. The loader has to have a summary."""
    assert spec.summarise is not None
    _check_options(spec, spec.load, options)
    with naming(spec, handle.asset.label):
        facts: object = spec.summarise(handle, **options)
    if not isinstance(facts, Mapping):
        raise wrong_type(facts, Mapping, f"summarise of the loader {spec.name!r}")
    return facts


def load_many(handles: Sequence[AssetHandle], loaders: Loaders, name: str, **options: object) -> object:
    """Make one object of several assets; those whose type and extension are of another format are left out.

    A loader without types and extensions gets all of them. Raises ``NoAssetError`` when none is left, and otherwise
    what :func:`load` raises.
    """
    spec = loaders.loader(name)
    if spec.load_many is None:
        raise OptionError(f"loader {name!r} makes one object of one asset: load them one by one")
    _check_options(spec, spec.load_many, options)
    chooses = not (spec.media_types or spec.extensions)
    own = [handle for handle in handles if chooses or _is_for(spec, handle.asset)]
    if not own:
        raise NoAssetError(f"none of {len(handles)} assets is for the loader {name!r}: {', '.join(spec.media_types)}")
    with naming(spec, f"{len(own)} assets"):
        return spec.load_many(own, **options)


def loader_of_all(assets: Sequence[Asset], loaders: Loaders, name: str | None) -> str | None:
    """The loader that makes one object of these assets: the one called ``name``, or the one that is for all of them."""
    if name is not None:
        return name if loaders.loader(name).load_many is not None else None
    for installed in (False, True):
        several = [spec for spec in loaders.loaders(installed=installed) if spec.load_many is not None]
        found = [spec for spec in several if all(_is_for(spec, asset) for asset in assets)]
        if len(found) > 1:
            raise loaders.conflict("all of these assets", found)
        if found:
            return found[0].name
    return None


def bare_type(media_type: str | None) -> str:
    """The media type without parameters, in lower case: they carry a profile, never another format."""
    return (media_type or "").partition(";")[0].strip().lower()


@contextmanager
def naming(spec: LoaderSpec, what: str) -> Iterator[None]:
    """An exception of a loader names the loader and what it read."""
    try:
        yield
    except PASSES:
        raise
    except ImportError as error:
        raise LoadError(
            f"loader {spec.name!r} cannot read {what}: it needs a package that is not installed ({error_text(error)})"
        ) from error
    except BaseException as error:
        raise LoadError(f"loader {spec.name!r} cannot read {what}: {error_text(error)}") from error


def _is_for(spec: LoaderSpec, asset: Asset) -> bool:
    return _serves_type(spec, bare_type(asset.media_type)) or any(_has_extension(spec, e) for e in _extensions(asset))


def _serves_type(spec: LoaderSpec, media_type: str) -> bool:
    if not media_type:
        return False
    served = {bare_type(t) for t in spec.media_types}
    # RFC 6839: a "+json" type without a loader of its own is JSON.
    return media_type in served or (media_type.endswith("+json") and "application/json" in served)


def _has_extension(spec: LoaderSpec, extension: str) -> bool:
    return extension in map(str.lower, spec.extensions)


def _extensions(asset: Asset) -> tuple[str, ...]:
    """Extensions of the href's file name, longest first, then those of the key: openEO's keys are file names."""
    names = (PurePosixPath(unquote(urlsplit(asset.href).path)), PurePosixPath(asset.key))
    found: dict[str, None] = {}
    for name in names:
        suffixes = name.suffixes[-2:]
        for start in range(len(suffixes)):
            found["".join(suffixes[start:]).lower()] = None
    return tuple(found)


def _begins(spec: LoaderSpec, head: bytes) -> bool:
    return bool(spec.magic) and head.startswith(tuple(spec.magic))


def _one(loaders: Loaders, installed: bool, fits: Callable[[LoaderSpec], bool], why: str) -> LoaderSpec | None:
    found = [spec for spec in loaders.loaders(installed=installed) if fits(spec)]
    if len(found) > 1:
        raise loaders.conflict(why, found)
    return found[0] if found else None


def _nothing_fits(
    asset: Asset, media_type: str, extensions: Sequence[str], head: bytes, loaders: Loaders
) -> NoProviderError:
    named = f"media type {media_type or '(none)'}, extension {', '.join(extensions) or '(none)'}"
    what = f"no installed loader takes {asset.label} ({named}, first bytes {head[:8].hex(' ')})"
    package = package_for_file(media_type, extensions, head)
    known = ", ".join(sorted(spec.name for spec in loaders.loaders()))
    hint = f": name one of {known}, for example load('bytes')" if known else ""
    if package and not loaders.is_installed(package):
        hint = f": pip install {package}"
    return loaders.no_loader(what, lambda spec: _is_for(spec, asset) or _begins(spec, head), hint)


def _check_options(spec: LoaderSpec, load: Callable[..., object], options: Iterable[str]) -> None:
    known = keywords_of(load)
    if known is not None:
        refuse_unknown(f"the loader {spec.name!r}", options, known)
