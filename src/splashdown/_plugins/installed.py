"""The plugins that installed distributions bring, found by their entry points; none is imported for it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from importlib.metadata import Distribution, EntryPoint, EntryPoints, distributions

from splashdown._plugins.candidates import Candidate, canonical
from splashdown._plugins.origin import Origin
from splashdown.errors import PluginError, did_you_mean
from splashdown.hookspecs import GROUP, HookSpecs

#: The file of a distribution that lists its entry points.
_POINTS = "entry_points.txt"
#: The nouns of the hooks; each is a group of entry points, too.
_KINDS = frozenset(name.removeprefix(f"{GROUP}_") for name in vars(HookSpecs) if name.startswith(f"{GROUP}_"))


def installed_candidates() -> Iterator[Candidate]:
    """What the entry points name, each distribution's once, sorted so that no run differs.

    The group ``splashdown`` names plugins of any kind, a group such as ``splashdown.sinks`` those of one kind.
    """
    kinds: dict[tuple[str, str, str], set[str]] = {}
    found: dict[tuple[str, str, str], tuple[EntryPoint, str, str]] = {}
    for points, distribution, version in _own_points():
        for point in points:
            root, _, kind = point.group.partition(".")
            if root != GROUP:
                continue
            # A folder that is on the path twice, or a stale metadata folder beside a new one, lists a plugin twice.
            identity = (point.name, point.value, canonical(distribution))
            found.setdefault(identity, (point, distribution, version))
            kinds.setdefault(identity, set()).add(kind)
    for identity, (point, distribution, version) in sorted(found.items(), key=lambda each: each[0]):
        unknown = sorted(kinds[identity] - _KINDS - {""})
        yield Candidate(
            name=point.name,
            distribution=distribution,
            version=version,
            origin=Origin.INSTALLED,
            load=partial(_refuse_group, unknown[0]) if unknown else point.load,
            # A plugin in a group that does not exist is looked at with the first question, so that its author hears.
            offers=None if unknown or "" in kinds[identity] else dict.fromkeys(sorted(kinds[identity]), ()),
        )


def _refuse_group(kind: str) -> object:
    wanted, known = f"{GROUP}.{kind}", sorted(f"{GROUP}.{one}" for one in _KINDS)
    raise PluginError(f"there is no entry point group {wanted!r}{did_you_mean(wanted, known)}")


def _own_points() -> Iterator[tuple[EntryPoints, str, str]]:
    """The entry points of each distribution that names the group, with its name and version.

    ``entry_points()`` takes thrice as long: it parses those of every distribution, most of which have no plugin.
    """
    for one in distributions():
        text = one.read_text(_POINTS) or ""
        if GROUP in text:
            name, version = _named(one)
            # Of two distributions with one name, the first on the path is the one that Python imports from.
            if not version or next(iter(distributions(name=name))).read_text(_POINTS) == text:
                yield one.entry_points, name, version


def _named(one: Distribution) -> tuple[str, str]:
    try:
        metadata = one.metadata
        return str(metadata["Name"]), str(metadata["Version"])
    except Exception:  # broken metadata must not hide the plugin, nor stop the others
        return "unknown", ""
