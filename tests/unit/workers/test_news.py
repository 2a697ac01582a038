"""What batches say while they run: once a second, and in all what the workers have done."""

from splashdown import Asset, Outcome, Status, Transfer
from splashdown._workers.news import Counting, Heard
from splashdown.events import Progress, TransferFinished


def transfer(name):
    return Transfer(asset=Asset(key=name, href=f"https://host.example/{name}"), name=name)


A, B = transfer("a"), transfer("b")


class Events:
    def __init__(self):
        self.seen = []

    def emit(self, event):
        self.seen.append((event.finished, event.done))


def test_a_worker_says_once_a_second_what_it_has_done():
    said, now = [], [0.0]
    counting = Counting(said.append, lambda: now[0])
    ended = TransferFinished(outcome=Outcome(transfer=A, status=Status.STORED, size=10))
    for at, event in enumerate((Progress(transfer=A, done=4, size=10), ended, Progress(transfer=B, done=3, size=9))):
        now[0] = 0.5 * (at + 1)
        counting(event)
    assert said == [(1, 10)]
    now[0] = 2.0
    counting(Progress(transfer=B, done=5, size=9))
    assert said == [(1, 10), (1, 15)]


def test_batches_are_added_up_until_they_end():
    events = Events()
    heard = Heard(events)
    heard.of(0)((2, 20))
    heard.of(7)((1, 5))
    heard.emit()
    heard.emit()  # the same again is not worth an event
    with heard.naming(0):
        assert events.seen == [(3, 25), (1, 5)]
    with heard.naming(99):  # a batch that has said nothing
        pass
    assert events.seen == [(3, 25), (1, 5), (1, 5)]
