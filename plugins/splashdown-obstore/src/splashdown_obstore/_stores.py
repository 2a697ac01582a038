"""URLs, and the store of each. Keys are taken as they are: ``%``, ``?`` and ``#`` have no meaning in them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from splashdown.errors import OptionError, TargetError
from splashdown.redact import redact, safely_shown
from splashdown_obstore._options import ObstoreOptions

if TYPE_CHECKING:
    from obstore.store import AzureStore, GCSStore, S3Store

    Store = AzureStore | GCSStore | S3Store

#: Few: what fails again is retried by the engine, which knows when to give up.
_RETRIES = 2


@safely_shown
class Location(NamedTuple):
    """A bucket (with Azure: a container), and a key or prefix in it."""

    scheme: str
    bucket: str
    key: str

    @classmethod
    def of(cls, url: str) -> Location:
        """Split a URL. Raises ``TargetError`` where it names no bucket."""
        scheme, _, rest = url.partition("://")
        bucket, _, key = rest.partition("/")
        if not bucket or "@" in bucket:
            noun = "container" if scheme.lower() == "az" else "bucket"
            raise TargetError(f"{scheme}:// has to name a {noun}, without user or host: {scheme}://{noun}/folder/")
        return cls(scheme.lower(), bucket, key)

    @property
    def url(self) -> str:
        """The URL as it is; messages have ``str()`` of the location, without a query that an href had."""
        return f"{self.scheme}://{self.bucket}/{self.key}"

    def __str__(self) -> str:
        return redact(self.url)


def connect(where: Location, options: ObstoreOptions) -> Store:
    """The store of a bucket; nothing is sent yet. Raises ``OptionError`` for a configuration that makes no sense."""
    from obstore.exceptions import BaseError
    from obstore.store import AzureStore, GCSStore, S3Store

    made: dict[str, Any] = {"gs": GCSStore, "az": AzureStore, "s3+obstore": S3Store}
    client: dict[str, Any] = {"allow_http": options.allow_http, "timeout": dt.timedelta(seconds=options.timeout)}
    if options.ca_bundle:
        client["root_certificate"] = Path(options.ca_bundle).read_bytes()
    retry = {"max_retries": _RETRIES, "retry_timeout": dt.timedelta(seconds=options.timeout)}
    try:
        store: Store = made[where.scheme](
            where.bucket, config=dict(options.config), client_options=client, retry_config=retry
        )
    except (BaseError, ValueError, TypeError) as error:
        reason = str(error).partition("\n")[0]
        if "Account must be specified" in reason:
            reason = "no storage account; set AZURE_STORAGE_ACCOUNT_NAME, or account_name in config"
        raise OptionError(f"obstore: {where.scheme}:// cannot be used with this configuration: {reason}") from None
    return store
