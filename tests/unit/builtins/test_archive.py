"""zip: and tar: make one archive of all files: whole or not at all, the same bytes for the same files, any reader."""

import io
import json
import os
import random
import signal
import subprocess
import sys
import tarfile
import threading
import tracemalloc
import zipfile
from concurrent.futures import ThreadPoolExecutor

import pytest
from fault_server import FaultServer, File
from faults import Drip, Stall, Status
from hypothesis import given, settings
from hypothesis import strategies as st
from stac_item import stac_item

import splashdown
from splashdown._cli.main import main
from splashdown.builtins.archive.forms import Tar, Zip
from splashdown.builtins.archive.outputs import InSink, ToStream
from splashdown.builtins.archive.sink import ArchiveSink
from splashdown.builtins.memory import MemorySink
from splashdown.errors import DownloadError, ExistsError, StoreError, TargetError, UsageError
from splashdown.model import Content, Part
from splashdown.testing.stores import data_of, store

FILES = {"b.txt": b"first in the document", "a.bin": os.urandom(700_000), "grüße.json": b"{}", "empty.txt": b""}
MIB = 1024 * 1024


def read(path):
    """The entries of an archive, in their order."""
    found = zipfile.is_zipfile(path)
    if isinstance(path, io.BytesIO):
        path.seek(0)
    if found:
        with zipfile.ZipFile(path) as archive:
            assert archive.testzip() is None
            return {one.filename: archive.read(one) for one in archive.infolist()}
    with tarfile.open(fileobj=path) if isinstance(path, io.BytesIO) else tarfile.open(path) as archive:
        return {one.name: archive.extractfile(one).read() for one in archive}


@pytest.fixture
def server():
    with FaultServer() as running:
        for name, content in FILES.items():
            running.files[f"/{name}"] = File(content)
        yield running


@pytest.fixture
def source(server, tmp_path):
    from urllib.parse import quote

    path = tmp_path / "item.json"
    path.write_text(json.dumps(stac_item({name: {"href": f"{server.url}/{quote(name)}"} for name in FILES})))
    server.files |= {quote(name): file for name, file in server.files.items()}
    return path


@pytest.mark.parametrize("form", ["zip", "tar"])
def test_all_files_and_the_receipt_are_in_the_archive_in_order(source, tmp_path, form):
    stored = splashdown.open(source).download_files(f"{form}:{tmp_path}/new/out.{form}")
    path = tmp_path / "new" / f"out.{form}"
    found = read(path)
    assert [*found] == [*FILES, "item.json"]
    assert {name: found[name] for name in FILES} == FILES
    described = json.loads(found["item.json"])["assets"]
    assert described["a.bin"]["href"] == "./a.bin"
    assert described["a.bin"]["file:size"] == 700_000
    assert stored[0] == f"{form}:{path}!/b.txt"
    assert [one.name for one in path.parent.iterdir()] == [path.name]
    command = ["unzip", "-t", path] if form == "zip" else ["tar", "-tf", path]
    assert subprocess.run(command, capture_output=True, check=True).stdout
    assert path.stat().st_mode & 0o111 == 0


@pytest.mark.parametrize("form", ["zip", "tar"])
def test_the_same_files_give_the_same_bytes_whichever_comes_first(source, server, tmp_path, form):
    made = []
    for number, slow in enumerate(["b.txt", "a.bin", None]):
        if slow:
            server.script(f"/{slow}", Drip(20_000 if slow == "a.bin" else 3, 0.01))
        path = tmp_path / str(number) / f"out.{form}"
        splashdown.open(source).download_files(f"{form}:{path}")
        made.append(path.read_bytes())
    assert len(set(made)) == 1


def test_standard_output_has_the_archive_and_nothing_else(source, tmp_path):
    splashdown.open(source).download_files(f"zip:{tmp_path}/out.zip")
    command = [sys.executable, "-m", "splashdown", "--no-plugins", "download", str(source), "zip:-"]
    done = subprocess.run(command, capture_output=True, check=True)
    assert done.stdout == (tmp_path / "out.zip").read_bytes()
    assert b"4 of 4 files in zip:-" in done.stderr
    refused = subprocess.run([*command, "--json"], capture_output=True, check=False)
    assert (refused.returncode, refused.stdout) == (2, b"")


