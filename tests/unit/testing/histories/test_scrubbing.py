"""What a stored history does not tell."""

import base64
import json
from typing import Any

import pytest

from durable_loop.testing.histories.scrubbing import scrubbed, telling
from tests.requirements import requirement
from tests.unit.testing.histories.samples import encoded

KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKC\nQ+/abc==\n-----END RSA PRIVATE KEY-----"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0"
SECRETS = (
    ("an API key", "sk-abcdefghijklmnopqrstuvwx"),
    ("an API key", "sk_live_51H8abcdefghijklmnop"),
    ("an API key", "rk_test_51H8abcdefghijklmnop"),
    ("an API key", "AIzaSyD-abcdefghijklmnopqrstuvwxyz12345"),
    ("an access token", "ghp_abcdefghijklmnopqrstuvwx"),
    ("an access token", "github_pat_11ABCDEFG0abcdefghijklmnop_qrstuv"),
    ("an access token", "xoxb-1234567890-abcdef"),
    ("an access token", "glpat-abcdefghij_klmnop-qrst"),
    ("an access token", "hf_abcdefghijklmnopqrstuvwxyzABCDEFGH"),
    ("an access token", "AKIAABCDEFGHIJKLMNOP"),
    ("an access token", f"{JWT}.abc-def_ghi"),
    ("an access token", f"{JWT}."),
    ("an authorization header", "Bearer abcdefgh12345678"),
    ("an authorization header", "Basic dXNlcjpwYXNz"),
    ("an authorization header", "basic dXNlcjpwYQ=="),
    ("an authorization header", "BASIC dTpwYXM="),
    ("a password in an address", "ada:secret"),
    ("a password in an address", ":hunter2"),
    ("a private key", KEY),
    ("a private key", KEY.replace("RSA PRIVATE KEY", "PRIVATE KEY")),
    ("a private key", KEY.replace("RSA PRIVATE KEY", "PGP PRIVATE KEY BLOCK")),
)
FIELDS = (
    *("password", "db_password", "passwd", "passphrase", "api_key", "apiKey", "API-KEY", "OPENAI_API_KEY"),
    *("secret", "client_secret", "secretKey", "private_key", "access_key", "token", "accessToken", "Authorization"),
)
NO_SECRETS = (
    "Basic software for basic understanding",
    "basic and/or simple",
    "The bearer was late",
    "http://host:8080/a@b",
    "The password is a word; token: none",
    "token=5, my_token_count=12345, if password == given: secret=(…)",
    "eyJust.kidding.me",
    "sk-learn and sk_live",
    "-----BEGIN CERTIFICATE-----",
)


def text_of(value: dict[str, Any]) -> str:
    """Return the only payload, decoded."""
    return base64.b64decode(value["payloads"][0]["data"]).decode()


def in_bytes(data: bytes, encoding: str) -> dict[str, Any]:
    """Return a payload that is no JSON."""
    return {
        "metadata": {"encoding": base64.b64encode(encoding.encode()).decode()},
        "data": base64.b64encode(data).decode(),
    }


@pytest.mark.parametrize(("kind", "secret"), SECRETS)
@requirement("security.history-tells-nothing")
def test_a_secret_is_told_and_taken_out_of_a_payload_and_of_a_message(kind: str, secret: str) -> None:
    """What is around it stays; it may begin a line, or stand in JSON that is itself a text. (ours)"""
    said = f"call https://{secret}@host/ now"
    content = {
        "input": encoded({"text": said, "arguments": json.dumps({"line": f"\n{said}"}), said: 1}),
        "failure": {"message": said, "cause": f'It got {{"a": "\\n{said}"}}'},
    }

    assert kind in telling(content)
    clean = scrubbed(content)

    left = "call https://[scrubbed]@host/ now"
    assert json.loads(text_of(clean["input"])) == {
        "text": left,
        "arguments": json.dumps({"line": f"\n{left}"}),
        left: 1,
    }
    assert clean["failure"] == {"message": left, "cause": f'It got {{"a": "\\n{left}"}}'}
    assert telling(clean) == []
    assert scrubbed(clean) == clean


@pytest.mark.parametrize(
    "secret", ["sk-abcdefghijklmnopqrstuvwx", "ghp_abcdefghijklmnopqrstuvwx", "Bearer abcdefgh12345"]
)
def test_a_secret_at_the_beginning_of_a_line_is_one(secret: str) -> None:
    """Also where the line is in a piece of JSON within a text. (ours)"""
    assert scrubbed([f"a\n{secret}\nb", f'It got {{"a": "\\n{secret}"}}']) == [
        "a\n[scrubbed]\nb",
        'It got {"a": "\\n[scrubbed]"}',
    ]


