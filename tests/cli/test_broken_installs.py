"""Three broken plugins, really installed: all else goes on, and each failure is named once."""

import json
import textwrap

import pytest
from fresh import FreshFolder, build_wheel

PLUGINS = {
    "breaks-at-import": """
        raise RuntimeError("no library for this machine")
    """,
    "breaks-at-registration": """
        from splashdown.hookspecs import hookimpl

        @hookimpl
        def splashdown_sink():
            return []
    """,
    "breaks-at-use": """
        from splashdown.hookspecs import hookimpl
        from splashdown.specs import SinkSpec

        def create(target, options):
            raise RuntimeError("the shelf is gone")

        @hookimpl
        def splashdown_sinks():
            yield SinkSpec(name="shelf", schemes=("shelf",), create=create)
    """,
}


@pytest.fixture(scope="module")
def user(tmp_path_factory):
    """A user's environment with Splashdown, the three plugins, and a job that the demo has landed."""
    user = FreshFolder(tmp_path_factory.mktemp("user"))
    for distribution, source in PLUGINS.items():
        module = distribution.replace("-", "_")
        folder = user.path / distribution
        folder.mkdir()
        (folder / f"{module}.py").write_text(textwrap.dedent(source))
        (folder / "pyproject.toml").write_text(
            '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
            f'[project]\nname = "{distribution}"\nversion = "1.0"\n'
            f'[project.entry-points.splashdown]\n{distribution} = "{module}"\n'
        )
    user.install(build_wheel(tmp_path_factory.mktemp("wheel")), *(user.path / distribution for distribution in PLUGINS))
    done = user.run(".venv/bin/splashdown demo landed")
    assert done.returncode == 0, done.stderr
    return user


pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]  # the first one waits for pip


def named(text):
    """How often each of the plugins is told to have failed."""
    return {name: text.count(f"plugin '{name}' ({name} 1.0) failed") for name in PLUGINS}


def test_a_download_goes_on_and_names_what_is_broken_once(user):
    done = user.run(".venv/bin/splashdown download landed/job-results.json copy")
    assert done.returncode == 0
    assert (user.path / "copy/timeseries.json").exists()
    assert named(done.stderr) == {"breaks-at-import": 1, "breaks-at-registration": 1, "breaks-at-use": 0}
    assert "failed at import: RuntimeError: no library for this machine" in done.stderr
    assert "there is no hook splashdown_sink; did you mean 'splashdown_sinks'?" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_breaks_at_use_is_named_once_and_by_name(user):
    done = user.run(".venv/bin/splashdown download landed/job-results.json shelf://x")
    assert done.returncode == 2
    assert named(done.stderr) == dict.fromkeys(PLUGINS, 1)
    assert (
        "Error: plugin 'breaks-at-use' (breaks-at-use 1.0) failed at use: RuntimeError: the shelf is gone"
        in done.stderr
    )
    assert "Traceback" not in done.stderr


def test_a_notebook_gets_a_warning_for_each_and_its_files(user):
    (user.path / "notebook.py").write_text(
        "import warnings, splashdown\n"
        "with warnings.catch_warnings(record=True) as caught:\n"
        "    warnings.simplefilter('always')\n"
        "    with splashdown.Session() as session:\n"
        "        for run in ('a', 'b'):\n"
        "            session.open('landed/job-results.json').download_files(f'notebook/{run}')\n"
        "        for time in range(2):\n"
        "            try: session.sink('shelf://x')\n"
        "            except splashdown.SplashdownError as error: print('refused:', error)\n"
        "for one in caught: print(one.category.__name__, one.message)\n"
    )
    done = user.run(".venv/bin/python notebook.py")
    assert done.returncode == 0, done.stderr
    warned = [line for line in done.stdout.splitlines() if line.startswith("PluginWarning")]
    assert named("\n".join(warned)) == {"breaks-at-import": 1, "breaks-at-registration": 1, "breaks-at-use": 0}
    assert done.stdout.count("refused: plugin 'breaks-at-use'") == 2
    assert (user.path / "notebook/b/timeseries.json").exists()


def test_the_list_of_plugins_tells_the_state_of_each(user):
    done = user.run(".venv/bin/splashdown plugins list --json")
    assert done.returncode == 0
    found = {plugin["name"]: plugin for plugin in json.loads(done.stdout)}
    assert {name: found[name]["status"] for name in PLUGINS} == {
        "breaks-at-import": "failed",
        "breaks-at-registration": "failed",
        "breaks-at-use": "ok",
    }
    assert found["local"]["status"] == "ok"
    checked = user.run(".venv/bin/splashdown plugins check breaks-at-import")
    assert checked.returncode == 1
    assert "RuntimeError: no library for this machine" in checked.stdout + checked.stderr


def test_the_broken_ones_can_be_left_out_and_strict_mode_stops(user):
    left_out = user.run(
        ".venv/bin/splashdown --disable-plugin breaks-at-import --disable-plugin breaks-at-registration"
        " download landed/job-results.json quiet"
    )
    assert left_out.returncode == 0
    assert named(left_out.stderr) == dict.fromkeys(PLUGINS, 0)
    strict = user.run(".venv/bin/splashdown --strict download landed/job-results.json strict")
    assert strict.returncode != 0
    assert not (user.path / "strict").exists()
