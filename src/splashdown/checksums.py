"""Multihashes (https://multiformats.io/multihash/): reading, writing and computing them. No I/O.

A multihash is ``varint(code) varint(length) digest``; STAC's ``file:checksum`` writes it in hex
(file extension 2.1, "file:checksum").
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from splashdown.errors import UsageError
from splashdown.model import Buffer

# Names and codes are those of the multicodec table; the constructor takes no argument.
_FIXED: dict[str, tuple[int, Callable[[], Hasher]]] = {
    "sha1": (0x11, lambda: hashlib.sha1(usedforsecurity=False)),
    "sha2-256": (0x12, hashlib.sha256),
    "sha2-512": (0x13, hashlib.sha512),
    "sha3-512": (0x14, hashlib.sha3_512),
    "sha3-384": (0x15, hashlib.sha3_384),
    "sha3-256": (0x16, hashlib.sha3_256),
    "sha3-224": (0x17, hashlib.sha3_224),
    "sha2-384": (0x20, hashlib.sha384),
    "md5": (0xD5, lambda: hashlib.md5(usedforsecurity=False)),
    "sha2-224": (0x1013, hashlib.sha224),
}
_BY_CODE = {code: name for name, (code, _) in _FIXED.items()}
_BLAKE3 = 0x1E
_BLAKE2B, _BLAKE2S = 0xB200, 0xB240  # the code of an n-byte digest is this plus n
_BLAKE2B_MAX, _BLAKE2S_MAX = 64, 32

#: Digests in the order of trust, for servers that send several.
STRENGTH = ("sha2-512", "sha2-384", "sha2-256", "blake3", "sha1", "md5")


class Hasher(Protocol):
    """The methods that :mod:`hashlib` objects share."""

    def update(self, data: Buffer, /) -> object:
        """Take more bytes."""

    def digest(self) -> bytes:
        """The digest of all bytes so far."""


@dataclass(frozen=True, slots=True)
class Multihash:
    """A multihash taken apart. ``digest`` may be shorter than the function's own: the format allows truncation."""

    code: int
    digest: bytes

    @classmethod
    def parse(cls, text: str) -> Multihash:
        """Read hex; raises ``ValueError`` for anything that is not a whole multihash."""
        raw = bytes.fromhex(text.strip())
        code, at = _varint(raw, 0)
        length, at = _varint(raw, at)
        if length == 0 or len(raw) - at != length:
            raise ValueError("the digest does not have the stated length")
        return cls(code, raw[at:])

    def __str__(self) -> str:
        return _prefix(self.code, len(self.digest)) + self.digest.hex()

    @property
    def name(self) -> str:
        """The function's name in the multicodec table, or its code in hex."""
        if self.code == _BLAKE3:
            return "blake3"
        if 0 < self.code - _BLAKE2B <= _BLAKE2B_MAX:
            return f"blake2b-{(self.code - _BLAKE2B) * 8}"
        if 0 < self.code - _BLAKE2S <= _BLAKE2S_MAX:
            return f"blake2s-{(self.code - _BLAKE2S) * 8}"
        return _BY_CODE.get(self.code, f"0x{self.code:x}")

    def hasher(self) -> Hasher | None:
        """An object that computes this function; ``None`` when it is unknown or its package is not installed."""
        if self.code in _BY_CODE:
            return _FIXED[_BY_CODE[self.code]][1]()
        if self.code == _BLAKE3:
            return _blake3()
        if 0 < self.code - _BLAKE2B <= _BLAKE2B_MAX:
            return hashlib.blake2b(digest_size=self.code - _BLAKE2B)
        if 0 < self.code - _BLAKE2S <= _BLAKE2S_MAX:
            return hashlib.blake2s(digest_size=self.code - _BLAKE2S)
        return None

    def matches(self, digest: bytes) -> bool:
        """Whether a whole digest of the same function begins with this one."""
        return digest[: len(self.digest)] == self.digest


