"""Reads JSON documents over HTTP: redirects by hand, credentials for one origin alone, limits, retries.

It leaves the meaning of documents to others, and credentials to :mod:`splashdown._documents.authority`.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.cookiejar import DefaultCookiePolicy
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase
from urllib3.exceptions import ReadTimeoutError

from splashdown._connections.addresses import AddressError, Gate
from splashdown._connections.answers import AnswerError
from splashdown._connections.options import HttpOptions
from splashdown._connections.proxies import SOCKS_WANTED, wants_socks
from splashdown._connections.tls import CERTIFICATE_WANTED, NAME_AUTHORITY, wants_certificate
from splashdown._documents.adapter import DocumentAdapter
from splashdown._documents.authority import Anonymous, Authority, renewed
from splashdown._documents.cookies import cookie_lines
from splashdown._documents.document import Document, is_stac, parse_object
from splashdown._documents.faults import fault
from splashdown._documents.listed import Listed, ListedSteps
from splashdown._documents.pauses import Pauses, Preparation
from splashdown._documents.places import shown
from splashdown._documents.repeating import REPEATS, Repeats, causes
from splashdown._documents.steps import Steps, secrets_sent
from splashdown.errors import AuthError, ResolveError, error_text

#: Real results documents reach some megabytes (tens of thousands of links); this is far above that.
MAX_BYTES = 128 * 2**20
#: A document may take so many read timeouts to begin, and for each 64 KiB: back-ends take long to list many assets.
_PATIENCE = 2
#: A document may take so many read timeouts as a whole, with the redirects that lead to it.
_WHOLE = 10
_PIECE = 64 * 1024
#: How often a body that breaks off is requested again.
_CUT_OFF = 3


class _Own(AuthBase):
    """Puts the given headers on a request; its presence keeps ``requests`` from looking into netrc by itself."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = headers

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers.update(self._headers)
        return request


#: For requests without credentials of any kind.
no_ambient_auth = _Own({})


class Fetched(NamedTuple):
    """An answer with any status: where it was read, and the headers of each step to there."""

    url: str
    status: int
    body: bytes
    sent: Sequence[Mapping[str, str]]
    wait: str = ""  #: that the server asks to wait for longer than is allowed

    def __repr__(self) -> str:
        return f"Fetched({shown(self.url)}, {self.status})"


#: Reasons that say what to do.
_ADVICE = (SOCKS_WANTED, CERTIFICATE_WANTED, NAME_AUTHORITY)
#: Longer URLs than servers take. Documents that link ever deeper below themselves end here, before memory does.
_LONGEST_URL = 16 * 1024
#: As much of one as a line gives.
_SHOWN = 120


