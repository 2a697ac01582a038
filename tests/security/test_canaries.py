"""Nothing that a run shows, logs or writes holds a secret that went into it."""

import json
import logging
import traceback

import pytest
from fault_server import FaultServer
from faults import HangUp, Status
from scripted_api import Answer, scripted_api
from stac_item import stac_item

import splashdown
from splashdown import RetryPolicy, Session, Settings
from splashdown._cli.main import main
from splashdown._documents.client import Client
from splashdown.builtins.openeo.auth import TokenAuthority
from splashdown.errors import OptionError, SplashdownError

TOKEN, PASSWORD, SIGNATURE = "cAnArYt0ken0123456789", "cAnArYpa55word", "cAnArY5ignature98765"
CANARIES = (TOKEN, PASSWORD, SIGNATURE)
QUERIES = {
    "SigV4": f"X-Amz-Signature={SIGNATURE}&X-Amz-Credential=AK",
    "SAS": f"sv=2024&sig={SIGNATURE}",
    "CloudFront": f"Policy={SIGNATURE}&Signature={SIGNATURE}&Key-Pair-Id=K",
    "unknown": f"whatever={SIGNATURE}",
}
QUICK = Settings(retry=RetryPolicy(attempts=2, base=0.0))


def assert_clean(shown):
    for canary in CANARIES:
        assert canary not in shown, shown[max(0, shown.index(canary) - 200) :][:300]


def said_by(error):
    """The error with its whole chain, as it would be printed, and the reprs of all in it."""
    said, one = ["".join(traceback.format_exception(error))], error
    while one is not None:
        said += [repr(one), str(one)]
        one = one.__cause__ or one.__context__
    return "\n".join(said)


@pytest.fixture
def logged(caplog):
    caplog.set_level(logging.DEBUG)
    for name in ("splashdown", "urllib3", "requests", "urllib3.connectionpool", "urllib3.util.retry"):
        caplog.set_level(logging.DEBUG, logger=name)
    return caplog


@pytest.fixture
def server():
    with FaultServer() as running:
        yield running


@pytest.mark.parametrize("kind", QUERIES)
def test_a_run_over_signed_links_leaves_no_secret_anywhere(kind, server, tmp_path, logged):
    query = QUERIES[kind]
    names = ("fine", "refused", "broken")
    for name in names:
        server.add(f"/{name}.bin", b"content " * 9)
    server.always("/refused.bin", Status(403, f"no {TOKEN}: /refused.bin?{query}".encode()))
    server.always("/broken.bin", HangUp())
    item = stac_item({name: {"href": f"{server.url}/{name}.bin?{query}"} for name in names}, id="item")
    document = server.add("/item.json", json.dumps(item).encode())
    events, out = [], tmp_path / "out"
    with Session(discover=False, config=False) as session:
        results = session.open(f"{document}?{query}", auth=TOKEN)
        with pytest.raises(splashdown.DownloadError) as caught:
            results.run("download_files", target=out, settings=QUICK, listeners=[events.append])
    report = caught.value.report
    shown = [said_by(caught.value), repr(results), results._repr_html_(), repr(report), report._repr_html_()]
    shown += [f"{one!r} {one}" for one in [*events, *report.outcomes, *results.result_set.assets, results.result_set]]
    written = [path.read_bytes().decode("latin-1") for path in tmp_path.rglob("*") if path.is_file()]
    names = [str(path) for path in tmp_path.rglob("*")]
    assert len(events) > 5
    assert written
    assert_clean("\n".join([*shown, *written, *names, logged.text]))


@pytest.mark.parametrize("more", [[], ["--json"], ["--dry-run"], ["--dry-run", "--json"]])
def test_the_command_line_prints_no_secret(more, server, tmp_path, capsys, monkeypatch, logged):
    monkeypatch.setenv("SPLASHDOWN_TOKEN", TOKEN)
    server.add("/a.bin", b"content")
    server.always("/a.bin", Status(403, f"no {TOKEN} {SIGNATURE}".encode()))
    item = stac_item({"a": {"href": f"{server.url}/a.bin?sig={SIGNATURE}"}}, id="item")
    document = server.add("/item.json", json.dumps(item).encode())
    main(["download", f"{document}?sig={SIGNATURE}", str(tmp_path / "out"), *more])
    main(["ls", f"{document}?sig={SIGNATURE}", *[one for one in more if one == "--json"]])
    said = capsys.readouterr()
    assert said.out
    assert_clean(said.out + said.err + logged.text)


def test_documents_that_are_retried_are_logged_without_their_query(server, logged):
    server.add("/a.json", b"{}")
    server.script("/a.json", HangUp(), Status(503, Retry_After="0"))
    client = Client()
    client.get(f"{server.url}/a.json?sig={SIGNATURE}")
    client.close()
    assert "a.json" in logged.text
    assert_clean(logged.text)


def test_a_refused_token_stays_hidden_when_another_thread_has_renewed_it(logged):
    with scripted_api() as api:
        tokens = iter([TOKEN, "another-token"])
        authority = TokenAuthority(api.url, lambda _: next(tokens))

        def answer(asked):
            authority.renew({"Authorization": f"Bearer {TOKEN}"})  # meanwhile
            return Answer({"code": "Forbidden", "message": f"not with {TOKEN}"}, 403)

        api.script["/a"] = answer
        client = Client(authority)
        with pytest.raises(SplashdownError) as caught:
            client.get(api.url + "/a")
        client.close()
    assert_clean(said_by(caught.value) + logged.text)


@pytest.mark.parametrize("value", [f"https://user:{PASSWORD}@h/x", {"token": TOKEN}, f"https://h/x?sig={SIGNATURE}"])
def test_a_malformed_option_is_refused_without_its_secret(value):
    session = Session(discover=False, config=False, options={"http": {"pool_size": value}})
    with pytest.raises(OptionError, match="pool_size") as caught:
        session.transport("https://h/x")
    assert_clean(str(caught.value))


@pytest.mark.parametrize("command", [["config", "show"], ["plugins", "check", "http"], ["plugins", "list"]])
def test_configured_secrets_are_not_printed(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPLASHDOWN_TOKEN", TOKEN)
    proxy = f"https://user:{PASSWORD}@h.example/ca?sig={SIGNATURE}"
    monkeypatch.setenv("SPLASHDOWN_HTTP_USER_AGENT", proxy)
    monkeypatch.setenv("SPLASHDOWN_HTTP_VERIFY", proxy)
    main(command)
    said = capsys.readouterr()
    assert said.out
    assert_clean(said.out + said.err)


def test_a_mistyped_option_of_the_command_line_is_not_repeated(capsys, tmp_path):
    assert main(["ls", str(tmp_path), "-o", f"token={TOKEN}"]) != 0
    assert_clean("".join(capsys.readouterr()))
