"""Worker interceptors that note every address the process connects to: `tests.providers.audit:connections`."""

import os
import sys
from pathlib import Path

from temporalio.worker import Interceptor

FILE_VARIABLE = "DURABLE_LOOP_TESTING_CONNECTIONS"


def connections() -> Interceptor:
    """Write each host that is connected to or looked up into the file that the environment names."""
    file = Path(os.environ[FILE_VARIABLE])

    def note(event: str, arguments: tuple[object, ...]) -> None:
        address = arguments[1] if event == "socket.connect" else arguments[0]
        host = address[0] if isinstance(address, tuple) else address  # pyright: ignore[reportUnknownVariableType] - any address
        with file.open("a") as written:
            written.write(f"{host}\n")

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event in {"socket.connect", "socket.getaddrinfo"}:
            note(event, arguments)

    sys.addaudithook(hook)
    return Interceptor()
