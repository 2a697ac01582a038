"""Ways to sign in: netrc, OIDC client credentials, logins stored by openeo-auth, and the form of the token."""

import base64
import json
from urllib.parse import parse_qs

import pytest
from scripted_api import Answer, Asked, ScriptedApi

from splashdown.auth import ClientCredentials, Netrc, StoredLogin, from_environment
from splashdown.errors import AuthError

API = "/openeo/1.2"
RESULTS = f"{API}/jobs/j1/results"
JWT_CLASS = "https://api.openeo.org/1.3.0/authentication/jwt"


def jwt(issuer: str) -> str:
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).decode().rstrip("=")

    return f"{part({'alg': 'none'})}.{part({'iss': issuer, 'sub': 'john'})}.c2ln"


@pytest.fixture
def provider(api: ScriptedApi):
    """An OIDC provider on the same server; returns its issuer."""
    issuer = f"{api.url}/oidc/realm"
    api.script[f"{API}/credentials/oidc"] = Answer(
        {
            "providers": [
                {"id": "egi", "issuer": issuer + "/", "scopes": ["openid", "email"], "title": "EGI"},
            ]
        }
    )
    api.script["/oidc/realm/.well-known/openid-configuration"] = Answer(
        {"issuer": issuer, "token_endpoint": f"{issuer}/token"}
    )
    api.script["/oidc/realm/token"] = Answer({"access_token": "AT", "token_type": "Bearer"})
    api.script[RESULTS] = Answer({"type": "Collection", "id": "j1", "assets": {}})
    return issuer


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home for openeo-auth's files."""
    monkeypatch.setenv("OPENEO_CONFIG_HOME", str(tmp_path / "openeo"))
    (tmp_path / "openeo").mkdir()
    return tmp_path / "openeo"


def store(path, document):
    path.write_text(json.dumps(document))
    path.chmod(0o600)


def form(asked: Asked) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}


def sent_token(api: ScriptedApi) -> str | None:
    return api.sent(RESULTS, "Authorization")[-1]


def test_client_credentials_become_a_token_of_that_provider(api: ScriptedApi, resolve, provider):
    resolve(auth=ClientCredentials(client_id="robot", client_secret="hush"))
    (asked,) = [a for a in api.asked if a.path == "/oidc/realm/token"]
    assert form(asked) == {
        "grant_type": "client_credentials",
        "client_id": "robot",
        "client_secret": "hush",
        "scope": "openid email",
    }
    assert sent_token(api) == "Bearer oidc/egi/AT"


def test_a_refusal_of_the_provider_is_told_without_the_secret(api: ScriptedApi, resolve, provider):
    api.script["/oidc/realm/token"] = Answer({"error": "invalid_client", "error_description": "unknown client"}, 401)
    with pytest.raises(AuthError, match="invalid_client unknown client") as caught:
        resolve(auth=ClientCredentials(client_id="robot", client_secret="hush"))
    assert "hush" not in str(caught.value)
    assert "hush" not in repr(ClientCredentials(client_id="robot", client_secret="hush"))


def test_an_unknown_provider_is_refused_with_the_names_of_the_others(resolve, provider):
    with pytest.raises(AuthError, match=r"'nope'.*egi"):
        resolve(auth=ClientCredentials(client_id="robot", client_secret="hush", provider="nope"))


def test_a_discovery_document_of_another_issuer_gets_no_secret(api: ScriptedApi, resolve, provider):
    api.script["/oidc/realm/.well-known/openid-configuration"] = Answer(
        {"issuer": "https://evil.example", "token_endpoint": f"{provider}/token"}
    )
    with pytest.raises(AuthError, match="another issuer"):
        resolve(auth=ClientCredentials(client_id="robot", client_secret="hush"))
    assert "/oidc/realm/token" not in api.paths()


