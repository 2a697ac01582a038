"""The map of the package, in the docstring of ``splashdown``."""

from __future__ import annotations

import pkgutil
import re

import grimp

import splashdown

LINES = re.findall(r"^    (\S.*?)  ", splashdown.__doc__.partition("Who imports what")[2], re.MULTILINE)
LEVELS = {name: level for level, line in enumerate(LINES) for name in line.split(", ")}
# Plans and reports draw themselves in a notebook.
KNOWN_CLIMBS = {("model", "_display")}


def test_the_map_names_every_module_and_folder():
    assert set(LEVELS) == {module.name for module in pkgutil.iter_modules(splashdown.__path__)} - {"_version"}


def test_imports_at_run_time_lead_down_the_map():
    graph = grimp.build_graph("splashdown", exclude_type_checking_imports=True, cache_dir=None)
    arrows = {
        (importer.split(".")[1], imported.split(".")[1])
        for importer in graph.modules - {"splashdown"}
        for imported in graph.find_modules_directly_imported_by(importer) - {"splashdown", "splashdown._version"}
    }
    assert {(a, b) for a, b in arrows if LEVELS[a] > LEVELS[b]} == KNOWN_CLIMBS
