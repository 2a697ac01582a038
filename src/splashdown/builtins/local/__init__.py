"""The sink for folders: paths and ``file://`` URLs.

Bytes go to a file of a random name in the hidden folder ``.splashdown`` of the target, which is in the target's own
filesystem, and appear under their name by one rename. Verification and retries are the engine's.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from splashdown.builtins.local.sink import LocalSink
from splashdown.errors import TargetError, error_text
from splashdown.hookspecs import hookimpl
from splashdown.sources import at_home, path_in_url
from splashdown.specs import SinkSpec

#: As much of a name as one line gives, where that is too long.
_SHOWN = 60


def create(target: str, options: Any) -> LocalSink:  # noqa: ARG001 - a sink spec's signature
    """The sink for a path or a ``file://`` URL. Raises ``TargetError`` when that cannot be a folder."""
    path = at_home(target)
    if target[:5].lower() == "file:":
        split = urlsplit(target)
        if split.netloc not in {"", "localhost"}:
            raise TargetError(f"{target!r} names the host {split.netloc!r}; a file URL has three slashes: file:///path")
        path = path_in_url(target)
    try:
        os.lstat(path)
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise TargetError(
                f"{f'{target[:_SHOWN]}…'!r} cannot be the name of a folder: it is too long for the file system"
            ) from None
        # Otherwise it does not have to be there yet.
    except ValueError as error:  # a null character, half a character of UTF-16
        raise TargetError(f"{target!r} cannot be the name of a folder ({error_text(error)})") from None
    if os.path.exists(path) and not os.path.isdir(path):  # noqa: PTH110, PTH112 - Path's raise for odd names
        raise TargetError(f"{path!r} is a file; the target has to be a folder")
    return LocalSink(Path(path))


@hookimpl
def splashdown_sinks() -> Iterable[SinkSpec]:
    """Folders."""
    yield SinkSpec(
        name="local", schemes=("", "file"), create=create, summary="files below a folder, each appearing by one rename"
    )
