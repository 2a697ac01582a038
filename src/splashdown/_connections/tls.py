"""TLS as the options say, on the adapter of ``requests``: authorities, the system's store, client certificates.

All connections of a pool share one context. ``urllib3`` would make one for each of them, and read the authorities each
time, which costs as much as some hundred small files.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import requests
from requests.adapters import DEFAULT_CA_BUNDLE_PATH, HTTPAdapter
from urllib3.util.ssl_ import create_urllib3_context

#: As the value of ``verify`` or ``ca``; a file of this name is ``./system``.
SYSTEM: Final = "system"

CERTIFICATE_WANTED: Final = (
    "the server wants a client certificate: name the file with cert of this host in [hosts], or with http.cert"
)

#: The next step after a certificate that is not trusted.
NAME_AUTHORITY: Final = "name the file of its authority with ca of this host in [hosts], or with http.verify"

#: A PEM file, and that of the key where it is another one.
Certificate = tuple[str, str | None]


class TlsAdapter(HTTPAdapter):
    """``requests``' adapter, whose pools have TLS contexts that are made once."""

    def __init__(self, **options: Any) -> None:
        self._contexts: dict[object, ssl.SSLContext] = {}
        super().__init__(**options)

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> tuple[Any, Any]:
        """The keys of a pool. Raises ``OSError`` with the reason where a certificate cannot be used."""
        # The authorities are in the context. A pool that had them too would add them once more for each connection.
        host, pool = super().build_connection_pool_key_attributes(request, verify is not False)
        if host["scheme"] == "https" and (verify is not False or cert):
            pool["ssl_context"] = self._context(verify, cert)
        return host, pool

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:  # noqa: ARG002 - it is in the context
        """Have a pool without authorities accept any server; those of the others are in their contexts."""
        if verify is False:
            super().cert_verify(conn, url, verify, None)  # type: ignore[no-untyped-call]

    def _context(self, verify: object, cert: Certificate | None) -> ssl.SSLContext:
        # One object for each way, so that pools are found again; and no two certificates in one context, which would
        # offer either to any server.
        key = (verify, cert)
        return self._contexts.get(key) or self._contexts.setdefault(key, _make(verify, cert))


def wants_certificate(errors: Iterable[BaseException]) -> bool:
    """Whether a server has refused a connection because it came without a client certificate (TLS 1.3)."""
    return any("CERTIFICATE_REQUIRED" in str(one.reason) for one in errors if isinstance(one, ssl.SSLError))


def _make(verify: object, cert: Certificate | None) -> ssl.SSLContext:
    if verify == SYSTEM:
        context = _system_store()
    else:
        context = create_urllib3_context(cert_reqs=ssl.CERT_NONE if verify is False else ssl.CERT_REQUIRED)
        if verify is not False:
            _trust(context, verify if isinstance(verify, str) and verify else DEFAULT_CA_BUNDLE_PATH)
    if cert is not None:
        _present(context, *cert)
    return context


def _system_store() -> ssl.SSLContext:
    try:
        import truststore  # late: only few need it
    except ImportError:
        raise OSError(
            "the system's certificate store needs one package more: pip install 'splashdown[truststore]'"
        ) from None
    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _trust(context: ssl.SSLContext, bundle: str) -> None:
    """Let a context trust the authorities of a file, or of a folder with a file for each of them."""
    try:
        if Path(bundle).is_dir():
            context.load_verify_locations(capath=bundle)
        else:
            context.load_verify_locations(cafile=bundle)
    except ssl.SSLError as error:
        reason = error.reason or type(error).__name__
        raise OSError(f"the certificate authorities in {bundle} cannot be used ({reason}): it has to be PEM") from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise OSError(f"the certificate authorities in {bundle} cannot be read ({reason})") from None


def _present(context: ssl.SSLContext, cert: str, key: str | None) -> None:
    """Let a context present a client certificate."""
    try:
        # Without a password OpenSSL would ask for one at the terminal.
        context.load_cert_chain(cert, key, password="")
    except ssl.SSLError as error:
        raise OSError(
            f"the client certificate {cert} cannot be used ({error.reason or type(error).__name__}): it has to be a"
            " PEM file with its key, or key= names that, and the key without a passphrase"
        ) from None
    except OSError as error:
        raise OSError(
            f"the client certificate {cert} cannot be read ({error.strerror or type(error).__name__})"
        ) from None
