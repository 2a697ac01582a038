"""Every asset gets a name that is safe everywhere and belongs to it alone."""

import datetime as dt
import ntpath
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from splashdown._naming.names import LAYOUTS, _wanted, assign_names, openeo_name, with_extension
from splashdown.errors import UsageError
from splashdown.formats import FORMATS
from splashdown.model import Asset
from splashdown.safe_names import MAX_SEGMENT, fold, is_safe_path, safe_path, safe_segment

HREF = "https://host.example/results/sig==/"


def asset(key="a.tif", href=None, **fields):
    return Asset(key=key, href=href or HREF + "x.tif", **fields)


def names(assets, **options):
    return assign_names(assets, **options)


# What every system agrees on ------------------------------------------------------------------------------------

KEYS = st.one_of(
    st.from_regex(r"[A-Za-z0-9_.-]{1,12}\.[a-z0-9]{1,3}", fullmatch=True),
    st.text(max_size=40),
    st.sampled_from(
        ["a.tif", "A.tif", "a", "a/b", "..", "../../etc/passwd", "con.tif", "NUL", "a.tif.", "a ", "COM¹.txt"]
    ),
    st.sampled_from(
        ["é.tif", "e\u0301.tif", "Å", "\u212b", "ﬁ.tif", "fi.tif", "ß", "ss", "\\\\host\\share", "C:\\x.tif"]
    ),
    st.text(alphabet="ab/.\\: \u0301\u202e\0", max_size=12),
)
ASSETS = st.builds(
    Asset,
    key=KEYS,
    href=st.one_of(KEYS.map(lambda k: HREF + k), KEYS),
    item=st.none() | KEYS,
    collection=st.none() | st.just("c"),
    media_type=st.none() | st.sampled_from(["image/tiff; application=geotiff", "application/json", "x/y"]),
    local_path=st.none() | KEYS,
    start=st.none() | st.just(dt.datetime(2024, 5, 6, tzinfo=dt.UTC)),
)
TEMPLATES = st.sampled_from(
    [*LAYOUTS, "{key}", "{item}_{counter}{ext}", "{datetime:%Y/%m}/{key}{ext}", "{job_id}/{name}"]
)


def is_safe_on_every_system(name):
    assert name, "empty"
    assert len(name.encode()) <= 1000
    for segment in name.split("/"):
        assert segment not in {"", ".", ".."}
        assert len(segment.encode()) <= 255
        assert not segment.endswith((".", " "))
        assert not segment.startswith((".", " "))
        assert not set(segment) & set('<>:"\\|?*')
        assert all(unicodedata.category(c)[0] != "C" for c in segment)
        assert not ntpath.isreserved(segment) if hasattr(ntpath, "isreserved") else True
        assert segment.split(".")[0].rstrip().upper() not in {"CON", "PRN", "AUX", "NUL", "COM1", "LPT9", "COM¹"}


@given(st.lists(ASSETS, max_size=12), TEMPLATES, st.lists(KEYS.map(safe_path), max_size=3))
@settings(max_examples=400)
@example([asset("a"), asset("a/b"), asset("A")], "{key}", [])
def test_names_are_safe_and_clash_in_no_way_that_a_file_system_knows(assets, layout, reserved):
    found = names(assets, layout=layout, reserved=reserved)
    for name in found:
        is_safe_on_every_system(name)
    every = [*found, *dict.fromkeys(reserved)]
    for form in ("NFC", "NFD", "NFKC"):
        for case in (str.casefold, str.lower, str.upper):
            given_names = {unicodedata.normalize(form, case(name)) for name in found}
            assert len(given_names) == len(found)
            assert not given_names & {unicodedata.normalize(form, case(name)) for name in reserved}
    folders = {fold(n.rsplit("/", i)[0]) for n in every for i in range(1, n.count("/") + 1)}
    assert not folders & set(map(fold, found)), "a file where a folder is needed"


