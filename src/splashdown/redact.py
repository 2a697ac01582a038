"""Takes secrets out of hrefs before they are shown, logged or written."""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

# openEO back-ends sign links to results with two path segments, the user's id in base64 and a hash (in hex), before
# the name or at the end; the query only says how long they are valid.
_SIGNED_PATH = re.compile(r"(/results(?:/(?:assets|items\d*|document))?)/(?:[^/]+/)?[0-9a-f]{32,128}(?=/|$)")
# An href without any part that could be a secret is returned as it is: thousands of hrefs of a job are like this.
_BARE = re.compile(r"https?://[a-z0-9.-]+(?::[0-9]+)?/[!$-:<=>A-Z^-~]*")


def redact(href: str) -> str:
    """The href without userinfo, query and fragment; ``?...`` marks that there was a query.

    A signed URL's secret is its query, so nothing of that is kept; where openEO back-ends sign in the path, ``...``
    stands for the signature and the user before it.
    """
    if _BARE.fullmatch(href) and "/results/" not in href:
        return href
    try:
        parts = urlsplit(href)
    except ValueError:
        return "(an href that is not a URL)"
    if not parts.scheme or not parts.netloc:
        return href.split("?", 1)[0]
    path = _SIGNED_PATH.sub(r"\1/...", parts.path) if "/results/" in parts.path else parts.path
    bare = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], path, "", ""))
    return f"{bare}?..." if parts.query else bare


def redact_target(target: str) -> str:
    """A target for messages: without user and password, the only secrets that it can hold."""
    authority = target.partition("://")[2].partition("/")[0]
    return redact(target) if "@" in authority else target
