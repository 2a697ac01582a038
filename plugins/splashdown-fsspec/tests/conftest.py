"""Fixtures: a real SFTP server and a real WebDAV server on loopback, for all tests of the plugin."""

from __future__ import annotations

import asyncio
import secrets
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest
from splashdown_fsspec import FsspecOptions

USER, PASSWORD = "tester", "a-password-of-tests"


@dataclass(frozen=True)
class Server:
    """A running server: its URL, the folder that it serves, and how to sign in."""

    url: str
    folder: Path
    options: FsspecOptions


@pytest.fixture(scope="session")
def sftp(tmp_path_factory):
    """asyncssh's server, with a host key that only the options know."""
    import asyncssh

    folder = tmp_path_factory.mktemp("sftp")
    key = asyncssh.generate_private_key("ssh-ed25519")
    ready: dict[str, object] = {}
    connections: list[asyncssh.SSHServerConnection] = []

    class Login(asyncssh.SSHServer):
        def connection_made(self, conn):
            connections.append(conn)

        def begin_auth(self, username):
            return True

        def password_auth_supported(self):
            return True

        def validate_password(self, username, password):
            return (username, password) == (USER, PASSWORD)

    async def serve() -> None:
        ready["stop"] = stop = asyncio.Event()
        server = await asyncssh.listen(
            "127.0.0.1", 0, server_host_keys=[key], server_factory=Login,
            sftp_factory=lambda channel: asyncssh.SFTPServer(channel, chroot=str(folder).encode()),
        )  # fmt: skip
        ready["port"] = server.get_port()
        started.set()
        await stop.wait()
        server.close()
        for connection in connections:  # of filesystems that fsspec keeps for the rest of the process
            connection.abort()
            await connection.wait_closed()

    started, loop = threading.Event(), asyncio.new_event_loop()
    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    assert started.wait(30)
    hosts = tmp_path_factory.mktemp("ssh") / "known_hosts"
    hosts.write_bytes(b"[127.0.0.1]:%d " % ready["port"] + key.export_public_key())
    options = FsspecOptions(username=USER, password=PASSWORD, host="127.0.0.1", known_hosts=str(hosts))
    yield Server(f"sftp://127.0.0.1:{ready['port']}", folder, options)
    loop.call_soon_threadsafe(ready["stop"].set)
    thread.join(10)


@pytest.fixture(scope="session")
def webdav(tmp_path_factory):
    """WsgiDAV on cheroot, with Basic authentication."""
    from cheroot.wsgi import Server as WsgiServer
    from wsgidav.wsgidav_app import WsgiDAVApp

    folder = tmp_path_factory.mktemp("webdav")
    app = WsgiDAVApp(
        {
            "provider_mapping": {"/dav": str(folder)},
            "http_authenticator": {"domain_controller": None, "accept_basic": True, "accept_digest": False},
            "simple_dc": {"user_mapping": {"*": {USER: {"password": PASSWORD}}}},
            "verbose": 0,
            "logging": {"enable": False},
        }
    )
    server = WsgiServer(("127.0.0.1", 0), app, numthreads=10)
    server.prepare()
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    options = FsspecOptions(username=USER, password=PASSWORD, host="127.0.0.1")
    yield Server(f"webdav+http://127.0.0.1:{server.bind_addr[1]}/dav", folder, options)
    server.stop()
    thread.join(10)


@pytest.fixture(params=["sftp", "webdav", "memory"])
def place(request, tmp_path_factory):
    """A fresh folder on each of the filesystems: URL and options."""
    name = f"run-{secrets.token_hex(6)}"
    if request.param == "memory":
        return f"fsspec://memory/{name}", FsspecOptions()
    server = request.getfixturevalue(request.param)
    return f"{server.url}/{name}", server.options
