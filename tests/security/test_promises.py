"""The page of promises and the tests belong together: neither has what the other lacks."""

import re
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "explanation" / "security.md"


def test_each_promise_names_a_test_and_each_test_has_a_promise():
    rows = re.findall(r"^\| (?!promise|---)(.+) \| (.+) \|$", PAGE.read_text(), re.MULTILINE)
    named = [re.fullmatch(r"\[(.+)\]\(\.\./\.\./tests/security/(.+)\)", test) for _, test in rows]
    assert len(rows) > 10
    assert all(named), rows
    assert {one[1] for one in named} == {one[2] for one in named}
    assert {one[2] for one in named} == {path.name for path in HERE.glob("test_*.py")} - {"test_promises.py"}
