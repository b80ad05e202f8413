"""What a stored history does not tell."""

import base64
import json
from typing import Any

import pytest

from durable_loop.testing.histories.scrubbing import scrubbed, telling
from tests.requirements import requirement
from tests.unit.testing.histories.samples import STORE, encoded

SECRETS = {
    "an API key": "sk-abcdefghijklmnopqrstuvwx",
    "an access token": "ghp_abcdefghijklmnopqrstuvwx",
    "an authorization header": "Bearer abcdefgh12345678",
    "a password in an address": "ada:secret",
}


def text_of(value: dict[str, Any]) -> str:
    """Return the only payload, decoded."""
    return base64.b64decode(value["payloads"][0]["data"]).decode()


@pytest.mark.parametrize(("kind", "secret"), SECRETS.items())
@requirement("security.history-tells-nothing")
def test_a_secret_is_told_and_taken_out_of_a_payload_and_of_a_message(kind: str, secret: str) -> None:
    """What is around it stays. (ours)"""
    said = f"call https://{secret}@host/ now"
    content = {"input": encoded({"text": said}), "failure": {"message": said}}

    assert kind in telling(content)
    clean = scrubbed(content)

    assert secret not in json.dumps(clean) + text_of(clean["input"])
    assert json.loads(text_of(clean["input"]))["text"].startswith("call https://[scrubbed]")
    assert kind not in telling(clean)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("a path of the machine that recorded it", "File /home/ada/agent.py"),
        ("an address of that machine", "http://127.0.0.1:8001/mcp"),
        ("the process that recorded it", "4711@ada-laptop"),
        ("a stack trace", "Traceback (most recent call last)"),
        ("a private key", "-----BEGIN RSA PRIVATE KEY-----"),
    ],
)
def test_what_no_rule_takes_out_is_told(words: str, said: str) -> None:
    """Whoever stores it has to look. (ours)"""
    assert words in telling({"input": encoded(said)})


def test_what_replay_needs_stays() -> None:
    """Run ids, flags of the SDK, payloads to the byte. (Temporal)"""
    content = {
        "originalExecutionRunId": "run",
        "sdkMetadata": {"langUsedFlags": [1]},
        "input": encoded({"b": 1, "a": "plain, 1@2"}),
    }

    assert scrubbed(content) == content


def test_a_sticky_queue_loses_the_name_of_its_machine() -> None:
    """It is made from the worker's identity; a queue that is no sticky one keeps its name. (Temporal)"""
    sticky = {"name": "4711@ada-laptop-d0d1", "kind": "TASK_QUEUE_KIND_STICKY", "normalName": "chats"}
    normal = {"name": "chats", "kind": "TASK_QUEUE_KIND_NORMAL"}

    assert scrubbed([{"taskQueue": sticky}, {"taskQueue": normal}]) == [
        {"taskQueue": {**sticky, "name": "sticky"}},
        {"taskQueue": normal},
    ]


def test_a_payload_that_is_no_json_stays_as_it_is() -> None:
    """Nobody can tell what is in it. (ours)"""
    encoding = base64.b64encode(b"binary/plain").decode()
    content = {"payloads": [{"metadata": {"encoding": encoding}, "data": base64.b64encode(b"\xff\x00").decode()}]}

    assert scrubbed(content) == content
    assert telling(content) == []


def test_stored_histories_are_scrubbed_already() -> None:
    """Doing it again changes nothing. (ours)"""
    for entry in STORE.entries():
        assert scrubbed(STORE.read(entry).as_json()) == STORE.read(entry).as_json()
