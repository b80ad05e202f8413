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


def _round(number: Number, digits: int | None = None) -> Number:
    if digits is None:
        return round(number)
    # `round` of an int computes 10 ** -digits, however many they are.
    if abs(digits) > MAX_CHARS:
        raise ToolInputError(f"Numbers are rounded to at most {MAX_CHARS:,} digits.")
    return round(number, digits)


def _bound(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def bounded(left: Number, right: Number) -> Number:
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
    "round": _round,
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
# The evaluator knows more of Python than these (conditions, assignments, f-strings of any width): it does not see it.
_ARITHMETIC: Final = (ast.Expression, ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop, ast.Call, ast.Name, ast.Load)
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
    tree = _parsed(expression)
    evaluator = SimpleEval(operators=_OPERATORS, functions=_FUNCTIONS, names=_NAMES)
    try:
        result: object = evaluator.eval(expression, previously_parsed=tree.body)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - untyped library
    except ZeroDivisionError as error:
        raise ToolInputError("That divides by zero.") from error
    except OverflowError as error:  # a float over 1.8e308
        raise ToolInputError("The result is too large.") from error
    except RecursionError as error:
        raise _too_deep() from error
    except ValueError as error:  # log(0), sqrt(-1)
        raise ToolInputError("The result is not a real number.") from error
    except (InvalidExpression, TypeError) as error:
        raise _not_arithmetic(expression) from error
    if isinstance(result, bool) or not isinstance(result, int | float):
        raise ToolInputError(f"{expression[:100]!r} does not come to a number.")
    if isinstance(result, float) and not math.isfinite(result):
        raise ToolInputError("The result is not a finite number.")
    result = _bounded(result)
    return Calculation(expression=expression, result=result, text=f"{expression} = {_shown(result)}")


def _parsed(expression: str) -> ast.Expression:
    try:
        tree = ast.parse(expression.translate(_SPELLINGS), mode="eval")
    except (RecursionError, MemoryError) as error:
        raise _too_deep() from error
    except (SyntaxError, ValueError) as error:
        raise _not_arithmetic(expression) from error
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant):
            if not isinstance(node.value, int | float):
                raise ToolInputError("Only numbers can be calculated with.")
        elif not isinstance(node, _ARITHMETIC) or (isinstance(node, ast.Call) and node.keywords):
            raise _not_arithmetic(expression)
    return tree


def _too_deep() -> ToolInputError:
    return ToolInputError("The expression is nested too deeply: calculate it in parts.")


def _not_arithmetic(expression: str) -> ToolInputError:
    return ToolInputError(
        f"{expression[:100]!r} is not an arithmetic expression: use numbers, + - * / // % ** and parentheses."
    )


def _shown(result: Number) -> str:
    """Write a number as people do: 0.1 + 0.2 is 0.3."""
    return str(result) if isinstance(result, int) else format(result, ".15g")
