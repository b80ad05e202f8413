"""The calculator: right, safe and bounded."""

import time

import pytest

from durable_loop.chat.arithmetic import evaluate
from durable_loop.errors import ToolInputError
from tests.requirements import requirement


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("15 * 23", "15 * 23 = 345"),
        ("0.1 + 0.2", "0.1 + 0.2 = 0.3"),
        ("9999999999999 / 2", "9999999999999 / 2 = 4999999999999.5"),
        ("round(2.567, 2)", "round(2.567, 2) = 2.57"),
        ("-7 % 3", "-7 % 3 = 2"),
        ("2 * π", "2 * π = 6.28318530717959"),
        ("2^10", "2^10 = 1024"),
        ("7 / 2", "7 / 2 = 3.5"),
        ("7 // 2", "7 // 2 = 3"),
        ("-(3 - 5)", "-(3 - 5) = 2"),
        ("6 × 7", "6 × 7 = 42"),  # noqa: RUF001 - what people type
        ("84 ÷ 2 =", "84 ÷ 2 = 42"),
        ("sqrt(16) + abs(-1)", "sqrt(16) + abs(-1) = 5"),
        ("max(1, 2, 3)", "max(1, 2, 3) = 3"),
        ("2 ** -2", "2 ** -2 = 0.25"),
    ],
)
def test_an_expression_has_its_value(expression: str, text: str) -> None:
    """In the notation that people use. (seed)"""
    assert evaluate(expression).text == text


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("9**9**9", "1,000 digits"),
        ("10**10**10", "1,000 digits"),
        ("9" * 900 + "*" + "9" * 90 + "**2", "1,000 digits"),
        ("x" * 100_000, "100,000 characters"),
        ("1+" * 499 + "1", "nested too deeply"),
        ("(" * 400, "not an arithmetic expression"),
        ("9.0 ** 999999", "too large"),
        ("1e308 * 10", "not a finite number"),
        ("1 / 0", "divides by zero"),
        ("0 ** -1", "divides by zero"),
        ("(-8) ** 0.5", "not a real number"),
        ("sqrt(-1)", "not a real number"),
        ("round(7, -999999999)", "at most 1,000 digits"),
        ("f'{1:999999999}'", "not an arithmetic expression"),
        ("5 if 1 else 2", "not an arithmetic expression"),
        ("[i for i in range(10**9)]", "not an arithmetic expression"),
        ("1; 2", "not an arithmetic expression"),
        ("x = 5", "not an arithmetic expression"),
        ("1 < 2", "not an arithmetic expression"),
        ("max(1, 2, key=abs)", "not an arithmetic expression"),
        ("0x" + "f" * 900, "1,000 digits"),
        ("2j * 2j", "Only numbers"),
        ("-" * 990 + "1", "nested too deeply"),
        ("log(0)", "not a real number"),
        ("1\0", "not an arithmetic expression"),
        ("hello", "not an arithmetic expression"),
        ("", "not an arithmetic expression"),
        ("[1, 2]", "not an arithmetic expression"),
        ("'a' * 5", "Only numbers"),
        ("True", "does not come to a number"),
        ("abs", "does not come to a number"),
        ("__import__('os')", "Only numbers"),
        ("(1).__class__", "not an arithmetic expression"),
        ("2 << 99", "not an arithmetic expression"),
    ],
    ids=lambda value: str(value)[:20],
)
@requirement("security.calculator")
def test_what_cannot_be_calculated_is_refused_in_words_with_little_work(expression: str, message: str) -> None:
    """No eval, no endless number, no hang. (ours)"""
    started = time.thread_time()
    with pytest.raises(ToolInputError, match=message):
        evaluate(expression)
    # Milliseconds of this thread's own work; what is not refused takes minutes.
    assert time.thread_time() - started < 2


def test_the_result_is_there_as_a_number_too() -> None:
    """For whoever reads the structured result. (ours)"""
    assert evaluate("7 / 2").result == 3.5
    assert evaluate("2 ** 100").result == 2**100
