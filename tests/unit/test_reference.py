"""The page of the harness's names is what the code says."""

import re

import pytest

from durable_loop import testing
from tests import reference
from tests.reference import PAGE, page
from tests.requirements import requirement


@requirement("harness.docs")
def test_the_reference_is_what_the_code_says() -> None:
    """If it is not: `python -m tests.reference`. (ours)"""
    assert PAGE.read_text() == page()


@requirement("harness.docs")
def test_every_public_name_is_in_the_reference_with_what_it_is() -> None:
    """And so are the constants that come from their modules. (ours)"""
    lines = PAGE.read_text().splitlines()

    for name in testing.__all__:
        (entry,) = [line for line in lines if re.match(rf"- \*\*`([a-z ]+ )?{name}[(`]", line)]
        assert entry.endswith(".")
    assert sum("import INTERCEPTOR`: For DURABLE_LOOP_INTERCEPTORS" in line for line in lines) == 1
    assert sum("import PROVIDER`: For DURABLE_LOOP_MODEL_PROVIDER" in line for line in lines) == 1


def test_a_name_is_told_by_how_it_is_used() -> None:
    """Its arguments, the word before it, and the first sentence of its docstring. (ours)"""
    whole = page()

    for line in (
        "- **`says(text)`**: Have the model answer with `text`.",
        "  - `async with running(agent, script, *, workers=…, processes=…, **settings)`: Run workers of any",
        "  - `await execute(workflow, *args, workflow_id=…, patience=…)`: Start a workflow and return its result.",
        "  - `with holding(point)`: Hold whatever comes to `point` during the block;",
        "- **`async for replay_histories(histories, make_replayer, *, names=…)`**: Replay histories with one replayer,",
        "- **`calls(tool, /, *more, **arguments)`**: Have the model call a tool with arguments, or several",
        "  - `load(path)`: Import an agent by its path, `package.module:NAME`.",
        "- **`Step`** is one of `Says`, `Calls`,",
        "- **`WorkerPlace`**: Where the worker of an agent runs.\n  - `IN_PROCESS`, `SUBPROCESS`\n",
        "  - `await effects()`: Return what the agent's tools have done to the world in one story;",
    ):
        assert line in whole


def test_a_name_without_a_place_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the page forgets none. (ours)"""
    monkeypatch.setattr(reference, "MODULES", ("errors",))

    with pytest.raises(ValueError, match=r"FakeModel is of the module 'fake_model': give that a place in MODULES"):
        page(["ScriptError", "FakeModel"])
