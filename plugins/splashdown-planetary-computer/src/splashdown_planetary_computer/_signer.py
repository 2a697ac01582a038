"""The signer: one token for each container, kept by the ``planetary-computer`` package until shortly before its end."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

from splashdown.errors import HttpStatusError, NetworkError, error_text

#: Parameters of a shared access signature (Azure Storage, "Create a service SAS"): such a link is signed already.
_SIGNED = frozenset({"sig", "se", "sp", "st"})
#: The package repeats failed requests with pauses that double; the engine does so as well.
_RETRIES = 2


class BlobSigner:
    """Adds a token to hrefs of blobs. One object serves all threads."""

    def __init__(self) -> None:
        self._foreign: set[tuple[str, str]] = set()  # containers that the Planetary Computer does not know
        self._lock = threading.Lock()

    def sign(self, href: str) -> tuple[str, Mapping[str, str]]:
        """The href with a token; as it is where it is signed, or where no token is to be had for its container.

        Raises :class:`~splashdown.errors.NetworkError` when the service cannot be reached, and
        :class:`~splashdown.errors.HttpStatusError` when it refuses.
        """
        parts = urlsplit(href)
        account, container = (parts.hostname or "").partition(".")[0], parts.path.lstrip("/").partition("/")[0]
        if not container or not _SIGNED.isdisjoint(parse_qs(parts.query)) or (account, container) in self._foreign:
            return href, {}
        token = self._token(account, container)
        if not token:
            return href, {}
        return parts._replace(query=f"{parts.query}&{token}" if parts.query else token).geturl(), {}

    def _token(self, account: str, container: str) -> str:
        import requests
        from planetary_computer.sas import get_token

        try:
            with self._lock:  # one request for the token of a container, however many blobs are read at once
                return str(get_token(account, container, retry_total=_RETRIES).token)
        except requests.HTTPError as error:
            status = 0 if error.response is None else error.response.status_code
            if status in {400, 404}:
                self._foreign.add((account, container))
                return ""
            raise HttpStatusError(
                f"no token for blobs of {account}/{container}: HTTP {status}; see PC_SDK_SUBSCRIPTION_KEY",
                status=status,
            ) from None
        except requests.RequestException as error:
            raise NetworkError(f"no token for blobs of {account}/{container}: {error_text(error)}") from error
