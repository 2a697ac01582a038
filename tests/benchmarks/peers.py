"""Who takes part in the benchmarks, and how each is called. Each run is a process of its own.

Python tools run in ``worker``, which leaves their imports out; native tools are measured from their start. CPU time is
user and system time of the contender alone, not of the server.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_HERE = Path(__file__).resolve().parent
_ENVIRONMENT = _HERE.parents[1] / ".cache" / "benchmark-peers"
_LIMIT = 900.0  # seconds for one run


@dataclass(frozen=True, kw_only=True)
class Job:
    """What is to be fetched: ``urls`` all below the folder ``url``, described by the openEO job at ``job_url``."""

    url: str
    urls: Sequence[str]
    job_url: str
    target: Path
    size: int  #: of each file, in bytes
    jobs: int = 8  #: files at a time
    connections: int = 1  #: for one file, where a tool can
    settings: Mapping[str, Any] = field(default_factory=dict)  #: of Splashdown, beside the defaults
    authority: Path | None = None  #: the certificate that signed the server's, for https

    @property
    def environment(self) -> dict[str, str]:
        """The variables of all contenders. Python may store compiled modules, as it does for users."""
        trusted = {name: str(self.authority) for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE") if self.authority}
        return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | trusted

    def trust(self, option: str) -> list[str]:
        """What tells a native tool to trust the server."""
        return [option, str(self.authority)] if self.authority else []

    @property
    def place(self) -> str:
        """The target as contenders are told it."""
        return str(self.target)

    def clear(self) -> None:
        """Empty the target."""
        shutil.rmtree(self.target, ignore_errors=True)
        self.target.mkdir(parents=True)

    def check(self) -> None:
        """Raise when a file is missing or has another size: who does not do the work is not fast."""
        for url in self.urls:
            path = self.target / url.rpartition("/")[2]
            if not path.exists() or path.stat().st_size != self.size:
                raise SystemExit(f"{path} is missing or not whole")


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One run: wall-clock seconds, CPU seconds, peak resident bytes."""

    seconds: float
    cpu: float
    rss: int


@dataclass(frozen=True, kw_only=True)
class Contender:
    """A way to fetch files, by the name that tables show."""

    name: str
    run: Callable[[Job], Measure]


def splashdown(name: str = "Splashdown", **settings: Any) -> Contender:
    """This project, from the environment that runs the benchmark."""

    def run(job: Job) -> Measure:
        return python(sys.executable, "splashdown", job, {**job.settings, **settings})

    return Contender(name=name, run=run)


def command(name: str = "Splashdown", **variables: str) -> Contender:
    """The command line, from the start of the interpreter to its end."""
    program = str(Path(sys.executable).with_name("splashdown"))

    def run(job: Job) -> Measure:
        environment = {**job.environment, **variables}
        return timed([program, "download", job.job_url, str(job.target), "--quiet"], environment=environment)

    return Contender(name=name, run=run)


def bare_adapter() -> Contender:
    """The pooled adapter of requests without anything around it."""
    return Contender(name="bare pooled adapter", run=lambda job: python(sys.executable, "bare_adapter", job))


def splice() -> Contender:
    """The limit."""
    return Contender(name="splice loop (the limit)", run=lambda job: python(sys.executable, "splice", job))


def openeo() -> Contender:
    """The openEO client."""
    return Contender(name="openEO client 0.53.0", run=lambda job: python(str(tool("python")), "openeo", job))


def stac_asset() -> Contender:
    """stac-asset."""
    return Contender(name="stac-asset 0.4.8", run=lambda job: python(str(tool("python")), "stac_asset", job))


def aria2c() -> Contender:
    """aria2c, as many connections for a file as the job says."""

    def run(job: Job) -> Measure:
        listed = "".join(f"{url}\n" for url in job.urls)
        lines = str(job.connections)
        command = [_native("aria2c"), "-q", "-i", "-", "-d", str(job.target), "-j", str(job.jobs), "-x", lines]
        command += ["-s", lines, "-k", "1M", "--file-allocation=none", "--no-conf", "--allow-overwrite=true"]
        return timed([*command, *job.trust("--ca-certificate")], listed)

    return Contender(name="aria2c", run=run)


