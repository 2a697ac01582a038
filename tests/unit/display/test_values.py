"""What a notebook shows of results, assets, downloads and jobs, without a network."""

from __future__ import annotations

import datetime as dt
import json
import os
import pickle
import struct
import zlib
from dataclasses import replace

import pytest
from html_pages import HOSTILE, Page

import splashdown
from splashdown._display import facts
from splashdown.actions import SyncReport
from splashdown.backend import Jobs
from splashdown.builtins.loaders import load_picture
from splashdown.errors import LoadError
from splashdown.picture import Picture
from splashdown.results import JobResults


def png(width=8, height=6):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + bytes(3 * width) for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


#: A JPEG up to its frame header: start, a comment, a fill byte, then 300 x 200 pixels.
JPEG = b"\xff\xd8\xff\xfe\0\x04hi\xff\xff\xc0\0\x11\x08\0\xc8\x01\x2c\x03" + bytes(9)


@pytest.fixture
def item(tmp_path, monkeypatch):
    """An item with an image, a thumbnail and names that mean something to a browser."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.tif").write_bytes(b"II*\0" + bytes(96))
    (tmp_path / "small.png").write_bytes(png())
    image = {"href": "./a.tif", "type": "image/tiff; application=geotiff", "roles": ["data"], "file:size": 100}
    assets = {
        "image": image | {"eo:bands": [{"name": "B04"}, {"common_name": "nir"}]},
        "thumbnail": {"href": "./small.png", "type": "image/png", "roles": ["thumbnail"]},
        HOSTILE[0]: {"href": "./a.tif", "title": HOSTILE[2], "type": HOSTILE[1], "roles": [HOSTILE[3]]},
    }
    document = {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": HOSTILE[1],
        "bbox": [3, 50, 4, 51],
        "geometry": None,
        "properties": {"datetime": "2023-06-01T10:50:31Z", "proj:epsg": 32631},
        "links": [],
        "assets": assets,
    }
    (tmp_path / "item.json").write_text(json.dumps(document))
    return tmp_path / "item.json"


def test_results_show_where_when_and_what_they_are(item):
    page = Page(splashdown.open(str(item))._repr_html_())
    words = " ".join(page.words)
    assert {"svg", "img"} <= {*page.tags}
    for fact in ("2023-06-01 10:50", "B04, nir", "EPSG:32631", "image/tiff", "data", "100 B", "3 assets"):
        assert fact in words


def test_a_download_is_a_list_of_paths_that_shows_the_report(item):
    paths = splashdown.open(str(item)).select(keys="image").download_files("out")
    assert isinstance(paths, list)
    assert [path.name for path in paths] == ["image-a.tif", paths[-1].name]
    assert paths == [*paths]
    assert "1 of 1 file" in paths._repr_html_()
    assert pickle.loads(pickle.dumps(paths)) == paths


def test_a_sync_shows_what_it_removed_and_left(item):
    done = splashdown.open(str(item)).sync("out")
    assert isinstance(done, SyncReport)
    assert "3 of 3 files" in done._repr_html_()
    shown = SyncReport(plan=done.plan, report=done.report, removed=("old.tif",), left={"mine.tif": "it changed"})
    assert {"1 file removed", "old.tif", "1 file left", "it changed"} <= {*Page(shown._repr_html_()).words}


def served(item):
    """The same results, as if a server had listed them."""
    own = splashdown.open(str(item))
    return JobResults(own.session, replace(own.result_set, href="https://data.example/item.json"))


def test_what_a_server_lists_shows_no_file_of_this_machine(item):
    assert "<img" not in served(item)._repr_html_()
    assert "<img" in splashdown.open(str(item))._repr_html_()


def test_a_picture_that_was_loaded_or_downloaded_is_shown_again(item):
    results = served(item)
    results.load("thumbnail")
    assert "<img" in results.select(roles="thumbnail")._repr_html_()
    again = served(item)
    again.download_files("out")
    assert "<img" in again.get_asset("thumbnail")._repr_html_()


@pytest.mark.parametrize("content", [b"no picture", b"", png() + bytes(200_000)])
def test_only_small_pictures_become_thumbnails(item, content):
    item.with_name("small.png").write_bytes(content)
    assert "<img" not in splashdown.open(str(item))._repr_html_()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_keeps_no_notebook_waiting(item):
    item.with_name("small.png").unlink()
    os.mkfifo(item.with_name("small.png"))
    assert "<img" not in splashdown.open(str(item))._repr_html_()


def test_a_thumbnail_loads_as_a_picture_that_a_notebook_shows(item):
    picture = splashdown.open(str(item)).load("thumbnail")
    assert isinstance(picture, Picture)
    assert (picture.width, picture.height, picture.media_type) == (8, 6, "image/png")
    assert picture._repr_png_() == bytes(picture) == png()
    assert picture._repr_jpeg_() is None
    assert repr(picture).startswith("<Picture: PNG of 8 x 6 pixels")


def test_a_jpeg_says_its_size_and_a_broken_one_what_it_lacks(item):
    picture = Picture.of(JPEG)
    assert (picture.width, picture.height) == (300, 200)
    assert picture._repr_jpeg_() == JPEG
    for cut in range(JPEG.index(b"\xff\xc0") + 9):
        with pytest.raises(ValueError, match=r"damaged|neither"):
            Picture.of(JPEG[:cut])


def test_a_file_that_is_not_a_picture_is_an_error_with_its_name(item):
    with pytest.raises(LoadError, match=r"image is not a picture.*49 49 2a 00"):
        load_picture(splashdown.open(str(item)).get_asset("image").open())


def test_dates_are_short_where_the_time_of_day_says_nothing():
    day, later = dt.datetime(2023, 6, 1, tzinfo=dt.UTC), dt.datetime(2023, 6, 30, 12, tzinfo=dt.UTC)
    assert facts.dates(day, day) == "2023-06-01"
    assert facts.dates(later, later) == "2023-06-30 12:00"
    assert facts.dates(day, later) == "2023-06-01 to 2023-06-30"
    assert facts.dates(None, later) == ".. to 2023-06-30"
    assert facts.span([(day, day), (None, None), (later, later)]) == "2023-06-01 to 2023-06-30"


@pytest.mark.parametrize("bands", ["B04", [1, None, {}, {"name": 3}], {"name": "B04"}, None])
def test_bands_of_a_wrong_type_count_as_absent(bands):
    assert facts.bands({"bands": bands}, {"eo:bands": [{"name": "B08"}]}) == ("B08",)


def test_jobs_show_the_first_page_and_ask_for_nothing(monkeypatch):
    asked = []

    def pages():
        for number in range(3):
            asked.append(number)
            yield [{"id": f"j{number}", "title": HOSTILE[0], "status": "running", "progress": 40}]

    class Backend:
        url = "https://openeo.example"

    jobs = Jobs(Backend(), pages(), None)
    page = Page(jobs._repr_html_())
    assert asked == [0]
    assert page.strange == (set(), set(), [])
    assert {"1 job on the first page on ", "j0", HOSTILE[0], "running (40 %)"} <= {*page.words}
    assert [job.id for job in jobs] == ["j0", "j1", "j2"]
    assert "j2" in Page(splashdown.backend.Job(Backend(), "j2")._repr_html_()).words
