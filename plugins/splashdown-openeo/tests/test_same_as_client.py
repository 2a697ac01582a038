"""The same call on the client's own classes and on ours: same value, names, bytes, warnings, exceptions, credentials."""

from __future__ import annotations

import inspect

import openeo.rest.job
import pytest
import splashdown_openeo

TIFF = bytes(range(256)) * 40
GEOTIFF = "image/tiff; application=geotiff"
COG = "image/tiff; application=geotiff; profile=cloud-optimized"


def same(both, setup, call):
    client, ours = both(setup, call)
    assert ours == client
    return ours


def one_asset(backend):
    backend.results({"a.tif": {"href": backend.add("/dl/1", TIFF), "type": GEOTIFF, "title": "A"}})


def two_assets(backend):
    backend.results(
        {
            "a.tif": {"href": backend.add("/dl/1", TIFF), "type": GEOTIFF},
            "b": {"href": backend.add("/dl/b.json", b'{"b": [1, 2]}'), "type": "application/json"},
        },
        links=[{"rel": "canonical", "href": backend.url + "/canonical?sig=1"}],
    )


def no_assets(backend):
    backend.results({})


def no_job(backend):
    del backend


# What JobResults tells


@pytest.mark.parametrize("setup", [one_asset, two_assets, no_assets, no_job])
@pytest.mark.parametrize(
    "call",
    [
        lambda case: case.results.get_assets(),
        lambda case: case.results.get_asset(),
        lambda case: case.results.get_asset("a.tif"),
        lambda case: case.results.get_asset(key="nope"),
        lambda case: case.results.get_asset(name="a.tif"),
        lambda case: case.results.get_metadata(),
        lambda case: case.results.get_metadata(force=True),
        lambda case: case.results.get_job_id(),
        lambda case: repr(case.results),
        lambda case: [repr(asset) for asset in case.results.get_assets()],
        lambda case: [asset.name for asset in case.results.get_assets()],
        lambda case: case.results._repr_html_(),
    ],
    ids=lambda call: inspect.getsource(call).strip() if inspect.isfunction(call) else None,
)
def test_results_tell_the_same(both, setup, call):
    same(both, setup, call)


def test_metadata_is_kept_until_it_is_forced(both):
    def call(case):
        results = case.results
        results.get_metadata()
        case.backend.results({"later.tif": case.backend.url + "/later"})
        kept = results.get_metadata()
        return [list(document["assets"]) for document in (kept, results.get_metadata(force=True))]

    assert same(both, one_asset, call).value == [["a.tif"], ["later.tif"]]


def test_an_asset_without_an_href_is_a_key_error(both):
    def setup(backend):
        backend.results({"a.tif": {"type": GEOTIFF}})

    assert same(both, setup, lambda case: case.results.get_assets()).error == ("KeyError", "'href'")


def test_an_html_error_is_an_openeo_error_in_the_notebook(both):
    same(both, no_job, lambda case: case.results._repr_html_())


# Where files go


@pytest.mark.parametrize(
    "call",
    [
        lambda case: case.results.download_file(case.folder / "x.tif"),
        lambda case: case.results.download_file(str(case.folder / "x.tif")),
        lambda case: case.results.download_file(case.folder),
        lambda case: case.results.download_file(case.folder / "new" / "deep" / "x.tif"),
        lambda case: case.results.download_file(case.folder, "a.tif"),
        lambda case: case.results.download_file(case.folder, key="nope"),
        lambda case: case.results.download_file(case.folder / "x.tif", name="a.tif"),
        lambda case: case.results.download_file(case.folder / "x.tif", chunk_size=1000, range_size=3000),
        lambda case: case.results.download_files(case.folder),
        lambda case: case.results.download_files(str(case.folder / "new" / "deep")),
        lambda case: case.results.download_files(case.folder, include_stac_metadata=False),
        lambda case: case.results.download_files(case.folder, False),
        lambda case: case.results.download_files(case.folder, True, 1000),
        lambda case: case.results.download_files(case.folder, chunk_size=1000),
        lambda case: case.results.get_assets()[0].download(case.folder / "x.tif"),
        lambda case: case.results.get_assets()[0].download(str(case.folder)),
        lambda case: case.results.get_assets()[0].download(case.folder, chunk_size=10, range_size=4096),
        lambda case: case.results.get_assets()[0].download(case.folder, redact_url_logging=True),
        lambda case: case.results.get_assets()[0].download(case.folder, redact_url_logging=lambda url: "?"),
    ],
    ids=lambda call: inspect.getsource(call).strip(),
)
@pytest.mark.parametrize("setup", [one_asset, two_assets, no_assets, no_job])
def test_downloads_go_to_the_same_places(both, setup, call):
    same(both, setup, call)


