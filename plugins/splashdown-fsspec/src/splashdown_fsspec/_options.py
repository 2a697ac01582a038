"""What a user may set: ``sink_options=``, the table ``[options.fsspec]``, or ``SPLASHDOWN_FSSPEC_...``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from splashdown.errors import OptionError
from splashdown.redact import safely_shown


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class FsspecOptions:
    """Settings of all filesystems.

    Credentials are sent to ``host`` alone where that is set. They are needed for reading only together with it:
    an href may come from a stranger's document, and must not be able to draw a password to another host.
    """

    username: str | None = field(default=None, metadata={"help": "for hosts whose URL names no user"})
    password: str | None = field(
        default=None, repr=False, metadata={"help": "of the user; better an SSH key", "secret": True}
    )
    host: str | None = field(default=None, metadata={"help": "the only host that user and password are for"})
    key_file: str | None = field(default=None, metadata={"help": "an SSH private key, besides agent and ~/.ssh"})
    known_hosts: str | None = field(default=None, metadata={"help": "host keys, instead of ~/.ssh/known_hosts"})
    ca_bundle: str | None = field(default=None, metadata={"help": "certificates that WebDAV servers are checked with"})
    timeout: float = field(default=60.0, metadata={"help": "seconds for a connection or an answer"})
    storage_options: Mapping[str, str] = field(
        default_factory=dict, repr=False, metadata={"help": "arguments of the filesystem that fsspec://PROTOCOL/ names"}
    )

    def __post_init__(self) -> None:
        if self.timeout <= 0:
            raise OptionError("fsspec: timeout is more than 0 seconds")
        if self.password is not None and self.username is None:
            raise OptionError("fsspec: a password needs a username; set SPLASHDOWN_FSSPEC_USERNAME")
