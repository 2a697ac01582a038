"""The sink for folders: paths and ``file://`` URLs.

Bytes go to a file of a random name in the hidden folder ``.splashdown`` of the target, which is in the target's own
filesystem, and appear under their name by one rename. Verification and retries are the engine's.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from splashdown.builtins.local.sink import LocalSink
from splashdown.errors import TargetError
from splashdown.hookspecs import hookimpl
from splashdown.sources import at_home, path_in_url
from splashdown.specs import SinkSpec
from splashdown.store_errors import why_no_folder

#: As much of a name as one line gives, where that is too long.
_SHOWN = 200


def create(target: str, options: Any) -> LocalSink:  # noqa: ARG001 - a sink spec's signature
    """The sink for a path or a ``file://`` URL. Raises ``TargetError`` when that cannot be a folder."""
    path = at_home(target)
    if target[:5].lower() == "file:":
        split = urlsplit(target)
        if split.netloc not in {"", "localhost"}:
            raise TargetError(f"{target!r} names the host {split.netloc!r}; a file URL has three slashes: file:///path")
        path = path_in_url(target)
    if reason := why_no_folder(path):
        shown = path if len(path) <= _SHOWN else f"{path[:_SHOWN]}…"
        raise TargetError(f"the target {shown!r} cannot be a folder: {reason}")
    return LocalSink(Path(path))


@hookimpl
def splashdown_sinks() -> Iterable[SinkSpec]:
    """Folders."""
    yield SinkSpec(
        name="local", schemes=("", "file"), create=create, summary="files below a folder, each appearing by one rename"
    )
