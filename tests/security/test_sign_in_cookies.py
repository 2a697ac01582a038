"""A login host signs in by redirects: its netrc entry is enough, and the cookies of the sign-in stay where they were set."""

import base64
import http.cookiejar
import json
import logging

import pytest
from fault_server import FaultServer
from faults import Redirect, Status
from stac_item import stac_item

import splashdown
from splashdown import DownloadError, Session
from splashdown._cli.main import main
from splashdown._documents.cookies import Cookies, cookie_lines

PASSWORD, SESSION = "cAnArYpa55word", "cAnArY5e55ion0123"
BASIC = "Basic " + base64.b64encode(f"jane:{PASSWORD}".encode()).decode()


class Login:
    """A data host that redirects to a login host, which leads back with a code that the data host takes for a cookie."""

    def __init__(self, data, login, files=("/d/f.bin",)):
        self.data, self.login = data, login
        self.items = stac_item({path[-5:-4]: {"href": data.url + path} for path in files})
        for path in files:
            data.add(path, b"signed in" + path.encode())
            data.always(path, self.file)
        login.add("/authorize", b"")
        login.always("/authorize", self.authorize)
        data.always("/login", self.finish)

    def file(self, handler, answer):
        if f"sess={SESSION}" in handler.seen.headers.get("cookie", ""):
            handler.send(handler.right())
        else:
            Redirect(f"{self.login.alias}/authorize?state={handler.seen.path}")(handler, answer)

    def authorize(self, handler, answer):
        if handler.seen.headers.get("authorization") != BASIC:
            Status(401, b"access denied")(handler, answer)
        else:
            Redirect(f"{self.data.url}/login?code=abc&{handler.seen.query}")(handler, answer)

    def finish(self, handler, answer):
        path = handler.seen.query.rpartition("state=")[2]
        Status(302, Location=path, Set_Cookie=f"sess={SESSION}; Path=/; HttpOnly")(handler, answer)


@pytest.fixture
def data():
    with FaultServer() as running:
        yield running


@pytest.fixture
def login_host():
    with FaultServer() as running:
        yield running


@pytest.fixture(autouse=True)
def netrc(tmp_path, monkeypatch):
    path = tmp_path / "netrc"
    path.write_text(f"machine localhost login jane password {PASSWORD}\n")
    path.chmod(0o600)
    monkeypatch.setenv("NETRC", str(path))
    monkeypatch.setenv("SPLASHDOWN_CONFIG", "")
    for name in ("TOKEN", "USER", "PASSWORD"):
        monkeypatch.delenv(f"SPLASHDOWN_{name}", raising=False)
    return path


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def sent(server, name):
    return {seen.headers.get(name) for seen in server.seen}


@pytest.mark.parametrize("way", ["--netrc", "origins of the signer", "auth="])
def test_a_netrc_entry_of_the_login_host_is_enough(way, data, login_host, tmp_path):
    dance = Login(data, login_host)
    auth, options = None, {}
    if way == "--netrc":
        auth = splashdown.auth.Netrc()
    elif way == "auth=":
        auth = {login_host.alias: ("jane", PASSWORD)}
    else:
        options = {"netrc": {"origins": [login_host.alias]}}
    with Session(config=False, discover=False, options=options) as session:
        session.open(dance.items, auth=auth).download_files(tmp_path / "out")
    assert contents(tmp_path / "out")["f-f.bin"] == b"signed in/d/f.bin"
    assert sent(data, "authorization") == {None}
    assert sent(login_host, "cookie") == {None}


def test_the_command_line_signs_in_with_netrc_alone(data, login_host, tmp_path, capsys):
    dance = Login(data, login_host)
    source = tmp_path / "item.json"
    source.write_text(json.dumps(dance.items))
    assert main(["download", str(source), str(tmp_path / "out"), "--netrc"]) == 0
    said = capsys.readouterr()
    everything = said.out.encode() + said.err.encode() + b"".join(contents(tmp_path / "out").values())
    for secret in (SESSION, PASSWORD, BASIC[6:]):
        assert secret.encode() not in everything


def test_files_after_the_first_need_no_other_sign_in(data, login_host, tmp_path):
    files = [f"/d/{name}.bin" for name in "abcde"]
    results = splashdown.open(Login(data, login_host, files).items, auth=splashdown.auth.Netrc())
    for asset in results:
        assert asset.load_bytes().startswith(b"signed in")
    assert len(login_host.seen) == 1


def test_a_session_that_has_ended_is_signed_in_to_again(data, login_host):
    dance = Login(data, login_host, ["/d/a.bin", "/d/b.bin"])
    results = splashdown.open(dance.items, auth=splashdown.auth.Netrc())
    results.get_asset("a").load_bytes()
    data.script("/d/b.bin", Redirect(f"{login_host.alias}/authorize?state=/d/b.bin"))
    assert results.get_asset("b").load_bytes() == b"signed in/d/b.bin"
    assert len(login_host.seen) == 2


def test_another_run_begins_without_the_cookies(data, login_host):
    dance = Login(data, login_host)
    for _ in range(2):
        assert splashdown.open(dance.items, auth=splashdown.auth.Netrc()).get_asset("f").load_bytes()
    assert len(login_host.seen) == 2


