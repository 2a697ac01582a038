"""Credentials that are refused in the middle of a run are asked for again where there is something to ask."""

import json
import sys
import threading

import pytest
from fault_server import FaultServer
from stac_item import stac_item

import splashdown
from splashdown import DownloadError, Session, Settings
from splashdown._cli.main import main
from splashdown._documents.listed import Credential
from splashdown.errors import AuthError, UsageError

SECRET = "cAnArYt0ken0123456789"


class Archive:
    """Tokens ``t1-long-enough``, ``t2-long-enough``, ... of which each is good for so many answers."""

    def __init__(self, server, uses):
        self.server, self.uses, self.given, self.left = server, uses, 0, 0
        self.lock = threading.Lock()

    def token(self):
        with self.lock:
            self.given, self.left = self.given + 1, self.uses
            return f"t{self.given}-long-enough"

    def check(self, handler, answer):
        with self.lock:
            good = handler.seen.headers.get("authorization") == f"Bearer t{self.given}-long-enough" and self.left > 0
            self.left -= good
        handler.owner.files[handler.seen.path].needs = {} if good else {"x-never": "sent"}
        handler.send(handler.right())

    def add(self, path, content):
        self.server.add(path, content)
        self.server.always(path, self.check)
        return self.server.url + path


@pytest.fixture
def server():
    with FaultServer() as running:
        yield running


@pytest.fixture(autouse=True)
def no_configuration(monkeypatch):
    monkeypatch.setenv("SPLASHDOWN_CONFIG", "")


def six_files(archive, prefix="a"):
    return stac_item({f"a{n}": {"href": archive.add(f"/{prefix}{n}.bin", b"x" * 10)} for n in range(6)})


@pytest.mark.parametrize("way", ["source", "mapping"])
def test_a_token_that_dies_in_the_middle_is_asked_for_again(way, server, tmp_path):
    archive = Archive(server, uses=3)
    source = server.add("/item.json", json.dumps(six_files(archive)).encode())
    auth = archive.token if way == "source" else {server.url: archive.token}
    splashdown.open(source, auth=auth).download_files(tmp_path, settings=Settings(jobs=1))
    assert len(list(tmp_path.glob("a*.bin"))) == 6
    assert archive.given == 2
    assert [seen.status for seen in server.seen].count(401) == 1


def test_several_threads_ask_for_one_new_token(server, tmp_path):
    archive = Archive(server, uses=1000)
    results = splashdown.open(six_files(archive), auth={server.url: archive.token})
    results.get_asset("a0").load_bytes()
    archive.left = 0
    results.download_files(tmp_path, settings=Settings(jobs=6))
    assert archive.given == 2


def test_a_token_for_documents_is_renewed_too(server):
    archive = Archive(server, uses=1)
    archive.add("/linked.json", json.dumps(stac_item({"a": {"href": "https://x.example/a.bin"}})).encode())
    links = [{"rel": "item", "href": "linked.json", "type": "application/geo+json"}]
    collection = {"type": "Collection", "id": "c", "links": links, "stac_version": "1.0.0"}
    source = archive.add("/c.json", json.dumps(collection).encode())
    assert len(splashdown.open(source, auth=archive.token)) == 1
    assert archive.given == 2


def test_each_source_of_several_renews_its_own_token(server, tmp_path):
    archive = Archive(server, uses=3)
    sources = [
        server.add(f"/{name}.json", json.dumps(six_files(archive, name) | {"id": name}).encode()) for name in "pq"
    ]
    splashdown.open(sources, auth={server.url: archive.token}).download_files(tmp_path, settings=Settings(jobs=1))
    assert archive.given == 4


def test_a_command_of_the_configuration_gives_a_fresh_token(server, tmp_path, monkeypatch):
    archive = Archive(server, uses=3)
    source = server.add("/item.json", json.dumps(six_files(archive)).encode())
    count = tmp_path / "count"
    program = tmp_path / "token.py"
    program.write_text(
        f"import pathlib\np = pathlib.Path({str(count)!r})\nn = len(p.read_text()) + 1 if p.exists() else 1\n"
        "p.write_text('x' * n)\nprint(f't{n}-long-enough')\n"
    )
    own = tmp_path / "own.toml"
    own.write_text(f'[auth]\n"{server.url}" = "command:{sys.executable} {program}"\n')
    monkeypatch.setenv("SPLASHDOWN_CONFIG", str(own))
    archive.given, archive.left = 1, 3

    def check(handler, answer):
        if archive.left == 0 and handler.seen.headers.get("authorization") == "Bearer t2-long-enough":
            archive.given, archive.left = 2, 100
        archive.check(handler, answer)

    for n in range(6):
        server.always(f"/a{n}.bin", check)
    assert main(["download", source, str(tmp_path / "out"), "--jobs", "1"]) == 0
    assert count.read_text() == "xx"


def test_what_was_refused_is_not_asked_for_with_every_file(server, tmp_path):
    asked = []

    def dead():
        asked.append(1)
        return "dead-for-good"

    assets = {f"a{n}": {"href": server.add(f"/a{n}.bin", b"x", needs={"x-never": "sent"})} for n in range(6)}
    with pytest.raises(DownloadError) as caught:
        splashdown.open(stac_item(assets), auth={server.url: dead}).download_files(tmp_path, settings=Settings(jobs=1))
    assert len(caught.value.report.failed) == 6
    assert len(asked) == 2
    assert "credentials were refused" in caught.value.report.failed[0].error


def test_a_fixed_token_is_sent_once_and_the_message_says_how_to_renew(server, tmp_path):
    href = server.add("/a.bin", b"x", needs={"x-never": "sent"})
    with pytest.raises(DownloadError) as caught:
        splashdown.open(stac_item({"a": {"href": href}}), auth={server.url: SECRET}).download_files(tmp_path)
    assert len(server.seen) == 1
    assert "callable" in caught.value.report.failed[0].error
    assert SECRET not in caught.value.report.failed[0].error


def test_a_callable_that_raises_is_one_line_without_its_message(server):
    def broken():
        raise ValueError(SECRET)

    results = Session(config=False).open(
        stac_item({"a": {"href": server.add("/a.bin", b"x")}}), auth={server.url: broken}
    )
    with pytest.raises(AuthError, match="raised ValueError") as caught:
        results.session.sign(server.url + "/a.bin", results.result_set.signer)
    assert SECRET not in str(caught.value)


def test_a_callable_that_gives_something_else_is_refused():
    with pytest.raises(UsageError, match="not int"):
        Credential(lambda: 5, "https://h.example").headers()


def test_a_refusal_of_older_headers_asks_for_nothing():
    tokens = iter(["first-token", "second-token"])
    credential = Credential(lambda: next(tokens), "https://h.example")
    first = credential.headers()
    assert credential.renew(first)
    assert credential.renew(first)  # another thread, which was refused with the first token too
    assert credential.headers() == {"Authorization": "Bearer second-token"}
