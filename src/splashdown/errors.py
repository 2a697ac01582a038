"""All exceptions that Splashdown raises.

They form a tree::

    SplashdownError
    |-- UsageError                    the call cannot work as written (also a ValueError)
    |   |-- MultipleAssetsError       one asset was requested, several match
    |   |-- NoAssetError              nothing matches
    |   |   `-- UnknownKeyError       no asset has this key (also a KeyError)
    |   |-- TargetError               the target cannot take what is asked
    |   `-- OptionError               an option unknown to its plugin, or an unusable value
    |-- PluginError                   no provider, two providers, or one that failed
    |   |-- NoProviderError
    |   |   `-- DisabledError         the plugin that offers it is disabled
    |   `-- ConflictError
    |-- ResolveError                  the source does not lead to assets
    |   |-- NotFoundError             404 and 410
    |   |   |-- JobNotFound
    |   |   `-- ResultLinkExpired
    |   |-- JobNotFinished
    |   |-- JobFailed                 424, with the log entry that says why
    |   `-- ApiError                  any other error document of an openEO API
    |-- AuthError                     401 and 403
    |-- TransferError                 one asset could not be moved
    |   |-- NetworkError              no connection, or one that broke
    |   |-- HttpStatusError           the server answered with this status
    |   |-- RangeNotServedError       the server did not send the requested range
    |   |-- ChangedError              the remote file changed while it was read
    |   |-- LinkExpiredError          a signed href is past its time
    |   |-- TruncatedError            fewer or more bytes than promised
    |   |-- StalledError              too slow for too long
    |   |-- NotModifiedError          the stored version is still the current one
    |   |-- ChecksumError             the bytes differ from what was promised
    |   |-- ContentError              the bytes are evidently another kind of file
    |   |-- ExistsError               the destination holds something that may not be replaced
    |   `-- StoreError                the sink could not take the bytes
    |-- LoadError                     an asset could not become an object
    `-- DownloadError                 a run ended with failures; carries the RunReport

    KeyboardInterrupt
    |-- Abandoned                     the loop over a stream was left
    |-- Interrupted                   Ctrl-C, SIGTERM or the end of a loop ended a run; carries the RunReport
    `-- Terminated                    SIGTERM asked the command to end

    PluginWarning                     a plugin failed and was left out, or failed in use (a UserWarning)

Every message is one line that says what, why and what to do. No message holds a secret: hrefs go through
:func:`splashdown.redact.redact` first.
"""

from __future__ import annotations

import os
from itertools import islice
from typing import TYPE_CHECKING

from splashdown.redact import redact_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from splashdown.model import RunReport


#: The folder of this package, however it is installed.
_HERE = __file__.removesuffix("errors.py")


class SplashdownError(Exception):
    """Base of everything this package raises on purpose."""

    def _render_traceback_(self) -> list[str]:
        """The lines that IPython shows: those of the user's code and the message, with SPLASHDOWN_DEBUG all of them."""
        import traceback

        frames = list(traceback.extract_tb(self.__traceback__))
        if os.environ.get("SPLASHDOWN_DEBUG"):
            return [redact_text(line.rstrip("\n")) for line in traceback.format_exception(self)]
        own = [frame for frame in frames if not _is_of_packages(frame.filename)]
        head = "Traceback (without the lines of packages; SPLASHDOWN_DEBUG=1 shows them):"
        return [head, *(line.rstrip("\n") for line in traceback.format_list(own)), f"{type(self).__name__}: {self}"]


def _is_of_packages(filename: str) -> bool:
    """Whether a file is one of this package, or is installed: not a cell, and not a script or module of the user."""
    return filename.startswith((_HERE, "<frozen ")) or "site-packages" in filename


class UsageError(SplashdownError, ValueError):
    """The call cannot work as written; the message says what to change."""


