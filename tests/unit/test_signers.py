"""Signers give credentials to the origins that they are for, and to nothing else; the built-in one reads a netrc file."""

import base64
import json

import pytest
from fault_server import FaultServer
from stac_item import stac_item

from splashdown import DownloadError, Session, hookimpl
from splashdown.errors import AuthError, ConflictError, OptionError
from splashdown.specs import SignerSpec

BASIC = "Basic " + base64.b64encode(b"jane:secret word").decode()


@pytest.fixture
def netrc(tmp_path, monkeypatch):
    path = tmp_path / "netrc"
    path.write_text('machine 127.0.0.1 login jane password "secret word"\ndefault login anybody password x\n')
    path.chmod(0o600)
    monkeypatch.setenv("NETRC", str(path))
    return path


@pytest.fixture
def server():
    with FaultServer() as running:
        running.add("/a.bin", b"for jane", needs={"authorization": BASIC})
        yield running


def session(*plugins, **options):
    return Session(plugins=plugins, discover=False, config=False, options=options)


def item(*hrefs):
    return stac_item({href.rpartition("/")[2]: {"href": href} for href in hrefs})


def test_netrc_is_not_read_unless_origins_are_listed(netrc, server):
    with session() as plain:
        assert plain.sign(f"{server.url}/a.bin") == (f"{server.url}/a.bin", {})


def test_a_file_behind_basic_auth_lands_with_the_entry_of_its_host(netrc, server, tmp_path):
    with session(netrc={"origins": [server.url]}) as signed:
        signed.open(item(f"{server.url}/a.bin")).download_files(tmp_path / "out")
    assert (tmp_path / "out" / "a.bin").read_bytes() == b"for jane"
    everything = b"".join(path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert b"secret" not in everything
    assert BASIC.encode() not in everything


def test_origins_come_from_the_environment_too(netrc, server, monkeypatch):
    monkeypatch.setenv("SPLASHDOWN_NETRC_ORIGINS", f"https://other.example, {server.url}")
    with session() as signed:
        assert signed.open(item(f"{server.url}/a.bin")).get_asset("a.bin").load_bytes() == b"for jane"


def test_another_host_and_another_port_get_nothing(netrc, server):
    with session(netrc={"origins": [server.url]}) as signed, FaultServer() as other:
        for href in (f"{other.url}/a.bin", f"{server.url.replace('127.0.0.1', 'localhost')}/a.bin"):
            assert signed.sign(href) == (href, {})


def test_a_redirect_to_another_origin_does_not_get_the_credentials(netrc, server):
    from faults import Redirect

    with FaultServer() as other:
        other.add("/b.bin", b"public")
        server.script("/a.bin", Redirect(f"{other.url}/b.bin"))
        with session(netrc={"origins": [server.url]}) as signed:
            assert signed.open(item(f"{server.url}/a.bin")).get_asset("a.bin").load_bytes() == b"public"
        assert all("authorization" not in seen.headers for seen in other.seen)


def test_a_listed_host_without_an_entry_is_one_line_and_the_default_entry_is_not_used(netrc, server, tmp_path):
    other = server.url.replace("127.0.0.1", "localhost")
    with session(netrc={"origins": [other]}) as signed:
        with pytest.raises(AuthError, match="no entry for the host 'localhost'"):
            signed.sign(f"{other}/a.bin")
        with pytest.raises(DownloadError) as caught:
            signed.open(item(f"{other}/a.bin")).download_files(tmp_path / "out")
    (failed,) = caught.value.report.failed
    assert "no entry for the host 'localhost'" in failed.error


@pytest.mark.parametrize(
    "wrong", ["data.example", "https://", "https://data.example/path", "https://u:geheim@h.example"]
)
def test_what_is_no_origin_is_refused_because_it_would_match_nothing(wrong):
    with session(netrc={"origins": [wrong]}) as signed, pytest.raises(OptionError, match="origins such as") as caught:
        signed.sign("https://data.example/a.bin")
    assert "geheim" not in str(caught.value)


class Keys:
    def __init__(self, name):
        self.name = name
        self.made = 0

    @hookimpl
    def splashdown_signers(self):
        yield SignerSpec(name=self.name, origins=("https://*.example",), create=self.make)

    def make(self, options):
        self.made += 1
        return self

    def sign(self, href):
        return f"{href}?key={self.name}", {}


def test_a_signer_is_made_once_a_session_and_signs_each_time():
    plugin = Keys("one")
    with session(plugin) as signed:
        assert [signed.sign("https://a.example/x")[0] for _ in range(3)] == ["https://a.example/x?key=one"] * 3
    assert plugin.made == 1


def test_two_signers_for_one_href_conflict_and_no_secret_is_shown():
    with session(Keys("one"), Keys("two")) as signed, pytest.raises(ConflictError) as caught:
        signed.sign("https://a.example/x?token=geheim")
    assert "'one' and 'two' all sign https://a.example/x" in str(caught.value)
    assert "geheim" not in str(caught.value)


def test_a_source_that_signs_itself_is_asked_first():
    with session(Keys("one")) as signed:
        assert signed.sign("https://a.example/x", Keys("own"))[0].endswith("key=own")


def test_the_check_of_a_signer_shows_its_options():
    with session() as plain:
        found = plain.registry.check("netrc")
    assert found.ok
    assert [field.variable for field in found.options["netrc"]] == ["SPLASHDOWN_NETRC_ORIGINS", "SPLASHDOWN_NETRC_PATH"]
    json.dumps([field.name for field in found.options["netrc"]])
