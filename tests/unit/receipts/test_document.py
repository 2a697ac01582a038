"""The receipt says what landed, and nothing that should stay secret."""

import json
from dataclasses import replace

import pytest
from receipts import encoded, whole
from stac_item import stac_item

import splashdown
from splashdown._receipts import document as receipt
from splashdown._receipts.reading import TargetRecords, read_receipts
from splashdown.builtins.memory import MemorySink
from splashdown.errors import StoreError
from splashdown.model import Asset, Outcome, ResultSet, Status, StoredRecord, Transfer

SIGNED = "https://user:pw@host.example/results/a.tif?X-Amz-Signature=secret&expires=1"


def result_set(kind="job", document=None, assets=()):
    return ResultSet(id="j", kind=kind, assets=assets, document=document or {}, href="https://host.example/jobs/j")


def landed(asset, name="a.tif", **fields):
    given = {"size": 3, "checksum": "1220" + "ab" * 32, "validator": '"e1"', **fields}
    return Outcome(transfer=Transfer(asset=asset, name=name), status=Status.STORED, location=name, **given)


@pytest.fixture
def asset():
    return Asset(key="a.tif", href=SIGNED, metadata={"href": SIGNED, "type": "image/tiff"})


@pytest.fixture
def document():
    return {
        "type": "Collection",
        "id": "j",
        "assets": {"a.tif": {"href": SIGNED, "type": "image/tiff"}},
        "links": [{"rel": "self", "href": SIGNED}, {"rel": "canonical", "href": SIGNED}],
    }


def test_what_landed_has_a_relative_href_size_and_checksum(asset, document):
    entry = whole(result_set(document=document, assets=[asset]), [landed(asset)])["assets"]["a.tif"]
    assert entry["href"] == "./a.tif"
    assert entry["file:size"] == 3
    assert entry["file:checksum"] == "1220" + "ab" * 32
    assert entry["type"] == "image/tiff"


def test_no_signature_token_or_password_is_written(asset, document):
    text = json.dumps(whole(result_set(document=document, assets=[asset]), []))
    assert "secret" not in text
    assert "pw@" not in text


def test_no_link_is_left_that_leads_a_reader_away_from_the_receipt(asset, document):
    document["links"] += [{"rel": rel, "href": f"./{rel}.json"} for rel in ("item", "child", "next", "parent", "root")]
    document["links"] += [{"rel": "license", "href": "./LICENSE"}]
    built = whole(result_set(document=document, assets=[asset]), [landed(asset)])
    assert built["links"] == [{"rel": "license", "href": "https://host.example/results/LICENSE"}]


def test_the_document_of_the_caller_is_not_changed(asset, document):
    before = json.dumps(document)
    whole(result_set(document=document, assets=[asset]), [landed(asset)])
    assert json.dumps(document) == before


def test_what_is_read_back_is_what_was_written(asset, document):
    built = whole(result_set(document=document, assets=[asset]), [landed(asset)])
    expected = StoredRecord(
        size=3, checksum="1220" + "ab" * 32, validator='"e1"', identity=(None, "a.tif"), written_at=7.0
    )
    assert receipt.stored_records(built, 7.0) == {"a.tif": expected}


def test_an_asset_of_a_linked_item_is_listed_at_the_root_and_keeps_its_identity(document):
    asset = Asset(key="a.tif", item="one", href="https://host.example/one/a.tif", metadata={})
    built = whole(result_set(document=document, assets=[asset]), [landed(asset, "one/a.tif")])
    assert built["assets"]["one/a.tif"]["href"] == "./one/a.tif"
    assert receipt.stored_records(built)["one/a.tif"].identity == ("one", "a.tif")


def test_assets_of_features_are_described_where_they_are():
    document = {"type": "FeatureCollection", "features": [{"type": "Feature", "id": n, "assets": {}} for n in "xy"]}
    assets = [Asset(key="b", item=n, href=f"https://host.example/{n}/b", metadata={}) for n in "xy"]
    outcomes = [landed(a, f"{a.item}/b") for a in assets]
    built = whole(result_set("items", document, assets), outcomes)
    assert [f["assets"]["b"]["href"] for f in built["features"]] == ["./x/b", "./y/b"]


def test_what_an_earlier_run_put_there_stays_described(asset, document):
    first = whole(result_set(document=document, assets=[asset]), [landed(asset)])
    again = whole(result_set(document=document, assets=[asset]), [], receipt.stored_records(first))
    assert receipt.stored_records(again) == receipt.stored_records(first)


def test_it_goes_through_the_sink_and_comes_back(asset, document):
    sink = MemorySink()
    built = whole(result_set(document=document, assets=[asset]), [landed(asset)])
    receipt.write(sink, "job-results.json", built)
    found = read_receipts(sink)
    assert found.documents == ("job-results.json",)
    assert {name: replace(entry, written_at=None) for name, entry in found.records.items()} == receipt.stored_records(
        built
    )


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"\xff\xfe"])
def test_a_broken_receipt_counts_as_none(text):
    sink = MemorySink()
    receipt.store_bytes(sink, "job-results.json", text, "application/json")
    assert read_receipts(sink) == TargetRecords()


