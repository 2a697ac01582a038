"""The page: what it says of a target and of the JSON of commands, and that nothing in it is active or secret."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from html_pages import HOSTILE
from report_pages import NOW, collection, many
from splashdown_report import WrittenReport, _thumbnails
from splashdown_report._page import render
from splashdown_report._rows import Row
from splashdown_report._sources import Subject

from splashdown import Session
from splashdown._cli.main import main
from splashdown.errors import OptionError, ResolveError, UsageError


class Elements(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes = [], {}
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        for name, value in attrs:
            self.attributes.setdefault(name, []).append(value)


def data(page):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*)</script>\n<script>', page)[1])


def rows(page):
    found = data(page)
    return [dict(zip(found["fields"], one, strict=True)) for one in found["rows"]]


@pytest.fixture
def target(tmp_path, monkeypatch):
    """A target with three files, of which one has changed and one is gone, and a file of a third party."""
    monkeypatch.chdir(tmp_path)
    with Session() as session:
        paths = session.open(str(collection(tmp_path / "source"))).download_files("data")
    paths[1].write_bytes(paths[1].read_bytes() + b"more")
    paths[2].unlink()
    (tmp_path / "data/notes.txt").write_text("mine")
    return "data"


def test_a_page_shows_each_file_of_a_target_with_its_state(target, tmp_path):
    with Session() as session:
        done = session.run("report", target)
    page = (tmp_path / "report.html").read_text()
    assert done == WrittenReport(path=Path("report.html"), files=4, bytes=len(page.encode()))
    found = rows(page)
    assert [one["status"] for one in found] == ["ok", "changed", "missing", "extra"]
    first = found[0]
    assert (first["item"], first["start"], first["bands"], first["crs"]) == (
        "a",
        "2023-06-01T10:00:00Z",
        "B04",
        "EPSG:32631",
    )
    assert first["checksum"].startswith("1220")
    assert data(page)["boxes"][first["place"]] == [3, 50, 4, 51]
    assert found[3]["place"] is None


def test_thumbnails_are_made_of_overviews(target, tmp_path, capsys):
    main(["report", target])
    page = (tmp_path / "report.html").read_text()
    first = rows(page)[0]
    header = base64.b64decode(data(page)["thumbnails"][first["thumbnail"]].partition(",")[2])
    assert header.startswith(b"\x89PNG")
    assert 16 <= int.from_bytes(header[16:20]) <= _thumbnails.SIDE
    assert rows(page)[3]["thumbnail"] is None
    capsys.readouterr()
    main(["report", target, "--thumbnails", "0"])
    assert re.fullmatch(r"report\.html: 4 files on a page of \d+\.\d KiB\n", capsys.readouterr().out)
    assert data((tmp_path / "report.html").read_text())["thumbnails"] == []


def test_checksums_are_compared_on_request(target, tmp_path):
    main(["report", target, "--verify"])
    assert rows((tmp_path / "report.html").read_text())[0]["remark"] == "size, checksum"


@pytest.mark.parametrize(
    ("command", "statuses", "words"),
    [
        (["download", "source/items.json", "data"], ["skipped", "stored", "stored"], "A run in"),
        (["download", "source/items.json", "data", "--dry-run"], ["planned"] * 3, "nothing was moved"),
        (["verify", "data"], ["ok", "changed", "missing", "extra"], "A verification"),
    ],
)
def test_the_json_of_commands_has_the_same_page(target, tmp_path, capsys, command, statuses, words):
    main([*command, "--json"])
    (tmp_path / "printed.json").write_text(capsys.readouterr().out)
    assert main(["report", "printed.json", "--output", "page.html"]) == 0
    page = (tmp_path / "page.html").read_text()
    assert [one["status"] for one in rows(page)] == statuses
    assert words in page
    assert len(data(page)["boxes"]) == 3  # of the receipts


def test_a_run_whose_target_is_out_of_reach_has_a_page_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    outcome = {"name": "a.tif", "key": "a", "status": "failed", "error": "GET https://u:pw@h.example/a?sig=SECRET: 403"}
    run = {"target": "gone", "source": "items.json", "outcomes": [outcome], "stopped": "no such bucket"}
    (tmp_path / "run.json").write_text(json.dumps(run))
    assert main(["report", "run.json"]) == 0
    page = (tmp_path / "report.html").read_text()
    assert rows(page)[0]["remark"] == "GET https://h.example/a?... 403"
    assert '<p class="note">no such bucket</p>' in page
    assert "SECRET" not in page


def test_nothing_of_the_metadata_is_active(tmp_path):
    rows_ = [Row(name=word, status=word, remark=word, item=word, checksum=word) for word in HOSTILE]
    subject = Subject(title=HOSTILE[0], lines=(HOSTILE[1],), notes=(HOSTILE[2],), rows=rows_)
    page = render(subject, {}, NOW)
    elements = Elements(page)
    assert elements.tags.count("script") == 2
    assert elements.tags.count("style") == 1
    assert "img" not in elements.tags
    assert not [name for name in elements.attributes if name.startswith("on")]
    assert [one["name"] for one in rows(page)] == HOSTILE


def test_the_page_may_run_its_own_script_alone_and_asks_no_server():
    page = many(3)
    elements = Elements(page)
    script = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)[0]
    allowed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    (policy,) = [one for one in elements.attributes["content"] if "default-src 'none'" in one]
    assert f"script-src 'sha256-{allowed}'" in policy
    assert not {"src", "link"} & {*elements.attributes, *elements.tags}
    assert set(re.findall(r"https?://[^\"' ]+", page)) == {"http://www.w3.org/2000/svg"}


def test_a_page_with_1000_files_and_every_thumbnail_is_below_2_mb():
    each = "data:image/png;base64," + "A" * (_thumbnails.MOST_BYTES // 400 - 30)
    page = many(1000, {number: f"{each}{number:06}" for number in range(400)})
    assert len(data(page)["thumbnails"]) == 400
    assert len(page.encode()) < 2_000_000


def test_a_file_that_is_not_a_report_is_not_replaced(target, tmp_path):
    (tmp_path / "mine.html").write_text("<p>mine</p>")
    for output, why in (("mine.html", "is not a report"), ("data", "is a folder"), ("no/such/x.html", "cannot be")):
        with Session() as session, pytest.raises(OptionError, match=why):
            session.run("report", target, output=output)
    assert (tmp_path / "mine.html").read_text() == "<p>mine</p>"
    assert main(["report", target]) == main(["report", target]) == 0


@pytest.mark.parametrize("content", ["[]", "{", '{"target": "x"}', '{"outcomes": []}', '{"type": "Feature"}'])
def test_other_json_is_refused_with_what_to_give(tmp_path, content):
    (tmp_path / "x.json").write_text(content)
    with Session() as session, pytest.raises(UsageError, match=r"is not (JSON|what 'download --json')"):
        session.run("report", str(tmp_path / "x.json"))


def test_a_target_without_a_receipt_is_an_error(tmp_path):
    with Session() as session, pytest.raises(ResolveError, match="holds no receipt"):
        session.run("report", str(tmp_path))
