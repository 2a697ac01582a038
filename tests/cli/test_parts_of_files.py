"""`--clip` and `--unpack`: with a loader of the user's own that clips lines of text, so that no plugin is needed."""

import json
import zipfile

import pytest
from fault_server import FaultServer
from faults import Status
from stac_item import stac_item

from splashdown._cli.main import main

PLUGIN = '''
from splashdown import hookimpl
from splashdown.clipping import Clip
from splashdown.errors import LoadError
from splashdown.specs import LoaderSpec

def load(asset):
    return asset.bytes().decode()

def clip(asset, area):
    """Lines of "longitude rest"."""
    if bytes(asset.read_range(0, 3)) == b"BAD":
        raise LoadError("this is not a list\\nof places")
    def inside(line):
        return area.bbox[0] <= float(line.split()[0]) <= area.bbox[2]
    def write(path):
        path.write_text("".join(l for l in load(asset).splitlines(True) if inside(l)))
    west = float(bytes(asset.read_range(0, 4)).split()[0])
    if west > area.bbox[2]:
        return None
    return Clip(media_type="text/x-places", extension=".places", recipe=f"lines {area.bbox}", write=write,
                bbox=area.bbox, metadata={"kept": True}, stale=("count",))

class Plugin:
    @hookimpl
    def splashdown_loaders(self):
        yield LoaderSpec(name="places", load=load, clip=clip, media_types=("text/x-places",), extensions=(".places",))
'''
PLACES = "".join(f"{longitude} {'x' * 90}\n" for longitude in range(1, 100)).encode()


@pytest.fixture
def server():
    with FaultServer() as running:
        yield running


@pytest.fixture
def run(capsys, tmp_path):
    (tmp_path / "plugin.py").write_text(PLUGIN + "\nsplashdown_loaders = Plugin().splashdown_loaders\n")

    def call(*arguments):
        code = main(["--no-plugins", "--plugin", str(tmp_path / "plugin.py"), *map(str, arguments)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


@pytest.fixture
def source(server, tmp_path):
    """An item with lists of places, and one of them in an archive."""
    with zipfile.ZipFile(tmp_path / "p.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("deep/c.places", PLACES)
        archive.writestr("readme.txt", "hello")
    contents = {"a.places": PLACES, "far.places": b"90 x\n", "bad.places": b"BAD", "x.json": b"{}",
                "p.zip": (tmp_path / "p.zip").read_bytes()}  # fmt: skip
    assets = {name: {"href": server.add(f"/{name}", data), "count": 99} for name, data in contents.items()}
    path = tmp_path / "item.json"
    path.write_text(json.dumps(stac_item(assets, bbox=[0, 0, 100, 10])))
    return path


def test_a_clip_lands_and_what_is_left_out_is_named(run, source, tmp_path):
    code, out, err = run("download", source, tmp_path / "out", "--clip", "10,0,12.5,5")
    assert code == 0
    assert (tmp_path / "out/a.places").read_bytes() == b"".join(PLACES.splitlines(keepends=True)[9:12])
    assert "1 of 1 file" in out
    assert f"of {len(PLACES) / 1024:.1f} KiB" in out
    assert "not one/far.places: its pixels do not meet the area" in err
    assert "not one/bad.places: it cannot be clipped: this is not a list of places" in err
    assert "not one/x.json: it cannot be clipped: the loader 'json' cannot clip; those of places can" in err
    entry = json.loads((tmp_path / "out/item.json").read_text())["assets"]["a.places"]
    assert entry["kept"]
    assert "count" not in entry


def test_an_area_may_be_a_geojson_file(run, source, tmp_path):
    area = tmp_path / "area.geojson"
    area.write_text('{"type": "Polygon", "coordinates": [[[10, 0], [12.5, 5], [11, 0], [10, 0]]]}')
    code, _, _ = run("download", source, tmp_path / "out", "--clip", area, "--include", "a.places")
    assert code == 0
    assert (tmp_path / "out/a.places").read_bytes().splitlines()[0].startswith(b"10 ")


@pytest.mark.parametrize("area", ["nonsense", "1,2,3", "5,0,1", '{"type": "Point"}', "/"])
def test_what_is_not_an_area_is_a_usage_error(run, source, tmp_path, area):
    code, _, err = run("download", source, tmp_path / "out", "--clip", area)
    assert code == 2
    assert "to clip to is" in err


def test_a_file_in_an_archive_is_listed_clipped_and_landed(run, source, tmp_path):
    code, out, _ = run("ls", source, "--unpack", "--include", "p.zip!*")
    assert code == 0
    assert "p.zip!/deep/c.places" in out
    code, _, _ = run("download", source, tmp_path / "out", "--unpack", "--include", "*c.places", "--clip", "1,0,1,5")
    assert code == 0
    assert (tmp_path / "out/deep/c.places").read_bytes() == PLACES.splitlines(keepends=True)[0]


def test_a_file_in_an_archive_is_printed(run, source):
    assert run("load", source, "p.zip!/readme.txt", "--unpack")[:2] == (0, "hello\n")


def test_an_archive_that_cannot_be_read_is_exit_code_1_and_the_rest_lands(run, source, server, tmp_path):
    server.script("/p.zip", Status(404))
    code, _, err = run("download", source, tmp_path / "out", "--unpack", "--include", "a.places")
    assert code == 1
    assert "the archive cannot be read: one/p.zip" in err
    assert (tmp_path / "out/a.places").read_bytes() == PLACES


def test_retry_wants_the_same_part_again(run, source, server, tmp_path):
    server.script("/a.places", *[Status(404)] * 9)
    arguments = ("--clip", "10,0,12.5,5")
    code, out, _ = run("download", source, tmp_path / "out", *arguments, "--include", "a.places", "--json")
    assert code == 1
    report = tmp_path / "report.json"
    report.write_text(out)
    server.forget("/a.places")
    code, _, err = run("retry", report)
    assert (code, "--clip" in err) == (2, True)
    code, _, _ = run("retry", report, *arguments)
    assert code == 0
    assert len((tmp_path / "out/a.places").read_bytes().splitlines()) == 3


def test_sync_with_delete_refuses_a_part(run, source, tmp_path):
    code, _, err = run("sync", source, tmp_path / "out", "--delete", "--clip", "10,0,12.5,5")
    assert code == 2
    assert "clip asked for a part" in err
