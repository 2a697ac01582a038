"""The built-in executor keeps the contract that every outside one keeps."""

import pytest

from splashdown.builtins.processes import create
from splashdown.testing import ExecutorContract


class TestProcesses(ExecutorContract):
    @pytest.fixture
    def workers(self):
        made = create("1", None)
        yield made
        made.close()
