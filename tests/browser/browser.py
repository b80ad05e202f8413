"""A page in a real browser: what it loads, what is seen of it, what it does with a keyboard, and what is wrong."""

import json
import shutil
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, Self, cast

from selenium import webdriver
from selenium.webdriver.common.keys import Keys

__all__ = ["Browser"]

_ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND",  # nothing is reached, whatever is asked for
)
_AXE = files("axe_core_python").joinpath("axe.min.js")


class Browser:
    """One browser; a page that is opened takes the place of the one before."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self._driver = driver

    @classmethod
    @contextmanager
    def running(cls, profile: Path) -> Generator[Self]:
        """Run Chromium with an empty profile; it has ended after the block.

        Raises:
            AssertionError: it is not installed; says how to.
        """
        options = webdriver.ChromeOptions()
        options.binary_location = _installed("chromium")
        for argument in (*_ARGUMENTS, f"--user-data-dir={profile}"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        driver = webdriver.Chrome(options, webdriver.ChromeService(_installed("chromedriver")))
        try:
            yield cls(driver)
        finally:
            driver.quit()

    def open(self, page: Path) -> None:
        """Open a file, and forget what was heard of the page before."""
        self._driver.get("about:blank")
        self._heard("browser")
        self._heard("performance")
        self._driver.get(page.as_uri())

    def show(self, *, width: int, media: Literal["screen", "print"] = "screen", dark: bool = False) -> None:
        """Show the page as a screen or a sheet of this width does, in the colours of the day or of the night."""
        metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        for command, argument in (
            ("Emulation.setDeviceMetricsOverride", metrics),
            ("Emulation.setEmulatedMedia", {"media": media, "features": [scheme]}),
        ):
            self._driver.execute_cdp_cmd(command, argument)  # pyright: ignore[reportUnknownMemberType]

    def asks(self, expression: str) -> Any:
        """Return the value of an expression of JavaScript."""
        return self._driver.execute_script(f"return {expression}")  # pyright: ignore[reportUnknownMemberType]

    def texts(self, selector: str) -> Sequence[str]:
        """Return the texts of some elements, as they are seen."""
        return self.asks(f"[...document.querySelectorAll({json.dumps(selector)})].map(each => each.innerText)")

    def press(self, key: Literal["TAB", "ENTER"]) -> None:
        """Press a key, wherever the focus is."""
        webdriver.ActionChains(self._driver).send_keys(str(getattr(Keys, key))).perform()

    def requests(self) -> Sequence[str]:
        """Return what the page has asked for since it was opened, itself left out."""
        events = [json.loads(entry["message"])["message"] for entry in self._heard("performance")]
        asked = [event["params"] for event in events if event["method"] == "Network.requestWillBeSent"]
        return [request["request"]["url"] for request in asked if request["type"] != "Document"]

    def console(self) -> Sequence[str]:
        """Return what the console says of the page since it was opened."""
        return [entry["message"] for entry in self._heard("browser")]

    def barriers(self) -> Sequence[str]:
        """Return what axe-core finds wrong for people who cannot see, or not well, or have no mouse."""
        self._driver.execute_script(_AXE.read_text(encoding="utf-8"))  # pyright: ignore[reportUnknownMemberType]
        run = "const done = arguments[arguments.length - 1]; axe.run().then(done)"
        found = cast("dict[str, Any]", self._driver.execute_async_script(run))  # pyright: ignore[reportUnknownMemberType]
        return [f"{rule['id']}: {node['html'][:200]}" for rule in found["violations"] for node in rule["nodes"]]

    def _heard(self, log: str) -> Sequence[dict[str, Any]]:
        return cast("list[dict[str, Any]]", self._driver.get_log(log))  # pyright: ignore[reportUnknownMemberType]


def _installed(program: str) -> str:
    path = shutil.which(program)
    assert path is not None, f"There is no {program}: apt-get install chromium chromium-driver"
    return path
