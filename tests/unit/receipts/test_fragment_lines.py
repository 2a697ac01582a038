"""A line of a fragment is written without an encoder; it must be what one writes."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from splashdown._receipts.fragments import storing_line
from splashdown.model import StoredRecord

# Half surrogate pairs too: names and keys come from documents of others.
TEXTS = st.text(st.characters(exclude_categories=()))
MAYBE = st.none() | TEXTS


@given(
    name=TEXTS,
    size=st.integers(0, 2**63),
    checksum=MAYBE,
    validator=MAYBE,
    identity=st.none() | st.tuples(MAYBE, TEXTS),
    at=st.floats(0, 1e12),
)
def test_a_line_about_a_stored_file_is_one_line_of_json(name, size, checksum, validator, identity, at):
    record = StoredRecord(size=size, checksum=checksum, validator=validator, identity=identity)
    line = storing_line(name, record, at)
    item, key = identity or (None, "")
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert json.loads(line) == {
        "do": "stored",
        "name": name,
        "size": size,
        "checksum": checksum,
        "validator": validator,
        "item": item,
        "key": key,
        "at": at,
    }
