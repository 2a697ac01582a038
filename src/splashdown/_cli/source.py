"""What several commands share: the source argument, filters, credentials, plugin options, opening the source."""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from splashdown._cli.help import F, with_options
from splashdown._display.text import printable
from splashdown.redact import redact
from splashdown.sources import is_url

if TYPE_CHECKING:
    from splashdown._plugins.registry import Registry
    from splashdown.results import JobResults
    from splashdown.session import Session

_log = logging.getLogger("splashdown")

#: Options of the command line and the filters that they stand for, in the order in which they are applied.
_FILTERS = {
    "include": "keys",
    "exclude": "exclude",
    "type": "types",
    "role": "roles",
    "item": "items",
    "datetime": "datetime",
    "bbox": "bbox",
    "filter": "cql2",
    "latest_per": "latest_per",
    "one_per": "one_per",
}
#: Those that are about items: they choose archives before any of those is opened.
_OF_ITEMS = ("item", "datetime", "bbox", "filter")
_MOST_LEFT_OUT = 20

_REGISTRY = "splashdown.registry"

#: Options that are sent to a STAC API.
_SEARCH = ("datetime", "bbox", "ids", "collections", "limit", "page_size")
#: Those that no filter stands for.
_STAC_ONLY = ("limit", "page_size")


UNPACK = click.option("--unpack", is_flag=True, help="List the files in ZIP and TAR archives in place of the archive.")
CLIP = click.option("--clip", metavar="AREA", help="Only what lies in a box (W,S,E,N in degrees) or a GeoJSON file.")
PARTS_OF_FILES = (UNPACK, CLIP)
SERVER_NAMES = click.option(
    "--server-names", is_flag=True, help="Ask servers for the names of files whose URLs name none."
)


def filter_options(function: F) -> F:
    """Give a command the filter options."""
    options = (
        click.option("--include", metavar="GLOB", multiple=True, help='Only these keys, e.g. "*.tif"; repeatable.'),
        click.option("--exclude", metavar="GLOB", multiple=True, help="Not these keys; repeatable."),
        click.option("--type", metavar="TYPE", multiple=True, help="Only this media type, e.g. image/tiff."),
        click.option("--role", metavar="ROLE", multiple=True, help="Only assets with this role, e.g. data."),
        click.option("--item", metavar="ID", multiple=True, help="Only assets of this item."),
        click.option("--datetime", metavar="A/B", help='Only from A to B; ".." leaves an end open.'),
        click.option("--bbox", metavar="W,S,E,N", help="Only what touches this box, in degrees."),
        click.option("--filter", metavar="CQL2", help='Only where this is true, e.g. "eo:cloud_cover < 20".'),
        click.option(
            "--latest-per", metavar="FIELD", multiple=True, help="Only the latest of each item, key, date, ..."
        ),
        click.option("--one-per", metavar="FIELD", multiple=True, help="Only the first of each item, key, date, ..."),
        click.option("--ids", metavar="ID", multiple=True, help="Only these items; sent to a STAC API."),
        click.option("--collections", metavar="ID", multiple=True, help="Only these collections; sent to a STAC API."),
        click.option("--limit", metavar="N", type=click.IntRange(1), help="At most N items of a STAC source."),
        click.option("--page-size", metavar="N", type=click.IntRange(1), help="Items to ask a STAC API for at a time."),
        click.option("--where", metavar="FILTER=VALUE", multiple=True, help="A filter by its name; repeatable."),
        *PARTS_OF_FILES,
    )
    return with_options(function, options)


_SIGN_IN = (
    click.option("--login", is_flag=True, help="Ask for a user name and a password."),
    click.option("--netrc", is_flag=True, help="Take user and password of each host from ~/.netrc."),
    click.option("--stored-login", is_flag=True, help="Take the login that openeo-auth has stored."),
)


#: A decorator, as the others are functions that apply several.
plugin_option = click.option("-o", "--option", metavar="PLUGIN.NAME=VALUE", multiple=True, help="A plugin's option.")


def sign_in_options(function: F) -> F:
    """Give a command the ways to sign in."""
    return with_options(function, _SIGN_IN)