class MultipleAssetsError(UsageError):
    """One asset was requested and several match; ``keys`` names them."""

    def __init__(self, message: str, keys: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.keys = tuple(keys)


class NoAssetError(UsageError):
    """Nothing matches: the result is empty, or the filters dropped everything."""


class UnknownKeyError(NoAssetError, KeyError):
    """No asset has this key."""

    # KeyError shows the repr of its argument; users should read the plain sentence.
    __str__ = Exception.__str__


class TargetError(UsageError):
    """The target cannot be used as requested, for example a file where a folder is needed."""


class OptionError(UsageError):
    """An option is unknown to its plugin, or has a value that the plugin cannot take."""


class PluginError(SplashdownError):
    """A problem with plugins: none fits, two fit, or one failed."""


class NoProviderError(PluginError):
    """No plugin offers what is needed; the message says which are installed, which failed and which to install."""


class DisabledError(NoProviderError):
    """The plugin that offers what is needed is disabled; the text says which one, and what disabled it."""


class ConflictError(PluginError):
    """Two plugins offer the same thing; the message names both and how to pick one."""


class PluginWarning(UserWarning):
    """A plugin failed and the rest continues. Each failure is reported once."""


class ResolveError(SplashdownError):
    """The source does not lead to assets."""


class ApiError(ResolveError):
    """The error document of an openEO API (openEO API, "Error Handling").

    ``status`` is the HTTP status, ``code`` the openEO error code, ``id`` the identifier that the
    back-end's operators ask for.
    """

    def __init__(self, message: str, *, status: int = 0, code: str = "", id: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.id = id


class NotFoundError(ApiError):
    """404 or 410: the URL leads to nothing, or no longer to anything."""


class JobNotFound(NotFoundError):  # noqa: N818 - the openEO error code
    """The back-end knows no job of this id."""


class ResultLinkExpired(NotFoundError):  # noqa: N818 - the openEO error code
    """A signed results link is past its time; ask for the results again."""


class JobNotFinished(ApiError):  # noqa: N818 - the openEO error code
    """The job has no results yet; ``job_status`` is its status at the back-end."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 0,
        code: str = "",
        id: str = "",
        job_status: str = "",
    ) -> None:
        super().__init__(message, status=status, code=code, id=id)
        self.job_status = job_status


class JobFailed(ApiError):  # noqa: N818 - reads as the state it reports
    """The job ended with an error or was canceled; ``log`` holds the log entries that say why."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 0,
        code: str = "",
        id: str = "",
        log: Sequence[Mapping[str, object]] = (),
    ) -> None:
        super().__init__(message, status=status, code=code, id=id)
        self.log = tuple(log)


class AuthError(ApiError):
    """401 or 403: no credentials, wrong ones, or not enough rights."""


class TransferError(SplashdownError):
    """One asset could not be moved. ``retryable`` says whether the same request may succeed later."""

    retryable = False


class NetworkError(TransferError):
    """The connection could not be made, or broke; not retryable where waiting does not help (certificates, names).

    ``refused`` says that the host has refused the connection, as one does that has too many.
    """

    def __init__(self, message: str, *, retryable: bool = True, refused: bool = False) -> None:
        super().__init__(message)
        self.retryable = retryable
        self.refused = refused


class HttpStatusError(TransferError):
    """The server answered with an error status; ``retry_after`` is in seconds where the server named it."""

    def __init__(self, message: str, *, status: int, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after
        self.retryable = status in RETRYABLE_STATUS or status >= 500


class RangeNotServedError(TransferError):
    """The server did not send the requested range."""

    retryable = True


class ChangedError(TransferError):
    """The remote file changed while it was read (412, or another validator)."""


class LinkExpiredError(TransferError):
    """A signed href is past its time (401, 403, 404 or 410 after it worked, or by its own ``expires``)."""


class TruncatedError(TransferError):
    """The body ended early, or went on past its promised length."""

    retryable = True


class StalledError(TransferError):
    """No byte for too long, or fewer bytes per second than the lowest speed allowed."""

    retryable = True


class NotModifiedError(TransferError):
    """The remote file is still the version that ``ReadRequest.unless`` names (304); nothing was sent."""


class ChecksumError(TransferError):
    """The bytes differ from what the metadata or the server promised; nothing was stored."""


class ContentError(TransferError):
    """The bytes are evidently another kind of file than the metadata promise (a web page, nothing at all)."""


class ExistsError(TransferError):
    """The destination holds something that may not be replaced."""


class StoreError(TransferError):
    """The sink could not take the bytes: no space, no permission, a failing disk or store."""


class LoadError(SplashdownError):
    """An asset could not become an object in memory."""


class DownloadError(SplashdownError):
    """A run ended and some assets failed; ``report`` has all outcomes, ``metadata`` the place of the saved document."""

    def __init__(self, message: str, report: RunReport, metadata: str = "") -> None:
        super().__init__(message)
        self.report = report
        self.metadata = metadata


class Terminated(KeyboardInterrupt):
    """SIGTERM asked the process to end; like Ctrl-C it ends a run with its report."""


class Abandoned(KeyboardInterrupt):
    """The loop over a stream of outcomes was left; like Ctrl-C that ends the run with its report."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, SIGTERM or the end of a loop ended a run.

    ``report`` has all outcomes, ``metadata`` the place of the saved document.
    """

    def __init__(self, report: RunReport, metadata: str = "") -> None:
        super().__init__(f"the run was interrupted ({report.interrupted})")
        self.report = report
        self.metadata = metadata


#: Client errors after which the same request may succeed later (RFC 9110, RFC 6585).
RETRYABLE_STATUS = frozenset({202, 408, 425, 429})


#: Names that a wrong one is compared with; a source may have a hundred thousand, and each takes 0.1 ms.
_MOST_COMPARED = 2000


def did_you_mean(wanted: str, known: Iterable[str]) -> str:
    """``; did you mean 'x'?`` with the known name that resembles ``wanted`` most; empty without a close one."""
    import difflib  # costs a millisecond, and is needed after a typo only

    alike = (name for name in known if abs(len(name) - len(wanted)) <= len(wanted) // 2)
    close = difflib.get_close_matches(wanted, list(islice(alike, _MOST_COMPARED)), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def refuse_unknown(whose: str, given: Iterable[str], known: Iterable[str], where: str = "") -> None:
    """Raise :class:`OptionError` for the first given option that ``whose`` (``the resolver 'stac'``) does not have.

    The message names the nearest option, else all of them. ``where`` names the place of the option, with a space first.
    """
    known = list(known)
    for name in given:
        if name not in known:
            hint = did_you_mean(name, known) or f"; it has: {', '.join(known) or 'none'}"
            raise OptionError(f"{whose} has no option {name!r}{where}{hint}")


#: Characters of the message of an exception.
_LONGEST = 1500


def error_text(error: BaseException) -> str:
    """``Type: message``, on one line and without secrets; some exceptions (``TimeoutError``) have no message.

    Libraries quote what they were given, of any length: of a long message its beginning and its end are kept.
    """
    text = " ".join(redact_text(str(error)).split())
    if len(text) > _LONGEST:
        text = f"{text[: _LONGEST * 2 // 3]} ... {text[-_LONGEST // 3 :]}"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
