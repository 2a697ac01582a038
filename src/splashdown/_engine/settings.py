"""The settings of a run and the retry policy: values only, each described beside its field."""

from __future__ import annotations

from dataclasses import dataclass, field

from splashdown.checksums import algorithm
from splashdown.errors import UsageError

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often, and after how long, a failed attempt is repeated.

    The delay before retry ``n`` is drawn evenly from ``0..min(max_delay, base * 2**(n - 1))`` seconds ("full jitter",
    so that many clients do not come back at the same moment); a server's ``Retry-After`` is a lower bound of it.
    ``attempts`` counts failures in a row: it starts again whenever ``refill`` bytes have arrived since the last one, so
    a long transfer over a bad line does not fail as long as it makes progress.
    """

    attempts: int = 6
    base: float = 0.5  #: seconds
    max_delay: float = 60.0  #: seconds
    max_retry_after: float = 600.0  #: seconds; a server that asks for more makes the transfer fail at once
    refill: int = 256 * 1024  #: bytes

    def __post_init__(self) -> None:
        if self.attempts < 1 or self.base < 0 or self.max_delay < 0 or self.refill < 1:
            raise UsageError("RetryPolicy: attempts and refill must be at least 1, and delays must not be negative")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a run moves bytes. Sizes are bytes, times are seconds."""

    jobs: int | None = None  #: files at a time; ``None`` for as many as help, up to 64: decided while running
    per_host: int | None = None  #: files at a time from one host at most; ``None`` for as many as ``jobs``
    limit_rate: int | None = None  #: bytes a second of a run at most, all files together; ``None`` for no limit
    range_cutoff: int = 64 * MIB  #: files from this size on are read over several connections
    range_connections: int = 8  #: connections for one such file, as long as one alone is slow; see ``range_speed``
    range_speed: int = 100 * MIB  #: bytes a second; a first connection that is faster stays the only one
    part_size: int = 32 * MIB  #: how much of a file is journalled at a time, over one connection at most 8 MiB
    memory: int = 80 * MIB  #: for parts on their way to sinks that need them whole (object stores), all files together
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    low_speed: int = 1024  #: bytes a second; a connection that is slower for ``low_speed_time`` is replaced
    low_speed_time: float = 60.0
    checksum: str | None = "sha2-256"  #: what is computed of files whose metadata names none; ``None`` for nothing
    verify: bool = True  #: whether ``file:size``, ``file:checksum`` and the media type must hold
    #: ask nothing of the source for a stored file of which the metadata say what they said when it was stored: the same
    #: href without its signature, ``updated`` and ``file:size``
    trust_metadata: bool = False
    trust_alternates: bool = False  #: take an alternate of an asset whose href fails, without a checksum to compare
    resume: bool = True  #: keep what an interrupted run has moved, and continue from there
    fail_fast: bool = False  #: stop at the first failure
    #: failures in a row for the same reason, of a host or of the target, after which its other files are not tried; 0
    #: tries every file
    give_up_after: int = 8
    fsync: bool = False  #: survive a power cut, not only the end of the process

    def __post_init__(self) -> None:
        for name in ("jobs", "per_host", "limit_rate", "range_connections", "range_cutoff", "part_size", "memory"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UsageError(f"Settings: {name} must be at least 1, got {value}")
        if self.give_up_after < 0:
            raise UsageError(f"Settings: give_up_after must not be negative, got {self.give_up_after}")
        if self.low_speed < 0 or self.low_speed_time <= 0 or self.range_speed < 0:
            raise UsageError(
                "Settings: low_speed and range_speed must not be negative, low_speed_time must be more than 0 seconds"
            )
        if self.checksum in {"none", ""}:  # what a configuration file or the environment can say
            object.__setattr__(self, "checksum", None)
        elif self.checksum is not None:
            algorithm(self.checksum)  # refuses what cannot be computed here
