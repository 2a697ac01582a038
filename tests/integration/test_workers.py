"""Files that workers move: as without them, whoever is lost, and without a secret on the way."""

from __future__ import annotations

import io
import json
import multiprocessing
import os
import pickle
import re
import signal
import subprocess
import sys
import threading
import time
import zipfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from executors import Losing, Pickling, Twice
from fault_server import FaultServer
from faults import Drip, Status
from functions_of_workers import die_in_the_middle_of_the_first_batch
from limited_server import LimitedServer

import splashdown
from splashdown import DownloadError, IfExists, Session, Settings
from splashdown._plugins.reopening import ReadAgain
from splashdown._workers.work import Batch
from splashdown.auth import read_environment
from splashdown.builtins.processes import given
from splashdown.errors import OptionError, PluginError, UsageError
from splashdown.events import RunStarted, TransferFinished, WorkersProgress


@pytest.fixture
def server():
    with FaultServer() as running:
        yield running


@pytest.fixture(scope="module")
def pool():
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as made:
        yield made


def item(server, folder, count, *, said=False, **more):
    """An item with so many files, of which the metadata say as good as nothing."""
    assets = {}
    for number in range(count):
        content = f"{number:04d}".encode() * 500
        server.add(f"/f{number}.bin", content, **more)
        assets[f"a{number:03d}.bin"] = {"href": f"{server.url}/f{number}.bin"}
        if said:
            assets[f"a{number:03d}.bin"]["file:size"] = len(content)
    return stac(folder, assets)


def stac(folder, assets):
    folder.mkdir(exist_ok=True)
    document = {"type": "Feature", "stac_version": "1.0.0", "id": "i", "geometry": None, "links": [], "assets": assets}
    path = folder / "item.json"
    path.write_text(json.dumps(document | {"properties": {"datetime": "2024-01-01T00:00:00Z"}}))
    return str(path)


def held(target: Path) -> dict[str, bytes]:
    return {str(path.relative_to(target)): path.read_bytes() for path in target.rglob("*") if path.is_file()}


def assert_whole(target: Path, count: int) -> None:
    names = sorted(held(target))
    assert names == sorted(["item.json", *(f"a{n:03d}.bin" for n in range(count))])
    receipt = json.loads((target / "item.json").read_text())
    assert all("file:checksum" in one for one in receipt["assets"].values())
    with Session() as session:
        assert session.run("verify", target).ok


def test_the_rate_of_a_run_is_divided_among_its_workers(server, tmp_path):
    source = item(server, tmp_path / "source", 3)
    with Session(settings=Settings(limit_rate=30_000_000)) as session, Pickling(3) as executor:
        session.open(source).download_files(tmp_path / "out", executor=executor)
    batches = [one for data in executor.sent for one in pickle.loads(data)[1] if isinstance(one, Batch)]
    assert {one.shared.common.settings.limit_rate for one in batches} == {10_000_000}
    assert_whole(tmp_path / "out", 3)


def test_a_process_pool_lands_the_same_as_no_executor(server, tmp_path, pool):
    source = item(server, tmp_path / "source", 30)
    with Session() as session:
        results = session.open(source)
        plain = results.transfer(results.plan(tmp_path / "plain"))
        events = []
        results.download_files(tmp_path / "far", executor=pool, listeners=[events.append])
        results.download_files(tmp_path / "near")
    assert held(tmp_path / "far").keys() == held(tmp_path / "near").keys()
    far, near = (json.loads((tmp_path / name / "item.json").read_text())["assets"] for name in ("far", "near"))
    for one in (*far.values(), *near.values()):
        del one["splashdown:version"]  # of the file, which is another one
    assert far == near
    (finished,) = (event.report for event in events if hasattr(event, "report"))

    def compared(report):
        return [(one.asset, one.status, one.size, one.checksum, one.verified, one.attempts) for one in report.outcomes]

    assert compared(finished) == compared(plain)
    assert [event.workers for event in events if isinstance(event, RunStarted)] == ["2 workers of ProcessPoolExecutor"]
    assert sum(isinstance(event, TransferFinished) for event in events) == 30
    assert pool.submit(int, "7").result() == 7  # it is left open


