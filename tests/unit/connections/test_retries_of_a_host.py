"""What a profile says about repeating requests holds for files and documents of its host, and for no other."""

from urllib.parse import urlsplit

import pytest
from fault_server import FaultServer
from faults import Status
from stac_item import stac_item

from splashdown import RetryPolicy, Session, Settings
from splashdown.errors import DownloadError, SplashdownError

QUICK = {"base": 0.001, "max_delay": 0.002}


@pytest.fixture
def server():
    with FaultServer() as running:
        running.always("/a.tif", Status(503))
        running.always("/item.json", Status(503))
        yield running


def asked(server, path, session, tmp_path, **options):
    """How often a file or a document that is always refused is asked for."""
    if path == "/a.tif":
        results = session.open(stac_item({"a": {"href": f"{server.url}/a.tif"}}))
        with pytest.raises(DownloadError, match="503"):
            results.download_files(tmp_path / "out", **options)
    else:
        with pytest.raises(SplashdownError, match="503"):
            session.open(server.url + path)
    return sum(one.path == path for one in server.seen)


def profile(server, **fields):
    return {urlsplit(server.url).netloc: {**QUICK, **fields}}


@pytest.mark.parametrize("path", ["/a.tif", "/item.json"])
@pytest.mark.parametrize("attempts", [1, 7])
def test_a_host_is_asked_as_often_as_its_profile_says(server, path, attempts, tmp_path):
    with Session(config=False, hosts=profile(server, attempts=attempts)) as session:
        assert asked(server, path, session, tmp_path) == attempts


def test_the_profile_of_another_host_says_nothing(server, tmp_path):
    settings = Settings(retry=RetryPolicy(attempts=3, **QUICK))
    with Session(config=False, hosts={"other.example": {"attempts": 1}}, settings=settings) as session:
        assert asked(server, "/a.tif", session, tmp_path) == 3


@pytest.mark.parametrize(
    ("kept", "expected"), [("file", 5), ("environment", 3), ("session", 2), ("run", 2), ("argument", 6)]
)
def test_what_is_said_elsewhere_counts_by_its_place(server, tmp_path, monkeypatch, kept, expected):
    settings = Settings(retry=RetryPolicy(attempts=2, **QUICK))
    lines = "\n".join(f"{name} = {value}" for name, value in {**QUICK, "attempts": 5}.items())
    (tmp_path / "c.toml").write_text(
        f'[settings.retry]\nattempts = 4\n[hosts."{urlsplit(server.url).netloc}"]\n{lines}\n'
    )
    if kept == "environment":
        monkeypatch.setenv("SPLASHDOWN_RETRY_ATTEMPTS", "3")
    options = {
        "session": {"settings": settings},
        "argument": {"settings": settings, "hosts": profile(server, attempts=6)},
    }.get(kept, {})
    with Session(config=tmp_path / "c.toml", **options) as session:
        run = {"settings": settings} if kept == "run" else {}
        assert asked(server, "/a.tif", session, tmp_path, **run) == expected


@pytest.mark.parametrize("path", ["/a.tif", "/item.json"])
def test_a_host_may_be_waited_for_as_long_as_its_profile_says(server, path, tmp_path):
    server.always(path, Status(429, Retry_After="2"))
    with Session(config=False, hosts=profile(server, max_retry_after=1)) as session:
        source = server.url + path if path == "/item.json" else stac_item({"a": {"href": server.url + path}})
        with pytest.raises(SplashdownError, match="asks to wait 2 seconds, max_retry_after allows 1"):
            session.open(source).download_files(tmp_path / "out")
    assert sum(one.path == path for one in server.seen) == 1
