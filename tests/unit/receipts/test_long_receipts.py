"""A receipt of any length is read again by later runs; one that cannot be read is never taken for none."""

import hashlib
import json
import tracemalloc
from collections import Counter
from contextlib import contextmanager

import pytest
from stac_item import stac_item

import splashdown
from splashdown._documents import streaming
from splashdown._foreign.calls import Closing
from splashdown._receipts import packed_records, stored_bytes
from splashdown._receipts.contents import read_contents
from splashdown._receipts.memory import TargetMemory
from splashdown._receipts.packed_records import PackedRecords, records_of
from splashdown._receipts.reading import read_receipts
from splashdown._receipts.whole import is_whole
from splashdown.errors import TargetError
from splashdown.model import Member, StoredRecord
from splashdown.testing import MemorySink

NAMES = ("a.txt", "b.txt", "c.txt")


@pytest.fixture(autouse=True)
def short_limits(monkeypatch):
    """What is some hundred bytes here is some hundred megabytes outside."""
    monkeypatch.setattr(stored_bytes, "_WHOLE", 300)
    monkeypatch.setattr(stored_bytes, "_MAX_BYTES", 600)


@pytest.fixture
def few_are_many(monkeypatch):
    """Records are packed from two on."""
    monkeypatch.setattr(packed_records, "_MANY", 2)


@pytest.fixture(params=["disk", "store"])
def target(request, tmp_path):
    class Target:
        """Files of the last source are downloaded to one target again and again."""

        def __init__(self):
            self.store = {}

        source = tmp_path / "source" / "items.json"
        out = tmp_path / "out"
        on_disk = request.param == "disk"

        def offer(self, *names, kind="items"):
            self.source.parent.mkdir(exist_ok=True)
            for name in names:
                (self.source.parent / name).write_text(f"this is {name}")
            if kind == "items":
                items = [stac_item({"data": {"href": name}}, id=name.removesuffix(".txt")) for name in names]
                self.source.write_text(json.dumps({"type": "FeatureCollection", "features": items}))
            else:
                self.source.write_text(json.dumps(stac_item({name: {"href": name} for name in names})))

        def session(self):
            session = splashdown.Session(discover=False)
            if not self.on_disk:
                session.sink = lambda target, **options: MemorySink(self.store)
            return session

        def run(self, action="download_files", **options):
            where = self.out if self.on_disk else "memory://x/"
            return self.session().open(str(self.source)).run(action, target=where, layout="{filename}", **options)

        def statuses(self):
            return dict(Counter(str(one.status) for one in self.run().report.outcomes))

        def sink(self):
            return Closing(self.session().sink(str(self.out) if self.on_disk else "memory://x/"))

        def data(self):
            if not self.on_disk:
                return {name: bytes(data) for name, data in self.store.items()}
            return {path.name: path.read_bytes() for path in self.out.iterdir() if path.is_file()}

        def put(self, name, data):
            if self.on_disk:
                (self.out / name).write_bytes(data)
            else:
                self.store[name] = data

        @property
        def receipt(self):
            return next(name for name in self.data() if name.endswith(".json"))

    return Target()


@pytest.mark.usefixtures("few_are_many")
@pytest.mark.parametrize("kind", ["items", "item"])
def test_a_later_run_knows_the_files_of_a_long_receipt(target, kind):
    target.offer(*NAMES, kind=kind)
    assert target.statuses() == {"stored": 3}
    before = target.data()
    assert len(before[target.receipt]) > stored_bytes._MAX_BYTES
    assert target.statuses() == {"skipped": 3}
    assert target.data() == before


@pytest.mark.usefixtures("few_are_many")
@pytest.mark.parametrize("kind", ["items", "item"])
def test_a_changed_file_of_a_long_receipt_is_replaced_as_ones_own(target, kind):
    target.offer(*NAMES, kind=kind)
    target.run()
    (target.source.parent / "b.txt").write_text("this is another b.txt")
    assert target.statuses() == {"stored": 1, "skipped": 2}
    assert target.data()["b.txt"] == b"this is another b.txt"


@pytest.mark.usefixtures("few_are_many")
def test_what_a_source_lost_stays_known_in_a_long_receipt_until_sync(target):
    target.offer(*NAMES)
    target.run()
    target.offer("a.txt")
    for _ in range(2):
        target.run()
        with target.sink() as sink:
            assert sorted(read_receipts(sink).records) == [*NAMES]
    assert len(target.data()[target.receipt]) > stored_bytes._MAX_BYTES
    report = target.run("sync", delete=True)
    assert sorted(report.removed) == ["b.txt", "c.txt"]
    assert sorted(target.data()) == ["a.txt", target.receipt]
    assert "splashdown:stale" not in json.loads(target.data()[target.receipt])


