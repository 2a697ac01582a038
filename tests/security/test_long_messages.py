"""Messages that a server makes as long as it likes: their time grows with their length, and not with its square."""

import time

import pytest

from splashdown.errors import error_text
from splashdown.redact import redact, redact_target, redact_text, redact_value

#: So many characters take far less than a second; a pattern that looks back over them all takes hours.
LENGTH = 200_000
SECONDS = 20.0
PIECES = ["x", "a:", "a:,", "a.", "token", "token.", "sig", "?", "/results/a", "Bearer ", "https://a@", "a=", "-", "1a"]
PIECES += ["token='", "@", "//", "a@:", "a:b@", "://", "é-", " =", "x-sig="]


@pytest.mark.parametrize("ending", ["", "!", "@/", "/@ a:b:c@d"])
@pytest.mark.parametrize("piece", PIECES)
def test_a_long_message_is_shown_soon_whatever_it_repeats(piece, ending):
    text = piece * (LENGTH // len(piece)) + ending
    begun = time.process_time()
    error_text(ValueError(text))
    for shown in (redact_text, redact, redact_target):
        shown(text)
    redact_value({text: "a"})
    assert time.process_time() - begun < SECONDS


@pytest.mark.parametrize(
    "said", ["token=hunter2", "ftp:me:hunter2@host", "x.sig='a hunter2'", "https:me:hunter2@host/a"]
)
def test_a_secret_after_a_long_word_is_not_shown(said):
    assert "hunter2" not in redact_text(f"{'x' * 50_000} {said}")
    assert "hunter2" not in redact_text(f"{'a:,' * 20_000} {said}")
