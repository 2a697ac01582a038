"""The signer: one token for each container, kept until shortly before its end, asked for as files are.

Splashdown's own connections ask for it, so that the profile of the service's host counts; its settings and the form of
a token are those of the ``planetary-computer`` package.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from splashdown.errors import HttpStatusError, NetworkError, TransferError, error_text
from splashdown.http import HttpOptions, HttpTransport
from splashdown.model import ReadRequest

if TYPE_CHECKING:
    from planetary_computer.sas import SASToken

#: Parameters of a shared access signature (Azure Storage, "Create a service SAS"): such a link is signed already.
_SIGNED = frozenset({"sig", "se", "sp", "st"})
#: A token that ends sooner than this is not used any more: seconds.
_SOON = 60.0
#: An answer with a token is far smaller.
_MOST_BYTES = 64 * 1024


class BlobSigner:
    """Adds a token to hrefs of blobs. One object serves all threads."""

    def __init__(
        self, *, subscription_key: str | None = None, sas_url: str | None = None, http: HttpOptions | None = None
    ) -> None:
        self._key, self._url = subscription_key, sas_url
        self._transport = HttpTransport(http)
        self._tokens: dict[tuple[str, str], SASToken] = {}
        self._foreign: set[tuple[str, str]] = set()  # containers that the Planetary Computer does not know
        self._lock = threading.Lock()

    def sign(self, href: str) -> tuple[str, Mapping[str, str]]:
        """The href with a token; as it is where it is signed, or where no token is to be had for its container.

        Raises :class:`~splashdown.errors.NetworkError` when the service cannot be reached, and
        :class:`~splashdown.errors.HttpStatusError` when it refuses.
        """
        parts = urlsplit(href)
        account, container = (parts.hostname or "").partition(".")[0], parts.path.lstrip("/").partition("/")[0]
        if not container or not _SIGNED.isdisjoint(parse_qs(parts.query)):
            return href, {}
        with self._lock:  # one request for the token of a container, however many blobs are read at once
            token = self._token(account, container)
        if not token:
            return href, {}
        return parts._replace(query=f"{parts.query}&{token}" if parts.query else token).geturl(), {}

    def _token(self, account: str, container: str) -> str:
        place = account, container
        if place in self._foreign:
            return ""
        known = self._tokens.get(place)
        if known is None or known.ttl() < _SOON:
            try:
                known = self._tokens[place] = self._ask(account, container)
            except HttpStatusError as error:
                if error.status in {400, 404}:
                    self._foreign.add(place)
                    return ""
                raise HttpStatusError(
                    f"no token for blobs of {account}/{container}: HTTP {error.status}; see PC_SDK_SUBSCRIPTION_KEY",
                    status=error.status,
                ) from None
            except TransferError as error:
                raise NetworkError(f"no token for blobs of {account}/{container}: {error_text(error)}") from error
        return str(known.token)

    def _ask(self, account: str, container: str) -> SASToken:
        from planetary_computer.sas import SASToken
        from planetary_computer.settings import Settings

        settings = Settings.get()
        url = f"{(self._url or settings.sas_url or '').rstrip('/')}/{account}/{container}"
        key = self._key or settings.subscription_key
        headers = {"Ocp-Apim-Subscription-Key": key} if key else {}
        body = bytearray()
        with self._transport.stream(ReadRequest(href=url, headers=headers)) as stream:
            for chunk in stream:
                body += chunk
                if len(body) > _MOST_BYTES:
                    raise NetworkError("the answer of the service is too large for a token")
        try:
            token = SASToken(**json.loads(body))
            token.ttl()
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            # What it sent may hold a token: the kind of the mistake has to do.
            raise NetworkError(f"the service did not send a token ({type(error).__name__})") from None
        return token
