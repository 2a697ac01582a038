"""verify says what the source has today and by which evidence; repair puts back what was stored, and nothing else."""

import json
import os
import shutil
import subprocess

import pytest
from fault_server import FaultServer, File
from faults import Status
from stac_item import stac_item

import splashdown
from splashdown._cli.main import main
from splashdown._receipts.sums import _line
from splashdown.actions import AtSource, State
from splashdown.checksums import Digests, algorithm
from splashdown.errors import UsageError


def multihash(data, function="sha2-256"):
    digests = Digests([algorithm(function)])
    digests.update(data)
    return digests.multihash


@pytest.fixture
def server():
    with FaultServer() as running:
        yield running


class Source:
    """An item whose assets are on the server, and the target into which they were downloaded."""

    def __init__(self, server, folder):
        self.server, self.path, self.target = server, folder / "item.json", folder / "out"
        self.assets = {}

    def put(self, key, content, *, says=(), **served):
        self.server.files[f"/{key}"] = File(content, **served)
        facts = {"file:size": len(content), "file:checksum": multihash(content)}
        self.assets[key] = {"href": f"{self.server.url}/{key}", **{name: facts[name] for name in says}}
        self.save()

    def save(self, **fields):
        self.path.write_text(json.dumps(stac_item(self.assets, **fields)))

    def open(self):
        return splashdown.open(self.path)

    def download(self):
        self.open().download_files(self.target, layout="{key}")

    def verify(self, **options):
        """Each file's state here and at the source, the evidence, and the requests that it took."""
        before = len(self.server.seen)
        report = self.open().run("verify", target=self.target, **options)
        found = {f.name: (str(f.state), f.source and str(f.source), f.evidence) for f in report.files}
        return found, report, self.server.seen[before:]


@pytest.fixture
def source(server, tmp_path):
    return Source(server, tmp_path)


def test_the_evidence_is_named_for_each_file_and_nothing_is_downloaded(source):
    dated = {"etag": "", "last_modified": "Wed, 01 Jan 2025 00:00:00 GMT"}
    for key, says in (("sum", ["file:checksum"]), ("size", ["file:size"]), ("tag", []), ("same", []), ("gone", [])):
        source.put(key, f"content of {key}".encode(), says=says)
    source.put("dated", b"dated", **dated)
    source.put("mute", b"mute", etag="", last_modified="")
    source.download()
    assert {f[1] for f in source.verify()[0].values()} == {"same", "unknown"}
    source.put("sum", b"other bytes same", says=["file:checksum"])
    source.put("size", b"longer than before it was", says=["file:size"])
    source.put("tag", b"content of TAG")
    source.put("dated", b"DATED", **{**dated, "last_modified": "Thu, 02 Jan 2025 00:00:00 GMT"})
    source.put("lately", b"was never there")
    del source.assets["gone"]
    source.save()
    found, report, seen = source.verify()
    assert found == {
        "sum": ("ok", "changed", ("checksum",)),
        "size": ("ok", "changed", ("size",)),
        "tag": ("ok", "changed", ("ETag",)),
        "dated": ("ok", "changed", ("Last-Modified",)),
        "same": ("ok", "same", ("ETag",)),
        "gone": ("ok", "gone", ("listing",)),
        "mute": ("ok", "unknown", ("size",)),
        "one/lately": ("absent", "new", ("listing",)),
    }
    assert not report.ok
    assert not report.damaged
    assert {one.path for one in seen} == {"/tag", "/dated", "/same", "/mute"}, "metadata that decide cost no request"
    assert sum(one.sent for one in seen) <= 3, "one byte each at most"


def test_a_time_of_update_counts_where_nothing_better_is_known(source):
    source.put("a", b"a", etag="", last_modified="")
    source.save(properties={"datetime": "2024-01-01T00:00:00Z", "updated": "2025-01-01T00:00:00Z"})
    source.download()
    assert source.verify()[0]["a"] == ("ok", "same", ("updated",))
    source.save(properties={"datetime": "2024-01-01T00:00:00Z", "updated": "2025-01-02T00:00:00Z"})
    assert source.verify()[0]["a"] == ("ok", "changed", ("updated",))


