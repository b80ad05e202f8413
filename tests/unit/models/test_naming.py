"""What `LLM_MODEL` may say, and what it needs."""

import ast
import importlib.util
import json
from pathlib import Path

import pytest

from durable_loop.errors import ModelSetupError
from durable_loop.models.catalogue import INTERACTIVE_PROVIDERS, KEY_VARIABLES, OTHER_VARIABLES, PROVIDERS
from durable_loop.models.naming import ModelChoice, check_key, find_key, key_hint, resolve_model
from durable_loop.names import MODEL_OFFLINE
from tests.requirements import requirement

KEY = "sk-not-a-real-key-0123456789"


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("gpt-4", "openai/gpt-4"),
        ("o3-mini", "openai/o3-mini"),
        ("chatgpt-4o-latest", "openai/chatgpt-4o-latest"),
        ("ft:gpt-4o-mini:acme::abc123", "openai/ft:gpt-4o-mini:acme::abc123"),
        ("claude-3-5-sonnet-20241022", "anthropic/claude-3-5-sonnet-20241022"),
        ("gemini-pro", "gemini/gemini-pro"),
        ("gemini/gemini-pro", "gemini/gemini-pro"),
        ("anthropic/claude-3-5-sonnet-20241022", "anthropic/claude-3-5-sonnet-20241022"),
        ("litellm/gpt-4", "openai/gpt-4"),
        ("litellm/anthropic/claude-3-haiku-20240307", "anthropic/claude-3-haiku-20240307"),
        ("litellm/claude-3-haiku-20240307", "anthropic/claude-3-haiku-20240307"),
        ("  gpt-4\n", "openai/gpt-4"),
        ("OpenAI/gpt-4", "openai/gpt-4"),
        ("openrouter/anthropic/claude-3.5-sonnet", "openrouter/anthropic/claude-3.5-sonnet"),
        ("mistral/mistral-large-latest", "mistral/mistral-large-latest"),
        ("ollama/llama3.2:3b", "ollama/llama3.2:3b"),
        ("bedrock/anthropic.claude-3-5-sonnet-20241022-v2:0", "bedrock/anthropic.claude-3-5-sonnet-20241022-v2:0"),
        ("nano-gpt/some-model", "nano-gpt/some-model"),
        ("offline", MODEL_OFFLINE),
        ("", MODEL_OFFLINE),
        (None, MODEL_OFFLINE),
    ],
)
@requirement("models.names")
def test_a_name_becomes_litellms_canonical_one_and_stays_it(value: str | None, name: str) -> None:
    """The canonical name goes into the chat's history, so it has to mean the same when it comes back (seed, ours)."""
    choice = resolve_model(value)

    assert choice.name == name
    assert choice.provider == name.partition("/")[0]
    assert resolve_model(choice.name) == choice


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("llama3", "does not say whose model it is"),
        ("clyde-3", "does not say whose model it is"),
        ("oops", "does not say whose model it is"),
        ("anthropc/claude-3-haiku", "knows no provider `anthropc`"),
        ("openai/", "names a provider and no model"),
        ("github_copilot/gpt-4", "a login in a browser"),
    ],
)
def test_a_name_that_cannot_work_is_an_error_that_says_how_to_write_one(value: str, words: str) -> None:
    """Before the chat opens, not in the middle of a turn (spec)."""
    with pytest.raises(ModelSetupError, match=words) as caught:
        resolve_model(value)

    assert "`mistral/mistral-large-latest`" in str(caught.value)


@pytest.mark.parametrize(
    ("value", "environ"),
    [
        ("gpt-4", {"OPENAI_API_KEY": KEY}),
        ("claude-3-haiku-20240307", {"ANTHROPIC_API_KEY": KEY}),
        ("claude-3-haiku-20240307", {"ANTHROPIC_AUTH_TOKEN": KEY}),
        ("gemini/gemini-pro", {"GOOGLE_API_KEY": KEY}),
        ("gemini/gemini-pro", {"GEMINI_API_KEY": KEY}),
        ("gemini/gemini-pro", {"GEMINI_API_KEY": " ", "GOOGLE_API_KEY": KEY}),
        ("azure/mine", {"AZURE_API_KEY": KEY, "AZURE_API_BASE": "https://example.invalid"}),
        ("ollama/llama3", {}),
        ("bedrock/anthropic.claude-v2", {}),
        ("nscale/meta-llama", {}),
        ("offline", {}),
    ],
)
@requirement("models.names")
def test_a_model_with_what_it_needs_passes(value: str, environ: dict[str, str]) -> None:
    """The usual variables count, and providers that are not in the table are not checked (seed, spec)."""
    check_key(resolve_model(value), environ)