def test_the_next_run_asks_for_no_file_again(server, tmp_path):
    source = item(server, tmp_path / "source", 10)
    with Session() as session, Pickling() as executor:
        session.open(source).download_files(tmp_path / "out", executor=executor)
        before = len(server.seen)
        outcomes = session.open(source).transfer(session.open(source).plan(tmp_path / "out"), executor=executor)
    assert {one.status for one in outcomes.outcomes} == {"skipped"}
    assert {one.status for one in server.seen[before:]} == {304}


def test_a_killed_process_is_replaced_and_nothing_is_lost(server, tmp_path):
    source, target = item(server, tmp_path / "source", 120), tmp_path / "out"
    for number in range(120):
        server.script(f"/f{number}.bin", Drip(500, 0.02))
    killed, others = [], set(multiprocessing.active_children())

    def kill(event):
        if isinstance(event, RunStarted):
            threading.Thread(target=kill_one, daemon=True).start()

    def kill_one():
        while not (target.is_dir() and len(list(target.glob("*.bin"))) > 3):
            time.sleep(0.01)
        child = (set(multiprocessing.active_children()) - others).pop()
        os.kill(child.pid, signal.SIGKILL)
        killed.append(child.pid)

    with Session(settings=Settings(jobs=4)) as session:
        session.open(source).download_files(target, executor="processes:2", listeners=[kill])
    assert killed
    assert_whole(target, 120)
    assert set(multiprocessing.active_children()) <= others


def test_processes_say_how_far_they_are_while_a_batch_runs(server, tmp_path):
    source = item(server, tmp_path / "source", 2)
    server.script("/f1.bin", Drip(100, 0.08))
    events = []
    with Session() as session:
        session.open(source).download_files(tmp_path / "out", executor="processes:1", listeners=[events.append])
    news = [event for event in events if isinstance(event, WorkersProgress)]
    ended = next(n for n, event in enumerate(events) if isinstance(event, TransferFinished))
    assert events.index(news[0]) < ended
    assert news[0].finished == 1
    assert 2000 <= news[0].done < 4000
    assert news[-1] == WorkersProgress(finished=0, done=0)


def test_a_batch_that_runs_twice_stores_nothing_twice(server, tmp_path):
    source = item(server, tmp_path / "source", 20)
    with Session() as session, Twice() as executor:
        session.open(source).download_files(tmp_path / "out", executor=executor)
    assert_whole(tmp_path / "out", 20)


def test_files_of_a_lost_worker_are_known_again(server, tmp_path):
    source = item(server, tmp_path / "source", 20)
    with Session() as session, Losing("work", losses=2) as executor:
        session.open(source).download_files(tmp_path / "out", executor=executor)
    assert_whole(tmp_path / "out", 20)
    assert sum(one.status == 304 for one in server.seen) > 0  # asked, and not sent again
    assert sum(one.sent > 0 for one in server.seen) == 20


def test_an_executor_that_is_broken_ends_the_run_with_its_report(server, tmp_path):
    source = item(server, tmp_path / "source", 20)
    with Session() as session, Losing("work", for_good=True) as executor:
        with pytest.raises(DownloadError) as caught:
            session.open(source).download_files(tmp_path / "out", executor=executor)
        stopped = caught.value.report.stopped
        assert "the workers are gone" in stopped
        assert "make another one" in stopped
        session.open(source).download_files(tmp_path / "out")
    assert_whole(tmp_path / "out", 20)


def test_a_pool_that_waits_for_half_an_answer_ends_the_run(server, tmp_path, monkeypatch):
    monkeypatch.setattr(given, "_UNNOTICED_SECONDS", 0.5)
    source = item(server, tmp_path / "source", 20)
    context, mark = multiprocessing.get_context("spawn"), (str(tmp_path / "killed"),)
    with ProcessPoolExecutor(2, context, die_in_the_middle_of_the_first_batch, mark) as pool, Session() as session:
        with pytest.raises(DownloadError) as caught:
            session.open(source).download_files(tmp_path / "out", executor=pool)
        assert "make another one" in caught.value.report.stopped
        assert (tmp_path / "killed").exists()
        session.open(source).download_files(tmp_path / "out")
    assert_whole(tmp_path / "out", 20)


