"""HDF5 files can point at other files; one that came from elsewhere must not make this machine open its own."""

from __future__ import annotations

from typing import Any

from splashdown.errors import LoadError


def refuse_references(source: Any, label: str) -> None:
    """Raise ``LoadError`` for external links, external storage and virtual datasets (HDF5 specification, IV.A.2)."""
    import h5py

    def foreign_link(name: str | bytes, link: Any) -> str | None:
        return _text(name) if isinstance(link, h5py.ExternalLink) else None

    def foreign_data(name: str | bytes, found: Any) -> str | None:
        return _text(name) if isinstance(found, h5py.Dataset) and (found.external or found.is_virtual) else None

    with h5py.File(source, "r") as file:
        # A visitor must not raise: h5py holds a lock around it. What it returns ends the visit.
        if name := file.visititems_links(foreign_link):
            raise LoadError(f"{label}: {name!r} points at another file: refused")
        if name := file.visititems(foreign_data):
            raise LoadError(f"{label}: {name!r} keeps its data in another file: refused")


def _text(name: str | bytes) -> str:
    return name.decode("utf-8", "replace") if isinstance(name, bytes) else name
