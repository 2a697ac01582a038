"""Which offer answers a question, and what to say when none or several do. Pure but for ``Resolver.accepts``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from splashdown._foreign.calls import wrong_type
from splashdown._plugins.candidates import Candidate
from splashdown._plugins.loading import Loading, Offer
from splashdown.errors import ConflictError, DisabledError, NoProviderError, ResolveError, did_you_mean
from splashdown.protocols import Resolver
from splashdown.redact import redact
from splashdown.specs import ResolverSpec

_NOTHING: Final[Mapping[str, str]] = {
    "sinks": "no plugin stores to {0}://",
    "transports": "no plugin reads {0}://",
    "filters": "no filter is called '{0}'",
    "loaders": "no loader is called '{0}'",
    "listeners": "no listener is called '{0}'",
    "actions": "no action is called '{0}'",
    "executors": "no executor is called '{0}'",
    "resolvers": "no resolver is called '{0}'",
}
#: Of a path, which has no scheme.
_NOTHING_LOCAL: Final[Mapping[str, str]] = {
    "sinks": "no plugin stores to a local folder",
    "transports": "no plugin reads local files",
}


def choose(loading: Loading, kind: str, wanted: str) -> Offer:
    """The one offer of this kind that goes by ``wanted``: a name, a scheme, or either after ``distribution:``.

    Built-in and given plugins answer first, so that installing a package never changes what worked before.
    Raises :class:`~splashdown.errors.ConflictError` or :class:`~splashdown.errors.NoProviderError`.
    """
    # After a colon, a plugin may be asked for what it calls otherwise than users do.
    names = None if ":" in wanted else (wanted,)
    for installed in (False, True):
        found = [o for o in loading.offers(kind, installed=installed, wanted=names) if _answers(o, wanted)]
        if len(found) > 1:
            raise conflict(_called(kind, wanted), found, name=wanted.rpartition(":")[2])
        if found:
            return found[0]
    raise missing(loading, kind, wanted)


def choose_resolver(
    loading: Loading, source: object, used: Callable[[Offer, BaseException], None]
) -> tuple[str, Resolver]:
    """The one resolver that accepts the source; ``used`` is called for one that breaks while it is asked.

    Raises :class:`~splashdown.errors.ConflictError` for two. For none it raises
    :class:`~splashdown.errors.DisabledError` when the one that accepts is disabled,
    :class:`~splashdown.errors.ResolveError` when the source is a string that is not a URL, else
    :class:`~splashdown.errors.NoProviderError`.
    """
    for installed in (False, True):
        found = []
        for offer in loading.offers("resolvers", installed=installed):
            if isinstance(offer.spec, ResolverSpec):
                resolver = _asked(offer.spec, source, lambda error, offer=offer: used(offer, error))  # type: ignore[misc]  # the default binds it
                if resolver:
                    found.append((offer, resolver))
        if len(found) > 1:
            raise conflict(_shown(source), [offer for offer, _ in found], how="with resolver=")
        if found:
            return found[0][0].spec.name, found[0][1]
    if plugin := loading.withheld(lambda offer: _would_accept(offer, source)):
        raise DisabledError(f"no resolver accepts {_shown(source)}{disabled(loading, plugin)}")
    from splashdown._plugins.suggest import package_for, package_for_source  # late: errors need it

    if isinstance(source, str) and "://" not in source:
        raise ResolveError(_no_source(source) + state(loading))
    scheme = source.partition("://")[0] if isinstance(source, str) else ""
    package = package_for("transports", scheme) or package_for_source(source)
    if package and not is_installed(loading, package):
        hint = f"pip install {package}"
    elif package and isinstance(source, str):
        hint = f"name the STAC document in it, for example {_document_in(source)}"
    else:
        hint = "pass the URL of a job, a STAC document (path, URL, dict or pystac object), or install a plugin for it"
    raise NoProviderError(f"no resolver accepts {_shown(source)}; {hint}{state(loading)}")


def _document_in(source: str) -> str:
    """How the document of a folder in a store is named; the folder of a file is where its name begins."""
    folder, _, last = source.rpartition("/")
    within = source.rstrip("/") if "." not in last or folder.endswith("/") else folder
    return redact(f"{within}/item.json")


def _no_source(source: str) -> str:
    """The message about a string that is neither a URL nor a file: mostly a typo, or the bare id of a job."""
    if not source.strip():
        return "the source is empty; pass the URL of an openEO job, or the path or URL of a STAC document"
    return (
        f"{_shown(source)} is no file here, and no URL; pass the path or URL of a STAC document, or the URL of an"
        " openEO job (the command 'splashdown jobs BACKEND' lists yours)"
    )


def missing(loading: Loading, kind: str, wanted: str) -> NoProviderError:
    """The error for a question without an answer: what is disabled, close matches, the package to install, failures."""
    offers = loading.offers(kind, installed=True)
    known = sorted({name for o in offers for name in _keys(o)})
    distribution, _, name = wanted.rpartition(":")
    text = (_NOTHING if wanted else _NOTHING_LOCAL)[kind].format(wanted)
    if plugin := loading.withheld(lambda offer: offer.kind == kind and _answers(offer, wanted)):
        return DisabledError(text + disabled(loading, plugin))
    from splashdown._plugins.suggest import package_for  # late: errors need it

    package = package_for(kind, name)
    if package and not is_installed(loading, package):
        text += f": pip install {package}"
    elif distribution and (others := [o for o in offers if name in _keys(o)]):
        text += f"; it is offered by {', '.join(o.plugin.label for o in others)}"
    else:
        text += did_you_mean(name, known)
    return NoProviderError(f"{text}; there are: {', '.join(filter(None, known)) or 'none'}{state(loading)}")


def conflict(what: str, offers: Sequence[Offer], *, name: str | None = None, how: str = "with") -> ConflictError:
    """The error for two answers; it says how to pick one: by ``name``, or by each one's own."""
    plugins = " and ".join(dict.fromkeys(o.plugin.label for o in offers))
    names = " or ".join(dict.fromkeys(f"'{o.plugin.name}'" for o in offers))
    # An href is the source's word, and a plain path has no scheme: there is no place to pick.
    if offers[0].kind == "transports" or (offers[0].kind == "sinks" and not name):
        return ConflictError(f"{what} is offered by {plugins}; disable {names}")
    slashes = "://" if offers[0].kind == "sinks" else ""
    picks = " or ".join(f"'{o.plugin.distribution or o.plugin.name}:{name or o.spec.name}{slashes}'" for o in offers)
    return ConflictError(f"{what} is offered by {plugins}; pick one {how} {picks}, or disable {names}")


