"""The resolver ``several``: a list of sources, opened together; each gets a folder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from splashdown.hookspecs import hookimpl
from splashdown.sources import is_several
from splashdown.specs import ResolverSpec

if TYPE_CHECKING:
    from splashdown.model import ResultSet
    from splashdown.protocols import ResolveContext


class SeveralResolver:
    """Opens each source of a list with the resolver that accepts it, several at a time."""

    def accepts(self, source: object) -> bool:
        """Whether the source is a list of sources; a list of STAC objects is one source."""
        return is_several(source)

    def resolve(self, source: Any, context: ResolveContext) -> ResultSet:
        """Open them all. Raises the first error when none leads to assets; else failures become warnings."""
        from splashdown.builtins.several.opening import open_all

        return open_all(list(source), context)


@hookimpl
def splashdown_resolvers() -> Iterator[ResolverSpec]:
    """Offer the resolver."""
    yield ResolverSpec(name="several", create=SeveralResolver, summary="list of sources, a folder each")