def test_quick_asks_no_server_and_reads_no_file(source):
    source.put("a", b"a")
    source.put("b", b"b", says=["file:checksum"])
    source.download()
    (source.target / "b").write_bytes(b"B")
    found, _, seen = source.verify(read=False)
    assert found == {"a": ("ok", "unknown", ()), "b": ("ok", "same", ("checksum",))}
    assert not seen


def test_a_link_that_leads_to_nothing_is_gone_and_a_failure_is_unknown(source, server):
    for key in ("a", "b"):
        source.put(key, b"x")
    source.download()
    server.script("/a", Status(404))
    server.always("/b", Status(403))
    found, report, _ = source.verify()
    assert found["a"] == ("ok", "gone", ("404",))
    assert found["b"][1] == "unknown"
    assert "403" in next(f.detail for f in report.files if f.name == "b")


def test_what_is_not_listed_by_a_part_of_the_source_is_not_called_gone(source):
    from splashdown.model import ResultSet

    source.put("a", b"a")
    source.download()
    results = source.open()
    part = ResultSet(id="x", kind="item", assets=(), document={}, narrowed=("bbox",))
    (file,) = splashdown.JobResults(results.session, part).run("verify", target=source.target).files
    assert (file.source, file.detail) == (AtSource.UNKNOWN, "bbox asked for a part of the source")


def test_repair_fetches_what_is_damaged_or_missing_and_only_that(source, server):
    for key in ("whole", "missing", "damaged", "rotten"):
        source.put(key, f"content of {key}".encode())
    source.download()
    (source.target / "missing").unlink()
    (source.target / "damaged").write_bytes(b"short")
    # As a disk does it: same size, same time.
    rotten = source.target / "rotten"
    before = rotten.stat()
    with rotten.open("r+b") as file:
        file.write(b"C")
    os.utime(rotten, ns=(before.st_atime_ns, before.st_mtime_ns))
    source.put("new", b"new")
    receipt = json.loads((source.target / "item.json").read_text())
    _, report, seen = source.verify(repair=True, compare=False)
    assert sorted(one.path for one in seen) == ["/damaged", "/missing", "/rotten"]
    assert sorted(f.name for f in report.files if f.repaired) == ["damaged", "missing", "rotten"]
    assert report.ok
    assert rotten.read_bytes() == b"content of rotten"
    assert source.verify(compare=False)[1].ok
    assert [path.name for path in source.target.iterdir() if path.name.startswith(".")] == []
    now = json.loads((source.target / "item.json").read_text())
    assert now["assets"]["whole"] == receipt["assets"]["whole"]
    assert now["assets"]["rotten"]["file:checksum"] == receipt["assets"]["rotten"]["file:checksum"]
    # A later download finds everything complete by what the receipt says.
    source.open().download_files(source.target, layout="{key}")
    assert [one.path for one in server.seen[-5:] if one.sent] == ["/new"]


def test_repair_stores_no_other_version_than_the_one_that_was_recorded(source):
    source.put("versioned", b"old bytes")
    source.put("silent", b"old bytes", etag="", last_modified="")
    source.download()
    for key in ("versioned", "silent"):
        (source.target / key).write_bytes(b"damaged")
    source.put("versioned", b"new bytes")
    source.put("silent", b"new bytes", etag="", last_modified="")
    _, report, _ = source.verify(repair=True)
    details = {f.name: f.detail for f in report.files}
    assert "the source has another version, which sync fetches" in details["versioned"]
    assert "the sha2-256 of the bytes is not that of file:checksum" in details["silent"]
    assert {path.name: path.read_bytes() for path in source.target.iterdir() if path.suffix != ".json"} == {
        "versioned": b"damaged",
        "silent": b"damaged",
    }


def test_repair_leaves_a_link_or_a_folder_that_took_the_place_of_a_file(source, tmp_path):
    for key in ("link", "folder"):
        source.put(key, b"content")
    source.download()
    for key in ("link", "folder"):
        (source.target / key).unlink()
    (tmp_path / "elsewhere").write_bytes(b"mine")
    (source.target / "link").symlink_to(tmp_path / "elsewhere")
    (source.target / "folder").mkdir()
    _, report, seen = source.verify(repair=True, compare=False)
    assert not seen
    assert [str(f.state) for f in report.files] == ["unreadable", "unreadable"]
    assert (source.target / "link").is_symlink()


