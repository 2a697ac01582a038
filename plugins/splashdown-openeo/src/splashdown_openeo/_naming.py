"""Names of files: the parts that the openEO client leaves to chance when two assets want the same one."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

from openeo.rest import OpenEoClientException

#: As much of a path as one line gives.
_SHOWN = 200
_UNSAFE = re.compile(r"[^\w_.-]+")

#: File systems of these systems hold ``a.tif`` and ``A.tif`` to be one file.
_IGNORES_CASE = sys.platform in {"win32", "darwin"}


class Taken:
    """The paths that a download has given away, and free ones beside them."""

    def __init__(self) -> None:
        self._paths: set[str] = set()

    def assign_names(self, path: Path) -> Path:
        """The path itself, or with a number before its extension when it is taken."""
        free, number = path, 1
        while self._folded(free) in self._paths:
            free = path.with_name(f"{path.stem}-{number}{path.suffix}")
            number += 1
        self._paths.add(self._folded(free))
        return free

    @staticmethod
    def _folded(path: Path) -> str:
        return str(path).casefold() if _IGNORES_CASE else str(path)


# A signature that a back-end puts into the path differs between two readings; the rest of the path names the file.
_PATH_SIGNATURE = re.compile(r"(?<=/)[0-9a-f]{32,128}(?=/)")


def file_of(href: str) -> str:
    """What all hrefs of one file have in common, whenever and for whomever they were signed."""
    parts = urlsplit(href)
    return f"{parts.scheme}://{parts.netloc}{_PATH_SIGNATURE.sub('*', parts.path)}"


def safe_name(text: str, *, default: str) -> str:
    """The characters of a text that file names may have; ``default`` when that leaves no name."""
    name = _UNSAFE.sub("", text.strip())
    return default if name in {"", ".", ".."} else name


def name_in_url(url: str) -> str:
    """The last part of a URL's path as a safe file name; ``""`` when there is none."""
    return safe_name(unquote(urlsplit(url).path).strip("/").rpartition("/")[2], default="")


def no_folder(path: Path, reason: str) -> OpenEoClientException:
    """The error for a target that cannot be a folder."""
    shown = str(path) if len(str(path)) <= _SHOWN else f"{str(path)[:_SHOWN]}…"
    return OpenEoClientException(f"the target {shown!r} cannot be a folder: {reason}")
