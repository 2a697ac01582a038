"""The fields that Splashdown adds to saved STAC documents, and relative hrefs in them. Pure."""

from __future__ import annotations

import posixpath

from splashdown.safe_names import leads_below

# On an asset, beside the file extension's fields: what the next run needs to recognise it.
OURS = "splashdown:"
VALIDATOR = "splashdown:validator"
VERSION = "splashdown:version"
SOURCE = "splashdown:source"
ITEM = "splashdown:item"
KEY = "splashdown:key"


def below(folder: str, href: object) -> str | None:
    """The name in the target that a relative href of a document in ``folder`` means; ``None`` outside the target."""
    if not isinstance(href, str) or not href.startswith(("./", "../")):
        return None
    name = posixpath.normpath(posixpath.join(folder, href))
    return name if leads_below(name) else None
