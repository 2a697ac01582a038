"""The configuration file: which are read, which value wins, what is refused."""

from dataclasses import dataclass, field
from types import ModuleType

import pytest
from made_sink import MadeSink

from splashdown import Session
from splashdown._engine.settings import Settings
from splashdown._plugins.config import read_config
from splashdown._plugins.trace import trace
from splashdown.errors import OptionError
from splashdown.hookspecs import hookimpl
from splashdown.specs import SinkSpec


@dataclass(kw_only=True)
class ShelfOptions:
    height: int = 1
    label: str = "none"
    token: str = field(default="", metadata={"secret": True})


@pytest.fixture
def shelf():
    plugin = ModuleType("shelf")

    @hookimpl
    def splashdown_sinks():
        yield SinkSpec(name="shelf", schemes=("shelf",), options=ShelfOptions, create=MadeSink)

    plugin.splashdown_sinks = splashdown_sinks
    return plugin


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project's folder that is the working folder, and a user's home beside it."""
    folder = tmp_path / "project" / "deep"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    for name in ("XDG_CONFIG_HOME", "APPDATA"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return folder.parent


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def user_file(project):  # the fixture has set the home folder
    from splashdown._plugins.config import user_folder

    assert user_folder().is_relative_to(project.parent / "home")
    return user_folder() / "splashdown.toml"


class TestFiles:
    def test_without_files_everything_has_its_default(self, project):
        session = Session(discover=False)
        assert session.settings == Settings()
        assert session.config.files == ()

    def test_the_project_is_stronger_than_the_user_value_by_value(self, project, shelf):
        write(user_file(project), "[options.shelf]\nheight = 2\nlabel = 'user'\n[settings]\njobs = 3\n")
        write(project / "splashdown.toml", "[options.shelf]\nlabel = 'project'\n[settings.retry]\nattempts = 9\n")
        session = Session(discover=False, plugins=[shelf])
        assert session.sink("shelf://x").options == ShelfOptions(height=2, label="project")
        assert (session.settings.jobs, session.settings.retry.attempts) == (3, 9)

    def test_environment_and_arguments_are_stronger_than_files(self, project, shelf, monkeypatch):
        write(project / "splashdown.toml", "[options.shelf]\nheight = 2\nlabel = 'file'\n[settings]\njobs = 3\n")
        monkeypatch.setenv("SPLASHDOWN_SHELF_HEIGHT", "5")
        monkeypatch.setenv("SPLASHDOWN_JOBS", "7")
        session = Session(discover=False, plugins=[shelf], options={"shelf": {"label": "argument"}})
        assert session.sink("shelf://x").options == ShelfOptions(height=5, label="argument")
        assert session.sink("shelf://x", height=6).options.height == 6
        assert session.settings.jobs == 7

    def test_the_search_ends_at_the_top_of_the_project(self, project, monkeypatch):
        write(project.parent / "splashdown.toml", "[settings]\njobs = 3\n")
        assert read_config().settings == {"jobs": 3}
        (project / ".git").mkdir()
        assert read_config().files == ()

    def test_one_file_can_be_named_or_all_left_out(self, project, monkeypatch, tmp_path):
        write(project / "splashdown.toml", "[settings]\njobs = 3\n")
        write(tmp_path / "other.toml", "[settings]\njobs = 4\n")
        assert Session(discover=False, config=tmp_path / "other.toml").settings.jobs == 4
        assert Session(discover=False, config=False).settings.jobs == Settings().jobs
        monkeypatch.setenv("SPLASHDOWN_CONFIG", str(tmp_path / "other.toml"))
        assert Session(discover=False).settings.jobs == 4
        monkeypatch.setenv("SPLASHDOWN_CONFIG", "")
        assert Session(discover=False).settings.jobs == Settings().jobs
        monkeypatch.setenv("SPLASHDOWN_CONFIG", "absent.toml")
        with pytest.raises(OptionError, match=r"there is no configuration file absent\.toml"):
            Session(discover=False)

    def test_plugins_can_be_chosen_by_file(self, project):
        write(project / "splashdown.toml", "[plugins]\ndisable = ['memory']\ndiscover = false\n")
        session = Session()
        assert not session.registry.choice.discover
        assert {p.name: p.status for p in session.registry.plugins()}["memory"] == "disabled"


class TestRefused:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("[setings]\n", "there is no 'setings'; did you mean 'settings'"),
            ("[plugins]\ndisabled = []\n", "there is no 'plugins.disabled'; did you mean 'disable'"),
            ("[settings]\njob = 3\n", r"no option 'job' \(in the configuration file\); did you mean 'jobs'"),
            ("[settings.retry]\natempts = 3\n", "did you mean 'attempts'"),
            (
                "[settings]\njobs = 'many'\n",
                "'jobs' of the settings in the configuration file has to be a whole number",
            ),
            ("[options.shelf]\nheigth = 3\n", "'shelf' has no option 'heigth'.*did you mean 'height'"),
            ("[options.shelve]\nheight = 3\n", "no plugin has options under the name 'shelve'; did you mean 'shelf'"),
            ("[options.shelf]\ntoken = 'hunter2'\n", "'options.shelf.token' is a secret; keep it in the environment"),
            ("[options.other]\nsecret_access_key = 'hunter2'\n", "is a secret"),
            ("[options.shelf]\nlabel = 'https://user:hunter2@host/'\n", "is a secret"),
            ("[options]\nshelf = 3\n", "'options.shelf' has to be a table"),
            ("settings = 3\n", "'settings' has to be a table"),
            ("[settings\n", "cannot be read: TOMLDecodeError"),
        ],
    )
    def test_a_slip_is_named_with_its_file_and_no_secret_is_repeated(self, project, shelf, text, message):
        write(project / "splashdown.toml", text)
        with pytest.raises(OptionError, match=message) as error:
            self.use(shelf)
        assert "hunter2" not in str(error.value)
        assert "\n" not in str(error.value)

    def use(self, shelf):
        session = Session(discover=False, plugins=[shelf])
        assert session.settings
        assert session.sink("shelf://x")

    def test_options_of_a_plugin_that_is_not_installed_here_do_no_harm_in_a_file(self, project, shelf):
        write(project / "splashdown.toml", "[options.elsewhere]\nx = 1\n")
        assert Session(discover=False, plugins=[shelf]).sink("shelf://x").options == ShelfOptions()

    def test_options_of_an_unknown_plugin_are_refused_as_an_argument(self, project, shelf):
        session = Session(discover=False, plugins=[shelf], options={"elsewhere": {"x": 1}})
        with pytest.raises(OptionError, match="under the name 'elsewhere'"):
            session.sink("shelf://x")


def test_show_says_where_each_value_came_from_and_hides_secrets(project, shelf, monkeypatch):
    write(project / "splashdown.toml", "[options.shelf]\nheight = 2\n[settings.retry]\nattempts = 9\n")
    environ = {"SPLASHDOWN_SHELF_TOKEN": "hunter2", "SPLASHDOWN_JOBS": "4", "SPLASHDOWN_DISABLE_PLUGINS": "x,y"}
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    session = Session(discover=False, plugins=[shelf])
    rows = {row.key: row for row in trace(session.config, session.registry, Settings, environ)}
    file = str(project / "splashdown.toml")
    assert (rows["options.shelf.height"].value, rows["options.shelf.height"].origin) == (2, file)
    assert (rows["options.shelf.label"].value, rows["options.shelf.label"].origin) == ("none", "default")
    assert rows["options.shelf.token"].origin == "SPLASHDOWN_SHELF_TOKEN"
    assert "hunter2" not in str(rows)
    assert (rows["settings.jobs"].value, rows["settings.jobs"].origin) == (4, "SPLASHDOWN_JOBS")
    assert (rows["settings.retry.attempts"].value, rows["settings.retry.attempts"].origin) == (9, file)
    assert (rows["plugins.disable"].value, rows["plugins.disable"].origin) == (["x", "y"], "SPLASHDOWN_DISABLE_PLUGINS")


def test_options_of_a_plugin_in_a_wrong_table_are_told_where_they_belong(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for table in ("plugins.fsspec", "fsspec"):
        (tmp_path / "splashdown.toml").write_text(f"[{table}]\nhost = 'archive.example'\n")
        with pytest.raises(OptionError, match=r"options of a plugin stand in \[options.fsspec\]"):
            Session()
