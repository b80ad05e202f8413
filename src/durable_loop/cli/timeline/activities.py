"""What one activity of a chat was asked, what it gave, and why it failed: from what a history holds of it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

from google.protobuf.json_format import ParseDict
from temporalio.api.failure.v1 import Failure
from temporalio.converter import DataConverter

from durable_loop import names
from durable_loop.chat.compaction import SUMMARY_INSTRUCTIONS
from durable_loop.chat.sentences import sentence
from durable_loop.chat.transcript import lines
from durable_loop.cli.timeline.value import Kind, Outcome, Tokens
from durable_loop.testing.histories.payloads import recorded_values

__all__ = ["answer_in", "asked_of", "given_by", "sentence_of", "tokens_of", "value_in"]


def asked_of(activity: str, asked: Any) -> tuple[Kind, str, str]:
    """Return what an activity is, its name for a reader, and what it was asked."""
    if activity in names.ACTIVITIES_MODEL_CALL:
        is_summary = asked.get("system_instructions") == SUMMARY_INSTRUCTIONS
        return Kind.SUMMARY if is_summary else Kind.MODEL, str(asked.get("model_name") or "model"), ""
    if activity.endswith(names.ACTIVITY_ENDS_LIST_TOOLS):
        return Kind.MCP_LIST, _server(activity, names.ACTIVITY_ENDS_LIST_TOOLS), ""
    if activity.endswith(names.ACTIVITY_ENDS_CALL_TOOL):
        server = _server(activity, names.ACTIVITY_ENDS_CALL_TOOL)
        return Kind.MCP_TOOL, f"{server}.{asked['name']}", _as_json(asked["arguments"])
    return Kind.TOOL, activity, _as_json(asked)


def given_by(kind: Kind, result: Any) -> tuple[str, Outcome]:
    """Return what a step gave, in words, and what that is: a tool of MCP may give an error."""
    match kind:
        case Kind.MODEL | Kind.SUMMARY:
            said = lines(result["output"])
            return "\n".join(f"calls {line.text}" if line.role == "tool" else line.text for line in said), Outcome.DONE
        case Kind.MCP_LIST:
            listed = cast("Sequence[Mapping[str, str]]", result["tools"])
            return ", ".join(tool["name"] for tool in listed) or "no tools", Outcome.DONE
        case Kind.MCP_TOOL:
            text = "\n".join(part.get("text") or _as_json(part) for part in result["content"])
            return text, Outcome.FAILED if result.get("is_error") else Outcome.DONE
        case _:
            text = cast("Mapping[str, Any]", result).get("text") if isinstance(result, dict) else None
            return text if isinstance(text, str) else _as_json(result), Outcome.DONE


def answer_in(result: Any) -> str | None:
    """Return the text of a model's answer that asks for no tool; None of one that does."""
    said = lines(result["output"])
    return None if any(line.role == "tool" for line in said) else "".join(line.text for line in said)


def tokens_of(result: Any) -> Tokens:
    """Return what a model's answer says that it took."""
    usage = cast("Mapping[str, int]", result.get("usage") or {})
    return Tokens(usage.get("input_tokens", 0), usage.get("output_tokens", 0))


def sentence_of(failure: Mapping[str, Any]) -> str:
    """Return what a failure says, in the words in which the chat tells of it."""
    written = ParseDict(dict(failure), Failure(), ignore_unknown_fields=True)
    converter = DataConverter.default
    return sentence(converter.failure_converter.from_failure(written, converter.payload_converter))


def value_in(payloads: Mapping[str, Any] | None) -> Any:
    """Return the one value that is sent; None where there is none."""
    return next(iter(recorded_values(payloads)), None)


def _server(activity: str, ends: Sequence[str]) -> str:
    """Return the MCP server of an activity: `finance` of `temporalio.mcp.finance.call-tool`."""
    whole = next(activity.removesuffix(end) for end in ends if activity.endswith(end))
    return whole.rpartition(".")[2]


def _as_json(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
