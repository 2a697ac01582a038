"""Lists of very many rows: the look of short ones, at a cost that does not grow with Python calls."""

import io
import json
import sys

import pytest
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text
from stac_item import stac_item

from splashdown._cli.main import main
from splashdown._cli.plain_table import lines

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
def test_a_plain_table_looks_like_one_on_a_terminal(count, header):
    columns = ("key", "type", "size")
    plain = "\n".join(lines(columns, ROWS[:count], right={"size"}, header=header))
    assert plain + "\n" == drawn_by_rich(columns, ROWS[:count], {"size"}, header)


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


def test_a_listed_asset_costs_few_python_calls(tmp_path, capsys):
    def listed(count):
        path = tmp_path / f"{count}.json"
        assets = {
            f"a{n}": {"href": f"https://h.example/{n}.tif", "file:size": n, "roles": ["data"]} for n in range(count)
        }
        path.write_text(json.dumps(stac_item(assets)))
        calls = calls_of(lambda: main(["--no-plugins", "ls", str(path)]))
        assert capsys.readouterr().out.count("\n") == count + 5
        return calls

    listed(10)
    each = (listed(1_010) - listed(10)) / 1_000
    assert each < 100, each  # resolving it; rich took 350 more
