"""What is shown of an href never holds a secret."""

import json

import pytest
from stac_item import stac_item

from splashdown._cli.main import main
from splashdown.redact import redact, redact_target


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


@pytest.mark.parametrize("target", ["data/out?", "s3://bucket/a?b/", "C:\\out", "a@b/c", "s3://bucket/a@b/"])
def test_a_target_without_a_user_is_shown_as_it_is(target):
    assert redact_target(target) == target


def test_a_password_in_a_target_is_not_shown_by_a_dry_run(tmp_path, capsys):
    (tmp_path / "a.txt").write_text("a")
    path = tmp_path / "item.json"
    path.write_text(json.dumps(stac_item({"a": {"href": "a.txt"}})))
    for more in ([], ["--json"]):
        assert main(["download", str(path), "sftp://user:hunter2@host.example/x", "--dry-run", *more]) == 0
        assert main(["sync", str(path), "sftp://user:hunter2@host.example/x", "--dry-run", *more]) != 0
    shown = "".join(capsys.readouterr())
    assert "hunter2" not in shown
    assert "sftp://host.example/x" in shown
