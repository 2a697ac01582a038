"""Items by the million, made while they are read: newline-delimited, or page by page from a server of its own.

    with served_pages(count=10_000, href="http://127.0.0.1:8080/same/a.bin", size=1024) as url: ...

The server listens on loopback in a process of its own and ends with the block.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from servers import free_port, running

#: Items of one page, as many as public APIs allow at most.
PAGE = 1000


def item(number: int, href: str, size: int) -> dict[str, object]:
    """An item with one asset, in the length that items of archives have."""
    name = f"tile-{number:07}"
    west = 5 + number % 1000 / 1000
    box = [west, 51.0, west + 1, 52.0]
    ring = [[west, 51.0], [west + 1, 51.0], [west + 1, 52.0], [west, 52.0], [west, 51.0]]
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": name,
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "bbox": box,
        "properties": {"datetime": "2023-06-01T00:00:00Z", "eo:cloud_cover": number % 100, "proj:epsg": 32631},
        "links": [],
        "assets": {
            "data": {
                "href": f"{href}/{name}.tif",
                "type": "image/tiff; application=geotiff",
                "title": f"Tile {number}",
                "roles": ["data"],
                "file:size": size,
            }
        },
    }


def lines(count: int, href: str, size: int) -> Iterator[bytes]:
    """Newline-delimited items."""
    for number in range(count):
        yield json.dumps(item(number, href, size)).encode() + b"\n"


@contextmanager
def served_pages(*, count: int, href: str, size: int) -> Iterator[str]:
    """The URL of a search that answers with all items, a page at a time."""
    port = free_port()
    with running([sys.executable, __file__, str(port), str(count), href, str(size)], port):
        yield f"http://127.0.0.1:{port}/search"


class _Pages(BaseHTTPRequestHandler):
    """Answers a search; the next link has the number of the first item of its page."""

    protocol_version = "HTTP/1.1"
    count, href, size = 0, "", 0

    def do_GET(self) -> None:
        """Send one page."""
        first = int(parse_qs(urlsplit(self.path).query).get("token", ["0"])[0])
        end = min(first + PAGE, self.count)
        own = f"http://{self.headers['Host']}/search"
        links = [{"rel": "next", "href": f"{own}?token={end}"}] if end < self.count else []
        page = {
            "type": "FeatureCollection",
            "features": [item(number, self.href, self.size) for number in range(first, end)],
            "links": links,
        }
        body = json.dumps(page).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/geo+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


if __name__ == "__main__":
    _Pages.count, _Pages.href, _Pages.size = int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), _Pages).serve_forever()
