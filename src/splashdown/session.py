"""Session: one set of plugins and settings. It opens sources and makes transports, sinks and listeners.

:mod:`splashdown.results` chooses, names and loads assets; the engine moves bytes.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields, is_dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from splashdown._documents.listed import Listed, ListedSigner, listed_for, own_auth, with_companions
from splashdown._foreign.calls import ask, close, wrong_type
from splashdown._plugins import calls
from splashdown._plugins import options as plugin_options
from splashdown._plugins.config import Config, read_config
from splashdown._plugins.keyword_types import OpenKeywords
from splashdown._plugins.registry import Registry
from splashdown._plugins.signatures import shows
from splashdown.errors import OptionError, did_you_mean
from splashdown.sources import is_url, origin_text, scheme_of, without_pick

if TYPE_CHECKING:
    from splashdown._connections.hosts import Profiles
    from splashdown._connections.options import HttpOptions
    from splashdown._engine.settings import RetryPolicy, Settings
    from splashdown._plugins.signers import Signers
    from splashdown.model import Asset, ResultSet
    from splashdown.protocols import (
        AssetHandle,
        Listener,
        Resolver,
        Signer,
        Sink,
        StepCredentials,
        Transport,
        Workers,
    )
    from splashdown.results import JobResults

_log = logging.getLogger("splashdown")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenContext:
    """The context that a resolver gets with the source (the protocol ``ResolveContext``)."""

    auth: object = field(default=None, repr=False)
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    notify: Callable[[str], None] = _log.info
    listed: Listed = field(default_factory=Listed, repr=False)
    session: Session

    @property
    def http(self) -> HttpOptions:
        """How documents are to be asked for: as assets are."""
        return self.session.http

    def resolve(self, source: object) -> ResultSet:
        """Resolve another source with the same credentials and options."""
        name, chosen = self.session.registry.resolver(source, None)
        return _resolved(name, chosen, source, replace(self, auth=own_auth(self.auth, source, self.listed)))

    def open(self, href: str) -> AssetHandle:
        """A document that a transport has to read."""
        from splashdown.model import Asset, ResultSet

        asset = Asset(key=href.rpartition("/")[2] or href, href=href)
        return self.session.open_asset(asset, ResultSet(id=asset.key, kind="document", assets=(asset,), document={}))


def _as_one(listeners: tuple[Listener, ...]) -> tuple[Listener, ...]:
    """One listener that passes on what it gets, if there are any: reading a source and a run may overlap."""
    if not listeners:
        return ()
    from splashdown._engine.announcing import Announcer

    return (Announcer(listeners),)


def _changed(policy: RetryPolicy) -> dict[str, Any]:
    """What a policy says about repeating requests besides its defaults: for documents those are others."""
    from splashdown._connections.hosts import RETRY

    usual = type(policy)()
    return {name: value for name in RETRY if (value := getattr(policy, name)) != getattr(usual, name)}


def _has_hosts(options_type: type) -> bool:
    """Whether options are those of HTTP, or made of them: then the profiles of hosts are a part of them."""
    from splashdown._connections.options import HttpOptions

    return issubclass(options_type, HttpOptions)


def _of_session(options_type: type | None) -> Iterator[str]:
    """The fields of a plugin's options that the session fills.

    ``http`` gets its HTTP options, to look up profiles of hosts, ``open_sink`` its way to open another target.
    """
    for one in fields(options_type) if options_type is not None and is_dataclass(options_type) else ():
        if one.metadata.get("of_session"):
            yield one.name


def _stronger(plugin: str, given: Mapping[str, Any]) -> set[str]:
    """The fields of profiles for which a call or the environment has given an option, which counts more."""
    names = {"verify": ("ca",), "cert": ("cert", "key"), "key": ("cert", "key")}
    own = ("user_agent", "connect_timeout", "read_timeout")
    return {
        name
        for option, replaced in (names | {one: (one,) for one in own}).items()
        if option in given or plugin_options.variable(plugin, option) in os.environ
        for name in replaced
    }


def _resolved(name: str, resolver: Resolver, source: object, context: OpenContext) -> ResultSet:
    from splashdown.model import Asset, ResultSet

    whose = f"the resolver {name!r}"
    results: ResultSet = ask(whose, resolver.resolve, source, context, returns=ResultSet)
    assets: object = results.assets
    if not isinstance(assets, Sequence):
        raise wrong_type(assets, Sequence, f"{whose}, as assets,")
    if isinstance(assets, list | tuple) and (wrong := [one for one in assets if not isinstance(one, Asset)]):
        raise wrong_type(wrong[0], Asset, f"{whose}, among the assets,")
    return results


def _read(config: bool | str | Path) -> Config:
    return Config() if config is False else read_config(only=None if config is True else Path(config))


@lru_cache(maxsize=8)
def session_again(recipe: bytes) -> Session:
    """The session of a recipe that another process has pickled; its connections serve all who ask for it."""
    from splashdown._plugins.recipe import arguments_of

    return Session(**arguments_of(recipe))


def _of_origin(auth: object, source: object) -> object:
    """The credentials for a source; a key belongs to the origin of its URL."""
    if auth is None or not is_url(source):
        return auth
    from splashdown.auth import ApiKey

    with suppress(ValueError):  # the resolver says what is wrong with the URL
        return {origin_text(str(source)): auth} if isinstance(auth, ApiKey) else auth
    return auth


def _opened_by(source: object, own: object) -> tuple[object, object]:
    """A URL that leads to the source, and what it is given: of some objects they know it themselves."""
    if own is not None or isinstance(source, str | Path | Mapping | list | tuple):
        return source, own
    from splashdown._plugins.reopening import OpenedByUrl

    return source.opened_by() if isinstance(source, OpenedByUrl) else (source, own)


def _names_of(auth: object, source: object) -> dict[str, object]:
    """Where another process finds the credentials of a source, by its origin; nothing for secrets."""
    if auth is None or isinstance(auth, Mapping) or not is_url(source):
        return {}
    from splashdown._plugins.reopening import name_of  # late, as all that credentials need

    name = name_of(auth)
    if not callable(name):
        return {}
    with suppress(ValueError):  # the resolver says what is wrong with the URL
        return {origin_text(str(source)): name}
    return {}


class Session:
    """Plugins and settings for opening sources; nothing is shared between two sessions.

    ``plugins`` are modules or objects with hook implementations, used besides the built-in ones. With
    ``discover=False`` the session does not look for installed plugins; ``disable`` names plugins to leave out, ``only``
    the only ones to use. ``strict=True`` raises for a broken plugin instead of continuing without it.
    ``options`` are settings of plugins by name, for example ``{"s3": {"endpoint_url": "..."}}``.
    ``settings`` are those of the transfer engine. ``auth`` lists credentials by the origin that gets them, for all
    sources; ``hosts`` holds profiles by host, for example ``{"data.example": {"jobs": 4}}``. ``listeners`` get the
    events of all that the session does (:mod:`splashdown.events`). ``config`` is the path of a configuration file;
    ``True`` finds the project's and the user's ``splashdown.toml``, ``False`` reads none.
    Arguments override environment variables, which override files.

    Raises :class:`~splashdown.errors.OptionError` for an invalid configuration.
    """

    def __init__(
        self,
        *,
        plugins: Iterable[object] = (),
        discover: bool = True,
        disable: Iterable[str] = (),
        only: Iterable[str] | None = None,
        strict: bool = False,
        options: Mapping[str, Mapping[str, Any]] | None = None,
        settings: Settings | None = None,
        auth: Mapping[str, object] | None = None,
        hosts: Mapping[str, Mapping[str, Any]] | None = None,
        listeners: Iterable[Listener] = (),
        config: bool | str | Path | Config = True,
    ) -> None:
        self.config = config if isinstance(config, Config) else _read(config)
        self._made_by: dict[str, Any] = {
            "plugins": tuple(plugins),
            "hosts": dict(hosts or {}),
            "auth": dict(auth or {}),
        }
        plugins = self._made_by["plugins"]
        table = self.config.plugins
        self.registry = Registry(
            plugins=tuple(plugins),
            discover=discover and table.discover,
            disable=disable,
            configured=dict.fromkeys(table.disable, str(self.config.where("plugins", "disable"))),
            only=table.only if only is None else tuple(only),
            strict=strict or table.strict,
        )
        self._options = dict(options or {})
        self._settings, self._settings_given = settings, settings is not None
        #: What gets the events of reading sources, and of runs besides their own listeners.
        self.listeners: tuple[Listener, ...] = _as_one(tuple(listeners))
        levels = self.config.hosts
        if hosts:
            from splashdown._plugins.hosts_table import profiles_of  # late: few sessions have any

            levels = (*levels, profiles_of("hosts=", hosts))
        self._levels = levels
        self._made_profiles: Profiles | None = None
        self._auth = self._shared({**self.config.auth, **(auth or {})})
        self._options_checked = False
        self._transports: dict[str, Transport] = {}
        self._made_signers: Signers | None = None
        self._lock = threading.Lock()
        if self.config.settings:
            _ = self.settings  # a mistake in the file is reported now, not by the first download

    def __repr__(self) -> str:
        return f"<Session with {len(self.registry.plugins())} plugins>"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle how it was made, without a secret; sessions that are made in the same way are one in a process."""
        from splashdown._plugins.recipe import recipe_of

        return session_again, (
            recipe_of(
                self.registry.choice,
                self.config,
                self._options,
                self._settings,
                self._made_by,
                self.registry.options_types,
            ),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that transports keep. The session can be used again afterwards."""
        with self._lock:
            transports, self._transports = self._transports, {}
        for transport in transports.values():
            close(transport)

    def refresh(self) -> None:
        """Look for installed plugins again, for a notebook in which one was installed meanwhile.

        Broken plugins are tried again. Imported modules stay as they are: a new version of a plugin that worked needs a
        new process.
        """
        self.registry.refresh()
        self._made_signers, self._options_checked = None, False

    @property
    def http(self) -> HttpOptions:
        """How HTTP is done: for documents, sign-in, jobs, searches and assets alike."""
        from splashdown._connections.options import HttpOptions

        options: HttpOptions = self._fill("http", HttpOptions, {})
        return options

    def limit(self, host: str) -> int | None:
        """How many files at a time ``host[:port]`` serves by its profile; ``None`` where that does not say."""
        return self._profiles.limit(host)

    @property
    def retry_of(self) -> Callable[[str], Mapping[str, Any]] | None:
        """What profiles say about repeating requests to ``host[:port]``; ``None`` where they say nothing.

        They count more than settings in a file, and less than the environment or the settings of this session.
        """
        profiles = self._profiles
        return (lambda host: profiles.of(host).retry_fields()) if profiles.about_retries else None

    @property
    def settings(self) -> Settings:
        """The engine's settings."""
        if self._settings is None:
            from splashdown._engine.settings import Settings

            self._settings = plugin_options.fill(
                Settings, {}, plugin="", config=self.config.settings, environ=os.environ
            )
        return self._settings

    @shows(OpenKeywords, closed=False)
    def open(
        self,
        source: object,
        *,
        auth: object = None,
        resolver: str | None = None,
        notify: Callable[[str], None] | None = None,
        **options: Any,
    ) -> JobResults:
        """Resolve a source into results.

        ``source`` is the URL of an openEO job or of its results, a STAC document (path, URL, dict, pystac
        object, ``"-"`` for standard input), a list of those, or whatever an installed resolver accepts. ``auth`` is
        ``None``, a token (what follows ``Bearer``) or ``(user, password)``; it is sent to the source's origin only. A
        callable gives one of these, and is called again once they are refused. A mapping lists origins, each with what
        is sent to it: ``{"https://data.example": "TOKEN"}``.
        ``resolver`` names a resolver where the form of the source does not decide. Other options are the resolver's.

        Raises :class:`~splashdown.errors.ResolveError` when the source does not lead to assets,
        :class:`~splashdown.errors.AuthError` for missing or refused credentials, and
        :class:`~splashdown.errors.NoProviderError` when no resolver accepts the source.
        """
        from splashdown.results import JobResults

        name, chosen = self.registry.resolver(source, resolver)
        auth = _of_origin(auth, source)
        listed = listed_for(auth, self._listed(auth, source))
        own = own_auth(auth, source, listed)
        context = OpenContext(auth=own, listed=listed, options=options, notify=notify or _log.info, session=self)
        results = _resolved(name, chosen, source, context)
        refresh = results.refresh
        if refresh is not None:
            from splashdown._plugins.reopening import ReadAgain  # late: many sources need not be read again

            refresh = ReadAgain(
                here=refresh,
                session=self,
                source=source,
                resolver=resolver,
                auth=auth,
                own=[own_auth(auth, one, listed) for one in (source if isinstance(source, list | tuple) else [source])],
                options=options,
            )
        place, given = _opened_by(source, own)
        signer = ListedSigner(
            own=results.signer,
            listed=listed,
            held=auth is not None or bool(listed),
            names=(names := _names_of(given, place)),
            withheld=("the source",) if given is not None and not names else (),
        )
        return JobResults(self, replace(results, signer=signer, refresh=refresh))

    def _listed(self, auth: object, source: object) -> Mapping[str, object]:
        """The listed origins, and those that share what is given for one source."""
        sources = source if isinstance(source, list | tuple) else (source,)
        given = auth if isinstance(auth, Mapping) else {str(one): auth for one in sources if is_url(one)}
        return {**self._auth, **self._shared(given, only=not isinstance(auth, Mapping))}

    def _shared(self, entries: Mapping[str, object], *, only: bool = False) -> Mapping[str, object]:
        if not self._levels:  # profiles that come with the package share nothing
            return {} if only else entries
        return with_companions(entries, self._profiles.origins, only=only)

    @property
    def _profiles(self) -> Profiles:
        """The profiles of hosts, over what the settings say about repeating requests; made with the first use."""
        if self._made_profiles is None:
            from splashdown._connections.hosts import RETRY, Profiles
            from splashdown._connections.known_hosts import SHIPPED

            weak = Profiles(levels=(SHIPPED, *self.config.hosts))
            if self._settings_given:
                weak = weak.without(RETRY)
            profiles = Profiles(
                levels=(*weak.levels, *self._levels[len(self.config.hosts) :]), retry=_changed(self.settings.retry)
            )
            in_environment = [one for one in RETRY if f"SPLASHDOWN_RETRY_{one.upper()}" in os.environ]
            self._made_profiles = profiles.without(in_environment)
        return self._made_profiles

    @property
    def _signers(self) -> Signers:
        """What signs hrefs, made with the first use: a command that only lists assets does without."""
        from splashdown._plugins.signers import Signers

        with self._lock:
            if self._made_signers is None:
                self._made_signers = Signers(self.registry, self._fill)
            return self._made_signers

    def run(self, action: str, on: JobResults | str | Path, /, **options: Any) -> Any:
        """Do what a plugin's action of this name does, to results or to a target, and return what it returns.

        A target is a folder's path or a URL; an action that works on one needs no source. Raises
        :class:`~splashdown.errors.UsageError` when the action needs the other of the two, and
        :class:`~splashdown.errors.OptionError` for an option that it does not have, or needs.
        """
        from splashdown.results import JobResults

        spec = self.registry.action(action)
        if isinstance(on, JobResults):
            return calls.run_on_results(spec, on, options, self._fill)
        return calls.run_on_target(spec, self, on, options, self._fill)

    def dry_run(self, action: str, results: JobResults, /, **options: Any) -> Any:
        """What an action would move; see :meth:`JobResults.dry_run`."""
        return calls.plan_on_results(self.registry.action(action), results, options, self._fill)

    def transport(self, href: str) -> Transport:
        """The transport for an href's scheme; made once and kept, because it keeps connections."""
        scheme = scheme_of(href)
        with self._lock:
            if scheme not in self._transports:
                spec = self.registry.transport(scheme)
                self._transports[scheme] = spec.create(self._fill(spec.name, spec.options, {}))
            return self._transports[scheme]

    def sink(self, target: str, **options: Any) -> Sink:
        """A sink for a target: a folder's path, or a URL such as ``s3://bucket/prefix/``. Close it after use."""
        spec = self.registry.sink(scheme_of(target))
        return spec.create(without_pick(target), self._fill(spec.name, spec.options, options))

    def workers(self, executor: object, **options: Any) -> Workers:
        """The workers that ``executor=`` means: a name such as ``processes:4``, or an object that a plugin accepts.

        Close them after use; an object that was passed stays open.
        """
        from splashdown.protocols import Workers

        given: object = executor
        if isinstance(executor, str):
            name, _, given = executor.partition(":")
            given = executor if "://" in executor else given
            spec = self.registry.executor(name)
        else:
            spec = self.registry.executor_for(executor)
        made: Workers = ask(
            f"the executor {spec.name!r}",
            spec.create,
            given,
            self._fill(spec.name, spec.options, options),
            returns=Workers,
        )
        return made

    def listener(self, name: str, **options: Any) -> Listener:
        """A listener that a plugin offers under this name."""
        spec = self.registry.listener(name)
        return spec.create(self._fill(spec.name, spec.options, options))

    def auth_for(self, url: str) -> object:
        """The value for ``auth=`` that is listed for the origin of a URL; ``None`` where it is not listed."""
        return Listed(self._auth).given(url)

    def sign(self, href: str, own: Signer | None = None) -> tuple[str, Mapping[str, str]]:
        """An href ready to be read: by the source's own signer, else by the plugin whose origins match."""
        return self._signers.sign(href, own)

    def signs(self, href: str, own: Signer | None = None) -> bool:
        """Whether :meth:`sign` may add something to an href of this origin."""
        return self._signers.signs(href, own)

    def steps(self, own: Signer | None = None) -> StepCredentials:
        """The credentials for the origins that redirects lead to."""
        return self._signers.steps(own)

    def open_asset(self, asset: Asset, results: ResultSet) -> AssetHandle:
        """A handle for reading one asset over the session's transports."""
        from splashdown.results import JobResults

        return JobResults(self, results).handle(asset)

    def _check_options(self) -> None:
        """Refuse options for a plugin that does not exist; a file may configure one that is not installed here."""
        self._options_checked = True
        unknown, known = {*self._options, *self.config.option_tables}, frozenset[str]()
        for installed in (False, True):
            # To look for installed plugins takes time: only where the built-in ones do not explain every name.
            if unknown:
                known = frozenset(self.registry.options_types(installed=installed))
                unknown -= known
        for name in sorted(unknown):
            if name in self._options and (disabled := self.registry.disabled_options(name)):
                raise OptionError(f"no plugin has options under the name {name!r}{disabled}")
            hint = did_you_mean(name, known)
            # An unknown name in a file may be of a plugin that another machine has, unless it looks like a typo.
            if name in self._options or hint:
                more = hint or f"; there are {', '.join(sorted(known))}"
                raise OptionError(f"no plugin has options under the name {name!r}{more}")

    def _fill(self, name: str, options_type: type | None, given: Mapping[str, Any]) -> Any:
        if not self._options_checked:
            self._check_options()
        merged = {**self._options.get(name, {}), **given}
        if options_type is not None and _has_hosts(options_type) and "hosts" not in merged:
            merged["hosts"] = self._profiles.without(_stronger(name, merged))
            if self.listeners:
                merged.setdefault("emit", self.listeners[0])
        for one in _of_session(options_type):
            if one not in merged:
                merged[one] = self.sink if one == "open_sink" else getattr(self, one)
        if options_type is None:
            if merged:
                raise OptionError(f"the plugin {name!r} has no options, so {', '.join(sorted(merged))} cannot be set")
            return None
        return plugin_options.fill(
            options_type, merged, plugin=name, config=self.config.options(name), environ=os.environ
        )


@shows(OpenKeywords, closed=False)
def open(  # noqa: A001 - the verb of the field; it is :func:`splashdown.open`
    source: object,
    *,
    auth: object = None,
    resolver: str | None = None,
    notify: Callable[[str], None] | None = None,
    **options: Any,
) -> JobResults:
    """Resolve a source into results, in a new session with all installed plugins.

    ``source`` is the URL of an openEO job, a STAC document (path, URL, dict, pystac object), or a list of those.
    ``auth`` is a token (what follows ``Bearer``), ``(user, password)``, or ``{origin: one of these}``. ``wait`` waits
    for a job that runs. :meth:`splashdown.Session.open` says the same in full; make a :class:`~splashdown.Session` to
    choose plugins and settings.
    """
    return Session().open(source, auth=auth, resolver=resolver, notify=notify, **options)
