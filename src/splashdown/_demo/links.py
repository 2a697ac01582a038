"""Signed links of the demo back-end: a signature and an end, checked when the link is used."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Makes and checks links. ``lifetime`` is in seconds."""

    lifetime: float = 3600.0
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(16), repr=False)

    def signature(self, what: str, expires: int) -> str:
        """The signature of one name and end."""
        return hmac.new(self.secret, f"{what}|{expires}".encode(), hashlib.sha256).hexdigest()[:32]

    def path(self, kind: str, name: str) -> str:
        """``KIND/SIGNATURE/NAME?expires=SECONDS``, below the job's results."""
        expires = int(time.time() + self.lifetime)
        return f"{kind}/{self.signature(name, expires)}/{name}?expires={expires}"

    def verdict(self, name: str, signature: str, expires: str) -> str:
        """The openEO error code that speaks against the link, or ``""``."""
        if not expires.isdigit() or not hmac.compare_digest(self.signature(name, int(expires)), signature):
            return "CredentialsInvalid"
        return "ResultLinkExpired" if int(expires) < time.time() else ""