class Client:
    """Reads documents; one object serves several threads.

    The first address is the user's choice. If it is public, no link and no redirect leads to a private one.
    """

    def __init__(
        self,
        authority: Authority | None = None,
        http: HttpOptions | None = None,
        gate: Gate | None = None,
        listed: Listed | None = None,
    ) -> None:
        self.authority: Authority = authority or Anonymous()
        self._listed = Listed() if listed is None else listed
        self._steps = ListedSteps(
            listed=self._listed,
            held=bool(self._listed) or not isinstance(self.authority, Anonymous),
            other=lambda url, refused: renewed(self.authority, url, refused) or self._listed.renewed(url, refused),
        )
        self.http = http or HttpOptions()
        self.gate = gate or Gate(allow_private=self.http.allow_private)
        self._session = requests.Session()
        self._session.headers.update({"Accept": "application/json, */*;q=0.5"})
        # A cookie is a credential too: those of sign-ins are kept with the listed origins, all others dropped.
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._pauses = Pauses(emit=self.http.emit)
        self._repeats = REPEATS.made(self.http.hosts, self._pauses)
        adapter = DocumentAdapter(gate=self.gate, max_retries=self._repeats, pool_maxsize=16)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def get(self, url: str, *, headers: Mapping[str, str] | None = None) -> Document:
        """Read the JSON object at ``url``.

        ``headers`` replace the authority's; they go to the origin of ``url`` alone. Raises
        :class:`~splashdown.errors.ApiError` or a subclass for an error answer, and
        :class:`~splashdown.errors.ResolveError` without an answer, or without a JSON object in it.
        """
        sent = self.authority.headers(url) if headers is None else {}
        try:
            return self._read(url, headers)
        except AuthError as error:
            if error.code != "TokenInvalid" or not self.authority.renew(sent):
                raise
            return self._read(url, headers)

    def post(self, url: str, body: Mapping[str, Any], *, headers: Mapping[str, str] | None = None) -> Document:
        """Read the JSON answer to a search. Only for requests that change nothing: they may be repeated.

        ``headers`` come with the authority's; they go to the origin of ``url`` alone. Raises what :meth:`get` raises.
        """
        return self._read(url, headers, body)

    def send(self, method: str, url: str, body: Mapping[str, Any]) -> Fetched:
        """Send a JSON object, and return the answer, whatever its status.

        Raises :class:`~splashdown.errors.ResolveError` without an answer. ``PUT`` may be repeated; a ``POST`` that was
        answered with an error of the server may be, too, so it has to be one that the server refuses the second time.
        """
        with self._in_words(url):
            return self._fetch_whole(url, None, body, method)

    @property
    def held(self) -> bool:
        """Whether the user has given credentials, for whatever origin."""
        return self._steps.held

    def close(self) -> None:
        """Close connections; a thread that waits to ask again waits no longer."""
        self._pauses.closed.set()
        self._session.close()

    def get_bytes(self, url: str) -> tuple[str, bytes]:
        """Final URL and bytes of a document of any format. Raises what :meth:`get` raises."""
        return self._asked(url, None, None)

    def _read(self, url: str, headers: Mapping[str, str] | None, question: Mapping[str, Any] | None = None) -> Document:
        final, body = self._asked(url, headers, question)
        return Document(place=final, body=parse_object(body, final))

    def _asked(
        self, url: str, headers: Mapping[str, str] | None, question: Mapping[str, Any] | None
    ) -> tuple[str, bytes]:
        if len(url) > _LONGEST_URL:
            raise ResolveError(f"{shown(url[:_SHOWN])}… is not read: its URL has {len(url):,} characters")
        with self._in_words(url):
            final, status, body, sent, wait = self._fetch_whole(url, headers, question)
        if status == HTTPStatus.ACCEPTED and (wait or not body.lstrip().startswith(b"{")):
            raise ResolveError(f"{shown(final)}: the server still prepares it (HTTP 202); {wait or 'try again later'}")
        if status >= 400:
            # Of what was sent: by now another thread may have renewed the token.
            known = secrets_sent(url, sent) | self._listed.keys_sent
            raise fault(final, status, body, authorized=bool(sent[-1]), secrets=known, held=self.held, wait=wait)
        return final, body

    @staticmethod
    @contextmanager
    def _in_words(url: str) -> Iterator[None]:
        """Let what keeps a request from its answer be an error of the library."""
        try:
            yield
        except AddressError as error:
            raise ResolveError(f"{shown(url)} is not read: {error}") from None
        except requests.RequestException as error:
            reason = _reason(error)
            more = "" if reason.endswith(_ADVICE) else "; check the URL and the network"
            raise ResolveError(f"{shown(url)} could not be read ({reason}){more}") from None
        except OSError as error:  # a certificate or a bundle that cannot be used
            raise ResolveError(f"{shown(url)} is not read: {error_text(error)}") from None

    def _fetch_whole(
        self, url: str, headers: Mapping[str, str] | None, question: Mapping[str, Any] | None, method: str = ""
    ) -> Fetched:
        # The adapter's retries end with the headers; a body that breaks off is requested again.
        for _ in range(_CUT_OFF):
            with suppress(requests.exceptions.ChunkedEncodingError):
                return self._fetch(url, headers, question, method)
        return self._fetch(url, headers, question, method)

    def _fetch(
        self, url: str, headers: Mapping[str, str] | None, question: Mapping[str, Any] | None, method: str = ""
    ) -> Fetched:
        steps = Steps(
            url,
            ResolveError,
            first=lambda here: self._first(here, headers, searches=question is not None),
            credentials=self._steps if headers is None or question is not None else None,
        )
        whole = _WHOLE * self._options(url).read_timeout
        end = time.monotonic() + whole
        # A 202 is a good answer to something that was sent to be kept; a document that was asked for has not come yet.
        prepared = None if method else Preparation()
        method = method or ("GET" if question is None else "POST")
        while True:
            options, sent = self._options(steps.url), steps.headers()
            # Where other credentials are sent, or none are to be, a callable for a key is not even asked.
            keyed = not sent and (headers is None or question is not None)
            with self._session.request(
                method,
                self._listed.with_key(steps.url) if keyed else steps.url,
                json=question,
                headers={"User-Agent": options.user_agent},
                auth=_Own(sent),
                timeout=(min(10.0, options.connect_timeout), _PATIENCE * options.read_timeout),
                # Given with each request: a bundle that the environment names would replace the session's own.
                verify=options.authorities,
                cert=options.certificate,  # type: ignore[arg-type]  # the adapter takes it without a key of its own
                allow_redirects=False,
                stream=True,
            ) as answer:
                location = answer.headers.get("Location")
                if not steps.follow(answer.status_code, location, cookie_lines(answer.raw.headers)):
                    end += getattr(answer.raw.retries, "waited", 0.0)  # as the server has asked for
                    body = self._body(answer, steps.url, end, whole)
                    policy = self._repeats.at(urlsplit(steps.url).netloc)
                    wait = policy.too_long(answer.status_code, answer.headers)
                    if prepared is not None and answer.status_code == HTTPStatus.ACCEPTED and not is_stac(body):
                        waited = prepared.waited
                        wait = self._until_prepared(steps.url, answer.headers, policy, prepared)
                        end += prepared.waited - waited
                        if not wait:
                            continue
                    return Fetched(steps.url, answer.status_code, body, steps.sent, wait)

    def _until_prepared(self, url: str, headers: Mapping[str, str], policy: Repeats, prepared: Preparation) -> str:
        """Wait until a document may be there; words for why it is not waited for any longer, else empty."""
        longest = policy.retry_after_max
        delay = prepared.delay(headers, base=policy.backoff_factor, most=policy.backoff_max, longest=longest)
        if delay is None:
            return f"max_retry_after allows to wait {longest:g} seconds altogether; try again later"
        self._pauses.wait(url, delay, f"the server answered {HTTPStatus.ACCEPTED}, it still prepares it")
        # A client that is closed asks for nothing any more.
        return "reading was ended" if self._pauses.closed.is_set() else ""

    def _first(self, url: str, headers: Mapping[str, str] | None, *, searches: bool) -> Mapping[str, str]:
        """The headers for a URL of the first origin."""
        if headers is not None and not searches:
            return headers
        return {**(headers or {}), **(self.authority.headers(url) or self._listed.headers(url))}

    def _options(self, url: str) -> HttpOptions:
        return self.http.at(url.partition("://")[2].partition("/")[0])

    def _body(self, answer: requests.Response, url: str, end: float, whole: float) -> bytes:
        body = bytearray()
        raw: Any = answer.raw
        raw.end_within(end - time.monotonic())
        try:
            for chunk in answer.iter_content(_PIECE):
                body += chunk
                if len(body) > MAX_BYTES:
                    raise ResolveError(
                        f"{shown(url)} is larger than {MAX_BYTES // 2**20} MiB, too large for a metadata document"
                    )
        except requests.ConnectionError:
            if time.monotonic() < end:
                raise
            raise ResolveError(
                f"{shown(url)} was not complete after {whole:g} seconds; try again, or raise http.read_timeout"
            ) from None
        return bytes(body)


def _reason(error: requests.RequestException) -> str:
    # Messages of requests repeat the URL with its query; only the cause below them is shown.
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "ChunkedEncodingError: the answer was cut off"
    chain = list(causes(error))
    if wants_socks(error):
        return SOCKS_WANTED
    if wants_certificate(chain):
        return CERTIFICATE_WANTED
    if (answer := next((one for one in chain if isinstance(one, AnswerError)), None)) is not None:
        return str(answer)
    if (refused := next((one for one in chain if isinstance(one, ssl.SSLCertVerificationError)), None)) is not None:
        return f"SSLError: {refused.verify_message}; {NAME_AUTHORITY}"
    if any(isinstance(one, ReadTimeoutError) for one in chain):
        return f"{type(error).__name__}: no answer, or too slow a one, within the read timeout"
    reasons = (getattr(one, "reason", None) for one in chain)
    text = next((str(reason).rpartition(": ")[2] for reason in reasons if isinstance(reason, BaseException)), "")
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def http_options(context: object) -> HttpOptions | None:
    """How the user wants HTTP to be done, as far as the context of a resolver says so: those of a session do."""
    found = getattr(context, "http", None)
    return found if isinstance(found, HttpOptions) else None
