"""The values of the settings: what is refused, and what a file or the environment can say."""

import pytest

from splashdown import RetryPolicy, Session, Settings, UsageError
from splashdown.errors import OptionError


@pytest.mark.parametrize(
    "wrong",
    [
        {"jobs": 0},
        {"per_host": 0},
        {"range_connections": 0},
        {"part_size": 0},
        {"memory": -1},
        {"low_speed": -1},
        {"low_speed_time": 0},
        {"checksum": "sha256"},
    ],
)
def test_senseless_values_are_refused_by_name(wrong):
    with pytest.raises(UsageError, match=f"{next(iter(wrong))}|checksum function"):
        Settings(**wrong)


@pytest.mark.parametrize("wrong", [{"attempts": 0}, {"base": -1.0}, {"refill": 0}])
def test_a_senseless_retry_policy_is_refused(wrong):
    with pytest.raises(UsageError):
        RetryPolicy(**wrong)


def test_a_wrong_value_in_the_environment_is_refused_by_its_name(monkeypatch):
    monkeypatch.setenv("SPLASHDOWN_JOBS", "many")
    with pytest.raises(OptionError, match="SPLASHDOWN_JOBS has to be a whole number, not 'many'"):
        assert Session(config=False).settings


@pytest.mark.parametrize("text", ["none", ""])
def test_the_environment_can_switch_checksums_off(monkeypatch, text):
    monkeypatch.setenv("SPLASHDOWN_CHECKSUM", text)
    monkeypatch.setenv("SPLASHDOWN_RETRY_ATTEMPTS", "9")
    settings = Session(config=False).settings
    assert settings.checksum is None
    assert settings.retry.attempts == 9
