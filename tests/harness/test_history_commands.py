"""`durable-loop history …` as it is typed, against real chats."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from durable_loop.stack.binaries import find_temporal
from durable_loop.testing import Environment, HistoryStore, Script, calls, says
from tests.e2e.commands import typed
from tests.e2e.waiting import eventually
from tests.harness.orders import AGENT, Order, OrderWorkflow
from tests.replay.reading import STORE
from tests.requirements import requirement

STORED = STORE.read(STORE.entry("chat/local-tool"))
REPLAYS = f"chat/tool.v0: replays ({len(STORED.event_types)} events)\n1 replays\n"
GONE = (
    "chat/tool.v0 sends what is recorded: the drift that was accepted (Verse) is gone. "
    "Take accepted_drift out of its entry in manifest.toml, or that drift passes again."
)
CHANGED_PROMPT = """
from dataclasses import replace
from durable_loop.chat import agent
from durable_loop.testing.own_agent import CHAT
agent.INSTRUCTIONS += "- Rhyme.\\n"
AGENT = CHAT
"""
CHANGED_COMMANDS = """
from dataclasses import replace
from durable_loop.testing.own_agent import CHAT
from tests.replay.changed_workflow import ChangedChatWorkflow
AGENT = replace(CHAT, workflows=[ChangedChatWorkflow])
"""

RECORDS = """
from pathlib import Path
from durable_loop.testing import RecordedHistory

def test_it(histories):
    histories.match("chat/tool", RecordedHistory.read(Path({source!r})), why="y")
"""
# A run that the list still has: it goes as its history is asked for.
DELETED_MEANWHILE = """
from durable_loop.testing.histories import pulling
from durable_loop.testing.own_agent import CHAT as AGENT
from temporalio.service import RPCError, RPCStatusCode
fetch = pulling.fetch_history
async def fetch_history(handle):
    if handle.id.endswith("foreign-1"):
        raise RPCError("workflow not found", RPCStatusCode.NOT_FOUND, b"")
    return await fetch(handle)