def test_a_batch_that_ends_every_worker_fails_alone(server, tmp_path):
    source = item(server, tmp_path / "source", 2)
    with Session() as session, Losing("work", losses=100) as executor:
        report = session.open(source).transfer(session.open(source).plan(tmp_path / "out"), executor=executor)
    assert {one.error_type for one in report.failed} == {"WorkerLostError"}
    assert "6 times" in report.failed[0].error


def test_a_failure_is_reported_as_without_workers(server, tmp_path):
    source = item(server, tmp_path / "source", 5)
    server.script("/f3.bin", *[Status(404)] * 2)
    with Session() as session, Pickling() as executor:
        results = session.open(source)
        far = results.transfer(results.plan(tmp_path / "far"), executor=executor)
        near = results.transfer(results.plan(tmp_path / "near"))
    assert [(one.error_type, one.error) for one in far.failed] == [(one.error_type, one.error) for one in near.failed]
    assert len(far.landed) == 4


def test_failures_are_counted_over_all_batches(server, tmp_path):
    source = item(server, tmp_path / "source", 40, needs={"authorization": "Bearer right"})
    with Session(settings=Settings(jobs=1)) as session, Pickling(4) as executor:
        results = session.open(source)
        report = results.transfer(results.plan(tmp_path / "out"), executor=executor)
    assert "8 files in a row" in report.stopped
    assert len(server.seen) < 40
    assert len(report.not_tried) > 0


def test_a_host_serves_no_more_than_its_limit_to_all_workers(tmp_path):
    with LimitedServer(latency=0.02, at_a_time=100) as limited, Pickling(4) as executor:
        source = stac(tmp_path / "source", {f"a{n}.bin": {"href": f"{limited.url}/{n}.bin"} for n in range(24)})
        host = limited.url.partition("://")[2]
        with Session(hosts={host: {"jobs": 2}}) as session:
            session.open(source).download_files(tmp_path / "out", executor=executor)
        assert limited.most == 2


def test_a_name_that_is_taken_is_changed_once(server, tmp_path):
    source, target = item(server, tmp_path / "source", 4), tmp_path / "out"
    target.mkdir()
    (target / "a001.bin").write_bytes(b"of another program")
    with Session() as session, Twice() as executor:
        results = session.open(source)
        plan = results.plan(target, if_exists="rename")
        report = results.transfer(plan, executor=executor)
    assert sorted(held(target)) == ["a000.bin", "a001-1.bin", "a001.bin", "a002.bin", "a003.bin"]
    assert report.outcomes[1].transfer.name == "a001-1.bin"
    assert report.outcomes[1].transfer.if_exists is IfExists.RENAME


def test_no_secret_is_sent_and_names_of_secrets_are(server, tmp_path, monkeypatch):
    source = item(server, tmp_path / "source", 4, needs={"authorization": "Bearer s3cret"})
    monkeypatch.setenv("SPLASHDOWN_TOKEN", "s3cret")
    with Session(auth={server.url: read_environment}) as session, Pickling() as executor:
        session.open(source).download_files(tmp_path / "out", executor=executor)
    assert executor.sent
    assert not any(b"s3cret" in data for data in executor.sent)
    assert_whole(tmp_path / "out", 4)


def test_a_secret_that_was_not_sent_is_missed_by_name(server, tmp_path):
    source = item(server, tmp_path / "source", 1, needs={"authorization": "Bearer s3cret"})
    with Session(auth={server.url: "s3cret"}) as session, Pickling() as executor:
        results = session.open(source)
        report = results.transfer(results.plan(tmp_path / "out"), executor=executor)
    assert not any(b"s3cret" in data for data in executor.sent)
    assert (
        f"credentials of {server.url} were passed as a value, which other processes do not get"
        in report.failed[0].error
    )


