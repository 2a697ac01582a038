"""The signature of a lean request is the one that botocore gives to its own."""

import datetime as dt

import botocore.auth
import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from splashdown_s3._signing import Signer

_EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
_VALUES = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=20)


@pytest.fixture(autouse=True, scope="module")
def _a_clock_that_stands_still():
    now = dt.datetime(2026, 11, 26, 4, 30, tzinfo=dt.UTC)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.auth, "get_current_datetime", lambda: now)
        yield


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no failure
@given(
    key=st.text(st.sampled_from("abcXYZ019-_.~/"), min_size=1, max_size=30),
    secret=st.text(st.sampled_from("abcXYZ019+/"), min_size=1, max_size=40),
    token=st.none() | _VALUES.filter(bool),
    region=st.sampled_from(["us-east-1", "eu-central-1", "RegionOne"]),
    service=st.sampled_from(["s3", "s3-outposts"]),
    query=st.lists(st.text(st.sampled_from("aA1.-_~%=+"), min_size=1, max_size=8), max_size=4).map("&".join),
    more=st.dictionaries(st.sampled_from(["Range", "x-amz-request-payer", "x-amz-meta-splashdown-source"]), _VALUES),
)
def test_a_request_is_signed_as_botocore_signs_it(key, secret, token, region, service, query, more):
    credentials = ReadOnlyCredentials("ACCESS", secret, token)
    url = f"https://store.example/bucket/{key}" + (f"?{query}" if query else "")
    headers = {"Host": "store.example", **more}

    ours = Signer(credentials, service, region).sign("GET", url, headers, _EMPTY)

    theirs = AWSRequest("GET", url, headers)
    S3SigV4Auth(credentials, service, region).add_auth(theirs)
    signed = {name: ours[name] for name in ours if name != "Authorization"}
    assert signed == {name: value for name, value in theirs.headers.items() if name != "Authorization"}
    assert ours["Authorization"] == theirs.headers["Authorization"]
