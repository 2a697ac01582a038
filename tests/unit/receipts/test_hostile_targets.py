"""Whatever stands in a target: nothing outside is touched, nothing hangs, and a person gets one line."""

import json
import os
import stat

import pytest
from machine import need
from stac_item import stac_item

import splashdown
from splashdown._cli.main import main

PRECIOUS = "precious"
HIDDEN = ".splashdown"
FREE = "free-0123456789ab"


@pytest.fixture
def place(tmp_path):
    class Place:
        out, elsewhere, source = tmp_path / "out", tmp_path / "elsewhere", tmp_path / "source" / "item.json"

        def __init__(self):
            for folder in (self.out, self.elsewhere, self.source.parent):
                folder.mkdir()
            (self.elsewhere / "victim.txt").write_text(PRECIOUS)
            (self.elsewhere / "0a-1.part").write_text(PRECIOUS)
            os.utime(self.elsewhere / "0a-1.part", (1, 1))
            self.offer({"a.txt": {"href": "a.txt"}, "b.txt": {"href": "b.txt", "file:local_path": "sub/b.txt"}})

        def offer(self, assets):
            for name in ("a.txt", "b.txt"):
                (self.source.parent / name).write_text(f"this is {name}")
            self.source.write_text(json.dumps(stac_item(assets)))

        def outside(self):
            return {path.name: path.read_text() for path in self.elsewhere.iterdir()}

    return Place()


COMMANDS = {
    "download": lambda place: ["download", str(place.source), str(place.out), "--quiet"],
    "collection": lambda place: ["download", str(place.source), str(place.out), "--as-collection", "--quiet"],
    "sync": lambda place: ["sync", str(place.source), str(place.out), "--delete", "--quiet"],
    "verify": lambda place: ["verify", str(place.out), "--quiet"],
}


def link(name, to="victim.txt"):
    def make(place):
        (place.out / name).parent.mkdir(exist_ok=True)
        (place.out / name).symlink_to(place.elsewhere / to)

    return make


def pipe(name):
    def make(place):
        (place.out / name).parent.mkdir(exist_ok=True)
        os.mkfifo(place.out / name)

    return make


def file(name, data):
    def make(place):
        (place.out / name).parent.mkdir(exist_ok=True)
        (place.out / name).write_bytes(data if isinstance(data, bytes) else json.dumps(data).encode())

    return make


def device(name):
    """A device whose bytes have no end."""

    def make(place):
        (place.out / name).parent.mkdir(exist_ok=True)
        try:
            os.mknod(place.out / name, stat.S_IFCHR | 0o600, os.makedev(1, 5))
        except PermissionError:
            need(False, "leave to make device nodes (as root)")

    return make


