"""A ``boto3.Session`` as an option: what of it is used, that it is used alone, and that no secret leaves it."""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
import pickle
import re
import sys
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import botocore.session
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.credentials import CredentialProvider, RefreshableCredentials
from botocore.exceptions import UnauthorizedSSOTokenError
from botocore.handlers import disable_signing
from fault_server import FaultServer
from splashdown_s3 import S3Options
from splashdown_s3._options import MIB
from splashdown_s3._sink import S3Sink
from splashdown_s3._transport import S3Transport
from stac_item import stac_item

import splashdown
from splashdown._cli.main import main
from splashdown.errors import DownloadError, HttpStatusError, OptionError, StoreError
from splashdown.model import Content, Part, ReadRequest

READER = ("reader-access-key", "reader-secret-key")
REGION = {"region_name": "us-east-1"}


def session_of(keys, **more):
    return boto3.Session(*keys, **REGION, **more)


@pytest.fixture
def admin(store):
    return session_of((store.access_key, store.secret_key))


@pytest.fixture
def place(store, monkeypatch):
    """Where the store is; the credentials of the environment are wrong ones."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "wrong-access-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong-secret-key")
    return {"endpoint_url": store.url, "path_style": True}


def put(sink, key="k", data=b"data"):
    upload = sink.begin(key, Content(size=len(data)))
    starts = range(0, len(data), sink.parts.min_size)
    parts = [Part(number=n, start=s, stop=min(s + sink.parts.min_size, len(data))) for n, s in enumerate(starts, 1)]
    return sink.commit(upload, [sink.put_part(upload, part, [data[part.start : part.stop]]) for part in parts])


def read(transport, href):
    with transport.stream(ReadRequest(href=href)) as stream:
        return b"".join(bytes(chunk) for chunk in stream)


def item(tmp_path, *hrefs):
    """A document with an asset of each href, named as its file."""
    path = tmp_path / "item.json"
    path.write_text(json.dumps(stac_item({href.rpartition("/")[2]: {"href": href} for href in hrefs})))
    return path


@pytest.mark.parametrize("how", ["session", "sink_options"])
def test_a_run_reads_and_writes_with_the_session_it_is_given(place, admin, bucket, tmp_path, how):
    (tmp_path / "a.txt").write_text("landed")
    source = item(tmp_path, "a.txt")
    given = {**place, "session": admin}
    if how == "session":
        with splashdown.Session(options={"s3": given}) as session:
            session.open(source).download_files(f"s3://{bucket}/x/")
            session.open(f"s3://{bucket}/x/item.json").download_files(tmp_path / "back")
        assert (tmp_path / "back" / "a.txt").read_text() == "landed"
    else:
        landed = splashdown.open(source).download_files(f"s3://{bucket}/x/", sink_options=given)
        assert f"s3://{bucket}/x/a.txt" in landed


def test_region_endpoint_and_credentials_come_from_the_profile_of_the_session(place, store, plain, bucket):
    Path(os.environ["AWS_CONFIG_FILE"]).write_text(
        "[profile work]\nregion = eu-west-3\nservices = here\n"
        f"[services here]\ns3 =\n    endpoint_url = {store.url.replace('127.0.0.1', 'localhost')}\n"
    )
    Path(os.environ["AWS_SHARED_CREDENTIALS_FILE"]).write_text(
        f"[work]\naws_access_key_id = {store.access_key}\naws_secret_access_key = {store.secret_key}\n"
    )
    sink = S3Sink(f"s3://{bucket}/", S3Options(session=boto3.Session(profile_name="work")))
    put(sink)
    address = sink._store._address(bucket)
    assert (address.base, address.path) == (store.url.replace("127.0.0.1", "localhost"), f"/{bucket}")
    assert (address.region, sink._store.source_of_credentials()) == ("eu-west-3", "shared-credentials-file")
    assert plain.get_object(Bucket=bucket, Key="k")["Body"].read() == b"data"
    sink.close()


@pytest.mark.parametrize(
    ("style", "base"), [("virtual", "https://bucket.store.example"), ("path", "https://store.example")]
)
def test_the_addressing_style_of_a_profile_holds_unless_an_option_says_otherwise(style, base):
    Path(os.environ["AWS_CONFIG_FILE"]).write_text(
        "[profile work]\nregion = eu-west-3\nendpoint_url = https://store.example\n"
        f"aws_access_key_id = a\naws_secret_access_key = b\ns3 =\n    addressing_style = {style}\n"
    )
    session = boto3.Session(profile_name="work")
    for path_style, expected in (
        (None, base),
        (True, "https://store.example"),
        (False, "https://bucket.store.example"),
    ):
        sink = S3Sink("s3://bucket/", S3Options(session=session, path_style=path_style))
        assert sink._store._address("bucket").base == expected
        sink.close()


def test_two_sessions_in_one_process_keep_their_credentials_apart(place, admin, bucket):
    options = {name: S3Options(**place, session=session) for name, session in (("a", admin), ("r", session_of(READER)))}
    may, may_not = (S3Sink(f"s3://{bucket}/", options[name]) for name in "ar")
    for number in range(3):
        put(may, f"k{number}")
        with pytest.raises(StoreError, match=r"403 AccessDenied: .* \(from: explicit\)"):
            put(may_not, f"other{number}")
        assert [size for _, size in may_not.list()] == [4] * (number + 1)
    assert set(may._store.secrets()).isdisjoint(may_not._store.secrets())
    may.close()
    put(may, "after closing")
    may_not.close()


@pytest.mark.parametrize("wrong", ["source", "target"])
def test_source_and_target_of_a_run_may_have_sessions_of_their_own(place, admin, plain, bucket, tmp_path, wrong):
    plain.put_object(Bucket=bucket, Key="from.txt", Body=b"data")
    sessions = {"source": admin, "target": admin, wrong: session_of(("nobody-access-key", "nobody-secret-key"))}
    source = {**place, "session": sessions["source"], "server_side_copy": False}
    with splashdown.Session(options={"s3": source}) as session:
        results = session.open(item(tmp_path, f"s3://{bucket}/from.txt"))
        with pytest.raises(DownloadError, match=r"InvalidAccessKeyId|AccessDenied") as error:
            results.download_files(f"s3://{bucket}/to/", sink_options={"session": sessions["target"]})
    assert ("cannot read s3://" in str(error.value)) == (wrong == "source")


class Provider(CredentialProvider):
    """Gives one pair of keys after the other, each as long as the next one is not asked for."""

    METHOD = "test-provider"
    CANONICAL_NAME = "test-provider"

    def __init__(self, *pairs):
        super().__init__()
        self.pairs, self.given = pairs, 0

    def load(self):
        return RefreshableCredentials.create_from_metadata(self.next(), self.next, self.METHOD)

    def next(self):
        pair = self.pairs[min(self.given, len(self.pairs) - 1)]
        self.given += 1
        if isinstance(pair, Exception):
            raise pair
        # boto3 renews whatever ends within ten minutes, so these are renewed with each request.
        end = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=5)
        return {"access_key": pair[0], "secret_key": pair[1], "token": None, "expiry_time": end.isoformat()}


def session_from(provider):
    core = botocore.session.Session()
    core.get_component("credential_provider").insert_before("env", provider)
    return boto3.Session(botocore_session=core, **REGION)


def test_credentials_that_a_session_renews_are_used_from_then_on(place, store, plain, bucket):
    wrong = ("wrong-access-key", "wrong-secret-key")
    provider = Provider(wrong)
    sink = S3Sink(f"s3://{bucket}/", S3Options(**place, session=session_from(provider)))
    for name, keys, size in (("small", (store.access_key, store.secret_key), 4), ("large", store.writer, 9 * MIB)):
        with pytest.raises(StoreError, match=r"\(from: test-provider\)"):
            sink.stat(name)
        provider.pairs = (keys,)
        put(sink, name, bytes(size))  # a large one is begun and ended by the client of boto3
        assert [one for one, _ in sink.list()] == [name]
        sink.delete(name)
        provider.pairs = (wrong,)
    with pytest.raises(StoreError, match=r"\(from: test-provider\)"):
        put(sink, "never", bytes(9 * MIB))
    sink.close()
    assert plain.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_what_a_profiles_program_prints_is_renewed_as_well(store, place, plain, bucket, tmp_path, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    (tmp_path / "keys").write_text(json.dumps([store.access_key, store.secret_key]))
    program = tmp_path / "program.py"
    program.write_text(
        "import datetime, json, sys\n"
        f"key, secret = json.load(open({str(tmp_path / 'keys')!r}))\n"
        "end = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=5)).isoformat()\n"
        "print(json.dumps(dict(Version=1, AccessKeyId=key, SecretAccessKey=secret, Expiration=end)))\n"
    )
    Path(os.environ["AWS_CONFIG_FILE"]).write_text(
        f"[profile work]\nregion = us-east-1\ncredential_process = {sys.executable} {program}\n"
    )
    for options in (S3Options(**place, profile="work"), S3Options(**place, session=boto3.Session(profile_name="work"))):
        plain.put_object(Bucket=bucket, Key="k", Body=b"data")
        (tmp_path / "keys").write_text(json.dumps([store.access_key, store.secret_key]))
        transport = S3Transport(options)
        assert read(transport, f"s3://{bucket}/k") == b"data"
        (tmp_path / "keys").write_text(json.dumps(["wrong-access-key", "wrong-secret-key"]))
        with pytest.raises(HttpStatusError, match=r"\(from: custom-process\)"):
            read(transport, f"s3://{bucket}/k")
        (tmp_path / "keys").write_text("none at all")
        with pytest.raises(Exception, match=r"credentials \(from: custom-process\) could not be renewed: ") as error:
            read(transport, f"s3://{bucket}/k")
        assert error.value.retryable
        assert "\n" not in str(error.value)
        transport.close()


def test_a_renewal_that_fails_once_is_tried_again_by_the_run(store, place, plain, bucket, tmp_path):
    own = (store.access_key, store.secret_key)
    down = RuntimeError("the token service is down")
    provider = Provider(own, own, own, down, own)
    plain.put_object(Bucket=bucket, Key="k.bin", Body=b"data")
    options = {"s3": {**place, "session": session_from(provider)}}
    settings = splashdown.Settings(retry=splashdown.RetryPolicy(base=0.01))
    with splashdown.Session(options=options, settings=settings) as session:
        session.open(item(tmp_path, f"s3://{bucket}/k.bin")).download_files(tmp_path / "out")
    assert (tmp_path / "out" / "k.bin").read_bytes() == b"data"
    assert provider.given > 4


def test_a_provider_that_fails_is_named_with_what_it_said(store, place, bucket):
    own = (store.access_key, store.secret_key)
    first = S3Sink(f"s3://{bucket}/", S3Options(**place, session=session_from(Provider(own, OSError("no card")))))
    with pytest.raises(StoreError) as error:
        put(first)
    assert re.search(r"Error when retrieving credentials from test-provider: OSError: no card; check", str(error.value))
    assert not error.value.retryable
    broken = S3Sink(f"s3://{bucket}/", S3Options(**place, session=session_from(down := Provider(own))))
    put(broken)
    down.pairs = (RuntimeError("hunter2\nis down"),)
    for ask in (lambda: list(broken.list()), lambda: put(broken, "large", bytes(9 * MIB)), lambda: broken.stat("k")):
        with pytest.raises(StoreError) as error:
            ask()
        assert str(error.value).endswith(
            "credentials (from: test-provider) could not be renewed: RuntimeError: hunter2 is down"
        )
        assert error.value.retryable
    later = Provider(own, own, own, UnauthorizedSSOTokenError())
    sink = S3Sink(f"s3://{bucket}/", S3Options(**place, session=session_from(later)))
    with pytest.raises(StoreError, match=r"sign in again \(aws sso login\)") as error:
        deque((put(sink, f"k{number}") for number in range(3)), maxlen=0)
    assert not error.value.retryable
    for one in (first, sink):
        one.close()


@pytest.fixture
def scripted():
    with FaultServer() as server:
        server.add("/bucket/k", b"data", etag='"one"')
        yield server


def configured(config, keys=("some-access-key", "some-secret-key")):
    core = botocore.session.Session()
    core.set_default_client_config(config)
    return session_of(keys, botocore_session=core)


def test_a_session_that_signs_nothing_is_not_signed_for(scripted):
    hooked = session_of(("some-access-key", "some-secret-key"))
    hooked.events.register("choose-signer.s3.*", disable_signing)
    for session in (configured(Config(signature_version=UNSIGNED)), hooked):
        transport = S3Transport(S3Options(session=session, endpoint_url=scripted.url, path_style=True))
        assert read(transport, "s3://bucket/k") == b"data"
        assert "authorization" not in scripted.seen[-1].headers
        assert not transport._store.sealed("bucket")
        transport.close()
    signed = S3Transport(S3Options(session=session_of(("a-key", "s-key")), endpoint_url=scripted.url, path_style=True))
    assert read(signed, "s3://bucket/k") == b"data"
    assert "Credential=a-key/" in scripted.seen[-1].headers["authorization"]
    signed.close()


def test_other_s3_settings_of_the_session_stay_beside_an_option(scripted):
    config = Config(s3={"use_accelerate_endpoint": True, "addressing_style": "path"})
    sink = S3Sink("s3://bucket/", S3Options(session=configured(config), path_style=False))
    assert sink._store._address("bucket").base == "https://bucket.s3-accelerate.amazonaws.com"
    sink.close()


@pytest.mark.parametrize(
    ("config", "named"),
    [
        (Config(proxies={"http": "http://user:hunter2-pass@127.0.0.1:9"}), "sets proxies, .*; set HTTPS_PROXY"),
        (Config(client_cert="/cert.pem"), "sets client_cert"),
        (Config(proxies_config={"proxy_ca_bundle": "/ca.pem"}), "sets proxies_config"),
    ],
)
def test_connections_that_only_boto3_would_make_are_refused(config, named):
    options = S3Options(session=configured(config))
    for make in (lambda: S3Transport(options), lambda: S3Sink("s3://bucket/", options)):
        with pytest.raises(OptionError, match=f"^s3: the session's Config {named}") as error:
            make()
        assert "hunter2" not in str(error.value)


class Watched(boto3.Session):
    """Notes whether two threads use it at once."""

    inside = threading.Semaphore(1)
    crowded = False

    def client(self, *args, **more):
        alone = self.inside.acquire(blocking=False)
        self.crowded |= not alone
        try:
            return super().client(*args, **more)
        finally:
            if alone:
                self.inside.release()


def test_a_session_is_used_by_one_thread_at_a_time(scripted):
    session = Watched("some-access-key", "some-secret-key", **REGION)
    options = S3Options(session=session, endpoint_url=scripted.url, path_style=True)
    transports = [S3Transport(options) for _ in range(4)]
    together = threading.Barrier(len(transports))

    def one(transport):
        together.wait()
        return read(transport, "s3://bucket/k")

    with ThreadPoolExecutor(len(transports)) as pool:
        assert set(pool.map(one, transports)) == {b"data"}
    assert not session.crowded
    for transport in transports:
        transport.close()


def test_anything_else_than_a_session_is_refused_in_one_line(admin):
    with pytest.raises(OptionError, match=r"^s3: session has to be a boto3.Session, not a builtins.object$"):
        S3Options(session=object())
    with pytest.raises(OptionError, match=r"not a botocore.session.Session; wrap it: boto3.Session\(botocore_session="):
        S3Options(session=botocore.session.Session())
    with pytest.raises(OptionError, match=r"^s3: session and profile are both set, .*; pass profile=None"):
        S3Options(session=admin, profile="work")


def test_a_session_wins_over_a_profile_once_that_is_left_out(admin, monkeypatch):
    monkeypatch.setenv("SPLASHDOWN_S3_PROFILE", "work")
    with splashdown.Session(options={"s3": {"session": admin}}) as session:
        with pytest.raises(OptionError, match="both set"):
            session.sink("s3://bucket/")
        session.sink("s3://bucket/", profile=None).close()


def test_text_is_refused_for_a_session_and_taken_for_a_profile(capsys, tmp_path, monkeypatch):
    refused = "has to be a boto3.Session (taken instead of 'profile'); only Python code can pass it\n"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("a")
    download = ["download", str(item(tmp_path, "a.txt")), "s3://bucket/"]
    assert main([*download, "-o", "s3.session=work"]) == 2
    assert capsys.readouterr().err == f"Error: option 'session' of 's3' {refused}"
    assert main([*download, "-o", "s3.profile=nobody"]) == 1
    assert "ProfileNotFound: The config profile (nobody) could not be found" in capsys.readouterr().err
    assert main(["plugins", "check", "s3"]) == 0
    checked = capsys.readouterr().out
    assert re.search(r"session +a boto3.Session, in Python only +None +taken instead of 'profile'", checked)
    assert re.search(r"profile +text +None +SPLASHDOWN_S3_PROFILE +a profile of ~/.aws/config", checked)
    assert main(["config", "show", "--all"]) == 0
    assert "options.s3.session" not in capsys.readouterr().out
    monkeypatch.setenv("SPLASHDOWN_S3_SESSION", "work")
    assert main(download) == 2
    assert capsys.readouterr().err == f"Error: SPLASHDOWN_S3_SESSION {refused}"


SECRET, TOKEN = "a-secret-key-of-the-session", "a-token-of-the-session"


def test_a_session_and_what_is_made_of_it_show_and_pickle_no_secret(scripted):
    session = boto3.Session("some-access-key", SECRET, TOKEN, **REGION)
    options = S3Options(session=session, endpoint_url=scripted.url, path_style=True)
    assert pickle.loads(pickle.dumps(S3Options(profile="work"))) == S3Options(profile="work")
    with pytest.raises(OptionError, match=r"a boto3.Session cannot go to another process; name a profile instead"):
        pickle.dumps(options)
    sink, transport = S3Sink("s3://bucket/", options), S3Transport(options)
    read(transport, "s3://bucket/k")
    store = transport._store
    for one in (options, sink, transport, store, store._access):
        assert SECRET not in f"{one!r} {one}"
    for one in (sink, transport, store):
        with pytest.raises(OptionError, match="cannot go to another process"):
            pickle.dumps(one)
    for one in (sink, transport):
        one.close()


def test_no_secret_of_a_session_is_in_logs_events_plans_or_receipts(store, place, plain, bucket, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    secret = store.secret_key
    (tmp_path / "a.txt").write_text("landed")
    (tmp_path / "b.txt").write_bytes(os.urandom(9 * MIB))
    events = []
    session = splashdown.Session(options={"s3": {**place, "session": session_of((store.access_key, secret))}})
    with session:
        results = session.open(item(tmp_path, "a.txt", "b.txt", "missing.txt"))
        planned = repr(results.plan(f"s3://{bucket}/x/"))
        with pytest.raises(DownloadError) as error:
            results.download_files(f"s3://{bucket}/x/", listeners=[lambda event: events.append(repr(event))])
    receipt = plain.get_object(Bucket=bucket, Key="x/item.json")["Body"].read().decode()
    said = [caplog.text, planned, repr(error.value.report), str(error.value), receipt, *events]
    assert "PutObject" in caplog.text or "CreateMultipartUpload" in caplog.text  # boto3 did log
    assert events
    state = [path.read_text(errors="replace") for path in (tmp_path / "state").rglob("*") if path.is_file()]
    assert secret not in "\n".join([*said, *state])
