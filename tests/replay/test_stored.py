"""What is stored in this repository is what it should be, and tells nothing that it should not."""

import json

from durable_loop.testing import digest
from durable_loop.testing.histories.redaction import redacted
from durable_loop.testing.histories.scrubbing import scrubbed
from durable_loop.testing.histories.sendings import sendings_in
from tests.replay.reading import STORE
from tests.requirements import requirement

SAID = (
    "15 * 23",
    "AAPL",
    "DEMO-123",
    "Hello",
    "16,288.95",
    "Ada",
    "172.16.0.1",
    "You are a helpful assistant",
    "London",
)


def test_the_histories_of_this_repository_are_as_the_manifest_says() -> None:
    """And tell nothing. (ours)"""
    assert STORE.problems() == []
    assert len(STORE.entries()) >= 15


def test_stored_histories_are_scrubbed_already() -> None:
    """Doing it again changes nothing. (ours)"""
    for entry in STORE.entries():
        assert scrubbed(STORE.read(entry).as_json()) == STORE.read(entry).as_json()


@requirement("harness.pull")
def test_nothing_that_was_said_is_left() -> None:
    """Whatever history it is. (ours)"""
    for entry in STORE.entries():
        left = redacted(STORE.read(entry))
        text = digest(left) + json.dumps([sending.values for sending in sendings_in(left)])
        assert not [word for word in SAID if word in text], entry.id
