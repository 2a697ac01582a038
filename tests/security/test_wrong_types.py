"""Any JSON value at any node of a valid document: a result, or one of the project's errors; never another exception."""

import contextlib
import json
import math
import subprocess
import sys
import warnings

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wrong_types import (
    API,
    ERROR,
    GOOD,
    ITEM,
    JOB,
    OPENEO,
    SENT,
    STAC,
    WRONG,
    all_wrong,
    nodes,
    own_errors_alone,
    use,
    with_value,
)

import splashdown
from splashdown import Session
from splashdown._cli.main import main
from splashdown._documents.client import Client
from splashdown._receipts.reading import read_receipts
from splashdown.auth import ClientCredentials
from splashdown.builtins.openeo import jobs, oidc
from splashdown.errors import OptionError
from splashdown.testing import MemorySink

values = st.recursive(
    st.one_of(
        st.sampled_from(WRONG),
        st.none() | st.booleans() | st.integers() | st.floats(),
        st.text(st.characters(exclude_categories=()), max_size=20),
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
#: ``pytest --exhaustive`` tries more, and at random.
usual = settings(max_examples=settings.default.max_examples // 4, suppress_health_check=list(HealthCheck))


@st.composite
def changed(draw, document):
    return with_value(document, draw(st.sampled_from(list(nodes(document)))), draw(values))


@pytest.fixture(scope="module")
def session():
    return Session(discover=False, config=False)


def open_stac(session, document):
    with own_errors_alone():
        use(session.open(document, resolver="stac"))
    with own_errors_alone():
        session.open(document, resolver="stac", alternate="s3")


@pytest.mark.parametrize("kind", STAC)
def test_stac_documents(kind, session):
    @usual
    @given(changed(STAC[kind]))
    def check(document):
        open_stac(session, document)

    check()


@pytest.fixture(scope="module")
def every(pytestconfig):
    """Each node gets each Nth odd value: all of them take minutes."""
    return 1 if pytestconfig.option.exhaustive else 5


@pytest.mark.slow
@pytest.mark.parametrize("kind", STAC)
def test_every_node_of_stac_documents_with_odd_values(kind, session, every):
    for name, document in all_wrong(STAC[kind], every=every):
        try:
            open_stac(session, document)
        except Exception as error:
            error.add_note(name)
            raise


class Backend:
    """Answers without a socket, as documents come from one: as JSON."""

    def __init__(self, monkeypatch):
        self.answers = {}
        self.status = 200
        monkeypatch.setattr(Client, "_fetch", lambda client, url, headers, question, method="": self.answer(url))
        monkeypatch.setattr(oidc, "_post", lambda endpoint, form, gate: self.answer("TOKENS")[1:3])
        monkeypatch.setattr(jobs.time, "sleep", lambda seconds: None)

    def answer(self, url):
        if url in self.answers:
            return url, self.status, json.dumps(self.answers[url]).encode(), SENT, ""
        if url in GOOD:
            return url, 200, json.dumps(GOOD[url]).encode(), SENT, ""
        return url, 404, b"{}", SENT, ""

    def ask(self, session):
        with own_errors_alone():
            backend = splashdown.connect("https://host.example", session=session)
            repr(backend)
            job = backend.job("j")
            with own_errors_alone():
                assert all(repr(job) + job.known_status for job in backend.jobs())
            for call in (job.status, job.logs, lambda: job.wait(timeout=0)):
                with own_errors_alone():
                    call()
        for auth in (None, ("user", "password"), ClientCredentials(client_id="a", client_secret="b")):
            with own_errors_alone():
                results = session.open(f"{API}/jobs/j", auth=auth)
                session.sign(f"{API}/x", results.result_set.signer)
        for source, wait in ((f"{API}/jobs/j", 0.0), ("https://host.example/jobs/j", False)):
            with own_errors_alone():
                use(session.open(source, wait=wait))


@pytest.fixture
def backend(monkeypatch):
    return Backend(monkeypatch)


@pytest.mark.parametrize("kind", OPENEO)
def test_documents_of_an_openeo_backend(kind, backend, session):
    url, document = OPENEO[kind]

    @usual
    @given(changed(document))
    def check(answer):
        backend.answers = {url: answer}
        backend.ask(session)

    check()


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(set(OPENEO) - {"item.json", "results of a feature"}))
def test_every_node_of_openeo_documents_with_odd_values(kind, backend, session, every):
    url, document = OPENEO[kind]
    for name, answer in all_wrong(document, every=every):
        backend.answers = {url: answer}
        try:
            backend.ask(session)
        except Exception as error:
            error.add_note(name)
            raise


@pytest.mark.parametrize("status", [400, 401, 404, 424, 500])
def test_error_documents_of_an_openeo_backend(status, backend, session):
    for _, answer in all_wrong(ERROR, WRONG[::2]):
        backend.answers, backend.status = {f"{API}/jobs/j/results": answer}, status
        with own_errors_alone():
            session.open(f"{API}/jobs/j")
        backend.answers = {"TOKENS": answer}
        with own_errors_alone():
            session.open(f"{API}/jobs/j", auth=ClientCredentials(client_id="a", client_secret="b"))


@pytest.mark.parametrize("level", ["error", "info"])
def test_the_log_of_a_failed_job(level, backend, session):
    failed = {f"{API}/jobs/j": {**JOB, "status": "error"}, f"{API}/jobs/j/results": {"code": "JobNotFinished"}}
    for _, answer in all_wrong({"logs": [{"id": "1", "level": level, "message": "m"}], "links": []}):
        backend.answers, backend.status = {**failed, f"{API}/jobs/j/logs": answer}, 200
        with own_errors_alone():
            session.open(f"{API}/jobs/j", wait=True)


@pytest.mark.parametrize("kind", STAC)
def test_receipts_that_others_have_written(kind):
    @usual
    @given(changed(STAC[kind]))
    def check(document):
        data = json.dumps(document).encode()
        sink = MemorySink(dict.fromkeys(("collection.json", "item.json", "catalog.json", "job-results.json"), data))
        with own_errors_alone():
            read_receipts(sink)

    check()


@pytest.mark.parametrize("kind", STAC)
@pytest.mark.parametrize("command", [["ls"], ["ls", "--json"], ["download", "--dry-run"]])
def test_commands_end_in_one_line(kind, command, tmp_path, capsys, every):
    odd = [WRONG[11], 5, [None], math.inf]
    for number, (name, document) in enumerate(all_wrong(STAC[kind], odd, every=min(every, len(odd)))):
        path = tmp_path / f"{number}.json"
        path.write_text(json.dumps(document))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            code = main(["--no-plugins", *command, str(path)])
        error = capsys.readouterr().err
        assert code in {0, 1, 2, 3}, name
        assert "Traceback" not in error, name
        assert "SPLASHDOWN_DEBUG" not in error, name
        assert " failed: " not in error or "plugin" not in error, name


TOML = [
    "5",
    "-1",
    "1.5",
    "nan",
    "''",
    '"x"',
    "[]",
    "[1]",
    "['a']",
    "[[]]",
    "{}",
    "{a = 1}",
    "true",
    "1979-05-27",
    "07:32:00",
]
KEYS = [
    "settings",
    "settings.jobs",
    "settings.retry",
    "settings.retry.attempts",
    "settings.range_cutoff",
    "plugins",
    "plugins.disable",
    "plugins.only",
    "plugins.strict",
    "plugins.discover",
    "options",
    "options.local",
    "options.http",
    "options.http.user_agent",
    "options.http.read_timeout",
    "unknown",
]


@pytest.mark.parametrize("key", KEYS)
def test_configuration_files(key, tmp_path):
    file = tmp_path / "splashdown.toml"
    for value in TOML:
        file.write_text(f"{key} = {value}\n")
        with contextlib.suppress(OptionError):
            made = Session(config=file, discover=False)
            assert made.settings
            made._fill("http", made.registry.options_types()["http"], {})
            made.registry.plugins()


@pytest.mark.parametrize(
    "href", ["file:s3:/```/st.t://b", "file:x", "file://[/x", "x" * 5000, "%00", "a%ff", "%ed%a0%80"]
)
def test_odd_hrefs_in_a_local_document(href, tmp_path, capsys):
    path = tmp_path / "item.json"
    path.write_text(json.dumps({**ITEM, "assets": {"a": {"href": href}, "b": {"href": "b.tif"}}}))
    for command in (["ls"], ["download", "--dry-run"]):
        assert main(["--no-plugins", *command, str(path)]) == 0
    assert "SPLASHDOWN_DEBUG" not in capsys.readouterr().err


def test_a_message_with_half_a_character_reaches_a_terminal(tmp_path):
    path = tmp_path / "item.json"
    path.write_text(json.dumps({**ITEM, "assets": {"\ud800": {"href": "file:///x\ud800"}}}))
    code = "import sys; from splashdown._cli.main import main; sys.exit(main(sys.argv[1:]))"
    done = subprocess.run([sys.executable, "-c", code, "--no-plugins", "ls", str(path)], capture_output=True)
    assert done.returncode == 3  # the only asset was left out
    assert b"Traceback" not in done.stderr
