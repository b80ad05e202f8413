"""Settings: where they come from, and what is said of one that cannot be used."""

from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from durable_loop.errors import SettingsError
from durable_loop.settings import Settings, load_settings
from tests.requirements import requirement


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
        ("DURABLE_LOOP_HEARTBEAT_TIMEOUT", "0"),
        ("DURABLE_LOOP_HEARTBEAT_TIMEOUT", "nan"),
        ("DURABLE_LOOP_HEARTBEAT_TIMEOUT", "inf"),
        ("DURABLE_LOOP_HEARTBEAT_TIMEOUT", "5s"),
        ("DURABLE_LOOP_MODEL_ATTEMPTS", "0"),
        ("DURABLE_LOOP_WEATHER", "nice"),
        ("DURABLE_LOOP_FINANCE_MCP_URL", "ftp://example.org/mcp"),
        ("DURABLE_LOOP_APPROVAL", "none, writing"),
        ("DURABLE_LOOP_APPROVAL_DEADLINE", "0"),
        ("DURABLE_LOOP_APPROVAL_DEADLINE", "P366D"),
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


@requirement("setup.dotenv")
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


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("", ("destructive",)),
        ("none", ()),
        ("None", ()),
        ("Writing", ("writing",)),
        ("Delete", ("Delete",)),
        ("destructive, it.track_ip", ("destructive", "it.track_ip")),
    ],
)
@requirement("approval.settings")
def test_which_tools_ask_first(monkeypatch: pytest.MonkeyPatch, written: str, meant: tuple[str, ...]) -> None:
    """Those that may destroy something, where nothing is said; none only where that is said. (ours)"""
    monkeypatch.setenv("DURABLE_LOOP_APPROVAL", written)

    assert Settings().approval == meant


@requirement("security.no-secret-shown")
def test_a_token_is_not_shown() -> None:
    """Not in a representation, so not in a log. (ours)"""
    settings = Settings.model_validate({"mcp_token": "secret-token"})

    assert "secret-token" not in repr(settings)


def test_every_value_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One run of the program shows them all. (ours)"""
    monkeypatch.setenv("DURABLE_LOOP_WEATHER", "nice")
    monkeypatch.setenv("DURABLE_LOOP_MODEL_ATTEMPTS", "many")

    with pytest.raises(SettingsError) as refused:
        load_settings(tmp_path / "none.env")

    assert [line.partition("=")[0] for line in str(refused.value).splitlines()] == [
        "DURABLE_LOOP_MODEL_ATTEMPTS",
        "DURABLE_LOOP_WEATHER",
    ]


@pytest.mark.parametrize("alone", ["DURABLE_LOOP_DEPLOYMENT", "DURABLE_LOOP_BUILD_ID"])
def test_a_build_and_its_deployment_belong_together(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, alone: str
) -> None:
    """One of them alone would quietly mean: not versioned. (ours)"""
    monkeypatch.setenv(alone, "x")

    with pytest.raises(SettingsError, match="a build belongs to a deployment: set DURABLE_LOOP_DEPLOYMENT and"):
        load_settings(tmp_path / "none.env")


@pytest.mark.parametrize("build", ["", "x"])
def test_a_deployment_that_cannot_be_used_is_all_that_is_wrong(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, build: str
) -> None:
    """Nothing is said of its build: it may be as it should. (ours)"""
    monkeypatch.setenv("DURABLE_LOOP_DEPLOYMENT", "two words")
    monkeypatch.setenv("DURABLE_LOOP_BUILD_ID", build)

    with pytest.raises(SettingsError) as refused:
        load_settings(tmp_path / "none.env")

    assert [line.partition("=")[0] for line in str(refused.value).splitlines()] == ["DURABLE_LOOP_DEPLOYMENT"]


def test_settings_stay_as_they_were_read() -> None:
    """Read once, at the edge of each process. (ours)"""
    with pytest.raises(ValidationError, match="frozen"):
        Settings().weather = "live"


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_the_first_line_of_a_file_counts_whichever_editor_wrote_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, mark: str
) -> None:
    """Editors on Windows begin a file with an invisible mark. (ours)"""
    file = tmp_path / ".env"
    file.write_text(f"{mark}DURABLE_LOOP_WEATHER=live\n", encoding="utf-8")
    monkeypatch.setenv("DURABLE_LOOP_WEATHER", "")
    monkeypatch.delenv("DURABLE_LOOP_WEATHER")

    assert load_settings(file).weather == "live"


def test_a_file_that_is_not_there_is_no_file(tmp_path: Path) -> None:
    """Everything has a default. (ours)"""
    assert load_settings(tmp_path / "none.env").first_retry_after == timedelta(seconds=0.5)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"# comment\nLLM MODEL sk-secret\n", r"line 2: write NAME=value\."),
        (b"LLM_MODEL='sk-secret\n", r"line 1: write NAME=value\."),
        (b"KEY=sk-secret\xff", "not UTF-8"),
    ],
)
@requirement("security.no-secret-shown")
def test_a_file_that_cannot_be_read_is_refused_without_showing_its_lines(
    tmp_path: Path, content: bytes, message: str
) -> None:
    """A line may hold a key. (ours)"""
    file = tmp_path / ".env"
    file.write_bytes(content)

    with pytest.raises(SettingsError, match=message) as refused:
        load_settings(file)
    assert "sk-secret" not in str(refused.value)


def test_a_folder_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    """Not a traceback. (ours)"""
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings(tmp_path)


@pytest.mark.parametrize("address", ["http://localhost:99999/mcp", "http://localhost:abc/mcp", "http://[::1/mcp"])
def test_an_address_whose_port_is_none_is_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the name of its variable, before anything listens. (ours)"""
    monkeypatch.setenv("DURABLE_LOOP_IT_MCP_URL", address)

    with pytest.raises(SettingsError, match="DURABLE_LOOP_IT_MCP_URL"):
        load_settings()
