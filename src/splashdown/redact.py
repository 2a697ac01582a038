"""Decides how hrefs, messages and values are shown: without secrets. Everything shown or written goes through it.

redact(href)                       for an href or a URL
redact_target(target)              for a target, which may be a path with odd characters
redact_text(text, secrets)         for a message that a server or a library wrote
@safely_shown                      above ``@dataclass`` or a named tuple: gives it a ``repr`` without secrets
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, fields
from typing import Any, TypeVar
from urllib.parse import parse_qsl, quote, quote_plus, unquote, urlencode, urlsplit, urlunsplit

__all__ = ["redact", "redact_target", "redact_text", "redact_value", "safely_shown", "secrets_of", "without_signature"]

T = TypeVar("T")
#: A place in a text, where it begins and ends, and the words to show for it.
_Place = tuple[int, int, str]

# openEO back-ends sign links to results with two path segments, the user's id in base64 and a hash (in hex), before
# the name or at the end; the query only says how long they are valid.
_SIGNED_PATH = re.compile(
    r"(/results(?:/(?:assets|items\d*|document))?)/(?:[^/\s]+/)?[0-9a-f]{32,128}(?=/|$|[\s?#'\")])"
)
# Thousands of hrefs of a job are like this: nothing before the query could be a secret. The query is in sight, for all
# of it is left out.
_USUAL = re.compile(r"(https?://[a-z0-9.-]+(?::[0-9]+)?/[!$-:<=>A-Z^-~]*)(?:\?([!-\"$-~]*))?")
_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]+:")
_USERINFO = re.compile(r"(//)[^/?#\s]*@")
#: What stands before an ``@`` where an href has no authority: ``https:user:password@host/x``,
#: ``fsspec://sftp/user:pw@host``. Like all patterns here it begins at one place of a word only, so that the time grows
#: with the length of a message and not with its square: servers write messages.
_BEFORE_AT = re.compile(r"(?<![^/\\\s@])([^/\\\s@]++)@")
_PORT = re.compile(r"(?:\[[^\]]*\]|[^:\[\]]*)(?::\d*)?")
_URL = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]{0,40}://[^\s'\"<>]*")
#: What stands before an ``@`` in a message, and where in it a scheme, a user and a password begin.
_WORD_BEFORE_AT = re.compile(r"(?<![^\s/'\"<>@])([^\s/'\"<>@]++)@")
_SCHEME_AND_USER = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]{0,40}:[^:]*:")
_REST_OF_WORD = re.compile(r"[^\s'\"<>]*")
#: A host with its port, and the mark that a sentence puts behind it.
_ORIGIN_IN_TEXT = re.compile(r"([a-z][a-z0-9+.-]*://(?:[a-z0-9.-]+|\[[0-9a-f:.]+\]):[0-9]{1,5})([:.,;])", re.IGNORECASE)
#: A query; not the declaration at the beginning of XML.
_QUERY = re.compile(r"\?(?!xml\s)[^\s'\"<>)]+")
_SCHEMES_OF_AUTH = re.compile(r"\b(Bearer|Basic)(:?\s+)[A-Za-z0-9+/=_.~%-]{6,}", re.IGNORECASE)
_NAMED = re.compile(r"(?<![\w.-])([\w.-]++)['\"]?\s*+=\s*+")
_VALUE = re.compile(r"'[^']*'|\"[^\"]*\"|[^\s&,;'\"<>()]+")
#: In the names of parameters, headers and options whose value is a secret.
_PRIVATE_WORD = re.compile(
    r"token|password|passwd|secret|signature|credential|authorization|cookie|api[_-]?key|access[_-]?key"
    r"|account[_-]?key|private[_-]?key|encryption[_-]?key|subscription[_-]?key|connection[_-]?string",
    re.IGNORECASE,
)
#: Whole names of that kind.
_PRIVATE_SHORT = frozenset({"sig", "sas", "pw"})
_NAME = re.compile(r"[\w.-]+")
#: Parameters that belong to a signature, besides those of a private name.
_OF_SIGNATURE = re.compile(
    r"x-(?:amz|goog|oss|cos|obs|tos)-.*|q-(?:ak|sign|key|header|url).*|expires|exp|policy|key-pair-id"
    r"|(?:aws|google|oss)access(?:key)?id"
)
#: Parameters of a shared access signature of Azure, which are so where ``sig`` stands beside them.
_OF_SAS = re.compile(r"s[eiprstv]|s(?:rt|pr|ip|dd|cid)|sk(?:oid|tid|[estv])|s[au]oid")
#: Shorter values are words and numbers that every message has.
_SHORTEST = 5


def _in_text(url: str) -> str:
    found = _ORIGIN_IN_TEXT.fullmatch(url)
    return redact(url) if found is None else redact(found[1]) + found[2]


def redact(href: str) -> str:
    """The href without userinfo, query and fragment; ``?...`` marks that there was a query.

    A signed URL's secret is its query, so nothing of that is kept; where openEO back-ends sign in the path, ``...``
    stands for the signature and the user before it.
    """
    if "/results/" not in href and (usual := _USUAL.fullmatch(href)):
        return f"{usual[1]}?..." if usual[2] else usual[1]
    try:
        parts = urlsplit(href)
    except ValueError:
        return "(an href that is not a URL)"
    if not parts.netloc:
        return _without_authority(href)
    host = parts.netloc.rpartition("@")[2]
    if not _PORT.fullmatch(host):  # where the authority ends is not clear: a slash in a password looks like its end
        return "(an href that is not a URL)"
    path = _SIGNED_PATH.sub(r"\1/...", parts.path) if "/results/" in parts.path else parts.path
    if parts.scheme == "fsspec":
        path = _without_loose_userinfo(path)
    bare = _USERINFO.sub(r"\1", urlunsplit((parts.scheme, host, path, "", "")))
    return f"{bare}?..." if parts.query else bare


def redact_target(target: str) -> str:
    """A target for messages: a URL as :func:`redact` shows it where it has a user or is of the web.

    Paths and keys of object stores stay as they are, because ``?`` and ``#`` are letters of names there.
    """
    if target[:4].lower() in {"zip:", "tar:"}:  # an archive in another target
        return target[:4] + redact_target(target[4:])
    scheme, separator, rest = target.partition("://")
    authority = rest.partition("/")[0]
    if "@" in authority or (separator and scheme.rpartition(":")[2].lower() in {"http", "https", "fsspec"}):
        return redact(target)
    return _without_authority(target) if _SCHEME.match(target) and not separator and "@" in target else target


def redact_text(text: str, secrets: Iterable[str] = ()) -> str:
    """A message that someone else wrote, without secrets: those that are known, and what looks like one.

    URLs in it are shown as :func:`redact` shows them. ``secrets`` are those of the request, see :func:`secrets_of`.
    """
    for secret in sorted(_forms(secrets), key=len, reverse=True):
        text = text.replace(secret, "...")
    text = _URL.sub(lambda found: _in_text(found[0]), text)
    text = _replaced(text, _WORD_BEFORE_AT, _href_with_user)
    text = _QUERY.sub("?...", text)
    text = _SIGNED_PATH.sub(r"\1/...", text)
    text = _SCHEMES_OF_AUTH.sub(r"\1\2...", text)
    return _replaced(text, _NAMED, _private_value)


def redact_value(value: Any) -> Any:
    """A configured value for people: strings as :func:`redact_text` has them, nothing of what a secret name has."""
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, Mapping):
        return {k: "..." if is_private_name(str(k)) else redact_value(v) for k, v in value.items()}
    if type(value) in {list, tuple, set, frozenset}:
        return type(value)(redact_value(one) for one in value)
    return value


def secrets_of(href: str, headers: Mapping[str, str] | None = None) -> frozenset[str]:
    """What a request holds that its server may repeat and that must not be shown: for :func:`redact_text`."""
    found = {value for header in (headers or {}).values() for value in _of_header(header)}
    try:
        parts = urlsplit(href)
        found |= {parts.query, parts.fragment, parts.password or ""}
        found |= {value for _, value in parse_qsl(parts.query)}
    except ValueError:
        found.add(href)
    for match in _SIGNED_PATH.finditer(href):
        found |= {segment for segment in match[0].removeprefix(match[1]).split("/") if len(segment) >= 2 * _SHORTEST}
    return frozenset(one for one in found if len(one) >= _SHORTEST)


def without_signature(href: str) -> str:
    """The href less what differs between two signed links to one file, to compare links: not to be shown or saved.

    User and password go, and each parameter of a query that is known to be of a signature, or a secret by its name.
    """
    bare = redact(href).removesuffix("?...")
    if "?" not in href:
        return bare
    try:
        query = parse_qsl(urlsplit(href).query, keep_blank_values=True)
    except ValueError:
        return bare
    shared = any(name.lower() == "sig" for name, _ in query)
    left = [(name, value) for name, value in query if not _is_of_signature(name.lower(), shared=shared)]
    return f"{bare}?{urlencode(left, errors='surrogatepass')}" if left else bare


def _is_of_signature(name: str, *, shared: bool) -> bool:
    kinds = (_OF_SIGNATURE, *((_OF_SAS,) if shared else ()))
    return is_private_name(name) or any(kind.fullmatch(name) for kind in kinds)


def is_private_name(name: str) -> bool:
    """Whether a parameter, a header or an option of this name holds a secret."""
    if name.lower() in _PRIVATE_SHORT:
        return True
    return _PRIVATE_WORD.search(name) is not None and _NAME.fullmatch(name) is not None


def safely_shown(kind: type[T]) -> type[T]:
    """Let a dataclass or a named tuple show its fields without secrets; what has its default is left out.

    It goes above ``@dataclass``. Each class with a field that could hold an href, a header or an option has it.
    ``@dataclass(repr=False)`` saves the time to make a ``repr`` that nothing calls.
    """
    kind.__repr__ = _safe_repr  # type: ignore[method-assign]  # one function for all of them
    return kind


def _safe_repr(value: Any) -> str:
    shown = (f"{name}={_shown(content)}" for name, content in _to_show(value))
    return f"{type(value).__qualname__}({', '.join(shown)})"


def _to_show(value: Any) -> Iterator[tuple[str, object]]:
    if isinstance(value, tuple):
        yield from zip(value._fields, value, strict=True)  # type: ignore[attr-defined]  # a named tuple
        return
    for one in fields(value):
        if one.repr and not _is_default(one, content := getattr(value, one.name)):
            yield one.name, content


def _shown(value: object) -> str:
    if not isinstance(value, str):
        return repr(redact_value(value))
    return repr(redact_target(redact(value) if _SCHEME.match(value) else value))


def _is_default(field: Any, value: object) -> bool:
    return field.default is not MISSING and (value is field.default or value == field.default)


def _without_authority(href: str) -> str:
    """A path, a relative href, or something that is not quite a URL."""
    bare = _USERINFO.sub(r"\1", href.partition("?")[0])
    scheme = _SCHEME.match(bare)
    if scheme is None:
        return bare
    return scheme[0] + _without_loose_userinfo(bare[scheme.end() :]).partition("#")[0]


def _replaced(text: str, pattern: re.Pattern[str], shown: Callable[[re.Match[str]], _Place | None]) -> str:
    """The text with other words for the places that ``shown`` names: where one begins and ends, and the words.

    A place may end behind what the pattern finds; what is found inside of it is passed over.
    """
    kept, end = [], 0
    for found in pattern.finditer(text):
        if found.start() >= end and (place := shown(found)):
            start, stop, words = place
            kept += [text[end:start], words]
            end = stop
    return "".join((*kept, text[end:]))


def _private_value(named: re.Match[str]) -> _Place | None:
    """The place of the value of ``name=value`` where the name is that of a secret."""
    last = named[1].replace("-", ".").rpartition(".")[2]  # of x-sig, sig
    private = is_private_name(named[1]) or last.lower() in _PRIVATE_SHORT
    value = _VALUE.match(named.string, named.end()) if private else None
    return None if value is None else (*value.span(), "...")


def _href_with_user(before: re.Match[str]) -> _Place | None:
    """The place of an href without an authority that has a user and a password; ``before`` is what precedes its @."""
    href = _SCHEME_AND_USER.search(before[1])
    if href is None:
        return None
    start, stop = before.start() + href.start(), _word_end(before)
    return start, stop, redact(before.string[start:stop])


def _word_end(found: re.Match[str]) -> int:
    rest = _REST_OF_WORD.match(found.string, found.end())
    return found.end() if rest is None else rest.end()


def _without_loose_userinfo(text: str) -> str:
    """The text without what looks like a user and a password before each ``@``."""
    return _BEFORE_AT.sub(lambda found: _before_user(found) if ":" in found[1] else found[0], text)


def _before_user(found: re.Match[str]) -> str:
    """What stays of the characters before an ``@``: those before a user, who begins a word or follows a colon."""
    run = found[1]
    parts = run.split(":")
    # After white space or another @, the first word may be anything.
    begins = found.start() == 0 or found.string[found.start() - 1] in "/\\"
    first = next((n for n in range(0 if begins else 1, len(parts) - 1) if parts[n]), None)
    return found[0] if first is None else ":".join((*parts[:first], ""))


def _of_header(value: str) -> Iterable[str]:
    yield value
    scheme, space, rest = value.partition(" ")
    if not space:
        return
    yield rest
    yield from rest.split("/")[2:]  # an openEO token is METHOD/PROVIDER/TOKEN
    if scheme.lower() == "basic":
        try:
            pair = base64.b64decode(rest, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return
        yield pair
        yield pair.partition(":")[2]


def _forms(secrets: Iterable[str]) -> set[str]:
    """Each secret as it is, as URLs and JSON write it, and in base64."""
    found = set()
    for secret in secrets:
        if len(secret) < _SHORTEST:
            continue
        data = secret.encode("utf-8", "surrogatepass")
        found |= {secret, unquote(secret), quote(data, safe=""), quote(data), quote_plus(data)}
        found |= {base64.b64encode(data).decode().rstrip("="), base64.urlsafe_b64encode(data).decode().rstrip("=")}
        found.add(secret.replace("&", "&amp;"))
    return {one for one in found if len(one) >= _SHORTEST}