def test_repair_of_one_target_does_not_touch_the_files_of_another_below_it(source):
    source.put("a", b"of the first")
    source.download()
    other = source.target / "below"
    source.open().download_files(other, layout="{key}")
    (other / "a").unlink()
    _, report, seen = source.verify(repair=True)
    assert not seen[1:]
    (lost,) = report.damaged
    assert (lost.name, lost.source) == ("below/a", None)
    assert "it belongs to another source" in lost.detail


def test_repair_of_a_catalog_amends_the_document_of_the_item(source):
    source.put("a", b"content")
    source.open().download_collection(source.target)
    (name,) = [path for path in source.target.rglob("a") if path.is_file()]
    name.unlink()
    assert source.verify(repair=True, compare=False)[1].ok
    assert source.verify()[1].ok


def test_repair_needs_a_source(tmp_path):
    with pytest.raises(UsageError, match="its source is needed"):
        splashdown.Session().run("verify", tmp_path, repair=True)


# -- the command ---------------------------------------------------------------------------------------------------


def run(capsys, *arguments):
    code = main(["--no-plugins", *map(str, arguments)])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_the_exit_code_tells_damage_here_from_changes_at_the_source(source, capsys):
    source.put("a", b"content")
    source.put("b", b"content")
    source.download()
    command = ("verify", source.target, "--against", source.path)
    assert run(capsys, *command)[0] == 0
    source.put("a", b"CONTENT")
    code, out, _ = run(capsys, *command)
    assert code == 6
    assert "1 changed at the source" in out
    assert run(capsys, *command, "--quiet")[2] == "changed at the source: a: ETag\n"
    (source.target / "b").unlink()
    code, out, _ = run(capsys, *command, "--json")
    assert code == 1
    found = {f["name"]: (f["state"], f["source"], f["evidence"], f["repaired"]) for f in json.loads(out)["files"]}
    assert found == {"a": ("ok", "changed", ["ETag"], False), "b": ("missing", "same", ["ETag"], False)}
    assert run(capsys, *command, "--repair")[0] == 6
    assert (source.target / "b").read_bytes() == b"content"


def test_repair_knows_the_source_of_the_last_run_and_reads_no_source_from_the_target(
    source, capsys, tmp_path, server, monkeypatch
):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    source.put("a", b"content")
    assert run(capsys, "download", source.path, source.target, "--layout", "{key}")[0] == 0
    (source.target / "a").unlink()
    assert run(capsys, "verify", source.target, "--repair")[0] == 0
    assert (source.target / "a").read_bytes() == b"content"
    assert run(capsys, "retry", source.target)[0] == 2, "nothing had failed"
    # What the receipt says of its source is not proven: a token must not be sent there.
    shutil.rmtree(tmp_path / "state")
    receipt = json.loads((source.target / "item.json").read_text())
    receipt["links"] = [{"rel": rel, "href": f"{server.url}/evil.json"} for rel in ("self", "canonical", "via")]
    (source.target / "item.json").write_text(json.dumps(receipt))
    before = len(server.seen)
    code, _, error = run(capsys, "verify", source.target, "--repair")
    assert (code, len(server.seen)) == (2, before)
    assert "give it with --against SOURCE" in error


def test_an_option_about_the_source_is_refused_without_one(source, capsys):
    code, _, error = run(capsys, "verify", source.target, "--include", "*.tif")
    assert code == 2
    assert "--include is about a source: give one with --against" in error


# -- SHA256SUMS ----------------------------------------------------------------------------------------------------


