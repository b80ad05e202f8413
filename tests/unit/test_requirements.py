"""What must be true is proved, and what is proved must be true."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.requirements import PAGE, Proof, Requirement, page, problems, proofs, read, requirement

SAYS = Requirement(source="ours", where="README.md: so", must="It says so.")


@pytest.fixture(name="all_proofs", scope="module")
def _all_proofs() -> Mapping[str, Sequence[Proof]]:
    """Read the whole suite once."""
    return proofs()


def proved(folder: Path, source: str) -> Mapping[str, list[str]]:
    (folder / "test_x.py").write_text(source)
    return {id_: [proof.test for proof in tests] for id_, tests in proofs(folder).items()}


def test_every_requirement_has_a_test_and_every_proof_a_requirement(
    all_proofs: Mapping[str, Sequence[Proof]],
) -> None:
    """Both ways, over the whole suite. (ours)"""
    assert problems(read(), all_proofs) == []


def test_the_page_is_what_the_manifest_and_the_tests_say(all_proofs: Mapping[str, Sequence[Proof]]) -> None:
    """If it is not: `python -m tests.requirements`. (ours)"""
    assert PAGE.read_text() == page(read(), all_proofs)


def test_an_unknown_requirement_is_refused_with_its_test_and_the_nearest_one() -> None:
    """As the test is imported. (ours)"""

    def test_that_means_well() -> None: ...

    with pytest.raises(
        ValueError,
        match=r"^test_that_means_well in .*test_requirements proves 'durability.one-replay', which is not in "
        r"tests/requirements.toml \(nearest: durability.one-reply.*\)\.$",
    ):
        requirement("durability.order", "durability.one-replay")(test_that_means_well)


def test_a_test_is_marked_with_each_of_its_requirements() -> None:
    """So that `-m "requirement(id='…')"` runs the tests of one. (ours)"""

    @requirement("durability.order", "durability.memory")
    def marked() -> None: ...

    marks: list[pytest.Mark] = vars(marked)["pytestmark"]
    assert [mark.kwargs["id"] for mark in marks] == ["durability.order", "durability.memory"]


def test_what_does_not_fit_is_named(tmp_path: Path) -> None:
    """A requirement without a test, a proof of nothing, a source that is none, a source without a place. (ours)"""
    (tmp_path / "README.md").write_text("It is\nso.")
    known = {
        "a": SAYS,
        "b": SAYS,
        "c": Requirement(source="hearsay", where="the pub", must="So they say."),
        "e": Requirement(source="mcp", must="Somewhere it says so."),
        "f": Requirement(source="ours", where="README.md: is so", must="It is so."),
        "g": Requirement(source="ours", where="README.md: is not so", must="It is not so."),
        "h": Requirement(source="ours", where="NOTES.md", must="It is noted."),
    }
    proved = {id_: [Proof("x.py", f"test_{id_}")] for id_ in "bcdefgh"}

    assert problems(known, proved, root=tmp_path) == [
        "a has no test",
        "d is proved by test_d and required nowhere",
        "c has the source 'hearsay', which is none of seed, mcp, temporal, agents, ours",
        "e does not say where in its source it stands",
        "g does not stand in 'README.md: is not so'",
        "h does not stand in 'NOTES.md'",
    ]


def test_a_test_proves_what_its_decorators_name(tmp_path: Path) -> None:
    """However it is imported, and with other decorators around it; a helper proves nothing. (ours)"""
    source = (
        '@requirement("a", "b")\nasync def test_one(): ...\n'
        '@pytest.mark.parametrize("n", [1])\n@requirements.requirement("a")\ndef test_two(n): ...\n'
        '@requirement("a")\ndef helper(): ...\n'
    )

    assert proved(tmp_path, source) == {"a": ["test_one", "test_two"], "b": ["test_one"]}


def test_an_id_that_cannot_be_read_is_told_as_it_is_written(tmp_path: Path) -> None:
    """It is required nowhere. (ours)"""
    assert proved(tmp_path, "@requirement(NAME)\ndef test_one(): ...\n") == {"NAME": ["test_one"]}


@pytest.mark.parametrize(
    "test",
    [
        '@pytest.mark.skip(reason="x")\n@requirement("a")\ndef test_one(): ...\n',
        '@requirement("a")\n@pytest.mark.skipif(True, reason="x")\ndef test_one(): ...\n',
        '@requirement("a")\n@pytest.mark.xfail\nasync def test_one(): ...\n',
        '@requirement("a")\ndef test_one():\n    if True:\n        pytest.skip("x")\n',
        'pytestmark = [pytest.mark.skipif(True, reason="x")]\n@requirement("a")\ndef test_one(): ...\n',
        'pytest.importorskip("x")\n@requirement("a")\ndef test_one(): ...\n',
    ],
)
def test_a_test_that_may_be_skipped_proves_nothing(tmp_path: Path, test: str) -> None:
    """Nor one that is expected to fail. (ours)"""
    assert proved(tmp_path, test) == {}


def test_the_page_links_each_sentence_to_its_tests() -> None:
    """By its source. (ours)"""
    written = page({"a": SAYS}, {"a": [Proof("tests/x.py", "test_a"), Proof("tests/x.py", "test_b")]})

    ours = written.split("## Our own promises")[1]
    assert (
        "| `a` | It says so. | [README.md](../README.md): so | [test_a](../tests/x.py)<br>[test_b](../tests/x.py) |"
        in ours
    )


def test_a_page_grows_stale_with_every_change() -> None:
    """Of a sentence, of its place, of a test's name, and of its file. (ours)"""
    tests = {"a": [Proof("tests/x.py", "test_a")]}
    written = page({"a": SAYS}, tests)

    assert written == page({"a": SAYS}, tests)
    assert written != page({"a": SAYS.model_copy(update={"must": "It says no."})}, tests)
    assert written != page({"a": SAYS.model_copy(update={"where": "CHANGELOG"})}, tests)
    assert written != page({"a": SAYS}, {"a": [Proof("tests/x.py", "test_b")]})
    assert written != page({"a": SAYS}, {"a": [Proof("tests/y.py", "test_a")]})