def test_the_working_folder_is_the_default(both, monkeypatch):
    def call(case):
        monkeypatch.chdir(case.folder)
        return [case.results.download_file(key="a.tif"), *case.results.download_files()]

    assert set(same(both, two_assets, call).files) == {"a.tif", "b-b.json", "job-results.json"}


@pytest.mark.parametrize("name", ["download_files", "download_as_collection"])
def test_a_file_where_a_folder_is_needed_is_refused(both, name):
    def call(case):
        (case.folder / "file").write_bytes(b"mine")
        return getattr(case.results, name)(case.folder / "file")

    client, ours = both(two_assets, call)
    assert ours.error[0] == client.error[0] == "OpenEoClientException"
    assert ours.files == client.files == {"file": b"mine"}


def test_a_file_among_the_parents_is_refused(both):
    def call(case):
        (case.folder / "file").write_bytes(b"mine")
        return case.results.download_file(case.folder / "file" / "x.tif")

    client, ours = both(one_asset, call)
    assert ours.error[0] == client.error[0]
    assert ours.files == client.files


def test_what_is_there_is_replaced(both):
    def call(case):
        (case.folder / "x.tif").write_bytes(b"older, and longer than nothing" * 1000)
        return case.results.download_file(case.folder / "x.tif")

    assert same(both, one_asset, call).files == {"x.tif": TIFF}


@pytest.mark.parametrize(
    ("key", "path", "media_type"),
    [
        ("plain.tif", "/dl/other.png", None),
        ("größe.tif", "/dl/x.tif", None),
        ("res:1", "/dl/x.tif", GEOTIFF),
        ("a/b", "/dl/x.tif", GEOTIFF),
        ("a b", "/dl/with%20space.tif", GEOTIFF),
        ("../../up", "/dl/x.tif", GEOTIFF),
        (" . ", "/dl/x.tif", GEOTIFF),
        (":", "/dl/x.tif", GEOTIFF),
        ("..", "/dl/x.tif", GEOTIFF),
        ("data", "/dl/data", GEOTIFF),
        ("data", "/dl/data", COG),
        ("data", "/dl/data", "application/x-netcdf"),
        ("data", "/dl/data", "IMAGE/TIFF"),
        ("data", "/dl/data", None),
        ("data", "/dl/data/", "text/csv"),
        ("data.verylongending", "/dl/x", "image/png"),
        ("data", "/dl/..%2f..%2fetc", None),
        ("x.tif?sig=1", "/dl/x.tif", None),
        ("C:\\x.tif", "/dl/x.tif", None),
    ],
)
def test_files_get_the_same_names(both, key, path, media_type):
    def setup(backend):
        backend.results({key: {"href": backend.add(path, TIFF) + "?sig=1", "type": media_type}})

    same(both, setup, lambda case: case.results.download_file(case.folder))


def test_hrefs_below_the_api_root_may_be_relative(both):
    def setup(backend):
        backend.add("/dl/x.tif", TIFF)
        backend.results({"x.tif": "dl/x.tif", "y.tif": "/dl/x.tif"})

    assert same(both, setup, lambda case: case.results.download_files(case.folder)).files["y.tif"] == TIFF


# What a file may be


@pytest.mark.parametrize("size", [0, 1, 4095, 4096, 4097, 300_000])
@pytest.mark.parametrize("ranges", [True, False])
def test_files_of_any_size_arrive_whole(both, size, ranges):
    body = (TIFF * 40)[:size]

    def setup(backend):
        backend.results({"x.bin": backend.add("/dl/x", body, ranges=ranges)})

    assert same(both, setup, lambda case: case.results.download_file(case.folder, range_size=4096)).files == {
        "x.bin": body
    }


def test_credentials_go_to_the_api_alone(elsewhere, both):
    there = elsewhere.add("/dl/x", TIFF)

    def setup(backend):
        backend.results({"here.tif": backend.add("/dl/x", TIFF), "elsewhere.tif": there})

    seen = same(both, setup, lambda case: case.results.download_files(case.folder, False))
    assert dict(seen.requests)["/dl/x"] == "Bearer basic//secret-token"
    assert {one.headers.get("Authorization") for one in elsewhere.requests} == {None}


