"""Messages of the library as the command line spells things: options in place of keywords and of calls."""

from __future__ import annotations

import re
from collections.abc import Mapping

#: Filters whose option has another name.
_FILTERS = {"keys": "include", "types": "type", "roles": "role", "items": "item", "cql2": "filter"}
_CALLS = (
    (re.compile(r"\bload\('([\w:-]+)'\)"), r"--loader \1"),
    (re.compile(r"\bload\(\)"), "splashdown load"),
    (re.compile(r"; get_assets\(\) lists all assets"), "; 'splashdown ls' lists all assets"),
    (re.compile(r"\bauth=\(user, password\)"), "SPLASHDOWN_USER and SPLASHDOWN_PASSWORD"),
    (re.compile(r"\bpass auth=(?!\w)"), "set SPLASHDOWN_TOKEN, or SPLASHDOWN_USER and SPLASHDOWN_PASSWORD,"),
)
#: A keyword with what is given for it, up to where a sentence goes on: a list, a string, or a word.
_KEYWORD = re.compile(
    r"\b(?:the filter )?([a-z][a-z0-9_]*)=(\[[^\]]*\]|\([^)]*\)|'[^']*'|\{[^}]*\}|[^\s,;:()'\"]+(?:,\d{3})*)?"
)
_NAME = re.compile(r"(?<![\w.=-])([a-z]+(?:_[a-z]+)+)(?![\w(.=])")


def spelled(message: str, options: Mapping[str, str]) -> str:
    """The message with options, by their keywords, in place of these; other words stay as they are."""
    for call, instead in _CALLS:
        message = call.sub(instead, message)

    def keyword(found: re.Match[str]) -> str:
        flag = options.get(_FILTERS.get(found[1], found[1]))
        return found[0] if flag is None else f"{flag}{_value(found[2])}"

    message = _KEYWORD.sub(keyword, message)
    return _NAME.sub(lambda found: options.get(found[1], found[0]), message)


def _value(value: str | None) -> str:
    """What follows the option: a list as several words, nothing where the option is a switch."""
    if not value or value in {"True", "False", "None", "..."}:
        return ""
    return " " + (value[1:-1] if value[0] in "[(" else value)
