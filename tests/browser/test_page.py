"""The page of a chat in a real browser."""

from collections.abc import Generator
from pathlib import Path

import pytest

from durable_loop.cli.timeline.loading import of_file
from durable_loop.cli.timeline.page import as_page
from tests.browser.browser import Browser
from tests.requirements import requirement
from tests.unit.cli.timeline.samples import EVIL, TOLD, evil

FITS = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"


@pytest.fixture(name="browser", scope="module")
def _browser(tmp_path_factory: pytest.TempPathFactory) -> Generator[Browser]:
    with Browser.running(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture(name="page")
def _page(browser: Browser, tmp_path: Path) -> Browser:
    (file := tmp_path / "chat.html").write_text(as_page(TOLD), encoding="utf-8")
    browser.open(file)
    browser.show(width=1000)
    return browser


@pytest.fixture(name="hostile")
def _hostile(browser: Browser, tmp_path: Path) -> Browser:
    (file := tmp_path / "chat.html").write_text(as_page(evil()), encoding="utf-8")
    browser.open(file)
    browser.show(width=1000)
    return browser


@requirement("cli.page")
def test_a_page_loads_nothing_and_its_console_is_silent(page: Browser) -> None:
    """All that it needs is in it. (ours)"""
    assert page.requests() == []
    assert page.console() == []


def test_a_page_has_a_heading_for_the_chat_and_one_for_each_turn(page: Browser) -> None:
    """In one main landmark, each turn a region of its own with a list of its steps. (ours)"""
    assert page.texts("main h1") == ["What is AAPL at?"]
    assert page.texts("main section h2") == ["Turn 2", "Turn 3", "Turn 4"]
    assert page.asks("document.documentElement.lang") == "en"
    assert page.asks("document.querySelectorAll('section > ol > li').length") == sum(
        len(turn.steps) for turn in TOLD.turns
    )
    assert [text.split("\n")[0] for text in page.texts("section:first-of-type li")] == [
        str(step.kind) for step in TOLD.turns[0].steps
    ]


@requirement("cli.page")
def test_hostile_texts_are_shown_and_do_nothing(hostile: Browser) -> None:
    """No script runs, nothing is loaded, and all of it can be read. (ours)"""
    assert hostile.asks("document.title").startswith("</title>")
    assert (
        hostile.asks("document.querySelectorAll('main script, main img, main svg, main link, main style').length") == 0
    )
    assert hostile.requests() == []
    assert hostile.console() == []
    assert EVIL.replace("\x1b", "") in hostile.texts("section .user")[0]


def test_a_page_that_does_not_escape_is_found(browser: Browser, tmp_path: Path) -> None:
    """The same texts as markup: a script runs, something is asked for, and the console complains. (ours)"""
    (file := tmp_path / "bad.html").write_text(f"<title>a</title><img src='https://evil.example/x.png'>{EVIL}")
    browser.open(file)

    assert browser.asks("document.title") == "owned"
    assert "https://evil.example/x.png" in browser.requests()
    assert browser.console() != []


@requirement("cli.page")
def test_everything_that_opens_is_reached_and_opened_with_the_keyboard(hostile: Browser) -> None:
    """In the order in which it stands there. (ours)"""
    count = hostile.asks("document.querySelectorAll('details').length")
    assert count > 0
    for number in range(count):
        hostile.press("TAB")
        focused = "[...document.querySelectorAll('summary')].indexOf(document.activeElement)"
        assert hostile.asks(focused) == number
        hostile.press("ENTER")
    assert hostile.asks("document.querySelectorAll('details[open]').length") == count


@pytest.mark.parametrize("media", ["screen", "print"])
@pytest.mark.parametrize("width", [320, 1000])
def test_a_page_fits_every_width(hostile: Browser, width: int, media: str) -> None:
    """On a telephone and on paper nobody scrolls to the side, also where all is open and no word ends. (ours)"""
    hostile.show(width=width, media="print" if media == "print" else "screen")
    hostile.asks("document.querySelectorAll('details').forEach(each => { each.open = true })")

    assert hostile.asks("window.innerWidth") == width
    assert hostile.asks(FITS)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [320, 1000])
@requirement("cli.page")
def test_axe_finds_no_barrier(page: Browser, width: int, dark: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """Contrast, names, landmarks, order of headings, in the colours of the day and of the night. (ours)"""
    page.show(width=width, dark=dark)
    page.asks("document.querySelectorAll('details').forEach(each => { each.open = true })")

    assert page.barriers() == []


def test_a_browser_that_is_missing_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what to install; a test that is skipped proves nothing. (ours)"""
    monkeypatch.setenv("PATH", str(tmp_path))

    with (
        pytest.raises(AssertionError, match="There is no chromium: apt-get install chromium chromium-driver"),
        Browser.running(tmp_path),
    ):
        pass


def test_axe_finds_a_barrier_where_there_is_one(browser: Browser, tmp_path: Path) -> None:
    """It runs, and is heard. (ours)"""
    (file := tmp_path / "bad.html").write_text("<title>a</title><p style='color:#ccc'>pale</p>")
    browser.open(file)

    assert any(found.startswith("color-contrast: ") for found in browser.barriers())


@pytest.mark.parametrize("path", sorted(Path("fixtures/histories/chat").glob("*.json")), ids=lambda path: path.stem)
def test_every_stored_chat_is_a_page(browser: Browser, tmp_path: Path, path: Path) -> None:
    """Silent, and with a heading for each turn. (ours)"""
    told = of_file(path)
    (file := tmp_path / "chat.html").write_text(as_page(told), encoding="utf-8")
    browser.open(file)

    assert browser.texts("h2") == [f"Turn {turn.number}" for turn in told.turns]
    assert (browser.requests(), browser.console()) == ([], [])
