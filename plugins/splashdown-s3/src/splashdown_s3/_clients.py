"""What a boto3 session gives to one store: clients by region, credentials that stay fresh, certificates.

Each store has a set of its own, so that two sessions in one process share nothing. Requests are the store's.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    CredentialRetrievalError,
    NoCredentialsError,
    SSOError,
    TokenRetrievalError,
)

from splashdown.errors import OptionError

if TYPE_CHECKING:
    from botocore.credentials import Credentials, ReadOnlyCredentials

    from splashdown_s3._options import S3Options

# A session is not thread-safe (boto3 guide, "Session"), and one may serve the source and the target of a run.
_using_a_session = threading.RLock()

#: What a session's own Config may say of connections, and only boto3's would follow. A detour around a proxy may be a
#: leak, so it is refused.
_NOT_FOLLOWED = {
    "proxies": "set HTTPS_PROXY or HTTP_PROXY instead",
    "proxies_config": "use a proxy that needs no certificates of its own",
    "client_cert": "use an endpoint that asks for no client certificate",
}


class NotRenewed(BotoCoreError):  # noqa: N818 - reads as what happened
    """Credentials that were good until now and have no successor; the next attempt may find one."""

    fmt = "credentials (from: {provider}) could not be renewed: {error_msg}"


class Clients:
    """Made without a request.

    Raises botocore's ``ProfileNotFound`` for a profile that does not exist, and ``OptionError`` for a session whose
    connections only boto3 could make.
    """

    def __init__(self, options: S3Options) -> None:
        self._options = options
        self._clients: dict[str | None, Any] = {}
        self._credentials: Credentials | None = None
        self._recent: tuple[ReadOnlyCredentials, ...] = ()
        with _using_a_session:
            self._session = options.session or boto3.Session(profile_name=options.profile)
            # boto3's session has no other way to the settings of the one inside it.
            core = self._session._session  # noqa: SLF001
            core.get_scoped_config()  # raises at once where there is no such profile
            # What the user's own Config says. Its type hints know nothing of what it holds.
            self._defaults: Any = core.get_default_client_config() or Config()  # type: ignore[truthy-bool]  # or None
            _refuse_detours(self._defaults)
            found = options.ca_bundle or core.get_config_variable("ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE")
        self.ca_bundle: str | None = str(found) if found else None  #: certificates to trust instead of the system's

    def client(self, region: str | None = None) -> Any:
        """The client of a region; ``None`` is the configured one."""
        found = self._clients.get(region)
        if found is None:
            with _using_a_session:
                found = self._clients.get(region) or self._clients.setdefault(region, self._make(region))
        return found

    @property
    def anonymous(self) -> bool:
        """Whether requests are not to be signed."""
        return self._options.unsigned or self._defaults.signature_version is UNSIGNED

    def credentials(self) -> ReadOnlyCredentials:
        """What to sign a request with now. A session renews them by itself when their time is near.

        Raises botocore's errors, and its ``CredentialRetrievalError`` for what else those who provide them raise (STS,
        a function of the user's); ``NotRenewed`` where there were some before, unless a person has to sign in.
        """
        found = self._credentials or self._find()
        try:
            frozen = found.get_frozen_credentials()
        except Exception as error:
            lasting = (SSOError, TokenRetrievalError) if self._recent else BotoCoreError
            if isinstance(error, lasting):
                raise
            failed = NotRenewed if self._recent else CredentialRetrievalError
            raise failed(provider=found.method, error_msg=f"{type(error).__name__}: {error}") from error
        recent = self._recent
        if recent and recent[0] == frozen:
            return recent[0]  # the same object, as long as they are the same credentials
        # Those before are kept, as an answer that is on its way may still hold them.
        self._recent = (frozen, *recent[:1])
        return frozen

    def origin(self) -> str:
        """Where the credentials come from, in botocore's words (``env``, ``shared-credentials-file``, ...)."""
        return self._credentials.method if self._credentials else "no source"

    def secrets(self) -> tuple[str, ...]:
        """Values that must not appear in any text. Asks no provider: it is wanted where one has failed."""
        return tuple(value for one in self._recent for value in (one.access_key, one.secret_key, one.token) if value)

    def close(self) -> None:
        """Give back connections."""
        with _using_a_session:
            for client in self._clients.values():
                client.close()
            self._clients.clear()

    def _find(self) -> Credentials:
        with _using_a_session:
            self._credentials = self._session.get_credentials()
        if self._credentials is None:
            raise NoCredentialsError
        return self._credentials

    def _make(self, region: str | None) -> Any:
        options = self._options
        config = Config(
            signature_version=UNSIGNED if self.anonymous else "s3v4",
            # Over https the default sends checksums in trailers, which several stores refuse.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            retries={"total_max_attempts": 1, "mode": "standard"},
            connect_timeout=options.connect_timeout,
            read_timeout=options.read_timeout,
            max_pool_connections=options.connections,
            user_agent=options.user_agent,
        )
        if options.path_style is not None:
            style = {"addressing_style": "path" if options.path_style else "virtual"}
            # The session's own Config is merged with this one, but only at the top level.
            both: Any = {**(self._defaults.s3 or {}), **style}
            config = config.merge(Config(s3=both))
        client = self._session.client(
            "s3", region_name=region or options.region, endpoint_url=options.endpoint_url,
            verify=options.ca_bundle, config=config,
        )  # fmt: skip
        client.meta.events.register_last("before-parameter-build.s3", _follow_no_redirect)
        return client


def _follow_no_redirect(model: Any, context: dict[str, Any], **_: object) -> None:
    """Let botocore ask for the region of a bucket once: where a store names none, it would ask without an end."""
    if model.name == "HeadBucket":
        context.setdefault("s3_redirect", {})["redirected"] = True


def _refuse_detours(config: Any) -> None:
    for name, instead in _NOT_FOLLOWED.items():
        if getattr(config, name):
            raise OptionError(f"s3: the session's Config sets {name}, which Splashdown does not follow; {instead}")
