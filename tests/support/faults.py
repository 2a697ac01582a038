"""The ways in which a :mod:`fault_server` breaks: each is given to ``FaultServer.script`` or ``always``."""

from __future__ import annotations

import gzip
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fault_server import Handler


@dataclass
class Answer:
    """A response before it is sent. Faults change it."""

    status: int
    headers: dict[str, str]
    body: bytes = b""
    chunked: bool = False


#: Gets the request's handler and the answer as it should be, and sends something else (or the same).
Fault = Callable[["Handler", Answer], None]


def Status(status: int, body: bytes = b"", **headers: str) -> Fault:
    """An error, with headers by name (``Retry_After="1"``)."""

    def fault(handler: Handler, _: Answer) -> None:
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        handler.send(Answer(status, {"Content-Type": "text/plain", **fields}, body))

    return fault


def Redirect(location: str, status: int = 302) -> Fault:
    return Status(status, Location=location)


def Cut(after: int, *, reset: bool = False) -> Fault:
    """The body ends after this many of its bytes; ``reset`` closes with RST instead of FIN."""

    def fault(handler: Handler, answer: Answer) -> None:
        handler.send(answer, limit=after)
        handler.hang_up(reset=reset)

    return fault


def HangUp(*, reset: bool = False) -> Fault:
    """No answer at all."""
    return lambda handler, _: handler.hang_up(reset=reset)


def Garbage(line: bytes = b"SSH-2.0-OpenSSH_9.2\r\n") -> Fault:
    """Something that is not HTTP."""

    def fault(handler: Handler, _: Answer) -> None:
        handler.raw(line)
        handler.hang_up()

    return fault


def IgnoreRange(*, advertise: bool = True) -> Fault:
    """200 and the whole file, whatever range was asked for."""

    def fault(handler: Handler, _: Answer) -> None:
        answer = handler.whole()
        answer.headers["Accept-Ranges"] = "bytes" if advertise else "none"
        handler.send(answer)

    return fault


def WrongRange(shift: int = 10) -> Fault:
    """206, but another range than the one asked for; its length is right."""

    def fault(handler: Handler, answer: Answer) -> None:
        if answer.status == 206:
            start, stop, size = map(int, re.findall(r"\d+", answer.headers["Content-Range"]))
            start = min(start + shift, size - 1)
            stop = min(stop + shift, size - 1)
            answer.headers["Content-Range"] = f"bytes {start}-{stop}/{size}"
            answer.body = handler.file.content[start : stop + 1]
        handler.send(answer)

    return fault


def WrongTotal(size: int) -> Fault:
    """206 whose Content-Range tells another size of the file."""

    def fault(handler: Handler, answer: Answer) -> None:
        value = answer.headers.get("Content-Range", "")
        answer.headers["Content-Range"] = f"{value.partition('/')[0]}/{size}"
        handler.send(answer)

    return fault


def Without(*names: str) -> Fault:
    """The right answer without some headers."""

    def fault(handler: Handler, answer: Answer) -> None:
        handler.send(replace(answer, headers={k: v for k, v in answer.headers.items() if k not in names}))

    return fault


def With(**headers: str) -> Fault:
    """The right answer with more headers (``Content_MD5="..."``)."""

    def fault(handler: Handler, answer: Answer) -> None:
        answer.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
        handler.send(answer)

    return fault


def WrongLength(delta: int) -> Fault:
    """Content-Length is off by ``delta``; the connection closes after the body."""

    def fault(handler: Handler, answer: Answer) -> None:
        answer.headers["Content-Length"] = str(len(answer.body) + delta)
        handler.send(answer)
        handler.hang_up()

    return fault


def Chunked(*, cut: int | None = None) -> Fault:
    """200, chunked, no length, no ranges; ``cut`` ends it after so many bytes, without the last chunk."""

    def fault(handler: Handler, _: Answer) -> None:
        answer = handler.whole()
        answer.headers.pop("Accept-Ranges", None)
        answer.chunked = True
        handler.send(answer, limit=cut)
        if cut is not None:
            handler.hang_up()

    return fault


def UntilClose() -> Fault:
    """200 without any length; the end of the connection is the end of the file."""

    def fault(handler: Handler, _: Answer) -> None:
        answer = handler.whole()
        answer.headers["Content-Length"] = ""
        answer.headers.update({"Connection": "close", "Accept-Ranges": "none"})
        handler.send(answer)
        handler.hang_up()

    return fault


def Gzip() -> Fault:
    """200 with a compressed body, although nobody asked for one."""

    def fault(handler: Handler, _: Answer) -> None:
        answer = handler.whole()
        answer.body = gzip.compress(answer.body)
        answer.headers["Content-Encoding"] = "gzip"
        handler.send(answer)

    return fault


def Flip(offset: int) -> Fault:
    """One bit of the body is wrong; everything else is right."""

    def fault(handler: Handler, answer: Answer) -> None:
        body = bytearray(answer.body)
        body[offset] ^= 1
        answer.body = bytes(body)
        handler.send(answer)

    return fault


def Drip(size: int, delay: float) -> Fault:
    """The body in pieces of ``size`` bytes, ``delay`` seconds between them."""

    def fault(handler: Handler, answer: Answer) -> None:
        handler.send(answer, piece=size, pause=lambda: handler.owner.closing.wait(delay))

    return fault


def Stall(after: int, until: threading.Event | None = None) -> Fault:
    """``after`` bytes, then silence until the event is set or the server closes; then the rest."""

    def fault(handler: Handler, answer: Answer) -> None:
        handler.send(answer, limit=after)
        while not (handler.owner.closing.is_set() or (until is not None and until.is_set())):
            handler.owner.closing.wait(0.01)
        if until is not None and until.is_set():
            handler.raw(answer.body[after:], body=True)

    return fault


def NewVersion(content: bytes, **fields: object) -> Fault:
    """From this request on the path holds another file."""

    def fault(handler: Handler, _: Answer) -> None:
        handler.owner.add(handler.seen.path, content, **fields)
        handler.send(handler.right())

    return fault


def IgnoreCondition() -> Fault:
    """The whole file, although the request asks for it only if it has changed."""

    def fault(handler: Handler, _: Answer) -> None:
        handler.send(handler.whole())

    return fault
