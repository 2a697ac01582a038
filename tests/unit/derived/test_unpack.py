"""Files inside ZIP and TAR archives as assets: over a real socket, with good, damaged and hostile archives."""

from __future__ import annotations

import io
import json
import random
import struct
import tarfile
import zipfile
import zlib

import pytest
from fault_server import FaultServer
from faults import Cut, Status
from hypothesis import given
from hypothesis import strategies as st
from stac_item import stac_item

from splashdown import DownloadError, RetryPolicy, Session, Settings
from splashdown._derived import archives
from splashdown.errors import LoadError
from splashdown.model import Status as Ended
from splashdown.testing import MemoryHandle, make_asset


def data_of(size, seed=0):
    """Bytes that do not compress."""
    return random.Random(seed).randbytes(size)


BAND = "P.SAFE/GRANULE/IMG_DATA/B04.jp2"
CONTENTS = {BAND: data_of(300_000), "P.SAFE/manifest.xml": b"<a>" + b"x" * 5000 + b"</a>", "P.SAFE/empty.txt": b""}


def zipped(files, *, method=zipfile.ZIP_STORED, before=b""):
    out = io.BytesIO()
    out.write(before)
    with zipfile.ZipFile(out, "a" if before else "w", method) as archive:
        archive.writestr("P.SAFE/", b"")
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def tarred(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        link = tarfile.TarInfo("P.SAFE/link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    return out.getvalue()


@pytest.fixture
def server():
    with FaultServer() as running:
        yield running


@pytest.fixture
def opened(server):
    """Results of an item whose only asset is an archive with these bytes."""
    with Session(discover=False, settings=Settings(retry=RetryPolicy(attempts=3, base=0.01))) as session:

        def make(content, name="product.zip", **file):
            server.add(f"/{name}", content, **file)
            return session.open(stac_item({"product": {"href": f"{server.url}/{name}", "roles": ["data"]}}))

        yield make


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_the_files_of_a_zip_land_like_any_others(opened, tmp_path, method):
    results = opened(zipped(CONTENTS, method=method)).unpack()
    assert [asset.key for asset in results.get_assets()] == [f"product.zip!/{name}" for name in CONTENTS]
    assert results.get_asset(f"product.zip!/{BAND}").media_type == "image/jp2"
    results.download_files(tmp_path)
    assert {name: (tmp_path / name).read_bytes() for name in CONTENTS} == CONTENTS
    receipt = json.loads((tmp_path / "item.json").read_text())
    entry = receipt["assets"][f"product.zip!/{BAND}"]
    assert (entry["href"], entry["file:size"], entry["roles"]) == (f"./{BAND}", 300_000, ["data"])
    assert Session(discover=False).run("verify", tmp_path).ok


def test_a_second_run_reads_the_index_and_no_file(opened, server, tmp_path):
    content = zipped(CONTENTS)
    opened(content).unpack().download_files(tmp_path)
    before = server.sent()
    done = opened(content).unpack().run("download_files", target=tmp_path)
    assert {one.status for one in done.report.outcomes} == {Ended.SKIPPED}
    assert server.sent() - before <= 2 * 64 * 1024


def test_a_changed_archive_is_fetched_again_where_its_files_changed(opened, tmp_path):
    opened(zipped(CONTENTS)).unpack().download_files(tmp_path)
    changed = CONTENTS | {"P.SAFE/manifest.xml": b"<a>" + b"y" * 5000 + b"</a>"}
    done = opened(zipped(changed)).unpack().run("download_files", target=tmp_path)
    assert [one.transfer.name for one in done.report.outcomes if one.status is Ended.STORED] == ["P.SAFE/manifest.xml"]


def test_one_file_of_a_large_archive_costs_its_own_bytes(opened, server, tmp_path):
    files = {f"P.SAFE/{n}.bin": data_of(1_000_000, seed=n) for n in range(8)}
    results = opened(zipped(files)).unpack().select(keys="*!/P.SAFE/3.bin")
    done = results.run("download_files", target=tmp_path)
    assert (tmp_path / "P.SAFE/3.bin").read_bytes() == files["P.SAFE/3.bin"]
    assert server.sent() < 1_000_000 + 3 * 64 * 1024
    assert done.report.bytes_moved == 1_000_000
    assert set(results.result_set.origins.values()) == {("one/product", len(zipped(files)))}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_loader_reads_a_part_of_a_file_in_an_archive(opened, method):
    handle = opened(zipped(CONTENTS, method=method)).unpack().get_asset(f"product.zip!/{BAND}").open()
    assert bytes(handle.read_range(200_000, 200_100)) == CONTENTS[BAND][200_000:200_100]
    assert handle.bytes() == CONTENTS[BAND]


def test_the_files_of_a_tar_land_and_links_are_named(opened, tmp_path):
    results = opened(tarred(CONTENTS), "product.tar").unpack()
    assert [(one.asset.key, one.reason) for one in results.skipped] == [
        ("product.tar!/P.SAFE/link", "it is a link, a device or a sparse file")
    ]
    results.download_files(tmp_path)
    assert {name: (tmp_path / name).read_bytes() for name in CONTENTS} == CONTENTS


def test_a_broken_connection_goes_on_within_the_file(opened, server, tmp_path):
    results = opened(zipped(CONTENTS)).unpack()
    server.script("/product.zip", Cut(after=100_000), Status(503))
    results.download_files(tmp_path)
    assert (tmp_path / BAND).read_bytes() == CONTENTS[BAND]


def test_an_archive_that_fails_is_asked_as_often_as_a_file(opened, server, tmp_path):
    results = opened(zipped(CONTENTS)).unpack().select(keys="*B04*")
    before = len(server.seen)
    server.always("/product.zip", Status(500))
    with pytest.raises(DownloadError, match="500"):
        results.download_files(tmp_path)
    assert len(server.seen) - before == 3


def test_an_archive_that_changes_after_its_index_was_read_is_refused(opened, server, tmp_path):
    results = opened(zipped(CONTENTS)).unpack().select(keys="*B04*")
    server.add("/product.zip", zipped({BAND: data_of(300_000, seed=9)}))
    with pytest.raises(DownloadError, match="changed"):
        results.download_files(tmp_path)
    assert not (tmp_path / BAND).exists()


def test_a_server_without_ranges_sends_the_archive_once(opened, server, tmp_path):
    opened(zipped(CONTENTS), ranges=False).unpack().download_files(tmp_path)
    assert {name: (tmp_path / name).read_bytes() for name in CONTENTS} == CONTENTS
    assert len(server.seen) <= 2


def test_a_signature_of_the_archive_is_in_no_name_and_no_receipt(server, tmp_path):
    server.add("/product.zip", zipped(CONTENTS), signed=True)
    item = stac_item({"product": {"href": server.sign("/product.zip"), "type": "application/zip"}})
    with Session(discover=False) as session:
        results = session.open(item).unpack()
        assert not any("s3cret" in asset.href for asset in results.get_assets())
        results.download_files(tmp_path)
    assert b"s3cret" not in (tmp_path / "item.json").read_bytes()


def test_several_sources_keep_their_folders(server, tmp_path):
    for name in ("a", "b"):
        server.add(f"/{name}.zip", zipped({"x.bin": name.encode() * 10}))
        item = stac_item({"p": {"href": f"{server.url}/{name}.zip"}}, id=name)
        (tmp_path / f"{name}.json").write_text(json.dumps(item))
    with Session(discover=False) as session:
        results = session.open([str(tmp_path / "a.json"), str(tmp_path / "b.json")]).unpack()
        results.download_files(tmp_path / "out")
    assert {(tmp_path / "out" / name / "x.bin").read_bytes() for name in ("a", "b")} == {b"a" * 10, b"b" * 10}


def test_an_archive_that_cannot_be_read_fails_the_run_at_its_end(server, tmp_path):
    server.add("/good.zip", zipped({"x.bin": b"good"}))
    server.add("/bad.zip", b"PK\x03\x04" + data_of(1000))
    assets = {name: {"href": f"{server.url}/{name}.zip"} for name in ("bad", "good", "absent")}
    with Session(discover=False) as session, pytest.raises(DownloadError, match=r"one/absent|one/bad") as error:
        session.open(stac_item(assets)).unpack().download_files(tmp_path)
    assert (tmp_path / "x.bin").read_bytes() == b"good"
    assert "\n" not in str(error.value)


# -- hostile archives ----------------------------------------------------------------------------------------------


def at_central(content, name, offset, form, *values):
    """The archive with other values in the central directory's entry of a file, ``offset`` bytes after its start."""
    changed = bytearray(content)
    at = content.rindex(b"PK\x01\x02", 0, content.rindex(name.encode()))
    struct.pack_into(form, changed, at + offset, *values)
    return bytes(changed)


def test_other_bytes_than_the_crc_says_are_not_kept(opened, tmp_path):
    content = bytearray(zipped(CONTENTS))
    content[content.index(CONTENTS[BAND]) + 100] ^= 1
    with pytest.raises(DownloadError, match="CRC-32"):
        opened(bytes(content)).unpack().download_files(tmp_path)
    assert not (tmp_path / BAND).exists()
    assert (tmp_path / "P.SAFE/manifest.xml").exists()


def test_damaged_compression_is_not_kept(opened, tmp_path):
    content = bytearray(zipped({BAND: b"abc" * 9999}, method=zipfile.ZIP_DEFLATED))
    at = content.index(BAND.encode()) + len(BAND)
    content[at : at + 20] = b"\xff" * 20
    with pytest.raises(DownloadError, match="damaged"):
        opened(bytes(content)).unpack().download_files(tmp_path)
    assert not (tmp_path / BAND).exists()


def test_a_file_that_unpacks_to_more_than_it_promises_is_stopped(opened, tmp_path):
    content = zipped({BAND: bytes(5_000_000)}, method=zipfile.ZIP_DEFLATED)
    lying = at_central(content, BAND, 24, "<I", 10_000)
    with pytest.raises(DownloadError, match="more bytes than the 10000"):
        opened(lying).unpack().download_files(tmp_path)
    assert not (tmp_path / BAND).exists()


@pytest.mark.parametrize(
    ("offset", "form", "value", "reason"),
    [
        (8, "<H", 1, "encrypted"),
        (10, "<H", 12, "method 12"),
        (24, "<I", 4_000_000_000, "cannot hold"),
        (20, "<I", 900_000, "overlaps"),
        (38, "<I", 0o120777 << 16, "symbolic link"),
    ],
)
def test_what_cannot_be_read_is_left_out_with_the_reason(opened, offset, form, value, reason):
    content = zipped({BAND: b"abc" * 9999}, method=zipfile.ZIP_DEFLATED)
    results = opened(at_central(content, BAND, offset, form, value)).unpack()
    assert len(results) == 0
    assert reason in results.skipped[0].reason


def test_members_that_share_their_bytes_are_refused(opened):
    """As in a small file that holds petabytes."""
    content = zipped({"first": bytes(10**6), "second": bytes(10**6)}, method=zipfile.ZIP_DEFLATED)
    first = content.index(b"PK\x03\x04", 10)
    results = opened(at_central(content, "second", 42, "<I", first)).unpack()
    assert len(results) < 2
    assert "overlaps" in results.skipped[0].reason


def test_a_header_that_is_not_where_the_index_says_is_an_error(opened, tmp_path):
    content = zipped(CONTENTS)
    with pytest.raises(DownloadError, match="not where the index says"):
        opened(content.replace(b"PK\x03\x04", b"PK\x03\x05")).unpack().download_files(tmp_path)


@pytest.mark.parametrize("name", ["../../evil", "/etc/evil", "C:\\evil", "a/../../evil", "con.txt", "a\nb", "x" * 300])
def test_no_name_leads_out_of_the_target(opened, tmp_path, name):
    opened(zipped({name: b"evil"})).unpack().download_files(tmp_path / "in" / "out")
    assert {p.name for p in (tmp_path / "in").iterdir()} == {"out"}
    assert any(p.read_bytes() == b"evil" for p in (tmp_path / "in" / "out").rglob("*") if p.is_file())


def test_an_index_without_end_is_refused(monkeypatch):
    monkeypatch.setattr(archives, "_MOST_INDEX", 1000)
    many = zipped({f"{n}": b"" for n in range(2000)})
    with pytest.raises(LoadError, match="more than any needs"):
        archives.list_archive(MemoryHandle(many, make_asset("x.zip")), "zip")


def test_a_compressed_tar_says_what_to_do(opened):
    results = opened(b"\x1f\x8b", "product.tar.gz").unpack()
    assert "download it whole" in results.result_set.unresolved[0]


def test_zip64_is_read(opened, tmp_path):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive, archive.open(zipfile.ZipInfo(BAND), "w", force_zip64=True) as file:
        file.write(CONTENTS[BAND])
    opened(out.getvalue()).unpack().download_files(tmp_path)
    assert (tmp_path / BAND).read_bytes() == CONTENTS[BAND]


names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20)


@given(
    files=st.dictionaries(names.filter(lambda n: not n.endswith("/")), st.binary(max_size=300), max_size=6),
    method=st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]),
    before=st.binary(max_size=50),
)
def test_the_index_lists_what_zipfile_wrote(files, method, before):
    content = zipped(files, method=method, before=before)
    listing = archives.list_archive(MemoryHandle(content, make_asset("x.zip")), "zip")
    assert not listing.refused
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        wanted = {one.filename: (one.file_size, one.CRC) for one in archive.infolist() if not one.is_dir()}
    assert {one.path: (one.size, one.crc) for one in listing.entries} == wanted
    for one in listing.entries:
        at = one.start + archives.data_offset(MemoryHandle(content, make_asset("x.zip")), one)
        packed = content[at : at + one.packed]
        data = packed if method == zipfile.ZIP_STORED else zlib.decompress(packed, -zlib.MAX_WBITS)
        assert zlib.crc32(data) == one.crc


def refusal(content, kind):
    """The words of the refusal; empty where the archive is listed."""
    try:
        archives.list_archive(MemoryHandle(content, make_asset("x.zip")), kind)
    except LoadError as error:
        return str(error)
    return ""


@given(
    content=st.binary(max_size=400), kind=st.sampled_from(["zip", "tar"]), start=st.sampled_from([b"", b"PK\x03\x04"])
)
def test_any_bytes_are_listed_or_refused_in_one_line(content, kind, start):
    assert "\n" not in refusal(start + content, kind)


@given(at=st.integers(0, 10_000), value=st.integers(0, 255), kind=st.sampled_from(["zip", "tar"]))
def test_a_damaged_byte_never_brings_another_exception(at, value, kind):
    good = zipped({"a": b"abc", "b/c": bytes(500)}, method=8) if kind == "zip" else tarred({"a": b"abc"})
    bad = bytearray(good)
    bad[at % len(bad)] = value
    assert "\n" not in refusal(bytes(bad), kind)
