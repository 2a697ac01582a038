"""Sources with very many assets are packed; plans, runs, reports and receipts are what they are for few."""

from __future__ import annotations

import datetime as dt
import json
import pickle
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted import Body, ScriptedTransport, plan_of, raising, remote_of

import splashdown
from splashdown._documents.document import parse_object
from splashdown._engine.run import Run, run_plan
from splashdown._engine.settings import RetryPolicy, Settings
from splashdown._receipts.copies import LocalCopies
from splashdown._series.assets import PackedAssets, Transfers, pack
from splashdown._series.blocks import MANY
from splashdown._series.documents import PackedObject
from splashdown.builtins.memory import MemorySink
from splashdown.errors import HttpStatusError, ResolveError
from splashdown.model import Asset, IfExists, Plan

FAST = Settings(retry=RetryPolicy(base=0.0, refill=1000, attempts=2))
WORDS = st.text(max_size=5)
MOMENTS = st.none() | st.datetimes(timezones=st.just(dt.UTC))
OBJECTS = st.dictionaries(WORDS, WORDS | st.integers(), max_size=3)
ASSETS = st.builds(
    Asset,
    key=WORDS,
    href=WORDS,
    item=st.none() | WORDS,
    media_type=st.none() | WORDS,
    roles=st.tuples(WORDS) | st.just(()),
    size=st.none() | st.integers(0, 2**70),
    bbox=st.none() | st.tuples(*[st.floats(allow_nan=False)] * 4),
    geometry=st.none() | OBJECTS,
    start=MOMENTS,
    end=MOMENTS,
    metadata=OBJECTS,
    properties=OBJECTS,
)


def packed(assets):
    series = PackedAssets()
    for asset in assets:
        series.append(asset)
    return series


@settings(max_examples=50)
@given(st.lists(ASSETS, max_size=150), st.data())
def test_assets_come_out_as_they_went_in(assets, data):
    series = packed(assets)
    assert list(series) == assets
    assert series == tuple(assets)
    assert pickle.loads(pickle.dumps(series)) == tuple(assets)
    if assets:
        at = data.draw(st.integers(-len(assets), len(assets) - 1))
        assert series[at] == assets[at]
        assert series[at:] == tuple(assets[at:])
    with pytest.raises(IndexError):
        series[len(assets)]


def test_few_assets_stay_a_tuple():
    assets = [Asset(key=str(n), href=f"http://h/{n}") for n in range(MANY)]
    assert type(pack(assets[1:])) is tuple
    assert type(pack(assets)) is PackedAssets


def as_packed(plan: Plan, if_exists: IfExists = IfExists.AUTO) -> Plan:
    names = [one.name for one in plan.transfers]
    return replace(plan, transfers=Transfers(packed(one.asset for one in plan.transfers), names, if_exists))


def run(bodies, plan, sink=None, **chosen):
    transport = ScriptedTransport(bodies)
    return run_plan(Run(plan=plan, sink=sink or MemorySink()), remote_of(transport, replace(FAST, **chosen)))


def bodies(count, broken=()):
    made = {f"http://h{n % 3}/{n}.bin": Body(b"x" * (n + 1)) for n in range(count)}
    for n in broken:
        made[f"http://h{n % 3}/{n}.bin"].faults.append(raising(HttpStatusError("it is gone", status=404)))
    return made


def timeless(outcomes):
    return [replace(outcome, seconds=0.0) for outcome in outcomes]


@pytest.mark.parametrize("broken", [(), (3, 64, 149), range(150)])
def test_a_packed_plan_ends_in_the_same_report(broken):
    plan = plan_of(bodies(150))
    report = run(bodies(150, broken), as_packed(plan))
    expected = run(bodies(150, broken), plan)
    assert [len(report.outcomes), len(report.landed), len(report.failed)] == [150, 150 - len(broken), len(broken)]
    for series in ("outcomes", "landed", "failed"):
        assert timeless(getattr(report, series)) == timeless(getattr(expected, series))
    assert (report.ok, report.bytes_moved) == (expected.ok, expected.bytes_moved)
    assert report.plan.known_size == plan.known_size
    again = pickle.loads(pickle.dumps(report))
    assert type(again.outcomes) is type(again.plan.transfers) is tuple
    assert again == report


def test_a_packed_plan_tells_of_files_that_were_renamed(tmp_path):
    sink = MemorySink({f"{n}.bin": b"somebody else's" for n in range(5)})
    report = run(bodies(70), as_packed(plan_of(bodies(70)), IfExists.RENAME), sink)
    assert [o.transfer.name for o in report.outcomes[3:7]] == ["3-1.bin", "4-1.bin", "5.bin", "6.bin"]
    assert {o.transfer.name for o in report.landed} <= set(sink.store)


