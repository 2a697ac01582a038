"""Lists of jobs: from bytes or rows to values. Pure; nothing in a list is trusted.

A list is a table (CSV or Parquet, as the job database of the openEO Python client), JSON, or plain: an id or URL a
line.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import unquote, urlsplit

from splashdown._landing.parquet import MARK, rows_of_parquet
from splashdown._landing.values import JobList, ListedJob, RefusedRow
from splashdown.errors import ResolveError, UsageError, error_text
from splashdown.redact import redact, without_signature
from splashdown.safe_names import fold, safe_segment, shorten
from splashdown.sources import is_job_url, is_url, origin_of

#: More rows than this are not a list of jobs.
MOST_ROWS = 1_000_000
#: Columns that name the job, the best first.
_SOURCES = ("url", "href", "id", "job_id")
_BACKEND, _TITLE, _STATUS = "backend_name", "title", "status"
_COLUMNS = (*_SOURCES, _BACKEND, _TITLE, _STATUS)
_LONGEST = 4096
_LONGEST_TITLE = 100
_LONGEST_FOLDER = 150  # bytes, without the mark of the job
_DELIMITERS = ",;\t"
_ODD = re.compile(r"[\x00-\x20\x7f\ud800-\udfff/\\]")
#: Written by tables where there is no value.
_NOTHING = frozenset({"", "nan", "none", "null", "<na>"})
_SUFFIXES = re.compile(r"\.(json|geojson|parquet|geoparquet)\Z", re.IGNORECASE)

Row = tuple[int, object]


def parse_list(data: bytes, place: str = "", *, remote: bool = False) -> JobList:
    """The jobs of a list. Raises ``ResolveError`` for bytes that are not one; rows that are wrong are in the list."""
    if data.startswith(MARK):
        return make_list(
            rows_of_parquet(data, place, columns=_COLUMNS, one_of=_SOURCES, most=MOST_ROWS), place, remote=remote
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ResolveError(f"{_shown(place)} is neither text in UTF-8 nor Parquet: a list of jobs is one") from None
    if text.lstrip()[:1] in {"[", "{"}:
        return make_list(_rows_of_json(text, place), place, remote=remote)
    return make_list(_rows_of_text(text), place, remote=remote)


def make_list(rows: Iterable[Row], place: str = "", *, remote: bool = False) -> JobList:
    """The jobs of rows, each with a folder; a row is a string, or a mapping with the columns of a job database."""
    jobs: dict[tuple[str, str], ListedJob] = {}
    refused: list[RefusedRow] = []
    repeated = 0
    for count, (number, row) in enumerate(rows):
        if count >= MOST_ROWS:
            raise ResolveError(f"{_shown(place)} has more than {MOST_ROWS:,} rows: split it")
        try:
            job = _job(number, row)
        except UsageError as error:
            refused.append(RefusedRow(row=number, reason=str(error)))
            continue
        key = (job.backend, job.source)
        repeated += key in jobs
        jobs.setdefault(key, job)
    if not jobs and not refused:
        raise ResolveError(f"{_shown(place)} lists no job: write an id or a URL a line, or a table with a column 'id'")
    return JobList(
        jobs=tuple(with_folders(jobs.values())), refused=tuple(refused), repeated=repeated, place=place, remote=remote
    )


def with_folders(jobs: Iterable[ListedJob]) -> Iterator[ListedJob]:
    """The jobs with their folders, which do not depend on the order of the list.

    A folder has the name of the job. Where that is not safe, or two jobs would get one folder on some system, a mark of
    the job follows it.
    """
    named = [(job, _name(job)) for job in jobs]
    folders = Counter(fold(safe_segment(name)) for _, name in named)
    taken: set[str] = set()
    for job, name in named:
        safe = safe_segment(name)
        plain = safe == name and folders[fold(safe)] == 1 and not _is_query(job.source)
        folder = safe if plain else f"{shorten(safe, _LONGEST_FOLDER)}-{_mark(job)}"
        while fold(folder) in taken:  # another job has chosen its name to be that one
            folder = f"{shorten(safe, _LONGEST_FOLDER)}-{hashlib.sha256(folder.encode()).hexdigest()[:16]}"
        taken.add(fold(folder))
        yield replace(job, folder=folder)


def _name(job: ListedJob) -> str:
    if not is_url(job.source):
        return job.source
    path = urlsplit(job.source).path
    if is_job_url(job.source):
        return unquote(path.partition("/jobs/")[2].partition("/")[0])
    return _SUFFIXES.sub("", unquote(path.rstrip("/").rpartition("/")[2])) or (urlsplit(job.source).hostname or "_")


def _is_query(source: str) -> bool:
    """Whether the query of a URL says which thing it is: two searches differ in nothing else."""
    return is_url(source) and not is_job_url(source) and "?" in without_signature(source)


def _mark(job: ListedJob) -> str:
    source = without_signature(job.source) if is_url(job.source) else job.source
    return hashlib.sha256(f"{job.backend}\n{source}".encode()).hexdigest()[:8]


def _job(number: int, row: object) -> ListedJob:
    """One row. Raises ``UsageError`` that says what is wrong with it."""
    if isinstance(row, csv.Error):
        raise UsageError(f"it is not a row of a table ({row}); check the quotes")
    if not isinstance(row, Mapping):
        row = {"id": row}
    source = next((found for name in _SOURCES if (found := _cell(row, name))), "")
    if not source:
        status = _cell(row, _STATUS)
        if status:
            raise UsageError(f"its status is {status[:40]!r} and it has no job id: start the job first")
        raise UsageError("it names no job: fill in the column 'id' or 'url'")
    title = " ".join(_cell(row, _TITLE).split())[:_LONGEST_TITLE] if isinstance(row.get(_TITLE), str) else ""
    return ListedJob(source=_checked(source), row=number, backend=_cell(row, _BACKEND), title=title)


def _cell(row: Mapping[Any, Any], name: str) -> str:
    value = row.get(name)
    if value is None or (isinstance(value, float) and value != value):  # noqa: PLR0124 - NaN is not equal to itself
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise UsageError(f"its {name} is not a string, but a {type(value).__name__}")
    text = str(value).strip() if isinstance(value, str) or abs(value) < 10**18 else "0" * (_LONGEST + 1)
    if len(text) > _LONGEST:
        raise UsageError(f"its {name} has more than {_LONGEST} characters")
    return "" if text.lower() in _NOTHING else text


def _checked(source: str) -> str:
    if "://" in source:
        return _checked_url(source)
    if _ODD.search(source) or source in {".", ".."}:
        raise UsageError(f"{source[:80]!r} is neither the id of a job nor an http(s) URL")
    return source


def _checked_url(url: str) -> str:
    if not is_url(url):
        raise UsageError(f"{redact(url)[:80]!r} is not an http(s) URL, and a list names no others")
    try:
        parts = urlsplit(url)
        origin = origin_of(url)
    except ValueError as error:
        raise UsageError(f"{redact(url)[:80]!r} is not a valid URL ({error})") from None
    if not origin[1] or any(c <= " " or c == "\x7f" or "\ud800" <= c <= "\udfff" for c in url):
        raise UsageError(f"{redact(url)[:80]!r} is not a valid URL")
    if parts.username or parts.password:
        raise UsageError(f"{redact(url)[:80]!r} had a user or password in it: leave them out, and sign in")
    return url.partition("#")[0]


def _rows_of_text(text: str) -> Iterator[Row]:
    lines = text.splitlines()
    delimiter, header = _header(next((line for line in lines if line.strip()), ""))
    if delimiter is None:
        yield from ((n, line.strip()) for n, line in enumerate(lines, 1) if line.strip() and line.strip()[0] != "#")
        return
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    number, found = 0, False
    while True:
        number += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield reader.line_num or number, error
            continue
        if not any(cell.strip() for cell in cells):
            continue
        if found:
            yield reader.line_num, dict(zip(header, cells, strict=False))
        found = True


def _header(line: str) -> tuple[str | None, list[str]]:
    """The delimiter and the names of the columns, where a line is the head of a table of jobs."""
    for delimiter in _DELIMITERS:
        names = [name.strip().strip('"').lower() for name in line.split(delimiter)]
        if any(name in _SOURCES for name in names):
            return delimiter, names
    return None, []


def _rows_of_json(text: str, place: str) -> Iterator[Row]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ResolveError(f"{_shown(place)} is not valid JSON ({error_text(error)[:100]})") from None
    # GET /jobs of the openEO API answers {"jobs": [...]}.
    rows = found.get("jobs") if isinstance(found, dict) else found
    if not isinstance(rows, list):
        raise ResolveError(f"{_shown(place)} is JSON, but not a list of jobs: write an array of ids or objects")
    yield from enumerate(rows, 1)


def _shown(place: str) -> str:
    return redact(place) if place else "the list"
