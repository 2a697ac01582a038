"""Sources that make themselves up as they are read come to an end, and say so."""

import itertools
import json

import pytest
from raw_server import raw_server

import splashdown
from splashdown._documents.document import Document
from splashdown._documents.reading import ReadingProgress
from splashdown._documents.walk import Walk
from splashdown.builtins.stac import api
from splashdown.errors import ResolveError


def item(n):
    return {"type": "Feature", "stac_version": "1.0.0", "id": f"i{n}", "properties": {}, "links": [], "assets": {}}


class Pages:
    """A reader for which every page has a next one."""

    authority = None

    def __init__(self, items):
        self.items, self.read = items, itertools.count()
        self.progress = ReadingProgress(place="https://h.invalid/items", context=object())
        self.client = self

    def get(self, url, headers=None):
        n = next(self.read)
        links = [{"rel": "next", "href": f"https://h.invalid/items?token={n}"}]
        return Document(
            place=url, body={"type": "FeatureCollection", "features": [item(n)] * self.items, "links": links}
        )


@pytest.mark.parametrize(("items", "most"), [(0, 12), (1, 1001), (9, 1001), (10, 2001)])
def test_paging_with_fresh_tokens_ends_and_says_so(items, most, monkeypatch):
    monkeypatch.setattr(api, "_MAX_PAGES", 2_000)
    reader = Pages(items)
    first = reader.get("https://h.invalid/items")
    said = []
    for _ in api.pages(reader, first, said.append):
        pass
    assert "this looks endless" in said[0]
    assert next(reader.read) <= most


def test_many_full_pages_are_read_to_their_end():
    reader = Pages(10)
    first = reader.get("https://h.invalid/items")
    assert sum(1 for _ in itertools.islice(api.pages(reader, first, pytest.fail), 10_500)) == 10_500


def tree(with_items):
    names = itertools.count()
    return Walk(
        read=lambda place: Document(place=place, body={}),
        items=lambda document: [document] if with_items else [],
        links=lambda _: [f"https://h.invalid/{next(names)}" for _ in range(50)],
        advice="raise max_documents",
        max_documents=2_000,
    )


@pytest.mark.parametrize(("with_items", "says"), [(False, "200 documents in a row without an item"), (True, "2000")])
def test_links_that_lead_only_to_more_links_end_and_say_so(with_items, says):
    root = Document(place="https://h.invalid/root", body={})
    with pytest.raises(ResolveError, match=f"{says}.*raise max_documents"):
        for _ in tree(with_items).below(root):
            pass


def test_a_graph_of_catalogs_over_http_ends_with_one_line():
    names = itertools.count()

    def answer(_, n):
        links = [{"rel": "child", "href": f"/c{next(names)}.json"} for _ in range(50)]
        body = {"type": "Catalog", "stac_version": "1.0.0", "id": f"c{n}", "description": "x", "links": links}
        data = json.dumps(body).encode()
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(data), data)

    with raw_server(answer) as server, splashdown.Session(discover=False, config=False) as session:
        with pytest.raises(ResolveError, match="30 documents in a row without an item") as error:
            session.open(server.url + "/catalog.json", max_documents=300)
        assert "\n" not in str(error.value)


def test_links_that_lead_ever_deeper_end_before_their_urls_fill_the_memory():
    body = {"type": "Catalog", "stac_version": "1.0.0", "id": "c", "description": "x"}
    data = json.dumps({**body, "links": [{"rel": "child", "href": f"{'deeper' * 100}/catalog.json"}]}).encode()
    asked = []

    def answer(_, n):
        asked.append(n)
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(data), data)

    with raw_server(answer) as server, splashdown.Session(discover=False, config=False) as session:
        with pytest.raises(ResolveError) as error:
            session.open(server.url + "/catalog.json")
        error.match(r"deeper\w*… is not read: its URL has 16,\d+ characters")
    assert len(asked) < 30
