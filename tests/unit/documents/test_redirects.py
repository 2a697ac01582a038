"""The rule for redirects, and that documents are read by it; assets follow it in the tests of the transport."""

import pytest
from scripted_api import Answer, scripted_api

from splashdown._documents.client import Client
from splashdown._documents.redirects import Redirects
from splashdown.errors import ResolveError, TransferError

START = "https://h.example/a/b?sig=hunter2"


@pytest.fixture
def api():
    with scripted_api() as running:
        yield running


class Token:
    """Credentials of one origin, as an authority gives them."""

    def __init__(self, origin):
        self.origin = origin

    def headers(self, url):
        return {"Authorization": "Bearer T"} if url.startswith(f"{self.origin}/") else {}

    def renew(self, refused):
        return False


def moved(location, status=302):
    return Answer(status=status, headers={"Location": location})


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_leads_to_its_absolute_location(status):
    hops = Redirects(START, ResolveError)
    assert hops.follow(status, "../c d#part")
    assert (hops.url, hops.at_home) == ("https://h.example/c d", True)


@pytest.mark.parametrize(("status", "location"), [(200, "/x"), (300, "/x"), (304, "/x"), (302, None), (302, "")])
def test_any_other_answer_is_the_last_one(status, location):
    hops = Redirects(START, ResolveError)
    assert not hops.follow(status, location)
    assert hops.url == START


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("http://h.example/x", "from https to http"),
        ("HTTP://h.example/x", "from https to http"),
        ("ftp://h.example/x", "only http"),
        ("file:///etc/passwd", "only http"),
        ("https://me:hunter2@h.example/x", "user and password"),
        ("http://[::1", "not a URL"),
        (START, "circle"),
    ],
)
@pytest.mark.parametrize("error", [ResolveError, TransferError])
def test_an_unsafe_redirect_is_refused_without_secrets(location, said, error):
    hops = Redirects(START, error)
    with pytest.raises(error, match=said) as caught:
        hops.follow(302, location)
    assert "hunter2" not in str(caught.value)
    assert hops.url == START


def test_a_location_in_utf8_is_read_as_such():
    hops = Redirects(START, ResolveError)
    assert hops.follow(302, "/ä".encode().decode("latin-1"))
    assert hops.url == "https://h.example/ä"


def test_credentials_are_lost_for_good_with_the_origin():
    hops = Redirects(START, ResolveError)
    homes = []
    for location in ("/x", "https://h.example:443/y", "https://other.example/", "https://h.example/back"):
        assert hops.follow(302, location)
        homes.append(hops.at_home)
    assert homes == [True, True, False, False]


@pytest.mark.parametrize("most", [0, 3])
def test_so_many_redirects_are_followed_and_no_more(most):
    hops = Redirects(START, ResolveError, most)
    for n in range(most):
        assert hops.follow(302, f"/{n}")
    with pytest.raises(ResolveError, match=f"more than {most} redirects"):
        hops.follow(302, "/one-more")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_search_is_sent_again_where_a_redirect_leads(api, status):
    api.script["/search"] = moved("/moved", status)
    api.script["/moved"] = Answer({"type": "FeatureCollection"})
    found = Client().post(f"{api.url}/search", {"limit": 3})
    assert found.place == f"{api.url}/moved"
    assert [(asked.method, asked.body) for asked in api.asked] == [("POST", b'{"limit": 3}')] * 2


def test_a_circle_of_redirects_is_one_clear_error(api):
    api.script["/loop"] = moved("/loop")
    with pytest.raises(ResolveError, match="circle"):
        Client().get(f"{api.url}/loop")
    assert len(api.asked) == 1


def test_a_document_that_came_back_from_elsewhere_gets_no_token(api):
    api.script["/start"] = moved("/near")
    api.script["/near"] = moved(f"{api.other_name}/away")
    api.script["/away"] = moved(f"{api.url}/end")
    api.script["/end"] = Answer({})
    Client(Token(api.url)).get(f"{api.url}/start")
    assert [asked.headers["Authorization"] for asked in api.asked] == ["Bearer T", "Bearer T", None, None]
