"""Takes secrets out of hrefs before they are shown, logged or written."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit


def redact(href: str) -> str:
    """The href without userinfo, query and fragment; ``?...`` marks that there was a query.

    A signed URL's secret is its query (or, for openEO, a path segment that expires with it), so nothing of the
    query is kept.
    """
    try:
        parts = urlsplit(href)
    except ValueError:
        return "(an href that is not a URL)"
    if not parts.scheme or not parts.netloc:
        return href.split("?", 1)[0]
    bare = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
    return f"{bare}?..." if parts.query else bare
