"""A download in a process of its own, for tests that kill it, fill its disk or break its system calls.

    python fetch.py '{"target": ..., "files": {"name": "href", ...}}'

Prints one JSON object: what became of each file, and what the target holds afterwards. Further fields: ``old`` writes
this text under each name first, ``settings`` are the engine's, ``sizes`` puts sizes into the metadata, ``partial``
makes the random names of partial files this one, so that strace can be told which file to break; with ``receipt`` a
metadata document is written.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path

from splashdown._engine.remote import Remote
from splashdown._engine.run import Run, run_plan
from splashdown._engine.settings import RetryPolicy, Settings
from splashdown._receipts import document as receipt
from splashdown._receipts.memory import TargetMemory
from splashdown.builtins import local
from splashdown.errors import SplashdownError, error_text
from splashdown.http import HttpOptions, HttpTransport
from splashdown.model import Asset, IfExists, Member, Plan, ResultSet, RunReport, StoredRecord, Transfer


def parts(order: dict, assets: tuple[Asset, ...]) -> list[Member]:
    results = ResultSet(id="test", kind="collection", assets=assets, document={"type": "Collection", "id": "test"})
    return [Member(folder="", results=results)] if order.get("receipt") else []


def main(order: dict) -> dict:
    target = Path(order["target"])
    for name in order["files"] if "old" in order else ():
        (target / name).write_text(order["old"])
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
    if "partial" in order:
        sink._stem = order["partial"]
    said = {"error": ""}
    try:
        described = parts(order, tuple(one.asset for one in transfers))
        with TargetMemory(sink, described, target=str(target)) as memory:

            def write(report: RunReport) -> None:
                def written(known: Mapping[str, StoredRecord]) -> bool:
                    for part in described:
                        document = receipt.receipt_document(part.results, report.landed, known)
                        receipt.write(sink, "collection.json", document)
                    return bool(described)

                memory.finish(written, whole=report.ok)

            plan = Plan(target=str(target), transfers=transfers, source="test")
            run = Run(plan=plan, sink=sink, memory=memory, before_cleanup=write)
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
        if path.is_file() and path.name != "collection.json"
    }
    return said


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))
