"""Reads clips: a plugin writes one into a temporary file, from which the engine takes it like any answer."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from splashdown._derived.streams import FileStream, once
from splashdown._engine.recipes import Workshop
from splashdown._engine.remote import Remote
from splashdown._engine.remote_handle import RemoteHandle
from splashdown._engine.renew import Origin
from splashdown._foreign.calls import wrong_type
from splashdown._plugins.loaders import Loaders, choose, naming
from splashdown.clipping import Area, Clip
from splashdown.errors import LoadError, NotModifiedError, StoreError, TransferError, error_text
from splashdown.model import Asset, ReadRequest, RemoteInfo
from splashdown.protocols import Stream, Transport
from splashdown.redact import safely_shown


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ClipRecipe:
    """One asset, and the area that is wanted of it, for another process, which reads the header again."""

    href: str
    asset: Asset
    area: Area
    loader: str

    def transport(self, workshop: Workshop) -> Transport:
        """What makes the clip."""
        made = ClipTransport()
        remote, loaders = workshop.origins(), workshop.loaders
        made.add(self.href, ClipSource(asset=self.asset, area=self.area, remote=remote, loaders=loaders))
        return made


class ClipSource:
    """One asset, and the area that is wanted of it."""

    def __init__(self, *, asset: Asset, area: Area, remote: Remote, loaders: Loaders) -> None:
        self._asset, self._area, self._remote, self._loaders = asset, area, remote, loaders
        self._open: tuple[RemoteHandle, Clip] | None = None
        self._loader = ""

    def look(self) -> tuple[RemoteHandle, Clip] | None:
        """The open asset, and what a plugin would make of it; ``None`` for one beside the area.

        Both are kept for the transfer. Raises ``LoadError`` where the format cannot be clipped.
        """
        if self._open is None:
            handle = RemoteHandle(
                self._asset, replace(self._remote, settings=replace(self._remote.settings, checksum=None))
            )
            found = self._clip(handle)
            self._open = None if found is None else (handle, found)
        return self._open

    def recipe(self, href: str) -> ClipRecipe:
        """How another process makes the clip."""
        asset = self._remote.renewal.current(self._asset)
        return ClipRecipe(href=href, asset=asset, area=self._area, loader=self._loader)

    @property
    def origin(self) -> Origin:
        """The asset, and what renews its link."""
        return Origin(self._asset, self._remote.renewal)

    def forget(self) -> None:
        """Let go of what was read; the next reader begins with the header again."""
        self._open = None

    def opened(self) -> tuple[RemoteHandle, Clip]:
        """The same for the transfer. Raises ``TransferError`` where nothing of the asset is in the area."""
        found = self.look()
        if found is None:
            raise TransferError(f"{self._asset.label}: its pixels do not meet the area")
        return found

    def _clip(self, handle: RemoteHandle) -> Clip | None:
        spec = choose(handle, self._loaders)
        if spec.clip is None:
            able = ", ".join(sorted(one.name for one in self._loaders.loaders() if one.clip is not None))
            hint = f"those of {able} can" if able else "pip install splashdown-geotiff for rasters"
            raise LoadError(f"the loader {spec.name!r} cannot clip; {hint}")
        self._loader = spec.name
        with naming(spec, self._asset.label):
            found: object = spec.clip(handle, self._area)
        if found is not None and not isinstance(found, Clip):
            raise wrong_type(found, Clip | None, f"clip of the loader {spec.name!r}")
        return found


class ClipTransport:
    """Serves the clips of one result set, by their hrefs."""

    def __init__(self) -> None:
        self._sources: dict[str, ClipSource] = {}

    def add(self, href: str, source: ClipSource) -> None:
        """Serve a clip under an href."""
        self._sources[href] = source

    def of(self, href: str) -> Transport | None:
        """This transport, for one of its hrefs."""
        return self if href in self._sources else None

    def recipe(self, href: str) -> ClipRecipe | None:
        """How another process makes the clip of an href."""
        source = self._sources.get(href)
        return None if source is None else source.recipe(href)

    def origin(self, href: str) -> Origin | None:
        """The asset that the clip of an href is made of."""
        source = self._sources.get(href)
        return None if source is None else source.origin

    @contextmanager
    def stream(self, request: ReadRequest) -> Iterator[Stream]:
        """Make the clip, unless the version that is stored is made of the same file in the same way."""
        source = self._sources[request.href]
        handle, clip = once(source.opened)
        etag = _etag(handle, clip)
        if request.unless is not None and request.unless == etag:
            raise NotModifiedError(f"{handle.asset.label}: not changed since it was stored")
        with _folder(handle.asset.label) as folder:
            path = folder / f"clip{clip.extension}"
            once(lambda: clip.write(path))
            info = RemoteInfo(size=path.stat().st_size, media_type=clip.media_type, etag=etag, cost=handle.moved)
            yield FileStream(info, path)
        source.forget()

    def close(self) -> None:
        """Nothing is open between two streams."""


def _etag(handle: RemoteHandle, clip: Clip) -> str | None:
    """The version of a clip: that of the whole file, and how it is made. None where the source does not say."""
    if clip.store or handle.validator is None:
        return None
    said = repr((handle.validator, handle.size, clip.recipe))
    return f'"{hashlib.blake2b(said.encode(errors="backslashreplace"), digest_size=16).hexdigest()}"'


@contextmanager
def _folder(label: str) -> Iterator[Path]:
    try:
        folder = tempfile.TemporaryDirectory(prefix="splashdown-")
    except OSError as error:
        raise StoreError(f"{label}: cannot make a temporary file ({error_text(error)}); set TMPDIR") from error
    with folder as name:
        yield Path(name)
