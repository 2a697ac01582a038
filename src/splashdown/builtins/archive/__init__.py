"""The sinks ``zip:PLACE`` and ``tar:PLACE``: one archive of all files, wherever another sink stores it.

``PLACE`` is a file, the URL of an object in a store, or ``-`` for standard output.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from splashdown.errors import TargetError
from splashdown.hookspecs import hookimpl
from splashdown.protocols import Sink
from splashdown.redact import redact_target, safely_shown
from splashdown.sources import at_home, is_archive, path_in_url, scheme_of
from splashdown.specs import SinkSpec

if TYPE_CHECKING:
    from splashdown.builtins.archive.outputs import Output

#: Extensions of archives that are compressed as a whole, which these are not.
_COMPRESSED = (".gz", ".tgz", ".bz2", ".xz", ".zst")


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ArchiveOptions:
    """``open_sink`` opens the place that the archive is stored in."""

    open_sink: Callable[[str], Sink] | None = field(
        default=None, metadata={"python_only": "a function that opens a target", "of_session": True}
    )


def create(target: str, options: ArchiveOptions, *, form: str) -> Sink:
    """The sink for one archive. Raises ``TargetError`` for a place that cannot hold one."""
    # Late: every download looks at this module, and few make an archive.
    from splashdown.builtins.archive.forms import Tar, Zip
    from splashdown.builtins.archive.sink import ArchiveSink

    place = target.partition(":")[2]
    if place.lower().endswith(_COMPRESSED):
        raise TargetError(
            f"{redact_target(target)}: archives are not compressed here; write tar:- and pass that to gzip, for example"
        )
    output = _standard_output(target) if place == "-" else _in_sink(target, place, options)
    return ArchiveSink(redact_target(target), output, Zip if form == Zip.name else Tar)


def _standard_output(target: str) -> Output:
    from splashdown.builtins.archive.outputs import ToStream

    stream = sys.__stdout__
    if stream is None or stream.isatty():
        raise TargetError(f"{target} writes an archive to standard output, which is a terminal: redirect it")
    return ToStream(cast("BinaryIO", stream.buffer))


def _in_sink(target: str, place: str, options: ArchiveOptions) -> Output:
    from splashdown.builtins.archive.outputs import InSink

    folder, name = _split(target, place)
    if options.open_sink is None:
        raise TargetError(f"{redact_target(target)} needs a session, which opens the place of the archive")
    return InSink(options.open_sink(folder), name)


def _split(target: str, place: str) -> tuple[str, str]:
    """The target that holds the archive, and the archive's name in it."""
    if is_archive(place):
        raise TargetError(f"{redact_target(target)}: an archive is not stored in another one")
    scheme = scheme_of(place)
    if scheme in {"", "file"}:
        path = path_in_url(place) if scheme else at_home(place)
        if not path or path.endswith(("/", os.sep)) or os.path.isdir(path):  # noqa: PTH112 - Path's raises for odd names
            raise TargetError(f"{target!r} has to name the file of the archive, not a folder")
        found = Path(path)
        return str(found.parent), found.name
    folder, _, name = place.rpartition("/")
    if not name or folder.endswith("/"):
        raise TargetError(f"{redact_target(target)} has to name the object of the archive, not a folder")
    return f"{folder}/", name


@hookimpl
def splashdown_sinks() -> Iterable[SinkSpec]:
    """ZIP and TAR."""
    for form in ("zip", "tar"):
        yield SinkSpec(
            name=form,
            schemes=(form,),
            create=partial(create, form=form),
            options=ArchiveOptions,
            summary=f"one {form.upper()} archive of all files, in a folder, a store or standard output",
        )
