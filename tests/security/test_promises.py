"""The page of promises and the tests belong together: neither has what the other lacks."""

import re
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "explanation" / "security.md"


def test_each_promise_names_a_test_and_each_test_has_a_promise():
    rows = re.findall(r"^\| (?!promise|---)(.+) \| (.+) \|$", PAGE.read_text(), re.MULTILINE)
    named = [re.findall(r"\[([^\]]+)\]\(\.\./\.\./tests/([^)]+)\)", test) for _, test in rows]
    assert len(rows) > 10
    assert all(named), rows
    tests = {HERE.parent / path: name for links in named for name, path in links}
    assert [path for path, name in tests.items() if not path.is_file() or path.name != name] == []
    assert {path for path in tests if path.parent == HERE} == {*HERE.glob("test_*.py")} - {HERE / "test_promises.py"}