@pytest.mark.parametrize(
    ("value", "environ", "words"),
    [
        ("gpt-4", {}, "needs OPENAI_API_KEY:"),
        ("gpt-4", {"OPENAI_API_KEY": "  "}, "needs OPENAI_API_KEY:"),
        ("gpt-4", {"ANTHROPIC_API_KEY": KEY}, "needs OPENAI_API_KEY:"),
        ("claude-3-haiku-20240307", {}, "needs ANTHROPIC_API_KEY or ANTHROPIC_AUTH_TOKEN:"),
        ("gemini/gemini-pro", {}, "needs GEMINI_API_KEY or GOOGLE_API_KEY:"),
        ("groq/llama-3.1-8b-instant", {}, "needs GROQ_API_KEY:"),
        ("azure/mine", {}, "needs AZURE_API_KEY or AZURE_OPENAI_API_KEY and AZURE_API_BASE:"),
        ("azure/mine", {"AZURE_API_KEY": KEY}, "needs AZURE_API_BASE:"),
    ],
)
@requirement("security.no-secret-shown")
def test_a_missing_key_is_named_and_no_key_is_shown(value: str, environ: dict[str, str], words: str) -> None:
    """The error names the variable, and nothing of another one's value (ours)."""
    with pytest.raises(ModelSetupError, match=words) as caught:
        check_key(resolve_model(value), environ)

    assert KEY not in str(caught.value)


def test_the_first_variable_that_holds_something_is_the_one_used() -> None:
    """Blank ones are passed over (ours)."""
    choice = ModelChoice(name="x/y", provider="x", key_variables=("FIRST", "SECOND", "THIRD"))

    assert find_key(choice, {"FIRST": "\t", "SECOND": KEY, "THIRD": KEY}) == "SECOND"
    assert find_key(choice, {}) is None


@pytest.mark.parametrize(
    ("environ", "hint"),
    [
        ({"OPENAI_API_KEY": KEY}, "OPENAI_API_KEY is set: LLM_MODEL=gpt-4 would use it."),
        ({"ANTHROPIC_API_KEY": KEY}, "ANTHROPIC_API_KEY is set: LLM_MODEL=claude-3-5-sonnet-20241022 would use it."),
        ({"GOOGLE_API_KEY": KEY}, "GOOGLE_API_KEY is set: LLM_MODEL=gemini/gemini-pro would use it."),
        ({"OPENAI_API_KEY": KEY, "LLM_MODEL": "offline"}, None),
        ({"OPENAI_API_KEY": " "}, None),
        ({}, None),
    ],
)
def test_a_key_without_a_model_gets_a_hint(environ: dict[str, str], hint: str | None) -> None:
    """The first screen says how to leave the offline model; it never shows the key (spec)."""
    assert key_hint(environ) == hint


def test_every_hinted_model_resolves_to_the_provider_of_its_key() -> None:
    """Doing what the hint says works (ours)."""
    for variable in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY"):
        environ = {variable: KEY}
        hint = key_hint(environ) or ""
        model = hint.partition("LLM_MODEL=")[2].partition(" ")[0]

        check_key(resolve_model(model), environ)


def test_the_catalogue_is_the_list_of_the_installed_litellm() -> None:
    """Read from LiteLLM's files, since importing it takes seconds: a new version cannot drift away unseen (ours)."""
    package = importlib.util.find_spec("litellm")
    assert package is not None
    assert package.origin is not None
    root = Path(package.origin).parent

    types = ast.parse((root / "types" / "utils.py").read_text(encoding="utf-8"))
    enum = next(node for node in types.body if isinstance(node, ast.ClassDef) and node.name == "LlmProviders")
    named = {
        line.value.value for line in enum.body if isinstance(line, ast.Assign) and isinstance(line.value, ast.Constant)
    }
    declared = set(json.loads((root / "llms" / "openai_like" / "providers.json").read_text(encoding="utf-8")))

    assert named | declared == PROVIDERS


def test_the_tables_speak_only_of_providers_that_exist() -> None:
    """A misspelt provider in a table would check nothing (ours)."""
    assert INTERACTIVE_PROVIDERS | set(KEY_VARIABLES) | set(OTHER_VARIABLES) <= PROVIDERS
