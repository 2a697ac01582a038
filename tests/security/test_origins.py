"""Origins are compared in their normal form: what leads to the same server is one origin, and nothing else is."""

from urllib.parse import urlsplit

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from splashdown._documents.places import same_origin
from splashdown.sources import matches_origin, origin_of

SAME = [
    ("https://data.example/a", "https://data.example:443/b"),
    ("http://data.example", "HTTP://DATA.example:80/"),
    ("https://data.example.", "https://data.example"),
    ("https://b\u00fccher.example/", "https://xn--bcher-kva.example/"),
    ("https://B\u00dcCHER.example/", "https://xn--bcher-kva.example:443"),
    ("https://user:pw@data.example/", "https://data.example/"),
    ("https://[2001:DB8::1]/", "https://[2001:db8::1]:443/"),
]
OTHER = [
    ("https://data.example/", "http://data.example/"),
    ("https://data.example/", "https://data.example:8443/"),
    ("https://data.example/", "https://data.example:0/"),
    ("https://data.example/", "https://data.example.org/"),
    ("https://data.example/", "https://data.example@evil.example/"),
    ("https://b\u00fccher.example/", "https://bucher.example/"),
    ("https://data.example/", "https://data.example\\@evil.example/"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_two_spellings_of_a_server_are_one_origin(one, other):
    assert same_origin(one, other)
    assert matches_origin(one, other)


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_two_servers_are_never_one_origin(one, other):
    assert not same_origin(one, other)


LABEL = st.from_regex(r"[a-z]([a-z0-9]|\u00fc|\u03b1|\u4e2d){0,10}", fullmatch=True)
HOST = st.lists(LABEL, min_size=1, max_size=3).map(".".join)


@given(HOST, st.sampled_from(["http", "https"]), st.booleans(), st.booleans(), st.booleans())
def test_the_spelling_of_a_host_does_not_change_its_origin(host, scheme, upper, dotted, ported):
    port = f":{ {'http': 80, 'https': 443}[scheme] }" if ported else ""
    name = host.upper() if upper else host
    spelled = f"{scheme}://{name}{'.' if dotted else ''}{port}/a"
    assert origin_of(spelled) == origin_of(f"{scheme}://{host}/b")


@given(HOST)
def test_the_host_of_an_origin_is_the_one_that_a_request_goes_to(host):
    url = f"https://{host}/"
    assert origin_of(url)[1] == urlsplit(requests.Request("GET", url).prepare().url).hostname


@given(HOST, HOST)
def test_an_origin_is_that_of_another_host_only_if_they_are_sent_alike(one, other):
    sent = [urlsplit(requests.Request("GET", f"https://{host}/").prepare().url).hostname for host in (one, other)]
    assert same_origin(f"https://{one}/", f"https://{other}/") == (sent[0] == sent[1])
