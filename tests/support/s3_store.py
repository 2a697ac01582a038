"""What tests know of a real S3 store, whichever it is: where it is, who may use it, and what it does not do."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Store:
    """A running store. What is ``False`` is the store's own shortcoming, which no client can make up for."""

    url: str  #: http
    https_url: str
    ca_bundle: Path  #: the certificate that the https side shows
    access_key: str
    secret_key: str
    writer: tuple[str, str]  #: access and secret key of somebody who may write, and is no administrator
    page: int = 1000  #: keys in one answer to a listing

    tags: bool = True
    storage_classes: bool = True
    encrypts: bool = False  #: with keys of its own (``AES256``)
    opaque_keys: bool = True  #: ``.``, ``..``, ``//`` and a trailing slash are parts of a key like any other
    decides_races: bool = True  #: of two that write a new key at once one wins

    @property
    def environment(self) -> dict[str, str]:
        """Endpoint and credentials as environment variables, for boto3."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_ENDPOINT_URL_S3": self.url,
            "AWS_REGION": "us-east-1",
        }


def issue_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 with the one that signed it, and its key."""
    import trustme

    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1", "localhost")
    certificate, key = folder / "cert.pem", folder / "key.pem"
    key.write_bytes(issued.private_key_pem.bytes())
    certificate.write_bytes(b"".join(pem.bytes() for pem in issued.cert_chain_pems) + authority.cert_pem.bytes())
    return certificate, key


def remove_bucket(client: Any, name: str) -> None:
    """Remove a bucket with all that is in it: each one takes room, and a small store with a hundred has none left.

    ``client`` is boto3's. What a store refuses is left; tests do not depend on it.
    """
    from botocore.exceptions import ClientError

    with suppress(ClientError):
        for upload in client.list_multipart_uploads(Bucket=name).get("Uploads", ()):
            client.abort_multipart_upload(Bucket=name, Key=upload["Key"], UploadId=upload["UploadId"])
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=name):
            for one in page.get("Contents", ()):
                client.delete_object(Bucket=name, Key=one["Key"])
        client.delete_bucket(Bucket=name)
