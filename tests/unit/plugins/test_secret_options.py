"""Which options are secrets: by their name, their value, or because their plugin says so."""

from __future__ import annotations

import pickle
from dataclasses import dataclass, field
from types import ModuleType

import pytest

from splashdown import Session, hookimpl
from splashdown._plugins.options import fields_of
from splashdown._plugins.secret_options import is_secret, secrets_in
from splashdown.errors import UsageError
from splashdown.specs import SinkSpec


@dataclass(frozen=True, kw_only=True)
class Lock:
    """A table within the table."""

    combination: str = field(default="", metadata={"secret": True})
    colour: str = ""


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """Options of a plugin."""

    combination: str = field(default="", metadata={"secret": True})
    lock: Lock = field(default_factory=Lock)


@pytest.mark.parametrize(
    "name",
    [
        *("token", "TOKEN", "api_key", "apikey", "aws_secret_access_key", "password", "client_secret", "credentials"),
        *("authorization", "cookie", "sas", "sig", "subscription_key", "account_key", "connection_string"),
        *("Ocp-Apim-Subscription-Key", "private-key", "encryption_key"),
    ],
)
def test_a_name_of_a_secret_is_recognized(name):
    assert is_secret(name, "hunter2")


@pytest.mark.parametrize(
    "name",
    [
        "key_file",
        "token_url",
        "token_endpoint",
        "aws_access_key_id",
        "credential_process",
        "region",
        "sort_key",
        "keys",
    ],
)
def test_a_name_of_something_about_a_secret_is_no_secret(name):
    assert not is_secret(name, "hunter2")


@pytest.mark.parametrize("value", ["https://me:hunter2@host/", "socks5h://:hunter2@host", "http://[me:hunter2@host"])
def test_a_url_with_a_password_is_a_secret_under_any_name(value):
    assert is_secret("proxy", value)
    assert list(secrets_in({"proxies": ["http://host/", value]})) == [("proxies",)]


def test_secrets_in_tables_of_a_table_are_found():
    assert list(secrets_in({"storage": {"deep": {"secret": "x"}, "region": "y"}})) == [("storage", "deep", "secret")]


def test_what_a_plugin_declares_secret_is_a_secret_under_any_name():
    table = {"combination": "1-2-3", "lock": {"combination": "4-5-6", "colour": "red"}}
    assert not list(secrets_in(table))
    assert list(secrets_in(table, fields_of(Shelf, plugin="shelf"))) == [("combination",), ("lock", "combination")]


def test_a_session_with_a_secret_in_its_options_is_not_pickled():
    options = {"fsspec": {"storage_options": {"secret": "hunter2"}}}
    with (
        Session(options=options) as session,
        pytest.raises(UsageError, match=r"fsspec\.storage_options\.secret") as caught,
    ):
        pickle.dumps(session)
    assert "hunter2" not in str(caught.value)


def test_a_secret_that_a_plugin_declares_is_not_pickled():
    plugin = ModuleType("shelf")

    @hookimpl
    def splashdown_sinks():
        yield SinkSpec(name="shelf", schemes=("shelf",), options=Shelf, create=lambda *_: None)

    plugin.splashdown_sinks = splashdown_sinks
    options = {"shelf": {"combination": "hunter2"}}
    with Session(plugins=[plugin], options=options) as session, pytest.raises(UsageError, match=r"shelf\.combination"):
        pickle.dumps(session)
