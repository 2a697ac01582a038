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
        (
            "https://h.example/openeo/1.2/jobs/j/results/assets/am9obg==/869f8633d341ba237d95a5d6f9e35a55/sub/a.tif?expires=1",
            "https://h.example/openeo/1.2/jobs/j/results/assets/.../sub/a.tif?...",
        ),
        (
            "https://h.example/jobs/j/results/am9obg==/869f8633d341ba237d95a5d6f9e35a55?expires=1",
            "https://h.example/jobs/j/results/...?...",
        ),
        (
            "https://h.example/jobs/j/results/assets/869f8633d341ba237d95a5d6f9e35a55/a.tif",
            "https://h.example/jobs/j/results/assets/.../a.tif",
        ),
        (
            "https://h.example/jobs/j/results/assets/a.tif",
            "https://h.example/jobs/j/results/assets/a.tif",
        ),
        ("http://[bad", "(an href that is not a URL)"),
    ],
)
def test_an_href_is_shown_without_userinfo_query_and_fragment(href, shown):
    assert redact(href) == shown
