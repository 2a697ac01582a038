"""The loaders that need nothing but Python: ``json``, ``text``, ``picture`` and ``bytes``.

Each reads the whole file and therefore has a cap on its size. Which one is meant for an asset is decided by
``_plugins/loaders.py``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from splashdown.errors import LoadError, error_text
from splashdown.formats import HEAD_BYTES, PNG, format_of
from splashdown.hookspecs import hookimpl
from splashdown.picture import Picture
from splashdown.protocols import AssetHandle
from splashdown.specs import LoaderOptions, LoaderSpec

#: A document of this size already takes several times as much memory once parsed.
JSON_BYTES = 256 * 1024**2
JSON_DEPTH = 100
TEXT_BYTES = 256 * 1024**2
BYTES_BYTES = 4 * 1024**3
PICTURE_BYTES = 256 * 1024**2


@dataclass(frozen=True, kw_only=True)
class _JsonOptions(LoaderOptions):
    max_depth: int | None = field(default=None, metadata={"help": "How deep JSON may nest.", "metavar": "N"})


@dataclass(frozen=True, kw_only=True)
class _TextOptions(LoaderOptions):
    encoding: str | None = field(
        default=None, metadata={"help": "The encoding of text, e.g. latin-1.", "metavar": "NAME"}
    )


def load_json(asset: AssetHandle, *, max_bytes: int = JSON_BYTES, max_depth: int = JSON_DEPTH) -> Any:
    """Parse a JSON document (RFC 8259; UTF-8, UTF-16 or UTF-32).

    ``max_bytes`` caps the file, ``max_depth`` how deep arrays and objects may nest. Raises ``LoadError`` for
    anything else and for what is not JSON.
    """
    content = asset.bytes(max_bytes)
    try:
        document = json.loads(content)
    except RecursionError:
        raise LoadError(_too_deep(asset, max_depth)) from None
    except ValueError as error:
        found = format_of(content[:HEAD_BYTES])
        if found is None:
            raise LoadError(f"{asset.asset.label} is not JSON ({error_text(error)})") from error
        raise LoadError(
            f"{asset.asset.label} is a {found.name} file, not JSON: load() without the name of a loader chooses the one"
            " for its format"
        ) from error
    # Counting brackets costs next to nothing and settles it for most documents.
    if content.count(b"[") + content.count(b"{") > max_depth and _deeper(document, max_depth):
        raise LoadError(_too_deep(asset, max_depth))
    return document


def load_text(
    asset: AssetHandle, *, encoding: str = "utf-8-sig", errors: str = "strict", max_bytes: int = TEXT_BYTES
) -> str:
    """Decode a text file of at most ``max_bytes``. Raises ``LoadError`` when it is not in ``encoding``."""
    try:
        return asset.bytes(max_bytes).decode(encoding, errors)
    except (UnicodeDecodeError, LookupError) as error:
        raise LoadError(
            f"{asset.asset.label} is not {encoding} text ({error_text(error)}): pass encoding=, or use load('bytes')"
        ) from error


def load_bytes(asset: AssetHandle, *, max_bytes: int = BYTES_BYTES) -> bytes:
    """The file as it is; ``LoadError`` when it is larger than ``max_bytes``."""
    return asset.bytes(max_bytes)


def load_picture(asset: AssetHandle, *, max_bytes: int = PICTURE_BYTES) -> Picture:
    """A PNG or JPEG file as a picture that notebooks show; its pixels are not decoded.

    Raises ``LoadError`` for what is neither, or is larger than ``max_bytes``.
    """
    try:
        return Picture.of(asset.bytes(max_bytes))
    except ValueError as error:
        raise LoadError(f"{asset.asset.label} is not a picture: {error}") from None


def summarise_picture(asset: AssetHandle, **options: Any) -> Mapping[str, object]:
    """Format and size of a picture."""
    picture = load_picture(asset, **options)
    size = f"{picture.width} x {picture.height} pixels"
    return {"type": picture.media_type, "size": size, "bytes": len(picture.data)}


@hookimpl
def splashdown_loaders() -> Iterable[LoaderSpec]:
    """``json``, ``text``, ``picture``, and ``bytes``, which is only found by its name."""
    yield LoaderSpec(
        name="json",
        load=load_json,
        media_types=("application/json", "application/geo+json"),
        extensions=(".json", ".geojson"),
        magic=(b"{", b"["),
        options=_JsonOptions,
        summary="a JSON document as dict and list",
    )
    yield LoaderSpec(
        name="text",
        load=load_text,
        media_types=("text/plain", "text/markdown"),
        extensions=(".txt", ".md", ".log"),
        options=_TextOptions,
        summary="a text file as str",
    )
    yield LoaderSpec(
        name="picture",
        load=load_picture,
        media_types=("image/png", "image/jpeg"),
        extensions=(".png", ".jpg", ".jpeg"),
        magic=(*PNG.first_bytes, b"\xff\xd8\xff"),
        summarise=summarise_picture,
        options=LoaderOptions,
        summary="a PNG or JPEG file as a picture that a notebook shows",
    )
    yield LoaderSpec(
        name="bytes",
        load=load_bytes,
        options=LoaderOptions,
        summary="any file as bytes",
    )


def _deeper(document: object, limit: int) -> bool:
    """Whether arrays and objects nest deeper than ``limit``; by levels, since a recursion could be made to overflow."""
    level = [document] if isinstance(document, dict | list) else []
    for _ in range(limit):
        children = (value for node in level for value in (node.values() if isinstance(node, dict) else node))
        level = [child for child in children if isinstance(child, dict | list)]
        if not level:
            return False
    return True


def _too_deep(asset: AssetHandle, limit: int) -> str:
    return f"{asset.asset.label} nests deeper than {limit} levels: raise max_depth if you trust it"
