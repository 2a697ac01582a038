"""The table [hosts]: typed where it enters, the order of its sources, and what a project's file may not say."""

import json

import pytest

from splashdown import Session
from splashdown._cli.main import main
from splashdown._plugins.config import NAME, read_config, user_folder
from splashdown.errors import OptionError


@pytest.fixture
def write(tmp_path):
    def write(text, path=None):
        path = path or tmp_path / "own.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return write


@pytest.fixture
def user_file(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("SPLASHDOWN_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    return user_folder() / NAME


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[hosts."data.example"]\njob = 4', r'"data.example": there is no \'job\'; did you mean \'?jobs'),
        ('[hosts."data.example"]\njobs = "four"', r"jobs has to be a whole number"),
        ('[hosts."data.example"]\njobs = 0', r"jobs must be at least 1"),
        ('[hosts."data.example"]\norigins = ["data"]', r"origins takes origins such as"),
        ('[hosts."https://data.example/x"]\njobs = 1', r"takes hosts such as data.example"),
        ("[hosts]\njobs = 1", r"has to be a table"),
        ("hosts = 1", r"'hosts' has to be a table"),
    ],
)
def test_a_mistake_in_the_table_is_one_line_that_names_it(write, text, says):
    with pytest.raises(OptionError, match=says) as caught:
        read_config(only=write(text))
    assert "\n" not in str(caught.value)


def test_a_mistake_in_the_argument_is_one_line_that_names_it():
    with pytest.raises(OptionError, match=r"^hosts= \"data.example\": there is no 'job'"):
        Session(config=False, hosts={"data.example": {"job": 4}})


@pytest.mark.parametrize(
    "text",
    [
        '[hosts."data.example"]\norigins = ["https://evil.example"]',
        '[hosts."data.example"]\ncert = "me.pem"',
        '[options.http]\ncert = "me.pem"',
    ],
)
def test_the_file_of_a_project_sends_no_credentials_anywhere(write, user_file, tmp_path, text):
    write(text, tmp_path / NAME)
    with pytest.raises(OptionError, match="not into a project's"):
        read_config()
    (tmp_path / NAME).unlink()
    write(text, user_file)
    read_config()


def test_the_file_of_a_project_counts_more_than_that_of_the_user(write, user_file, tmp_path):
    write('[hosts."*.example"]\njobs = 2\n', tmp_path / NAME)
    write('[hosts."data.example"]\njobs = 6\nuser_agent = "mine/1"\n', user_file)
    session = Session()
    assert session.limit("data.example") == 2
    assert session.http.at("data.example").user_agent == "mine/1"
    assert Session(hosts={"data.example": {"jobs": 5}}).limit("data.example") == 5


def test_a_rule_that_comes_with_the_package_can_be_replaced(write):
    host = "download.dataspace.copernicus.eu"
    assert Session(config=False).limit(host) == 4
    assert Session(config=write('[hosts."*.copernicus.eu"]\njobs = 20')).limit(host) == 20


def test_a_profile_counts_more_than_an_option_in_a_file(write):
    path = write('[options.http]\nuser_agent = "all/1"\nread_timeout = 9\n[hosts."data.example"]\nuser_agent = "one/1"')
    http = Session(config=path).http
    assert (http.at("data.example").user_agent, http.at("data.example").read_timeout) == ("one/1", 9)
    assert http.at("other.example").user_agent == "all/1"


@pytest.mark.parametrize("way", ["environment", "call"])
def test_an_option_of_environment_or_call_counts_more_than_a_profile(write, monkeypatch, way):
    path = write('[hosts."data.example"]\nuser_agent = "one/1"\nca = "a.pem"\ncert = "c.pem"\njobs = 3')
    given = {"user_agent": "now/1", "verify": "b.pem"}
    if way == "environment":
        monkeypatch.setenv("SPLASHDOWN_HTTP_USER_AGENT", "now/1")
        monkeypatch.setenv("SPLASHDOWN_HTTP_VERIFY", "b.pem")
        given = {}
    session = Session(config=path, options={"http": given})
    at = session.http.at("data.example")
    assert (at.user_agent, at.verify, at.cert) == ("now/1", "b.pem", "c.pem")
    assert session.limit("data.example") == 3


def test_config_show_lists_profiles_and_where_they_are_from(write, monkeypatch, capsys):
    path = write('[hosts."data.example"]\njobs = 4\norigins = ["https://b.example"]')
    monkeypatch.setenv("SPLASHDOWN_CONFIG", str(path))
    assert main(["config", "show", "--json"]) == 0
    rows = {row["key"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows['hosts."data.example".jobs'] | {"variable": ""} == {
        "key": 'hosts."data.example".jobs',
        "value": 4,
        "origin": str(path),
        "variable": "",
    }
    assert rows['hosts."data.example".origins']["value"] == ["https://b.example"]
    shipped = rows['hosts."download.dataspace.copernicus.eu".jobs']
    assert (shipped["value"], shipped["origin"].startswith("default, by https://")) == (4, True)


def test_config_show_lists_rules_of_the_package_among_defaults(write, monkeypatch, capsys):
    monkeypatch.setenv("SPLASHDOWN_CONFIG", str(write('[hosts."data.example"]\njobs = 4')))
    assert main(["config", "show"]) == 0
    shown = capsys.readouterr().out
    assert "data.example" in shown
    assert "copernicus" not in shown
    assert main(["config", "show", "--all"]) == 0
    assert "copernicus" in capsys.readouterr().out