@pytest.mark.parametrize("kind", ["items", "item"])
def test_a_folder_with_a_long_receipt_is_whole_until_a_file_is_gone(target, kind):
    target.offer(*NAMES, kind=kind)
    target.run()
    with target.sink() as sink:
        assert is_whole(sink, target.receipt)
        sink.delete("b.txt")
        assert not is_whole(sink, target.receipt)


@pytest.mark.parametrize("kind", ["items", "item"])
def test_what_was_stored_again_is_noted_in_a_long_receipt(target, kind):
    from splashdown._receipts.amending import amend_receipts

    target.offer(*NAMES, kind=kind)
    target.run()
    before = json.loads(target.data()[target.receipt])
    with target.sink() as sink:
        amend_receipts(sink, [target.receipt], {"b.txt": StoredRecord(size=7, version="v")})
        records = read_receipts(sink).records
    assert (records["b.txt"].size, records["b.txt"].checksum) == (7, None)
    assert records["a.txt"].size == len("this is a.txt")
    after = json.loads(target.data()[target.receipt])
    assert [*after] == [*before]
    assert json.dumps(after).replace('"file:size": 7', "") != json.dumps(before)
    assert Counter(str(after)).keys() <= Counter(str(before)).keys()


@pytest.mark.parametrize("limit", ["whole", "value"])
def test_a_receipt_over_the_last_limit_ends_the_run_and_stays(target, monkeypatch, limit):
    target.offer(*NAMES)
    target.run()
    target.offer("d.txt")
    if limit == "whole":
        monkeypatch.setattr(stored_bytes, "_MAX_STREAMED", 700)
    else:
        monkeypatch.setattr(streaming, "MAX_VALUE", 1000)
        receipt = target.data()[target.receipt]
        target.put(target.receipt, receipt.replace(b'"features"', b'"x": "%s", "features"' % (b"x" * 2**20), 1))
    before = target.data()
    with pytest.raises(TargetError, match=r"items\.json in the target is too large to be read .*move it away to go on"):
        target.run()
    assert target.data() == before


@pytest.mark.parametrize("target", ["disk"], indirect=True)
def test_a_receipt_over_the_last_limit_is_one_line_for_a_person(target, monkeypatch, capsys):
    from splashdown._cli.main import main

    target.offer(*NAMES)
    target.run()
    monkeypatch.setattr(stored_bytes, "_MAX_STREAMED", 700)
    assert main(["download", str(target.source), str(target.out), "--quiet"]) != 0
    (line,) = capsys.readouterr().err.splitlines()
    assert "too large to be read" in line
    assert "move it away" in line


def test_a_receipt_that_grows_too_long_during_a_run_is_kept(target, monkeypatch):
    """Another run may have written it; the files of this one are there, and noted for the next."""
    target.offer(*NAMES)
    target.run()
    before, written = target.data()[target.receipt], []
    parts = [Member(folder="", results=target.session().open(str(target.source)).result_set)]
    with target.sink() as sink, TargetMemory(sink, parts) as memory:
        memory._shared = True
        monkeypatch.setattr(stored_bytes, "_MAX_STREAMED", 700)
        with pytest.raises(TargetError):
            memory.finish(lambda known: written.append(known) or True)
    assert not written
    assert target.data()[target.receipt] == before


ENTRY = {"href": "./a.txt", "file:size": 13, "splashdown:key": "a.txt"}
PADDING = {"padding": "x" * 400}


@pytest.mark.parametrize(
    "data",
    [
        b'{"assets":' * 100_000,
        b'{"features":' + b"[" * 100_000,
        b'{"x": 1, "assets": {"a": {' + b"x" * 400,
        b"[1" + b",1" * 400 + b"]",
        b"\xff\xfe" * 400,
        b'{"assets": {}} {"assets": {}}' + b" " * 400 + b"{}",
        json.dumps({"splashdown:receipt": "item.json", "assets": [1], "features": 5, "links": 3} | PADDING).encode(),
        json.dumps({"splashdown:receipt": "items.json", "features": [1, {"assets": 3}, {}]} | PADDING).encode(),
    ],
)
def test_a_long_document_that_is_no_receipt_says_nothing_of_files(data):
    sink = MemorySink({"items.json": data})
    assert len(data) > stored_bytes._WHOLE
    assert read_receipts(sink).records == {}


