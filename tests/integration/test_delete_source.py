"""A move after proof: only what is in the target byte for byte is deleted at the source, and only once asked for."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from fault_server import FaultServer
from stac_item import stac_item

import splashdown
from splashdown._cli.main import main
from splashdown.builtins.file import FileTransport
from splashdown.errors import UsageError


class Source:
    """A folder with an item of three files."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        for name in ("a.bin", "b.bin", "c.bin"):
            (folder / name).write_bytes(name.encode() * 1000)
        self.list({name: f"./{name}" for name in ("a.bin", "b.bin", "c.bin")})

    def list(self, hrefs):
        document = stac_item({key: {"href": href} for key, href in hrefs.items()})
        (self.folder / "item.json").write_text(json.dumps(document))

    def open(self):
        return splashdown.open(self.folder / "item.json")

    @property
    def there(self):
        return {path.name for path in self.folder.iterdir()} - {"item.json"}


ALL = {"a.bin", "b.bin", "c.bin"}


@pytest.fixture
def source(tmp_path):
    return Source(tmp_path / "source")


@pytest.fixture
def target(source, tmp_path):
    """A target that has them all."""
    source.open().download_files(tmp_path / "out")
    return tmp_path / "out"


def test_what_is_proven_is_listed_and_deleted(source, target):
    asked = []
    done = source.open().delete_source(target, confirm=lambda hrefs: asked.extend(hrefs) or True)
    assert {Path(href).name for href in asked} == {Path(href).name for href in done.removed} == ALL
    assert not done.left
    assert source.there == set()
    assert {path.name for path in target.iterdir()} == {*ALL, "item.json"}


def test_without_the_consent_nothing_is_deleted(source, target):
    done = source.open().delete_source(target, confirm=lambda hrefs: False)
    assert done.declined
    assert not done.removed
    assert source.there == ALL


def test_a_selection_moves_itself_alone(source, target):
    source.open().select(keys="a.bin").delete_source(target)
    assert source.there == {"b.bin", "c.bin"}


def test_a_file_that_is_damaged_in_the_target_stays_at_the_source(source, target):
    before = (target / "a.bin").stat()
    (target / "a.bin").write_bytes(b"x" * before.st_size)  # the same length
    os.utime(target / "a.bin", ns=(before.st_atime_ns, before.st_mtime_ns))
    (target / "b.bin").unlink()
    done = source.open().delete_source(target)
    assert source.there == {"a.bin", "b.bin"}
    assert {Path(href).name: why for href, why in done.left.items()} == {
        "a.bin": "a.bin in the target is changed (the checksum is another one)",
        "b.bin": "b.bin in the target is missing",
    }


def test_a_source_that_changed_since_stays_whatever_its_dates_say(source, target):
    file = source.folder / "a.bin"
    before = file.stat()
    with file.open("r+b") as opened:
        opened.write(b"new")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    done = source.open().delete_source(target)
    assert source.there == {"a.bin"}
    assert "has changed since" in next(iter(done.left.values()))


def test_a_source_that_changes_after_the_proof_stays(source, target):
    def change(_):
        (source.folder / "a.bin").write_bytes(b"newer")
        return True

    done = source.open().delete_source(target, confirm=change)
    assert source.there == {"a.bin"}
    assert "ChangedError" in next(iter(done.left.values()))


@pytest.mark.parametrize("way", ["itself", "link to the folder", "file URL"])
def test_a_target_that_is_the_source_is_found_out(source, tmp_path, way):
    target = {
        "itself": source.folder,
        "link to the folder": tmp_path / "link",
        "file URL": source.folder.as_uri() + "/",
    }[way]
    if way == "link to the folder":
        target.symlink_to(source.folder, target_is_directory=True)
    kept = source.folder.parent / "item.json"
    kept.write_text((source.folder / "item.json").read_text().replace("./", "./source/"))
    results = splashdown.open(kept)
    # As a receipt in the source's own folder says of the very same files.
    results.download_files(tmp_path / "out")
    (source.folder / "item.json").write_bytes((tmp_path / "out" / "item.json").read_bytes())
    done = results.delete_source(target)
    assert not done.removed
    assert set(done.left.values()) == {"the target is the folder of the source itself"}
    assert source.there == ALL


def test_links_and_what_lies_elsewhere_stay(source, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "d.bin").write_bytes(b"d" * 100)
    (outside / "e.bin").write_bytes(b"e" * 100)
    (source.folder / "link.bin").symlink_to(outside / "d.bin")
    (source.folder / "folder").symlink_to(outside, target_is_directory=True)
    source.list(
        {
            "link": "./link.bin",
            "up": "../outside/d.bin",
            "folder": "./folder/e.bin",
            "url": (outside / "d.bin").as_uri(),
            "a": "./a.bin",
        }
    )
    source.open().download_files(tmp_path / "out")
    done = source.open().delete_source(tmp_path / "out")
    assert {Path(href).name for href in done.removed} == {"a.bin"}
    assert len(done.left) == 3  # two of them are one href
    assert (source.folder / "link.bin").is_symlink()
    assert {path.name for path in outside.iterdir()} == {"d.bin", "e.bin"}
    assert {Path(h).name for h in source.open().delete_source(tmp_path / "out", below=str(outside)).removed} == {
        "d.bin",
        "e.bin",
    }


