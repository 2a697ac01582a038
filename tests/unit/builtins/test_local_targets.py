"""Targets that cannot be a folder of this machine are refused in one line before anything is made."""

import pytest

from splashdown import Session
from splashdown.errors import TargetError


@pytest.mark.parametrize("target", ["a\0b", "~a\0b", "file:///a%00b", "a\0b/"])
def test_a_target_with_a_null_character_is_refused(target):
    with Session(discover=False, config=False) as session, pytest.raises(TargetError, match="cannot be the name of a"):
        session.sink(target)


def test_a_target_with_half_a_character_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for target in ("\ud800", "~\ud800"):
        with (
            Session(discover=False, config=False) as session,
            pytest.raises(TargetError, match="cannot be the name of"),
        ):
            session.sink(target)
    assert list(tmp_path.iterdir()) == []


def test_verify_of_such_a_target_says_the_same():
    with Session(discover=False, config=False) as session, pytest.raises(TargetError, match="cannot be the name of a"):
        session.run("verify", "a\0b")
