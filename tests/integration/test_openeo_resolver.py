"""The openEO resolver against a real back-end: every shape of results, every state of a job."""

from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
from openeo_backend import Backend, JobIds

from splashdown.builtins.openeo import OpenEOResolver
from splashdown.errors import AuthError, JobFailed, JobNotFinished, JobNotFound, ResultLinkExpired
from splashdown.model import Asset, ResultSet

VERSIONS = ["1.0", "1.1", "1.2"]
IMAGES = ["openEO_2023-06-01Z.tif", "openEO_2023-06-11Z.tif"]


@dataclass
class Context:
    auth: object
    options: dict[str, Any] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)

    def notify(self, message: str) -> None:
        self.told.append(message)


def resolve(url: str, auth: object, **options: Any) -> ResultSet:
    return OpenEOResolver().resolve(url, Context(auth=auth, options=options))


def read(results: ResultSet, asset: Asset) -> bytes:
    assert results.signer is not None
    href, headers = results.signer.sign(asset.href)
    answer = requests.get(href, headers=dict(headers), timeout=20)
    answer.raise_for_status()
    return answer.content


def contents(results: ResultSet) -> dict[str, bytes]:
    return {asset.key: read(results, asset) for asset in results.assets}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "job", [JobIds.plain, JobIds.single, JobIds.json, JobIds.items, JobIds.sub_folder, JobIds.many]
)
def test_every_asset_of_every_shape_is_found_once_and_readable(backend: Backend, version, job):
    results = resolve(backend.job(job, version), backend.auth)
    assert contents(results) == backend.content(job)


@pytest.mark.parametrize("job", [JobIds.plain, JobIds.items, JobIds.sub_folder])
def test_signed_assets_are_readable_without_credentials_and_still_counted_once(signed_backend: Backend, job):
    results = resolve(signed_backend.job(job), signed_backend.auth)
    assert len(results.assets) == len(signed_backend.content(job))
    for asset in results.assets:
        assert requests.get(asset.href, timeout=20).content == signed_backend.content(job)[asset.key]
    assert results.expires is not None


def test_assets_that_only_items_list_are_found(backend: Backend):
    results = resolve(backend.job(JobIds.items_only), backend.auth)
    assert [(a.item, a.key) for a in results.assets] == [(name.removesuffix(".tif"), name) for name in IMAGES]
    assert len(results.items) == 2


def test_item_ids_time_and_place_come_from_the_items(backend: Backend):
    first = resolve(backend.job(JobIds.items), backend.auth).assets[0]
    assert first.item == IMAGES[0].removesuffix(".tif")
    assert first.start is not None
    assert first.start.isoformat() == "2023-06-01T00:00:00+00:00"
    assert first.bbox == (3.0, 51.2, 3.1, 51.3)


def test_the_drivers_broken_item_link_is_survived_with_a_warning(backend: Backend):
    results = resolve(backend.job(JobIds.sub_folder), backend.auth)
    assert any("NotFound" in warning for warning in results.warnings)


def test_the_signed_canonical_link_needs_no_sign_in(signed_backend: Backend):
    document = resolve(signed_backend.job(JobIds.plain), signed_backend.auth).document
    canonical = next(link["href"] for link in document["links"] if link["rel"] == "canonical")
    results = resolve(canonical, None)
    assert results.id == JobIds.plain
    assert contents(results) == signed_backend.content(JobIds.plain)


def test_a_link_whose_end_was_changed_is_refused(short_backend: Backend):
    results = resolve(short_backend.job(JobIds.json), short_backend.auth)
    canonical = next(link["href"] for link in results.document["links"] if link["rel"] == "canonical")
    expired = canonical.partition("expires=")[0] + "expires=1"
    with pytest.raises(AuthError, match="CredentialsInvalid"):  # the end is part of what is signed
        resolve(expired, None)


def test_refreshing_gives_new_hrefs_for_the_same_identities(short_backend: Backend):
    results = resolve(short_backend.job(JobIds.plain), short_backend.auth)
    assert results.refresh is not None
    again = results.refresh()
    assert [a.identity for a in again.assets] == [a.identity for a in results.assets]


def test_assets_on_another_host_are_read_without_credentials(backend: Backend, other_host):
    results = resolve(backend.job(JobIds.elsewhere), backend.auth)
    assert all(asset.href.startswith(other_host.other_name) for asset in results.assets)
    assert contents(results) == backend.content(JobIds.elsewhere)


@pytest.mark.parametrize(
    ("job", "status"), [(JobIds.created, "created"), (JobIds.queued, "queued"), (JobIds.running, "running")]
)
def test_a_job_that_is_not_finished_tells_its_status(backend: Backend, job, status):
    with pytest.raises(JobNotFinished) as caught:
        resolve(backend.job(job), backend.auth)
    assert caught.value.job_status == status


def test_a_failed_job_tells_why(backend: Backend):
    with pytest.raises(JobFailed, match="ran out of memory") as caught:
        resolve(backend.job(JobIds.error), backend.auth)
    assert [entry["code"] for entry in caught.value.log] == ["OutOfMemory"]


def test_a_canceled_job_is_told_as_such(backend: Backend):
    with pytest.raises(JobFailed, match="canceled"):
        resolve(backend.job(JobIds.canceled), backend.auth)


def test_waiting_ends_with_the_results_when_the_job_finishes(backend: Backend):
    job = JobIds.finishing("resolver")
    context = Context(auth=backend.auth, options={"wait": True})
    results = OpenEOResolver().resolve(backend.job(job), context)
    assert contents(results) == backend.content(job)
    assert [line.partition(": ")[2] for line in context.told] == ["queued", "running (50 %)"]


def test_waiting_ends_with_the_log_when_the_job_fails(backend: Backend):
    with pytest.raises(JobFailed, match="ran out of memory"):
        resolve(backend.job(JobIds.failing("resolver")), backend.auth, wait=True)


def test_partial_results_of_a_running_job_are_taken_as_they_are(backend: Backend):
    results = resolve(backend.job(JobIds.running), backend.auth, partial=True)
    assert list(results.assets) == []
    assert any("running" in warning for warning in results.warnings)


def test_an_unknown_job_is_not_found(backend: Backend):
    with pytest.raises(JobNotFound) as caught:
        resolve(backend.job("j-nowhere"), backend.auth)
    assert caught.value.id


@pytest.mark.parametrize("auth", [None, "basic//wrong", ("john", "wrong")])
def test_missing_or_wrong_credentials_are_an_auth_error(backend: Backend, auth):
    with pytest.raises(AuthError):
        resolve(backend.job(JobIds.plain), auth)


def test_a_job_is_found_through_the_back_ends_address(backend: Backend):
    results = resolve(f"{backend.url}/jobs/{JobIds.json}", backend.auth)
    assert results.href == f"{backend.job(JobIds.json)}/results"


def test_a_link_past_its_end_is_an_expired_link(short_backend: Backend):
    import time

    results = resolve(short_backend.job(JobIds.json), short_backend.auth)
    canonical = next(link["href"] for link in results.document["links"] if link["rel"] == "canonical")
    assert results.expires is not None
    time.sleep(max(0.0, results.expires + 1.1 - time.time()))  # the back-end's clock is the only thing that ends a link
    with pytest.raises(ResultLinkExpired):
        resolve(canonical, None)