def source_options(function: F) -> F:
    """Give a command what is needed to open a source."""
    options = (
        *_SIGN_IN,
        click.option(
            "--token-origin",
            metavar="URL",
            multiple=True,
            help="Send the token of SPLASHDOWN_TOKEN to this origin too.",
        ),
        click.option("--wait", is_flag=True, help="Wait until the openEO job is finished."),
        click.option("--partial", is_flag=True, help="Take the results that an unfinished openEO job has so far."),
        click.option("--alternate", metavar="NAME", help="Of assets with several hrefs take this one, e.g. s3."),
        click.option(
            "--mirror",
            metavar="FROM=TO",
            multiple=True,
            help="Where hrefs that begin with the URL FROM fail, try TO in its place; repeatable.",
        ),
        click.option("--resolver", metavar="NAME", help="Use this resolver, where the source's form does not decide."),
        click.option(
            "--allow-private", is_flag=True, help="Let documents of the public web lead to private addresses."
        ),
        plugin_option,
    )
    return with_options(function, options)


def open_source(
    source: object,
    *,
    action: str | None = None,
    resolver: str | None = None,
    wait: bool = False,
    partial: bool = False,
    quiet: bool = False,
    **given: Any,
) -> JobResults:
    """Open a source for a command: credentials from the environment or a prompt, filters applied.

    ``action`` is the one that will run on it: an action that is missing is refused before anything is read.
    """
    session, auth = session_for(given)
    if action is not None:
        session.registry.action(action)
    # Options that were not given are not passed on: other resolvers do not know those of jobs.
    options: dict[str, Any] = {name: True for name, wanted in (("wait", wait), ("partial", partial)) if wanted}
    if options and session.registry.resolver(source, resolver)[0] == "stac":
        raise click.UsageError(f"--{next(iter(options))} is for openEO jobs: give the URL of one")
    if alternate := given.pop("alternate", None):
        options["alternate"] = alternate
    options |= search_options(session, source, resolver, given, whole=action == "sync")
    # Without a function of ours, the progress of resolving is in the log alone.
    results = session.open(source, auth=auth, resolver=resolver, notify=None if quiet else notify, **options)
    return shaped(mirrored(results, given), given)


def session_for(given: dict[str, Any]) -> tuple[Session, object]:
    """The session of a command and its credentials; the options that say so are taken out of the command's."""
    allowed = ("http.allow_private=true",) if given.pop("allow_private", False) else ()
    origins = given.pop("token_origin", ())
    auth = credentials(given)
    return make_session((*given.pop("option", ()), *allowed), auth=for_origins(origins, auth)), auth


def mirrored(results: JobResults, given: dict[str, Any]) -> JobResults:
    """The results with the mirrors of ``--mirror``."""
    pairs = [pair.partition("=") for pair in given.pop("mirror", ())]
    for source, equals, target in pairs:
        if not (source and equals and target):
            raise click.UsageError(f"--mirror {redact(source)}: write FROM=TO, two URLs that end alike")
    return results.mirrored({source: target for source, _, target in pairs}) if pairs else results


def shaped(results: JobResults, given: dict[str, Any]) -> JobResults:
    """The assets that the options choose, the files in archives among them, clipped to an area where that is wanted."""
    unpack, clip, ask = given.pop("unpack", False), given.pop("clip", None), given.pop("server_names", False)
    if unpack:
        chosen = select(results, {name: given.get(name) for name in _OF_ITEMS})
        results = chosen.unpack()
        _print_left_out(results, len(chosen.skipped))
    results = select(results, given)
    if ask:
        results = results.named_by_servers()
    if clip:
        before = len(results.skipped)
        results = results.clip(**_area(clip))
        _print_left_out(results, before)
    return results


def _area(value: str) -> dict[str, str]:
    """An area as ``clip()`` takes it: a box, or what a GeoJSON file holds."""
    path = Path(value)
    if re.fullmatch(r"[-+0-9.eE,\s]+", value) or not path.is_file():
        return {"geometry" if value.lstrip().startswith("{") else "bbox": value}
    try:
        return {"geometry": path.read_text(encoding="utf-8")}
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"--clip {value} cannot be read: {error}") from None


def _print_left_out(results: JobResults, before: int) -> None:
    """Say what is left out although no filter dropped it."""
    for skipped in results.skipped[before : before + _MOST_LEFT_OUT]:
        click.echo(printable(f"not {skipped.asset.label}: {skipped.reason}"), err=True)
    if (more := len(results.skipped) - before - _MOST_LEFT_OUT) > 0:
        click.echo(f"and {more} more; --dry-run names each", err=True)


def search_options(
    session: Session, source: object, resolver: str | None, given: dict[str, Any], *, whole: bool
) -> dict[str, Any]:
    """The filters that are sent to a STAC API with the request itself; for other sources they stay filters.

    With ``whole`` the source has to be listed as a whole unless the user asked for a part.
    """
    wanted = {name: value for name in _SEARCH if (value := given.get(name))}
    if not (wanted or given.get("filter")) or session.registry.resolver(source, resolver)[0] != "stac":
        if given_ones := [name for name in _STAC_ONLY if name in wanted]:
            raise click.UsageError(f"--{given_ones[0].replace('_', '-')} is for STAC sources")
        return {}
    for name in ("ids", "collections"):
        given.pop(name, None)
    if given.get("filter") and ("limit" in wanted or (is_url(str(source)) and not whole)):
        wanted["filter"] = given.pop("filter")
    return wanted


