"""Names that are valid everywhere: under the rules of POSIX, of Windows and of object stores at once.

Pure functions on strings. ``_naming`` decides which name an asset gets.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TypeGuard

#: Bytes of one segment. File systems take 255; the rest is for temporary names and for numbers that resolve a clash.
MAX_SEGMENT = 180
#: Bytes of a whole relative path: S3 keys end at 1024, and the target has a prefix too.
MAX_PATH = 800

_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_+=@,~ .-]*(?<![ .])\Z")
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')
# Win32 opens the device whatever the extension; the superscript digits count as digits there.
_DEVICE = re.compile(r"(CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(COM|LPT)[0-9\u00b9\u00b2\u00b3])\s*(\..*)?\Z", re.IGNORECASE)
#: Whether Windows takes a name for that of a device.
is_device = _DEVICE.match
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,15}\Z")


def safe_segment(text: str, *, replacement: str = "_") -> str:
    """A name for one file or folder that means the same on every system; never empty, unchanged where it is safe.

    Characters that some system refuses become ``replacement``; controls and invisible characters go; a leading dot
    becomes ``_`` so that nothing hides (or lands in a folder such as ``.git``).
    """
    if _PLAIN.match(text) and len(text) <= MAX_SEGMENT and not _DEVICE.match(text):
        return text
    text = _FORBIDDEN.sub(replacement, unicodedata.normalize("NFC", text))
    text = "".join(c for c in text if unicodedata.category(c)[0] != "C" and unicodedata.category(c) not in _LINES)
    text = text.strip().rstrip(". ")
    if text.startswith("."):
        text = "_" + text.lstrip(".")
    if _DEVICE.match(text):
        text = "_" + text
    return shorten(text) or "_"


#: Line and paragraph separators: they are not controls, and no name needs them.
_LINES = ("Zl", "Zp")


def shorten(segment: str, limit: int = MAX_SEGMENT) -> str:
    """The segment in at most ``limit`` bytes of UTF-8, its extension kept."""
    if len(segment) * 4 <= limit or len(segment.encode()) <= limit:
        return segment
    stem, suffix = split_suffix(segment)
    cut = stem.encode()[: limit - len(suffix.encode())].decode(errors="ignore")
    return (cut.rstrip(". ") or "_") + suffix


def split_suffix(name: str) -> tuple[str, str]:
    """Stem and extension (with its dot, or empty); of ``a.tar.gz`` it is ``.gz``."""
    found = _SUFFIX.search(name)
    return (name[: found.start()], found.group()) if found and found.start() else (name, "")


def safe_path(path: str) -> str:
    """A relative POSIX path of safe segments; empty segments and ``.`` vanish, ``..`` becomes an ordinary name."""
    segments = [safe_segment(s) for s in path.split("/") if s not in {"", "."}] or ["_"]
    while len(segments) > 1 and len("/".join(segments).encode()) > MAX_PATH:
        del segments[0]
    return "/".join(segments)


def is_safe_path(path: str) -> bool:
    """Whether the path can be used as it stands: relative, below its root, and the same on every system."""
    return bool(path) and safe_path(path) == path


def leads_below(path: object) -> TypeGuard[str]:
    """Whether this is a relative POSIX path that every system can open, and that leads nowhere but below its start.

    It need not be safe in the sense of :func:`safe_path`: that is for names that are given, this for names that are
    read from what others may have written.
    """
    if not isinstance(path, str) or not 0 < len(path) <= _LONGEST or "\0" in path:
        return False
    if not path.isascii():
        try:
            path.encode()
        except UnicodeEncodeError:  # half a surrogate pair
            return False
    if "/" not in path:
        return path not in _UPWARDS
    return not any(segment in _UPWARDS for segment in path.split("/"))


_UPWARDS = frozenset({"", ".", ".."})
#: What Linux takes for a path, in bytes; no store takes more.
_LONGEST = 4096


def fold(path: str) -> str:
    """Two paths that some file system takes for one have the same fold (case, Unicode normalisation)."""
    if path.isascii():
        return path.lower()
    # NFKC after case folding may bring upper case back (for example U+2126), hence the second pass.
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", path.casefold()).casefold())


def numbered(segment: str, number: int) -> str:
    """``a.tif`` as ``a-2.tif``, within the length that a segment may have."""
    stem, suffix = split_suffix(segment)
    tail = f"-{number}{suffix}"
    return shorten(stem, MAX_SEGMENT - len(tail)) + tail
