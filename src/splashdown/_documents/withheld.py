"""Says what to do about a 401: what was sent, what was withheld, and how to list an origin."""

from __future__ import annotations

from collections.abc import Sequence

from splashdown._documents.places import carries_signature
from splashdown.sources import origin_text


def sign_in_advice(urls: Sequence[str], *, sent: bool, held: bool) -> str:
    """The next step after a 401 from the last of the URLs, those to which nothing was sent on the way there.

    ``sent`` says that the request carried credentials, ``held`` that the user has given some, for whatever origin.
    """
    if sent:
        return (
            "the credentials were refused: they may have expired, or not be for this file; new ones are asked for where"
            " auth= is a callable, or [auth] in the configuration has a command"
        )
    if carries_signature(urls[-1]):
        return "the signature of the link was refused"
    origin, *more = dict.fromkeys(origin_text(url) for url in urls if not carries_signature(url))
    how = f'list the origin: auth={{"{origin}": "TOKEN"}} or [auth] in the configuration'
    if held:
        return (
            "credentials were withheld, because they go to their own origin alone; to send them here too,"
            f" {how}, or --token-origin {origin}{_instead(more)}"
        )
    return (
        f"no credentials were given: pass auth= (SPLASHDOWN_TOKEN), or a link that is signed; to send them here, {how}"
    )


def _instead(more: Sequence[str]) -> str:
    return f" (or where it redirects to: {' and '.join(more[-2:])} )" if more else ""
