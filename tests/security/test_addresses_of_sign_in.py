"""A back-end of the public web leads no sign-in and no discovery to an address of this machine or its network."""

import pytest
from scripted_api import Answer, ScriptedApi, scripted_api

from splashdown import Session, connect
from splashdown._connections import addresses
from splashdown._connections.addresses import Gate
from splashdown.auth import ClientCredentials
from splashdown.builtins.openeo import oidc
from splashdown.errors import ResolveError

LOGIN = ClientCredentials(client_id="a", client_secret="SECRET-1")
REFUSED = r"inside\.example \(localhost\) is a private address.*--allow-private"


class World:
    """One server under two names: ``public`` is of the public web, ``inside`` of a private network."""

    def __init__(self, api: ScriptedApi) -> None:
        port = api.url.rpartition(":")[2]
        self.public, self.inside = f"http://public.example:{port}", f"http://inside.example:{port}"
        self.script, self.api = api.script, api

    def offer(self, provider: str, *, issuer: str = "", endpoint: str = "") -> None:
        """Offer a job, and a provider at this address."""
        issuer = issuer or provider
        self.script |= {
            "/credentials/oidc": Answer({"providers": [{"id": "egi", "issuer": issuer}]}),
            "/.well-known/openid-configuration": Answer(
                {"issuer": issuer, "token_endpoint": f"{endpoint or provider}/token"}
            ),
            "/token": Answer({"access_token": "AT"}),
            "/jobs/j/results": Answer({"type": "Collection", "id": "j", "assets": {}}),
        }

    def received_secret(self) -> bool:
        return any(b"SECRET-1" in asked.body for asked in self.api.asked)


@pytest.fixture
def world(monkeypatch):
    found = {"public.example": "127.0.0.1", "inside.example": "localhost"}
    monkeypatch.setitem(Gate.__init__.__kwdefaults__, "resolve", lambda host, _: [found[host]])
    monkeypatch.setattr(addresses, "address_class", lambda address: "private" if address == "localhost" else "")
    monkeypatch.setattr(oidc, "_LOOPBACK", frozenset(found))  # http will do in this world
    with scripted_api() as api:
        yield World(api)


def session(*, allowed=False):
    return Session(discover=False, config=False, options={"http": {"allow_private": allowed}})


def sign_in(backend, *, allowed=False):
    with session(allowed=allowed) as made:
        return made.open(f"{backend}/jobs/j", auth=LOGIN)


def test_a_private_issuer_of_a_public_back_end_is_not_asked(world):
    world.offer(world.inside)
    with pytest.raises(ResolveError, match=REFUSED):
        sign_in(world.public)
    assert world.api.paths() == ["/credentials/oidc"]


def test_a_public_issuer_leads_no_secret_to_a_private_address(world):
    world.offer(world.public, endpoint=world.inside)
    with pytest.raises(ResolveError, match=rf"'egi' is not asked: {REFUSED}"):
        sign_in(world.public)
    assert not world.received_secret()


def test_a_redirect_of_a_public_issuer_leads_to_no_private_address(world):
    world.offer(world.public)
    document = world.script["/.well-known/openid-configuration"]
    world.script |= {
        "/.well-known/openid-configuration": Answer(b"", 302, {"Location": f"{world.inside}/moved"}),
        "/moved": document,
    }
    with pytest.raises(ResolveError, match=REFUSED):
        sign_in(world.public)
    assert "/moved" not in world.api.paths()


def test_a_handle_on_a_back_end_signs_in_through_the_same_gate(world):
    world.offer(world.inside)
    world.script["/"] = Answer({"api_version": "1.2.0"})
    with session() as made:
        backend = connect(world.public, auth=LOGIN, session=made)
        with pytest.raises(ResolveError, match=REFUSED):
            backend.job("j").status()


def test_private_providers_are_fine_where_the_user_allows_them(world):
    world.offer(world.inside)
    assert sign_in(world.public, allowed=True).id == "j"
    assert world.received_secret()


def test_a_private_back_end_may_have_a_private_provider(world):
    world.offer(world.inside)
    assert sign_in(world.inside).id == "j"


def test_a_public_list_of_apis_leads_to_no_private_one(world):
    world.script["/.well-known/openeo"] = Answer(
        {"versions": [{"url": f"{world.inside}/openeo", "api_version": "1.2.0"}]}
    )
    world.script["/openeo/"] = Answer({"api_version": "1.2.0"})
    world.script["/openeo/jobs/j/results"] = Answer({"type": "Collection", "id": "j", "assets": {}})
    for call in (lambda made: connect(world.public, session=made), lambda made: made.open(f"{world.public}/jobs/j")):
        with session() as made, pytest.raises(ResolveError, match=REFUSED):
            call(made)
        with session(allowed=True) as made:
            call(made)
    with session() as made:
        assert connect(world.inside, session=made).url == f"{world.inside}/openeo"