def rclone(*, hashing: bool = False) -> Contender:
    """Rclone, from a folder that the server lists; ``hashing`` has it compute checksums of what came, afterwards."""

    def run(job: Job) -> Measure:
        command = [str(tool("rclone")), "--config", "", "copy", ":http:", str(job.target), "--http-url", job.url]
        command += ["--transfers", str(job.jobs), "--checkers", "8", "--http-no-head"]
        if job.connections > 1:
            command = [part for part in command if part != "--http-no-head"]  # it has to know the size for that
            command += ["--multi-thread-streams", str(job.connections), "--multi-thread-cutoff", "64M"]
        copied = timed([*command, *job.trust("--ca-cert")])
        if not hashing:
            return copied
        hashed = timed([command[0], "--config", "", "hashsum", "sha256", str(job.target)])
        seconds, cpu = copied.seconds + hashed.seconds, copied.cpu + hashed.cpu
        return Measure(seconds=seconds, cpu=cpu, rss=max(copied.rss, hashed.rss))

    return Contender(name="rclone 1.75, then hashsum sha256" if hashing else "rclone 1.75", run=run)


def curl() -> Contender:
    """``curl --parallel``."""

    def run(job: Job) -> Measure:
        listed = "".join(f'url="{url}"\noutput="{job.target}/{url.rpartition("/")[2]}"\n' for url in job.urls)
        command = [
            _native("curl"),
            "--no-progress-meter",
            "-f",
            "--parallel",
            "--parallel-max",
            str(job.jobs),
            "-K",
            "-",
            *job.trust("--cacert"),
        ]
        return timed(command, listed)

    return Contender(name="curl --parallel", run=run)


def python(interpreter: str, contender: str, job: Job, settings: Mapping[str, Any] | None = None) -> Measure:
    """Run a contender of ``worker`` with an interpreter."""
    facts = {"urls": list(job.urls), "job_url": job.job_url, "target": job.place, "jobs": job.jobs}
    facts["settings"] = dict(settings or {})
    command = [interpreter, str(_HERE / "worker.py"), contender]
    done = subprocess.run(
        command, input=json.dumps(facts), capture_output=True, text=True, timeout=_LIMIT, env=job.environment
    )
    if done.returncode:
        raise SystemExit(f"{contender} failed:\n{done.stderr[-3000:]}")
    return Measure(**json.loads(done.stdout.strip().splitlines()[-1]))


def timed(command: Sequence[str], given: str = "", environment: Mapping[str, str] | None = None) -> Measure:
    """Run a native tool; ``given`` is what it reads from standard input."""
    begun = time.perf_counter()
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True, env=environment
    )
    assert process.stdin is not None
    process.stdin.write(given)
    process.stdin.close()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[0]} failed with exit code {process.returncode}")
    return Measure(seconds=seconds, cpu=usage.ru_utime + usage.ru_stime, rss=usage.ru_maxrss * 1024)


def _native(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise SystemExit(f"{name} is not installed; on Debian: apt-get install nginx aria2 curl")
    return found


def tool(name: str) -> Path:
    """A program of the peers' own environment, which is made when it is first asked for."""
    _ENVIRONMENT.parent.mkdir(parents=True, exist_ok=True)
    with (_ENVIRONMENT.parent / f"{_ENVIRONMENT.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = _ENVIRONMENT / "complete"
        listed = (_HERE / "requirements.txt").read_text()
        if not done.exists() or done.read_text() != listed:
            shutil.rmtree(_ENVIRONMENT, ignore_errors=True)
            sys.stderr.write(f"installing the peers into {_ENVIRONMENT}\n")
            subprocess.run([sys.executable, "-m", "venv", str(_ENVIRONMENT)], check=True)
            pip = [str(_ENVIRONMENT / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
            made = subprocess.run([*pip, "-r", str(_HERE / "requirements.txt")], capture_output=True, text=True)
            if made.returncode:
                raise SystemExit(f"the peers could not be installed:\n{made.stderr[-3000:]}")
            done.write_text(listed)
    return _ENVIRONMENT / "bin" / name


if __name__ == "__main__":
    sys.stdout.write(f"the peers are in {tool('python').parent}\n")