pulling.fetch_history = fetch_history
"""


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    """Give a project with one history of a chat, and two agents that changed since."""
    HistoryStore(tmp_path / "fixtures/histories").keep("chat/tool", STORED, why="x")
    (tmp_path / "rhymes.py").write_text(CHANGED_PROMPT)
    (tmp_path / "other.py").write_text(CHANGED_COMMANDS)
    return tmp_path


@requirement("harness.accept")
async def test_a_check_tells_a_break_from_a_drift_by_its_exit_code(folder: Path) -> None:
    """0, 3 and 1; and 4 where the folder is not what the manifest says. (ours)"""
    assert await typed(folder, "history", "check") == (0, REPLAYS)

    code, output = await typed(folder, "history", "check", "--agent", "rhymes:AGENT")
    assert code == 3
    assert "chat/tool.v0 replays, and something else is sent:\nmodel call 1 and 1 more: instructions changed:" in output
    assert "+- Rhyme." in output

    code, output = await typed(folder, "history", "check", "--agent", "other:AGENT")
    assert code == 1
    assert "chat/tool.v0 does not replay: [TMPRL1100] Nondeterminism error" in output
    assert "WARN" not in output

    # As pytest finds it.
    (folder / "pyproject.toml").write_text('[tool.pytest.ini_options]\npythonpath = ["lib"]\n')
    (folder / "lib").mkdir()
    (folder / "rhymes.py").rename(folder / "lib" / "rhymes.py")
    assert (await typed(folder, "history", "check", "--agent", "rhymes:AGENT"))[0] == 3

    (folder / "fixtures/histories/chat/new.v0.json").write_text("{}")
    code, output = await typed(folder, "history", "check")
    assert (code, output.splitlines()[0]) == (4, "chat/new.v0.json is not in the manifest")


@requirement("harness.store")
async def test_a_stored_file_that_is_no_history_is_named_and_the_others_are_checked(folder: Path) -> None:
    """The folder is not what the manifest says, which is exit code 4. (ours)"""
    store = HistoryStore(folder / "fixtures/histories")
    damaged = STORE.path(STORE.entry("chat/local-tool")).read_text().replace('"eventId": "7"', '"eventId": "zz"')
    files = [store.path(store.keep(name, STORED, why="x")) for name in ("chat/broken", "chat/other", "chat/a-damaged")]
    for file, content in zip(files, ("{", "[]", damaged), strict=True):
        file.write_text(content)

    code, output = await typed(folder, "history", "check")

    assert code == 4
    assert "chat/broken.v0.json is no workflow history: JSONDecodeError" in output
    assert "chat/other.v0.json is no workflow history" in output
    assert 'chat/a-damaged.v0.json is no workflow history: event 7 has the eventId "zz"' in output
    assert output.endswith(REPLAYS)

    # Also where they are named; what was found in the others is worse.
    named = ("history", "check", str(files[0]), "chat/a-damaged", "chat/tool")
    code, output = await typed(folder, *named)
    assert code == 4
    assert "chat/broken.v0.json is no workflow history: JSONDecodeError" in output
    assert 'chat/a-damaged.v0.json is no workflow history: event 7 has the eventId "zz"' in output
    assert output.endswith(REPLAYS)
    assert (await typed(folder, *named, "--agent", "rhymes:AGENT"))[0] == 3


@requirement("harness.store")
async def test_a_check_goes_on_after_a_workflow_that_no_agent_has(folder: Path) -> None:
    """Its chats would be stuck: whoever renames a workflow is told which, and of the others as well. (ours)"""
    store = HistoryStore(folder / "fixtures/histories")
    store.keep("a/roi", STORE.read(STORE.entry("finance/roi")), why="x")
    (folder / "only_chat.py").write_text("from durable_loop.testing.own_agent import CHAT as AGENT\n")

    code, output = await typed(folder, "history", "check", "--agent", "only_chat:AGENT")

    assert code == 1
    assert output == (
        "a/roi.v0 cannot be replayed. No agent here has the workflow RoiWorkflow; there are ChatWorkflow.\n"
        f"{REPLAYS.rstrip()}, 1 of no agent here\n"
    )


@requirement("temporal.one-event-prefix")
async def test_a_history_of_one_event_is_shown_and_replays(folder: Path) -> None:
    """No worker has had it yet: whatever the code is, it fits. (Temporal)"""
    STORED.prefix(1).write(folder / "begun.json")

    assert await typed(folder, "history", "check", "begun.json") == (
        0,
        "begun.json: replays (1 events)\n1 replays\n",
    )
    assert (await typed(folder, "history", "show", "begun.json"))[1].startswith("ChatWorkflow chat-local-tool\n    1 ")
    for words in ((), ("--html",), ("--transcript",)):
        code, output = await typed(folder, "show", "--file", "begun.json", *words)
        assert code == 0
        assert "chat-local-tool" in output


@requirement("harness.accept")
async def test_a_drift_and_a_break_are_accepted_each_in_its_own_way(folder: Path) -> None:
    """And nothing else with them. (ours)"""
    code, output = await typed(
        folder, "history", "accept", "chat/tool", "--drift", "--why", "Verse", "--agent", "rhymes:AGENT"
    )
    assert (code, output) == (0, "chat/tool.v0: accepted, since Verse\n")
    assert (await typed(folder, "history", "check", "--agent", "rhymes:AGENT"))[0] == 0
    # Only this drift is accepted: with more of it, that fails; without it, that is told.
    code, output = await typed(folder, "history", "check")
    assert code == 0
    assert output.splitlines() == [
        *REPLAYS.splitlines()[:1],
        GONE,
        *REPLAYS.splitlines()[1:],
    ]
    (folder / "rhymes.py").write_text(CHANGED_PROMPT.replace("Rhyme", "Sing"))
    assert (await typed(folder, "history", "check", "--agent", "rhymes:AGENT"))[0] == 3

    assert (await typed(folder, "history", "accept", "chat/tool", "--break", "--why", "Gone"))[0] == 2
    code, _ = await typed(
        folder, "history", "accept", "chat/tool", "--break", "--why", "None is open", "--agent", "other:AGENT"
    )
    assert code == 0
    assert (await typed(folder, "history", "check", "--agent", "other:AGENT"))[1].endswith("1 is noticed\n")
    # It must be noticed from now on.
    code, output = await typed(folder, "history", "check")
    assert code == 1
    assert "chat/tool.v0 must not replay, and does" in output


@requirement("harness.pull")
async def test_chats_of_a_running_temporal_are_pulled_replayed_and_kept(env: Environment, folder: Path) -> None:
    """Redacted where that is asked for; what was kept is checked again from its file. (ours)"""
    async with env.agent(Script(calls("calculator", expression="6 * 7"), says("It is 42, Ada."))) as agent:
        chat = agent.chat()
        await chat.send("What is 6 * 7? I am Ada.")
        query = f"WorkflowId = '{chat.chat_id}'"
        client = await env.client()

        async def listed() -> bool:
            return bool([run async for run in client.list_workflows(query)])

        await eventually(listed)
        asked = ("pull", "--address", env.address, "--query", query)

        code, output = await typed(folder, "history", *asked, "--to", "real")
        assert (code, output.splitlines()[-1]) == (0, "1 replays")
        code, output = await typed(folder, "history", *asked, "--to", "covered", "--redact")
        assert code == 0

        kept, covered = _only(folder / "real"), _only(folder / "covered")
        assert (await typed(folder, "history", "check", str(kept), str(covered)))[0] == 0
        assert "I am Ada" in (await typed(folder, "history", "show", str(kept)))[1]
        shown = (await typed(folder, "history", "show", str(covered)))[1]
        assert "Ada" not in shown
        assert "send_message" in shown
        # A redacted one shows no drift, and a break all the same.
        assert (await typed(folder, "history", "check", str(kept), "--agent", "rhymes:AGENT"))[0] == 3
        assert (await typed(folder, "history", "check", str(covered), "--agent", "rhymes:AGENT"))[0] == 0
        assert (await typed(folder, "history", "check", str(covered), "--agent", "other:AGENT"))[0] == 1
        assert (await typed(folder, "history", *asked, "--agent", "other:AGENT"))[0] == 1

        address = {"TEMPORAL_ADDRESS": env.address}
        record = ("history", "record", chat.chat_id, "--as", "chat/real", "--why")
        code, output = await typed(folder, *record, "", **address)
        assert (code, output) == (2, "The reason is blank: say why, for whoever comes after you.\n")
        code, output = await typed(folder, *record, "It was real.", **address)
        assert code == 0, output
        assert "chat/real.v0" in (await typed(folder, "history", "list"))[1]
        assert (await typed(folder, "history", "check"))[0] == 0


@requirement("harness.pull")
async def test_a_pull_goes_on_after_a_workflow_that_no_agent_has(env: Environment, folder: Path) -> None:
    """It would be stuck as well, which the exit code tells; one that was deleted meanwhile cannot be. (ours)"""
    (folder / "gone.py").write_text(DELETED_MEANWHILE)
    async with env.agent(Script(says("Hello."))) as agent:
        chat = agent.chat()
        await chat.send("Hi")
        client = await env.client()
        for number in range(2):
            await client.start_workflow(
                "Foreign", id=f"{chat.chat_id}-foreign-{number}", task_queue="none", task_timeout=timedelta(seconds=1)
            )
        query = f"WorkflowId STARTS_WITH '{chat.chat_id}'"

        async def listed() -> bool:
            return len([run async for run in client.list_workflows(query)]) == 3

        await eventually(listed)

        asked = ("history", "pull", "--address", env.address, "--query", query, "--agent", "gone:AGENT")
        code, output = await typed(folder, *asked)

    assert (code, output.splitlines()[-1]) == (1, "1 replays, 1 of no agent here")
    assert "cannot be replayed. No agent here has the workflow Foreign; there are ChatWorkflow." in output
    assert f"{chat.chat_id}-foreign-1" in output
    assert "was deleted meanwhile: nothing of it can break." in output


@requirement("harness.pull")
async def test_what_is_kept_redacted_names_nobody_and_says_what_it_has_to_leave_readable(
    env: Environment, folder: Path
) -> None:
    """Ids are covered in all places, the file's name among them; a workflow that steers by a word needs it. (ours)"""
    order = Order(customer="carol@example.com", payment="card", card=4111111111111111, notes={"Dave Jones": "2 pm"})
    async with env.running(AGENT, Script()) as agent:
        await agent.execute(OrderWorkflow.run, order, workflow_id="alice@example.com")
        query = "WorkflowType = 'OrderWorkflow'"
        client = await env.client()

        async def listed() -> bool:
            return bool([run async for run in client.list_workflows(query)])

        await eventually(listed)
        pull = ("pull", "--address", env.address, "--query", query, "--agent", "tests.harness.orders:AGENT")
        code, output = await typed(folder, "history", *pull, "--to", "covered", "--redact")

    covered = _only(folder / "covered")
    name, _, run = covered.stem.partition(".")
    assert code == 0, output
    assert f"alice@example.com is kept as {name}: readable are words and small numbers in payment\n" in output
    assert name == f"workflow-{run.replace('-', '')[:12]}"
    assert (await typed(folder, "history", "check", str(covered), "--agent", "tests.harness.orders:AGENT"))[0] == 0
    shown = (await typed(folder, "history", "show", str(covered)))[1]
    assert '"payment": "card"' in shown
    for said in ("alice", "carol", "example", "41111111", "Dave", "2 pm", "bank", "Sent"):
        assert said not in covered.read_text()
        assert said not in shown