@given(st.lists(ASSETS, max_size=8, unique_by=lambda a: (a.identity, a.href)), st.randoms(use_true_random=False))
@settings(max_examples=100)
def test_the_order_of_the_assets_does_not_change_their_names(assets, random):
    shuffled = list(assets)
    random.shuffle(shuffled)
    before = {(a.identity, a.href): name for a, name in zip(assets, assign_names(assets), strict=True)}
    after = {(a.identity, a.href): name for a, name in zip(shuffled, assign_names(shuffled), strict=True)}
    assert before == after


@given(st.text(max_size=300))
def test_a_safe_segment_stays_as_it_is(text):
    once = safe_segment(text)
    assert safe_segment(once) == once
    assert len(once.encode()) <= MAX_SEGMENT
    assert is_safe_path(once)


# The rule of openEO clients ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "href", "media_type", "name"),
    [
        ("openEO_2020.tif", HREF + "other.tif", None, "openEO_2020.tif"),
        ("résumé-1.json", HREF + "x", None, "résumé-1.json"),
        ("data", HREF + "out.tif?sig=1", None, "data-out.tif"),
        ("res/1", HREF + "o%20ut.nc", None, "res1-out.nc"),
        ("B04", HREF + "scene", "image/tiff; application=geotiff; profile=cloud-optimized", "B04-scene.tif"),
        ("B04", "https://host.example/", "IMAGE/PNG", "B04.png"),
        ("B04", "https://host.example/", "application/x-msdownload", "B04"),
        ("con.tif", HREF + "x", None, "_con.tif"),
        ("..", "https://host.example/..", None, "_"),
    ],
)
def test_a_key_that_is_a_file_name_is_the_name_else_key_and_href(key, href, media_type, name):
    assert openeo_name(key, href, media_type) == name


def test_local_path_is_honoured_where_it_is_safe():
    good, bad, worse = names(
        [
            asset("a.tif", local_path="2024/a/b.tif"),
            asset("b.tif", local_path="../b.tif"),
            asset("c.tif", local_path="C:\\c.tif"),
        ]
    )
    assert (good, bad, worse) == ("2024/a/b.tif", "b.tif", "c.tif")


# Clashes ------------------------------------------------------------------------------------------------------------


def test_the_same_key_in_many_items_goes_into_a_folder_of_the_item():
    assets = [
        asset("B04.tif", item="S2A"),
        asset("B04.tif", item="S2B"),
        asset("B04.tif"),
        asset("B08.tif", item="S2A"),
    ]
    assert names(assets) == ["S2A/B04.tif", "S2B/B04.tif", "B04.tif", "B08.tif"]
    assert names(assets[:2], layout="flat") == ["S2A_x.tif", "S2B_x.tif"]


def test_keys_that_become_one_name_get_numbers():
    assets = [asset("res:1", HREF + "o.tif"), asset("res/1", HREF + "o.tif"), asset("RES1-o.TIF")]
    assert names(assets) == ["res1-o-3.tif", "res1-o-2.tif", "RES1-o.TIF"]


def test_reserved_names_are_left_alone():
    assert names([asset("job-results.json"), asset("Job-Results.JSON")], reserved=["job-results.json"]) == [
        "job-results-3.json",
        "Job-Results-2.JSON",
    ]


def test_a_chosen_name_is_used_and_the_others_give_way():
    assets = [asset("a.tif"), asset("b.tif", item="i"), asset("c.tif")]
    assert names(assets, names={"i/b.tif": "a.tif", (None, "c.tif"): "Over There.tif"}) == [
        "a-2.tif",
        "a.tif",
        "Over There.tif",
    ]


@pytest.mark.parametrize("bad", ["../a", "/a", "a//b", "", "a/./b", "a\0b"])
def test_a_chosen_name_that_leaves_the_target_is_refused(bad):
    with pytest.raises(UsageError, match="below the target"):
        names([asset("a.tif")], names={(None, "a.tif"): bad or "/"})


def test_a_name_chosen_twice_is_refused():
    with pytest.raises(UsageError, match="taken"):
        names([asset("a"), asset("b")], names={"a": "x", "b": "X"})


# Layouts and templates -----------------------------------------------------------------------------------------------

