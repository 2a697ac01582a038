"""The workers of a Dask cluster, as Splashdown asks for them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from typing import Any

from distributed import Client, Event, LocalCluster, Security, get_client
from distributed.scheduler import KilledWorker

from splashdown.errors import OptionError, PluginError, error_text
from splashdown_dask._options import DaskOptions

#: How often a worker asks the scheduler whether the run was stopped.
_ASK_SECONDS = 1.0
#: Seconds for which a scheduler that does not answer is waited for, so that one that restarts is found again.
_GONE_SECONDS = 10.0
#: An answer of the scheduler about its workers is good for so long.
_FRESH_SECONDS = 0.5


class Stopped:
    """Asks the scheduler, on a worker, whether the run was stopped."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._asked_at = 0.0

    def __reduce__(self) -> tuple[Any, ...]:
        return Stopped, (self.name,)

    def __call__(self) -> bool:
        """Whether it was; a worker that lost its scheduler ends with its batch."""
        now = time.monotonic()
        if now - self._asked_at < _ASK_SECONDS:
            return False
        self._asked_at = now
        with suppress(Exception):  # the connection may be going down: the next look says so
            return bool(Event(self.name, client=get_client()).is_set())  # type: ignore[no-untyped-call]
        return False


class DaskWorkers:
    """Workers of a client, which is closed only where it was made here."""

    def __init__(self, client: Client, *, owned: Callable[[], None] | None = None) -> None:
        self._client = client
        self._owned = owned
        self._name = f"splashdown-stop-{uuid.uuid4().hex}"
        self._executor = client.get_executor(pure=False, retries=0)  # type: ignore[no-untyped-call]
        self._threads: Mapping[str, int] = {}
        self._looked_at = float("-inf")
        self._closed = False

    @property
    def count(self) -> int:
        """Threads of all workers; each runs one batch at a time."""
        now = time.monotonic()
        if now - self._looked_at >= _FRESH_SECONDS:
            self._looked_at = now
            self._threads = self._ask()
        return sum(self._threads.values())

    @property
    def label(self) -> str:
        """Threads and workers, and where the scheduler is."""
        threads, workers = self.count, len(self._threads)
        if not workers:
            return f"Dask at {self._address}, which has no workers yet"
        of = f", {threads} threads" if threads != workers else ""
        return f"{workers} Dask worker{'' if workers == 1 else 's'}{of} at {self._address}"

    def submit(self, function: Callable[[Any], Any], argument: Any) -> Future[Any]:
        """Have a function run; the same argument is another task each time."""
        future: Future[Any] = self._executor.submit(function, argument)
        return future

    def is_lost(self, error: BaseException) -> bool:
        """Whether the workers that had a function have died, or the scheduler has gone."""
        return isinstance(error, KilledWorker | CancelledError | ConnectionError | OSError | TimeoutError)

    def revive(self) -> str:
        """Say whether there still is a scheduler, which replaces workers on its own."""
        until = time.monotonic() + _GONE_SECONDS
        while time.monotonic() < until:
            if self._client.status == "closed":
                break
            if self._client.status == "running":
                return ""
            time.sleep(0.1)
        return f"the scheduler at {self._address} does not answer"

    @property
    def stopped(self) -> Callable[[], bool]:
        """Whether ``stop`` was called."""
        return Stopped(self._name)

    def stop(self) -> None:
        """Let running functions end."""
        with suppress(Exception):  # the scheduler may be what is gone
            Event(self._name, client=self._client).set()  # type: ignore[no-untyped-call]

    def each(self, function: Callable[[Any], Any], argument: Any) -> Mapping[str, Any]:
        """Call a function on every worker that is there; without one the first to come is waited for."""
        try:
            self._client.wait_for_workers(1, timeout=60)
            found: Mapping[str, Any] = self._client.run(function, argument, on_error="return")
        except TimeoutError:
            raise PluginError(f"Dask at {self._address} has no worker, and none came within 60 seconds") from None
        except Exception as error:
            raise PluginError(f"the workers of Dask at {self._address} cannot be asked ({error_text(error)})") from None
        return {name: _answer(answer) for name, answer in found.items()}

    def close(self) -> None:
        """Close what was made here."""
        if self._closed:
            return
        self._closed = True
        if self._owned is not None:
            with suppress(Exception):
                self._owned()

    @property
    def _address(self) -> str:
        scheduler = self._client.scheduler
        return str(scheduler.address) if scheduler is not None else "an unknown address"

    def _ask(self) -> Mapping[str, int]:
        if self._client.status != "running":
            return {}
        try:
            found: Mapping[str, int] = self._client.nthreads()  # type: ignore[no-untyped-call]
        except Exception:  # the scheduler has just gone
            return {}
        return found


def _answer(answer: Any) -> Any:
    """The answer; of a worker that cannot even read the question, mostly because it has no Splashdown, a line."""
    if isinstance(answer, BaseException):
        return f"it cannot work ({error_text(answer)}); install the same version of Splashdown there"
    return answer


def workers_of(given: Any, options: DaskOptions) -> DaskWorkers:
    """Workers of a client, of an address ``dask://HOST:PORT``, or of a new cluster here."""
    if isinstance(given, Client):
        return DaskWorkers(given)
    if not given:
        return _local(options)
    _, slashes, host = given.partition("://")
    if not slashes or not host:
        raise OptionError(f"executor 'dask:{given}': write dask://HOST:PORT, or dask for a cluster of this machine")
    return _remote(host.rstrip("/"), options)


def _local(options: DaskOptions) -> DaskWorkers:
    cluster = LocalCluster(  # type: ignore[no-untyped-call]
        n_workers=options.workers, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=40
    )
    client = Client(cluster, set_as_default=False)  # type: ignore[no-untyped-call]

    def close() -> None:
        client.close()  # type: ignore[no-untyped-call]
        cluster.close()

    return DaskWorkers(client, owned=close)


def _remote(host: str, options: DaskOptions) -> DaskWorkers:
    files = (options.tls_ca_file, options.tls_cert, options.tls_key)
    security, protocol = None, "tcp"
    if any(files):
        security = Security(  # type: ignore[no-untyped-call]
            tls_ca_file=options.tls_ca_file,
            tls_client_cert=options.tls_cert,
            tls_client_key=options.tls_key,
            require_encryption=True,
        )
        protocol = "tls"
    address = f"{protocol}://{host}"
    try:
        client = Client(address, timeout=options.timeout, security=security, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, TimeoutError) as error:
        raise PluginError(f"no Dask scheduler answers at {address} ({error_text(error)})") from None
    return DaskWorkers(client, owned=client.close)