def zipped(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


@pytest.mark.parametrize("executor", [None, "processes:2"])
def test_files_of_archives_are_read_by_workers_without_a_secret(server, tmp_path, monkeypatch, executor):
    monkeypatch.setenv("SPLASHDOWN_TOKEN", "s3cret")
    contents = {f"d/f{number}.txt": f"{number:05d}".encode() * 5000 for number in range(30)}
    for name in ("one.zip", "two.zip"):
        server.add(f"/{name}", zipped(contents), needs={"authorization": "Bearer s3cret"})
    source = stac(tmp_path / "source", {name: {"href": f"{server.url}/{name}"} for name in ("one.zip", "two.zip")})
    with Session(auth={server.url: read_environment}) as session, Pickling() as pickling:
        members = session.open(source).unpack()
        before = len(server.seen)
        places = members.download_files(tmp_path / "out", executor=executor or pickling)
        assert len(places) == 61
        assert not any(b"s3cret" in data for data in pickling.sent)
    assert {one.path for one in server.seen[before:]} == {"/one.zip", "/two.zip"}
    landed = [data for name, data in held(tmp_path / "out").items() if name.endswith(".txt")]
    assert sorted(landed) == sorted(2 * [*contents.values()])
    with Session() as session:
        assert session.run("verify", tmp_path / "out").ok


def test_an_option_that_is_a_secret_is_refused_before_the_first_byte(server, tmp_path):
    source = item(server, tmp_path / "source", 1)
    with Session(options={"http": {"proxy": "http://me:s3cret@proxy.example"}}) as session, Pickling() as executor:
        results = session.open(source)
        with pytest.raises(UsageError) as caught:
            results.download_files(tmp_path / "out", executor=executor)
        assert "s3cret" not in str(caught.value)
    assert not server.seen


def test_what_a_worker_lacks_is_said_before_the_first_byte(server, tmp_path, monkeypatch):
    source = stac(tmp_path / "source", {"a.bin": {"href": f"{server.url}/a.bin"}, "b.bin": {"href": "sftp://h/b.bin"}})
    with Session() as session:
        results = session.open(source)
        results.session.registry.plugins()
        monkeypatch.setenv("SPLASHDOWN_DISABLE_PLUGINS", "splashdown-fsspec")
        with pytest.raises(PluginError, match=r"lacks what splashdown-fsspec [0-9.]+ offers"):
            results.download_files(tmp_path / "out", executor="processes:1")
    assert not server.seen


def test_objects_in_memory_are_refused_to_other_processes(server, tmp_path):
    source = item(server, tmp_path / "source", 1)
    with Session() as session, Pickling() as executor:
        results = session.open(source)
        with pytest.raises(PluginError, match="keeps objects in one process"):
            results.transfer(results.plan("memory://"), executor=executor)


def test_links_that_expire_are_renewed_by_the_coordinator(server, tmp_path):
    source = item(server, tmp_path / "source", 3)
    for number in range(3):
        server.add(f"/g{number}.bin", f"{number:04d}".encode() * 500)
        server.script(f"/f{number}.bin", *[Status(403)] * 10)
    with Session() as session, Pickling() as executor:
        opened = session.open(source)
        fresh = [replace(one, href=one.href.replace("/f", "/g")) for one in opened.assets]
        again = replace(opened.result_set, refresh=lambda: replace(opened.result_set, assets=tuple(fresh)))
        results = splashdown.JobResults(session, again)
        report = results.transfer(results.plan(tmp_path / "out"), executor=executor)
    assert report.ok, report.failed
    assert len(held(tmp_path / "out")) == 3


@pytest.mark.parametrize("name", ["processes:none", "processes:0", "processes:4x"])
def test_a_number_of_processes_that_is_none_is_one_line(server, tmp_path, name):
    source = item(server, tmp_path / "source", 1)
    with Session() as session, pytest.raises(OptionError, match="processes:4"):
        session.open(source).download_files(tmp_path / "out", executor=name)


def test_what_is_not_an_executor_is_one_line(server, tmp_path):
    source = item(server, tmp_path / "source", 1)
    with Session() as session:
        with pytest.raises(PluginError, match=r"an instance of concurrent\.futures\.Executor"):
            session.open(source).download_files(tmp_path / "out", executor=3)
        with pytest.raises(PluginError, match="no executor is called 'proceses'; did you mean 'processes'"):
            session.open(source).download_files(tmp_path / "out", executor="proceses")
        with pytest.raises(UsageError, match="'threads' takes no number: jobs"):
            session.open(source).download_files(tmp_path / "out", executor="threads:4")


def test_the_command_ends_at_ctrl_c_and_goes_on_after_it(server, tmp_path):
    source, target = item(server, tmp_path / "source", 60), tmp_path / "out"
    for number in range(60):
        server.script(f"/f{number}.bin", Drip(500, 0.05))
    command = [sys.executable, "-m", "splashdown", "download", source, str(target), "--executor", "processes:2"]
    command += ["--jobs", "2"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as running:
        deadline = time.monotonic() + 60
        while not (target.is_dir() and list(target.glob("*.bin"))) and time.monotonic() < deadline:
            time.sleep(0.05)
        os.killpg(running.pid, signal.SIGINT)
        said = running.communicate(timeout=60)[1]
    assert running.returncode == 130, said
    assert "Traceback" not in said
    assert re.search(r"moving files with 2 processes", said)
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert_whole(target, 60)


def test_a_session_is_one_for_all_who_pickle_it_alike():
    with Session(options={"http": {"read_timeout": 7}}) as session:
        data = pickle.dumps(session)
    assert pickle.loads(data) is pickle.loads(data)
    assert pickle.loads(data).http.read_timeout == 7


def test_results_assets_and_handles_pickle_without_secrets(server, tmp_path):
    source = item(server, tmp_path / "source", 2)
    with Session(auth={server.url: "s3cret"}) as session:
        results = session.open(source, auth="other-s3cret")
        for thing in (results, results["a001.bin"], results["a001.bin"].open(), results.plan(tmp_path)):
            data = pickle.dumps(thing)
            assert b"s3cret" not in data
        assert pickle.loads(pickle.dumps(results["a001.bin"].open())).bytes() == b"0001" * 500
        assert pickle.loads(pickle.dumps(results)).load_bytes("a000.bin") == b"0000" * 500


def signed_job(server, **files):
    """A job of one file, with a link that is signed for each answer and a document that is for a token."""
    files = files or {"a.bin": b"0001" * 500}
    for name, content in files.items():
        server.add(f"/{name}", content, signed=True)

    def answer(handler, answered):
        if handler.headers.get("Authorization") != "Bearer s3cret":
            return Status(401, b'{"code": "AuthenticationRequired", "message": "who?"}')(handler, answered)
        document = {"type": "Feature", "stac_version": "1.0.0", "id": "j", "geometry": None, "links": []}
        document["properties"] = {"datetime": "2024-01-01T00:00:00Z"}
        document["assets"] = {name: {"href": server.sign(f"/{name}")} for name in files}
        return Status(200, json.dumps(document).encode())(handler, answered)

    for path, body in (
        ("/openeo/1.2/jobs/j/results", b""),
        ("/openeo/1.2/", b'{"api_version": "1.2.0", "endpoints": []}'),
    ):
        server.add(path, body, media_type="application/json")
    server.always("/openeo/1.2/jobs/j/results", answer)
    return f"{server.url}/openeo/1.2/jobs/j/results"


class Expiring(Pickling):
    """The links that the first batch has got expire before a worker takes it."""

    def __init__(self, server):
        super().__init__()
        self._server, self.batches = server, 0

    def submit(self, function, /, *arguments):
        if isinstance(arguments[0], Batch):
            self.batches += 1
            done = pickle.loads(pickle.dumps(arguments))
            if self.batches == 1:
                self._server.expire_links()
            return super().submit(function, *done)
        return super().submit(function, *arguments)


def test_links_of_archives_expire_in_a_batch_that_waits_and_are_renewed(server, tmp_path):
    contents = {f"d/f{number}.txt": f"{number:05d}".encode() * 5000 for number in range(20)}
    url = signed_job(server, **{"one.zip": zipped(contents), "two.zip": zipped(contents)})
    with Session() as session, Expiring(server) as executor:
        members = session.open(url, auth="s3cret").unpack()
        asked = len(server.ranges("/openeo/1.2/jobs/j/results"))
        report = members.transfer(members.plan(tmp_path / "out"), executor=executor)
        assert executor.batches > 1
        assert not any(b"Bearer" in data for data in executor.sent)
    assert report.ok, report.failed
    assert sorted(held(tmp_path / "out").values()) == sorted(2 * [*contents.values()])
    assert len(server.ranges("/openeo/1.2/jobs/j/results")) == asked + 1  # for both archives and all batches


def test_links_of_archives_that_are_past_their_time_are_renewed_before_a_batch(server, tmp_path, monkeypatch):
    url = signed_job(server, **{"one.zip": zipped({f"f{number}.txt": b"x" * 5000 for number in range(3)})})
    with Session() as session, Pickling() as executor:
        opened = session.open(url, auth="s3cret")
        ended = splashdown.JobResults(session, replace(opened.result_set, expires=time.time() + 60))
        members = ended.unpack()
        plan = members.plan(tmp_path / "out")
        later = SimpleNamespace(time=lambda: time.time() + 90, monotonic=time.monotonic)
        monkeypatch.setattr("splashdown._engine.renew.time", later)
        server.expire_links()
        before = len(server.seen)
        assert members.transfer(plan, executor=executor).ok
    links = {one.query for one in server.seen[before:] if one.path == "/one.zip"}
    assert len(links) == 1  # no request with the link that has ended


def test_an_archive_that_stays_forbidden_fails_after_the_source_was_read_once(server, tmp_path):
    url = signed_job(server, **{"one.zip": zipped({f"f{number}.txt": b"x" * 5000 for number in range(20)})})
    with Session() as session, Pickling() as executor:
        members = session.open(url, auth="s3cret").unpack()
        server.always("/one.zip", Status(403))
        asked = len(server.ranges("/openeo/1.2/jobs/j/results"))
        report = members.transfer(members.plan(tmp_path / "out"), executor=executor)
    assert len(report.failed) == 20
    assert len(server.ranges("/openeo/1.2/jobs/j/results")) == asked + 1


def opened_in_each_way(session, url, auth):
    yield session.open(url, auth=auth)
    yield session.open([url], auth={url.partition("/openeo")[0]: auth})
    yield session.open(url, auth=auth).mirrored({"https://a.example/": "https://b.example/"})
    yield splashdown.connect(url.partition("/jobs")[0], auth=auth, session=session).job("j").get_results()


def test_links_are_renewed_where_a_pickle_is_opened(server, monkeypatch):
    url = signed_job(server)
    monkeypatch.setenv("SPLASHDOWN_TOKEN", "s3cret")
    with Session() as session:
        for results in opened_in_each_way(session, url, read_environment):
            data = pickle.dumps(results["a.bin"].open()), pickle.dumps(results)
            assert not any(b"Bearer" in one or b"s3cret" in one.replace(b"signature=s3cret", b"") for one in data)
            server.expire_links()
            handle, again = map(pickle.loads, data)
            assert handle.bytes() == again.load_bytes("a.bin") == b"0001" * 500


def test_a_source_that_needs_a_secret_is_not_read_again_elsewhere(server):
    url = signed_job(server)
    with Session() as session:
        for results in opened_in_each_way(session, url, "s3cret"):
            data = pickle.dumps(results["a.bin"].open())
            server.expire_links()
            asked = len(server.ranges("/openeo/1.2/jobs/j/results"))
            with pytest.raises(splashdown.TransferError, match="were passed as a value, which other processes do not"):
                pickle.loads(data).bytes()
            assert len(server.ranges("/openeo/1.2/jobs/j/results")) == asked


@pytest.mark.parametrize("options", [{"alternate": "s3"}, {"partial": True}])
def test_a_source_is_read_again_with_its_options(options):
    opened = []

    class Opening:
        def open(self, *given, **more):
            opened.append((given, more))
            return self

        result_set = None

    given = {"source": "u", "resolver": None, "auth": None, "own": (), "options": options}
    read = ReadAgain(here=lambda: None, session=Opening(), **given)
    read.elsewhere()()
    assert opened == [(("u",), {"auth": None, "resolver": None, **options})]
    assert replace(read, options={"api_key": "s3cret"}).elsewhere() is None
    assert replace(read, source={"type": "Feature"}).elsewhere() is None
