"""The Python of the how-to on openEO, run from top to bottom on the real back-end."""

import re
from pathlib import Path

from openeo_backend import Backend, JobIds

PAGE = Path(__file__).parents[2] / "docs/how-to/openeo.md"
BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)


def test_every_example_of_the_page_works_as_written(backend: Backend, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    user, password = backend.auth
    written = {
        "https://openeo.example": backend.url,
        '("user", "password")': repr((user, password)),
        "jobs/JOB": f"jobs/{JobIds.plain}",
        '"JOB"': repr(JobIds.plain),
        "jobs/OTHER": f"jobs/{JobIds.items}",
    }
    blocks = BLOCK.findall(PAGE.read_text())
    assert len(blocks) >= 4
    names: dict[str, object] = {}
    for block in blocks:
        for placeholder, real in written.items():
            block = block.replace(placeholder, real)
        exec(compile(block, str(PAGE), "exec"), names)
    for job in (JobIds.plain, JobIds.items):
        for name, content in backend.content(job).items():
            assert (tmp_path / "data" / job / name).read_bytes() == content
    assert JobIds.error in capsys.readouterr().out