def test_secrets_are_not_posted_over_plain_http(api: ScriptedApi, resolve, provider):
    api.script["/oidc/realm/.well-known/openid-configuration"] = Answer(
        {"issuer": provider, "token_endpoint": "http://oidc.example/token"}
    )
    with pytest.raises(AuthError, match="not an https"):
        resolve(auth=ClientCredentials(client_id="robot", client_secret="hush"))


def test_secrets_do_not_follow_a_redirect_of_the_token_endpoint(api: ScriptedApi, resolve, provider):
    api.script["/oidc/realm/token"] = Answer(status=307, headers={"Location": f"{api.other_name}/steal"})
    with pytest.raises(AuthError):
        resolve(auth=ClientCredentials(client_id="robot", client_secret="hush"))
    assert "/steal" not in api.paths()


def test_a_login_stored_by_openeo_auth_is_used(api: ScriptedApi, resolve, provider, home):
    store(home / "refresh-tokens.json", {provider: {"cli": {"date": "2026-01-01T00:00:00Z", "refresh_token": "RT"}}})
    resolve(auth=StoredLogin())
    (asked,) = [a for a in api.asked if a.path == "/oidc/realm/token"]
    assert form(asked) == {"grant_type": "refresh_token", "client_id": "cli", "refresh_token": "RT"}
    assert sent_token(api) == "Bearer oidc/egi/AT"


def test_the_client_that_is_configured_for_the_back_end_comes_first(api: ScriptedApi, resolve, provider, home):
    store(home / "refresh-tokens.json", {provider: {"a": {"refresh_token": "RA"}, "b": {"refresh_token": "RB"}}})
    client = {"client_id": "b", "client_secret": "sb"}
    store(home / "auth-config.json", {"backends": {api.url: {"oidc": {"providers": {"egi": client}}}}})
    resolve(auth=StoredLogin())
    (asked,) = [a for a in api.asked if a.path == "/oidc/realm/token"]
    assert (form(asked)["client_id"], form(asked)["client_secret"]) == ("b", "sb")


def test_a_rotated_refresh_token_takes_the_place_of_the_old_one(api: ScriptedApi, resolve, provider, home):
    other = {"https://other": {"x": {"refresh_token": "RX"}}}
    store(home / "refresh-tokens.json", {provider: {"cli": {"refresh_token": "RT"}}} | other)
    api.script["/oidc/realm/token"] = Answer({"access_token": "AT", "refresh_token": "RT2"})
    resolve(auth=StoredLogin())
    kept = json.loads((home / "refresh-tokens.json").read_text())
    assert kept[provider]["cli"]["refresh_token"] == "RT2"
    assert kept["https://other"] == other["https://other"]
    assert (home / "refresh-tokens.json").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in home.iterdir()] == ["refresh-tokens.json"]


def test_a_token_file_that_others_can_read_is_not_used(resolve, provider, home):
    store(home / "refresh-tokens.json", {provider: {"cli": {"refresh_token": "RT"}}})
    (home / "refresh-tokens.json").chmod(0o644)
    with pytest.raises(AuthError, match="chmod 600"):
        resolve(auth=StoredLogin())


def test_without_a_stored_login_the_next_step_is_named(resolve, provider, home):
    with pytest.raises(AuthError, match="openeo-auth oidc-auth"):
        resolve(auth=StoredLogin())


def test_an_expired_access_token_is_renewed_silently_in_the_middle(api: ScriptedApi, resolve, provider, home):
    store(home / "refresh-tokens.json", {provider: {"cli": {"refresh_token": "RT"}}})
    api.script["/oidc/realm/token"] = [Answer({"access_token": "A1"}), Answer({"access_token": "A2"})]
    api.script[RESULTS] = [
        Answer({"type": "Collection", "id": "j1", "assets": {"a": {"href": "/a"}}}),
        Answer({"code": "TokenInvalid", "message": "expired"}, 403),
        Answer({"type": "Collection", "id": "j1", "assets": {"a": {"href": "/a"}}}),
    ]
    results = resolve(auth=StoredLogin())
    results.refresh()
    assert api.sent(RESULTS, "Authorization") == ["Bearer oidc/egi/A1", "Bearer oidc/egi/A1", "Bearer oidc/egi/A2"]
    assert results.signer.sign(f"{api.url}/a")[1] == {"Authorization": "Bearer oidc/egi/A2"}


