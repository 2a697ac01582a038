"""What is watched lands as it appears; receipts alone say what is there."""

from __future__ import annotations

import json
import shutil
from contextlib import suppress

import pytest
from scripted_api import Answer, scripted_api

from splashdown._landing import waiting
from splashdown._receipts.whole import is_whole
from splashdown.errors import AuthError, ResolveError, UsageError
from splashdown.landing import watch


class Enough(BaseException):
    """The test has seen what it wants."""


@pytest.fixture
def rounds(monkeypatch):
    """What happens between two rounds, one function after the other; after the last one the watch ends."""

    def of(*steps):
        left = iter(steps)

        def sleep(seconds):
            step = next(left, None)
            if step is None:
                raise Enough
            step()

        monkeypatch.setattr(waiting.Clock, "sleep", staticmethod(sleep))

    return of


def watched(source, target, **options):
    """The lines and notices of a watch."""
    lines, said = [], []
    with suppress(Enough):
        watch(source, target, on_outcome=lambda one: lines.append(one.line), notify=said.append, **options)
    return lines, said


def test_each_job_lands_when_it_has_finished_and_once(api, tmp_path, rounds):
    for job in ("a", "b"):
        api.job(job)
    api.lists(a="finished", b="running")
    rounds(lambda: None, lambda: api.lists(a="finished", b="finished"), lambda: None)
    lines, _ = watched(api.url, tmp_path)
    assert [line.partition(",")[0] for line in lines] == ["a: landed", "b: landed"]
    assert api.server.paths().count("/jobs/a/results") == 1


def test_a_new_process_asks_the_target_and_not_the_backend(api, tmp_path):
    api.job("a")
    api.lists(a="finished")
    assert len(watched(api.url, tmp_path, once=True)[0]) == 1
    before = len(api.server.asked)
    assert watched(api.url, tmp_path, once=True)[0] == []
    assert [one.path for one in api.server.asked[before:]] == ["/.well-known/openeo", "/", "/jobs"]


def damage_receipt(folder):
    (folder / "job-results.json").write_text('{"splashdown:receipt": "job-results.json", "assets": {"a.txt": {}}}')


@pytest.mark.parametrize(
    "harm",
    [
        shutil.rmtree,
        lambda folder: (folder / "a.txt").unlink(),
        lambda folder: (folder / "a.txt").write_text("longer than it was"),
        lambda folder: (folder / "job-results.json").unlink(),
        lambda folder: (folder / "job-results.json").write_text("{"),
        lambda folder: (folder / "job-results.json").write_text("[]"),
        damage_receipt,
    ],
)
def test_a_target_that_is_not_whole_is_looked_into_again(api, tmp_path, harm):
    api.job("a")
    api.lists(a="finished")
    watched(api.url, tmp_path, once=True)
    harm(tmp_path / "a")
    before = api.server.paths().count("/jobs/a/results")
    watched(api.url, tmp_path, once=True, if_exists="overwrite")
    assert api.server.paths().count("/jobs/a/results") == before + 1
    assert (tmp_path / "a" / "a.txt").read_text() == "a"


def test_a_job_that_fails_rests_longer_each_time_and_is_said_once(api, tmp_path, rounds):
    api.job("a")
    api.server.script["/files/a"] = Answer(status=404)
    api.lists(a="finished")
    rounds(*[lambda: None] * 12, lambda: api.job("a"), *[lambda: None] * 8)
    lines, _ = watched(api.url, tmp_path)
    assert [line.partition(":")[2][:7] for line in lines] == [" failed", " landed"]
    assert api.server.paths().count("/jobs/a/results") <= 6


def test_a_backend_that_goes_for_a_while_ends_no_watch(api, tmp_path, rounds):
    api.job("a")
    api.lists()
    down = Answer({"code": "Internal", "message": "down", "id": "r"}, 500)
    rounds(lambda: api.server.script.update({"/jobs": down}), lambda: api.lists(a="finished"), lambda: None)
    lines, said = watched(api.url, tmp_path)
    assert len(lines) == 1
    assert len(said) == 1
    assert "looking again" in said[0]


def test_refused_credentials_end_a_watch(api, tmp_path, rounds):
    api.lists()
    refused = Answer({"code": "TokenInvalid", "message": "no", "id": "r"}, 403)
    rounds(lambda: api.server.script.update({"/jobs": refused}))
    with pytest.raises(AuthError):
        watched(api.url, tmp_path, auth="token")


def test_a_source_that_never_answered_and_a_job_are_not_watched(api, tmp_path):
    with pytest.raises(ResolveError):
        watched("http://127.0.0.1:9/", tmp_path)
    with pytest.raises(UsageError, match="is one job"):
        watched(f"{api.url}/jobs/a", tmp_path)


def item(url, name):
    asset = {"href": f"{url}/files/{name}.tif", "file:size": 4}
    found = {"type": "Feature", "stac_version": "1.0.0", "id": name, "collection": "c", "geometry": None}
    return found | {"properties": {}, "links": [], "assets": {"B04": asset}}


def test_items_of_a_search_land_as_they_appear(tmp_path, rounds):
    with scripted_api() as server:
        found = []
        server.script["/search"] = lambda _: Answer({"type": "FeatureCollection", "features": list(found), "links": []})
        for name in ("S2A", "S2B", "S2C"):
            server.script[f"/files/{name}.tif"] = Answer(b"II*\0", headers={"ETag": f'"{name}"'})
        server.script["/files/S2C.tif"] = Answer(status=404)
        rounds(
            lambda: found.append(item(server.url, "S2A")),
            lambda: found.extend([item(server.url, "S2B"), item(server.url, "S2C")]),
            lambda: None,
        )
        lines, _ = watched(f"{server.url}/search?collections=c", tmp_path, opening={"page_size": 10})
        assert [line.partition(":")[0] for line in lines] == ["S2A", "S2B", "S2C"]
        assert "404" in lines[2]
        assert server.paths().count("/files/S2A.tif") == 1  # nothing is asked about what is there
        entries = [one["assets"]["B04"] for one in json.loads((tmp_path / "items.json").read_text())["features"]]
        assert ["file:checksum" in one for one in entries] == [True, True, False]
        assert watched(f"{server.url}/search?collections=c", tmp_path, once=True)[0] == lines[2:]


def test_a_sink_that_cannot_be_read_is_never_whole():
    assert not is_whole(object(), "job-results.json")
