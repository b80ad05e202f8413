"""What `durable_loop.testing` has, name by name: `docs/testing-reference.md`, written from the code.

`python -m tests.reference` writes it; a name whose module has no place here is refused, so that none is forgotten.
"""

import importlib
import inspect
import re
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from itertools import takewhile
from pathlib import Path
from types import FunctionType, ModuleType, UnionType
from typing import Any, Final, get_args

from durable_loop import testing

__all__ = ["PAGE", "page"]

PAGE: Final = Path(__file__).parents[1] / "docs" / "testing-reference.md"
# The modules in the order in which somebody who tests an agent comes to them; each heads its names.
MODULES: Final = (
    *("durable_agent", "environment", "running_agent", "steps", "script", "fake_model"),
    *("memory", "mcp_http"),
    *("crash", "model_calls", "crash_matrix", "fleet", "processes", "histories", "errors"),
)
# Constants whose names say nothing without their module: they are imported from it.
CONSTANTS: Final = {"crash": ("INTERCEPTOR",), "model_calls": ("PROVIDER",)}
_MEMBERS: Final = (FunctionType, property)
_NOT_TOLD: Final = ("_", "pytest_", "test_")  # nobody calls these but pytest


def page(names: Sequence[str] = testing.__all__) -> str:
    """Return the page that lists these names.

    Raises:
        ValueError: one is of a module that the page has no place for.
    """
    by_module: dict[str, dict[str, Any]] = {module: {} for module in MODULES}
    for name in names:
        found = getattr(testing, name)
        module = _module_of(name, found)
        if module not in by_module:
            raise ValueError(f"{name} is of the module {module!r}: give that a place in MODULES of tests/reference.py.")
        by_module[module][name] = found
    return "\n".join(_lines(by_module)) + "\n"


def _module_of(name: str, found: Any) -> str:
    if isinstance(found, UnionType):  # which does not tell
        return next(module for module in MODULES if name in _module(module).__all__)
    return found.__module__.removeprefix(f"{testing.__name__}.").partition(".")[0]


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"{testing.__name__}.{name}")


def _lines(by_module: dict[str, dict[str, Any]]) -> Iterator[str]:
    yield "# Reference of durable_loop.testing"
    yield ""
    yield "Written by `python -m tests.reference` from the code. A name comes from `durable_loop.testing` where nothing"
    yield "else is said. `…` stands for a default, and a word before a name says how it is used. The docstrings say"
    yield "more, and [testing.md](testing.md) says how it goes together."
    for module, found in by_module.items():
        yield from ("", f"## {module}", "", _first_sentence(_module(module)), "")
        for name, each in found.items():
            yield from _entry(name, each)
        for name in CONSTANTS.get(module, ()):
            yield f"- `from {testing.__name__}.{module} import {name}`: {_comment(_module(module), name)}"


def _entry(name: str, found: Any) -> Iterator[str]:
    if isinstance(found, UnionType):
        yield f"- **`{name}`** is one of {_listed(kind.__name__ for kind in get_args(found))}."
        return
    yield f"- **`{_callable(name, found)}`**: {_first_sentence(found)}"
    if not inspect.isclass(found):
        return
    if issubclass(found, Enum):
        yield f"  - {_listed(member.name for member in found)}"
        return
    for called, member in _members(found):
        yield f"  - `{_callable(called, member)}`: {_first_sentence(member)}"


def _members(of: type) -> Iterator[tuple[str, Any]]:
    """Yield what a class has of its own and by bases of ours that have no entry themselves."""
    seen = set[str]()
    for each in of.__mro__:
        if not each.__module__.startswith("durable_loop") or (each is not of and each.__name__ in testing.__all__):
            continue
        for name, member in vars(each).items():
            used: Any = getattr(member, "__func__", member)  # of a class method
            if name not in seen and not name.startswith(_NOT_TOLD) and isinstance(used, _MEMBERS):
                seen.add(name)
                yield name, used


def _callable(name: str, found: Any) -> str:
    """Return how a name is used: with its arguments where it has any, and by which word."""
    if isinstance(found, property):
        return name
    if inspect.isclass(found) and issubclass(found, Enum | Exception):
        return name
    return f"{_word(found)}{name}({', '.join(_arguments(found))})"


def _word(found: Any) -> str:
    inner = inspect.unwrap(found)
    if inspect.isasyncgenfunction(inner):
        return "async for " if inner is found else "async with "
    if inner is not found and inspect.isgeneratorfunction(inner):
        return "with "
    return "await " if inspect.iscoroutinefunction(inner) else ""


def _arguments(of: Any) -> Iterator[str]:
    parameters = list(inspect.signature(of).parameters.values())
    kinds = [parameter.kind for parameter in parameters]
    for index, parameter in enumerate(parameters):
        if parameter.name in ("self", "cls") or parameter.name.startswith("_"):
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not {parameter.kind, parameter.VAR_POSITIONAL} & {
            *kinds[:index]
        }:
            yield "*"
        default = "" if parameter.default is parameter.empty else "=…"
        stars = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
        yield f"{stars}{parameter.name}{default}"
        if parameter.kind is parameter.POSITIONAL_ONLY and parameter.POSITIONAL_ONLY not in kinds[index + 1 :]:
            yield "/"


def _first_sentence(of: Any) -> str:
    first = " ".join((inspect.getdoc(of) or "").partition("\n\n")[0].split())
    return re.split(r"(?<=\.) ", first)[0]


def _comment(module: ModuleType, name: str) -> str:
    """Return the comment above a constant."""
    above, _, _ = inspect.getsource(module).partition(f"\n{name}: ")
    comment = takewhile(lambda line: line.startswith("# "), reversed(above.splitlines()))
    return " ".join(line.removeprefix("# ") for line in reversed([*comment]))


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    PAGE.write_text(page())
