"""The built-in transports keep the contract that every outside transport keeps."""

import pytest

from splashdown.builtins.file import FileTransport
from splashdown.testing import TransportContract


class TestFileTransport(TransportContract):
    @pytest.fixture
    def transport(self):
        return FileTransport()

    @pytest.fixture
    def publish(self, tmp_path):
        def publish(name, data):
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            return path.as_uri()

        return publish
