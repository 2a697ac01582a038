"""verify finds what is not as it was stored; sync keeps a target alike and removes only what it put there."""

import json

import pytest
from stac_item import stac_item

import splashdown
from splashdown._cli.main import main
from splashdown.builtins.local import LocalSink
from splashdown.errors import DownloadError, ResolveError, StoreError, TargetError, UsageError


@pytest.fixture
def source(tmp_path):
    class Source:
        path = tmp_path / "source" / "items.json"

        def __init__(self):
            self.path.parent.mkdir()
            self.items = {}

        def put(self, item, key="data.txt", content="content"):
            file = self.path.parent / f"{item}-{key}"
            file.write_text(content)
            self.items.setdefault(item, {})[key] = {"href": file.as_uri(), "type": "text/plain"}
            self.save()

        def save(self, **more):
            features = [stac_item(assets, id=item) for item, assets in self.items.items()]
            self.path.write_text(json.dumps({"type": "FeatureCollection", "features": features, **more}))

        def open(self):
            return splashdown.open(self.path)

    made = Source()
    for item in ("a", "b", "c"):
        made.put(item, content=f"this is {item}")
    return made


def states(target, **options):
    results = splashdown.Session()
    from splashdown._receipts.checking import verify_target

    report = verify_target(results.sink(str(target)), str(target), **options)
    return {f.name: str(f.state) for f in report.files}, report.ok


@pytest.mark.parametrize("verb", ["download_files", "download_collection"])
def test_verify_names_what_is_missing_changed_and_extra(source, tmp_path, verb):
    target = tmp_path / "out"
    getattr(source.open(), verb)(target)
    found, ok = states(target)
    assert ok
    assert set(found.values()) == {"ok"}
    assert len(found) == 3
    first, second, _ = sorted(found)
    (target / first).unlink()
    (target / second).write_text("THIS is b")
    (target / "more.txt").write_text("?")
    found, ok = states(target)
    assert (found[first], found[second], found["more.txt"], ok) == ("missing", "changed", "extra", False)
    assert states(target, read=False)[0][second] == "ok", "sizes alone do not show it"


def test_verify_says_that_there_is_no_receipt(tmp_path):
    with pytest.raises(ResolveError, match="no receipt"):
        states(tmp_path)


def test_verify_finds_the_receipts_of_several_sources(source, tmp_path):
    for folder in ("x", "y"):
        source.open().download_files(tmp_path / "out" / folder)
    assert len(states(tmp_path / "out")[0]) == 6


def test_the_action_also_misses_what_was_never_stored(source, tmp_path):
    source.open().select(items="a").download_files(tmp_path / "out")
    report = source.open().run("verify", target=tmp_path / "out")
    assert {f.name: f.detail for f in report.files if f.state == "absent"} == {
        "b/data.txt": "it was never stored",
        "c/data.txt": "it was never stored",
    }


