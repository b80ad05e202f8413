"""The chat's state machine: every transition, and nothing where there is none."""

import pytest

from durable_loop.chat.messages import CarriedChat, ChatPhase, ChatPolicy, Failure, Reply, Turn, TurnOutcome
from durable_loop.chat.state import FORESTALLED_TURNS, REMEMBERED_OUTCOMES, ChatState
from durable_loop.errors import ChatBusyError, ChatDrainingError, ChatEndedError, MessageRefusedError
from tests.requirements import requirement

FAILURE = Failure(kind="TurnFailedError", message="The model is away.")


def turn(number: int, text: str = "hello") -> Turn:
    """Return the turn with this number."""
    return Turn(turn_id=f"t{number}", text=text)


def reply(number: int) -> Reply:
    """Return the reply to the turn with this number."""
    return Reply(turn_id=f"t{number}", text=f"reply {number}")


@pytest.fixture(name="chat")
def _chat() -> ChatState:
    return ChatState(ChatPolicy())


def answered(chat: ChatState, number: int) -> None:
    """Take one turn through the machine."""
    chat.accept(turn(number))
    chat.start_next()
    chat.answer(reply(number), [{"role": "user", "content": str(number)}])


def test_a_turn_waits_runs_and_is_settled_with_its_own_reply(chat: ChatState) -> None:
    """The transcript takes what was said when the turn succeeds, not before. (ours)"""
    chat.accept(turn(1))
    assert (chat.waiting, chat.running, chat.outcome("t1")) == ((turn(1),), None, None)

    assert chat.start_next() == turn(1)
    assert (chat.waiting, chat.running, chat.transcript) == ((), turn(1), [])

    chat.answer(reply(1), [{"role": "user", "content": "hello"}])
    outcome = chat.outcome("t1")
    assert outcome is not None
    assert (outcome.reply, outcome.failure) == (reply(1), None)
    assert (chat.idle, chat.turns, chat.transcript) == (True, 1, [{"role": "user", "content": "hello"}])


def test_turns_run_in_the_order_in_which_they_were_accepted(chat: ChatState) -> None:
    """First come, first served. (ours)"""
    for number in range(3):
        chat.accept(turn(number))

    order: list[str] = []
    while chat.waiting:
        order.append(chat.start_next().turn_id)
        chat.fail(FAILURE)
    assert order == ["t0", "t1", "t2"]


def test_a_known_turn_is_the_same_turn_wherever_it_stands(chat: ChatState) -> None:
    """Waiting, running or settled: sending it again changes nothing. (ours)"""
    chat.accept(turn(1))
    chat.accept(turn(1))
    assert chat.waiting == (turn(1),)

    chat.start_next()
    chat.accept(turn(1))
    assert chat.waiting == ()

    chat.answer(reply(1), [])
    chat.end()
    chat.accept(turn(1))
    assert (chat.idle, chat.knows("t1"), chat.knows("t2")) == (True, True, False)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "The message is blank: say something."),
        (" \n\t", "The message is blank: say something."),
        ("x" * 11, "The message has 11 characters; this chat takes 10."),
    ],
)
def test_a_blank_or_too_long_message_is_refused(text: str, words: str) -> None:
    """Nothing is kept of it; one that just fits is taken. (ours)"""
    chat = ChatState(ChatPolicy(max_message_chars=10))

    with pytest.raises(MessageRefusedError) as refused:
        chat.accept(turn(1, text))
    assert str(refused.value) == words
    assert (chat.idle, chat.knows("t1")) == (True, False)
    chat.accept(turn(1, "x" * 10))
    assert chat.knows("t1")


def test_an_ended_chat_says_so(chat: ChatState) -> None:
    """And what to do. (ours)"""
    chat.end()

    with pytest.raises(ChatEndedError) as refused:
        chat.accept(turn(1))
    assert str(refused.value) == "This chat was ended; start a new one."