def test_where_one_asset_fails_nothing_is_left_and_nothing_landed(source, server, tmp_path, monkeypatch):
    (tmp_path / "spool").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "spool"))
    server.always("/empty.txt", Status(404))
    with pytest.raises(DownloadError, match="1 of 4 assets failed, 3 not tried") as caught:
        splashdown.open(source).download_files(f"zip:{tmp_path}/new/out.zip")
    assert {one.error for one in caught.value.report.not_tried} == {
        "not stored: the archive is written as a whole, and another asset failed or was not tried"
    }
    assert [*tmp_path.glob("new/*")] == []
    assert [*(tmp_path / "spool").iterdir()] == []
    with pytest.raises(UsageError, match="repeat the call"):
        splashdown.open(source).retry(caught.value.report)


def test_an_archive_that_is_there_is_refused_before_the_first_byte(source, server, tmp_path):
    target, path = f"tar:{tmp_path}/out.tar", tmp_path / "out.tar"
    path.write_bytes(b"theirs")
    for policy in ("auto", "skip", "error", "rename"):
        with pytest.raises(ExistsError, match="written as a whole"):
            splashdown.open(source).download_files(target, if_exists=policy)
    assert (path.read_bytes(), server.seen) == (b"theirs", [])
    server.script("/b.txt", Status(404))
    with pytest.raises(DownloadError):
        splashdown.open(source).download_files(target, if_exists="overwrite")
    assert path.read_bytes() == b"theirs"
    splashdown.open(source).download_files(target, if_exists="overwrite")
    assert [*read(path)] == [*FILES, "item.json"]


@pytest.mark.parametrize("kind", ["link", "fifo", "folder"])
def test_a_link_a_pipe_or_a_folder_of_that_name_is_left(source, server, tmp_path, kind):
    path, elsewhere = tmp_path / "out.zip", tmp_path / "elsewhere"
    elsewhere.write_bytes(b"theirs")
    {"link": lambda: path.symlink_to(elsewhere), "fifo": lambda: os.mkfifo(path), "folder": path.mkdir}[kind]()
    with pytest.raises((StoreError, TargetError), match=r"symbolic link|named pipe|a folder"):
        splashdown.open(source).download_files(f"zip:{path}", if_exists="overwrite")
    assert (elsewhere.read_bytes(), server.seen) == (b"theirs", [])


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("zip:", "has to name the file"),
        ("zip:data/", "has to name the file"),
        ("tar:s3://bucket/", "has to name the object"),
        ("tar:out.tar.gz", "pass that to gzip"),
        ("zip:tar:out.tar", "not stored in another one"),
    ],
)
def test_a_place_that_cannot_hold_an_archive_is_refused(source, target, why):
    with pytest.raises(TargetError, match=why):
        splashdown.open(source).download_files(target)


def test_what_keeps_files_up_to_date_refuses_an_archive(source, tmp_path):
    target = f"zip:{tmp_path}/out.zip"
    results = splashdown.open(source)
    with pytest.raises(UsageError, match="use download"):
        results.run("sync", target=target)
    with pytest.raises(TargetError, match="cannot be looked at"):
        results.run("verify", target=target)
    with pytest.raises(UsageError, match="leave the executor out"):
        results.download_files(target, executor="processes:2")
    assert not (tmp_path / "out.zip").exists()


def test_one_file_and_a_catalog_can_be_archives_too(source, tmp_path):
    results = splashdown.open(source)
    results.download_file(f"zip:{tmp_path}/one.zip", key="b.txt")
    assert read(tmp_path / "one.zip") == {"b.txt": FILES["b.txt"]}
    results.download_collection(f"zip:{tmp_path}/catalog.zip")
    names = [*read(tmp_path / "catalog.zip")]
    assert names[-1] == "item.json"
    assert len(names) == 5


def test_a_password_of_the_place_is_in_no_message(source, capsys):
    target = "zip:webdav://me:secret@localhost:9/out.zip"
    assert main(["--no-plugins", "download", str(source), target]) == 2
    shown = capsys.readouterr()
    assert "secret" not in shown.out + shown.err
    assert "secret" not in splashdown.redact.redact_target(target)


def archive_of(entries, form, order=None):
    out = io.BytesIO()
    sink = ArchiveSink("x", ToStream(out), form)
    if order is not None:
        sink.expect(order, replace=False)
    for name, data in entries:
        store(sink, name, data)
    sink.finish()
    sink.close()
    return out.getvalue()


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(st.text("abcü/.", min_size=1, max_size=6), st.binary(max_size=300), min_size=1, max_size=8),
    st.randoms(use_true_random=False),
    st.sampled_from([Zip, Tar]),
)
def test_whichever_order_they_come_in_the_archive_is_the_same(files, chance, form):
    from splashdown.safe_names import leads_below

    files = {name: data for name, data in files.items() if leads_below(name)}
    order, mixed = [*files], [*files.items()]
    chance.shuffle(mixed)
    made = archive_of(mixed, form, order)
    assert made == archive_of(files.items(), form, order)
    if files:
        assert read(io.BytesIO(made)) == files


