"""The settings of the plugin, named as AWS users know them. Credentials are never among them: boto3 has them."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from splashdown.errors import OptionError
from splashdown.http import OF_SESSION, HttpOptions
from splashdown.redact import safely_shown

if TYPE_CHECKING:
    import boto3

MIB = 1024 * 1024

#: Limits of the S3 API ("Amazon S3 multipart upload limits").
MIN_PART = 5 * MIB
MAX_PART = 5 * 1024 * MIB
MAX_PARTS = 10_000

#: What may be chosen as ``checksum``; ``auto`` takes the fastest that this machine has and the store accepts.
CHECKSUMS = ("auto", "crc64nvme", "crc32c", "crc32", "none")

#: Options that a profile of a host may give, and what it calls them.
_OF_PROFILE = {
    "ca_bundle": "ca",
    "connect_timeout": "connect_timeout",
    "read_timeout": "read_timeout",
    "user_agent": "user_agent",
}
#: What keys and values of tags consist of ("Categorizing your storage using tags", restrictions), in every script.
_TAG = re.compile(r"[\w +\-=.:/@]*")


def _option(help: str, default: Any = None) -> Any:
    return field(default=default, metadata={"help": help})


@safely_shown
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class S3Options:
    """How the store is reached, and how objects are stored. Missing options come from the session or boto3's chain.

    That chain is the environment (``AWS_PROFILE``, ``AWS_REGION``, ``AWS_ENDPOINT_URL_S3``, ...), the shared config
    and credentials files, SSO, web identity, container and instance roles.
    """

    session: boto3.Session | None = field(
        default=None,
        repr=False,
        metadata={"python_only": "a boto3.Session", "help": "taken instead of 'profile'"},
    )
    profile: str | None = _option("a profile of ~/.aws/config")
    endpoint_url: str | None = _option("the store, with http:// or https://")
    region: str | None = _option("on AWS a wrong one is found out and corrected")
    path_style: bool | None = _option("bucket in the path (true) or in the host name (false)")
    unsigned: bool = _option("anonymous requests, for public buckets", default=False)
    requester_pays: bool = _option("requests and bytes go on your bill", default=False)
    ca_bundle: str | None = _option("certificates to trust instead of the system's")
    storage_class: str | None = _option("of new objects, for example STANDARD_IA")
    acl: str | None = _option("a canned ACL, for example bucket-owner-full-control")
    sse: str | None = _option("AES256, aws:kms or aws:kms:dsse")
    sse_kms_key_id: str | None = _option("the key; implies aws:kms")
    tags: Mapping[str, str] = field(default_factory=dict, metadata={"help": "tags of each object"})
    checksum: str = _option(f"what parts travel with: {', '.join(CHECKSUMS)}", default="auto")
    part_size: int = _option("bytes; grows for files that would have more than 10,000 parts", default=8 * MIB)
    server_side_copy: bool = _option("copy inside a store; false reads and hashes every byte here", default=True)
    connect_timeout: float = _option("seconds", default=20.0)
    read_timeout: float = _option("seconds without a byte", default=60.0)
    connections: int = _option("kept open at most", default=64)
    user_agent: str | None = _option("the User-Agent header")
    http: HttpOptions | None = field(default=None, repr=False, compare=False, metadata=OF_SESSION)

    def __post_init__(self) -> None:
        self._refuse_other_sessions()
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

    def __getstate__(self) -> list[object]:
        """What pickle keeps. A session holds secrets, and has to stay in its process."""
        if self.session is not None:
            raise OptionError("s3: a boto3.Session cannot go to another process; name a profile instead")
        return [getattr(self, one.name) for one in fields(self)]

    def at_host(self) -> S3Options:
        """These options, with what a profile in ``[hosts]`` says of the store where they say nothing themselves."""
        usual = f"https://s3.{self.region or 'us-east-1'}.amazonaws.com"
        named = (self.endpoint_url, os.environ.get("AWS_ENDPOINT_URL_S3"), os.environ.get("AWS_ENDPOINT_URL"), usual)
        host = urlsplit(next(url for url in named if url)).netloc
        if self.http is None:
            return self
        profile = self.http.hosts.of(host)
        if profile.ca == "system":
            raise OptionError(f's3: ca = "system" of {host} does not hold for a store; name a file with s3.ca_bundle')
        unset = {one.name: one.default for one in fields(self)}
        said = {option: getattr(profile, name) for option, name in _OF_PROFILE.items()}
        own = {name: value for name, value in said.items() if value is not None and getattr(self, name) == unset[name]}
        return replace(self, **own) if own else self

    def _refuse_other_sessions(self) -> None:
        if self.session is None:
            return
        boto3_session = sys.modules.get("boto3.session")  # imported by whoever has made one
        if boto3_session is None or not isinstance(self.session, boto3_session.Session):
            kind = type(self.session)
            hint = "; wrap it: boto3.Session(botocore_session=...)" if kind.__module__ == "botocore.session" else ""
            raise OptionError(f"s3: session has to be a boto3.Session, not a {kind.__module__}.{kind.__name__}{hint}")
        if self.profile is not None:
            raise OptionError(
                "s3: session and profile are both set, and a boto3.Session has a profile of its own; pass profile=None"
                " where SPLASHDOWN_S3_PROFILE or a file sets it"
            )
