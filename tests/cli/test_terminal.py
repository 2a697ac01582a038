"""What a terminal shows, and what stays out of pipes."""

import fcntl
import json
import os
import pty
import re
import select
import socket
import subprocess
import sys
import termios
import threading
import time
from pathlib import Path

import pytest

COMMAND = str(Path(sys.executable).with_name("splashdown"))
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Screen:
    """A command in a pseudo-terminal of its own."""

    def __init__(self, *arguments, columns=100):
        self._master, slave = pty.openpty()
        kept = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "LINES"}}
        self._process = subprocess.Popen(
            [COMMAND, *map(str, arguments)],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=kept | {"TERM": "xterm-256color", "COLUMNS": str(columns)},
            start_new_session=True,
            # The terminal has to be the command's own, or Ctrl-C would not reach it.
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - one system call, no locks
        )
        os.close(slave)
        self.raw = ""

    def read(self, until=None, seconds=60):
        """Read to the end, or until some text is on the screen."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            ready, _, _ = select.select([self._master], [], [], 0.1)
            if ready:
                try:
                    data = os.read(self._master, 65536)
                except OSError:  # Linux says so when the other end is closed
                    data = b""
                if not data:
                    return self.text
                self.raw += data.decode(errors="replace")
            if until is not None and until in self.text:
                return self.text
        pytest.fail(f"not seen within {seconds} s: {until!r}; the screen is {self.text!r}")

    def type(self, text):
        os.write(self._master, text.encode())

    @property
    def text(self):
        return ANSI.sub("", self.raw)

    def end(self):
        self.read()
        os.close(self._master)
        return self._process.wait(60)


def test_a_terminal_gets_bars_and_a_table(demo_job, tmp_path):
    screen = Screen("download", demo_job, tmp_path / "out")
    assert screen.end() == 0
    assert "of 4 files" in screen.text
    assert "openEO_2023-06-01Z.tif" in screen.text
    assert "[1/4]" not in screen.text
    assert "4 of 4 files in" in screen.text


def test_a_pipe_gets_plain_lines(splashdown_command, demo_job, tmp_path):
    done = splashdown_command("download", demo_job, tmp_path / "out")
    lines = done.stderr.splitlines()
    assert [line.partition(" ")[0] for line in lines] == [f"[{n}/4]" for n in range(1, 5)]
    assert not ANSI.search(done.stdout + done.stderr)


def test_quiet_gets_one_line(demo_job, tmp_path):
    screen = Screen("download", demo_job, tmp_path / "out", "--quiet")
    assert screen.end() == 0
    assert re.fullmatch(r"4 of 4 files in .*/out, 80\.7 KiB moved in \d+\.\d s\r\n", screen.raw)


@pytest.fixture
def endless(tmp_path):
    """A document whose one asset begins to come and never ends."""
    server = socket.create_server(("127.0.0.1", 0))
    kept = []

    def serve():
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            kept.append(connection)
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1000)

    threading.Thread(target=serve, daemon=True).start()
    href = f"http://127.0.0.1:{server.getsockname()[1]}/endless.tif"
    item = {"type": "Feature", "stac_version": "1.0.0", "id": "i", "geometry": None, "properties": {}, "links": []}
    path = tmp_path / "item.json"
    path.write_text(json.dumps(item | {"assets": {"a": {"href": href}}}))
    yield path
    server.close()
    for connection in kept:
        connection.close()


def test_ctrl_c_leaves_a_clean_screen_with_a_cursor_and_exit_code_130(endless, tmp_path):
    screen = Screen("download", endless, tmp_path / "out")
    screen.read(until="0 of 1 file")
    screen.type("\x03")
    assert screen.end() == 130
    assert screen.raw.rindex("\x1b[?25h") > screen.raw.rindex("\x1b[?25l")
    after = ANSI.sub("", screen.raw[screen.raw.rindex("\x1b[?25h") :])
    assert "1 not tried; run the same command again" in after
    assert "failed" not in screen.text
    assert "Traceback" not in screen.text


def test_a_password_is_asked_for_and_not_shown(refusing_url):
    screen = Screen("jobs", refusing_url, "--login")
    screen.read(until="User: ")
    screen.type("john\n")
    screen.read(until="Password: ")
    screen.type("s3cret\n")
    assert screen.end() == 3
    assert "s3cret" not in screen.text
