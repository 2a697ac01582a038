"""The built-in transports keep the contract that every outside transport keeps."""

import hashlib
from urllib.parse import quote

import pytest
from fault_server import FaultServer

from splashdown.builtins.file import FileTransport
from splashdown.http import HttpTransport
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


class TestHttpTransport(TransportContract):
    @pytest.fixture
    def transport(self):
        transport = HttpTransport()
        yield transport
        transport.close()

    @pytest.fixture
    def publish(self):
        with FaultServer() as server:

            def publish(name, data):
                server.add(f"/{quote(name)}", data, etag=f'"{hashlib.sha256(data).hexdigest()}"')
                return f"{server.url}/{quote(name)}"

            yield publish