def understood(text: str | None) -> Multihash | None:
    """The multihash if it can be read and computed here, else ``None``: the file then counts as unverified."""
    if not text:
        return None
    try:
        parsed = Multihash.parse(text)
    except ValueError:
        return None
    return parsed if parsed.hasher() is not None else None


def algorithm(name: str) -> tuple[int, Hasher]:
    """Code and a new hasher of a function named as in ``Settings.checksum``."""
    if name in _FIXED:
        code, create = _FIXED[name]
        return code, create()
    if name == "blake3" and (hasher := _blake3()) is not None:
        return _BLAKE3, hasher
    raise UsageError(f"no checksum function {name!r} here; choose one of {', '.join(_FIXED)}, or install blake3")


class Digests:
    """Several functions over the same bytes. With one function only, ``update`` is that function's own."""

    __slots__ = ("_first", "_hashers", "update")

    def __init__(self, codes: Sequence[tuple[int, Hasher]]) -> None:
        self._hashers = dict(codes)
        self._first = codes[0][0] if codes else None
        only = next(iter(self._hashers.values())) if len(self._hashers) == 1 else None
        self.update: Callable[[Buffer], object] = only.update if only else self._update_all

    def _update_all(self, data: Buffer) -> None:
        for hasher in self._hashers.values():
            hasher.update(data)

    def __bool__(self) -> bool:
        return bool(self._hashers)

    @property
    def multihash(self) -> str | None:
        """The first function's result in hex: the one that goes into the receipt."""
        if self._first is None:
            return None
        digest = self._hashers[self._first].digest()
        return _prefix(self._first, len(digest)) + digest.hex()

    def matches(self, expected: Multihash) -> bool | None:
        """Whether the bytes have this multihash; ``None`` when its function was not computed."""
        hasher = self._hashers.get(expected.code)
        return None if hasher is None else expected.matches(hasher.digest())


def digests_for(expected: Iterable[Multihash], default: str | None) -> Digests:
    """Hashers of the expected multihashes; of ``default`` when none is expected."""
    chosen = [(one.code, hasher) for one in expected if (hasher := one.hasher()) is not None]
    if not chosen and default is not None:
        chosen = [algorithm(default)]
    return Digests(chosen)


def hash_of(chunks: Iterable[Buffer], like: str) -> str | None:
    """The multihash of bytes by the function that ``like`` (a multihash) uses; ``None`` when it is not understood."""
    expected = understood(like)
    if expected is None:
        return None
    digests = digests_for([expected], None)
    for chunk in chunks:
        digests.update(chunk)
    return digests.multihash


def sha256_of(chunks: Iterable[Buffer]) -> str:
    """The SHA-256 of bytes, as a multihash."""
    digests = Digests([algorithm("sha2-256")])
    for chunk in chunks:
        digests.update(chunk)
    return digests.multihash or ""


def comparable(one: str, other: str) -> bool:
    """Whether two multihashes in hex are of one function, by their first characters; others cannot be compared."""
    return one[:4].lower() == other[:4].lower()


def same(one: str, other: str) -> bool:
    """Whether two multihashes in hex name the same digest of the same function."""
    return one.lower() == other.lower()


def _blake3() -> Hasher | None:
    try:
        import blake3
    except ImportError:
        return None
    created: Hasher = blake3.blake3()
    return created


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    """Read one unsigned varint (at most 9 bytes, least significant group first) and where it ends."""
    value = 0
    for count in range(9):
        if at + count >= len(raw):
            raise ValueError("the multihash ends inside a number")
        byte = raw[at + count]
        value |= (byte & 0x7F) << (7 * count)
        if byte < 0x80:
            return value, at + count + 1
    raise ValueError("a number of the multihash is too long")


@lru_cache(64)
def _prefix(code: int, length: int) -> str:
    """The start of a multihash in hex: code and length."""
    return (_to_varint(code) + _to_varint(length)).hex()


def _to_varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
