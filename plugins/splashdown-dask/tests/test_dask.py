"""Runs on a real cluster with processes of its own: as without it, whoever is lost."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

import cloudpickle
import dask
import pytest
from distributed import Client, LocalCluster, Security
from fault_server import FaultServer
from faults import Drip, Status
from raster_files import pixels, write_tiff
from splashdown_dask import _workers as dask_workers
from splashdown_dask._workers import DaskWorkers

from splashdown import DownloadError, Session, Settings
from splashdown.auth import read_environment
from splashdown.errors import OptionError, PluginError
from splashdown.events import RunStarted
from splashdown.testing import ExecutorContract

pytestmark = pytest.mark.filterwarnings("ignore::Warning")


def made_cluster(**options):
    with dask.config.set({"distributed.scheduler.allowed-failures": 0, "distributed.nanny.pre-spawn-environ": {}}):
        return LocalCluster(
            **{"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None, "silence_logs": 50} | options
        )


@pytest.fixture(scope="module")
def cluster():
    with made_cluster() as running:
        yield running


@pytest.fixture
def client(cluster):
    cluster.wait_for_workers(2) if hasattr(cluster, "wait_for_workers") else None
    with Client(cluster, set_as_default=False) as made:
        made.wait_for_workers(2, timeout=60)
        yield made


@pytest.fixture
def server():
    with FaultServer() as running:
        yield running


@pytest.fixture
def source(server, tmp_path):
    return item(server, tmp_path / "source", 60)


def item(server, folder, count, href="{url}/f{number}.bin"):
    folder.mkdir()
    assets = {}
    for number in range(count):
        server.add(f"/f{number}.bin", f"{number:04d}".encode() * 500)
        assets[f"a{number:03d}.bin"] = {"href": href.format(url=server.url, number=number)}
    path = folder / "item.json"
    path.write_text(json.dumps(document(assets)))
    return str(path)


def document(assets, id="i", day=1):
    found = {"type": "Feature", "stac_version": "1.0.0", "id": id, "geometry": None, "links": [], "assets": assets}
    return found | {"properties": {"datetime": f"2024-01-{day:02}T00:00:00Z"}}


def assert_whole(target, count):
    assert sorted(one.name for one in target.iterdir()) == [*(f"a{n:03d}.bin" for n in range(count)), "item.json"]
    with Session() as session:
        assert session.run("verify", target).ok


@pytest.mark.slow
def test_a_run_over_tls_needs_the_certificates(server, tmp_path):
    source = item(server, tmp_path / "source", 10)
    security = Security.temporary()
    files = {
        "tls_ca_file": security.tls_ca_file,
        "tls_cert": security.tls_client_cert,
        "tls_key": security.tls_client_key,
    }
    for name, content in files.items():
        files[name] = str(tmp_path / name)
        (tmp_path / name).write_text(content)
    with made_cluster(security=security, protocol="tls://", n_workers=1) as running:
        assert running.scheduler_address.startswith("tls://")
        executor = f"dask://{running.scheduler_address.partition('://')[2]}"
        with Session(options={"dask": {**files, "timeout": 60}}) as session:
            session.open(source).download_files(tmp_path / "out", executor=executor)
        assert_whole(tmp_path / "out", 10)
        with (
            Session(options={"dask": {"timeout": 3}}) as session,
            pytest.raises(PluginError, match="no Dask scheduler"),
        ):
            session.open(source).download_files(tmp_path / "plain", executor=executor)


def once_files_land(target, then):
    def wait():
        while not (target.is_dir() and len(list(target.glob("*.bin"))) > 2):
            time.sleep(0.02)
        then()

    def listen(event):
        if isinstance(event, RunStarted):
            threading.Thread(target=wait, daemon=True).start()

    return listen


class TestDaskWorkers(ExecutorContract):
    @pytest.fixture
    def workers(self, client):
        made = DaskWorkers(client)
        yield made
        made.close()


def test_a_client_moves_files_and_stays_open(client, source, tmp_path):
    events = []
    with Session() as session:
        session.open(source).download_files(tmp_path / "out", executor=client, listeners=[events.append])
    assert_whole(tmp_path / "out", 60)
    assert events[0].workers.startswith("2 Dask workers at tcp://")
    assert client.status == "running"


@pytest.mark.parametrize("killed", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_killed_workers_lose_nothing_and_the_loss_of_all_is_waited_out(killed, client, server, source, tmp_path):
    for number in range(60):
        server.script(f"/f{number}.bin", Drip(500, 0.02))

    def kill():
        for pid in sorted(client.run(os.getpid).values())[:killed]:
            os.kill(pid, signal.SIGKILL)

    with Session(settings=Settings(jobs=4)) as session:
        listen = once_files_land(tmp_path / "out", kill)
        session.open(source).download_files(tmp_path / "out", executor=client, listeners=[listen])
    assert_whole(tmp_path / "out", 60)


@pytest.mark.slow
def test_a_scheduler_that_goes_ends_the_run_with_its_report(server, source, tmp_path, monkeypatch):
    monkeypatch.setattr(dask_workers, "_GONE_SECONDS", 2.0)
    for number in range(60):
        server.script(f"/f{number}.bin", Drip(500, 0.05))
    cluster = made_cluster()
    client = Client(cluster.scheduler_address, set_as_default=False)
    with Session(settings=Settings(jobs=2)) as session:
        listen = once_files_land(tmp_path / "out", lambda: cluster.close(timeout=5))
        with pytest.raises(DownloadError) as caught:
            session.open(source).download_files(tmp_path / "out", executor=client, listeners=[listen])
        assert "does not answer" in caught.value.report.stopped
        session.open(source).download_files(tmp_path / "out")
    client.close()
    assert_whole(tmp_path / "out", 60)


@pytest.mark.slow
def test_a_worker_without_a_plugin_is_named_before_the_first_byte(server, tmp_path):
    source = item(server, tmp_path / "source", 2, href="sftp://host.example/f{number}.bin")
    with (
        made_cluster(n_workers=1, env={"SPLASHDOWN_DISABLE_PLUGINS": "splashdown-fsspec"}) as cluster,
        Client(cluster, set_as_default=False) as client,
        Session() as session,
        pytest.raises(PluginError, match=r"lacks what splashdown-fsspec [0-9.]+ offers"),
    ):
        session.open(source).download_files(tmp_path / "out", executor=client)
    assert not server.seen


def test_lazy_geotiffs_are_computed_by_processes_of_a_cluster(cluster, server, tmp_path):
    items = []
    for number in range(3):
        path = tmp_path / f"{number}.tif"
        write_tiff(path, pixels(1, 64, 96, "uint16", seed=number))
        href = server.add(f"/{number}.tif", path.read_bytes(), media_type="image/tiff")
        asset = {"href": href, "type": "image/tiff; application=geotiff", "roles": ["data"]}
        items.append(document({"a": asset}, id=f"i{number}", day=number + 1))
    with Session(auth={server.url: "s3cret"}) as session, Client(cluster):
        results = session.open(items)
        lazy = results.load_geotiffs(chunks={})
        assert b"s3cret" not in cloudpickle.dumps(lazy)
        assert float(lazy.mean().compute()) == float(results.load_geotiffs().mean())


def test_workers_of_a_cluster_clip_rasters_inside_archives(client, server, tmp_path):
    write_tiff(tmp_path / "a.tif", pixels(1, 256, 256, "uint16"))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(tmp_path / "a.tif", "p/a.tif")
        archive.writestr("p/readme.txt", "read me")
    href = server.add("/a.zip", (tmp_path / "a.zip").read_bytes())
    with Session(auth={server.url: "s3cret"}) as session:
        members = session.open(document({"a.zip": {"href": href}})).unpack()
        assert len(members.assets) == 2
        (raster,) = [one for one in members.assets if one.href.endswith(".tif")]
        clips = members.of(raster).clip((3.0, 50.54, 3.02, 50.56))
        assert len(clips.assets) == 1
        clips.download_files(tmp_path / "near")
        clips.download_files(tmp_path / "far", executor=client)
        members.download_files(tmp_path / "whole", executor=client)
    near, far = (next((tmp_path / one).rglob("*.tif")).read_bytes() for one in ("near", "far"))
    assert near == far
    assert next((tmp_path / "whole").rglob("readme.txt")).read_text() == "read me"
    assert next((tmp_path / "whole").rglob("a.tif")).read_bytes() == (tmp_path / "a.tif").read_bytes()


def job(server, count):
    """A job whose results are for a token, and list signed links that are made for each answer."""
    for number in range(count):
        path = f"/{number}.tif"
        server.add(path, tiff(number), media_type="image/tiff", signed=True)

    def answer(handler, answered):
        if handler.headers.get("Authorization") != "Bearer t0ken":
            return Status(401, b'{"code": "AuthenticationRequired", "message": "who?"}')(handler, answered)
        assets = {
            f"{number}.tif": {"href": server.sign(f"/{number}.tif"), "type": "image/tiff; application=geotiff"}
            for number in range(count)
        }
        return Status(200, json.dumps(document(assets, id="j")).encode())(handler, answered)

    results = "/openeo/1.2/jobs/j/results"
    server.add(results, media_type="application/json")
    server.always(results, answer)
    return server.url + results


def tiff(number):
    with TemporaryDirectory() as folder:
        path = Path(folder, "a.tif")
        write_tiff(path, pixels(1, 300, 400, "uint16", seed=number))
        return path.read_bytes()


def test_links_that_expire_are_renewed_once_by_each_process(cluster, client, server, monkeypatch):
    source = job(server, 6)
    monkeypatch.setenv("SPLASHDOWN_TOKEN", "t0ken")
    client.run(lambda: os.environ.update(SPLASHDOWN_TOKEN="t0ken"))
    with Session() as session:
        results = session.open(source, auth=read_environment)
        lazy = [one.load_geotiff(chunks={}).sum() for one in results]
        assert b"t0ken" not in cloudpickle.dumps(lazy)
        server.expire_links()
        asked = len(server.ranges("/openeo/1.2/jobs/j/results"))
        with Client(cluster):
            found = dask.compute(*lazy)
    assert [int(one) for one in found] == [int(pixels(1, 300, 400, "uint16", seed=n).sum()) for n in range(6)]
    assert 1 <= len(server.ranges("/openeo/1.2/jobs/j/results")) - asked <= 2
    client.run(lambda: os.environ.pop("SPLASHDOWN_TOKEN"))


def test_an_address_where_no_scheduler_is_is_one_line(source, tmp_path):
    with (
        Session(options={"dask": {"timeout": 0.5}}) as session,
        pytest.raises(PluginError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9"),
    ):
        session.open(source).download_files(tmp_path / "out", executor="dask://127.0.0.1:9")
    with Session() as session, pytest.raises(OptionError, match="dask://HOST:PORT"):
        session.open(source).download_files(tmp_path / "out", executor="dask:4")


def test_an_address_leads_to_its_scheduler(cluster, source, tmp_path):
    address = cluster.scheduler_address.replace("tcp://", "dask://")
    with Session() as session:
        session.open(source).download_files(tmp_path / "out", executor=address)
    assert_whole(tmp_path / "out", 60)