@requirement("temporal.updates-in-flight")
def test_the_queue_holds_six_beside_the_running_turn(chat: ChatState) -> None:
    """Temporal takes ten updates in flight, so ours is the error that the user sees. (Temporal)"""
    chat.accept(turn(0))
    chat.start_next()
    for number in range(1, 7):
        chat.accept(turn(number))

    with pytest.raises(ChatBusyError, match="6 messages"):
        chat.accept(turn(7))
    chat.accept(turn(6))
    assert len(chat.waiting) == 6


def test_a_failed_turn_leaves_what_the_user_said_and_what_already_ran(chat: ChatState) -> None:
    """The model of the next turn knows both. (ours)"""
    chat.accept(turn(1, "6*7?"))
    chat.start_next()
    chat.fail(FAILURE, ["calculator gave: 42", "track_ip was started"])

    assert chat.transcript == [
        {"role": "user", "content": "6*7?"},
        {
            "role": "assistant",
            "content": (
                "[This turn has no answer: The model is away. "
                "What already ran: calculator gave: 42; track_ip was started.]"
            ),
        },
    ]
    outcome = chat.outcome("t1")
    assert outcome is not None
    assert (outcome.reply, outcome.failure) == (None, FAILURE)


def test_only_a_waiting_turn_can_be_withdrawn(chat: ChatState) -> None:
    """The running one is cancelled elsewhere; one that is over stays as it is. (ours)"""
    chat.accept(turn(1))
    chat.accept(turn(2))
    chat.start_next()

    for unaffected in ("t1", "t9"):
        chat.withdraw(unaffected, FAILURE)
        assert (chat.running, chat.waiting) == (turn(1), (turn(2),))
    chat.withdraw("t2", FAILURE)
    assert (chat.waiting, chat.transcript) == ((), [])
    outcome = chat.outcome("t2")
    assert outcome is not None
    assert outcome.failure == FAILURE


def test_a_draining_chat_takes_nothing_new_and_an_ended_one_stays_ended(chat: ChatState) -> None:
    """What was accepted is still answered. (ours)"""
    chat.accept(turn(1))
    chat.drain()
    with pytest.raises(ChatDrainingError, match=r"^The chat is about to continue in a new run: send the message"):
        chat.accept(turn(2))
    assert chat.waiting == (turn(1),)

    chat.end()
    chat.drain()
    assert chat.phase is ChatPhase.ENDED
    with pytest.raises(ChatEndedError):
        chat.accept(turn(2))


def test_an_illegal_transition_raises_and_changes_nothing(chat: ChatState) -> None:
    """Start while one runs, answer what does not run, carry what is not idle. (ours)"""
    with pytest.raises(RuntimeError, match=r"^no turn is running$"):
        chat.fail(FAILURE)
    with pytest.raises(RuntimeError, match=r"^no turn is waiting$"):
        chat.start_next()
    with pytest.raises(RuntimeError, match="t1 is not running"):
        chat.answer(reply(1), [{"role": "user", "content": "x"}])
    assert (chat.idle, chat.transcript, chat.turns, chat.title) == (True, [], 0, None)
    chat.accept(turn(1))
    chat.accept(turn(2))
    with pytest.raises(RuntimeError, match=r"^a turn is running or waiting: it would be lost$"):
        chat.carry()
    chat.start_next()
    with pytest.raises(RuntimeError, match="t1 is still running"):
        chat.start_next()
    with pytest.raises(RuntimeError, match="t2 is not running"):
        chat.answer(reply(2), [{"role": "user", "content": "x"}])

    assert (chat.running, chat.waiting, chat.transcript, chat.turns) == (turn(1), (turn(2),), [], 0)


def test_what_is_carried_over_is_the_chat(chat: ChatState) -> None:
    """Transcript, outcomes, number of turns and of tokens, and title go through continue-as-new. (ours)"""
    answered(chat, 1)
    answered(chat, 2)
    chat.tokens = 23

    following = ChatState(chat.policy, chat.carry())

    assert following.carry() == chat.carry()
    assert following.transcript == chat.transcript
    assert following.outcome("t1") == chat.outcome("t1")
    assert (following.turns, following.tokens) == (2, 23)
    assert (following.title, following.phase) == ("hello", ChatPhase.OPEN)


