"""Lists of very many rows: the look of short ones, at a cost that does not grow with Python calls."""

import io
import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text
from stac_item import stac_item

from splashdown._cli.main import main
from splashdown._cli.plain_table import lines
from splashdown._display.json import dumps, records

ROWS = [("a", "image/tiff", "5 B"), ("bbbbbb", "", "123.0 KiB"), ("日本", "é", "?"), ("x" * 300, "e\u0301", "1 B")]


def drawn_by_rich(columns, rows, right, header):
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_header=header)
    for column in columns:
        grid.add_column(Text(column), justify="right" if column in right else "left")
    for row in rows:
        grid.add_row(*map(Text, row))
    file = io.StringIO()
    Console(file=file, width=1000).print(grid)
    return file.getvalue()


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("count", range(1, len(ROWS) + 1))
def test_a_plain_table_is_one_of_a_terminal_without_blanks_at_line_ends(count, header):
    columns = ("key", "size", "type")
    rows = [(key, size, kind) for key, kind, size in ROWS[:count]]
    drawn = drawn_by_rich(columns, rows, {"size"}, header).splitlines()
    assert list(lines(columns, rows, right={"size"}, header=header)) == [line.rstrip() for line in drawn]


def test_control_characters_of_a_document_reach_no_pipe():
    assert "\x1b" not in "".join(lines(("key",), [("\x1b[31mred",), ("\ud800",)]))


def calls_of(function):
    calls = 0

    def count(frame, event, argument):
        nonlocal calls
        calls += event == "call"

    sys.setprofile(count)
    try:
        function()
    finally:
        sys.setprofile(None)
    return calls


def test_a_row_of_a_table_costs_no_python_call():
    few, many = [[(str(n), "type", "5 B") for n in range(count)] for count in (100, 10_100)]
    rows = calls_of(lambda: list(lines(("a", "b", "c"), many))) - calls_of(lambda: list(lines(("a", "b", "c"), few)))
    assert rows <= 2 * 10_000 + 100, "the generator and the line itself"


def document(folder, count):
    path = folder / f"{count}.json"
    assets = {
        f"a{n:04}": {"href": f"https://h.example/{n}.tif", "file:size": n, "roles": ["data"]} for n in range(count)
    }
    path.write_text(json.dumps(stac_item(assets)))
    return path


#: Python calls for one more asset from the document to the line, and a tenth for other versions of Python and of the
#: libraries. Lower it with each call that goes.
@pytest.mark.parametrize(("how", "most"), [((), 23), (("--json",), 39), (("--format", "csv"), 25)])
def test_a_listed_asset_costs_few_python_calls(tmp_path, capsys, how, most):
    def listed(count):
        path = document(tmp_path, count)
        calls = calls_of(lambda: main(["--no-plugins", "ls", *how, str(path)]))
        assert capsys.readouterr().out.count("a0") == min(count, 1000)
        return calls

    listed(10)
    assert (listed(5_000) - listed(4_000)) / 1_000 < most  # documents that do not fit the window of the reader


PROGRAM = "from splashdown._cli.main import run; run()"


def test_a_reader_that_goes_away_gets_no_error_message(tmp_path):
    path = document(tmp_path, 9_000)  # more than a pipe holds
    for how in ((), ("--json",)):
        command = [sys.executable, "-c", PROGRAM, "--no-plugins", "ls", *how, str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
            running.stdout.readline()
            running.stdout.close()
            assert running.stderr.read() == b""
            assert running.wait() == 1


flat = st.dictionaries(
    st.text(max_size=5),
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.lists(st.text(max_size=5) | st.integers() | st.lists(st.text(max_size=3), max_size=2), max_size=3)
    | st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
    min_size=1,
    max_size=5,
)


@given(st.lists(flat, max_size=4), st.booleans())
def test_records_are_written_as_pythons_own_encoder_writes_them(values, ascii_only):
    whole = dumps(values, indent=2, ensure_ascii=ascii_only)
    assert "".join(records(values, ensure_ascii=ascii_only)) == whole