def test_a_file_of_several_assets_goes_only_with_all_of_them(source, tmp_path):
    source.list({"one": "./a.bin", "two": "./a.bin"})
    source.open().select(keys="one").download_files(tmp_path / "out")
    done = source.open().delete_source(tmp_path / "out")
    assert list(done.left.values()) == ["no receipt in the target describes it"]
    source.open().download_files(tmp_path / "out")
    assert len(source.open().delete_source(tmp_path / "out").removed) == 1


def test_a_source_on_the_web_and_files_of_others_are_refused(source, target, tmp_path):
    with FaultServer() as server:
        server.add("/a.bin", b"a")
        source.list({"a": f"{server.url}/a.bin"})
        with pytest.raises(UsageError, match=r"http.*cannot be deleted from"):
            source.open().delete_source(target)
        assert server.ranges("/a.bin") == []
    (tmp_path / "alien").mkdir()
    (tmp_path / "alien" / "a.bin").write_bytes((target / "a.bin").read_bytes())
    source.list({"a.bin": "./a.bin"})
    assert source.open().delete_source(tmp_path / "alien").left  # without a receipt


def test_an_openeo_job_is_refused_in_one_line(tmp_path):
    from splashdown._demo.service import demo_service

    with demo_service() as service, pytest.raises(UsageError, match="delete the job at its back-end"):
        splashdown.open(service.job_url, auth=getattr(service, "token", None)).delete_source(tmp_path)


def test_a_file_behind_a_swapped_folder_stays(source, tmp_path, monkeypatch):
    """The folder is another one between the proof and the deletion."""
    source.open().download_files(tmp_path / "out")
    other = tmp_path / "other"
    other.mkdir()
    for name in ALL:
        (other / name).write_bytes((source.folder / name).read_bytes())

    def swap(_):
        source.folder.rename(tmp_path / "away")
        source.folder.symlink_to(other, target_is_directory=True)
        return True

    done = source.open().delete_source(tmp_path / "out", confirm=swap)
    assert not done.removed
    assert {path.name for path in other.iterdir()} == ALL


def test_a_store_that_fails_to_delete_is_one_line_each(source, target, monkeypatch):
    def fail(self, href, version):
        raise PermissionError(13, "Permission denied", href)

    monkeypatch.setattr(FileTransport, "delete", fail)
    done = source.open().delete_source(target)
    assert len(done.left) == 3
    assert all("PermissionError" in why for why in done.left.values())


def command(source, target, *more):
    return main(["--no-plugins", "download", str(source.folder / "item.json"), str(target), *more])


def test_the_command_moves_and_its_json_says_what_went(source, tmp_path, capsys):
    assert command(source, tmp_path / "out", "--delete-source", "--yes", "--json") == 0
    said = capsys.readouterr()
    report = json.loads(said.out)
    assert {Path(href).name for href in report["deleted"]} == ALL
    assert report["left"] == {}
    assert said.err.count("proven, to be deleted: ") == 3
    assert source.there == set()


def test_the_command_asks_on_a_terminal_and_needs_yes_without_one(source, tmp_path, capsys, monkeypatch):
    assert command(source, tmp_path / "out", "--delete-source") == 2
    assert "add --yes" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("click.confirm", lambda *_, **__: False)
    assert command(source, tmp_path / "out", "--delete-source") == 0
    assert "its deletion was not confirmed" in capsys.readouterr().err
    assert source.there == ALL


def test_the_command_deletes_nothing_where_something_failed(source, tmp_path, capsys):
    (source.folder / "b.bin").unlink()
    assert command(source, tmp_path / "out", "--delete-source", "--yes") == 1
    assert "Nothing was deleted at the source: not everything landed." in capsys.readouterr().err
    assert source.there == {"a.bin", "c.bin"}


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (["--delete-source", "--yes", "--no-metadata"], "needs the receipt"),
        (["--delete-source", "--yes", "--key", "a.bin"], "needs the receipt"),
        (["--yes"], "--yes goes with --delete-source only"),
        (["--delete-below", "x"], "--delete-below goes with --delete-source only"),
    ],
)
def test_options_that_do_not_fit_are_refused(source, tmp_path, capsys, more, why):
    assert command(source, tmp_path / "out", *more) == 2
    assert why in capsys.readouterr().err
