"""Profiles of hosts: which one holds for a host, and what a profile may say."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from splashdown._connections.hosts import NO_PROFILE, HostProfile, Profiles, pattern
from splashdown._connections.known_hosts import KNOWN
from splashdown.http import HttpOptions

LABELS = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=8)
HOSTS = st.lists(LABELS, min_size=2, max_size=5).map(".".join)


def profiles(*levels):
    return Profiles(levels=tuple({pattern(host): profile for host, profile in level.items()} for level in levels))


@pytest.mark.parametrize(
    "host",
    ["data.example", "DATA.Example", "data.example:443", "data.example.", "user:pw@data.example"],
)
def test_a_host_is_found_however_a_url_writes_it(host):
    assert profiles({"data.example": HostProfile(jobs=2)}).limit(host) == 2


@pytest.mark.parametrize("host", ["example", "notexample", "data.example.evil", "", "a b", "*.example", "x@y@"])
def test_other_hosts_have_no_profile(host):
    assert profiles({"data.example": HostProfile(jobs=2)}).of(host) is NO_PROFILE


@given(HOSTS, st.integers(1, 65535))
def test_a_star_stands_for_the_labels_before_a_name_and_not_for_none(host, port):
    found = profiles({f"*.{host}": HostProfile(jobs=3)})
    assert found.limit(f"a.{host}:{port}") == found.limit(f"b.a.{host}") == 3
    assert found.limit(host) is None
    assert found.limit(f"x{host}") is None


def test_the_narrower_name_of_one_source_counts_more():
    found = profiles(
        {
            "*.example": HostProfile(jobs=8, user_agent="a/1"),
            "*.data.example": HostProfile(jobs=6),
            "x.data.example": HostProfile(jobs=4),
            "x.data.example:8443": HostProfile(jobs=2),
        }
    )
    assert [found.limit(f"{h}.example") for h in ("x", "y.data", "x.data")] == [8, 6, 4]
    assert found.limit("x.data.example:8443") == 2
    assert found.of("x.data.example:8443").user_agent == "a/1"


def test_a_stronger_source_counts_more_than_a_narrower_name():
    found = profiles({"data.example": HostProfile(jobs=4, read_timeout=9)}, {"*.example": HostProfile(jobs=1)})
    assert found.limit("data.example") == 1
    assert found.of("data.example").read_timeout == 9


def test_a_certificate_never_comes_with_the_key_of_another():
    found = profiles({"*.example": HostProfile(cert="a.pem", key="a.key")}, {"data.example": HostProfile(cert="b.pem")})
    options = HttpOptions(cert="c.pem", key="c.key", hosts=found)
    assert options.at("data.example").certificate == ("b.pem", None)
    assert options.at("x.example").certificate == ("a.pem", "a.key")
    assert options.at("other").certificate == ("c.pem", "c.key")


@pytest.mark.parametrize(
    "fields",
    [
        {"jobs": 0},
        {"read_timeout": 0.0},
        {"connect_timeout": float("nan")},
        {"attempts": 0},
        {"base": -1.0},
        {"max_retry_after": float("nan")},
        {"user_agent": "a\r\nX: y"},
        {"ca": " "},
        {"key": "k.pem"},
    ],
)
def test_a_profile_that_makes_no_sense_is_refused(fields):
    with pytest.raises(ValueError, match=next(iter(fields))):
        HostProfile(**fields)


def test_a_header_cannot_be_added_by_the_user_agent():
    with pytest.raises(ValueError, match="user_agent"):
        HttpOptions(user_agent="a\r\nX: y")


@given(st.text(max_size=30))
def test_no_name_of_a_host_raises(host):
    assert profiles({"*.example": HostProfile(jobs=1)}).limit(host) in {None, 1}


def test_profiles_that_come_with_the_package_hold_rules_and_no_trust():
    for host, (profile, page) in KNOWN.items():
        assert pattern(host) == host
        assert page.startswith("https://")
        assert set(profile.set_fields()) <= {"jobs", "read_timeout"}
