"""Metalink 4 documents as sources: they are STAC Items whose further URLs are alternates."""

from __future__ import annotations

import hashlib

import pytest
from fault_server import FaultServer
from faults import Status
from hypothesis import given
from hypothesis import strategies as st

from splashdown import RetryPolicy, Session, Settings
from splashdown.builtins.stac.metalink import read_metalink
from splashdown.errors import ResolveError

DATA = b"some bytes" * 100
SUM = hashlib.sha256(DATA).hexdigest()


def metalink(*files):
    return (
        f'<?xml version="1.0"?><metalink xmlns="urn:ietf:params:xml:ns:metalink">{"".join(files)}</metalink>'.encode()
    )


def file_of(*urls, name="deep/a.bin", size=1000, digest=SUM):
    listed = "".join(f"<url priority='{number}'>{url}</url>" for number, url in reversed([*enumerate(urls, 1)]))
    return f'<file name="{name}"><size>{size}</size><hash type="sha-256">{digest}</hash>{listed}</file>'


@pytest.fixture
def server():
    with FaultServer() as running:
        yield running


@pytest.fixture
def session():
    with Session(discover=False, settings=Settings(retry=RetryPolicy(attempts=2, base=0.01))) as running:
        yield running


def test_a_file_comes_from_its_second_url_when_the_first_fails(server, session, tmp_path):
    first, second = server.add("/a.bin", DATA), server.add("/b.bin", DATA)
    server.always("/a.bin", Status(404))
    source = server.add("/list.meta4", metalink(file_of(first, second)))
    results = session.open(source)
    assert (results.id, results.assets[0].key, results.assets[0].checksum) == ("list", "deep/a.bin", "1220" + SUM)
    done = results.run("download_files", target=tmp_path)
    assert (tmp_path / "deep/a.bin").read_bytes() == DATA
    assert "checksum" in done.report.outcomes[0].verified


def test_other_bytes_at_every_url_are_not_kept(server, session, tmp_path):
    urls = [server.add(f"/{name}", DATA[::-1]) for name in ("a", "b")]
    (tmp_path / "x.metalink").write_bytes(metalink(file_of(*urls)))
    report = session.open(tmp_path / "x.metalink").transfer(
        session.open(tmp_path / "x.metalink").plan(tmp_path / "out")
    )
    assert [one.error_type for one in report.outcomes] == ["ChecksumError"]


def test_a_list_that_was_written_is_read_again(server, session, tmp_path, capsys):
    from splashdown._cli.main import main

    urls = [server.add(f"/{name}?a=1&b=2".partition("?")[0], DATA) + "?a=1&b=2" for name in ("a.bin", "b.bin")]
    source = tmp_path / "first.meta4"
    source.write_bytes(metalink(file_of(*(url.replace("&", "&amp;") for url in urls), name="a&amp;&quot;&lt;.bin")))
    assert main(["--no-plugins", "ls", str(source), "--format", "metalink"]) == 0
    (tmp_path / "second.meta4").write_text(capsys.readouterr().out)
    first, second = session.open(source).assets[0], session.open(tmp_path / "second.meta4").assets[0]
    assert (first.href, first.size, first.checksum) == (second.href, second.size, second.checksum)
    assert first.metadata["alternate"] == second.metadata["alternate"] == {"url 2": {"href": urls[1]}}


def test_urls_of_the_web_come_before_others_and_local_files_are_refused(session, tmp_path):
    item = read_metalink(metalink(file_of("ftp://h.example/a", "https://h.example/a")), "file:///x.meta4")
    assert item["assets"]["deep/a.bin"]["href"] == "https://h.example/a"


def test_a_document_of_the_web_leads_to_no_local_file(server, session):
    source = server.add(
        "/list.meta4", metalink(file_of("file:///etc/passwd"), file_of("https://h.example/a", name="b"))
    )
    results = session.open(source)
    assert [asset.key for asset in results.assets] == ["b"]
    assert "local files" in results.result_set.warnings[0]


def test_a_name_that_leads_out_of_the_target_is_not_used(server, session, tmp_path):
    url = server.add("/a.bin", DATA)
    (tmp_path / "x.meta4").write_bytes(metalink(file_of(url, name="../../evil.bin")))
    session.open(tmp_path / "x.meta4").download_files(tmp_path / "in" / "out")
    assert {one.name for one in (tmp_path / "in").iterdir()} == {"out"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not a Metalink document"),
        (b"<a/>", "not Metalink 4"),
        (b'<metalink version="3.0" xmlns="http://www.metalinker.org/"/>', "not Metalink 4"),
        (metalink(), "no file"),
        (metalink('<file name="a"/>'), "no file"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "document type"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'.encode("utf-16"), "document type"),
        (b'<?xml version="1.0" encoding="no-such"?><a/>', "not a Metalink document"),
    ],
)
def test_what_is_not_metalink_4_is_refused_in_one_line(content, said):
    with pytest.raises(ResolveError, match=said) as error:
        read_metalink(content, "file:///x.meta4")
    assert "\n" not in str(error.value)


@given(
    st.binary(max_size=200)
    | st.text(max_size=200).map(lambda text: metalink(f"<file name='a'>{text}").replace(b"\0", b""))
)
def test_any_bytes_are_read_or_refused(content):
    try:
        read_metalink(content, "file:///x.meta4")
    except ResolveError:
        return