@requirement("security.history-tells-nothing")
async def test_what_would_fail_the_check_is_not_recorded(env: Environment, folder: Path) -> None:
    """But where somebody says that it tells of no machine; then the check takes it too. (ours)"""
    async with env.agent(Script(says("Is it up?"))) as agent:
        chat = agent.chat()
        await chat.send("What runs at 127.0.0.1:8001?")
        record = ("history", "record", chat.chat_id, "--as", "chat/asked", "--why", "x")

        code, output = await typed(folder, *record, TEMPORAL_ADDRESS=env.address)
        assert code == 2
        assert "chat/asked.v0 is not kept. It tells an address of that machine, 127.0.0.1:8001 (event" in output
        code, output = await typed(folder, *record, "--allow", "127.0.0.1:8001", TEMPORAL_ADDRESS=env.address)
        assert code == 0, output

    assert (await typed(folder, "history", "check"))[0] == 0


@requirement("temporal.show-json")
async def test_what_temporal_s_own_command_writes_is_a_history(env: Environment, folder: Path) -> None:
    """`temporal workflow show --output json`. (Temporal)"""
    program = find_temporal(None)
    assert program is not None
    async with env.agent(Script(says("Hello."))) as agent:
        chat = agent.chat()
        await chat.send("Hi")
        shown = await asyncio.create_subprocess_exec(
            *(program, "workflow", "show", "-w", chat.chat_id, "--address", env.address, "--output", "json"),
            stdout=asyncio.subprocess.PIPE,
        )
        (folder / "shown.json").write_bytes((await shown.communicate())[0])

    code, output = await typed(folder, "history", "check", "shown.json")

    assert (code, output.splitlines()[-1]) == (0, "1 replays")


