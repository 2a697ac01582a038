"""What the sink does to a real store."""

from __future__ import annotations

import hashlib
import os

import pytest
from splashdown_s3._options import MIB

from splashdown.errors import ExistsError, StoreError, TruncatedError
from splashdown.model import Content, Part, StoredPart
from splashdown.protocols import Sink, SupportsList, SupportsRead, SupportsResume, SupportsStat

BIG = os.urandom(8 * MIB) + os.urandom(8 * MIB) + os.urandom(1 * MIB)
PARTS = (
    Part(number=1, start=0, stop=8 * MIB),
    Part(number=2, start=8 * MIB, stop=16 * MIB),
    Part(number=3, start=16 * MIB, stop=17 * MIB),
)


def multihash(data: bytes) -> str:
    return "1220" + hashlib.sha256(data).hexdigest()


def put(sink, key, data, **content):
    upload = sink.begin(key, Content(size=len(data), **content))
    tag = sink.put_part(upload, Part(number=1, start=0, stop=len(data)), [data[:7], memoryview(data)[7:]])
    return sink.commit(upload, [tag])


def uploads(plain, bucket):
    return plain.list_multipart_uploads(Bucket=bucket).get("Uploads", [])


def test_it_offers_what_the_engine_can_use(sink):
    for protocol in (Sink, SupportsStat, SupportsRead, SupportsResume, SupportsList):
        assert isinstance(sink, protocol)


def test_a_small_object_arrives_with_type_and_metadata(sink, plain, bucket):
    location = put(sink, "a/b.tif", b"some bytes", media_type="image/tiff; application=geotiff", source="item/k é")
    assert location == f"s3://{bucket}/prefix/a/b.tif"
    found = plain.get_object(Bucket=bucket, Key="prefix/a/b.tif")
    assert found["Body"].read() == b"some bytes"
    assert found["ContentType"] == "image/tiff; application=geotiff"
    assert found["Metadata"] == {"splashdown-multihash": multihash(b"some bytes"), "splashdown-source": "item/k %C3%A9"}


def test_an_empty_object_arrives(sink, plain, bucket):
    upload = sink.begin("empty", Content(size=0))
    sink.commit(upload, [sink.put_part(upload, Part(number=1, start=0, stop=0), [])])
    assert plain.head_object(Bucket=bucket, Key="prefix/empty")["ContentLength"] == 0


def test_nothing_is_visible_before_commit(sink):
    upload = sink.begin("small", Content(size=3))
    sink.put_part(upload, Part(number=1, start=0, stop=3), [b"abc"])
    assert sink.stat("small") is None
    upload = sink.begin("big", Content(size=len(BIG)))
    for part in PARTS:
        sink.put_part(upload, part, [BIG[part.start : part.stop]])
    assert sink.stat("big") is None
    sink.abort(upload)


def test_parts_may_come_in_any_order_and_twice(sink, plain, bucket):
    upload = sink.begin("big.bin", Content(size=len(BIG), media_type="image/tiff", checksum=multihash(BIG)))
    tags = {}
    for number in (3, 1, 2, 1):
        part = PARTS[number - 1]
        tags[number] = sink.put_part(upload, part, [BIG[part.start : part.stop]])
    sink.commit(upload, [tags[1], tags[2], tags[3]])
    found = plain.get_object(Bucket=bucket, Key="prefix/big.bin")
    assert found["Body"].read() == BIG
    assert found["ContentType"] == "image/tiff"
    assert uploads(plain, bucket) == []
    assert sink.stat("big.bin").checksum == multihash(BIG)


@pytest.mark.parametrize("size", [0, 5, 8 * MIB, 8 * MIB + 1, 17 * MIB])
def test_a_body_of_unknown_size_is_cut_as_it_comes(sink, plain, bucket, size):
    upload = sink.begin("open", Content())
    chunks = (BIG[at : min(at + 3 * MIB, size)] for at in range(0, size, 3 * MIB))
    sink.commit(upload, [sink.put_part(upload, Part(number=1, start=0, stop=None), chunks)])
    assert plain.get_object(Bucket=bucket, Key="prefix/open")["Body"].read() == BIG[:size]
    assert uploads(plain, bucket) == []


def test_abort_leaves_nothing_and_may_be_called_twice(sink, plain, bucket):
    upload = sink.begin("big.bin", Content(size=len(BIG)))
    sink.put_part(upload, PARTS[0], [BIG[: 8 * MIB]])
    assert len(uploads(plain, bucket)) == 1
    sink.abort(upload)
    sink.abort(upload)
    assert uploads(plain, bucket) == []
    small = sink.begin("small", Content(size=1))
    sink.abort(small)
    sink.abort(small)
    with pytest.raises(StoreError, match="aborted"):
        sink.commit(small, [""])


