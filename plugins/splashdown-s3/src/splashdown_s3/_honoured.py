"""Whether a store did what was asked of it besides keeping the bytes: some pass over a header without a word.

Ceph RGW 16 takes no notice of ``AES256`` in any request, of every encryption in CopyObject, and of tags in
CreateMultipartUpload and CopyObject. An object that cannot be encrypted is not stored; tags can be set afterwards.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError

from splashdown.errors import StoreError
from splashdown_s3._errors import Refused
from splashdown_s3._store import Store
from splashdown_s3._uri import Location


def require_encryption(store: Store, where: Location) -> None:
    """Find out, once and before any byte of an object is sent, whether the store encrypts as was asked.

    An upload that is opened and dropped again shows it: AWS and Ceph RGW say so when it is opened, SeaweedFS when
    it has a part. Raises ``StoreError`` where neither answer says so.
    """
    asked = store.attributes.get("ServerSideEncryption")
    if asked is None or store.encrypts:
        return
    client = store.client_for(where.bucket)
    names = ("ServerSideEncryption", "SSEKMSKeyId")
    which: dict[str, Any] = {"Bucket": where.bucket, "Key": where.key, **store.payer}
    answer = client.create_multipart_upload(
        **which, **{name: value for name, value in store.attributes.items() if name in names}
    )
    which["UploadId"] = answer["UploadId"]
    try:
        if answer.get("ServerSideEncryption") != asked:
            answer = client.upload_part(**which, PartNumber=1, Body=b"-")
    finally:
        with suppress(ClientError):  # who may store may not be allowed to abort, and this holds nothing
            client.abort_multipart_upload(**which)
    store.encrypts = answer.get("ServerSideEncryption") == asked
    if not store.encrypts:
        raise StoreError(
            f"cannot store {where}: the store takes no notice of sse={asked!r}, and nothing is stored unencrypted"
            " instead; choose an encryption that the store has, or leave sse out"
        )


def settle_tags(store: Store, where: Location, way: str) -> None:
    """See to it that an object that was stored in some ``way`` has its tags; which ways keep them is found out once."""
    wanted = dict(store.options.tags)
    if not wanted or store.keeps_tags.get(way):
        return
    client = store.client_for(where.bucket)
    which: dict[str, Any] = {"Bucket": where.bucket, "Key": where.key, **store.payer}
    if way not in store.keeps_tags:
        try:
            found = client.get_object_tagging(**which).get("TagSet", ())
        except ClientError as error:
            # Who may not ask may well be allowed to set.
            if Refused.of_boto(error.response).status != 403:
                raise
            found = ()
        store.keeps_tags[way] = {one["Key"]: one["Value"] for one in found} == wanted
    if not store.keeps_tags[way]:
        tags = [{"Key": key, "Value": value} for key, value in wanted.items()]
        client.put_object_tagging(**which, Tagging={"TagSet": tags})
