"""What Splashdown, stac-asset and the openEO client make of the same results; prints the table of docs/explanation/compared.md.

    python -m venv peers && peers/bin/pip install stac-asset==0.4.8 openeo==0.53.*
    python tests/benchmarks/compare_stac.py peers/bin/python

Starts its own server, which counts requests, cuts bodies and answers with signed URLs. Needs the packages of tests/requirements.txt.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

SECRET = "5ec2e75ec2e7"
PLACES = {
    "splashdown": """
import sys, splashdown
splashdown.open(sys.argv[1]).download_collection(sys.argv[2])
""",
    "stac-asset": """
import asyncio, json, sys, pystac, stac_asset
source = json.load(__import__("urllib.request").request.urlopen(sys.argv[1]))
if source["type"] == "FeatureCollection":
    asyncio.run(stac_asset.download_item_collection(pystac.ItemCollection.from_dict(source), sys.argv[2]))
else:
    collection = pystac.Collection.from_dict(source, href=sys.argv[1])
    asyncio.run(stac_asset.download_collection(collection, sys.argv[2]))
""",
    "openEO client": """
import sys, openeo
root, _, rest = sys.argv[1].partition("/jobs/")
connection = openeo.connect(root)
connection.authenticate_bearer_token("basic//token")
results = connection.job(rest.split("/")[0]).get_results()
results.download_as_collection(sys.argv[2])
""",
}


class Server:
    """Files by path; ``cut`` are paths whose next answer ends half-way."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.cut: set[str] = set()
        self.gets: Counter[str] = Counter()
        self.sent: Counter[str] = Counter()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                server.answer(self)

            do_HEAD = do_GET  # noqa: N815 - the name that http.server looks for

            def log_message(self, *args: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        Thread(target=self._http.serve_forever, daemon=True).start()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        path = handler.path.partition("?")[0]
        body = self.files.get(path)
        if handler.command == "GET":
            self.gets[path] += 1
        content = body if body is not None else b'{"code": "NotFound", "message": "no such file"}'
        status, tag = 200 if body is not None else 404, f'"{hashlib.md5(content).hexdigest()}"'
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", handler.headers.get("Range", ""))
        if body is not None and handler.headers.get("If-None-Match") == tag:
            status, content = 304, b""
        elif body is not None and asked and handler.headers.get("If-Range", tag) == tag:
            first, last = int(asked[1]), min(int(asked[2] or len(body) - 1), len(body) - 1)
            status, content = 206, body[first : last + 1]
        handler.send_response(status)
        if status == 206:
            handler.send_header("Content-Range", f"bytes {first}-{last}/{len(self.files[path])}")
        handler.send_header("Content-Type", "image/tiff" if path.endswith(".tif") else "application/json")
        handler.send_header("Content-Length", str(len(content)))
        handler.send_header("Accept-Ranges", "bytes")
        handler.send_header("ETag", tag)
        handler.end_headers()
        self.sent[path] += len(content) if handler.command == "GET" else 0
        if handler.command == "GET":
            cut = path in self.cut
            self.cut.discard(path)
            handler.wfile.write(content[: len(content) // 2] if cut else content)
            handler.close_connection = handler.close_connection or cut

    def json(self, path: str, document: object) -> str:
        self.files[path] = json.dumps(document).encode()
        return self.url + path


def item(server: Server, name: str, assets: dict[str, str], **more: Any) -> dict[str, Any]:
    links = [
        {"rel": "derived_from", "href": f"{server.url}/raw/{name}.json?X-Amz-Signature={SECRET}"},
        {"rel": "collection", "href": f"{server.url}/clash/jobs/j/results"},
    ]
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": name,
        "geometry": {"type": "Point", "coordinates": [1, 2]},
        "bbox": [1, 2, 1, 2],
        "properties": {"datetime": "2024-05-06T00:00:00Z"},
        "links": links,
        "assets": {key: {"href": href, "type": "image/tiff", "roles": ["data"]} for key, href in assets.items()},
        **more,
    }


def file(server: Server, path: str, size: int = 20_000) -> str:
    server.files[path] = (path.encode() * size)[:size]
    return f"{server.url}{path}?X-Amz-Signature={SECRET}"


def results(
    server: Server, root: str, items: list[dict[str, Any]], assets: dict[str, str], broken: bool = False
) -> str:
    """The results of an openEO job below ``root``; returns their URL."""
    server.json(f"{root}/", {"api_version": "1.2.0", "backend_version": "1", "endpoints": [], "title": "t", "id": "i"})
    links = [
        {"rel": "item", "href": server.json(f"{root}/jobs/j/results/items/{n}.json", one)}
        for n, one in enumerate(items)
    ]
    if broken:
        links.append({"rel": "item", "href": f"{server.url}{root}/jobs/j/results/items/gone.json"})
    document = {
        "type": "Collection",
        "stac_version": "1.0.0",
        "id": "j",
        "description": "d",
        "license": "other",
        "extent": {"spatial": {"bbox": [[0, 0, 1, 1]]}, "temporal": {"interval": [["2020-01-01T00:00:00Z", None]]}},
        "openeo:status": "finished",
        "assets": {key: {"href": href, "roles": ["data"]} for key, href in assets.items()},
        "links": links,
    }
    return server.json(f"{root}/jobs/j/results", document)


def cases(server: Server) -> dict[str, str]:
    """The inputs: what each is about, and its URL."""
    clash = [
        item(server, name, {"B04": file(server, f"/clash/{name}/B04.tif")}, collection="j") for name in ("june", "july")
    ]
    own = {"timeseries.json": file(server, "/clash/timeseries.json")}
    found = {"two items, a file of the collection's own": results(server, "/clash", clash, own)}
    found["the same with a link to an item that is gone"] = results(server, "/gone", clash, own, broken=True)
    cut = [item(server, "june", {"B04": file(server, "/cut/B04.tif", 2_000_000)}, collection="j")]
    found["one body ends half-way"] = results(server, "/cut", cut, {"B04": cut[0]["assets"]["B04"]["href"]})
    hostile = [
        item(
            server,
            "../../../up",
            {"B04": file(server, "/bad/B04.tif"), "..": file(server, "/bad/2.tif")},
            collection="j",
        ),
        item(server, "c", {"local": "file:///etc/hostname", "B05": file(server, "/bad/B05.tif")}, collection="j"),
    ]
    found["an id that leads out, an href to a local file"] = results(server, "/bad", hostile, {})
    many = {"type": "FeatureCollection", "features": [{**one, "collection": "j"} for one in clash]}
    odd = {"type": "FeatureCollection", "features": hostile}
    found["the same items as an ItemCollection"] = server.json("/odd.json", odd)
    found["an ItemCollection of the two items"] = server.json("/items.json", many)
    return found


def run(python: str, tool: str, url: str, folder: Path) -> str:
    done = subprocess.run(
        [python, "-W", "ignore", "-c", PLACES[tool], url, str(folder)], capture_output=True, text=True, timeout=120
    )
    if done.returncode == 0:
        return "succeeds"
    return "fails: " + (done.stderr.strip().splitlines() or ["?"])[-1].replace(SECRET, "...")[:150]


def judged(server: Server, target: Path, outcome: str, before: Counter[str], bytes_before: Counter[str]) -> str:
    """What is on disk, in words."""
    right, wrong, documents = [], [], []
    bodies = set(server.files.values())
    for path in sorted(p for p in target.parents[5].rglob("*") if p.is_file()):
        content = path.read_bytes()
        name = path.relative_to(target).as_posix() if path.is_relative_to(target) else f"OUTSIDE: {path.name}"
        if path.suffix == ".json" and content.lstrip()[:1] == b"{" and b'"stac_version"' in content:
            documents.append(path)
        elif content in bodies and path.is_relative_to(target):
            right.append(name)
        else:
            wrong.append(f"{name} ({len(content)} bytes)")
    says = [outcome, f"{len(right)} files right"]
    says += [f"WRONG: {', '.join(wrong)}"] if wrong else []
    says.append(f"{len(documents)} documents" + (f", {_valid(documents)}" if documents else ""))
    if any(SECRET in path.read_text() for path in documents):
        says.append("a SIGNATURE is in them")
    asked = sum(n for path, n in (server.gets - before).items() if path.endswith((".tif", "/timeseries.json")))
    sent = sum(n for path, n in (server.sent - bytes_before).items() if path.endswith((".tif", "/timeseries.json")))
    says.append(f"{asked} requests for files, {sent} bytes")
    return "; ".join(says)


def _valid(documents: list[Path]) -> str:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
    from validator import invalid

    with tempfile.TemporaryDirectory() as folder:
        singles = [single for path in documents for single in _singles(path, Path(folder))]
        wrong = invalid(singles)
    if not wrong:
        return "all valid"
    return f"{len(wrong)} of {len(singles)} not valid ({wrong[0].get('error_message', '?')[:90]})"


def _singles(path: Path, folder: Path) -> list[Path]:
    """The document, or each feature of an ItemCollection."""
    body = json.loads(path.read_text())
    if body["type"] != "FeatureCollection":
        return [path]
    places = [folder / f"{n}.json" for n in range(len(body["features"]))]
    for place, feature in zip(places, body["features"], strict=True):
        place.write_text(json.dumps(feature))
    return places


def main(peers: str) -> None:
    for title, url in cases(server := Server()).items():
        print(f"\n## {title}\n")
        for tool in PLACES:
            if tool == "openEO client" and "/jobs/" not in url:
                continue
            with tempfile.TemporaryDirectory() as top:
                target = Path(top) / "as" / "deep" / "as" / "it" / "may" / "be" / "out"
                target.mkdir(parents=True)
                for again in (False, True):
                    server.cut = {"/cut/B04.tif"} if not again else set()
                    before, sent = server.gets.copy(), server.sent.copy()
                    outcome = run(sys.executable if tool == "splashdown" else peers, tool, url, target)
                    print(
                        f"- {tool}{', again' if again else ''}: {judged(server, target, outcome, before, sent)}",
                        flush=True,
                    )


if __name__ == "__main__":
    main(sys.argv[1])
