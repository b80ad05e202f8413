"""What must be true is proved, and what is proved must be true."""

from pathlib import Path

import pytest

from tests.requirements import PAGE, Proof, Requirement, page, problems, proofs, read, requirement

SAYS = Requirement(source="ours", must="It says so.")


def test_every_requirement_has_a_test_and_every_proof_a_requirement() -> None:
    """Both ways, over the whole suite. (ours)"""
    assert problems(read(), proofs()) == []


def test_the_page_is_what_the_manifest_and_the_tests_say() -> None:
    """Write it again: `python -m tests.requirements`. (ours)"""
    assert PAGE.read_text() == page(read(), proofs())


def test_an_unknown_requirement_is_refused_with_the_nearest_one() -> None:
    """As the test is imported. (ours)"""
    with pytest.raises(ValueError, match=r"no requirement 'durability.one-replay'.*durability.one-reply"):
        requirement("durability.one-replay")


def test_what_does_not_fit_is_named() -> None:
    """A requirement without a test, a proof of nothing, a source that is none. (ours)"""
    known = {"a": SAYS, "b": SAYS, "c": Requirement(source="hearsay", must="So they say.")}
    proved = {"b": [Proof("x.py", "test_b")], "c": [Proof("x.py", "test_c")], "d": [Proof("x.py", "test_d")]}

    assert problems(known, proved) == [
        "a has no test",
        "d is proved by test_d and required nowhere",
        "c has the source 'hearsay'",
    ]


def test_a_test_that_is_skipped_proves_nothing(tmp_path: Path) -> None:
    """Nor one that is expected to fail. (ours)"""
    (tmp_path / "test_x.py").write_text(
        '@requirement("a", "b")\nasync def test_one(): ...\n'
        '@pytest.mark.skip(reason="x")\n@requirement("c")\ndef test_two(): ...\n'
        '@requirement("d")\n@pytest.mark.xfail\ndef test_three(): ...\n'
        '@pytest.mark.parametrize("n", [1])\n@requirement("a")\ndef test_four(n): ...\n'
    )

    found = {id_: [proof.test for proof in tests] for id_, tests in proofs(tmp_path).items()}

    assert found == {"a": ["test_four", "test_one"], "b": ["test_one"]}


def test_the_page_links_each_sentence_to_its_tests() -> None:
    """By its source. (ours)"""
    written = page({"a": SAYS}, {"a": [Proof("tests/x.py", "test_a")]})

    assert "## Our own promises" in written
    assert "| `a` | It says so. | [test_a](../tests/x.py) |" in written
