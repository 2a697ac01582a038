"""A run that meets files which are there already: one listing decides as single looks do, and nothing is believed."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted import Body, ScriptedTransport, remote_of, sha256

from splashdown._engine import settled
from splashdown._engine.context import Forgetful
from splashdown._engine.run import Run, run_plan
from splashdown._engine.settings import RetryPolicy, Settings
from splashdown._receipts import listing
from splashdown._receipts.kept import kept_records
from splashdown._receipts.listing import FEWEST, MOST_FOREIGN
from splashdown._receipts.source_mark import source_mark
from splashdown.builtins.local import LocalSink
from splashdown.errors import StoreError
from splashdown.model import Asset, IfExists, Plan, RunReport, Status, StoredRecord, Transfer
from splashdown.protocols import SupportsStatAll

FAST = Settings(retry=RetryPolicy(base=0.0, refill=1000, attempts=1), jobs=2)
TRUSTING = replace(FAST, trust_metadata=True)
COUNT = 60
NAMES = [f"dir{n % 3}/{n}.bin" for n in range(COUNT)]


class Watched(LocalSink):
    """A folder that counts how it is asked."""

    def __init__(self, root):
        super().__init__(root)
        self.looks = self.listings = 0

    def stat(self, key):
        self.looks += 1
        return super().stat(key)

    def stat_all(self):
        self.listings += 1
        return super().stat_all()


class Alone(LocalSink):
    """A folder that can be asked for single files only."""

    stat_all = None


def data_of(name):
    return name.encode() * 20


def asset_of(name, *, promised=True, **more):
    data = data_of(name)
    promise = {"size": len(data), "checksum": sha256(data)} if promised else {}
    return Asset(key=name, href=f"http://h/{name}", **promise | more)


def transfers_of(names=NAMES, policy=IfExists.AUTO, **asset):
    return tuple(Transfer(asset=asset_of(name, **asset), name=name, if_exists=policy) for name in names)


def transport_of(names=NAMES):
    return ScriptedTransport({f"http://h/{name}": Body(data_of(name)) for name in names})


def run(sink, transfers, recorded, chosen=FAST, transport=None):
    transport = transport or transport_of()
    memory = Forgetful(recorded=recorded)
    report = run_plan(
        Run(plan=Plan(target="out", transfers=transfers), sink=sink, memory=memory), remote_of(transport, chosen)
    )
    return report.outcomes, transport


def records_of(outcomes):
    """What a receipt would say of the files of a run."""
    return {
        one.transfer.name: StoredRecord(
            size=one.size,
            checksum=one.checksum,
            validator=one.validator,
            identity=one.asset.identity,
            version=one.version,
            source_mark=one.source_mark,
        )
        for one in outcomes
    }


def stored(folder, **asset):
    """A target in which an earlier run has stored all files; its records."""
    outcomes, _ = run(LocalSink(folder), transfers_of(**asset), {})
    assert {one.status for one in outcomes} == {Status.STORED}
    return records_of(outcomes)


def test_complete_files_cost_one_listing_and_no_request(tmp_path):
    recorded, sink = stored(tmp_path), Watched(tmp_path)
    outcomes, transport = run(sink, transfers_of(), recorded)
    assert {(one.status, one.reason) for one in outcomes} == {(Status.SKIPPED, "complete")}
    assert (sink.listings, sink.looks, transport.requests) == (1, 0, [])
    # The next receipt says of the files what the last one said.
    assert records_of(outcomes) == {name: replace(one, source_mark=None) for name, one in recorded.items()}


def test_files_without_a_promise_are_listed_and_each_source_is_asked(tmp_path):
    recorded, sink = stored(tmp_path, promised=False), Watched(tmp_path)
    outcomes, transport = run(sink, transfers_of(promised=False), recorded)
    assert len(transport.requests) == COUNT
    assert all(request.unless == '"v1"' for request in transport.requests)
    assert (sink.listings, sink.looks) == (1, 0), "what was listed is not looked at again"
    assert {one.reason for one in outcomes} == {"not changed since it was stored"}


def test_few_files_are_looked_at_one_by_one(tmp_path):
    recorded, sink = stored(tmp_path), Watched(tmp_path)
    few = transfers_of(NAMES[: FEWEST - 1])
    outcomes, _ = run(sink, few, recorded)
    assert {one.reason for one in outcomes} == {"complete"}
    assert (sink.listings, sink.looks) == (0, len(few))


def test_a_listing_of_a_foreign_target_is_given_up(tmp_path):
    recorded = stored(tmp_path)
    for n in range(MOST_FOREIGN * COUNT):
        (tmp_path / f"0-foreign-{n}").touch()
    sink = Watched(tmp_path)
    outcomes, _ = run(sink, transfers_of(), recorded)
    assert {one.reason for one in outcomes} == {"complete"}
    assert (sink.listings, sink.looks) == (1, COUNT)


def test_a_listing_that_fails_costs_no_more_than_the_saving(tmp_path):
    class Broken(Watched):
        def stat_all(self):
            yield from list(super().stat_all())[:10]
            raise StoreError("no right to list")

    recorded, sink = stored(tmp_path), Broken(tmp_path)
    outcomes, transport = run(sink, transfers_of(), recorded)
    assert {one.reason for one in outcomes} == {"complete"}
    assert (sink.looks, transport.requests) == (COUNT, [])


def test_nothing_is_listed_while_another_run_is_active(tmp_path):
    recorded, sink = stored(tmp_path), Watched(tmp_path)
    run_plan(
        Run(
            plan=Plan(target="out", transfers=transfers_of()),
            sink=sink,
            memory=Forgetful(recorded=recorded, alone=False),
        ),
        remote_of(transport_of(), FAST),
    )
    assert sink.listings == 0


def test_records_of_files_that_a_run_left_alone_cost_one_listing(tmp_path):
    recorded, sink = stored(tmp_path), Watched(tmp_path)
    change(tmp_path, recorded, NAMES[7], "missing")
    change(tmp_path, recorded, NAMES[8], "shorter")
    kept = kept_records(sink, recorded, RunReport(plan=Plan(target="out", transfers=()), outcomes=()))
    assert kept.keys() == {*NAMES} - {NAMES[7], NAMES[8]}
    assert (sink.listings, sink.looks) == (1, 0)


CHANGES = ("none", "bytes", "shorter", "missing", "touched", "link", "replaced", "unrecorded", "other asset")


def change(folder, recorded, name, how):
    path = folder / name
    if how == "bytes":
        at = path.stat().st_mtime_ns
        path.write_bytes(data_of(name)[::-1])
        os.utime(path, ns=(at + 10**9, at + 10**9))  # later than a tick of the clock
    elif how == "shorter":
        path.write_bytes(data_of(name)[:-1])
    elif how == "missing":
        path.unlink()
    elif how == "touched":
        os.utime(path, (1, 1))
    elif how == "link":
        path.rename(folder / "elsewhere")
        path.symlink_to(folder / "elsewhere")
    elif how == "replaced":
        before = path.stat()
        other = path.with_name("other")
        other.write_bytes(data_of(name)[::-1])
        os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
        other.replace(path)
    elif how == "unrecorded":
        del recorded[name]
    elif how == "other asset":
        recorded[name] = replace(recorded[name], identity=("item", "another"))


def verdicts(outcomes, folder):
    """What became of each file, without what differs between two folders."""
    return [
        (
            one.transfer.name,
            one.status,
            one.reason,
            one.error_type,
            one.checksum,
            one.validator,
            one.ours,
            one.source_mark,
        )
        for one in outcomes
    ], {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("trust", [False, True])
@given(
    changes=st.lists(
        st.tuples(st.sampled_from(range(12)), st.sampled_from(CHANGES)), max_size=6, unique_by=lambda c: c[0]
    ),
    policy=st.sampled_from(IfExists),
    promised=st.booleans(),
)
@settings(max_examples=30, deadline=None)
def test_one_listing_decides_as_single_looks_do(trust, changes, policy, promised):
    names, found = NAMES[:12], []
    more = {} if promised else {"metadata": {"updated": "2024-01-01T00:00:00Z"}}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(listing, "FEWEST", 1)
        patch.setattr(settled, "FEWEST", 1)
        assert not isinstance(Alone(Path()), SupportsStatAll)
        for kind in (LocalSink, Alone):
            with tempfile.TemporaryDirectory() as folder:
                target = Path(folder)
                transfers = transfers_of(names, promised=promised, **more)
                recorded = records_of(run(LocalSink(target), transfers, {})[0])
                for at, how in changes:
                    change(target, recorded, names[at], how)
                later = tuple(replace(one, if_exists=policy) for one in transfers)
                sink = kind(target)
                outcomes, transport = run(sink, later, recorded, TRUSTING if trust else FAST)
                sink.close()
                asked = sorted((request.href, request.unless) for request in transport.requests)
                found.append((verdicts(outcomes, target), asked))
    assert found[0] == found[1]


@pytest.mark.parametrize("how", ["bytes", "shorter", "missing", "replaced"])
@pytest.mark.parametrize("promised", [True, False])
def test_a_file_that_is_not_what_was_stored_is_stored_again(tmp_path, how, promised):
    more = {"promised": promised, "metadata": {"updated": "2024-01-01T00:00:00Z"}}
    recorded = stored(tmp_path, **more)
    change(tmp_path, recorded, NAMES[7], how)
    outcomes, transport = run(LocalSink(tmp_path), transfers_of(**more), recorded, TRUSTING)
    assert (tmp_path / NAMES[7]).read_bytes() == data_of(NAMES[7])
    assert [one.transfer.name for one in outcomes if one.status is Status.STORED] == [NAMES[7]]
    assert [request.href for request in transport.requests] == [f"http://h/{NAMES[7]}"]


def test_a_link_in_the_place_of_a_file_is_not_followed(tmp_path):
    recorded = stored(tmp_path)
    change(tmp_path, recorded, NAMES[7], "link")
    outcomes, _ = run(LocalSink(tmp_path), transfers_of(), recorded)
    assert [one.transfer.name for one in outcomes if one.status is Status.FAILED] == [NAMES[7]]
    assert (tmp_path / NAMES[7]).is_symlink()


def test_a_file_with_a_new_time_and_the_same_bytes_is_read_once(tmp_path):
    recorded = stored(tmp_path)
    change(tmp_path, recorded, NAMES[7], "touched")
    sink = Watched(tmp_path)
    outcomes, transport = run(sink, transfers_of(), recorded)
    assert ({one.reason for one in outcomes}, transport.requests, sink.looks) == ({"complete"}, [], 1)
    again = Watched(tmp_path)
    run(again, transfers_of(), records_of(outcomes))
    assert again.looks == 0


# -- trust_metadata --------------------------------------------------------------------------------------------------

UPDATED = {"updated": "2024-01-01T00:00:00Z"}


def test_trusted_metadata_that_are_the_same_cost_no_request(tmp_path):
    about = {"promised": False, "metadata": UPDATED, "size": None}
    recorded = stored(tmp_path, **about)
    outcomes, transport = run(LocalSink(tmp_path), transfers_of(**about), recorded, TRUSTING)
    assert transport.requests == []
    assert {one.reason for one in outcomes} == {"not changed, by its metadata"}
    assert records_of(outcomes) == recorded
    _, transport = run(LocalSink(tmp_path), transfers_of(**about), recorded)
    assert len(transport.requests) == COUNT, "who does not trust asks"


@pytest.mark.parametrize(
    "later",
    [
        {"metadata": {"updated": "2024-01-02T00:00:00Z"}},
        {"metadata": {}},
        {"metadata": UPDATED, "size": len(data_of(NAMES[0]))},
        {"metadata": UPDATED, "href": f"http://h/{NAMES[1]}"},
    ],
    ids=["updated", "no updated", "size", "href"],
)
def test_metadata_that_differ_are_not_trusted(tmp_path, later):
    before = asset_of(NAMES[0], promised=False, metadata=UPDATED)
    outcomes, _ = run(LocalSink(tmp_path), (Transfer(asset=before, name="a"),), {})
    after = (Transfer(asset=replace(before, **later), name="a"),)
    _, transport = run(LocalSink(tmp_path), after, records_of(outcomes), TRUSTING)
    assert len(transport.requests) == 1


def test_metadata_without_updated_are_not_trusted(tmp_path):
    recorded = stored(tmp_path, promised=False)
    _, transport = run(LocalSink(tmp_path), transfers_of(promised=False), recorded, TRUSTING)
    assert len(transport.requests) == COUNT


def test_what_was_kept_unread_is_not_trusted_later(tmp_path):
    old, new = ({"metadata": {"updated": f"2024-01-0{day}T00:00:00Z"}, "promised": False} for day in (1, 2))
    recorded = stored(tmp_path, **old)
    outcomes, _ = run(LocalSink(tmp_path), transfers_of(policy=IfExists.SKIP, **new), recorded)
    assert {one.reason for one in outcomes} == {"there already"}
    _, transport = run(LocalSink(tmp_path), transfers_of(**new), records_of(outcomes), TRUSTING)
    assert len(transport.requests) == COUNT


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://h/a.tif?X-Amz-Date=1&X-Amz-Signature=abc", "https://h/a.tif?X-Amz-Date=2&X-Amz-Signature=def"),
        ("https://h/a.tif?sv=1&se=2&sig=abc", "https://h/a.tif?sv=1&se=3&sig=def"),
        ("https://h/a.tif?Expires=1&Signature=a&Key-Pair-Id=k", "https://h/a.tif?Expires=2&Signature=b&Key-Pair-Id=l"),
        ("https://h/a.tif?id=7&token=abc", "https://h/a.tif?id=7&token=def"),
        ("https://u:secret@h/a.tif", "https://h/a.tif"),
        (f"https://h/results/assets/bWU/{'a' * 32}/a.tif?expires=1", f"https://h/results/assets/bWU/{'b' * 32}/a.tif"),
    ],
)
def test_two_signed_links_to_one_file_have_one_mark(one, other):
    marks = [source_mark(Asset(key="a", href=href, metadata=UPDATED)) for href in (one, other)]
    assert marks[0] == marks[1] is not None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://h/a.tif?id=7", "https://h/a.tif?id=8"),
        ("https://h/a.tif?se=1", "https://h/a.tif?se=2"),
        ("https://h/a.tif", "https://h/b.tif"),
        ("https://h/a.tif", "https://i/a.tif"),
    ],
)
def test_links_to_two_files_have_two_marks(one, other):
    marks = [source_mark(Asset(key="a", href=href, metadata=UPDATED)) for href in (one, other)]
    assert marks[0] != marks[1]


def test_metadata_that_promise_a_checksum_need_no_mark():
    assert source_mark(Asset(key="a", href="https://h/a", metadata=UPDATED, checksum=sha256(b""))) is None


def test_the_updated_of_the_item_counts_where_the_asset_has_none():
    own, its = (
        Asset(key="a", href="https://h/a", metadata=UPDATED),
        Asset(key="a", href="https://h/a", properties=UPDATED),
    )
    assert source_mark(own) == source_mark(its) is not None
