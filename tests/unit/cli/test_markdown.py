"""Markdown on a terminal: what a text looks like, and which part of a growing one is final."""

import re

import pytest
from rich.cells import cell_len

from durable_loop.cli.markdown import complete_blocks, rendered
from durable_loop.cli.terminal import Look
from tests.requirements import requirement

PLAIN = Look(columns=40, plain=True, colours=False)
COLOURED = Look(columns=40, plain=False, colours=True)
SOBER = Look(columns=40, plain=False, colours=False)
TEXT = """\
Here **is** a list:

- one

- two

Then code:

```python
def f():

    return 1
```

| City | 温度 |
|---|---|
| Oslo | 3 |
| 東京 | 12 |

Bye."""


def test_a_sentence_is_one_line_with_its_speaker() -> None:
    """As in every chat. (ours)"""
    assert rendered("The result is 4.", SOBER, labelled=True) == "Agent: The result is 4.\n"
    assert rendered("one\ntwo", SOBER, labelled=True) == "Agent: one\ntwo\n"
    assert rendered("- a\n- b", SOBER, labelled=True) == "Agent:\n\n • a\n • b\n"
    assert rendered("", SOBER, labelled=True) == "Agent:\n"


@requirement("cli.plain")
def test_a_dumb_terminal_gets_the_text_as_it_is() -> None:
    """It knows no escape sequences. (ours)"""
    assert rendered(TEXT, PLAIN, labelled=True) == f"Agent: {TEXT}\n"


@requirement("cli.plain")
def test_without_colours_there_are_none() -> None:
    """`NO_COLOR`: bold and the like are none. (https://no-color.org)"""
    assert "\x1b[3" not in rendered(TEXT, SOBER, labelled=True)
    assert "\x1b[3" in rendered(TEXT, COLOURED, labelled=True)


def test_wide_characters_are_aligned_and_code_is_left_as_it_is() -> None:
    """A column of a table is as wide in Japanese. (ours)"""
    lines = rendered(TEXT, SOBER, labelled=True).replace("\x1b[1m", "").replace("\x1b[0m", "").splitlines()
    oslo, tokyo = (next(line for line in lines if city in line) for city in ("Oslo", "東京"))

    assert cell_len(oslo.split("3")[0]) == cell_len(tokyo.split("12")[0])
    assert any(line.strip() == "return 1" for line in lines)


@pytest.mark.parametrize("columns", [20, 40, 120])
def test_no_line_is_wider_than_the_window(columns: int) -> None:
    """It would be cut or wrapped by the terminal, in mid word. (ours)"""
    text = rendered(TEXT + " word" * 60, Look(columns=columns, plain=False, colours=False), labelled=True)

    assert max(map(cell_len, text.replace("\x1b[1m", "").replace("\x1b[0m", "").splitlines())) <= columns


def test_a_link_is_no_escape_sequence() -> None:
    """What it says may not hide where it goes. (ours)"""
    text = rendered("[bank](https://evil.example)", COLOURED, labelled=True)

    assert "https://evil.example" in text
    assert "\x1b]8" not in text


@pytest.mark.parametrize(
    "text",
    [
        "Use List<String> and <div>.",
        "<details>\n<summary>More</summary>\nHidden words\n</details>",
        "**Name:** Ada\n**City:** Oslo",
        "`a` is one\n`b` is two",
        "+1\n~3\n-4",
        "```\n```python\n```\none\ntwo",
    ],
)
def test_no_word_and_no_line_end_is_lost(text: str) -> None:
    """HTML is words; a line that begins with a sign is still a line. (ours)"""
    shown = rendered(text, Look(80, plain=False, colours=False), labelled=False)
    without_signs = re.sub(r"\x1b\[[0-9;]*m", "", shown)

    def words(some: str) -> list[str]:
        return [line.strip() for line in re.sub(r"\*\*|`", "", some).splitlines() if line.strip()]

    assert words(without_signs) == words(text)


@requirement("security.screen")
@pytest.mark.parametrize("sign", ["&#x202e;", "&#x2066;", "&#27;[2J", "&#x9b;2J"])
def test_what_could_fool_the_reader_is_taken_out_however_it_is_written(sign: str) -> None:
    """Markdown has names for every character. (ours)"""
    shown = rendered(f"safe {sign}gnp.exe", SOBER, labelled=False)

    assert not set(shown) & set("\u202e\u2066\x1b\x9b")


def test_code_ends_where_its_fence_says() -> None:
    """A fence within it that is indented, or has a language, is a line of it. (ours)"""
    for code in ("```\n    ```\n\nx = 1\n", "```\n```python\n\nx = 1\n", "~~~\n```\n\nx = 1\n"):
        assert complete_blocks(code) == 0
    assert complete_blocks("```\nx\n  ````  \n\n") == len("```\nx\n  ````  \n\n")


def test_only_complete_blocks_are_final() -> None:
    """A list goes on after a blank line, code holds some; what was final stays so. (ours)"""
    ends = [complete_blocks(TEXT[:length]) for length in range(len(TEXT) + 1)]

    assert ends == sorted(ends)
    assert [TEXT[start:end] for start, end in zip(sorted(set(ends)), sorted(set(ends))[1:], strict=False)] == [
        "Here **is** a list:\n\n",
        "- one\n\n- two\n\nThen code:\n\n",
        "```python\ndef f():\n\n    return 1\n```\n\n",
        "| City | 温度 |\n|---|---|\n| Oslo | 3 |\n| 東京 | 12 |\n\n",
    ]


def test_a_numbered_list_has_the_numbers_that_were_written() -> None:
    """People refer to them: with their dot, and below each other. (ours)"""
    shown = rendered(
        "8. eight\n9. nine\n10. ten, which is a longer one", Look(20, plain=False, colours=False), labelled=False
    )

    assert shown == " 8. eight\n 9. nine\n10. ten, which is a\n    longer one\n"
