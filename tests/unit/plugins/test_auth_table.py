"""The table [auth] says where the credentials of an origin come from, and never what they are."""

import json
import sys

import keyring
import keyring.errors
import pytest
from fault_server import FaultServer
from keyrings.alt.file import PlaintextKeyring
from stac_item import stac_item

from splashdown import Session
from splashdown._cli.main import main
from splashdown._plugins.config import NAME, read_config, user_folder
from splashdown.errors import AuthError, OptionError

SECRET = "cAnArYt0ken0123456789"
ORIGIN = "https://data.example"


@pytest.fixture
def write(tmp_path):
    def write(value, origin=ORIGIN):
        path = tmp_path / "own.toml"
        path.write_text(f'[auth]\n"{origin}" = {value}\n')
        return path

    return write


def given(path):
    return read_config(only=path).auth[ORIGIN]()


def test_a_variable_of_the_environment_gives_a_token(write, monkeypatch):
    monkeypatch.setenv("DATA_TOKEN", SECRET)
    assert given(write('"env:DATA_TOKEN"')) == SECRET


def test_a_user_stands_beside_the_place_of_the_password(write, monkeypatch):
    monkeypatch.setenv("DATA_PASSWORD", SECRET)
    assert given(write('{user = "jane", password = "env:DATA_PASSWORD"}')) == ("jane", SECRET)


def test_the_first_line_that_a_command_prints_is_the_token(write):
    program = sys.executable.replace("\\", "/")
    assert given(write(f'\'command:"{program}" -c "print(1234567); print(2)"\'')) == "1234567"


@pytest.mark.parametrize(
    "value",
    [
        f'"{SECRET}"',
        f'"Bearer {SECRET}"',
        f'{{user = "jane", password = "{SECRET}"}}',
        '"env:"',
        '"command:"',
        '"keyring:"',
        '"keyring:s/"',
        "5",
    ],
)
def test_a_secret_in_a_file_is_refused_in_one_line_that_says_how(write, value):
    with pytest.raises(OptionError, match=r"env:VARIABLE.*keyring:SERVICE/USER.*command:PROGRAM") as caught:
        read_config(only=write(value))
    assert SECRET not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", ['{user = "jane"}', '{password = "env:X"}', '{user = 1, password = "env:X"}'])
def test_half_a_pair_is_refused_with_the_form_of_a_whole_one(write, value):
    with pytest.raises(OptionError, match="write a pair as"):
        read_config(only=write(value))


def test_a_key_that_is_not_an_origin_is_refused(write):
    with pytest.raises(OptionError, match="origins such as"):
        read_config(only=write('"env:X"', origin="data.example"))


def test_a_variable_that_is_not_set_is_named_once_it_is_needed(write, monkeypatch):
    monkeypatch.delenv("DATA_TOKEN", raising=False)
    read = read_config(only=write('"env:DATA_TOKEN"')).auth[ORIGIN]
    with pytest.raises(AuthError, match="DATA_TOKEN is not set"):
        read()


@pytest.mark.parametrize("arguments", ["-c 'raise SystemExit(3)'", "-c pass"])
def test_a_command_that_prints_nothing_is_one_line(write, arguments):
    with pytest.raises(AuthError, match="printed no credentials"):
        given(write(f'"command:{sys.executable} {arguments}"'))


def test_a_command_that_does_not_exist_is_one_line(write):
    with pytest.raises(AuthError, match="no-such-program did not run"):
        given(write('"command:no-such-program"'))


@pytest.mark.parametrize("value", ["env:AWS_SECRET_ACCESS_KEY", "command:rm -r x"])
def test_a_project_sends_no_credentials_anywhere(tmp_path, value):
    project = tmp_path / NAME
    project.write_text(f'[auth]\n"{ORIGIN}" = "{value}"\n')
    with pytest.raises(OptionError, match="your own configuration file"):
        read_config(tmp_path, environ={})
    assert set(read_config(tmp_path, environ={"SPLASHDOWN_CONFIG": str(project)}).auth) == {ORIGIN}


def test_the_users_own_file_may_have_a_command(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr("splashdown._plugins.config.user_folder", lambda: tmp_path / "config")
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / NAME).write_text(f'[auth]\n"{ORIGIN}" = "command:secret-tool"\n')
    (tmp_path / "project").mkdir()
    assert set(read_config(tmp_path / "project", environ={}).auth) == {ORIGIN}
    assert user_folder().name == "splashdown"


