"""Which API version is used, and how versions are ordered."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_api import Answer, ScriptedApi

from splashdown._documents.client import Client
from splashdown.builtins.openeo.discovery import discover, semver
from splashdown.errors import ResolveError


def entry(version, url=None, **more):
    return {"api_version": version, "url": url or f"/openeo/{version}/", **more}


@pytest.mark.parametrize(
    ("versions", "chosen"),
    [
        ([entry("1.0.0"), entry("1.10.0"), entry("1.2.0")], "1.10.0"),
        ([entry("1.2.0"), entry("1.3.0", production=False)], "1.2.0"),
        ([entry("1.2.0", production=False), entry("1.3.0", production=False)], "1.3.0"),
        ([entry("1.3.0-rc.1"), entry("1.3.0-beta.9"), entry("1.3.0-rc.10")], "1.3.0-rc.10"),
        ([entry("1.3.0-rc.1"), entry("1.3.0")], "1.3.0"),
        ([entry("0.4.2"), entry("1.1.0"), entry("2.0.0")], "1.1.0"),
        ([{"url": 3}, "x", entry("one"), entry("1.1.0")], "1.1.0"),
    ],
)
def test_the_highest_production_version_that_is_spoken_here_is_chosen(api: ScriptedApi, versions, chosen):
    api.script["/.well-known/openeo"] = Answer({"versions": versions})
    assert discover(api.url + "/", Client().get, bound=True) == f"{api.url}/openeo/{chosen}"


@pytest.mark.parametrize(
    "answer", [Answer(b"<html>", 200), Answer({}, 404), Answer({"versions": []}), Answer({"versions": 3})]
)
def test_a_back_end_without_a_list_is_its_own_api(api: ScriptedApi, answer):
    api.script["/base/.well-known/openeo"] = answer
    assert discover(f"{api.url}/base/", Client().get, bound=True) == f"{api.url}/base"


def test_a_back_end_of_other_major_versions_is_refused(api: ScriptedApi):
    api.script["/.well-known/openeo"] = Answer({"versions": [entry("0.4.2"), entry("2.0.0")]})
    with pytest.raises(ResolveError, match=r"0\.4\.2, 2\.0\.0"):
        discover(api.url, Client().get, bound=True)


def test_a_list_does_not_lead_to_other_schemes(api: ScriptedApi):
    api.script["/.well-known/openeo"] = Answer({"versions": [entry("1.3.0", "ftp://x/"), entry("1.0.0")]})
    assert discover(api.url, Client().get, bound=True).endswith("1.0.0")


@given(st.text(max_size=20))
def test_any_text_has_a_place_in_the_order(text):
    assert isinstance(semver(text) < semver("1.0.0"), bool)


@given(st.tuples(*[st.integers(0, 99)] * 3), st.tuples(*[st.integers(0, 99)] * 3))
def test_versions_are_ordered_by_their_numbers(a, b):
    assert (semver("{}.{}.{}".format(*a)) < semver("{}.{}.{}".format(*b))) == (a < b)