SCENE = asset(
    "B04",
    HREF + "T31_B04.jp2",
    item="S2A",
    collection="s2",
    media_type="image/jp2",
    start=dt.datetime(2024, 5, 6, 10, 20, 30, tzinfo=dt.UTC),
    properties={"eo:cloud_cover": 7.25, "platform": "sentinel-2a/x", "datetime": "2024-05-06T10:20:30Z"},
)


@pytest.mark.parametrize(
    ("layout", "name"),
    [
        ("openeo", "B04-T31_B04.jp2"),
        ("advertised", "T31_B04.jp2"),
        ("flat", "T31_B04.jp2"),
        ("by-item", "s2/S2A/T31_B04.jp2"),
        ("by-date", "2024/05/06/S2A/T31_B04.jp2"),
        ("{collection}/{datetime:%Y/%m}/{key}{ext}", "s2/2024/05/B04.jp2"),
        ("{counter:04d}_{name}", "0001_B04-T31_B04.jp2"),
        ("{platform}/{eo:cloud_cover}_{key}{ext}", "sentinel-2a_x/7.25_B04.jp2"),
        ("{job_id}/{start:%Y}-{end:%Y}/{filename}", "j-1/2024-undated/T31_B04.jp2"),
        ("{datetime}/{key}", "2024-05-06T102030Z/B04"),
        ("../../{key}", "_/_/B04"),
    ],
)
def test_a_layout_is_a_preset_or_a_template(layout, name):
    assert names([SCENE], layout=layout, job_id="j-1") == [name]


@pytest.mark.parametrize(
    ("layout", "says"),
    [
        ("by-itme", "by-item"),
        ("{itme}/{key}", "did you mean 'item'"),
        ("{key", "brace"),
        ("{counter:zz}/{key}", "format"),
    ],
)
def test_a_layout_that_makes_no_sense_is_refused(layout, says):
    with pytest.raises(UsageError, match=says):
        names([SCENE], layout=layout)


def test_a_hundred_thousand_assets_with_one_key_are_named_quickly():
    assets = [asset("B04", item=f"i{n}") for n in range(20_000)]
    assert len(set(names(assets))) == 20_000


@given(KEYS)
def test_a_usual_key_gets_the_name_that_the_whole_rule_gives(key):
    assert list(_wanted([asset(key)], "openeo", "")) == [openeo_name(key, HREF + "x.tif", None)]


@pytest.mark.parametrize(
    ("href", "media_type", "openeo", "advertised"),
    [
        ("https://e.example/odata/v1/Products(0f-1)/$value", "application/zip", "key.zip", "key.zip"),
        ("https://e.example/odata/v1/Products(0f-1)/$value", None, "key", "key"),
        ("https://e.example/download?id=8", "image/jpeg", "key-download.jpg", "download.jpg"),
        ("https://e.example/get.php?id=8", "image/tiff; application=geotiff", "key-get.tif", "get.tif"),
        ("https://e.example/get.ashx?id=8", None, "key-get", "get"),
        ("https://e.example/program.php", "image/tiff", "key-program.php", "program.php"),
        ("https://e.example/scene.SAFE.zip?sig=1", "image/tiff", "key-scene.SAFE.zip", "scene.SAFE.zip"),
        ("https://e.example/a", "application/vnd.something+json", "key-a.json", "a.json"),
        ("https://e.example/a", "application/x-netcdf4", "key-a.nc", "a.nc"),
        ("https://e.example/a", "image/svg+xml", "key-a", "a"),
        ("https://e.example/a", "text/html", "key-a", "a"),
    ],
)
def test_a_url_without_a_usable_extension_gets_that_of_the_media_type(href, media_type, openeo, advertised):
    asset = Asset(key="key", href=href, media_type=media_type)
    assert assign_names([asset]) == [openeo]
    assert assign_names([asset], layout="advertised") == [advertised]


@pytest.mark.parametrize("known", FORMATS, ids=lambda one: one.name)
def test_each_known_media_type_has_an_extension_of_its_format(known):
    for media_type in known.media_types:
        name = with_extension("a", media_type)
        assert name.endswith(known.extensions)