def test_an_href_that_leads_elsewhere_is_not_taken_for_ours():
    document = {"assets": {"a": {"href": "../a", "file:size": 1, "splashdown:key": "a"}, "b": {"href": "./b"}}}
    assert receipt.stored_records(document) == {}


def test_files_that_the_source_does_not_list_any_more_are_remembered(asset, document):
    first = whole(result_set(document=document, assets=[asset]), [landed(asset)])
    again = whole(result_set(document={"type": "Collection", "id": "j"}), [], receipt.stored_records(first))
    assert receipt.stored_records(again) == receipt.stored_records(first)


class Watched(MemorySink):
    """Notes how large the chunks are, and may fail after some bytes."""

    def __init__(self, most=None):
        super().__init__()
        self.sizes, self.most = [], most

    def put_part(self, upload, part, chunks):
        return super().put_part(upload, part, self.seen(chunks))

    def seen(self, chunks):
        for chunk in chunks:
            self.sizes.append(len(chunk))
            if self.most is not None and sum(self.sizes) > self.most:
                raise StoreError("the disk is full")
            yield chunk


def many_items():
    items = [{"type": "Feature", "id": f"i{n}", "assets": {"b": {"href": SIGNED}}, "links": []} for n in range(3000)]
    assets = [Asset(key="b", item=f"i{n}", href=SIGNED, metadata={}) for n in range(3000)]
    results = ResultSet(id="s", kind="items", assets=assets, document={"type": "FeatureCollection"}, items=items)
    return results, [landed(asset, f"{asset.item}/b") for asset in assets]


def many_assets():
    listed = {f"a{n}.tif": {"href": SIGNED, "title": "t" * 100} for n in range(3000)}
    assets = [Asset(key=key, href=SIGNED, metadata=entry) for key, entry in listed.items()]
    results = result_set(document={"type": "Collection", "id": "j", "assets": listed}, assets=assets)
    return results, [landed(asset, asset.key) for asset in assets]


@pytest.mark.parametrize("make", [many_items, many_assets])
def test_a_long_receipt_goes_to_the_sink_in_pieces_and_says_all_the_same(make):
    results, outcomes = make()
    sink = Watched()
    receipt.write(sink, "receipt.json", receipt.receipt_document(results, outcomes))
    marked = {**receipt.receipt_document(results, outcomes), "splashdown:receipt": "receipt.json"}
    assert sink.store["receipt.json"] == encoded(marked)
    assert len(receipt.stored_records(json.loads(sink.store["receipt.json"]))) == 3000
    assert len(sink.sizes) > 2
    assert max(sink.sizes) < 512 * 1024


def test_a_long_receipt_that_cannot_be_written_whole_leaves_the_earlier_one():
    results, outcomes = many_items()
    sink = Watched(most=500_000)
    receipt.store_bytes(sink, "receipt.json", b"{}", "application/json")
    with pytest.raises(StoreError, match="full"):
        receipt.write(sink, "receipt.json", receipt.receipt_document(results, outcomes))
    assert sink.store == {"receipt.json": b"{}"}
    assert not sink._uploads


def test_of_two_features_with_one_id_the_last_has_the_assets_and_what_has_no_feature_is_at_the_root():
    document = {"type": "FeatureCollection", "features": [{"type": "Feature", "id": "x", "n": n} for n in (1, 2)]}
    assets = [Asset(key="b", item=n, href=f"https://host.example/{n}/b", metadata={}) for n in ("x", "x-2", None)]
    built = whole(result_set("items", document, assets), [landed(a, f"{a.item}/b") for a in assets])
    assert ["assets" in feature for feature in built["features"]] == [False, True]
    assert {key: entry["href"] for key, entry in built["assets"].items()} == {"x-2/b": "./x-2/b", "b": "./None/b"}


@pytest.mark.parametrize("count", [1, 2000])
def test_no_number_is_written_that_json_does_not_have(count):
    properties = {"datetime": None, "cloud": float("nan"), "most": [float("inf"), 1.5]}
    items = [
        stac_item({"a": {"href": "a", "scale": float("nan")}}, properties=properties, id=str(n)) for n in range(count)
    ]
    text = encoded({"type": "FeatureCollection", "features": items})

    def refuse(name):
        raise AssertionError(name)

    read = json.loads(text, parse_constant=refuse)["features"][-1]
    assert read["properties"] == {"datetime": None, "cloud": None, "most": [None, 1.5]}
    assert read["assets"]["a"]["scale"] is None


@pytest.mark.parametrize(("layout", "name"), [("openeo", "B04é-T31UFS.jp2"), ("by-item", "item/T31UFS.jp2")])
def test_a_copy_of_a_target_has_the_names_of_the_original(tmp_path, layout, name):
    (tmp_path / "T31UFS.jp2").write_bytes(b"band")
    source = tmp_path / "source.json"
    source.write_text(json.dumps(stac_item({"B04 é": {"href": "T31UFS.jp2"}}, id="item")))
    splashdown.open(source).download_files(tmp_path / "one", layout=layout)
    assert (tmp_path / "one" / name).read_bytes() == b"band"
    splashdown.open(tmp_path / "one/item.json").download_files(tmp_path / "two")
    names = [
        {path.relative_to(folder) for path in folder.rglob("*")} for folder in (tmp_path / "one", tmp_path / "two")
    ]
    assert names[0] == names[1]