# Exceptions


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 424])
@pytest.mark.parametrize(
    "call",
    [
        lambda case: case.results.download_files(case.folder / "x"),
        lambda case: case.results.download_file(case.folder / "x" / "y.tif"),
        lambda case: case.results.get_asset().load_bytes(),
        lambda case: case.results.get_asset().load_json(),
    ],
    ids=["download_files", "download_file", "load_bytes", "load_json"],
)
def test_an_error_of_the_api_is_raised_as_the_client_raises_it(both, status, call):
    def setup(backend):
        backend.results({"a.tif": {"href": backend.add("/dl/1", TIFF, script=[status] * 9), "type": GEOTIFF}})

    client, ours = both(setup, call)
    assert ours.error == client.error == ("OpenEoApiError", f"[{status}] Scripted: Scripted happened")
    assert ours.files == {}


def test_an_error_that_is_not_the_apis_is_a_plain_one(both):
    def setup(backend):
        backend.results({"a.tif": backend.add("/dl/1", b"<html>no</html>", head_status=403)})
        backend.files["/dl/1"].script = [404]
        backend._error = lambda handler, status, code: backend._send(
            handler, backend.files["/dl/1"], status, {}, b"<html>no</html>"
        )

    client, ours = both(setup, lambda case: case.results.download_file(case.folder))
    assert ours.error == client.error == ("OpenEoApiPlainError", "[404] <html>no</html>")


def test_an_href_of_an_unknown_scheme_is_the_exception_of_requests(both):
    def setup(backend):
        backend.results({"a.tif": "s3://bucket/a.tif"})

    client, ours = both(setup, lambda case: case.results.download_file(case.folder))
    assert ours.error == client.error
    assert ours.error[0] == "InvalidSchema"


def test_nobody_at_the_address_is_the_exception_of_requests(both, refusing_url):
    def setup(backend):
        backend.results({"a.tif": f"{refusing_url}/a.tif"})

    client, ours = both(setup, lambda case: case.results.get_asset().download(case.folder))
    assert ours.error[0] == client.error[0] == "ConnectionError"


def test_a_folder_in_the_way_is_the_exception_of_the_system(both):
    def call(case):
        (case.folder / "a.tif").mkdir()
        return case.results.download_files(case.folder)

    client, ours = both(one_asset, call)
    assert ours.error[0] == client.error[0] == "IsADirectoryError"


# Loading


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (b'{"a": 1}', "application/json"),
        (b'{"a": 1}', "application/geo+json"),
        (b"[1, 2]", "image/tiff"),
        ('{"a": "ö"}'.encode("utf-16"), "application/json"),
        ('{"a": "ö"}'.encode("latin-1"), "application/json; charset=latin-1"),
        (b"not json", "application/json"),
        (b"", "application/json"),
    ],
)
@pytest.mark.parametrize("how", ["load_json", "load_bytes"])
def test_loading_gives_the_same(both, body, media_type, how):
    def setup(backend):
        href = backend.add("/dl/1", body, media_type=media_type)
        backend.results({"a.json": {"href": href, "type": media_type}})

    same(both, setup, lambda case: getattr(case.results.get_asset(), how)())


# The surface


@pytest.mark.parametrize("name", ["JobResults", "ResultAsset"])
def test_every_public_method_takes_the_same_parameters(name):
    original, ours = getattr(openeo.rest.job, name), getattr(splashdown_openeo, name)
    for method, function in inspect.getmembers(original, inspect.isfunction):
        if method.startswith("_") and method not in {"__init__", "_repr_html_"}:
            continue
        expected = inspect.signature(function).parameters.values()
        found = inspect.signature(getattr(ours, method)).parameters.values()
        assert [(one.name, one.kind, one.default) for one in found] == [
            (one.name, one.kind, one.default) for one in expected
        ], method


def test_ours_are_instances_of_the_clients_classes(backend):
    one_asset(backend)
    results = splashdown_openeo.JobResults(backend.connection().job("j1"))
    assert isinstance(results, openeo.rest.job.JobResults)
    assert isinstance(results.get_asset(), openeo.rest.job.ResultAsset)
    assert isinstance(results.get_asset(), splashdown_openeo.ResultAsset)


def test_the_exceptions_are_the_clients():
    assert splashdown_openeo.MultipleAssetException is openeo.rest.job.MultipleAssetException
    assert splashdown_openeo.JobResultDownloadException is openeo.rest.job.JobResultDownloadException
