"""What a request raises when no answer comes."""

from __future__ import annotations

import urllib3.exceptions
from botocore.exceptions import BotoCoreError

#: Of botocore, urllib3 and the socket; a store's own refusal is a ``Refused``.
FAILURES = (BotoCoreError, urllib3.exceptions.HTTPError, OSError)