async def test_wrong_use_is_one_line_and_exit_code_2(env: Environment, folder: Path) -> None:
    """What is wrong, and what there is. (ours)"""
    (folder / "no.json").write_text("[]")
    typeless = STORE.path(STORE.entry("finance/roi")).read_text().replace('"eventType"', '"type"')
    (folder / "typeless.json").write_text(typeless)
    (folder / "histories").mkdir()
    address = ("--address", env.address)
    for words, told in (
        (("check", "chat/none"), "There is no history chat/none"),
        (("check", "absent.json"), "There is no file absent.json."),
        (("show", "absent.json"), "There is no file absent.json."),
        (("check", "histories"), "histories is a folder, and no history: for the histories in it say --folder histor"),
        (("show", "histories"), "histories is a folder, and no history"),
        (("show", "no.json"), "no.json is no workflow history"),
        (("check", "--agent", "absent:AGENT"), "No agent at 'absent:AGENT'"),
        (
            ("check", "--agent", "absent:AGENT"),
            "in pytest's pythonpath where that stands in pyproject.toml: pytest.ini",
        ),
        (("check", "--folder", "empty"), "There are no histories in empty."),
        (("list", "--folder", "empty"), "There are no histories in empty."),
        (("show", "chat/tool", "--folder", "empty"), "There is no history chat/tool in empty. There are: none."),
        (("accept", "a/b", "--drift", "--why", "x", "--folder", "empty"), "There is no history a/b in empty."),
        (("accept", "chat/tool", "--why", "x"), "say --drift or --break, one of them"),
        (("accept", "chat/tool", "--drift", "--why", "x"), "there is nothing of that kind to accept"),
        (("accept", "chat/tool", "--drift", "--why", " ", "--agent", "rhymes:AGENT"), "The reason is blank: say why"),
        (("record", "none", "--as", "a/b", "--why", "x"), "No Temporal answers at 127.0.0.1:1"),
        (("pull", "--query", "x", "--to", "no.json", *address), "no.json cannot be written: File exists."),
        (("pull", "--query", "x", "--address", "not an address"), "No Temporal answers at not an address"),
        (("pull", "--query", "x", "--namespace", "none", *address), "There is no namespace none on that Temporal"),
        (("show", "typeless.json"), "typeless.json is no workflow history: event 1 has the eventType null"),
        (("refresh", "chat/none"), "There is no scenario chat/none in"),
        (("refresh", "chat/none"), "There are: chat/tool. A new one: pytest --record-histories."),
        (("pull", "--query", "x", "--redact"), "--redact is about what is kept: say --to FOLDER"),
        (("pull", "--query", "Nonsense = 'x'", *address), "Temporal does not take the query"),
        (("pull", "--query", "WorkflowId = 'none'", *address), "No workflow in default matches"),
    ):
        code, output = await typed(folder, "history", *words, TEMPORAL_ADDRESS="127.0.0.1:1")
        assert code == 2, (words, output)
        assert told in output, (words, output)


