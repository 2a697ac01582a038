"""What a person and a listener see of a source that takes long to read."""

import json
import threading

import pytest
from scripted_api import Answer, scripted_api
from stac_item import stac_item

from splashdown import Session
from splashdown._documents import reading
from splashdown.events import Reading


def search(pages):
    """The pages of a search, with two items each, whose reading takes a second each."""

    def answer(asked):
        number = int(asked.path.partition("page=")[2] or 0)
        items = [stac_item({"b": {"href": f"https://data.example/{number}.tif"}}, id=f"{number}-{n}") for n in (0, 1)]
        more = [{"rel": "next", "href": f"?page={number + 1}"}] if number + 1 < pages else []
        return Answer({"type": "FeatureCollection", "features": items, "links": more})

    return {"/search": answer} | {f"/search?page={n}": answer for n in range(1, pages)}


@pytest.fixture
def clock(monkeypatch):
    """A clock on which each look takes a second."""
    now, lock = [0.0], threading.Lock()

    def look():
        with lock:
            now[0] += 1
            return now[0]

    made = reading.ReadingProgress
    monkeypatch.setattr("splashdown._documents.reading.ReadingProgress", lambda **given: made(**given, clock=look))


@pytest.mark.parametrize(("pages", "counts"), [(4, []), (40, [(5, 8), (15, 28), (35, 68)])])
def test_a_long_search_says_now_and_then_how_many_pages_were_read(clock, pages, counts):
    lines, events = [], []
    with scripted_api() as api, Session(config=False, listeners=[events.append]) as session:
        api.script |= search(pages)
        results = session.open(f"{api.url}/search", notify=lines.append)
    assert len(results) == 2 * pages
    place = f"{api.url}/search"
    assert events == [Reading(place=place, documents=pages, items=items) for pages, items in counts]
    assert lines == [f"reading {place}: {pages} documents and {items} items so far" for pages, items in counts]


def test_a_long_catalog_of_files_says_so_too(clock, tmp_path):
    links = []
    for n in range(9):
        (tmp_path / f"{n}.json").write_text(json.dumps(stac_item({}, id=str(n))))
        links.append({"rel": "item", "href": f"{n}.json"})
    root = {"type": "Catalog", "stac_version": "1.0.0", "id": "c", "description": "d", "links": links}
    (tmp_path / "catalog.json").write_text(json.dumps(root))
    lines = []
    with Session(config=False) as session:
        session.open(tmp_path / "catalog.json", notify=lines.append)
    assert len(lines) == 1
    assert lines[0].startswith(f"reading {tmp_path / 'catalog.json'}: 5 documents and ")