def test_an_upload_that_somebody_removed_is_said_to_be_gone(sink, plain, bucket):
    upload = sink.begin("big.bin", Content(size=len(BIG)))
    tags = [sink.put_part(upload, part, [BIG[part.start : part.stop]]) for part in PARTS]
    plain.abort_multipart_upload(Bucket=bucket, Key="prefix/big.bin", UploadId=upload.token["upload"])
    for go_on in (
        lambda: sink.commit(upload, tags),
        lambda: sink.put_part(upload, PARTS[0], [BIG[: 8 * MIB]]),
        lambda: sink.commit(upload, tags),
    ):
        with pytest.raises(StoreError, match="404 NoSuchUpload: the upload is gone"):
            go_on()
    sink.abort(upload)
    assert uploads(plain, bucket) == []


def test_a_part_that_ends_early_is_refused(sink, plain, bucket):
    upload = sink.begin("big.bin", Content(size=len(BIG)))
    with pytest.raises(TruncatedError, match="5 of 8388608 bytes"):
        sink.put_part(upload, PARTS[0], [b"12345"])
    sink.abort(upload)


def test_another_process_finds_the_parts_again(sink, options, bucket):
    from splashdown_s3._sink import S3Sink

    upload = sink.begin("big.bin", Content(size=len(BIG)))
    stored = [
        StoredPart(part=part, tag=sink.put_part(upload, part, [BIG[part.start : part.stop]])) for part in PARTS[:2]
    ]
    invented = StoredPart(part=PARTS[2], tag=stored[0].tag)
    other = S3Sink(f"s3://{bucket}/prefix/", options)
    assert other.recover(upload, [*stored, invented]) == stored
    tag = other.put_part(upload, PARTS[2], [BIG[16 * MIB :]])
    other.commit(upload, [one.tag for one in stored] + [tag])
    with other.read("big.bin") as chunks:
        assert b"".join(chunks) == BIG
    other.close()


def test_nothing_is_replaced_when_that_is_asked_for(sink):
    put(sink, "k", b"first")
    with pytest.raises(ExistsError):
        sink.begin("k", Content(size=6, replace=False))
    late = sink.begin("late", Content(size=6, replace=False))
    tag = sink.put_part(late, Part(number=1, start=0, stop=6), [b"second"])
    put(sink, "late", b"third")
    with pytest.raises(ExistsError):
        sink.commit(late, [tag])
    with sink.read("late") as chunks:
        assert b"".join(chunks) == b"third"


def test_nothing_is_replaced_by_a_multipart_upload_either(sink):
    upload = sink.begin("late", Content(size=len(BIG), replace=False))
    tags = [sink.put_part(upload, part, [BIG[part.start : part.stop]]) for part in PARTS]
    put(sink, "late", b"third")
    with pytest.raises(ExistsError):
        sink.commit(upload, tags)
    sink.abort(upload)
    assert sink.stat("late").size == 5


def test_reading_what_is_not_there(sink):
    assert sink.stat("nothing") is None
    sink.delete("nothing")
    with pytest.raises(FileNotFoundError), sink.read("nothing"):
        pass


@pytest.mark.parametrize("key", ["a b+c%20d.tif", "grüße/日本.tif", "q?x=1&y#z.tif", "tilde~'()!*@:$,;=.tif", "%2E"])
def test_odd_keys_stay_as_they_are(sink, plain, bucket, key):
    put(sink, key, b"odd")
    assert plain.get_object(Bucket=bucket, Key="prefix/" + key)["Body"].read() == b"odd"
    assert sink.stat(key).size == 3
    assert list(sink.list()) == [(key, 3)]
    sink.delete(key)
    assert sink.stat(key) is None


def test_the_first_question_about_a_new_target_answers_for_all_names(sink, plain, bucket):
    assert sink.stat("one") is None
    plain.put_object(Bucket=bucket, Key="prefix/two", Body=b"from elsewhere")
    assert sink.stat("two") is None
    with pytest.raises(ExistsError):  # what was declared free is written only while that is true
        put(sink, "two", b"mine")
    put(sink, "one", b"mine")
    assert sink.stat("one").size == 4
    assert plain.get_object(Bucket=bucket, Key="prefix/two")["Body"].read() == b"from elsewhere"


def test_a_repeated_commit_of_the_same_bytes_is_no_conflict(sink):
    assert sink.stat("one") is None
    upload = sink.begin("one", Content(size=4))
    sink.put_part(upload, Part(number=1, start=0, stop=4), [b"mine"])
    put(sink, "one", b"mine")  # stands for an attempt whose answer was lost
    late = sink.begin("one", Content(size=4, replace=True))
    assert sink.commit(upload, [""]).endswith("/one")
    sink.abort(late)


def test_what_another_program_stored_is_seen_once_anything_was_listed(sink, plain, bucket):
    assert sink.stat("theirs") is None
    plain.put_object(Bucket=bucket, Key="prefix/theirs", Body=b"new")
    assert [*sink.list("notes/")] == []
    assert sink.stat("theirs").size == 3


