"""Installs small distributions into a folder as an installer would leave them: a module and its metadata."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from pathlib import Path


def install(
    folder: Path,
    distribution: str,
    source: str,
    *,
    name: str = "",
    version: str = "1.0",
    groups: Iterable[str] = ("splashdown",),
) -> Path:
    """Put a distribution with one plugin module into ``folder``, which has to be on ``sys.path``."""
    module = distribution.replace("-", "_")
    folder.joinpath(f"{module}.py").write_text(textwrap.dedent(source))
    info = folder / f"{module}-{version}.dist-info"
    info.mkdir()
    info.joinpath("METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
    points = "".join(f"[{group}]\n{name or distribution} = {module}\n" for group in groups)
    info.joinpath("entry_points.txt").write_text(points)
    return folder / f"{module}.py"


#: A plugin whose sink is for shelf://; ``{scheme}`` and ``{name}`` may be replaced.
SINK = """
    from splashdown.builtins.memory import MemorySink
    from splashdown.hookspecs import hookimpl
    from splashdown.specs import SinkSpec

    @hookimpl
    def splashdown_sinks():
        yield SinkSpec(name="shelf", schemes=("shelf",), create=lambda target, options: MemorySink())
"""
