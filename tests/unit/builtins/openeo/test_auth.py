"""Where credentials go, and where they never go."""

import base64

import pytest
from scripted_api import Answer, ScriptedApi

from splashdown.errors import AuthError, UsageError

RESULTS = "/openeo/1.2/jobs/j1/results"


def collection(assets, links=()):
    return {"type": "Collection", "id": "j1", "assets": assets, "links": list(links)}


def test_without_credentials_none_are_sent(api: ScriptedApi, resolve):
    api.script[RESULTS] = Answer(collection({"a": {"href": "/a"}}))
    results = resolve()
    assert api.sent(RESULTS, "Authorization") == [None]
    assert results.signer.sign(api.url + "/a") == (api.url + "/a", {})


@pytest.mark.parametrize("given", ["basic//T", "Bearer basic//T", "  bearer basic//T\n"])
def test_a_token_follows_bearer_with_or_without_the_word(api: ScriptedApi, resolve, given):
    api.script[RESULTS] = Answer(collection({}))
    resolve(auth=given)
    assert api.sent(RESULTS, "Authorization") == ["Bearer basic//T"]


def test_user_and_password_are_exchanged_for_a_token_once(api: ScriptedApi, resolve):
    api.script["/openeo/1.2/credentials/basic"] = Answer({"access_token": "T1"})
    api.script[RESULTS] = Answer(collection({}, [{"rel": "item", "href": "/gone"}]) | {"assets": {"a": {"href": "/a"}}})
    resolve(auth=("john", "pä:ss"))
    pair = "Basic " + base64.b64encode("john:pä:ss".encode()).decode()
    assert api.sent("/openeo/1.2/credentials/basic", "Authorization") == [pair]
    assert api.sent(RESULTS, "Authorization") == ["Bearer basic//T1"]


def test_credentials_do_not_follow_a_redirect_to_another_origin(api: ScriptedApi, resolve):
    api.script[RESULTS] = Answer(status=302, headers={"Location": f"{api.other_name}/elsewhere"})
    api.script["/elsewhere"] = Answer(collection({"a": {"href": "a"}}))
    results = resolve(auth="basic//T")
    assert api.sent("/elsewhere", "Authorization") == [None]
    assert results.assets[0].href == f"{api.other_name}/a"


def test_a_password_does_not_follow_a_redirect_to_another_origin(api: ScriptedApi, resolve):
    api.script["/openeo/1.2/credentials/basic"] = Answer(status=307, headers={"Location": f"{api.other_name}/steal"})
    api.script["/steal"] = Answer({"access_token": "T"})
    api.script[RESULTS] = Answer(collection({}))
    resolve(auth=("john", "secret"))
    assert api.sent("/steal", "Authorization") == [None]


def test_items_on_another_origin_are_read_without_credentials(api: ScriptedApi, resolve):
    api.script[RESULTS] = Answer(collection({}, [{"rel": "item", "href": f"{api.other_name}/i"}]))
    api.script["/i"] = lambda asked: (
        Answer({}, 400)
        if "Authorization" in asked.headers
        else Answer({"type": "Feature", "id": "i", "properties": {}, "assets": {"a": {"href": "/a"}}})
    )
    assert [a.item for a in resolve(auth="basic//T").assets] == ["i"]


def test_the_signer_signs_for_the_origin_of_the_api_alone(api: ScriptedApi, resolve):
    api.script[RESULTS] = Answer(collection({}))
    sign = resolve(auth="basic//T").signer.sign
    assert sign(f"{api.url}/any/a.tif")[1] == {"Authorization": "Bearer basic//T"}
    for elsewhere in (
        f"{api.other_name}/a.tif",
        api.url.replace("http:", "https:") + "/a.tif",
        "http://127.0.0.1:1/a.tif",
        "s3://127.0.0.1/a.tif",
        f"{api.url}@evil.example/a.tif",
        f"{api.url}/a.tif?X-Amz-Signature=0",
    ):
        assert sign(elsewhere) == (elsewhere, {})


def test_netrc_is_not_consulted_unless_asked_for(api: ScriptedApi, resolve, tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login john password secret\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    api.script[RESULTS] = Answer(collection({}))
    resolve()
    assert api.sent(RESULTS, "Authorization") == [None]


def test_a_cookie_is_never_sent_back(api: ScriptedApi, resolve):
    api.script[RESULTS] = Answer(
        collection({"a": {"href": "/a"}}, [{"rel": "item", "href": "/i"}]), headers={"Set-Cookie": "sid=1; Path=/"}
    )
    resolve()
    assert api.sent("/i", "Cookie") == [None]


@pytest.mark.parametrize(
    "code", ["AuthenticationRequired", "TokenInvalid", "CredentialsInvalid", "PermissionsInsufficient"]
)
def test_refused_credentials_are_an_auth_error_that_does_not_repeat_them(api: ScriptedApi, resolve, code):
    api.script[RESULTS] = Answer(
        {"code": code, "message": "No.", "id": "r-1"}, 401 if code == "AuthenticationRequired" else 403
    )
    with pytest.raises(AuthError) as caught:
        resolve(auth="basic//T0psecret")
    assert (caught.value.code, caught.value.id) == (code, "r-1")
    assert "T0psecret" not in str(caught.value)


def test_a_token_that_expired_is_renewed_once_and_silently(api: ScriptedApi, resolve):
    api.script["/openeo/1.2/credentials/basic"] = [Answer({"access_token": "old"}), Answer({"access_token": "new"})]
    api.script[RESULTS] = lambda asked: (
        Answer(collection({}))
        if asked.headers["Authorization"].endswith("//new")
        else Answer({"code": "TokenInvalid", "message": "expired"}, 403)
    )
    resolve(auth=("john", "secret"))
    assert api.sent(RESULTS, "Authorization") == ["Bearer basic//old", "Bearer basic//new"]


def test_a_token_that_stays_invalid_is_tried_twice_and_no_more(api: ScriptedApi, resolve):
    api.script["/openeo/1.2/credentials/basic"] = Answer({"access_token": "T"})
    api.script[RESULTS] = Answer({"code": "TokenInvalid", "message": "expired"}, 403)
    with pytest.raises(AuthError):
        resolve(auth=("john", "secret"))
    assert len(api.sent(RESULTS, "Authorization")) == 2


@pytest.mark.parametrize("auth", ["", "two words", "a\nb", "tøken", 7, ("only-user",), ("user", None)])
def test_what_is_no_credential_is_refused_before_any_request(api: ScriptedApi, resolve, auth):
    with pytest.raises(UsageError):
        resolve(auth=auth)
    assert api.asked == []


@pytest.mark.parametrize("listed", [False, True])
def test_a_callable_gives_the_token_and_another_one_once_it_is_invalid(api: ScriptedApi, resolve, listed):
    tokens = iter(["first", "second"])
    auth = {api.url: lambda: next(tokens)} if listed else lambda: next(tokens)
    api.script[RESULTS] = lambda asked: (
        Answer(collection({}))
        if asked.headers["Authorization"] == "Bearer second"
        else Answer({"code": "TokenInvalid", "message": "expired"}, 403)
    )
    resolve(auth=auth)
    assert api.sent(RESULTS, "Authorization") == ["Bearer first", "Bearer second"]
