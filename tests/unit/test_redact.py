"""What is shown of an href never holds a secret."""

import pytest

from splashdown.redact import redact


@pytest.mark.parametrize(
    ("href", "shown"),
    [
        ("https://user:pw@host.example/a.tif?X-Amz-Signature=abc#f", "https://host.example/a.tif?..."),
        ("https://host.example/a.tif", "https://host.example/a.tif"),
        ("s3://bucket/a b/../c.tif", "s3://bucket/a b/../c.tif"),
        ("/data/a.tif", "/data/a.tif"),
        ("http://[bad", "(an href that is not a URL)"),
    ],
)
def test_an_href_is_shown_without_userinfo_query_and_fragment(href, shown):
    assert redact(href) == shown