def test_netrc_serves_exactly_the_host_when_asked_for(api: ScriptedApi, resolve, tmp_path):
    file = tmp_path / "netrc"
    file.write_text(
        "machine example.org login x password y\nmachine 127.0.0.1 login john password s3c\ndefault login d password d\n"
    )
    file.chmod(0o600)
    api.script[f"{API}/credentials/basic"] = Answer({"access_token": "T"})
    api.script[RESULTS] = Answer({"type": "Collection", "id": "j1", "assets": {}})
    resolve(auth=Netrc(path=file))
    pair = base64.b64decode(api.sent(f"{API}/credentials/basic", "Authorization")[0].removeprefix("Basic "))
    assert pair == b"john:s3c"
    with pytest.raises(AuthError, match="'localhost'"):  # the default entry is nobody's in particular
        resolve(f"{api.other_name}{RESULTS}", auth=Netrc(path=file))


@pytest.mark.parametrize(
    ("conforms", "tokens"),
    [
        ([JWT_CLASS], ("oidc/egi/JWT", "JWT")),
        ([JWT_CLASS], ("basic//JWT", "JWT")),
        ([JWT_CLASS], ("JWT", "JWT")),
        ([JWT_CLASS], ("basic//opaque", "basic//opaque")),
        ([], ("JWT", "oidc/egi/JWT")),
        ([], ("oidc/egi/JWT", "oidc/egi/JWT")),
        ([], ("opaque", "opaque")),
        (["https://api.openeo.org/1.2.0"], ("JWT", "oidc/egi/JWT")),
    ],
)
def test_a_jwt_is_sent_bare_only_where_the_back_end_says_that_it_takes_it(
    api: ScriptedApi, resolve, provider, conforms, tokens
):
    token, (given, sent) = jwt(provider), tokens
    api.script[f"{API}/"] = Answer({"api_version": "1.3.0", "conformsTo": conforms})
    resolve(auth=given.replace("JWT", token))
    assert sent_token(api) == f"Bearer {sent.replace('JWT', token)}"


def test_a_jwt_of_an_unknown_issuer_is_sent_as_it_is(api: ScriptedApi, resolve, provider):
    token = jwt("https://unknown.example")
    resolve(auth=token)
    assert sent_token(api) == f"Bearer {token}"


def test_tokens_that_were_fetched_are_bare_too_where_the_back_end_takes_jwts(api: ScriptedApi, resolve, provider):
    api.script[f"{API}/"] = Answer({"conformsTo": [JWT_CLASS]})
    api.script[f"{API}/credentials/basic"] = Answer({"access_token": "T"})
    resolve(auth=("john", "secret"))
    assert sent_token(api) == "Bearer T"
    resolve(auth=ClientCredentials(client_id="robot", client_secret="hush"))
    assert sent_token(api) == "Bearer AT"


def test_the_environment_holds_a_token_a_password_or_a_client():
    token, basic = {"SPLASHDOWN_TOKEN": "T"}, {"SPLASHDOWN_USER": "u", "SPLASHDOWN_PASSWORD": "p"}
    client = {"OPENEO_AUTH_CLIENT_ID": "i", "OPENEO_AUTH_CLIENT_SECRET": "s", "OPENEO_AUTH_PROVIDER_ID": "egi"}
    assert from_environment(token | basic | client) == "T"
    assert from_environment(basic | client) == ("u", "p")
    assert from_environment(client) == ClientCredentials(client_id="i", client_secret="s", provider="egi")
    assert from_environment({}) is None
