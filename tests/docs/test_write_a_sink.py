"""The tutorial on sinks, done exactly as written: its files are saved, its commands are typed, in this order."""

import re

import pytest
from fresh import ROOT, FreshFolder

PAGE = (ROOT / "docs/tutorial/write-a-sink.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
NAMES = re.findall(r"[Ss]ave this as\s`([\w.]+)`", PAGE)


@pytest.mark.slow
@pytest.mark.timeout(600)  # pip installs a dozen packages
def test_a_reader_who_follows_the_tutorial_has_a_sink_that_works(tmp_path):
    (tmp_path / "reader").mkdir()
    (tmp_path / "splashdown").symlink_to(ROOT)  # the checkout beside the reader's folder
    reader = FreshFolder(tmp_path / "reader")
    names, shown = iter(NAMES), []
    for language, text in BLOCKS:
        if language == "sh":
            done = reader.run(text)
            assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
            shown.append(done.stdout)
        else:
            (reader.path / next(names)).write_text(text)
    assert list(names) == []
    _, listed, tested, downloaded, looked = shown
    assert re.search(r"sqlite.*splashdown-sqlite.*0\.1\.0", listed)
    assert re.search(r"^\d+ passed, \d+ skipped", tested.splitlines()[-1])
    assert "stored" in downloaded
    sizes = dict(line.rsplit(" ", 1) for line in looked.splitlines())
    demo = {file.name: file.stat().st_size for file in (reader.path / "splashdown-demo").iterdir()}
    assert demo.pop("job-results.json")
    assert {name: int(sizes[name]) for name in demo} == demo
    assert set(sizes) - set(demo) == {"collection.json"}


def test_the_sink_of_the_tutorial_has_forty_lines():
    sink = next(text for language, text in BLOCKS if language == "python")
    assert len([line for line in sink.splitlines() if line.strip()]) <= 40
