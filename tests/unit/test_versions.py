"""Whether two answers are about one version of a file."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from splashdown.model import RemoteInfo

DATES = ("Mon, 05 Jun 2023 10:00:00 GMT", "Tue, 06 Jun 2023 10:00:00 GMT")
infos = st.builds(
    RemoteInfo,
    size=st.sampled_from([None, 0, 1, 2]),
    etag=st.sampled_from([None, '"a"', '"b"', 'W/"a"']),
    last_modified=st.sampled_from([None, *DATES]),
)


@given(infos, infos)
def test_answers_differ_by_what_both_say(one, other):
    sizes = {one.size, other.size} - {None}
    theirs = other.validator
    if one.etag is None and other.last_modified:  # a date is compared with a date
        theirs = other.last_modified
    validators = {one.validator, theirs} - {None}
    assert one.same_version(other) == (len(sizes) < 2 and len(validators) < 2)


@given(infos)
def test_an_answer_that_says_nothing_contradicts_none(info):
    assert RemoteInfo().same_version(info)
    assert info.same_version(replace(info, media_type="image/tiff", ranges=True))