def test_a_copy_can_be_looked_at_before(sink, plain, bucket):
    plain.put_object(Bucket=bucket, Key="from", Body=b"some bytes")
    assert sink.copy_source(f"s3://{bucket}/from").size == 10
    for href in (f"s3://{bucket}/none", "s3://no-such-bucket/k", "https://example.org/k"):
        assert sink.copy_source(href) is None


@pytest.mark.parametrize("size", [3, 17 * MIB])
def test_copies_inside_the_store(sink, plain, bucket, size):
    plain.put_object(Bucket=bucket, Key="from/a b+é.bin", Body=BIG[:size], ContentType="text/x")
    stored = sink.copy_from(
        f"s3://{bucket}/from/a b+é.bin", "to.bin", Content(size=size, media_type="image/tiff", source="k")
    )
    assert stored.size == size
    found = plain.get_object(Bucket=bucket, Key="prefix/to.bin")
    assert found["Body"].read() == BIG[:size]
    assert (found["ContentType"], found["Metadata"]) == ("image/tiff", {"splashdown-source": "k"})
    with pytest.raises(ExistsError):
        sink.copy_from(f"s3://{bucket}/from/a b+é.bin", "to.bin", Content(size=size, replace=False))


def test_a_copy_keeps_a_multihash_that_the_source_has(sink, bucket):
    put(sink, "first", b"some bytes")
    stored = sink.copy_from(f"s3://{bucket}/prefix/first", "second", Content(size=10))
    assert stored.checksum == sink.stat("second").checksum == multihash(b"some bytes")


def test_large_objects_are_copied_in_parts(options, plain, bucket):
    from splashdown_s3._copying import Copier
    from splashdown_s3._store import Store
    from splashdown_s3._uri import Location

    plain.put_object(Bucket=bucket, Key="from", Body=BIG)
    store = Store(options)
    copier = Copier(store, limit=10 * MIB, step=5 * MIB)
    stored = copier.copy(Location(bucket, "from"), Location(bucket, "to"), Content(media_type="image/tiff"))
    assert stored.size == len(BIG)
    found = plain.get_object(Bucket=bucket, Key="to")
    assert found["Body"].read() == BIG
    assert found["ContentType"] == "image/tiff"
    assert uploads(plain, bucket) == []
    store.close()


@pytest.mark.parametrize("limit", [10 * MIB, 100 * MIB])
def test_a_source_that_changes_while_it_is_copied_is_left_to_streaming(options, plain, bucket, limit):
    from splashdown_s3._copying import Copier
    from splashdown_s3._store import Store
    from splashdown_s3._uri import Location

    class Late(Copier):
        def _copy(self, *given):
            plain.put_object(Bucket=bucket, Key="from", Body=BIG[::-1])
            return super()._copy(*given)

    plain.put_object(Bucket=bucket, Key="from", Body=BIG)
    store = Store(options)
    copier = Late(store, limit=limit, step=5 * MIB)
    assert copier.copy(Location(bucket, "from"), Location(bucket, "to"), Content()) is None
    assert [one["Key"] for one in plain.list_objects_v2(Bucket=bucket)["Contents"]] == ["from"]
    assert uploads(plain, bucket) == []
    store.close()


@pytest.mark.parametrize("limit", [10 * MIB, 100 * MIB])
def test_an_object_is_not_copied_onto_itself(options, plain, bucket, limit):
    from splashdown_s3._copying import Copier
    from splashdown_s3._store import Store
    from splashdown_s3._uri import Location

    plain.put_object(Bucket=bucket, Key="k", Body=BIG)
    store = Store(options)
    copier = Copier(store, limit=limit, step=5 * MIB)
    assert copier.copy(Location(bucket, "k"), Location(bucket, "k"), Content(media_type="image/tiff")) is None
    point = "arn:aws:s3:eu-central-1:123456789012:accesspoint/point"
    assert copier.copy(Location(point, "k"), Location(bucket, "k"), Content()) is None
    assert plain.get_object(Bucket=bucket, Key="k")["Body"].read() == BIG
    store.close()


def test_a_source_that_cannot_be_copied_is_left_to_streaming(sink, bucket):
    assert sink.copy_from(f"s3://{bucket}/nothing", "to", Content()) is None
    assert sink.copy_from("s3://no-such-bucket/k", "to", Content()) is None
    assert sink.copy_from("https://example.org/k", "to", Content()) is None


@pytest.mark.slow
def test_more_objects_than_one_answer_lists_are_listed(sink, store):
    from concurrent.futures import ThreadPoolExecutor

    names = [f"n/{number:04}" for number in range(store.page + 5)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: put(sink, name, b"x"), names))
    assert list(sink.list("n/")) == [(name, 1) for name in names]
    assert sink.stat(names[-1]).size == 1
    assert sink.stat("n/9999") is None
