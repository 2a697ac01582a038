"""Draw a run on a terminal as an SVG that moves: a real command, and what it shows while it goes on.

The frames are those of a slow server in this process, one for each change of the screen; times are rounded, so that
two drawings of the same run differ little. Who has asked for less motion sees the last frame alone.
"""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import shlex
import struct
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pyte

WIDTH, HEIGHT = 88, 15
#: The files of the run: bytes, and the seconds that their server takes.
FILES = {
    f"openEO_2023-06-{day:02}Z.tif": (size * 2**20 // 10, seconds)
    for day, size, seconds in ((1, 31, 2.0), (4, 52, 3.2), (6, 24, 1.6), (11, 47, 2.8), (14, 38, 2.4), (21, 29, 2.2))
}
_PIECES = 20
#: Frames are at least so far apart, and the last one stays so long: seconds.
_STEP, _REST = 0.4, 4.0
_CHARACTER, _LINE, _MARGIN = 8.4, 19, 14
_COLOURS = {
    "default": "#d9d9d9", "red": "#ff6b6b", "green": "#8bd450", "brown": "#e5c07b", "blue": "#61afef",
    "magenta": "#d178dd", "cyan": "#56c2d6", "brightblack": "#8c8c8c", "brightgreen": "#a5e06b",
}  # fmt: skip


class _Slow(BaseHTTPRequestHandler):
    """Serves the files, each in its time."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Send one file."""
        size, seconds = FILES[self.path.lstrip("/")]
        start = int((re.match(r"bytes=(\d+)-", self.headers.get("Range", "")) or ["", "0"])[1])
        body = b"II*\0".ljust(size, b"\1")[start:]
        self.send_response(206 if start or "Range" in self.headers else 200)
        if "Range" in self.headers:
            self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
        self.send_header("Content-Type", "image/tiff")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        step = -(-len(body) // _PIECES)
        for offset in range(0, len(body), step):
            self.wfile.write(body[offset : offset + step])
            time.sleep(seconds / _PIECES)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def _source(folder: Path) -> Iterator[None]:
    """A STAC item whose assets are on the slow server."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Slow)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_address[1]}"
    assets = {
        name: {"href": f"{address}/{name}", "type": "image/tiff", "roles": ["data"], "file:size": size}
        for name, (size, _) in FILES.items()
    }
    item: dict[str, object] = {
        "type": "Feature", "stac_version": "1.1.0", "id": "ndvi-june", "geometry": None, "links": [],
        "properties": {"datetime": "2023-06-01T00:00:00Z"}, "assets": assets,
    }  # fmt: skip
    (folder / "item.json").write_text(json.dumps(item), encoding="utf-8")
    try:
        yield
    finally:
        server.shutdown()


def _frames(command: str, folder: Path) -> list[tuple[float, list[str]]]:
    """The screens of a command, with the seconds at which each was seen."""
    screen = pyte.Screen(WIDTH, HEIGHT)
    stream = pyte.ByteStream(screen)
    stream.feed(f"\x1b[1;32m$ {command}\x1b[0m\r\n".encode())
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SPLASHDOWN_", "XDG_"))}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    own = {"HOME": str(folder), "COLUMNS": str(WIDTH), "TERM": "xterm-256color", "PATH": path}
    words = shlex.split(command)
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(folder)
        os.execvpe(words[0], words, kept | own)  # noqa: S606 - the command above
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
    found = [(0.0, _lines(screen))]
    begun: float | None = None
    while True:
        ready, _, _ = select.select([terminal], [], [], _STEP / 2)
        if ready:
            try:
                data = os.read(terminal, 65536)
            except OSError:  # the other end is closed
                break
            begun = begun or time.monotonic()
            stream.feed(data)
        now = time.monotonic() - begun if begun else 0.0
        if now - found[-1][0] >= _STEP and (lines := _lines(screen)) != found[-1][1]:
            found.append((now, lines))
    os.waitpid(process, 0)
    return [*found, (found[-1][0] + _STEP, _lines(screen))]


def _lines(screen: pyte.Screen) -> list[str]:
    """The screen as the SVG of its lines."""
    return [_line(screen, row) for row in range(HEIGHT)]


def _line(screen: pyte.Screen, row: int) -> str:
    """A line, with a ``tspan`` where the colour changes."""
    pieces: list[tuple[str, bool, int, str]] = []
    for column in range(WIDTH):
        one = screen.buffer[row][column]
        if pieces and pieces[-1][:2] == (one.fg, one.bold) and pieces[-1][2] + len(pieces[-1][3]) == column:
            pieces[-1] = (*pieces[-1][:3], pieces[-1][3] + one.data)
        elif one.data != " ":
            pieces.append((one.fg, one.bold, column, one.data))
    return "".join(
        f'<tspan x="{_MARGIN + column * _CHARACTER:.1f}" fill="{_colour(colour)}"{_BOLD if bold else ""}>'
        f"{escape(text.rstrip())}</tspan>"
        for colour, bold, column, text in pieces
        if text.strip()
    )


_BOLD = ' font-weight="bold"'


def _colour(name: str) -> str:
    return _COLOURS.get(name) or (f"#{name}" if re.fullmatch("[0-9a-f]{6}", name) else _COLOURS["default"])


def draw(title: str, about: str, frames: list[tuple[float, list[str]]]) -> str:
    """The picture. A line that stays for several frames is drawn once."""
    whole = frames[-1][0] + _REST
    starts = [at for at, _ in frames]
    rules, drawn = [], []
    for row in range(HEIGHT):
        first = 0
        for number in range(1, len(frames) + 1):
            if number < len(frames) and frames[number][1][row] == frames[first][1][row]:
                continue
            if frames[first][1][row]:
                last = number == len(frames)
                name, begin = f"r{row}f{first}", starts[first] / whole * 100
                end = 100.0 if last else starts[number] / whole * 100
                y = _MARGIN + 34 + row * _LINE
                text = f'<text y="{y}" class="{"last" if last else "early"}" id="{name}">{frames[first][1][row]}</text>'
                drawn.append(text)
                rules.append(_rule(name, begin, end, whole))
            first = number
    width, height = WIDTH * _CHARACTER + 2 * _MARGIN, HEIGHT * _LINE + 3 * _MARGIN + 20
    styles, box = "".join(rules), f"0 0 {width:.0f} {height}"
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" role="img" aria-labelledby="t d">
<title id="t">{escape(title)}</title>
<desc id="d">{escape(about)}</desc>
<style>text{{font:14px monospace;white-space:pre}}.early{{visibility:hidden}}
@media (prefers-reduced-motion:no-preference){{{styles}}}</style>
<rect width="100%" height="100%" rx="8" fill="#1e1e1e"/>
<circle cx="20" cy="18" r="6" fill="#ff5f57"/><circle cx="40" cy="18" r="6" fill="#febc2e"/>
<circle cx="60" cy="18" r="6" fill="#28c840"/>
{chr(10).join(drawn)}
</svg>
"""


def _rule(name: str, begin: float, end: float, whole: float) -> str:
    """When a line is seen, in hundredths of the whole; it comes and goes at once."""
    if begin <= 0 and end >= 100:
        return ""
    hidden = "{visibility:hidden}"
    steps = (f"0%{hidden}" if begin > 0 else "") + f"{begin:.2f}%{{visibility:visible}}"
    steps += f"{end:.2f}%,100%{hidden}" if end < 100 else "100%{visibility:visible}"
    return f"#{name}{{animation:{name} {whole:.1f}s step-end infinite}}@keyframes {name}{{{steps}}}"


def main(out: Path) -> None:
    """Write the picture."""
    with tempfile.TemporaryDirectory() as made, _source(Path(made)):
        frames = _frames("splashdown download item.json june", Path(made))
    about = (
        "A terminal: splashdown download shows a bar for the run and one for each of six files, with bytes, speed and"
        " the time left; at the end a table of the files, all stored with length and size checked."
    )
    out.write_text(draw("splashdown download", about, frames), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
