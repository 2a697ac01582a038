"""What holds for every walk over linked documents, whatever they mean."""

import threading
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from splashdown._documents.document import Document
from splashdown._documents.walk import Walk
from splashdown.errors import ResolveError


def walk_over(links, **options):
    """A walk over ``{place: [places]}``, and the places that it read; a place without an entry is broken."""
    read = []
    lock = threading.Lock()

    def get(place):
        with lock:
            read.append(place)
        if place not in links:
            raise ResolveError(f"{place} is gone")
        return Document(place=place, body={"next": links[place]})

    walk = Walk(
        read=get,
        items=lambda document: [document],
        links=lambda document: document.body["next"],
        advice="raise the limit",
        **options,
    )
    root = Document(place="0", body={"next": links["0"]})
    return walk, root, read


def places(walk, root):
    return [document.place for document in walk.below(root)]


def reachable(links, place="0"):
    found, waiting = set(), [place]
    while waiting:
        for each in links[waiting.pop()]:
            if each not in found:
                found.add(each)
                waiting.append(each)
    return found


@given(st.lists(st.lists(st.integers(1, 9), max_size=6), min_size=10, max_size=10))
def test_documents_without_a_circle_are_each_read_once(targets):
    # Links lead to higher numbers alone, so that there cannot be a circle.
    links = {str(n): [str(n + t) for t in steps if n + t < 10] for n, steps in enumerate(targets)}
    walk, root, read = walk_over(links)
    found = places(walk, root)
    assert sorted(found) == sorted(read) == sorted(reachable(links))
    assert walk.broken == []


@given(st.lists(st.lists(st.integers(0, 7), max_size=4), min_size=8, max_size=8))
def test_any_links_come_to_an_end(targets):
    links = {str(n): [str(t) for t in steps] for n, steps in enumerate(targets)}
    walk, root, read = walk_over(links)
    try:
        found, refused = places(walk, root), ""
    except ResolveError as error:
        found, refused = None, str(error)
    assert "circle" in refused or set(found) == reachable(links) - {"0"}
    assert len(read) == len(set(read))


def test_documents_come_level_by_level_in_the_order_of_links():
    walk, root, _ = walk_over({"0": ["b", "a"], "a": ["a1"], "b": ["b2", "b1"], "a1": [], "b1": [], "b2": []})
    assert places(walk, root) == ["b", "a", "b2", "b1", "a1"]


@pytest.mark.parametrize("back", ["0", "a", "b"])
def test_a_link_back_to_a_document_above_is_refused(back):
    walk, root, _ = walk_over({"0": ["a"], "a": ["b"], "b": [back]})
    with pytest.raises(ResolveError, match=f"the links of b lead in a circle, back to {back}"):
        places(walk, root)


def test_a_broken_document_is_noted_and_the_rest_is_read():
    walk, root, _ = walk_over({"0": ["gone", "a"], "a": []})
    assert places(walk, root) == ["a"]
    assert walk.broken == ["ResolveError: gone is gone"]


def test_more_documents_than_allowed_are_refused():
    links = {"0": ["a", "b"], "a": [], "b": ["c"], "c": []}
    walk, root, _ = walk_over(links, max_documents=4)
    assert places(walk, root) == ["a", "b", "c"]
    walk, root, _ = walk_over(links, max_documents=3)
    with pytest.raises(ResolveError, match="0 links more than 3 documents; raise the limit"):
        places(walk, root)


def test_only_some_documents_are_read_ahead_of_use():
    links = {"0": [str(n) for n in range(1, 1000)]} | {str(n): [] for n in range(1, 1000)}
    walk, root, read = walk_over(links)
    assert [d.place for d in islice(walk.below(root), 3)] == ["1", "2", "3"]
    assert len(read) < 100
