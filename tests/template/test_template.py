"""The template for plugins: what it generates installs, passes its own lint, types and tests, and is found."""

import pytest
import yaml
from copier import run_copy
from fresh import ROOT, FreshFolder, build_wheel

from splashdown import hookspecs

KINDS = ("sink", "loader", "resolver", "filter", "transport", "signer", "listener", "action", "run_plan", "executor")


@pytest.fixture(scope="module")
def author(tmp_path_factory):
    """An author's folder with one generated package of each kind, all installed into one environment."""
    folder = tmp_path_factory.mktemp("author")
    author = FreshFolder(folder)
    for kind in KINDS:
        answers = {"kind": kind, "name": f"my{kind.replace('_', '')}", "author": "Ada"}
        run_copy(str(ROOT / "plugins/_template"), str(folder / kind), data=answers, defaults=True, quiet=True)
    author.install(build_wheel(tmp_path_factory.mktemp("wheel")), *(folder / kind for kind in KINDS))
    return author


def test_there_is_a_kind_for_each_hook():
    asked = yaml.safe_load((ROOT / "plugins/_template/copier.yml").read_text())["kind"]["choices"]
    hooks = {
        name.removeprefix("splashdown_").removesuffix("s")
        for name in vars(hookspecs.HookSpecs)
        if name.startswith("splashdown_")
    }
    assert set(KINDS) == set(asked.values()) == hooks


@pytest.mark.slow
@pytest.mark.timeout(600)  # the first one waits for pip
@pytest.mark.parametrize("kind", KINDS)
def test_a_generated_package_passes_its_own_checks(author, kind):
    steps = yaml.safe_load((author.path / kind / ".github/workflows/ci.yml").read_text())["jobs"]["test"]["steps"]
    commands = [step["run"] for step in steps if "run" in step and not step["run"].startswith("pip")]
    assert len(commands) == 3
    # The tools of the tests' own environment, run by the author's Python, which sees the package.
    tools = [f'{tool}() {{ python -m {tool} "$@"; }}' for tool in ("ruff", "mypy")]
    script = "\n".join([f"cd {kind}", 'PATH="$PWD/../.venv/bin:$PATH"', *tools, *commands])
    done = author.run(script)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
    listed = author.run(".venv/bin/splashdown plugins list")
    assert f"splashdown-my{kind.replace('_', '')}" in listed.stdout
    left = [path for path in (author.path / kind).rglob("*") if path.name == ".jinja" or path.suffix == ".jinja"]
    assert left == []


@pytest.mark.parametrize("name", ["My Shelf", "1st", "", "../up", "a-b"])
def test_a_name_that_cannot_be_a_package_is_refused(tmp_path, name):
    with pytest.raises(ValueError, match="lower-case"):
        run_copy(str(ROOT / "plugins/_template"), str(tmp_path / "x"), data={"name": name}, defaults=True, quiet=True)