def for_origins(origins: tuple[str, ...], auth: object) -> Mapping[str, object]:
    """The credentials for the origins of ``--token-origin``."""
    if origins and not isinstance(auth, str | tuple):
        raise click.UsageError("--token-origin sends the token of SPLASHDOWN_TOKEN, which is not set")
    return dict.fromkeys(origins, auth)


def make_session(
    options: tuple[str, ...] = (),
    context: click.Context | None = None,
    *,
    discover: bool = True,
    auth: Mapping[str, object] | None = None,
) -> Session:
    """A session with the plugins and the plugin options of the command line."""
    from splashdown.session import Session

    chosen = (context or click.get_current_context()).find_root().params
    return Session(
        plugins=chosen.get("plugin") or (),
        discover=discover and not chosen.get("no_plugins"),
        disable=chosen.get("disable_plugin") or (),
        only=chosen.get("only_plugin") or None,
        strict=bool(chosen.get("strict")),
        options=plugin_options(options),
        auth=auth,
    )


def registry(context: click.Context) -> Registry:
    """The plugins of the command line, before a source is opened: the rest is parsed with the options that they add."""
    meta = context.find_root().meta
    if _REGISTRY not in meta:
        meta[_REGISTRY] = make_session(context=context).registry
    found: Registry = meta[_REGISTRY]
    return found


def credentials(given: dict[str, Any]) -> object:
    """What a command signs in with, else what the environment holds: a value for ``auth=``, or ``None``."""
    from splashdown.auth import Netrc, StoredLogin, from_environment

    login, netrc, stored = given.pop("login", False), given.pop("netrc", False), given.pop("stored_login", False)
    if login + netrc + stored > 1:
        raise click.UsageError("--login, --netrc and --stored-login exclude each other")
    if login:
        return _asked("User"), _asked("Password", hidden=True)
    if netrc or stored:
        return Netrc() if netrc else StoredLogin()
    found, user = from_environment(os.environ), os.environ.get("SPLASHDOWN_USER")
    if user and not (os.environ.get("SPLASHDOWN_TOKEN") or os.environ.get("SPLASHDOWN_PASSWORD")):
        return user, _asked(f"Password of {user}", hidden=True)
    return found


def _asked(what: str, *, hidden: bool = False) -> str:
    """What the user types at the terminal. Raises ``AuthError`` where there is none."""
    from splashdown.errors import AuthError

    if not sys.stdin.isatty():
        raise AuthError(
            f"{what.lower()}: there is no terminal to ask at; set SPLASHDOWN_TOKEN, or SPLASHDOWN_USER and"
            " SPLASHDOWN_PASSWORD"
        )
    answer: str = click.prompt(what, hide_input=hidden, err=True)
    return answer


def select(results: JobResults, given: Mapping[str, Any]) -> JobResults:
    """Apply the filter options of a command."""
    filters: dict[str, Any] = {}
    for option, name in (_FILTERS | {"ids": "items", "collections": "collections"}).items():
        value = given.get(option)
        if value:
            filters.setdefault(name, list(value) if isinstance(value, tuple) else value)
    for pair in given.get("where") or ():
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise click.UsageError(f"--where {pair}: write FILTER=VALUE, for example min_size=1MB")
        # Twice the same filter means one of both, as with the options that can be repeated.
        before = filters.get(name, [])
        filters[name] = [*(before if isinstance(before, list) else [before]), value] if name in filters else value
    return results.select(**filters)


def plugin_options(pairs: tuple[str, ...]) -> dict[str, dict[str, str]]:
    """``PLUGIN.NAME=VALUE`` pairs as options by plugin."""
    options: dict[str, dict[str, str]] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        plugin, _, field = name.partition(".")
        if not (plugin and field and equals):
            raise click.UsageError(f"--option {name}: write PLUGIN.NAME=VALUE, for example s3.region=eu-central-1")
        options.setdefault(plugin, {})[field] = value
    return options


def notify(message: str) -> None:
    """Show the progress of resolving, on stderr once and in the log."""
    from splashdown._cli.log_output import on_screen

    _log.info("%s", message)
    if not on_screen():
        click.echo(printable(message), err=True)