def sha256sum(folder):
    done = subprocess.run(
        ["sha256sum", "-c", "--strict", "SHA256SUMS"], cwd=folder, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout.splitlines()


def test_sha256sum_checks_the_files_and_the_receipt(source, capsys):
    source.put("a", b"content")
    source.put("md5", b"content")
    source.assets["md5"]["file:checksum"] = multihash(b"content", "md5")
    source.save()
    source.download()
    code, out, _ = run(capsys, "verify", source.target, "--write-sums")
    assert code == 0
    assert f"checksums written to {source.target}/SHA256SUMS" in out
    assert sha256sum(source.target) == (0, ["a: OK", "item.json: OK", "md5: OK"])
    assert run(capsys, "verify", source.target, "--strict")[0] == 0, "it is not an extra file"
    (source.target / "a").write_bytes(b"CONTENT")
    assert sha256sum(source.target)[0] == 1
    before = (source.target / "SHA256SUMS").read_bytes()
    assert run(capsys, "verify", source.target, "--write-sums")[0] == 1
    assert (source.target / "SHA256SUMS").read_bytes() == before, "damage is not signed off"


@pytest.mark.parametrize("name", ["a b", "back\\slash", "new\nline", "return\rcarriage", "-", "*star", "\\", "ü"])
def test_a_name_is_written_as_coreutils_write_it(name, tmp_path):
    (tmp_path / name).write_bytes(b"content")
    (tmp_path / "SHA256SUMS").write_text(_line(multihash(b"content")[4:], name), newline="")
    assert sha256sum(tmp_path)[0] == 0
    if name != "-":
        own = subprocess.run(["sha256sum", "--", name], cwd=tmp_path, capture_output=True, check=True)
        assert own.stdout.decode() == (tmp_path / "SHA256SUMS").read_bytes().decode()


def test_a_run_that_changes_the_target_removes_the_sums_and_any_other_keeps_them(source, capsys):
    source.put("a", b"content", says=["file:checksum"])
    source.download()
    sums = source.target / "SHA256SUMS"
    run(capsys, "verify", source.target, "--write-sums")
    source.download()
    assert sums.exists()
    source.put("b", b"more")
    source.download()
    assert not sums.exists()
    run(capsys, "verify", source.target, "--write-sums")
    del source.assets["b"]
    source.save()
    source.open().run("sync", target=source.target, delete=True, layout="{key}")
    assert not sums.exists()


def test_a_file_of_that_name_that_is_not_ours_is_neither_replaced_nor_removed(source, capsys):
    source.put("a", b"content")
    source.download()
    sums = source.target / "SHA256SUMS"
    sums.write_text("mine\n")
    code, _, error = run(capsys, "verify", source.target, "--write-sums")
    assert code == 1
    assert "SHA256SUMS in the target is not of this program" in error
    source.put("b", b"more")
    source.download()
    assert sums.read_text() == "mine\n"


def test_a_link_or_a_pipe_of_that_name_is_left_and_fails_no_download(source, tmp_path, capsys):
    source.put("a", b"content")
    (tmp_path / "elsewhere").write_bytes(b"# written by splashdown verify --write-sums\n")
    source.target.mkdir()
    sums = source.target / "SHA256SUMS"
    for make in (lambda: sums.symlink_to(tmp_path / "elsewhere"), lambda: os.mkfifo(sums)):
        make()
        source.open().download_files(source.target, layout="{key}", if_exists="overwrite")
        assert run(capsys, "verify", source.target, "--write-sums")[0] != 0
        assert sums.is_symlink() or sums.is_fifo()
        sums.unlink()
    assert (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("name", ["SHA256SUMS", "sha256sums", "SHA256SUMS.asc", "SHA256SUMS.sig"])
def test_no_asset_takes_the_name_of_the_sums_or_of_a_signature(source, name):
    source.put(name, b"# written by splashdown verify --write-sums\nforged")
    source.download()
    assert name not in {path.name for path in source.target.iterdir()}
    assert source.verify()[1].of(State.OK)


def test_sums_that_lie_decide_nothing(source):
    source.put("a", b"content", says=["file:checksum"])
    source.download()
    (source.target / "a").write_bytes(b"forgery")
    (source.target / "SHA256SUMS").write_text(
        f"# written by splashdown verify --write-sums\n{multihash(b'forgery')[4:]}  a\n"
    )
    assert source.verify(compare=False)[0]["a"][0] == "changed"
    source.download()
    assert (source.target / "a").read_bytes() == b"content"
