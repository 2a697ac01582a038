"""What the real back-end cannot do: failed jobs by 424, JWTs, ends in the document, partial assets, redirects."""

import base64
import datetime as dt
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from scripted_api import Answer, Asked, ScriptedApi, scripted_api

import splashdown
from splashdown.errors import JobFailed

API = "/openeo/1.3"
JOB = f"{API}/jobs/j1"
RESULTS = f"{JOB}/results"
JWT_CLASS = "https://api.openeo.org/1.3.0/authentication/jwt"
COMMAND = str(Path(sys.executable).with_name("splashdown"))


@pytest.fixture
def api():
    with scripted_api() as running:
        yield running


def command(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SPLASHDOWN_", "OPENEO_"))}
    return subprocess.run(
        [COMMAND, *map(str, arguments)], env=kept | environment, capture_output=True, text=True, timeout=60
    )


def collection(**assets: str) -> dict[str, object]:
    return {
        "type": "Collection",
        "stac_version": "1.0.0",
        "id": "j1",
        "assets": {name.replace("_", "."): {"href": href} for name, href in assets.items()},
        "links": [],
    }


def jwt() -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).decode().rstrip("=")

    return f"{part({'alg': 'none'})}.{part({'iss': 'https://oidc.example'})}.c2ln"


def test_a_failed_job_told_by_424_is_one_line_and_exit_code_3(api: ScriptedApi, tmp_path):
    entry = {"id": "1", "level": "error", "code": "OutOfMemory", "message": "The worker\nran out of memory"}
    api.script[RESULTS] = Answer(entry, 424)
    with pytest.raises(JobFailed) as caught:
        splashdown.open(api.url + JOB)
    assert caught.value.log == (entry,)
    done = command("download", api.url + JOB, tmp_path)
    assert done.returncode == 3
    assert len(done.stderr.splitlines()) == 1
    assert "ran out of memory" in done.stderr


@pytest.mark.parametrize(("conforms", "prefix"), [([JWT_CLASS], ""), ([], "oidc/egi/")])
def test_documents_and_assets_are_asked_for_with_the_token_in_the_form_of_the_back_end(
    api: ScriptedApi, tmp_path, conforms, prefix
):
    api.script[f"{API}/"] = Answer({"api_version": "1.3.0", "conformsTo": conforms})
    api.script[RESULTS] = Answer(collection(a_txt="/files/a.txt"))
    api.script["/files/a.txt"] = Answer(b"hello")
    done = command("download", api.url + JOB, tmp_path, SPLASHDOWN_TOKEN=f"oidc/egi/{jwt()}")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a.txt").read_bytes() == b"hello"
    assert set(api.sent(RESULTS, "Authorization")) == {f"Bearer {prefix}{jwt()}"}
    assert set(api.sent("/files/a.txt", "Authorization")) == {f"Bearer {prefix}{jwt()}"}
    assert jwt() not in done.stdout + done.stderr


@pytest.mark.parametrize("holder", ["document", "properties"])
def test_the_end_of_the_links_is_read_from_the_document(api: ScriptedApi, holder):
    document = collection(a_txt="/a.txt")
    if holder == "document":
        document["expires"] = "2030-01-02T03:04:05Z"
    else:
        document |= {"type": "Feature", "geometry": None, "properties": {"expires": "2030-01-02T03:04:05Z"}}
    api.script[RESULTS] = Answer(document)
    expected = dt.datetime(2030, 1, 2, 3, 4, 5, tzinfo=dt.UTC).timestamp()
    assert splashdown.open(api.url + JOB).result_set.expires == expected


def test_the_assets_that_a_running_job_has_are_taken_with_a_warning(api: ScriptedApi, tmp_path):
    api.script[RESULTS] = Answer({"code": "JobNotFinished", "message": "not yet"}, 400)
    api.script[f"{RESULTS}?partial=true"] = Answer(collection(a_txt="/a.txt") | {"openeo:status": "running"})
    api.script["/a.txt"] = Answer(b"so far")
    done = command("download", api.url + JOB, tmp_path, "--partial")
    assert done.returncode == 0, done.stderr
    assert "running" in done.stderr
    assert (tmp_path / "a.txt").read_bytes() == b"so far"


def test_no_credential_follows_a_redirect_to_another_host(api: ScriptedApi, tmp_path):
    moved = Answer(status=302, headers={"Location": f"{api.other_name}/moved", "Set-Cookie": "sid=1; Path=/"})
    api.script[RESULTS] = Answer(collection(a_txt="/files/a.txt"))
    api.script["/files/a.txt"] = moved
    api.script["/moved"] = Answer(b"hello")
    splashdown.open(api.url + JOB, auth="basic//T").download_files(tmp_path)
    assert (tmp_path / "a.txt").read_bytes() == b"hello"
    assert set(api.sent("/files/a.txt", "Authorization")) == {"Bearer basic//T"}
    for header in ("Authorization", "Cookie", "Proxy-Authorization", "X-Api-Key"):
        assert set(api.sent("/moved", header)) == {None}


def test_a_token_that_ends_between_two_assets_is_renewed_silently(api: ScriptedApi, tmp_path):
    tokens = iter(("T1", "T2"))
    valid = {"token": ""}

    def sign_in(asked: Asked) -> Answer:
        valid["token"] = next(tokens)
        return Answer({"access_token": valid["token"]})

    def guarded(answer: Answer):
        def check(asked: Asked) -> Answer:
            if asked.headers.get("Authorization") != f"Bearer basic//{valid['token']}":
                return Answer({"code": "TokenInvalid", "message": "expired"}, 403)
            return answer

        return check

    api.script[f"{API}/credentials/basic"] = sign_in
    api.script[RESULTS] = guarded(Answer(collection(a_txt="/files/a.txt", b_txt="/files/b.txt")))
    api.script["/files/a.txt"], api.script["/files/b.txt"] = guarded(Answer(b"a")), guarded(Answer(b"b"))
    results = splashdown.open(api.url + JOB, auth=("john", "secret"))
    valid["token"] = "ended"
    results.download_files(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.glob("*.txt")} == {"a.txt": b"a", "b.txt": b"b"}
    assert len(api.sent(f"{API}/credentials/basic", "Authorization")) == 2


def test_presigned_links_of_a_store_that_have_ended_are_asked_for_again(api: ScriptedApi, tmp_path):
    old = dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)
    stale = f"/store/a.txt?X-Amz-Date={old:%Y%m%dT%H%M%SZ}&X-Amz-Expires=60&X-Amz-Signature=old"
    fresh = stale.replace("Signature=old", "Signature=new").replace("Expires=60", "Expires=86400")
    api.script[RESULTS] = [Answer(collection(a_txt=stale)), Answer(collection(a_txt=fresh))]
    api.script[stale] = Answer(b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>", 403)
    api.script[fresh] = Answer(b"hello")
    results = splashdown.open(api.url + JOB, auth="basic//T")
    assert results.result_set.expires == pytest.approx(old.timestamp() + 60, abs=1)
    results.download_files(tmp_path)
    assert (tmp_path / "a.txt").read_bytes() == b"hello"
    assert set(api.sent("/store/a.txt", "Authorization")) == {None}  # a store refuses a second permission


def test_a_document_cut_off_on_the_way_is_one_line_and_exit_code_3(api: ScriptedApi, tmp_path):
    api.script[RESULTS] = Answer(b'{"type": "Collection", "assets": {', length=100_000)
    done = command("download", api.url + JOB, tmp_path)
    assert (done.returncode, len(done.stderr.splitlines())) == (3, 1)
    assert "cut off" in done.stderr
