"""The listener that counts."""

from __future__ import annotations

from opentelemetry import metrics

from splashdown.events import Event, Retried, TransferFinished


class Meters:
    """Counts files by status, bytes that came over the wire, and retries."""

    def __init__(self) -> None:
        meter = metrics.get_meter("splashdown")
        self._files = meter.create_counter("splashdown.files", unit="{file}", description="files, by status")
        self._bytes = meter.create_counter("splashdown.bytes", unit="By", description="bytes that came over the wire")
        self._retries = meter.create_counter("splashdown.retries", unit="{retry}", description="repeated attempts")

    def __call__(self, event: Event) -> None:
        """Count one event."""
        if isinstance(event, TransferFinished):
            self._files.add(1, {"status": event.outcome.status.value})
            self._bytes.add(event.outcome.bytes_moved)
        elif isinstance(event, Retried):
            self._retries.add(1)