def _answers(offer: Offer, wanted: str) -> bool:
    plugin, colon, name = wanted.rpartition(":")
    if colon and not offer.plugin.goes_by(plugin):
        return False
    # After a colon, the plugin is settled and its own name for the thing will do as well as a scheme.
    return name in _keys(offer) or (bool(colon) and name == offer.spec.name)


def _keys(offer: Offer) -> Sequence[str]:
    schemes: Sequence[str] | None = getattr(offer.spec, "schemes", None)
    return [s.lower() for s in schemes] if schemes is not None else [offer.spec.name]


def _called(kind: str, wanted: str) -> str:
    return f"{wanted}://" if kind in {"sinks", "transports"} else f"{kind.removesuffix('s')} '{wanted}'"


def _shown(source: object) -> str:
    return f"'{redact(source)}'" if isinstance(source, str) else f"an object of type {type(source).__qualname__}"


def _asked(spec: ResolverSpec, source: object, broke: Callable[[BaseException], Any]) -> Resolver | None:
    try:
        resolver = spec.create()
        accepts: object = resolver.accepts(source)
        if not isinstance(accepts, bool):
            raise wrong_type(accepts, bool, resolver.accepts)
        return resolver if accepts else None
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a resolver that cannot say yes has not said it
        broke(error)
        return None


def _would_accept(offer: Offer, source: object) -> bool:
    return isinstance(offer.spec, ResolverSpec) and _asked(offer.spec, source, lambda _: None) is not None


def disabled(loading: Loading, plugin: Candidate) -> str:
    """What to add to a message about something that a disabled built-in plugin offers."""
    return f": the built-in plugin '{plugin.name}' is disabled by {loading.choice.disabled_by(plugin)}"


def is_installed(loading: Loading, package: str) -> bool:
    """Whether a plugin of this distribution is there, loaded or not."""
    return any(i.distribution == package for i in loading.infos())


def state(loading: Loading) -> str:
    """Possible reasons for something to be missing: plugins that failed, and those that are disabled."""
    failed = [str(f) for f in loading.failures]
    text = "".join(f"; {f}" for f in failed)
    disabled = [f"{i.name} (by {i.disabled_by})" for i in loading.infos() if i.status == "disabled"]
    if disabled:
        text += f"; disabled: {', '.join(disabled)}"
    if not loading.choice.discover:
        text += "; installed plugins are switched off"
    return text
