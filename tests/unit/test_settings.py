"""Settings: where they come from, and what is said of one that cannot be used."""

from datetime import timedelta
from pathlib import Path

import pytest

from durable_loop.errors import SettingsError
from durable_loop.settings import Settings, load_settings


@pytest.mark.parametrize(
    ("written", "meant"),
    [("5", 5), ("0.5", 0.5), ("PT5M", 300), ("00:00:03", 3)],
)
def test_a_duration_is_seconds_or_iso_8601(monkeypatch: pytest.MonkeyPatch, written: str, meant: float) -> None:
    """As `.env.example` says. (ours)"""
    monkeypatch.setenv("DURABLE_LOOP_HEARTBEAT_TIMEOUT", written)

    assert Settings().heartbeat_timeout == timedelta(seconds=meant)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DURABLE_LOOP_HEARTBEAT_TIMEOUT", "soon"),
        ("DURABLE_LOOP_HEARTBEAT_TIMEOUT", "-1"),
        ("DURABLE_LOOP_MODEL_ATTEMPTS", "0"),
        ("DURABLE_LOOP_WEATHER", "nice"),
        ("DURABLE_LOOP_LOG_LEVEL", "LOUD"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_with_its_variable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str, value: str
) -> None:
    """The message says which variable, which value, and what is wrong. (ours)"""
    monkeypatch.setenv(variable, value)

    with pytest.raises(SettingsError, match=f"{variable}='{value}' cannot be used: "):
        load_settings(tmp_path / "none.env")


def test_the_environment_wins_over_the_file_and_the_files_other_variables_count(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Provider keys are read from the environment by the library that owns them. (seed)"""
    file = tmp_path / ".env"
    file.write_text("LLM_MODEL=gpt-4\nDURABLE_LOOP_WEATHER=live\nSOME_PROVIDER_KEY=x\n")
    monkeypatch.setenv("LLM_MODEL", "claude-3-5-sonnet-20241022")
    for name in ("DURABLE_LOOP_WEATHER", "SOME_PROVIDER_KEY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)

    settings = load_settings(file)

    assert (settings.llm_model, settings.weather) == ("claude-3-5-sonnet-20241022", "live")


def test_an_empty_value_is_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """`LLM_MODEL=` in a file is the offline model. (ours)"""
    monkeypatch.setenv("LLM_MODEL", "")
    monkeypatch.setenv("DURABLE_LOOP_MODEL_ATTEMPTS", "")

    assert (Settings().llm_model, Settings().model_attempts) == (None, 6)


def test_lists_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blanks do not count. (ours)"""
    monkeypatch.setenv("DURABLE_LOOP_INTERCEPTORS", "a.b:c, d.e:f ,")

    assert Settings().interceptors == ("a.b:c", "d.e:f")


def test_a_token_is_not_shown() -> None:
    """Not in a representation, so not in a log. (ours)"""
    settings = Settings.model_validate({"mcp_token": "secret-token"})

    assert "secret-token" not in repr(settings)