def test_whoever_was_not_there_is_told_what_was_settled_since(chat: ChatState) -> None:
    """In its order, with what the user said; after a turn that is forgotten, all that is known. (ours)"""
    for name in ("one", "two", "three"):
        chat.accept(Turn(turn_id=name, text=name * 1000))
        chat.start_next()
        chat.answer(Reply(turn_id=name, text=f"to {name}"), [])

    assert [outcome.turn_id for outcome in chat.settled(after="one")] == ["two", "three"]
    assert [outcome.turn_id for outcome in chat.settled(after="long ago")] == ["one", "two", "three"]
    assert chat.settled(after="three") == ()
    (three,) = chat.settled(after="two")
    assert (three.said[:6], three.reply) == ("threet", Reply(turn_id="three", text="to three"))
    assert three.said.endswith("[… 3,000 of 5,000 characters left out]")


def test_the_last_hundred_outcomes_are_remembered(chat: ChatState) -> None:
    """Older ones fall off, the oldest first. (ours)"""
    for number in range(REMEMBERED_OUTCOMES + 1):
        answered(chat, number)

    assert not chat.knows("t0")
    assert chat.knows("t1")
    assert len(chat.carry().outcomes) == REMEMBERED_OUTCOMES


def test_the_title_is_the_beginning_of_the_first_message(chat: ChatState) -> None:
    """On one line, and not longer than a list can show. (ours)"""
    chat.accept(turn(1, "What   is\n the  weather " + "x" * 100))
    chat.start_next()
    chat.fail(FAILURE)
    answered(chat, 2)

    assert chat.title == ("What is the weather " + "x" * 100)[:60]


@pytest.mark.parametrize("turn_id", ["", "a/b", "a b", "x" * 65, "ü"])
def test_a_turn_id_that_could_mean_something_elsewhere_is_refused(turn_id: str) -> None:
    """It becomes part of workflow ids. (ours)"""
    with pytest.raises(ValueError, match="turn_id"):
        Turn(turn_id=turn_id, text="hello")


def test_a_turn_sent_again_is_known_whatever_it_says_and_whatever_the_chat_does(chat: ChatState) -> None:
    """Neither a changed text nor a full queue nor the end makes a known turn an error. (ours)"""
    for number in range(6):
        chat.accept(turn(number))
    chat.end()

    chat.accept(turn(5, ""))

    assert [waiting.text for waiting in chat.waiting] == ["hello"] * 6


def test_a_withdrawn_turn_is_settled_for_good(chat: ChatState) -> None:
    """It makes room, it is no turn of the chat, and sending it again does not run it. (ours)"""
    for number in range(6):
        chat.accept(turn(number))
    chat.withdraw("t3", FAILURE)
    chat.accept(turn(6))
    with pytest.raises(ChatBusyError):
        chat.accept(turn(7))
    chat.accept(turn(3))

    assert [waiting.turn_id for waiting in chat.waiting] == ["t0", "t1", "t2", "t4", "t5", "t6"]
    assert (chat.turns, chat.title) == (0, None)


def test_a_turn_that_was_cancelled_before_it_came_is_over_as_it_comes(chat: ChatState) -> None:
    """It never waits, and the next one is not touched. (ours)"""
    chat.forestall("t1", FAILURE)
    assert not chat.knows("t1")
    for number in (1, 2, 1):
        chat.accept(turn(number))

    assert chat.waiting == (turn(2),)
    assert chat.outcome("t1") == TurnOutcome(turn_id="t1", said="hello", failure=FAILURE)
    assert (chat.turns, chat.title, chat.transcript) == (0, None, [])


def test_a_turn_that_was_cancelled_before_it_came_is_cancelled_in_the_next_run_too(chat: ChatState) -> None:
    """Its sender may have been told to send it again; where there is none, nothing of it is carried. (ours)"""
    assert "forestalled" not in chat.carry().model_dump()

    chat.forestall("t1", FAILURE)
    resumed = ChatState(ChatPolicy(), CarriedChat.model_validate_json(chat.carry().model_dump_json()))
    resumed.accept(turn(1))

    assert resumed.outcome("t1") == TurnOutcome(turn_id="t1", said="hello", failure=FAILURE)


