"""Arithmetic on a safe evaluator (simpleeval), bounded in size and time."""

import ast
import math
import operator
from collections.abc import Callable
from typing import Any, Final

from simpleeval import InvalidExpression, SimpleEval

from durable_loop.chat.tool_messages import Calculation
from durable_loop.errors import ToolInputError

__all__ = ["evaluate"]

MAX_CHARS: Final = 1_000
# 1,000 decimal digits: enough for a chat, and instant.
MAX_BITS: Final = 3_322

Number = int | float


def _bounded(result: Number) -> Number:
    if isinstance(result, int) and result.bit_length() > MAX_BITS:
        raise ToolInputError("The result has more than 1,000 digits: that is too large.")
    return result


def _power(base: Any, exponent: Any) -> Any:
    # Known before it is computed: |base ** exponent| has about this many bits.
    if isinstance(base, int) and isinstance(exponent, int) and exponent > 0:
        if (abs(base).bit_length() - 1) * exponent > MAX_BITS:
            raise ToolInputError("The result has more than 1,000 digits: that is too large.")
        return _bounded(base**exponent)
    result = base**exponent
    if isinstance(result, complex):
        raise ToolInputError("The result is not a real number.")
    return result


def _bound(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def bounded(left: Number, right: Number) -> Number:
        if isinstance(left, str) or isinstance(right, str):
            raise ToolInputError("Only numbers can be calculated with.")
        return _bounded(function(left, right))

    return bounded


_OPERATORS: Final[dict[type[ast.AST], Callable[..., Any]]] = {
    ast.Add: _bound(lambda left, right: left + right),
    ast.Sub: _bound(lambda left, right: left - right),
    ast.Mult: _bound(lambda left, right: left * right),
    ast.Div: _bound(lambda left, right: left / right),
    ast.FloorDiv: _bound(lambda left, right: left // right),
    ast.Mod: _bound(lambda left, right: left % right),
    ast.Pow: _power,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
_FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "abs": abs,
    "round": round,
    "min": min,
    "max": max,
    "sqrt": math.sqrt,
    "log": math.log,
    "log10": math.log10,
    "exp": math.exp,
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
    "floor": math.floor,
    "ceil": math.ceil,
}
_NAMES: Final = {"pi": math.pi, "e": math.e}
_SPELLINGS: Final = str.maketrans({"×": "*", "·": "*", "÷": "/", "−": "-", "–": "-", "^": "**", "π": "pi"})  # noqa: RUF001 - what people type


def evaluate(expression: str) -> Calculation:
    """Evaluate `expression`.

    Raises:
        ToolInputError: it is not arithmetic, has no finite result, or is too large; says which.
    """
    if len(expression) > MAX_CHARS:
        raise ToolInputError(f"The expression has {len(expression):,} characters; at most {MAX_CHARS:,} are taken.")
    expression = expression.strip().rstrip("= ")
    evaluator = SimpleEval(operators=_OPERATORS, functions=_FUNCTIONS, names=_NAMES)
    try:
        result: object = evaluator.eval(expression.translate(_SPELLINGS))  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - untyped library
    except ZeroDivisionError as error:
        raise ToolInputError("That divides by zero.") from error
    except OverflowError as error:  # a float over 1.8e308
        raise ToolInputError("The result is too large.") from error
    except (RecursionError, MemoryError) as error:
        raise ToolInputError("The expression is nested too deeply: calculate it in parts.") from error
    except (InvalidExpression, SyntaxError, ValueError, TypeError) as error:
        raise ToolInputError(
            f"{expression[:100]!r} is not an arithmetic expression: use numbers, + - * / // % ** and parentheses."
        ) from error
    if isinstance(result, bool) or not isinstance(result, int | float):
        raise ToolInputError(f"{expression[:100]!r} does not come to a number.")
    if isinstance(result, float) and not math.isfinite(result):
        raise ToolInputError("The result is not a finite number.")
    return Calculation(expression=expression, result=result, text=f"{expression} = {_shown(result)}")


def _shown(result: Number) -> str:
    """Write a number as people do: 0.1 + 0.2 is 0.3."""
    return str(result) if isinstance(result, int) else format(result, ".12g")