@pytest.mark.parametrize("field", FIELDS)
@requirement("security.history-tells-nothing")
def test_a_field_that_is_called_a_secret_loses_its_value(field: str) -> None:
    """In a payload, in JSON that is a text, and in a piece of it within one; the field stays. (ours)"""
    value = {field: 'hun"ter2', "of": "Ada"}
    piece = f"It said {json.dumps(value)}, {value!r} and {json.dumps(json.dumps(value))}."
    content = {"input": encoded([value, json.dumps(value), piece, {field: ["hun", ""]}])}

    assert telling(content) == ["a secret in a field"]
    clean = scrubbed(content)

    mark = {field: "[scrubbed]", "of": "Ada"}
    assert json.loads(text_of(clean["input"])) == [
        mark,
        json.dumps(mark),
        f"It said {json.dumps(mark)}, {mark!r} and {json.dumps(json.dumps(mark))}.",
        {field: ["[scrubbed]", ""]},
    ]
    assert telling(clean) == []
    assert scrubbed(clean) == clean


def test_fields_that_only_sound_like_a_secret_keep_their_values() -> None:
    """Counts of tokens, what a schema says of a field, an empty one. (ours)"""
    content = {
        "input": encoded(
            {
                "max_tokens": "12",
                "next_page_token": "abc",
                "token_type": "x",
                "idempotency-key": "a/1",
                "properties": {"password": {"type": "string"}},
                "secret": "",
                "token": 1,
            }
        )
    }

    assert scrubbed(content) == content
    assert telling(content) == []


@pytest.mark.parametrize("said", NO_SECRETS)
def test_words_that_only_sound_like_a_secret_stay(said: str) -> None:
    """Ordinary talk. (ours)"""
    content = {"input": encoded(said)}

    assert scrubbed(content) == content
    assert telling(content) == []


@pytest.mark.parametrize("body", ["\nMIIEowIBAAKC\nQ+/abc", " MIIEowIBAAKC Q+/abc"])
@requirement("security.history-tells-nothing")
def test_a_private_key_that_is_cut_off_takes_along_what_is_behind_it(body: str) -> None:
    """As a log cuts it, without its last line. (ours)"""
    cut = f"Here: -----BEGIN OPENSSH PRIVATE KEY-----{body}"

    clean = scrubbed({"input": encoded({"text": cut, "name": "Ada"})})

    assert json.loads(text_of(clean["input"])) == {"text": "Here: [scrubbed]", "name": "Ada"}


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("DB_PASSWORD=hunter2 psql", "DB_PASSWORD=[scrubbed] psql"),
        ("http://h/x?api_key=abc123&page=2", "http://h/x?api_key=[scrubbed]&page=2"),
        ("--client-secret=s3cr3t;", "--client-secret=[scrubbed];"),
        ('"token=abcd"', '"token=[scrubbed]"'),
    ],
)
@requirement("security.history-tells-nothing")
def test_a_secret_behind_its_name_is_taken_out(said: str, kept: str) -> None:
    """As environments, command lines and addresses have it. (ours)"""
    assert telling({"input": encoded(said)}) == ["a secret behind its name"]
    assert text_of(scrubbed(encoded(said))) == json.dumps(kept)
    assert telling({"input": encoded(kept)}) == []


def test_between_two_private_keys_the_text_stays() -> None:
    """Each ends at its own end. (ours)"""
    assert scrubbed([f"{KEY} and {KEY}"]) == ["[scrubbed] and [scrubbed]"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("a path of the machine that recorded it, File /srv/ada/agent.py", "File /srv/ada/agent.py, line 3"),
        ('a path of the machine that recorded it, File "/srv/agent.py', 'File "/srv/agent.py", line 3'),
        ("a path of the machine that recorded it, /home/ada/agent.py", "no such file: '/home/ada/agent.py'"),
        ("a path of the machine that recorded it, /Users/ada/x", "cd /Users/ada/x"),
        ("a path of the machine that recorded it, /root/x", "cd /root/x"),
        ("a path of the machine that recorded it, site-packages/mcp", "in lib/site-packages/mcp"),
        ("a path of the machine that recorded it, pytest-of-ada/0", "in /tmp/pytest-of-ada/0"),
        ("an address of that machine, 127.0.0.1:8001", "http://127.0.0.1:8001/mcp"),
        ("the process that recorded it, 4711@ada", "4711@ada"),
        ("the process that recorded it, 4711@ada-laptop", "worker 4711@ada-laptop is gone"),
        ("the process that recorded it, 4711@Adas-Mac.local", "worker 4711@Adas-Mac.local is gone"),
        ("the process that recorded it, 1@ip-10-0-0-1.ec2.internal", "1@ip-10-0-0-1.ec2.internal"),
        ("a stack trace, Traceback (most recent call last)", "Traceback (most recent call last)"),
    ],
)
@requirement("security.history-tells-nothing")
def test_what_no_rule_takes_out_is_told_with_its_text(words: str, said: str) -> None:
    """Whoever stores it has to look, and may allow it; in bytes as well. (ours)"""
    content = {"input": encoded(said), "memo": in_bytes(said.encode(), "binary/plain")}

    assert telling(content) == [words]
    assert scrubbed(content) == content
    text = words.partition(", ")[2]
    assert telling(content, allowed=[text]) == []
    assert telling(content, allowed=[text[:-1]]) == [words]


