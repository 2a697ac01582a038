"""A download in a process of its own, for tests that kill it, fill its disk or break its system calls.

    python fetch.py '{"target": ..., "files": {"name": "href", ...}}'

Prints one JSON object: what became of each file, and what the target holds afterwards. Further fields: ``old`` writes
this text under each name first, ``settings`` are the engine's, ``sizes`` puts sizes into the metadata, ``partial``
makes the random names of partial files this one, so that strace can be told which file to break; ``receipt`` is a
file that remembers what has landed, as the metadata document of a download does.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

from splashdown._engine.remote import Remote
from splashdown._engine.run import Run, run_plan
from splashdown._engine.settings import RetryPolicy, Settings
from splashdown.builtins import local
from splashdown.errors import SplashdownError, error_text
from splashdown.http import HttpOptions, HttpTransport
from splashdown.model import Asset, IfExists, Plan, RunReport, StoredRecord, Transfer


def read_receipt(order: dict) -> dict[str, StoredRecord]:
    path = Path(order.get("receipt", "/nonexistent"))
    return (
        {name: StoredRecord(**known) for name, known in json.loads(path.read_text()).items()} if path.exists() else {}
    )


def write_receipt(order: dict, report: RunReport) -> None:
    if "receipt" in order:
        path = Path(order["receipt"])
        beside = path.with_suffix(".new")
        facts = {
            o.transfer.name: {"size": o.size, "checksum": o.checksum, "validator": o.validator} for o in report.landed
        }
        beside.write_text(json.dumps(facts))
        beside.replace(path)


def main(order: dict) -> dict:
    target = Path(order["target"])
    for name in order["files"] if "old" in order else ():
        (target / name).write_text(order["old"])
    if "partial" in order:
        local.secrets.token_hex = lambda n: order["partial"]
    settings = Settings(retry=RetryPolicy(base=0.01), **order.get("settings", {}))
    transfers = tuple(
        Transfer(
            asset=Asset(key=name, href=href, size=order.get("sizes", {}).get(name)),
            name=name,
            if_exists=IfExists(order.get("if_exists", "auto")),
        )
        for name, href in order["files"].items()
    )
    transport = HttpTransport(HttpOptions(read_timeout=60.0))
    sink = local.LocalSink(target)
    said = {"error": ""}
    try:
        run = Run(
            plan=Plan(target=str(target), transfers=transfers, source="test"),
            sink=sink,
            recorded=read_receipt(order),
            before_cleanup=lambda report: write_receipt(order, report),
        )
        report = run_plan(run, Remote(transport=lambda href: transport, settings=settings))
        said["outcomes"] = [[o.status, o.error_type, o.error] for o in report.outcomes]
        said["moved"] = report.bytes_moved
    except SplashdownError as error:
        said["error"] = error_text(error)
    finally:
        sink.close()
    said["there"] = {
        path.relative_to(target).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(target.rglob("*"))
        if path.is_file()
    }
    return said


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))
