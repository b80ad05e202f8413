"""What must be true, and which test proves it: `tests/requirements.toml` and `@requirement` on tests.

Both ways: a test that names an unknown requirement is refused as it is imported, a requirement without a test fails
`tests/unit/test_requirements.py`. `python -m tests.requirements` writes `docs/requirements.md`.
"""

import ast
import difflib
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict

__all__ = ["PAGE", "Requirement", "page", "problems", "proofs", "read", "requirement"]

ROOT = Path(__file__).parents[1]
MANIFEST = Path(__file__).with_suffix(".toml")
PAGE = ROOT / "docs" / "requirements.md"
SOURCES: Mapping[str, str] = {
    "seed": "The document that the project started from",
    "mcp": "The MCP specification",
    "temporal": "Temporal and its Python SDK",
    "agents": "The OpenAI Agents SDK",
    "ours": "Our own promises",
}


class Requirement(BaseModel):
    """One sentence that must be true; `source` says whose it is, and `where` the place in it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    where: str = ""
    must: str


@dataclass(frozen=True, order=True)
class Proof:
    """A test, by its file and its name."""

    path: str
    test: str


def read(path: Path = MANIFEST) -> Mapping[str, Requirement]:
    """Return the requirements by their ids."""
    return {id_: Requirement.model_validate(fields) for id_, fields in tomllib.loads(path.read_text()).items()}


_KNOWN = read()


def requirement(*ids: str) -> pytest.MarkDecorator:
    """Say that a test proves these requirements.

    Raises:
        ValueError: there is none with such an id; names the nearest.
    """
    for id_ in ids:
        if id_ not in _KNOWN:
            nearest = ", ".join(difflib.get_close_matches(id_, _KNOWN)) or "none is near"
            raise ValueError(f"There is no requirement {id_!r} in tests/requirements.toml ({nearest}).")
    return pytest.mark.requirement(ids)


def proofs(folder: Path = ROOT / "tests") -> Mapping[str, Sequence[Proof]]:
    """Return the tests that prove each requirement, read from their sources; one that is skipped proves nothing."""
    found: dict[str, list[Proof]] = {}
    for path in sorted(folder.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not _is_skipped(node):
                for id_ in _ids(node.decorator_list):
                    found.setdefault(id_, []).append(Proof(path.relative_to(folder.parent).as_posix(), node.name))
    return {id_: sorted(tests) for id_, tests in found.items()}


def problems(known: Mapping[str, Requirement], proved: Mapping[str, Sequence[Proof]]) -> list[str]:
    """Return, in words, what does not fit."""
    return [
        *(f"{id_} has no test" for id_ in known if id_ not in proved),
        *(f"{id_} is proved by {proved[id_][0].test} and required nowhere" for id_ in proved if id_ not in known),
        *(f"{id_} has the source {each.source!r}" for id_, each in known.items() if each.source not in SOURCES),
    ]


def page(known: Mapping[str, Requirement], proved: Mapping[str, Sequence[Proof]]) -> str:
    """Return the page that says what is proved by which test."""
    return "\n".join(_lines(known, proved)) + "\n"


def _lines(known: Mapping[str, Requirement], proved: Mapping[str, Sequence[Proof]]) -> Iterator[str]:
    yield "# What is proved by which test"
    yield ""
    yield "Written by `python -m tests.requirements` from `tests/requirements.toml` and the tests."
    for source, title in SOURCES.items():
        yield from ("", f"## {title}", "", "| | must be true | proved by |", "|---|---|---|")
        for id_, each in known.items():
            if each.source == source:
                where = f" ({each.where})" if each.where else ""
                tests = "<br>".join(f"[{proof.test}](../{proof.path})" for proof in proved.get(id_, ()))
                yield f"| `{id_}` | {each.must}{where} | {tests} |"


def _ids(decorators: Iterable[ast.expr]) -> Iterator[str]:
    for decorator in decorators:
        if isinstance(decorator, ast.Call) and getattr(decorator.func, "id", "") == "requirement":
            yield from (str(argument.value) for argument in decorator.args if isinstance(argument, ast.Constant))


def _is_skipped(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    decorators = " ".join(ast.unparse(decorator) for decorator in node.decorator_list)
    return "mark.skip" in decorators or "mark.xfail" in decorators


if __name__ == "__main__":
    PAGE.write_text(page(read(), proofs()))
