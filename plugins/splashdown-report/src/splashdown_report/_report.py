"""The action ``report``: reads what there is, makes pictures, writes the page."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from splashdown.errors import OptionError

if TYPE_CHECKING:
    from splashdown.actions import ActionSession


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOptions:
    """Where the page goes, and what is read for it."""

    output: Path = field(default=Path("report.html"), metadata={"help": "The file to write.", "metavar": "FILE"})
    verify: bool = field(default=False, metadata={"help": "Read the files and compare checksums; else sizes alone."})
    thumbnails: int = field(default=400, metadata={"help": "At most so many files are read for a thumbnail."})


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenReport:
    """Where the page is, how many files it shows, and its size."""

    path: Path
    files: int
    bytes: int

    def __str__(self) -> str:
        """One line for people."""
        return f"{self.path}: {self._content}"

    @property
    def _content(self) -> str:
        files = "1 file" if self.files == 1 else f"{self.files} files"
        return f"{files} on a page of {self.bytes / 1024:.1f} KiB"

    def _repr_html_(self) -> str:
        """The same in a notebook, with a link where the notebook can follow it: below the folder that it runs in."""
        name = escape(str(self.path))
        # Quoted, a colon too: no name can be another scheme.
        if not self.path.is_absolute() and ".." not in self.path.parts:
            name = f'<a href="{escape(quote(self.path.as_posix()))}" target="_blank" rel="noopener">{name}</a>'
        return f"<p>{name}: {escape(self._content)}</p>"


def write_report(
    session: ActionSession,
    target: str | Path,
    *,
    output: str | Path = "report.html",
    verify: bool = False,
    thumbnails: int = 400,
) -> WrittenReport:
    """Write a page about a target, or about the JSON of a run, a plan or a verification.

    ``verify`` compares checksums, not sizes alone. Raises ``ResolveError``
    for a target without a receipt, ``UsageError`` for another JSON document, and ``OptionError`` where ``output``
    cannot be written, or is a file that is not such a page.
    """
    # Late: the command's help needs none of them.
    from splashdown_report import _thumbnails
    from splashdown_report._page import render
    from splashdown_report._sources import read_subject

    path = Path(output).expanduser()
    _refuse_other(path)
    subject = read_subject(session, str(target), read=verify)
    chosen = [(n, subject.files[row.name]) for n, row in enumerate(subject.rows) if row.name in subject.files]
    pictures = dict(_thumbnails.thumbnails(chosen[: max(thumbnails, 0)]))
    page = render(subject, pictures, dt.datetime.now(dt.UTC)).encode("utf-8", "replace")
    _write(path, page)
    return WrittenReport(path=path, files=len(subject.rows), bytes=len(page))


def _refuse_other(path: Path) -> None:
    """Raise ``OptionError`` for a file that this action has not written: a page that is made again replaces the old."""
    if path.is_dir():
        raise OptionError(f"{path} is a folder: name a file, for example --output {path / 'report.html'}")
    if path.exists():
        from splashdown_report._page import GENERATOR

        with suppress(OSError), path.open("rb") as file:
            if GENERATOR.encode() in file.read(1024):
                return
        raise OptionError(f"{path} exists and is not a report: name another file with --output")


def _write(path: Path, page: bytes) -> None:
    beside = path.with_name(f".{path.name}.partial")
    try:
        beside.write_bytes(page)
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise OptionError(f"the report cannot be written to {path}: {error.strerror}") from error