def test_only_so_many_turns_are_known_as_cancelled_before_they_come(chat: ChatState) -> None:
    """The oldest is forgotten first. (ours)"""
    for number in range(FORESTALLED_TURNS + 1):
        chat.forestall(f"t{number}", FAILURE)
    for number in (0, 1, FORESTALLED_TURNS):
        chat.accept(turn(number))

    assert chat.waiting == (turn(0),)


def test_a_settled_turn_keeps_its_first_outcome(chat: ChatState) -> None:
    """Neither a second reply nor a cancellation that comes late changes it. (ours)"""
    answered(chat, 1)
    before = chat.outcome("t1")

    chat.withdraw("t1", FAILURE)
    with pytest.raises(RuntimeError, match="t1 is not running"):
        chat.answer(reply(1), [])
    with pytest.raises(RuntimeError, match=r"^no turn is running$"):
        chat.fail(FAILURE)

    assert chat.outcome("t1") == before
    assert chat.turns == 1


def test_a_failed_turn_that_ran_nothing_says_so(chat: ChatState) -> None:
    """Not an empty list. (ours)"""
    chat.accept(turn(1))
    chat.start_next()
    chat.fail(FAILURE)

    assert chat.transcript[-1]["content"] == "[This turn has no answer: The model is away. What already ran: nothing.]"


def test_an_ended_chat_answers_what_it_accepted(chat: ChatState) -> None:
    """Also the turns that wait. (ours)"""
    chat.accept(turn(1))
    chat.accept(turn(2))
    chat.start_next()
    chat.end()

    chat.answer(reply(1), [])
    assert chat.start_next() == turn(2)
    chat.answer(reply(2), [])
    assert (chat.idle, chat.turns) == (True, 2)


def test_outcomes_that_were_carried_over_fall_off_first(chat: ChatState) -> None:
    """The bound holds over any number of runs, and a re-sent turn is still known after one. (ours)"""
    for number in range(REMEMBERED_OUTCOMES):
        answered(chat, number)
    following = ChatState(chat.policy, chat.carry())
    answered(following, REMEMBERED_OUTCOMES)
    following.accept(turn(1))

    assert following.idle
    assert (following.knows("t0"), following.knows("t1")) == (False, True)
    assert following.turns == REMEMBERED_OUTCOMES + 1


def test_a_run_does_not_change_what_it_was_carried_over_from(chat: ChatState) -> None:
    """The input of a run is read again on replay. (ours)"""
    answered(chat, 1)
    carried = chat.carry()
    before = carried.model_dump_json()

    following = ChatState(chat.policy, carried)
    following.accept(turn(2))
    following.start_next()
    following.fail(FAILURE)

    assert carried.model_dump_json() == before


def long_turn(chat: ChatState, number: int, text: str) -> None:
    """Take a turn through the machine whose answer is `text`."""
    chat.accept(turn(number))
    chat.start_next()
    chat.answer(reply(number), [{"role": "user", "content": str(number)}, {"role": "assistant", "content": text}])


def test_old_turns_become_a_summary_and_the_newest_stay_as_they_are() -> None:
    """Past its budget the transcript is short again, and nobody is told less than before. (ours)"""
    chat = ChatState(ChatPolicy(max_transcript_tokens=1_000))
    for number in range(1, 5):
        long_turn(chat, number, "x" * 800)
    assert not chat.is_long
    long_turn(chat, 5, "y" * 800)
    assert chat.is_long
    newest = chat.transcript[-2:]

    old = chat.old_turns()
    chat.summarise(old, "They spoke of x.")

    assert not chat.is_long
    assert chat.transcript == [
        {"role": "user", "content": "[Summary of turns 1 to 4, written by the model]\nThey spoke of x."},
        *newest,
    ]
    assert chat.outcome("t1") is not None


def test_the_newest_turns_stay_as_they_are_while_they_have_a_quarter_of_the_budget() -> None:
    """Of short ones there are several. (ours)"""
    chat = ChatState(ChatPolicy(max_transcript_tokens=1_000))
    for number in range(1, 5):
        long_turn(chat, number, "x" * 1_000)
    for number in range(5, 8):
        answered(chat, number)
    assert chat.is_long

    old = chat.old_turns()

    assert [item["content"] for item in chat.transcript[len(old) :] if item["role"] == "user"] == ["5", "6", "7"]