@pytest.mark.parametrize(
    "said",
    [
        *("open http://localhost:8080", "What is 127.0.0.1?", "/home/page", "see /home/page.", "at x.org/home/a/b"),
        *(
            "https://x.org/Users/ada/x",
            "123@example.com",
            "mail 123@my-mail.com",
            "ada.1@laptop",
            "in 2026@meeting rooms",
        ),
        "What is a traceback? A file /etc/hosts?",
    ],
)
def test_ordinary_talk_tells_of_no_machine(said: str) -> None:
    """A check that bites on it would be switched off. (ours)"""
    assert telling({"input": encoded(said)}) == []


@requirement("security.history-tells-nothing")
def test_it_is_told_in_which_events_it_stands() -> None:
    """Each thing once, with the numbers of all its events. (ours)"""
    key = "sk-abcdefghijklmnopqrstuvwx"
    events = [
        {"eventId": "1", "input": encoded(f"{key} at 127.0.0.1:80, {key}")},
        {"eventId": "2", "input": encoded("nothing")},
        {"eventId": "3", "input": encoded({"a": key}), "identity": "x", "failure": {"stackTrace": "y"}},
    ]

    assert telling({"events": events, "said": key}) == [
        "an API key (events 1, 3)",
        "an address of that machine, 127.0.0.1:80 (event 1)",
        "'identity' (event 3)",
        "'stackTrace' (event 3)",
    ]


def test_a_secret_in_bytes_is_taken_out_of_text_and_told_of_anything_else() -> None:
    """Where its length counts, whoever stores it has to look. (ours)"""
    said = b"\xff\x00 sk-abcdefghijklmnopqrstuvwx \xc3\xa4"
    text, message = in_bytes(said, "binary/plain"), in_bytes(said, "binary/protobuf")

    clean = scrubbed([text, message])

    assert clean == [in_bytes(b"\xff\x00 [scrubbed] \xc3\xa4", "binary/plain"), message]
    assert (telling(clean[:1]), telling(clean[1:])) == ([], ["an API key"])


def test_what_calls_itself_json_and_is_none_is_scrubbed_as_a_text() -> None:
    """A converter of somebody's own. (ours)"""
    payload = in_bytes(b"{sk-abcdefghijklmnopqrstuvwx", "json/own")

    assert scrubbed([payload, in_bytes(b"{", "json/own")]) == [
        in_bytes(b"{[scrubbed]", "json/own"),
        in_bytes(b"{", "json/own"),
    ]
    assert telling([payload]) == ["an API key"]


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


def test_a_payload_that_is_no_json_stays_to_the_byte() -> None:
    """Where there is nothing to take out of it. (ours)"""
    content = {"payloads": [in_bytes(b"\xff\x00", "binary/plain")]}

    assert scrubbed(content) == content
    assert telling(content) == []


def test_what_is_beside_the_events_is_looked_at_once() -> None:
    """And each event under its own number. (ours)"""
    content = {"workflowId": "ask 127.0.0.1:1", "events": [{"eventId": "7", "message": "ask 127.0.0.1:2"}]}

    assert telling(content) == [
        "an address of that machine, 127.0.0.1:1",
        "an address of that machine, 127.0.0.1:2 (event 7)",
    ]


def test_a_value_that_is_called_as_a_field_of_temporal_is_no_matter() -> None:
    """What somebody sends may have a `taskId`. (ours)"""
    content = {"input": encoded({"taskId": "write", "identity": "Ada"})}

    assert scrubbed(content) == content
    assert telling(content) == []


def test_what_is_left_of_a_payload_is_written_as_temporal_writes_it() -> None:
    """Compact, so that its size is what it was. (ours)"""
    clean = scrubbed({"input": encoded({"a": [1, 2], "b": "sk-abcdefghijklmnopqrstuvwx"})})

    assert text_of(clean["input"]) == '{"a":[1,2],"b":"[scrubbed]"}'
