"""The transport ``s3://``: ranged GETs of objects, each pinned to one ETag or version.

A signed GET is plain HTTP, so the transport of http hrefs sends it and reads the answer: its connections cost little,
and there is one place that judges ranges and versions. An answer that says no is asked for again in the store's own
way, which knows error codes, regions and what to do. The engine hashes every byte.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace

from splashdown.errors import (
    ChangedError,
    HttpStatusError,
    NetworkError,
    NotModifiedError,
    RangeNotServedError,
    StalledError,
    TransferError,
)
from splashdown.http import HttpOptions, HttpTransport
from splashdown.model import ReadRequest, RemoteInfo, SmallBody
from splashdown.protocols import AwaitedFile, Stream
from splashdown_s3 import _objects as objects
from splashdown_s3._errors import reading, unanswered
from splashdown_s3._options import S3Options
from splashdown_s3._store import Store
from splashdown_s3._uri import Location, split


class S3Transport:
    """Reads objects. One client and its connections serve all threads."""

    def __init__(self, options: S3Options) -> None:
        with reading(None, Location("", "")):
            self._store = Store(options)
            bundle = self._store.ca_bundle
        self._http = HttpTransport(
            HttpOptions(
                connect_timeout=options.connect_timeout,
                read_timeout=options.read_timeout,
                pool_size=options.connections,
                verify=bundle or True,
                user_agent=options.user_agent or HttpOptions().user_agent,
                # A redirect leads to another region; the credentials have to be signed for it again.
                max_redirects=0,
            )
        )

    @property
    def store(self) -> str:
        """Names the store; see ``S3Sink.store``."""
        return self._store.identity

    def read_small(self, request: ReadRequest, most: int) -> SmallBody | AbstractContextManager[Stream]:
        """A small object by one GET; after an answer that says no :meth:`stream` asks again, and explains."""
        where = split(request.href)
        signed = self._signed(where, request)
        try:
            return self._http.read_small(signed, most)
        except TransferError as error:
            self.raise_unless_refused(where, error)
            return self.stream(request)

    def ask_small(self, request: ReadRequest, most: int) -> AwaitedObject | None:
        """The same without waiting for the answer."""
        where = split(request.href)
        signed = self._signed(where, request)
        try:
            awaited = self._http.ask_small(signed, most)
        except NetworkError as error:
            raise unanswered(error, self._store, where) from None
        return None if awaited is None else AwaitedObject(self, where, request, awaited)

    def raise_unless_refused(self, where: Location, error: TransferError) -> None:
        """Return for an answer that says no, by a status or a redirect: the store is asked why. Raises other errors."""
        if isinstance(error, NetworkError):
            raise unanswered(error, self._store, where) from None
        if isinstance(error, (ChangedError, NotModifiedError, RangeNotServedError, StalledError)):
            raise error

    @contextmanager
    def stream(self, request: ReadRequest) -> Iterator[Stream]:
        """Open a range, or the whole object by a range from its first byte on."""
        where = split(request.href)
        for last in (False, True):
            signed = self._signed(where, request)
            try:
                opened = self._http.stream(signed)
                break
            except TransferError as error:
                self.raise_unless_refused(where, error)
                self._explain(where, request, error, last=last)
        with opened as stream:
            yield stream

    def delete(self, href: str, version: RemoteInfo) -> None:
        """Delete an object that is still the version that was read; a bucket with versions keeps it as an old one."""
        where = split(href)
        with reading(self._store, where):
            objects.delete_version(self._store, where, version)

    def close(self) -> None:
        """Give back connections."""
        self._http.close()
        self._store.close()

    def _signed(self, where: Location, request: ReadRequest) -> ReadRequest:
        try:
            href, headers = self._store.signed("GET", where, query=objects.version_of(request))
        except Exception:  # entered only then, as a context costs calls for each object
            with reading(self._store, where):
                raise
        return replace(request, href=href, headers=headers)

    def _explain(self, where: Location, request: ReadRequest, error: TransferError, *, last: bool) -> None:
        """Raise the store's own reason for an error; return when the same request is fine now (another region)."""
        if isinstance(error, HttpStatusError) and error.retryable:
            text = f"cannot read {where}: {error.status}: the store is busy or has a fault; try again later"
            raise HttpStatusError(text, status=error.status, retry_after=error.retry_after) from None
        with reading(self._store, where):
            objects.probe(self._store, where, request)
        if last:
            raise error


class AwaitedObject:
    """A small object that was asked for."""

    def __init__(self, transport: S3Transport, where: Location, request: ReadRequest, awaited: AwaitedFile) -> None:
        self._transport, self._where, self._request, self._awaited = transport, where, request, awaited
        self.fileno, self.close = awaited.fileno, awaited.close
        self._refused = False

    @property
    def unusual(self) -> bool:
        """Whether :meth:`take` will never give it."""
        return self._refused or self._awaited.unusual

    def take(self) -> SmallBody | None:
        """The object once all of it has come; does not wait."""
        try:
            return self._awaited.take()
        except TransferError as error:
            self._transport.raise_unless_refused(self._where, error)
            self._refused = True
            return None

    def rest(self) -> AbstractContextManager[Stream]:
        """The answer in the usual way; one that says no is asked for again, and explained."""
        try:
            return self._transport.stream(self._request) if self._refused else self._awaited.rest()
        except TransferError as error:
            self._transport.raise_unless_refused(self._where, error)
            return self._transport.stream(self._request)
