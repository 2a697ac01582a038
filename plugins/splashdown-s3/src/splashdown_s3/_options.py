"""The settings of the plugin, named as AWS users know them. Credentials are never among them: botocore has them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from splashdown.errors import OptionError

MIB = 1024 * 1024

#: Limits of the S3 API ("Amazon S3 multipart upload limits").
MIN_PART = 5 * MIB
MAX_PART = 5 * 1024 * MIB
MAX_PARTS = 10_000

#: What may be chosen as ``checksum``; ``auto`` takes the fastest that this machine has and the store accepts.
CHECKSUMS = ("auto", "crc64nvme", "crc32c", "crc32", "none")


#: What keys and values of tags consist of ("Categorizing your storage using tags", restrictions), in every script.
_TAG = re.compile(r"[\w +\-=.:/@]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Options:
    """How the store is reached, and how objects are stored. What is left out comes from botocore's own chain.

    That chain is the environment (``AWS_PROFILE``, ``AWS_REGION``, ``AWS_ENDPOINT_URL_S3``, ...), the shared config
    and credentials files, SSO, web identity, container and instance roles.
    """

    profile: str | None = None
    endpoint_url: str | None = None  #: else ``AWS_ENDPOINT_URL_S3``, ``AWS_ENDPOINT_URL`` or the profile's
    region: str | None = None
    path_style: bool | None = None  #: bucket in the path (``True``) or in the host name; ``None`` leaves it to botocore
    unsigned: bool = False  #: anonymous requests, for public buckets
    requester_pays: bool = False
    ca_bundle: str | None = None  #: certificates to trust instead of the system's
    storage_class: str | None = None
    acl: str | None = None  #: a canned ACL, for example ``bucket-owner-full-control``
    sse: str | None = None  #: ``AES256``, ``aws:kms`` or ``aws:kms:dsse``
    sse_kms_key_id: str | None = None  #: implies ``sse="aws:kms"``
    tags: Mapping[str, str] = field(default_factory=dict)
    checksum: str = "auto"
    part_size: int = 8 * MIB  #: bytes; grows for files that would have more than 10,000 parts
    server_side_copy: bool = True  #: copy inside a store; ``False`` reads every byte here, and hashes it
    connect_timeout: float = 20.0  #: seconds
    read_timeout: float = 60.0  #: seconds without a byte
    connections: int = 64  #: kept open at most

    def __post_init__(self) -> None:
        if not MIN_PART <= self.part_size <= MAX_PART:
            raise OptionError(f"s3: part_size is between {MIN_PART} and {MAX_PART} bytes, not {self.part_size}")
        if self.checksum not in CHECKSUMS:
            raise OptionError(f"s3: checksum is one of {', '.join(CHECKSUMS)}, not {self.checksum!r}")
        if self.endpoint_url is not None and not self.endpoint_url.startswith(("http://", "https://")):
            raise OptionError("s3: endpoint_url begins with http:// or https://")
        for text in (text for tag in self.tags.items() for text in tag):
            if not _TAG.fullmatch(text):
                raise OptionError(
                    f"s3: tags are letters, digits, spaces and any of + - = . _ : / @, not {text!r};"
                    " write -o s3.tags=project=wheat,season=june"
                )
        if self.connections < 1 or self.connect_timeout <= 0 or self.read_timeout <= 0:
            raise OptionError("s3: connections is at least 1, and timeouts are more than 0 seconds")
