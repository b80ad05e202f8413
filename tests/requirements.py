"""What must be true, and which test proves it: `tests/requirements.toml` and `@requirement` on tests.

Both ways: a test that names an unknown requirement is refused as it is imported, a requirement without a test fails
`tests/unit/test_requirements.py`. Who proves what is read from the sources of the tests, so that knowing it takes a
second and runs nothing. `python -m tests.requirements` writes `docs/requirements.md`;
`pytest -m "requirement(id='durability.order')"` runs the tests of one.
"""

import ast
import difflib
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest
from pydantic import BaseModel, ConfigDict

__all__ = ["PAGE", "SOURCES", "Proof", "Requirement", "page", "problems", "proofs", "read", "requirement"]

ROOT = Path(__file__).parents[1]
MANIFEST = Path(__file__).with_suffix(".toml")
PAGE = ROOT / "docs" / "requirements.md"
SOURCES: Mapping[str, str] = {
    "seed": "The document that the project started from",
    "mcp": "The MCP specification, revision 2026-07-28",
    "temporal": "Temporal and its Python SDK",
    "agents": "The OpenAI Agents SDK",
    "ours": "Our own promises",
}
# What keeps a test from running, or from counting: `pytest.skip`, `pytest.mark.skipif`, `pytest.importorskip`, …
_NOT_RUN = {"skip", "skipif", "xfail", "importorskip"}
_Test = TypeVar("_Test", bound=Callable[..., object])


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


def requirement(*ids: str) -> Callable[[_Test], _Test]:
    """Say that a test proves these requirements.

    Raises:
        ValueError: there is none with such an id; names the test, the id and the nearest ones.
    """

    def tie(test: _Test) -> _Test:
        for id_ in ids:
            if id_ not in _KNOWN:
                nearest = ", ".join(difflib.get_close_matches(id_, _KNOWN)) or "none is near"
                raise ValueError(
                    f"{test.__name__} in {test.__module__} proves {id_!r}, which is not in tests/requirements.toml "
                    f"(nearest: {nearest})."
                )
            test = pytest.mark.requirement(id=id_)(test)
        return test

    return tie


def proofs(folder: Path = ROOT / "tests") -> Mapping[str, Sequence[Proof]]:
    """Return the tests that prove each requirement, read from their sources.

    One that may be skipped, or is expected to fail, proves nothing.
    """
    found: dict[str, list[Proof]] = {}
    for path in sorted(folder.rglob("test_*.py")):
        source = path.read_text()
        if "@requirement(" not in source:
            continue
        module = ast.parse(source)
        if any(map(_may_not_run, filter(_is_said_of_all, module.body))):
            continue
        for node in ast.walk(module):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _counts(node):
                for id_ in _ids(node):
                    found.setdefault(id_, []).append(Proof(path.relative_to(folder.parent).as_posix(), node.name))
    return {id_: sorted(tests) for id_, tests in found.items()}


def problems(
    known: Mapping[str, Requirement], proved: Mapping[str, Sequence[Proof]], *, root: Path = ROOT
) -> list[str]:
    """Return, in words, what does not fit; what we promise ourselves has to stand in the files of `root`."""
    return [
        *(f"{id_} has no test" for id_ in known if id_ not in proved),
        *(f"{id_} is proved by {proved[id_][0].test} and required nowhere" for id_ in proved if id_ not in known),
        *(
            f"{id_} has the source {each.source!r}, which is none of {', '.join(SOURCES)}"
            for id_, each in known.items()
            if each.source not in SOURCES
        ),
        *(f"{id_} does not say where in its source it stands" for id_, each in known.items() if not each.where),
        *(
            f"{id_} does not stand in {each.where!r}"
            for id_, each in known.items()
            if each.source == "ours" and each.where and not _stands(each.where, root)
        ),
    ]


def page(known: Mapping[str, Requirement], proved: Mapping[str, Sequence[Proof]]) -> str:
    """Return the page that says what is proved by which test."""
    return "\n".join(_lines(known, proved)) + "\n"


def _lines(known: Mapping[str, Requirement], proved: Mapping[str, Sequence[Proof]]) -> Iterator[str]:
    yield "# What is proved by which test"
    yield ""
    yield "Written by `python -m tests.requirements` from `tests/requirements.toml` and the tests. To run the tests of"
    yield "one sentence: `uv run pytest -m \"requirement(id='durability.order')\"`."
    for source, title in SOURCES.items():
        yield from ("", f"## {title}", "", "| id | must be true | where it stands | proved by |", "|---|---|---|---|")
        for id_, each in known.items():
            if each.source == source:
                tests = "<br>".join(f"[{proof.test}](../{proof.path})" for proof in proved.get(id_, ()))
                yield f"| `{id_}` | {each.must} | {_place(each)} | {tests} |"


def _stands(where: str, root: Path) -> bool:
    """Return whether the file is there and has the words behind the colon, wherever its lines are broken."""
    name, _, words = where.partition(": ")
    return (root / name).is_file() and words in " ".join((root / name).read_text().split())


def _place(of: Requirement) -> str:
    name, colon, words = of.where.partition(": ")
    return f"[{name}](../{name}){colon}{words}" if of.source == "ours" else of.where


def _counts(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return function.name.startswith("test_") and not _may_not_run(function)


def _ids(test: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    for decorator in test.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func).split(".")[-1] == "requirement":
            for argument in decorator.args:
                # What is no plain text cannot be read here; as it is written it is no id, and will be named.
                yield str(argument.value) if isinstance(argument, ast.Constant) else ast.unparse(argument)


def _is_said_of_all(statement: ast.stmt) -> bool:
    """Return whether a statement of a module speaks of all tests in it: `pytestmark = …`, `pytest.importorskip(…)`."""
    return isinstance(statement, ast.Assign | ast.AnnAssign | ast.Expr | ast.If)


def _may_not_run(node: ast.AST) -> bool:
    return any(
        isinstance(part, ast.Attribute)
        and part.attr in _NOT_RUN
        and ast.unparse(part.value) in ("pytest", "pytest.mark", "mark")
        for part in ast.walk(node)
    )


if __name__ == "__main__":
    PAGE.write_text(page(read(), proofs()))