def _only(folder: Path) -> Path:
    (file,) = folder.iterdir()
    return file


@requirement("harness.plugin")
async def test_a_refresh_tells_by_its_exit_code_whether_all_was_recorded(tmp_path: Path) -> None:
    """0 where it was; 1 where a test failed or none came to it. What it replaces is not replayed. (ours)"""
    (tmp_path / "pyproject.toml").write_text('[tool.durable-loop]\nhistories = "histories"\n')
    store = HistoryStore(tmp_path / "histories")
    kept = store.keep("chat/tool", STORED, why="x")
    test = tmp_path / "test_it.py"
    test.write_text(RECORDS.format(source=str(STORE.path(STORE.entry("chat/one-turn")))))

    code, output = await typed(tmp_path, "history", "refresh", "chat/tool")
    assert code == 0, output
    assert "recorded chat/tool.v1" in output
    assert [entry.id for entry in store.entries()] == ["chat/tool.v0", "chat/tool.v1"]
    code, output = await typed(tmp_path, "history", "refresh", "chat/tool", "--anew")
    assert (code, store.entry(kept.id)) == (0, kept), output

    test.write_text("def test_it(): pass\n")
    code, output = await typed(tmp_path, "history", "refresh", "chat/tool")
    assert code == 1
    assert "chat/tool is not recorded: no test that passed came to `histories.match('chat/tool', …)`." in output