def test_a_session_sends_what_the_file_lists_and_arguments_come_first(write, monkeypatch):
    monkeypatch.setenv("DATA_TOKEN", SECRET)
    with FaultServer() as server:
        href = server.add("/a.bin", b"content", needs={"authorization": f"Bearer {SECRET}"})
        path = write('"env:DATA_TOKEN"', origin=server.url)
        results = Session(config=path).open(stac_item({"a": {"href": href}}))
        assert results.get_asset("a").load_bytes() == b"content"
        stronger = Session(config=path, auth={server.url: "other"}).open(stac_item({"a": {"href": href}}))
        with pytest.raises(Exception, match="refused"):
            stronger.get_asset("a").load_bytes()


def test_config_show_does_not_stumble_over_the_table(write, monkeypatch, capsys):
    monkeypatch.setenv("DATA_TOKEN", SECRET)
    monkeypatch.setenv("SPLASHDOWN_CONFIG", str(write('"env:DATA_TOKEN"')))
    assert main(["config", "show"]) == 0
    assert SECRET not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ('"env:DATA_TOKEN"', "env:DATA_TOKEN"),
        (f'"command:pass show {SECRET}"', "command:pass ..."),
        ('"command:secret-tool"', "command:secret-tool"),
        ('{user = "jane", password = "env:DATA_PASSWORD"}', "jane, env:DATA_PASSWORD"),
    ],
)
def test_the_configuration_shows_each_origin_without_its_secret(write, monkeypatch, capsys, value, shown):
    path = write(value)
    monkeypatch.setenv("SPLASHDOWN_CONFIG", str(path))
    assert main(["--no-plugins", "config", "show", "--json"]) == 0
    said = capsys.readouterr().out
    (row,) = (row for row in json.loads(said) if row["key"].startswith("auth."))
    assert row == {"key": f'auth."{ORIGIN}"', "value": shown, "origin": str(path), "variable": ""}
    assert SECRET not in said


@pytest.fixture
def kept(tmp_path):
    """A keyring that keeps its entries in a file."""
    before, own = keyring.get_keyring(), PlaintextKeyring()
    own.file_path = str(tmp_path / "entries")
    keyring.set_keyring(own)
    yield own
    keyring.set_keyring(before)


@pytest.mark.parametrize("service", ["splashdown", "https://data.example/api"])
def test_the_keyring_of_the_system_gives_a_token(write, kept, service):
    kept.set_password(service, "jane", SECRET)
    assert given(write(f'"keyring:{service}/jane"')) == SECRET
    assert given(write(f'{{user = "jane", password = "keyring:{service}/jane"}}')) == ("jane", SECRET)


def test_a_keyring_without_the_entry_says_how_to_store_it(write, kept):
    with pytest.raises(AuthError, match="keyring set splashdown jane"):
        given(write('"keyring:splashdown/jane"'))


def test_a_keyring_that_stays_locked_is_one_line_without_its_message(write, kept, monkeypatch):
    def locked(*_):
        raise keyring.errors.KeyringLocked(SECRET)

    monkeypatch.setattr(kept, "get_password", locked)
    with pytest.raises(AuthError, match=r"cannot be read \(KeyringLocked\)") as caught:
        given(write('"keyring:splashdown/jane"'))
    assert SECRET not in str(caught.value)


def test_a_keyring_without_its_package_names_the_extra(write, monkeypatch):
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(AuthError, match=r"pip install 'splashdown\[keyring\]'"):
        given(write('"keyring:splashdown/jane"'))


def test_a_token_that_was_replaced_in_the_keyring_is_read_in_mid_run(write, kept, tmp_path):
    kept.set_password("splashdown", "jane", "an-old-token")
    with FaultServer() as server:
        server.add("/a.bin", b"x" * 10, needs={"authorization": f"Bearer {SECRET}"})

        def refuse_once(handler, answer):
            kept.set_password("splashdown", "jane", SECRET)
            handler.send(handler.right())

        server.script("/a.bin", refuse_once)
        config = write('"keyring:splashdown/jane"', origin=server.url)
        with Session(config=config) as session:
            item = stac_item({"a": {"href": f"{server.url}/a.bin"}})
            assert len(session.open(item).download_files(tmp_path / "out")) == 2  # and the receipt