def test_what_was_not_tried_is_in_the_report_of_a_packed_plan(tmp_path):
    report = run(bodies(150, [0]), as_packed(plan_of(bodies(150))), fail_fast=True, jobs=1)
    assert len(report.outcomes) == len(report.failed) + len(report.not_tried) == 150
    assert {o.error_type for o in (*report.failed, *report.not_tried)} == {"HttpStatusError", "StoppedError"}
    assert not report.landed


def test_copies_are_found_by_asset_and_the_newest_counts():
    copies = LocalCopies()
    first = run(bodies(100, [7]), as_packed(plan_of(bodies(100))))
    second = run(bodies(3), plan_of(bodies(3)))
    copies.add(first.landed)
    copies.add(second.landed)
    assert copies.get(first.plan.transfers[7].asset.identity) is None
    assert copies.get(first.plan.transfers[9].asset.identity) == first.outcomes[9]
    assert copies.get(first.plan.transfers[2].asset.identity) is second.outcomes[2]


def many_assets(folder, count=MANY + 5, **fields):
    """A Collection of more than a megabyte whose assets are files below ``folder``."""
    assets = {}
    for n in range(count):
        path = folder / f"{n}.txt"
        path.write_text(str(n))
        assets[path.name] = {"href": path.as_uri(), "roles": ["data"], "title": "x" * 1000, "file:size": len(str(n))}
    extent = {"spatial": {"bbox": [[1, 2, 3, 4]]}, "temporal": {"interval": [["2023-06-01T00:00:00Z", None]]}}
    head = {"type": "Collection", "stac_version": "1.0.0", "id": "many", "links": [], "extent": extent}
    return {**head, "description": "Many", "license": "other", "assets": assets, **fields}


@pytest.mark.parametrize(
    "kind",
    [
        {},
        {"stac_version": "0.9.0"},
        {"type": "Feature", "bbox": [1, 2, 3, 4], "geometry": None, "properties": {"datetime": "2023-06-01T00:00:00Z"}},
    ],
)
def test_a_document_that_lists_very_many_assets_is_read_and_saved_as_a_small_one_is(tmp_path, kind):
    document = many_assets(tmp_path, **kind)
    path = tmp_path / "source.json"
    path.write_text(json.dumps(document))
    small, large = splashdown.open(document, base=path.as_uri()), splashdown.open(path)
    assert large.get_metadata() == small.get_metadata()
    assert json.loads(json.dumps(large.get_metadata())) == small.get_metadata()
    assert list(large.assets) == list(small.assets)
    for results, name in ((small, "small"), (large, "large")):
        assert len(results.download_files(tmp_path / name)) == MANY + 6
    receipts = [next((tmp_path / name).glob("[!.]*.json")).read_text() for name in ("small", "large")]
    # The time of each stored file is its own.
    receipts = [re.sub(r'"splashdown:version": "[\d-]+"', '"splashdown:version": ""', one) for one in receipts]
    assert receipts[0] == receipts[1]


def test_a_catalog_is_made_of_a_document_that_lists_very_many_assets(tmp_path):
    path = tmp_path / "source.json"
    path.write_text(json.dumps(many_assets(tmp_path)))
    results = splashdown.open(path).select(keys="1*.txt")
    root = json.loads(results.download_collection(tmp_path / "out").read_text())
    assert set(root["assets"]) == {asset.key for asset in results.assets}


def test_very_many_assets_of_a_large_answer_are_packed(tmp_path):
    document = many_assets(tmp_path)
    body = parse_object(json.dumps(document).encode(), "http://h/results")
    assert type(body["assets"]) is PackedObject
    assert pickle.loads(pickle.dumps(body)) == document


def test_of_members_with_one_key_the_last_counts_however_many_there_are():
    members = ", ".join(f'"{n % (2 * MANY)}": {{"href": "{"x" * 600}{n}"}}' for n in range(3 * MANY))
    text = f'{{"assets": {{{members}}}}}'
    body = parse_object(text.encode(), "http://h/results")
    assert type(body["assets"]) is PackedObject
    assert dict(body["assets"]) == json.loads(text)["assets"]


@pytest.mark.parametrize("left_out", [1, 2, 500_000])
def test_a_large_answer_that_is_cut_off_is_refused(tmp_path, left_out):
    data = json.dumps(many_assets(tmp_path)).encode()
    with pytest.raises(ResolveError, match="holds JSON that is broken or cut off"):
        parse_object(data[:-left_out], "http://h/results")
