"""Lists of jobs, whoever wrote them: values, folders, and one line for each row that cannot be used."""

from __future__ import annotations

import csv
import io
import json

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openeo.extra.job_management import CsvJobDatabase, ParquetJobDatabase

from splashdown._landing.lists import make_list, parse_list
from splashdown.errors import ResolveError
from splashdown.safe_names import fold, is_safe_path

JOBS = pd.DataFrame(
    {
        "id": ["j-1", "j-2", None, "j-4"],
        "backend_name": ["a", "b", None, "a"],
        "status": ["finished", "running", "not_started", "error"],
        "start_time": ["2024-01-01T00:00:00Z"] * 2 + [None] * 2,
        "title": ["first", None, "third", "a\nb"],
    }
)


def table(**columns: list) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


@pytest.mark.parametrize("database", [CsvJobDatabase, ParquetJobDatabase])
def test_the_job_databases_of_the_openeo_client_are_understood(tmp_path, database):
    path = tmp_path / "jobs"
    database(path).initialize_from_df(JOBS)
    found = parse_list(path.read_bytes(), "jobs")
    assert [(j.source, j.backend, j.folder) for j in found.jobs] == [
        ("j-1", "a", "j-1"),
        ("j-2", "b", "j-2"),
        ("j-4", "a", "j-4"),
    ]
    assert [job.title for job in found.jobs] == ["first", "", "a b"]
    (row,) = found.refused
    assert "not_started" in row.reason
    assert "start the job" in row.reason


@pytest.mark.parametrize(
    "data",
    [
        b"# mine\n\nj-1\n  https://openeo.example/jobs/j-2/results \n",
        b"\xef\xbb\xbfid\r\nj-1\r\nhttps://openeo.example/jobs/j-2/results\r\n",
        b"title;url;id\n;;j-1\n;https://openeo.example/jobs/j-2/results;j-9\n",
        b'["j-1", {"url": "https://openeo.example/jobs/j-2/results"}]',
        b'{"jobs": [{"id": "j-1"}, {"id": "https://openeo.example/jobs/j-2/results"}]}',
        table(href=["j-1", "https://openeo.example/jobs/j-2/results"]),
    ],
)
def test_a_list_is_text_a_table_or_json(data):
    found = parse_list(data)
    assert [j.source for j in found.jobs] == ["j-1", "https://openeo.example/jobs/j-2/results"]
    assert [j.folder for j in found.jobs] == ["j-1", "j-2"]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("../../etc/passwd", "neither the id of a job nor"),
        ("..", "neither the id"),
        ("j\x00b", "neither the id"),
        ("file:///etc/passwd", "not an http(s) URL"),
        ("s3://bucket/item.json", "not an http(s) URL"),
        ("https://user:hunter2@host.example/jobs/j", "leave them out"),
        ("https://[::1/jobs/j", "not a valid URL"),
        ("https://ho st/jobs/j", "not a valid URL"),
        ("https:///jobs/j", "not a valid URL"),
        ("x" * 5000, "more than 4096 characters"),
        ({"id": ["j"]}, "its id is not a string"),
        ({"id": True}, "its id is not a string"),
        ({"id": float("nan")}, "names no job"),
        ({"id": "", "status": "skipped"}, "its status is 'skipped'"),
        ({"name": "j"}, "names no job"),
        (None, "names no job"),
        ([], "its id is not a string"),
    ],
)
def test_a_bad_row_is_refused_with_its_number_and_a_reason(row, said):
    found = make_list([(1, "j-1"), (2, row)])
    assert [job.source for job in found.jobs] == ["j-1"]
    (refused,) = found.refused
    assert refused.row == 2
    assert said in refused.reason
    assert "hunter2" not in refused.reason


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "lists no job"),
        (b"\xff\xfe\x00", "neither text in UTF-8 nor Parquet"),
        (b"[1, 2", "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b'{"a": 1}', "not a list of jobs"),
        (b"PAR1 and no more", "not a Parquet file"),
        (table(name=["j-1"]), "none of the columns"),
    ],
)
def test_what_is_not_a_list_of_jobs_ends_in_one_line(data, said):
    assert said in refusal(data)


def test_a_row_with_broken_quotes_does_not_end_the_list():
    huge = '"' + "x" * 200_000
    found = parse_list(f"id,title\nj-1,a\nj-2,{huge}\n".encode())
    assert [job.source for job in found.jobs] == ["j-1"]
    assert "check the quotes" in found.refused[0].reason


