"""The names that a target keeps for itself: no asset of any source is ever stored under one of them."""

from __future__ import annotations

from collections.abc import Mapping

from splashdown.safe_names import fold, numbered

#: The name of the receipt of each kind of source; openEO users know the first name.
NAMES: Mapping[str, str] = {
    "job": "job-results.json",
    "item": "item.json",
    "collection": "collection.json",
    "catalog": "catalog.json",
    "items": "items.json",
}
#: The name of the receipt of any other kind of source.
OTHER = "results.json"

#: What else may be written beside a receipt: it says the same in another form.
COMPANIONS = ("items.parquet",)

#: The checksums of everything in a target, and what may be signatures of them.
SUMS = "SHA256SUMS"
SIGNATURES = tuple(SUMS + extension for extension in (".asc", ".gpg", ".minisig", ".sig"))

#: The folder of a target for what is not finished, and for what runs note while they are under way.
HIDDEN = ".splashdown"

#: All of them, folded.
RESERVED = frozenset(fold(name) for name in (*NAMES.values(), OTHER, HIDDEN, SUMS, *SIGNATURES))


def is_reserved(name: str) -> bool:
    """Whether a name means a receipt, or something in a hidden folder, here or in a target that is a folder of this."""
    folded = fold(name)
    return not RESERVED.isdisjoint(folded.split("/")) if "/" in folded else folded in RESERVED


def free_folders(path: str) -> str:
    """The path with other names for folders that have a reserved one: a receipt has to find its name free."""
    head, slash, last = path.rpartition("/")
    if not slash or not is_reserved(head):
        return path
    segments = (numbered(one, 2) if fold(one) in RESERVED else one for one in head.split("/"))
    return f"{'/'.join(segments)}/{last}"
