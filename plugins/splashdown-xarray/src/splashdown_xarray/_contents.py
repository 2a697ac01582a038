"""Groups and variables of an HDF5 file, found before xarray opens it.

HDF5 files can point at other files; one that came from elsewhere must not make this machine open its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from splashdown.errors import LoadError, did_you_mean
from splashdown.redact import safely_shown

#: Groups that an error names.
_NAMED = 12


@safely_shown
@dataclass(slots=True, kw_only=True, repr=False)
class Contents:
    """Groups by their paths (the root is ``""``) with the names of their variables, in the order of the file."""

    groups: dict[str, list[str]] = field(default_factory=lambda: {"": []})
    #: Variables that xarray cannot hold, by group: lists of different lengths, and datasets without a value.
    unheld: dict[str, list[str]] = field(default_factory=dict)

    #: Bytes and path of the largest coordinate of a dimension, which xarray reads when it opens a file.
    longest: tuple[int, str] = (0, "")

    @property
    def with_variables(self) -> list[str]:
        """The paths below the root that a person may want."""
        return [path for path, names in self.groups.items() if path and names]


def no_such_group(label: str, group: str, groups: list[str]) -> LoadError:
    """The error for a group that is not there; it names those that are."""
    known = [path for path in groups if path]
    hint = did_you_mean(group, known) or f"; {named(known) if known else 'it has none'}"
    return LoadError(f"{label} has no group {group!r}{hint}")


def empty_root(label: str, groups: list[str], tree: str) -> LoadError:
    """The error for a file whose variables are all in groups."""
    return LoadError(
        f"{label} has variables in groups only; {named(groups)}: choose one with group=, or load all as a"
        f" DataTree with the loader {tree!r}"
    )


def named(groups: list[str]) -> str:
    """``its groups are a, b``, cut where there are very many."""
    more = f" and {len(groups) - _NAMED} more" if len(groups) > _NAMED else ""
    return f"its groups are {', '.join(groups[:_NAMED])}{more}"


def read_contents(source: Any, label: str) -> Contents:
    """Walk through the file once.

    Raises ``LoadError`` for external links, external storage and virtual datasets (HDF5 specification, IV.A.2).
    """
    import h5py

    found = Contents()

    def foreign_link(name: str | bytes, link: Any) -> str | None:
        return _text(name) if isinstance(link, h5py.ExternalLink) else None

    def note(name: str | bytes, item: Any) -> str | None:
        path = _text(name)
        if isinstance(item, h5py.Group):
            found.groups.setdefault(path, [])
        elif isinstance(item, h5py.Dataset):
            if item.external or item.is_virtual:
                return path
            _note_variable(found, path, item)
        return None

    with h5py.File(source, "r") as file:
        # A visitor must not raise: h5py holds a lock around it. What it returns ends the visit.
        if name := file.visititems_links(foreign_link):
            raise LoadError(f"{label}: {name!r} points at another file: refused")
        if name := file.visititems(note):
            raise LoadError(f"{label}: {name!r} keeps its data in another file: refused")
    return found


def _note_variable(found: Contents, path: str, item: Any) -> None:
    import h5py

    group, _, name = path.rpartition("/")
    if item.shape is not None and item.ndim == 1 and item.is_scale:
        found.longest = max(found.longest, (item.size * item.dtype.itemsize, path))
    lists = h5py.check_vlen_dtype(item.dtype) not in {None, str, bytes}
    if lists or item.shape is None:
        found.unheld.setdefault(group, []).append(name)
    elif not bytes(item.attrs.get("NAME", b"")).startswith(b"This is a netCDF dimension but not"):
        found.groups.setdefault(group, []).append(name)


def _text(name: str | bytes) -> str:
    return name.decode("utf-8", "replace") if isinstance(name, bytes) else name