UPWARDS = "../../elsewhere/victim.txt"
ENTRY = {"href": "./a.txt", "file:size": 8, "splashdown:key": "a.txt"}
TARGETS = {
    "a link at a file's name": link("a.txt"),
    "a dangling link at a file's name": link("a.txt", "none"),
    "a link at a folder's name": link("sub", "."),
    "a link at the hidden folder's name": link(HIDDEN, "."),
    "a dangling link at the hidden folder's name": link(HIDDEN, "none"),
    "a link at the receipt's name": link("item.json"),
    "a link at another receipt's name": link("catalog.json"),
    "a link at a journal's name": link(f"{HIDDEN}/{FREE}.journal"),
    "a link at a fragment's name": link(f"{HIDDEN}/{FREE}.records"),
    "a link at a partial file's name": link(f"{HIDDEN}/0a-1.part", "0a-1.part"),
    "a pipe at a file's name": pipe("a.txt"),
    "a pipe at the receipt's name": pipe("item.json"),
    "a pipe at a journal's name": pipe(f"{HIDDEN}/{FREE}.journal"),
    "a pipe at a fragment's name": pipe(f"{HIDDEN}/{FREE}.records"),
    "a device at a file's name": device("a.txt"),
    "a device at the receipt's name": device("item.json"),
    "a device at the hidden folder's name": device(HIDDEN),
    "a device at a journal's name": device(f"{HIDDEN}/{FREE}.journal"),
    "a device at a fragment's name": device(f"{HIDDEN}/{FREE}.records"),
    "a device at a partial file's name": device(f"{HIDDEN}/0a-1.part"),
    "a file at the hidden folder's name": file(HIDDEN, b"x"),
    "a deep receipt": file("item.json", b"[" * 100_000),
    "a deep object": file("item.json", b'{"assets":' * 100_000),
    "a receipt that is a list": file("item.json", [1]),
    "assets that are a list": file("item.json", {"splashdown:receipt": "item.json", "assets": [1], "features": 5}),
    "a receipt with a lone surrogate": file(
        "item.json", {"splashdown:receipt": "item.json", "assets": {"a": ENTRY | {"href": "./\ud800"}}}
    ),
    "a receipt with a NUL": file(
        "item.json", {"splashdown:receipt": "item.json", "assets": {"a": ENTRY | {"href": "./a\0"}}}
    ),
    "a receipt that leads upwards": file(
        "item.json", {"splashdown:receipt": "item.json", "assets": {"a": ENTRY | {"href": "./../elsewhere/victim.txt"}}}
    ),
    "a validator that ends a header": file(
        "item.json",
        {"splashdown:receipt": "item.json", "assets": {"a": ENTRY | {"splashdown:validator": "x\r\nHost: y"}}},
    ),
    "a receipt without a mark": file("item.json", {"assets": {"a": ENTRY}}),
    "an open upload that leads upwards": file(
        f"{HIDDEN}/{FREE}.journal", {"do": "open", "id": "1", "name": "x", "token": {"part": UPWARDS}}
    ),
    "an upload to go on with that leads upwards": file(
        f"{HIDDEN}/{FREE}.journal",
        {"do": "begin", "id": "1", "of": "x", "name": "a.txt", "token": {"part": UPWARDS}, "size": 8, "validator": "v"}
        | {"cut": [0, 8], "at": 0},
    ),
    "a journal of other types": file(
        f"{HIDDEN}/{FREE}.journal", b'{"do":"begin","id":{},"size":1e999,"cut":[0,1e999]}\nnull\n' + b"[" * 100_000
    ),
    "a fragment of other types": file(
        f"{HIDDEN}/{FREE}.records", b'{"do":"stored","name":5,"size":Infinity}\n[]\n' + b"9" * 5000 + b"\n"
    ),
    "a fragment that leads upwards": file(
        f"{HIDDEN}/{FREE}.records",
        b'{"do":"stored","name":"../elsewhere/victim.txt","size":8,"checksum":null,"validator":null,"item":null,'
        b'"key":"k","at":1}\n',
    ),
}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="links and pipes of POSIX")
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("target", TARGETS)
def test_nothing_outside_is_touched_and_one_line_is_enough(place, capsys, target, command):
    TARGETS[target](place)
    before = place.outside()
    code = main(COMMANDS[command](place))
    assert code in {0, 1, 2, 3}
    assert place.outside() == before
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert all(kind not in said for kind in ("TypeError", "RecursionError", "UnicodeEncodeError", "AttributeError"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="links and pipes of POSIX")
@pytest.mark.parametrize("target", TARGETS)
def test_a_retry_touches_nothing_outside_and_raises_what_one_line_can_say(place, target):
    for name in ("a.txt", "b.txt"):
        (place.source.parent / name).unlink()
    results = splashdown.open(place.source)
    with pytest.raises(splashdown.DownloadError) as failed:
        results.download_files(place.out)
    for name in ("a.txt", "b.txt"):
        (place.source.parent / name).write_text(f"this is {name}")
    TARGETS[target](place)
    before = place.outside()
    try:
        said = "; ".join(one.error or "" for one in results.retry(failed.value.report).outcomes)
    except splashdown.SplashdownError as error:
        said = str(error)
    assert place.outside() == before
    assert "\n" not in said
    assert all(kind not in said for kind in ("TypeError", "RecursionError", "UnicodeEncodeError", "AttributeError"))


@pytest.mark.parametrize("name", ["catalog.json", "collection.json", "items.json", "item.json", "job-results.json"])
def test_a_downloaded_file_is_never_taken_for_a_receipt(place, name):
    place.out.mkdir(exist_ok=True)
    mine = place.out / "mine.txt"
    mine.write_text("mine")
    claim = {"href": "./mine.txt", "file:size": 4, "splashdown:key": "mine", "splashdown:receipt": name}
    body = {"type": "Catalog", "stac_version": "1.0.0", "splashdown:receipt": name, "assets": {"m": claim}, "links": []}
    (place.source.parent / "claim").write_text(json.dumps(body))
    for given in ({"href": "claim"}, {"href": "claim", "file:local_path": name}):
        place.offer({name: given})
        splashdown.open(place.source).run("sync", target=place.out)
        place.offer({"a.txt": {"href": "a.txt"}})
        splashdown.open(place.source).run("sync", target=place.out, delete=True)
        assert mine.read_text() == "mine"


def test_marks_that_a_source_brings_do_not_reach_the_receipt(place):
    (place.out / "mine.txt").write_text("mine")
    stolen = {"href": "./mine.txt", "file:size": 4, "splashdown:key": "m", "file:checksum": "1220" + "00" * 32}
    place.offer({"a.txt": {"href": "a.txt"}, "m": stolen})
    with pytest.raises(splashdown.DownloadError):
        splashdown.open(place.source).download_files(place.out)
    entry = json.loads((place.out / "item.json").read_text())["assets"]["m"]
    assert "splashdown:key" not in entry


def test_a_folder_never_gets_the_name_of_a_receipt(place):
    document = {"type": "FeatureCollection", "features": [stac_item({"a": {"href": "a.txt"}}, id="catalog.json")]}
    place.source.write_text(json.dumps(document))
    results = splashdown.open(place.source)
    results.download_collection(place.out)
    assert (place.out / "catalog.json").is_file()
    names = [t.name for t in results.plan(place.out, layout="by-item").transfers]
    assert all("catalog.json" not in name.split("/") for name in names)


def test_one_key_that_a_store_keeps_does_not_end_a_sync(place, monkeypatch):
    from splashdown.builtins.local import LocalSink
    from splashdown.errors import StoreError

    splashdown.open(place.source).run("sync", target=place.out)
    place.offer({})
    place.source.write_text(json.dumps(stac_item({"c.txt": {"href": "a.txt"}})))
    delete = LocalSink.delete

    def refusing(self, key):
        if key == "a.txt":
            raise StoreError("this key is locked")
        delete(self, key)

    monkeypatch.setattr(LocalSink, "delete", refusing)
    done = splashdown.open(place.source).run("sync", target=place.out, delete=True)
    assert list(done.removed) == ["sub/b.txt"]
    assert "this key is locked" in done.left["a.txt"]


def test_a_plain_transfer_replaces_what_an_earlier_run_stored(place):
    splashdown.open(place.source).download_files(place.out)
    (place.source.parent / "a.txt").write_text("changed")
    results = splashdown.open(place.source)
    assert results.transfer(results.plan(place.out)).ok
    assert (place.out / "a.txt").read_text() == "changed"
    assert main(["verify", str(place.out), "--quiet"]) == 0
