"""JSON is read in pieces: wherever a file is cut into them, the same objects come out, and nothing else is taken for JSON."""

import io
import json
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from splashdown._documents import streaming as stream
from splashdown.errors import ResolveError

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
OBJECTS = st.dictionaries(st.text().filter(lambda key: key not in {"type", "features"}), VALUES, max_size=3)
BETWEEN = st.sampled_from(["\n", "", " \r\n", "\x1e", "\n\x1e"])


class Drip(io.RawIOBase):
    """A file that gives a few bytes at a time, whatever it is asked for."""

    def __init__(self, data, sizes):
        self.data, self.sizes, self.at = data, sizes, 0

    def read(self, size=-1):
        step = self.sizes[self.at % len(self.sizes)]
        self.at += 1
        taken, self.data = self.data[:step], self.data[step:]
        return taken


SIZES = st.lists(st.integers(1, 40), min_size=1, max_size=5)


@given(st.lists(OBJECTS, min_size=1, max_size=5), BETWEEN, st.booleans(), SIZES)
@example([{"a": 12345}], "", False, [1])
def test_a_series_of_documents_is_the_same_however_it_arrives(objects, between, ascii_only, sizes):
    text = between.join(json.dumps(each, ensure_ascii=ascii_only) for each in objects)
    data = text.encode("utf-8", "surrogatepass")
    assume_utf8(data)
    assert list(stream.documents(Drip(data, sizes), "x")) == [(False, each) for each in objects]


@given(OBJECTS, st.lists(OBJECTS, max_size=5), OBJECTS, st.sampled_from([None, 1, 2]), SIZES)
def test_features_come_one_by_one_and_the_rest_of_the_document_after_them(before, features, after, indent, sizes):
    document = {"type": "FeatureCollection", **before, "features": features, **after}
    data = json.dumps(document, indent=indent).encode()
    found = list(stream.documents(Drip(data, sizes), "x"))
    assert found[:-1] == [(True, each) for each in features]
    assert found[-1] == (False, {name: value for name, value in document.items() if name != "features"})


@given(st.lists(OBJECTS.filter(bool), min_size=1, max_size=3), st.data())
def test_a_file_that_is_cut_off_is_an_error_in_one_line(objects, data):
    text = json.dumps({"type": "FeatureCollection", "features": objects})
    cut = data.draw(st.integers(0, len(text) - 1))
    with pytest.raises(ResolveError) as caught:
        list(stream.documents(Drip(text[:cut].encode(), [7]), "x"))
    assert "\n" not in str(caught.value)


@given(st.binary(max_size=60), SIZES)
def test_whatever_the_bytes_are_they_are_objects_or_a_resolve_error(data, sizes):
    found = []
    with suppress(ResolveError):
        found = list(stream.documents(Drip(data, sizes), "x"))
    assert all(isinstance(body, dict) for _, body in found)


def assume_utf8(data):
    from hypothesis import assume

    try:
        data.decode()
    except UnicodeDecodeError:
        assume(condition=False)