def test_a_summary_is_summarised_again_and_counts_its_turns(chat: ChatState) -> None:
    """The number of turns that it stands for goes on. (ours)"""
    for number in (1, 2, 3):
        answered(chat, number)
    chat.summarise(chat.old_turns(), "first")
    for number in (4, 5):
        answered(chat, number)

    chat.summarise(chat.old_turns(), "second")

    assert [item["content"] for item in chat.transcript] == [
        "[Summary of turns 1 to 4, written by the model]\nsecond",
        "5",
    ]


def test_there_is_no_gain_in_summarising_one_turn_or_a_summary(chat: ChatState) -> None:
    """The last turn stays verbatim, whoever asks. (ours)"""
    assert chat.old_turns() == []
    answered(chat, 1)
    assert chat.old_turns() == []
    answered(chat, 2)
    chat.summarise(chat.old_turns(), "first")
    assert chat.old_turns() == []


def test_without_a_summary_old_turns_are_left_out_and_a_line_says_so(chat: ChatState) -> None:
    """Nothing disappears silently. (ours)"""
    for number in (1, 2, 3):
        answered(chat, number)

    chat.summarise(chat.old_turns(), None)

    assert chat.transcript[0]["content"] == (
        "[Turns 1 to 2 are left out: the chat grew too long and no summary could be made.]"
    )


def test_only_the_oldest_turns_can_be_summarised(chat: ChatState) -> None:
    """Anything else is a bug of the caller and changes nothing. (ours)"""
    for number in (1, 2, 3):
        answered(chat, number)
    before = list(chat.transcript)

    for wrong in ([], chat.transcript[1:2], [{"role": "user", "content": "not said"}]):
        with pytest.raises(RuntimeError, match=r"^these are not the chat's oldest turns$"):
            chat.summarise(wrong, "?")
    assert chat.transcript == before


def test_a_summary_without_measure_is_cut() -> None:
    """A model may answer with anything; what is missing is named. (ours)"""
    chat = ChatState(ChatPolicy(max_transcript_tokens=1_000))
    for number in (1, 2):
        answered(chat, number)

    chat.summarise(chat.old_turns(), "z" * 10_000)

    assert str(chat.transcript[0]["content"]).endswith("z [… 9,500 of 10,000 characters left out]")


def test_one_turn_takes_at_most_half_of_the_budget() -> None:
    """So that there is room for others beside it. (ours)"""
    chat = ChatState(ChatPolicy(max_transcript_tokens=1_000))

    long_turn(chat, 1, "x" * 100_000)

    assert not chat.is_long
    assert "characters left out]" in str(chat.transcript)


def test_the_remembered_outcomes_are_bounded_in_size_and_the_newest_is_always_kept(chat: ChatState) -> None:
    """What is carried into the next run has to fit into one payload. (ours)"""
    for number in range(6):
        chat.accept(turn(number))
        chat.start_next()
        chat.answer(Reply(turn_id=f"t{number}", text="x" * 100_000), [{"role": "user", "content": "x"}])

    assert [chat.outcome(f"t{number}") is not None for number in range(6)] == [False, False, False, True, True, True]
    chat.accept(turn(7))
    chat.start_next()
    chat.answer(Reply(turn_id="t7", text="x" * 1_000_000), [{"role": "user", "content": "x"}])
    assert [outcome.turn_id for outcome in chat.carry().outcomes] == ["t7"]


@requirement("temporal.payloads")
def test_what_a_long_chat_carries_fits_into_one_payload() -> None:
    """Turns of any size, no summary ever: with the largest budget that settings allow, under 2 MB. (ours)"""
    chat = ChatState(ChatPolicy(max_transcript_tokens=200_000))
    for number in range(30):
        long_turn(chat, number, "ü" * 300_000)
        if chat.is_too_long:
            chat.summarise(chat.old_turns(), None)

    assert len(chat.carry().model_dump_json().encode()) < 2_000_000
