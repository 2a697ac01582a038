"""Where plugins come from: the built-ins, what a session was given, and installed entry points.

A candidate is a plugin that has not been imported; loading it may raise anything. Judging and registering what
it yields is for the manager.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType

from splashdown import builtins
from splashdown._plugins.origin import Origin, label
from splashdown._version import __version__
from splashdown.errors import UsageError
from splashdown.hookspecs import GROUP

#: The actions of built-in plugins that are commands of their own.
BUILTIN_COMMANDS = builtins.COMMANDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A plugin before it is imported; ``load()`` returns the module or object that carries its hooks."""

    name: str
    distribution: str
    version: str
    origin: Origin
    load: Callable[[], object]
    #: Known before it is imported: names by the noun of a hook; no names stand for any.
    offers: Mapping[str, tuple[str, ...]] | None = None

    def may_offer(self, kind: str | None, wanted: Collection[str] | None = None) -> bool:
        """Whether the plugin may have one of these names of a kind, such as ``sinks``; ``None`` stands for all."""
        if kind is None or self.offers is None:
            return True
        names = self.offers.get(kind)
        return names is not None and (wanted is None or not names or any(name in names for name in wanted))

    @property
    def id(self) -> str:
        """The unique name of this plugin: ``distribution:name``."""
        return f"{self.distribution}:{self.name}"

    @property
    def label(self) -> str:
        """How messages call it."""
        return label(self.name, self.distribution, self.version)

    def goes_by(self, name: str) -> bool:
        """Whether a user may mean this plugin: by its name, its distribution, or ``distribution:name``."""
        distribution, colon, plugin = name.rpartition(":")
        if colon:
            return plugin == self.name and canonical(distribution) == canonical(self.distribution)
        return name == self.name or (bool(self.distribution) and canonical(name) == canonical(self.distribution))


def canonical(distribution: str) -> str:
    """The name that the packaging world compares by (Python Packaging User Guide, "Name normalization")."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


def builtin_candidates() -> Iterator[Candidate]:
    """The built-in plugins, in the order of their names."""
    for name, offers in builtins.OFFERS.items():
        module = f"{builtins.__name__}.{name}"
        yield Candidate(
            name=name,
            distribution=GROUP,
            version=__version__,
            origin=Origin.BUILTIN,
            load=partial(importlib.import_module, module),
            offers=offers,
        )


def given_candidates(plugins: Sequence[object]) -> Iterator[Candidate]:
    """What the user passed: modules, objects, or paths of files.

    Raises :class:`~splashdown.errors.UsageError` for a class in the place of its object, and for no file.
    """
    taken: Counter[str] = Counter()
    for plugin in plugins:
        if isinstance(plugin, type):
            raise UsageError(f"plugins=[{plugin.__name__}] is a class; pass an object of it: {plugin.__name__}()")
        load: Callable[[], object]
        if isinstance(plugin, str | Path):
            path = Path(plugin)
            if not path.is_file():
                raise UsageError(f"no plugin file at '{path}'; pass the path of a Python file, a module or an object")
            name, load = path.stem, _file_loader(path)
        else:
            name, load = _name_of(plugin), _returns(plugin)
        taken[name] += 1
        name += f"-{taken[name]}" if taken[name] > 1 else ""
        yield Candidate(name=name, distribution="", version="", origin=Origin.GIVEN, load=load)


def _name_of(plugin: object) -> str:
    if isinstance(plugin, ModuleType):
        return plugin.__name__.rpartition(".")[2]
    return str(getattr(plugin, "name", "") or type(plugin).__name__)


def _returns(plugin: object) -> Callable[[], object]:
    return lambda: plugin


def _file_loader(path: Path) -> Callable[[], ModuleType]:
    def load() -> ModuleType:
        # A name of its own, so that a file called json.py hides nothing; in sys.modules because dataclasses and
        # pickle look their module up there.
        name = f"_splashdown_plugin_{re.sub(r'[^0-9A-Za-z_]', '_', path.stem)}"
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or spec.loader is None:
            raise ImportError(f"'{path}' is not a Python file")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
        return module

    return load
