"""The transcript as lines for people."""

from durable_loop.chat.messages import TranscriptLine
from durable_loop.chat.transcript import lines


def test_a_transcript_is_shown_without_the_models_inner_items() -> None:
    """Users, agents, tools and notes; results of tools and reasoning are left out. (ours)"""
    shown = lines(
        [
            {"role": "user", "content": "AAPL?"},
            {"type": "reasoning", "id": "r", "summary": []},
            {"type": "function_call", "name": "stock_price", "arguments": '{"ticker":"AAPL"}', "call_id": "1"},
            {"type": "function_call_output", "call_id": "1", "output": "185.50"},
            {
                "role": "assistant",
                "content": [{"type": "output_text", "text": "185."}, {"type": "output_text", "text": "50"}],
            },
            {"role": "user", "content": [{"type": "input_text", "text": "And?"}]},
            {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
            {"role": "assistant", "content": "[This turn has no answer: …]"},
        ]
    )

    assert shown == [
        TranscriptLine(role="user", text="AAPL?"),
        TranscriptLine(role="tool", text='stock_price({"ticker":"AAPL"})'),
        TranscriptLine(role="agent", text="185.50"),
        TranscriptLine(role="user", text="And?"),
        TranscriptLine(role="agent", text="No."),
        TranscriptLine(role="note", text="[This turn has no answer: …]"),
    ]


def test_a_transcript_without_items_has_no_lines() -> None:
    """A new chat. (ours)"""
    assert lines([]) == []