def test_cookies_that_come_without_a_sign_in_are_dropped(data, login_host):
    data.add("/a.bin", b"x", headers={"Set-Cookie": "track=me"})
    data.add("/b.bin", b"x")
    items = stac_item({name: {"href": f"{data.url}/{name}.bin"} for name in "ab"})
    for auth in (None, {login_host.url: "token"}, splashdown.auth.Netrc()):
        results = splashdown.open(items, auth=auth)
        assert [results.get_asset(name).load_bytes() for name in "ab"] == [b"x", b"x"]
    assert sent(data, "cookie") == {None}


def test_a_cookie_for_the_whole_host_goes_to_no_other_port(data, login_host):
    data.add("/a.bin", b"x", headers={"Set-Cookie": f"sess={SESSION}; Path=/; Domain=127.0.0.1"})
    data.add("/b.bin", b"x")
    login_host.add("/c.bin", b"x")
    hrefs = {"a": f"{data.url}/a.bin", "b": f"{data.url}/b.bin", "c": f"{login_host.url}/c.bin"}
    results = splashdown.open(stac_item({k: {"href": v} for k, v in hrefs.items()}), auth={data.url: "token"})
    for asset in results:
        asset.load_bytes()
    assert [seen.headers.get("cookie") for seen in data.seen] == [None, f"sess={SESSION}"]
    assert sent(login_host, "cookie") == {None}


def test_each_cookie_of_one_answer_is_kept(data):
    data.add("/a.bin", b"x", headers={"Set-Cookie": "a=1; Path=/", "set-cookie": "b=2; Path=/"})
    results = splashdown.open(stac_item({"a": {"href": f"{data.url}/a.bin"}}), auth={data.url: "token"})
    for _ in range(2):
        results.get_asset("a").load_bytes()
    assert [seen.headers.get("cookie") for seen in data.seen] == [None, "a=1; b=2"]


def test_a_presigned_link_gets_no_cookie(data):
    data.add("/a.bin", b"x", headers={"Set-Cookie": f"sess={SESSION}; Path=/"})
    hrefs = {"a": f"{data.url}/a.bin", "b": f"{data.url}/a.bin?X-Amz-Signature=1"}
    results = splashdown.open(stac_item({k: {"href": v} for k, v in hrefs.items()}), auth={data.url: "token"})
    for name in "ab":
        results.get_asset(name).load_bytes()
    assert [seen.headers.get("cookie") for seen in data.seen] == [None, None]


def test_redirects_that_set_a_new_cookie_each_time_end(data, tmp_path):
    count = iter(range(1000))

    def again(handler, answer):
        Status(302, Location="/a.bin", Set_Cookie=f"n={next(count)}; Path=/")(handler, answer)

    data.add("/a.bin")
    data.always("/a.bin", again)
    with pytest.raises(DownloadError) as caught:
        splashdown.open(stac_item({"a": {"href": data.url + "/a.bin"}}), auth={data.url: "t"}).download_files(tmp_path)
    assert "more than 10 redirects" in caught.value.report.failed[0].error


def test_a_server_that_repeats_the_cookie_does_not_make_it_shown(data, login_host, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    dance = Login(data, login_host)
    data.always("/d/f.bin", None)
    data.add("/d/f.bin", b"x", headers={"Set-Cookie": f"sess={SESSION}; Path=/"})
    results = splashdown.open(dance.items, auth={data.url: "some-token-12345"})
    results.get_asset("f").load_bytes()
    data.always("/d/f.bin", Status(403, f'{{"message": "no {SESSION}, some-token-12345"}}'.encode()))
    with pytest.raises(DownloadError) as caught:
        results.download_files(tmp_path / "out")
    said = caught.value.report.failed[0].error + caplog.text + repr(results.result_set) + repr(results)
    assert "no ..., ..." in said
    assert SESSION not in said


def test_no_more_cookies_are_kept_than_a_domain_may_have():
    cookies = Cookies()
    for number in range(500):
        cookies.keep("https://h.example/a", [f"n{number}=1; Path=/"])
    assert 0 < cookies.header("https://h.example/a").count("=") <= 50
    for number in range(500):
        cookies.keep(f"https://h{number}.example/a", ["n=1"])
    assert cookies.header("https://h499.example/a") == "n=1"
    assert cookies.header("https://h0.example/a") == ""


def test_cookies_of_one_answer_are_read_line_by_line(data):
    from urllib3 import HTTPHeaderDict

    headers = HTTPHeaderDict()
    headers.add("Set-Cookie", "a=1; Expires=Wed, 01 Jan 2125 00:00:00 GMT")
    headers.add("Set-Cookie", "b=2")
    assert len(cookie_lines(headers)) == 2
    cookies = Cookies()
    cookies.keep("https://h.example/", cookie_lines(headers))
    assert cookies.header("https://h.example/") == "a=1; b=2"
    assert not http.cookiejar.debug


def test_a_host_of_the_netrc_file_gets_nothing_over_plain_http_elsewhere(netrc):
    netrc.write_text(f"machine data.example login jane password {PASSWORD}\n")
    listed = Session(config=False).open(stac_item({}), auth=splashdown.auth.Netrc()).result_set.signer
    assert listed.sign("http://data.example/a")[1] == {}
    assert listed.sign("https://data.example/a")[1] == {"Authorization": BASIC}
    assert listed.sign("https://other.example/a")[1] == {}


def test_the_default_entry_of_the_netrc_file_goes_nowhere(netrc, data):
    netrc.write_text(f"default login jane password {PASSWORD}\n")
    results = splashdown.open(stac_item({"a": {"href": data.add("/a.bin", b"x")}}), auth=splashdown.auth.Netrc())
    assert results.get_asset("a").load_bytes() == b"x"
    assert sent(data, "authorization") == {None}