def test_a_long_receipt_without_its_mark_is_refused_as_a_short_one_is():
    sink = MemorySink({"item.json": json.dumps({"assets": {"a": ENTRY}} | PADDING).encode()})
    with pytest.raises(TargetError, match="lacks its mark"):
        read_receipts(sink)


@pytest.mark.parametrize("href", ["./../x.txt", "./a\0", "./\ud800", "/etc/passwd", 5])
def test_a_long_receipt_leads_nowhere_else(href):
    body = {"splashdown:receipt": "item.json", "assets": {"a": ENTRY | {"href": href}, "b": ENTRY}} | PADDING
    sink = MemorySink({"item.json": json.dumps(body).encode()})
    assert [*read_receipts(sink).records] == ["a.txt"]


def test_short_and_long_documents_are_read_alike(monkeypatch):
    record = {"splashdown:validator": '"v"', "splashdown:item": "one", "type": "text/plain"}
    body = {
        "assets": {"a": ENTRY, "b": ENTRY | {"href": "./b.txt"} | record},
        "features": [{"id": "x", "assets": {"c": ENTRY | {"href": "./c.txt"}}}],
        "splashdown:stale": [ENTRY | {"href": "./d.txt"}, 5],
        "splashdown:stale_documents": ["./x.json"],
        "links": [{"rel": "item", "href": "./y.json"}],
        "splashdown:receipt": "items.json",
    } | PADDING
    sink = MemorySink({"f/items.json": json.dumps(body).encode()})
    long = read_contents(sink, "f/items.json", "f")
    monkeypatch.setattr(stored_bytes, "_WHOLE", 10_000)
    short = read_contents(sink, "f/items.json", "f")
    assert dict(long.records) == dict(short.records)
    assert len(long.records) == 4
    kept = ("links", "splashdown:stale_documents", "splashdown:receipt")
    assert {name: long.body[name] for name in kept} == {name: short.body[name] for name in kept}


def record(number):
    return StoredRecord(size=number, checksum=f"1220{number:064x}", identity=(f"item-{number}", "data"), version="v")


def test_packed_records_are_as_a_dictionary_of_them():
    pairs = [(f"tile-{number}.tif", record(number)) for number in range(packed_records._MANY + 100)]
    packed, plain = records_of([*pairs, ("tile-5.tif", record(7))]), dict([*pairs, ("tile-5.tif", record(7))])
    assert isinstance(packed, PackedRecords)
    for both in (packed, plain):
        both["tile-3.tif"] = record(1)
        both["new.tif"] = record(2)
        both["new.tif"] = record(3)
    assert dict(packed) == plain == dict(packed.items())
    assert ([*packed], [*packed.values()], len(packed)) == ([*plain], [*plain.values()], len(plain))
    assert [name in packed for name in ("new.tif", "tile-9.tif", "other", 5)] == [True, True, False, False]
    assert packed.get("other") is None
    with pytest.raises(KeyError):
        packed["other"]


def test_few_records_are_a_dictionary():
    assert records_of([("a", record(1))]) == {"a": record(1)}


class Slow(MemorySink):
    """Gives its bytes as stores over the network do."""

    @contextmanager
    def read(self, key):
        with super().read(key) as chunks:
            data = b"".join(chunks)
        yield (data[at : at + 65536] for at in range(0, len(data), 65536))


def test_a_receipt_of_very_many_items_takes_little_memory():
    count = packed_records._MANY
    features = [
        {
            "type": "Feature",
            "id": f"tile-{number}",
            "properties": {"datetime": "2023-06-01T00:00:00Z", "eo:cloud_cover": number % 100, "more": "x" * 200},
            "assets": {
                "data": ENTRY
                | {"href": f"./tile-{number}.tif", "file:checksum": "1220" + hashlib.sha256(b"%d" % number).hexdigest()}
                | {"splashdown:item": f"tile-{number}", "splashdown:version": f"{number * 7919}-13"}
            },
        }
        for number in range(count)
    ]
    body = {"type": "FeatureCollection", "features": features, "splashdown:receipt": "items.json"}
    sink = Slow({"items.json": json.dumps(body).encode()})
    del body, features
    tracemalloc.start()
    try:
        records = read_receipts(sink).records
        held, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(records) == count
    assert held < 150 * count
    assert peak < 200 * count + 2 * 2**20
