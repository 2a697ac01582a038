"""The options of the executor."""

from __future__ import annotations

from dataclasses import dataclass, field

from splashdown.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class DaskOptions:
    """How a cluster is reached, or made where no address is given."""

    workers: int | None = field(default=None, metadata={"help": "Processes of a cluster of this machine."})
    timeout: float = field(default=30.0, metadata={"help": "Seconds in which a scheduler has to answer."})
    tls_ca_file: str | None = field(default=None, metadata={"help": "Certificates to trust, of a tls:// scheduler."})
    tls_cert: str | None = field(default=None, metadata={"help": "This client's certificate."})
    tls_key: str | None = field(default=None, metadata={"help": "The file with its key."})

    def __post_init__(self) -> None:
        if self.workers is not None and self.workers < 1:
            raise UsageError(f"dask.workers must be at least 1, got {self.workers}")