def test_repeated_rows_are_landed_once_and_counted():
    found = make_list([(1, "j-1"), (2, "j-1"), (3, {"id": "j-1", "backend_name": "b"})])
    assert [(job.row, job.backend) for job in found.jobs] == [(1, ""), (3, "b")]
    assert found.repeated == 1


@pytest.mark.slow
def test_a_hundred_thousand_rows_are_a_list():
    assert len(parse_list(b"id\n" + b"".join(b"j-%d\n" % n for n in range(100_000))).jobs) == 100_000


def test_signatures_do_not_change_the_folder():
    first, second = (
        make_list([(1, f"https://o.example/jobs/j/results/{s}?expires=1{s[0]}"), (2, "j")]).jobs
        for s in ("a" * 32, "b" * 32)
    )
    assert [job.folder for job in first] == [job.folder for job in second]
    assert len({job.folder for job in first}) == 2


def test_two_searches_of_one_url_have_two_folders():
    urls = [f"https://stac.example/search?collections={name}" for name in ("a", "b")]
    alone = [make_list([(1, url)]).jobs[0].folder for url in urls]
    assert len(set(alone)) == 2
    assert [job.folder for job in make_list(enumerate(urls)).jobs] == alone


HOSTILE = st.text() | st.sampled_from(
    ["CON", "a:b", "a?b", "A", "a", ".git", "é", "e\u0301", "x" * 300, "a_b-1234abcd"]
)


@given(st.lists(HOSTILE, min_size=1, unique=True))
def test_folders_are_safe_and_of_one_job_each(names):
    jobs = make_list(enumerate([*names, "j"])).jobs
    assert all(is_safe_path(job.folder) and "/" not in job.folder for job in jobs)
    assert len({fold(job.folder) for job in jobs}) == len(jobs)


@given(st.lists(st.sampled_from(["CON", "a:b", "a?b", "A", "a", "é", "plain"]), min_size=1, unique=True))
def test_folders_do_not_depend_on_the_order(names):
    there = {job.source: job.folder for job in make_list(enumerate(names)).jobs}
    assert {job.source: job.folder for job in make_list(enumerate(reversed(names))).jobs} == there


def test_an_id_that_is_made_to_be_another_jobs_folder_does_not_get_it():
    victim = make_list([(1, "a:b")]).jobs[0].folder
    folders = [job.folder for job in make_list([(1, "a:b"), (2, victim)]).jobs]
    assert len(set(folders)) == 2


JSON_ROWS = st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(), st.lists, max_leaves=5)


def refusal(data: bytes) -> str:
    """The line with which a list ends, or an empty string."""
    try:
        parse_list(data, "jobs.csv")
    except ResolveError as error:
        return str(error)
    return ""


@given(st.binary() | st.text().map(str.encode) | st.lists(JSON_ROWS).map(lambda rows: json.dumps(rows).encode()))
def test_any_bytes_are_a_list_or_one_line(data):
    said = refusal(data)
    assert "\n" not in said
    if not said:
        found = parse_list(data)
        assert all(job.folder for job in found.jobs)
        assert all(row.reason for row in found.refused)


@given(st.lists(st.lists(st.text(), min_size=3, max_size=3)))
def test_any_table_is_read_to_its_end(rows):
    out = io.StringIO()
    csv.writer(out).writerows([["id", "backend_name", "title"], *rows, ["last", "", ""]])
    found = parse_list(out.getvalue().encode(errors="replace"))
    assert "last" in {job.source for job in found.jobs}


@pytest.mark.parametrize("as_it_was", [True, False], ids=["a dictionary", "strings"])
def test_one_long_string_for_many_rows_of_parquet_is_not_multiplied(as_it_was):
    out, long = io.BytesIO(), pa.array(["x" * 1_000_000])
    column = pa.DictionaryArray.from_arrays(pa.array([0] * 5_000), long)
    pq.write_table(pa.table({"id": column}), out, store_schema=as_it_was)
    assert len(out.getvalue()) < 1_000_000
    with pytest.raises(ResolveError, match="a cell of more than"):
        parse_list(out.getvalue(), "jobs.parquet")


def test_a_column_of_parquet_that_holds_lists_is_refused():
    with pytest.raises(ResolveError, match="write strings"):
        parse_list(table(id=[["j-1"]]), "jobs.parquet")
