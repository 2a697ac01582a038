"""The demo back-end behaves as a real one: documents, signed links, ranges, and metadata that tells the truth."""

import hashlib
import re

import pytest
import requests

from splashdown._demo import demo_service
from splashdown._demo.documents import content, job
from splashdown.builtins.openeo import OpenEOResolver
from splashdown.errors import JobNotFound


class Plain:
    auth = None

    @property
    def options(self):
        return {}

    def notify(self, message):
        raise AssertionError(message)


@pytest.fixture(scope="module")
def service():
    with demo_service() as running:
        yield running


def resolve(url):
    return OpenEOResolver().resolve(url, Plain())


def test_the_resolver_finds_two_images_a_time_series_and_a_thumbnail(service):
    results = resolve(service.job_url)
    assert sorted(a.media_type.partition(";")[0] for a in results.assets) == [
        "application/json",
        "image/png",
        "image/tiff",
        "image/tiff",
    ]
    assert [a.item for a in results.assets] == ["2023-06-01", "2023-06-11", None, None]
    assert results.warnings == ()
    assert results.expires is not None


def test_sizes_and_checksums_are_those_of_the_served_bytes(service):
    for asset in resolve(service.job_url).assets:
        body = requests.get(asset.href, timeout=10).content
        assert len(body) == asset.size
        assert "1220" + hashlib.sha256(body).hexdigest() == asset.checksum


def test_discovery_and_the_signed_canonical_link_lead_to_the_same_job(service):
    results = resolve(f"{service.url}/jobs/{service.job_id}")
    canonical = next(link["href"] for link in results.document["links"] if link["rel"] == "canonical")
    assert [a.identity for a in resolve(canonical).assets] == [a.identity for a in results.assets]


def test_the_documents_are_stac(service):
    import pystac

    document = requests.get(service.results_url, timeout=10).json()
    collection = pystac.Collection.from_dict(document)
    links = collection.get_links("item")
    assert links
    for link in links:
        item = pystac.Item.from_dict(requests.get(link.href, timeout=10).json())
        assert item.collection_id == collection.id


def test_ranges_are_served_and_bound_to_the_version(service):
    href = resolve(service.job_url).assets[0].href
    whole = requests.get(href, timeout=10)
    etag = whole.headers["ETag"]

    def get(**headers):
        return requests.get(
            href, headers={name.replace("_", "-"): value for name, value in headers.items()}, timeout=10
        )

    part = get(Range="bytes=10-19")
    assert (part.status_code, part.content) == (206, whole.content[10:20])
    assert part.headers["Content-Range"] == f"bytes 10-19/{len(whole.content)}"
    assert get(Range="bytes=-5").content == whole.content[-5:]
    assert get(Range="bytes=5-").content == whole.content[5:]
    assert get(Range="bytes=999999999-").status_code == 416
    assert get(Range="bytes=1-2", If_Range='"other"').status_code == 200
    assert get(Range="bytes=1-2", If_Match='"other"').status_code == 412
    assert get(If_None_Match=etag).status_code == 304
    assert requests.head(href, timeout=10).headers["Content-Length"] == str(len(whole.content))


def test_a_link_with_a_wrong_signature_or_past_its_end_is_refused(service):
    href = resolve(service.job_url).assets[0].href
    wrong = re.sub(r"/assets/[0-9a-f]{32}/", "/assets/" + "0" * 32 + "/", href)
    assert requests.get(wrong, timeout=10).json()["code"] == "CredentialsInvalid"
    assert requests.get(re.sub(r"expires=\d+", "expires=1", href), timeout=10).status_code == 403
    with demo_service(lifetime=-10) as short:
        answer = requests.get(resolve_without_items(short), timeout=10)
    assert (answer.status_code, answer.json()["code"]) == (410, "ResultLinkExpired")


def resolve_without_items(service):
    document = requests.get(service.results_url, timeout=10).json()
    return document["assets"]["timeseries.json"]["href"]


def test_another_job_is_not_found(service):
    with pytest.raises(JobNotFound):
        resolve(f"{service.api}/jobs/other")


def test_the_shipped_metadata_describes_every_shipped_file():
    for name, asset in job()["assets"].items():
        assert (asset["file:size"], asset["file:checksum"]) == (
            len(content(name)),
            "1220" + hashlib.sha256(content(name)).hexdigest(),
        )
    assert sum(asset["file:size"] for asset in job()["assets"].values()) < 120_000