def test_many_threads_make_one_archive(tmp_path):
    out, names = io.BytesIO(), [f"{number}.bin" for number in range(200)]
    datas = {name: data_of(random.Random(name).randrange(400_000), name) for name in names}
    sink = ArchiveSink("x", ToStream(out), Zip)
    sink.expect(names, replace=False)
    mixed = names[:]
    random.Random(3).shuffle(mixed)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: store(sink, name, datas[name]), mixed))
    sink.finish()
    with zipfile.ZipFile(out) as archive:
        assert archive.namelist() == names
        assert all(archive.read(name) == datas[name] for name in names)
    sink.close()


def test_more_and_larger_entries_than_the_old_form_of_zip_has(tmp_path, monkeypatch):
    path = tmp_path / "many.zip"
    with path.open("wb") as file:
        form = Zip(ToStream(file))
        for number in range(65_600):
            form.add(f"{number}", 1, lambda: io.BytesIO(b"x"))
        form.finish()
    with zipfile.ZipFile(path) as archive:
        assert len(archive.namelist()) == 65_600
    assert subprocess.run(["unzip", "-tq", path], capture_output=True, check=True).stdout
    # As if a few bytes were more than 2 GiB.
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 10)
    made = archive_of([("a", b"longer than that"), ("b", b"this one as well")], Zip)
    monkeypatch.undo()
    path.write_bytes(made)
    assert read(path) == {"a": b"longer than that", "b": b"this one as well"}
    assert subprocess.run(["unzip", "-tq", path], capture_output=True, check=True).stdout


def test_a_stream_of_a_zip_can_be_read_without_its_index():
    made = archive_of([("a", b"content")], Zip)
    assert made[6:8] == b"\0\0", "no flag: size and CRC stand before the entry"
    assert int.from_bytes(made[18:22], "little") == 7


def test_memory_does_not_grow_with_the_files(tmp_path):
    with splashdown.Session(discover=False) as session:
        sink = session.sink(f"tar:{tmp_path}/out.tar")
        sink.expect(["first", "big", "last"], replace=False)
        tracemalloc.start()
        chunk = bytes(MIB)
        for name in ("big", "last"):
            upload = sink.begin(name, Content())
            part = Part(number=1, start=0, stop=None)
            sink.commit(upload, [sink.put_part(upload, part, (chunk for _ in range(64)))])
        store(sink, "first", b"x")
        sink.finish()
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        sink.close()
    assert most < 16 * MIB
    assert (tmp_path / "out.tar").stat().st_size > 128 * MIB


@pytest.mark.parametrize("key", ["../a", "/a", "a/../../b", "", "a\\b", "a\0b"])
def test_a_name_that_leads_elsewhere_is_refused(key):
    sink = ArchiveSink("x", ToStream(io.BytesIO()), Zip)
    with pytest.raises(StoreError, match="not the name of a file"):
        sink.begin(key, Content())


class Full(MemorySink):
    """A store that takes one piece."""

    def put_part(self, upload, part, chunks):
        next(iter(chunks))
        raise StoreError("the store is full")


def test_a_store_that_refuses_the_archive_ends_it_and_nothing_hangs():
    inner = Full()
    sink = ArchiveSink("x", InSink(inner, "out.zip"), Zip)
    sink.expect(["a", "b"], replace=False)
    with pytest.raises(StoreError, match="the store is full"):
        store(sink, "a", bytes(20 * MIB))
    with pytest.raises(StoreError):
        sink.finish()
    sink.close()
    assert not inner.store
    assert not inner._uploads


def test_a_run_that_is_interrupted_leaves_nothing(source, server, tmp_path):
    waiting = threading.Event()
    server.script("/a.bin", Stall(1000, waiting))
    (tmp_path / "spool").mkdir()
    command = [
        sys.executable,
        "-m",
        "splashdown",
        "--no-plugins",
        "download",
        str(source),
        f"zip:{tmp_path}/new/out.zip",
    ]
    with subprocess.Popen(
        command, env={**os.environ, "TMPDIR": str(tmp_path / "spool")}, stderr=subprocess.PIPE
    ) as run:
        server.wait_for(lambda seen: any(one.path == "/a.bin" for one in seen))
        run.send_signal(signal.SIGINT)
        code = run.wait(timeout=30)
        waiting.set()
    assert code == 130
    assert [*tmp_path.glob("new/*"), *(tmp_path / "spool").iterdir()] == []
