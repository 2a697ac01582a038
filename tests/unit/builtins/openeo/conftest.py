from dataclasses import dataclass, field
from typing import Any

import pytest
from scripted_api import ScriptedApi, scripted_api

from splashdown.builtins.openeo import OpenEOResolver
from splashdown.model import ResultSet


@dataclass
class Context:
    """What a session passes to a resolver."""

    auth: object = None
    options: dict[str, Any] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)

    def notify(self, message: str) -> None:
        self.told.append(message)


@pytest.fixture
def api():
    with scripted_api() as running:
        yield running


@pytest.fixture
def resolve(api: ScriptedApi):
    def run(
        source: str = "/openeo/1.2/jobs/j1", auth: object = None, context: Context | None = None, **options: Any
    ) -> ResultSet:
        source = source if source.startswith("http") else api.url + source
        return OpenEOResolver().resolve(source, context or Context(auth=auth, options=options))

    return run


@pytest.fixture
def unit_context():
    return lambda auth=None, **options: Context(auth=auth, options=options)
