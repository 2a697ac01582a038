"""Exceptions of stores as errors of sinks and transports."""

import errno
from types import SimpleNamespace

import pytest

from splashdown.errors import (
    ChangedError,
    ExistsError,
    HttpStatusError,
    NetworkError,
    NotModifiedError,
    RangeNotServedError,
    StalledError,
    StoreError,
    TransferError,
    TruncatedError,
)
from splashdown.store_errors import Failure, judge_error, reading, status_may_pass, storing, why_no_folder

URL = "shelf://top/a.tif"


class AnswerError(Exception):
    """As HTTP clients raise it, with the status on the exception or on its response."""

    def __init__(self, status, *, on_response=False):
        super().__init__(f"HTTP {status}")
        if on_response:
            self.response = SimpleNamespace(status_code=status)
        else:
            self.status_code = status


def stored(error, **options):
    with pytest.raises(TransferError) as caught, storing(URL, "store", **options):
        raise error
    return caught.value


def read(error, **options):
    with pytest.raises(TransferError) as caught, reading(URL, **options):
        raise error
    return caught.value


@pytest.mark.parametrize(
    ("error", "retryable"),
    [
        (ConnectionResetError("reset"), True),
        (TimeoutError(), True),
        (OSError(errno.EIO, "input/output error"), True),
        (RuntimeError("an error of a library"), True),
        (OSError(errno.ENOSPC, "no space left"), False),
        (OSError(errno.EROFS, "read-only"), False),
        (PermissionError(errno.EACCES, "denied"), False),
        (FileNotFoundError(errno.ENOENT, "gone"), False),
        (KeyError("a mistake in the plugin"), False),
        (AnswerError(403), False),
        (AnswerError(404, on_response=True), False),
        (AnswerError(429), True),
        (AnswerError(503, on_response=True), True),
    ],
)
def test_an_error_is_retried_where_the_same_request_may_succeed(error, retryable):
    failed = stored(error)
    assert type(failed) is StoreError
    assert failed.retryable is retryable
    assert str(failed).startswith("cannot store shelf://top/a.tif: ")
    assert type(error).__name__ in str(failed)
    assert read(error).retryable is retryable


@pytest.mark.parametrize("on_response", [False, True])
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (304, NotModifiedError),
        (401, HttpStatusError),
        (404, HttpStatusError),
        (412, ChangedError),
        (416, RangeNotServedError),
        (500, HttpStatusError),
    ],
)
def test_the_status_chooses_the_error_of_a_read(status, kind, on_response):
    failed = read(AnswerError(status, on_response=on_response))
    assert type(failed) is kind
    assert str(failed) == f"cannot read {URL}: {status} AnswerError: HTTP {status}"
    if kind is HttpStatusError:
        assert failed.status == status


@pytest.mark.parametrize(("error", "kind"), [(ConnectionError(), NetworkError), (FileNotFoundError(), TransferError)])
def test_a_read_without_an_answer_is_a_network_error_if_it_may_pass(error, kind):
    assert type(read(error)) is kind


def test_what_a_judge_knows_is_used():
    def judge(error):
        return Failure(reason="full; ask its owner", status=507, retryable=False, retry_after=3.0)

    failed = read(RuntimeError(), judge=judge)
    assert (str(failed), failed.status, failed.retryable, failed.retry_after) == (
        f"cannot read {URL}: full; ask its owner",
        507,
        False,
        3.0,
    )
    assert not stored(RuntimeError(), judge=judge).retryable


def test_a_judge_may_choose_the_class_of_a_read():
    failed = read(RuntimeError(), judge=lambda error: Failure(reason="silence", kind=StalledError))
    assert type(failed) is StalledError
    assert type(stored(RuntimeError(), judge=lambda error: Failure(reason="x", kind=StalledError))) is StoreError


def test_a_refused_replacement_is_an_exists_error():
    failed = stored(RuntimeError(), judge=lambda error: Failure(reason="taken", status=409, exists=True))
    assert type(failed) is ExistsError
    assert str(failed) == f"{URL} exists already; choose --if-exists overwrite or rename"


@pytest.mark.parametrize("context", [lambda judge: storing(URL, "store", judge), lambda judge: reading(URL, judge)])
def test_an_error_that_the_store_did_not_cause_passes_unchanged(context):
    mistake = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError) as caught, context(lambda error: None):
        raise mistake
    assert caught.value is mistake


@pytest.mark.parametrize("context", [storing(URL, "store"), reading(URL)])
def test_an_error_of_splashdown_passes_unchanged(context):
    ended = TruncatedError("the source ended early")
    with pytest.raises(TruncatedError) as caught, context:
        raise ended
    assert caught.value is ended


def test_no_secret_of_a_url_is_shown_and_nothing_is_chained():
    error = RuntimeError("GET https://me:hunter2@store.example/a?X-Amz-Signature=hunter2 failed\nand then more")
    for failed in (stored(error), read(error)):
        assert "hunter2" not in str(failed)
        assert "https://store.example/a?..." in str(failed)
        assert "\n" not in str(failed)
        assert failed.__suppress_context__
    assert "hunter2" not in judge_error(error).reason


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 409, 410, 425, 429, 500, 502, 503, 504, 599])
def test_the_status_decides_alike_for_reading_over_http(status):
    assert status_may_pass(status) is HttpStatusError("", status=status).retryable


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("file", "it is a file"),
        ("file/below", "a part of its path is a file"),
        ("x" * 300, "too long"),
        ("a\0b", "cannot be the name of a folder"),
        ("\ud800", "cannot be the name of a folder"),
        ("folder", ""),
        ("link", ""),
        ("absent/below", ""),
    ],
)
def test_why_a_path_cannot_be_a_folder_is_said(tmp_path, name, reason):
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    found = why_no_folder(f"{tmp_path}/{name}")
    assert reason in found
    assert bool(found) == bool(reason)
