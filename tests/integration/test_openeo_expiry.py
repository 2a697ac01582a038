"""Signed URLs that end while a long run is under way."""

import time
from contextlib import contextmanager
from dataclasses import replace

from openeo_backend import Backend, JobIds

from splashdown.hookspecs import hookimpl
from splashdown.session import Session
from splashdown.specs import TransportSpec


class SlowPlugin:
    """Reads over http after a pause, as a slow link would."""

    @hookimpl
    def splashdown_transports(self):
        yield TransportSpec(name="slow", schemes=("http",), create=lambda _: Slow())


class Slow:
    def __init__(self):
        from splashdown.builtins.http import splashdown_transports

        (spec,) = [spec for spec in splashdown_transports() if "http" in spec.schemes]
        self.inner = spec.create(spec.options() if spec.options else None)

    @contextmanager
    def stream(self, request):
        time.sleep(0.25)
        with self.inner.stream(request) as stream:
            yield stream

    def close(self):
        self.inner.close()


def test_a_run_longer_than_several_lifetimes_of_its_links_lands_everything(short_backend: Backend, tmp_path):
    session = Session(plugins=[SlowPlugin()], discover=False, disable=["http"])
    results = session.open(short_backend.job(JobIds.many), auth=short_backend.auth)

    report = results.run("download_files", target=tmp_path, settings=replace(session.settings, jobs=1)).report
    assert report.ok
    assert report.seconds > 3 * 2
    for name, content in short_backend.content(JobIds.many).items():
        assert (tmp_path / name).read_bytes() == content
