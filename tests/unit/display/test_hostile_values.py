"""Every value that shows itself in a notebook, made of names, titles and reasons that mean something to a browser."""

from __future__ import annotations

import ast
import json
from pathlib import Path, PurePosixPath

import pytest
from html_pages import HOSTILE, Page
from splashdown_report import WrittenReport

import splashdown
from splashdown import Outcome, RunReport, Status
from splashdown.actions import Checked, Download, PublishReport, State, SyncReport, VerifyReport
from splashdown.backend import Job, Jobs

ROOT = Path(__file__).parents[3]


def kinds():
    """The names of all classes, of the core and of the plugins, that have the method."""
    for file in (*ROOT.glob("src/**/*.py"), *ROOT.glob("plugins/*/src/**/*.py")):
        source = file.read_text()
        for node in ast.walk(ast.parse(source)) if "_repr_html_" in source else ():
            if isinstance(node, ast.ClassDef) and "_repr_html_" in {getattr(one, "name", "") for one in node.body}:
                yield node.name


class Backend:
    url = f"https://openeo.example/{HOSTILE[1]}"


class Made:
    """One value of each kind."""

    def __init__(self, folder):
        (folder / "a.tif").write_bytes(b"II*\0" + bytes(96))
        asset = {"href": "./a.tif", "title": HOSTILE[2], "type": HOSTILE[1], "roles": [HOSTILE[3]]}
        document = {
            "type": "Feature",
            "stac_version": "1.0.0",
            "id": HOSTILE[1],
            "geometry": None,
            "properties": {"datetime": HOSTILE[0]},
            "links": [],
            "assets": {HOSTILE[0]: asset, HOSTILE[4]: {"href": "./a.tif"}},
        }
        (folder / "item.json").write_text(json.dumps(document))
        self.results = splashdown.open(str(folder / "item.json"))
        plan = self.results.plan(folder / HOSTILE[4])
        outcomes = [Outcome(transfer=one, status=Status.FAILED, error=HOSTILE[1]) for one in plan.transfers]
        self.download = Download(report=RunReport(plan=plan, outcomes=outcomes), documents=(HOSTILE[0],))
        self.job = {"id": HOSTILE[1], "title": HOSTILE[0], "status": HOSTILE[2], "created": HOSTILE[3]}

    def one(self, kind):
        report = self.download.report
        return {
            "JobResults": lambda: self.results,
            "ResultAsset": lambda: next(iter(self.results)),
            "ResultAssets": self.results.get_assets,
            "Plan": lambda: report.plan,
            "RunReport": lambda: report,
            "Download": lambda: self.download,
            "Places": lambda: self.download.places,
            "SyncReport": lambda: SyncReport(
                plan=report.plan, report=report, removed=(HOSTILE[0],), left={HOSTILE[1]: HOSTILE[2]}
            ),
            "VerifyReport": lambda: VerifyReport(
                target=HOSTILE[1],
                files=[Checked(name=HOSTILE[0], state=State.CHANGED, detail=HOSTILE[2])],
            ),
            "PublishReport": lambda: PublishReport(
                target=HOSTILE[1], api=HOSTILE[2], created=(HOSTILE[0],), failed={HOSTILE[3]: HOSTILE[0]}
            ),
            "Job": lambda: Job(Backend(), HOSTILE[0], self.job),
            "Jobs": lambda: Jobs(Backend(), iter([[self.job]]), None),
            "WrittenReport": lambda: WrittenReport(
                path=PurePosixPath("javascript:alert(1)", HOSTILE[1]), files=1, bytes=1
            ),
        }[kind]()


@pytest.fixture
def made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Made(tmp_path)


@pytest.mark.parametrize("kind", sorted({*kinds()}))
def test_what_a_document_says_is_no_markup_in_a_notebook(kind, made):
    value = made.one(kind)
    assert type(value).__name__ == kind
    page = Page(value._repr_html_())
    assert page.strange == (set(), set(), [])
    assert any(said in word for word in page.words for said in HOSTILE[:2])
