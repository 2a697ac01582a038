"""Says which package a SOCKS proxy needs, where it is missing."""

from __future__ import annotations

from typing import Final

import requests

SOCKS_WANTED: Final = "a SOCKS proxy needs one package more: pip install 'splashdown[socks]'"


def wants_socks(error: BaseException) -> bool:
    """Whether a request failed for want of that package."""
    return isinstance(error, requests.exceptions.InvalidSchema) and "SOCKS" in str(error)
