"""Options: where a value comes from, how it is converted, and what is refused."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from splashdown._engine.settings import Settings
from splashdown._plugins.options import REQUIRED, fields_of, fill, variable
from splashdown.errors import OptionError

if TYPE_CHECKING:
    import heavy_sdk


class Level(enum.Enum):
    LOW = "low"
    HIGH = "high"


@dataclass(frozen=True, kw_only=True)
class Inner:
    attempts: int = 6


@dataclass(frozen=True, kw_only=True)
class Options:
    endpoint_url: str | None = None
    part_size: int = field(default=8, metadata={"help": "bytes in a part"})
    speed: float = 1.0
    anonymous: bool = False
    tags: tuple[str, ...] = ()
    bands: Sequence[int] = ()
    mode: Literal["a", "b"] = "a"
    level: Level = Level.LOW
    folder: Path | None = None
    verify: bool | str = True
    labels: Mapping[str, str] = field(default_factory=dict)
    inner: Inner = field(default_factory=Inner)
    token: str = field(default="", metadata={"secret": True})


def filled(given=None, config=None, environ=None):
    return fill(Options, given or {}, plugin="s3", config=config, environ=environ)


def test_defaults_stand_where_nothing_is_given():
    assert filled() == Options()


def test_an_argument_wins_over_the_environment_and_that_over_the_file():
    config, environ = {"part_size": 1}, {"SPLASHDOWN_S3_PART_SIZE": "2"}
    assert filled(config=config).part_size == 1
    assert filled(config=config, environ=environ).part_size == 2
    assert filled({"part_size": 3}, config, environ).part_size == 3


def test_the_variable_of_an_option_is_its_plugin_and_name_in_capitals():
    assert variable("s3+obstore", "endpoint_url") == "SPLASHDOWN_S3_OBSTORE_ENDPOINT_URL"


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("endpoint_url", "http://h", "http://h"),
        ("part_size", "16", 16),
        ("speed", "2.5", 2.5),
        ("anonymous", "yes", True),
        ("anonymous", "0", False),
        ("tags", "a, b", ("a", "b")),
        ("bands", "1,2", (1, 2)),
        ("mode", "b", "b"),
        ("level", "high", Level.HIGH),
        ("folder", "/x", Path("/x")),
        ("verify", "no", False),
        ("verify", "/etc/bundle.pem", "/etc/bundle.pem"),
        ("labels", "a=1, b=2", {"a": "1", "b": "2"}),
    ],
)
def test_text_from_the_environment_becomes_the_type_of_the_field(name, text, value):
    assert getattr(filled(environ={variable("s3", name): text}), name) == value


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("part_size", "many", "'part_size' of 's3' has to be a whole number, not 'many'"),
        ("part_size", True, "whole number"),
        ("part_size", 2.5, "whole number"),
        ("anonymous", "perhaps", "true or false"),
        ("mode", "c", "one of a, b"),
        ("level", "middle", "one of low, high"),
        ("bands", ["x"], "a list of whole numbers"),
        ("endpoint_url", 3, "text"),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_what_would(name, value, text):
    with pytest.raises(OptionError, match=text):
        filled({name: value})


def test_an_unknown_option_gets_a_suggestion_wherever_it_stands():
    with pytest.raises(OptionError, match="'s3' has no option 'endpoint'; did you mean 'endpoint_url'"):
        filled({"endpoint": "x"})
    with pytest.raises(OptionError, match=r"'zzz' \(in the configuration file\); it has: endpoint_url, "):
        filled(config={"zzz": 1})


def test_a_secret_is_refused_in_a_file_and_taken_from_the_environment():
    with pytest.raises(OptionError, match=r"secret.*SPLASHDOWN_S3_TOKEN"):
        filled(config={"token": "hunter2"})
    assert filled(environ={"SPLASHDOWN_S3_TOKEN": "hunter2"}).token == "hunter2"


def test_a_wrong_secret_is_not_repeated_in_the_error():
    with pytest.raises(OptionError) as error:
        filled({"token": 12345})
    assert "12345" not in str(error.value)


def test_a_required_option_says_how_to_give_it():
    @dataclass(kw_only=True)
    class Needs:
        bucket: str

    with pytest.raises(OptionError, match="'x' needs the option 'bucket'; pass it or set SPLASHDOWN_X_BUCKET"):
        fill(Needs, {}, plugin="x")
    assert fields_of_local(Needs) == (REQUIRED,)


def fields_of_local(kind):
    return tuple(f.default for f in fields_of(kind, plugin="x"))


def test_what_the_dataclass_itself_refuses_is_an_option_error():
    @dataclass(kw_only=True)
    class Even:
        n: int = 2

        def __post_init__(self):
            if self.n % 2:
                raise ValueError("n has to be even")

    with pytest.raises(OptionError, match="'x': n has to be even"):
        fill(Even, {"n": 1}, plugin="x")


def test_a_table_within_the_table_is_filled_like_the_table():
    assert filled(config={"inner": {"attempts": 2}}).inner == Inner(attempts=2)
    assert filled(environ={"SPLASHDOWN_S3_INNER_ATTEMPTS": "3"}).inner == Inner(attempts=3)
    assert filled({"inner": {"attempts": 4}}).inner == filled({"inner": Inner(attempts=4)}).inner == Inner(attempts=4)
    with pytest.raises(OptionError, match=r"'s3_inner' has no option 'atempts'.*did you mean 'attempts'"):
        filled(config={"inner": {"atempts": 2}})


def test_a_mapping_is_taken_as_it_is():
    assert filled({"labels": {"a": "1"}}).labels == {"a": "1"}


def test_an_error_of_the_dataclass_own_words_is_not_wrapped():
    @dataclass(kw_only=True)
    class Refuses:
        n: int = 2

        def __post_init__(self):
            raise OptionError("x: n is unlucky")

    with pytest.raises(OptionError, match=r"^x: n is unlucky$"):
        fill(Refuses, {}, plugin="x")


def test_the_settings_of_splashdown_itself_have_no_plugin_in_their_variables():
    assert variable("", "jobs") == "SPLASHDOWN_JOBS"
    settings = fill(Settings, {}, plugin="", environ={"SPLASHDOWN_JOBS": "3", "SPLASHDOWN_RETRY_ATTEMPTS": "2"})
    assert (settings.jobs, settings.retry.attempts) == (3, 2)


def test_fields_are_described_for_help():
    described = {f.name: f for f in fields_of(Options, plugin="s3")}
    assert described["part_size"].help == "bytes in a part"
    assert described["part_size"].variable == "SPLASHDOWN_S3_PART_SIZE"
    assert described["mode"].choices == ("a", "b")
    assert described["tags"].many
    assert described["anonymous"].flag
    assert described["token"].secret


@given(st.integers(), st.floats(allow_nan=False), st.booleans(), st.lists(st.integers()))
def test_the_text_of_a_value_means_the_value(number, speed, flag, bands):
    environ = {
        "SPLASHDOWN_S3_PART_SIZE": str(number),
        "SPLASHDOWN_S3_SPEED": repr(speed),
        "SPLASHDOWN_S3_ANONYMOUS": str(flag),
        "SPLASHDOWN_S3_BANDS": ",".join(map(str, bands)),
    }
    options = filled(environ=environ)
    assert (options.part_size, options.speed, options.anonymous, options.bands) == (number, speed, flag, tuple(bands))


@dataclass(frozen=True, kw_only=True)
class Connection:
    """An option whose type only a type checker knows, as importing it costs too much."""

    session: heavy_sdk.Session | None = field(
        default=None, metadata={"python_only": "a heavy_sdk.Session", "help": "instead of a profile"}
    )
    profile: str | None = None


@dataclass(frozen=True, kw_only=True)
class Derived(Connection):
    size: int = 1


@pytest.mark.parametrize("kind", [Connection, Derived])
def test_an_object_reaches_its_python_only_option_as_it_is(kind):
    session = object()
    assert fill(kind, {"session": session, "profile": "p"}, plugin="x").session is session
    assert fill(kind, {"session": None}, plugin="x").session is None
    assert fill(kind, {}, plugin="x", environ={"SPLASHDOWN_X_PROFILE": "p"}) == kind(profile="p")


@pytest.mark.parametrize(
    ("given", "config", "environ", "where"),
    [
        ({"session": "work"}, {}, {}, "option 'session' of 'x'"),
        ({"session": ""}, {}, {}, "option 'session' of 'x'"),
        ({}, {}, {"SPLASHDOWN_X_SESSION": "work"}, "SPLASHDOWN_X_SESSION"),
        ({}, {"session": "work"}, {}, "'session' of 'x' in the configuration file"),
        ({}, {"session": {"region": "r"}}, {}, "'session' of 'x' in the configuration file"),
        ({}, {"session": 3}, {}, "'session' of 'x' in the configuration file"),
    ],
)
def test_text_for_a_python_only_option_is_refused_in_one_line(given, config, environ, where):
    with pytest.raises(OptionError) as error:
        fill(Derived, given, plugin="x", config=config, environ=environ)
    said = f"{where} has to be a heavy_sdk.Session (instead of a profile); only Python code can pass it"
    assert str(error.value) == said


def test_a_required_python_only_option_asks_for_the_object():
    @dataclass(kw_only=True)
    class Needs:
        session: heavy_sdk.Session = field(metadata={"python_only": "a heavy_sdk.Session"})

    with pytest.raises(OptionError) as error:
        fill(Needs, {}, plugin="x")
    assert str(error.value) == "'x' needs the option 'session'; it is a heavy_sdk.Session; pass it in Python"


def test_a_python_only_option_is_described_without_a_variable():
    session, profile = fields_of(Connection, plugin="x")
    assert (session.type, session.variable, session.python_only) == ("a heavy_sdk.Session, in Python only", "", True)
    assert (profile.type, profile.variable, profile.python_only) == ("text", "SPLASHDOWN_X_PROFILE", False)


def test_a_python_only_option_has_to_be_described_in_words():
    @dataclass(kw_only=True)
    class Wrong:
        session: object = field(default=None, metadata={"python_only": True})

    with pytest.raises(OptionError, match=r"^python_only of the option 'session' of 'x' has to say in words"):
        fields_of(Wrong, plugin="x")


def test_a_type_that_cannot_be_found_is_refused_elsewhere():
    @dataclass(kw_only=True)
    class Wrong:
        session: heavy_sdk.Session | None = None

    with pytest.raises(OptionError, match=r"'x' have a type that cannot be found: .*heavy_sdk"):
        fill(Wrong, {}, plugin="x")