def test_the_command_has_a_table_json_and_an_exit_code(source, tmp_path, capsys):
    target = tmp_path / "out"
    source.open().download_files(target)
    assert main(["verify", str(target)]) == 0
    assert "3 files as stored" in capsys.readouterr().out
    (target / "extra").write_text("x")
    assert main(["verify", str(target)]) == 0
    assert main(["verify", str(target), "--strict"]) == 1
    (target / "a/data.txt").write_text("")
    capsys.readouterr()
    assert main(["verify", str(target), "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert {f["state"] for f in report["files"]} == {"ok", "changed", "extra"}
    assert main(["verify", str(tmp_path / "source")]) == 3


@pytest.mark.parametrize("as_collection", [False, True])
def test_sync_fetches_what_is_new_and_removes_what_is_gone(source, tmp_path, as_collection):
    target = tmp_path / "out"
    options = {"target": target, "as_collection": as_collection}
    first = source.open().run("sync", **options)
    assert len(first.report.landed) == 3
    del source.items["b"]
    source.put("d")
    again = source.open().run("sync", **options)
    assert [s.split("/")[-2] for s in again.stale] == ["b"]
    assert again.removed == ()
    assert sum(o.status == "stored" for o in again.report.outcomes) == 1
    # What was not removed is remembered, and may be removed later.
    last = source.open().run("sync", delete=True, **options)
    assert last.removed == again.stale
    assert last.report.bytes_moved == 0
    left = {p.relative_to(target).as_posix() for p in target.rglob("*.txt")}
    assert {name.split("/")[-2] for name in left} == {"a", "c", "d"}
    assert states(target)[1]
    assert source.open().run("sync", delete=True, **options).stale == ()


def test_sync_removes_nothing_that_it_did_not_put_there(source, tmp_path):
    target = tmp_path / "out"
    source.open().run("sync", target=target)
    (target / "a/mine.txt").write_text("mine")
    (target / "b/data.txt").write_text("edited")
    for item in ("a", "b"):
        del source.items[item]
    source.save()
    done = source.open().run("sync", target=target, delete=True)
    assert "a/data.txt" in done.removed
    assert "b/data.txt" not in done.removed
    assert done.left == {"b/data.txt": "it changed since it was stored (6 bytes, 9 were stored)"}
    assert (target / "a/mine.txt").exists()


def test_sync_keeps_what_a_filter_leaves_out(source, tmp_path):
    source.open().run("sync", target=tmp_path / "out")
    done = source.open().select(items="a").run("sync", target=tmp_path / "out", delete=True)
    assert done.stale == ()


def test_sync_removes_nothing_when_the_source_could_not_be_read_as_a_whole(tmp_path):
    for item in ("a", "b"):
        document = {"type": "Feature", "stac_version": "1.0.0", "id": item, "geometry": None, "links": []}
        document |= {"properties": {"datetime": None}, "assets": {"data": {"href": f"{item}.txt"}}}
        (tmp_path / f"{item}.json").write_text(json.dumps(document))
        (tmp_path / f"{item}.txt").write_text(item)
    links = [{"rel": "item", "href": f"{item}.json"} for item in ("a", "b")]
    root = {"type": "Catalog", "stac_version": "1.0.0", "id": "r", "description": "d", "links": links}
    (tmp_path / "catalog.json").write_text(json.dumps(root))
    splashdown.open(tmp_path / "catalog.json").run("sync", target=tmp_path / "out")
    (tmp_path / "b.json").write_text("<html>")
    with pytest.raises(DownloadError, match=r"not all of the source could be read.*b\.json"):
        splashdown.open(tmp_path / "catalog.json").run("sync", target=tmp_path / "out", delete=True)
    assert (tmp_path / "out/data-b.txt").exists()


def test_sync_removes_nothing_when_an_asset_could_not_be_taken(source, tmp_path):
    source.open().run("sync", target=tmp_path / "out")
    source.items["b"]["more"] = {"title": "no href"}
    del source.items["c"]
    source.save()
    done = source.open().run("sync", target=tmp_path / "out", delete=True)
    assert done.removed == ()
    assert "could not be read as a whole" in done.left["c/data.txt"]


def test_sync_removes_nothing_after_a_failure(source, tmp_path):
    source.open().run("sync", target=tmp_path / "out")
    del source.items["b"]
    source.put("c", "more.txt")
    (source.path.parent / "c-more.txt").unlink()
    with pytest.raises(DownloadError):
        source.open().run("sync", target=tmp_path / "out", delete=True)
    assert (tmp_path / "out/b/data.txt").exists()


def test_what_was_removed_is_named_and_leaves_no_empty_folder(source, tmp_path, capsys):
    target = tmp_path / "out"
    assert main(["sync", str(source.path), str(target), "--quiet"]) == 0
    del source.items["b"]
    source.save()
    assert main(["sync", str(source.path), str(target), "--delete"]) == 0
    assert "removed: b/data.txt\n" in capsys.readouterr().out
    assert sorted(path.name for path in target.iterdir() if path.is_dir()) == ["a", "c"]


def test_a_dry_run_does_nothing(source, tmp_path, capsys):
    target = tmp_path / "out"
    assert main(["sync", str(source.path), str(target), "--dry-run"]) == 0
    assert not target.exists()
    assert main(["sync", str(source.path), str(target), "--quiet"]) == 0
    del source.items["b"]
    source.save()
    capsys.readouterr()
    assert main(["sync", str(source.path), str(target), "--delete", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["removed"] == ["b/data.txt"]


def test_sync_is_for_one_source(source, tmp_path):
    results = splashdown.open([str(source.path), str(source.path)])
    with pytest.raises(UsageError, match="single source"):
        results.run("sync", target=tmp_path / "out")


@pytest.mark.parametrize("verb", ["download_files", "download_collection"])
def test_a_file_of_somebody_else_that_was_kept_does_not_become_ours(source, tmp_path, verb):
    target = tmp_path / "out"
    getattr(source.open(), verb)(tmp_path / "names")
    name = next(path.relative_to(tmp_path / "names") for path in (tmp_path / "names").rglob("*data.txt"))
    (target / name).parent.mkdir(parents=True)
    (target / name).write_text("mine")
    getattr(source.open(), verb)(target, if_exists="skip")
    found, _ = states(target)
    assert (len(found), found[name.as_posix()]) == (3, "extra")
    with pytest.raises(DownloadError, match="exists and was not recognised as this asset"):
        getattr(source.open(), verb)(target)
    source.items.clear()
    source.put("d")
    collection = verb == "download_collection"
    done = source.open().run("sync", target=target, delete=True, as_collection=collection)
    assert len(done.removed) == 2
    assert (target / name).read_text() == "mine"


def test_keeping_what_is_there_keeps_what_is_known_of_it(source, tmp_path):
    target = tmp_path / "out"
    source.open().download_files(target)
    source.open().download_files(target, if_exists="skip")
    (target / "a/data.txt").write_text("THIS is a")
    found, _ = states(target)
    assert found == {"a/data.txt": "changed", "b/data.txt": "ok", "c/data.txt": "ok"}


@pytest.mark.parametrize("verb", ["download_files", "download_collection"])
def test_a_copy_of_what_was_saved_does_not_miss_what_was_stale_there(source, tmp_path, verb):
    place = tmp_path / "out/items.json"
    source.open().download_files(tmp_path / "out")
    del source.items["c"]
    source.save()
    source.open().download_files(tmp_path / "out")
    assert "splashdown:stale" in place.read_text()
    getattr(splashdown.open(place), verb)(tmp_path / "copy")
    found, ok = states(tmp_path / "copy")
    assert (sorted(found.values()), ok) == (["ok", "ok"], True)


def test_of_many_files_only_what_is_wrong_is_shown_and_quietly_nothing_else(tmp_path, capsys):
    (tmp_path / "a.txt").write_text("a")
    path = tmp_path / "item.json"
    path.write_text(json.dumps(stac_item({f"{n:03}": {"href": "a.txt"} for n in range(300)})))
    splashdown.open(path).download_files(tmp_path / "out", layout="{key}{ext}")
    assert main(["verify", str(tmp_path / "out"), "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")
    (tmp_path / "out/007.txt").unlink()
    (tmp_path / "out/008.txt").unlink()  # all of them are links to one file
    (tmp_path / "out/008.txt").write_text("")
    (tmp_path / "out/more.txt").write_text("")
    assert main(["verify", str(tmp_path / "out")]) == 1
    shown = capsys.readouterr().out
    assert "298 files as stored, 2 missing or changed, 1 that no receipt knows" in shown
    assert [name in shown for name in ("007.txt", "008.txt", "more.txt", "009.txt")] == [True, True, True, False]
    assert main(["verify", str(tmp_path / "out"), "--quiet"]) == 1
    told = ["missing: 007.txt", "changed: 008.txt: 0 bytes, 1 were stored"]
    assert capsys.readouterr() == ("", "\n".join([*told, ""]))
    main(["verify", str(tmp_path / "out"), "--quiet", "--strict"])
    assert "extra: more.txt" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["download_files", "download_collection", "sync", "verify"])
def test_a_receipt_that_cannot_be_read_now_is_not_taken_for_none(source, tmp_path, verb, monkeypatch):
    target = tmp_path / "out"
    source.open().download_files(target)
    before = (target / "items.json").read_bytes()
    read = LocalSink.read

    def failing(self, key):
        if key == "items.json":
            raise StoreError("the store is busy")
        return read(self, key)

    monkeypatch.setattr(LocalSink, "read", failing)
    with pytest.raises(
        TargetError, match=r"items\.json says what is in the target, and cannot be read \(StoreError: the store is"
    ):
        source.open().run(verb, target=target)
    assert (target / "items.json").read_bytes() == before


PARTS = [("datetime", "2000"), ("bbox", "0,0,1,1"), ("ids", "a"), ("collections", "none"), ("limit", "1")]


@pytest.mark.parametrize(("option", "value"), PARTS)
def test_what_was_not_asked_for_is_never_removed(source, tmp_path, capsys, option, value):
    target = tmp_path / "out"
    source.open().download_files(target)
    part = splashdown.open(source.path, **{option: value})
    with pytest.raises(UsageError, match=f"{option} asked for a part of it"):
        part.run("sync", target=target, delete=True)
    assert part.dry_run("sync", target=target).stale == ()
    command = ["sync", str(source.path), str(target), f"--{option}", value]
    assert main([*command, "--delete"]) == 2
    assert main([*command, "--dry-run"]) == 0
    assert "not in the source" not in capsys.readouterr().out
    assert len(list(target.rglob("data.txt"))) == 3


def test_the_file_of_one_item_is_not_replaced_by_that_of_another(source, tmp_path):
    first, second = (splashdown.open(source.path, ids=item) for item in ("a", "b"))
    first.download_files(tmp_path / "out")
    (name,) = [transfer.name for transfer in second.plan(tmp_path / "out").transfers]
    before = (tmp_path / "out" / name).read_text()
    with pytest.raises(DownloadError, match=r"another asset \(a/data\.txt\): give each asset a name of its own"):
        second.download_files(tmp_path / "out")
    assert (tmp_path / "out" / name).read_text() == before
    second.download_files(tmp_path / "out", layout="by-item")
    assert states(tmp_path / "out")[1]


def test_a_sync_of_another_item_each_night_replaces_the_file_where_that_is_asked_for(source, tmp_path, capsys):
    target = tmp_path / "out"
    sync = ["sync", str(source.path), str(target), "--delete"]
    source.items = {}
    source.put("monday", content="of monday")
    assert main(sync) == 0
    source.items = {}
    source.put("tuesday", content="of tuesday")
    capsys.readouterr()
    assert main(sync) == 1
    assert "choose --if-exists overwrite" in capsys.readouterr().err
    (file,) = target.glob("*.txt")
    assert file.read_text() == "of monday"
    assert main([*sync, "--if-exists", "overwrite"]) == 0
    assert file.read_text() == "of tuesday"
    assert states(target) == ({file.name: "ok"}, True)


PAGE = "<!DOCTYPE html><html><title>Sign in</title></html>"


@pytest.mark.parametrize(("key", "media_type"), [("a.tif", None), ("b", "image/tiff")])
def test_verify_finds_a_login_page_that_was_stored_as_a_raster(source, tmp_path, capsys, key, media_type):
    source.put("a", key=key, content=PAGE)
    source.items["a"][key] |= {"type": media_type or "application/octet-stream"}
    source.save()
    target = tmp_path / "out"
    source.open().download_files(target, settings=splashdown.Settings(verify=False))
    (bad,) = [file for file in splashdown.Session().run("verify", str(target)).files if file.state != "ok"]
    assert bad.state == "unexpected"
    assert "Sign in" in bad.detail
    assert main(["verify", str(target)]) == 1
    assert "1 not of the promised format" in capsys.readouterr().out
    assert main(["verify", str(target), "--quick"]) == 0


def test_an_empty_file_in_place_of_a_raster_is_found_without_a_checksum(source, tmp_path):
    source.put("a", key="a.tif", content="")
    target = tmp_path / "out"
    source.items["a"]["a.tif"]["type"] = "image/tiff"
    source.save()
    source.open().download_files(target, settings=splashdown.Settings(verify=False, checksum=None))
    found, ok = states(target)
    assert "unexpected" in found.values()
    assert not ok


def test_sync_removes_a_stale_file_of_another_format_too(source, tmp_path):
    source.put("d", key="d.tif", content=PAGE)
    source.items["d"]["d.tif"]["type"] = "image/tiff"
    source.save()
    target = tmp_path / "out"
    source.open().download_files(target, settings=splashdown.Settings(verify=False))
    del source.items["d"]
    source.save()
    done = source.open().run("sync", target=target, delete=True)
    assert len(done.removed) == 1
    assert not list(target.rglob("*.tif"))
