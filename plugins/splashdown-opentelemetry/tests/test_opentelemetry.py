"""Runs as a collector of OpenTelemetry sees them."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import splashdown_opentelemetry
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from stac_item import stac_item

from splashdown import DownloadError, RetryPolicy, Settings, hookimpl
from splashdown.specs import TransportSpec
from splashdown.testing import FakeFile, FakeTransport, answers, assert_light_import, cuts_after, make_session

FAST = Settings(retry=RetryPolicy(base=0))


class Fakes:
    def __init__(self, files):
        self.transport = FakeTransport(files)

    @hookimpl
    def splashdown_transports(self):
        yield TransportSpec(name="fake", schemes=("fake",), create=lambda options: self.transport)


def item(*names):
    return stac_item({name: {"href": f"fake://host/{name}"} for name in names})


@pytest.fixture
def spans(monkeypatch):
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    return exporter


@pytest.fixture
def counted(monkeypatch):
    reader = InMemoryMetricReader()
    monkeypatch.setattr(metrics, "get_meter", MeterProvider(metric_readers=[reader]).get_meter)

    def read():
        found = {}
        for resource in reader.get_metrics_data().resource_metrics:
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    for point in metric.data.data_points:
                        found[metric.name, *point.attributes.values()] = point.value
        return found

    return read


def test_a_run_is_one_span_with_what_became_of_it(spans, tmp_path):
    files = {"fake://host/a.bin": b"xx", "fake://host/b.bin": b"yyy"}
    with make_session(Fakes(files), splashdown_opentelemetry) as session:
        session.open(item("a.bin", "b.bin")).download_files(tmp_path / "out")
    (span,) = spans.get_finished_spans()
    assert span.name == "splashdown.run"
    assert span.attributes["splashdown.files"] == 2
    assert span.attributes["splashdown.bytes"] == 5
    assert span.attributes["splashdown.target"] == str(tmp_path / "out")
    assert span.status.status_code is StatusCode.UNSET


def test_a_run_with_failures_has_the_status_error(spans, tmp_path):
    plugins = (Fakes({"fake://host/a.bin": b"xx"}), splashdown_opentelemetry)
    with make_session(*plugins) as session, pytest.raises(DownloadError):
        session.open(item("a.bin", "b.bin")).download_files(tmp_path / "out")
    (span,) = spans.get_finished_spans()
    assert span.status.status_code is StatusCode.ERROR
    assert span.status.description == "1 of 2 files failed"
    assert span.attributes["splashdown.failed"] == 1


def test_the_listener_counts_files_bytes_and_retries(counted, tmp_path):
    files = {
        "fake://host/a.bin": FakeFile(data=bytes(3000), faults=[cuts_after(1000), answers(503)]),
        "fake://host/b.bin": FakeFile(data=b"", faults=[answers(403)] * 9),
    }
    with make_session(Fakes(files), splashdown_opentelemetry) as session:
        results = session.open(item("a.bin", "b.bin"))
        with pytest.raises(DownloadError):
            results.download_files(tmp_path / "out", listeners=[session.listener("opentelemetry")], settings=FAST)
    found = counted()
    assert found["splashdown.files", "stored"] == 1
    assert found["splashdown.files", "failed"] == 1
    assert found["splashdown.bytes",] == 3000
    assert found["splashdown.retries",] >= 1


def test_without_an_sdk_nothing_happens(tmp_path):
    with make_session(Fakes({"fake://host/a.bin": b"xx"}), splashdown_opentelemetry) as session:
        session.open(item("a.bin")).download_files(tmp_path / "out", listeners=[session.listener("opentelemetry")])
    assert (tmp_path / "out" / "a.bin").read_bytes() == b"xx"


def test_importing_the_plugin_does_not_import_opentelemetry():
    assert_light_import("splashdown_opentelemetry", heavy=["opentelemetry"])


RUN = """
import os, sys
import splashdown_opentelemetry
from splashdown.testing import make_session
item = {"type": "Feature", "stac_version": "1.0.0", "id": "i", "geometry": None, "properties": {}, "links": []}
item["assets"] = {"a": {"href": "a.txt"}}
with make_session(splashdown_opentelemetry) as session:
    session.open(item, base=os.getcwd() + "/item.json").download_files("out")
print("opentelemetry" in sys.modules)
"""


@pytest.mark.parametrize(
    ("provider", "imported"), [({}, "False"), ({"OTEL_PYTHON_TRACER_PROVIDER": "sdk_tracer_provider"}, "True")]
)
def test_a_run_imports_opentelemetry_where_a_provider_may_be_set(tmp_path, provider, imported):
    (tmp_path / "a.txt").write_text("hello")
    environ = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")} | provider
    command = [sys.executable, "-c", RUN]
    ended = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=True)
    assert ended.stdout.split()[-1] == imported
