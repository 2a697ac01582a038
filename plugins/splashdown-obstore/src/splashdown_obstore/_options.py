"""What a user may set: ``sink_options=``, the table ``[options.obstore]``, or ``SPLASHDOWN_OBSTORE_...``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from splashdown.errors import OptionError
from splashdown.redact import safely_shown

MIB = 1024 * 1024
#: Parts of an S3 multipart upload have at least this size ("Amazon S3 multipart upload limits").
MIN_BUFFER = 5 * MIB

# Names of configuration keys that hold credentials; these come from the environment, as with each store's own tools.
_SECRET = re.compile(r"secret|token|password|sas|(account|access|encryption|service_account)_key$", re.IGNORECASE)


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ObstoreOptions:
    """Settings of all stores. Credentials are not among them: they come from the environment of the store's own tools.

    ``buffer_size`` is what is collected before a part is sent; a part of the largest object is that much, and S3
    takes 10,000 of them.
    """

    config: Mapping[str, str] = field(
        default_factory=dict, metadata={"help": "obstore's configuration keys: endpoint, region, account_name, ..."}
    )
    allow_http: bool = field(default=False, metadata={"help": "whether an endpoint may be http://"})
    ca_bundle: str | None = field(default=None, metadata={"help": "PEM file that the endpoint is checked with"})
    timeout: float = field(default=120.0, metadata={"help": "seconds for one request"})
    buffer_size: int = field(default=16 * MIB, metadata={"help": "bytes of a part"})

    def __post_init__(self) -> None:
        for name in self.config:
            if _SECRET.search(name):
                raise OptionError(
                    f"obstore: {name!r} is a credential and has no place in the configuration; set the environment"
                    " variable that the store's own tools read"
                )
        if self.buffer_size < MIN_BUFFER:
            raise OptionError(f"obstore: buffer_size is at least {MIN_BUFFER} bytes, not {self.buffer_size}")
        if self.timeout <= 0:
            raise OptionError("obstore: timeout is more than 0 seconds")
