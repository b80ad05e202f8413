"""What a newcomer does: take the repository, type the README's first command, chat."""

import asyncio
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from filelock import FileLock

from tests.requirements import requirement

ROOT = Path(__file__).parents[2]
SAYINGS = {
    "My name is Ada": "Ada",
    "Calculate 15 * 23": "345",
    "What's the weather in New York?": "New York",
    "What is the stock price of AAPL?": "$185.50",
    "Calculate the ROI for $10000 invested at 5% for 10 years": "$16,288.95",
    "Set the JIRA project to DEMO-123": "DEMO-123",
    "Get JIRA metrics": "DEMO-123",
    "Track my IP address": "172.16.0.1",
    "Show me the IP history": "1. 172.16.0.1",
    "What is my name?": "Ada",
}


@pytest.fixture(name="checkout")
def _checkout(tmp_path: Path) -> Path:
    """Copy the repository's files and nothing that was installed or built."""
    listed = subprocess.run(  # noqa: S603 - git
        [_program("git"), "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        target = tmp_path / "checkout" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target)
    return tmp_path / "checkout"


@pytest.mark.timeout(400)
@pytest.mark.usefixtures("usual_ports")
@requirement("setup.one-command", "cli.examples")
async def test_the_first_command_of_the_readme_installs_starts_and_answers(checkout: Path, tmp_path: Path) -> None:
    """One command from a fresh clone; every example of the seed and the memory question is answered. (seed)"""
    command = re.search(r"```bash\npip install uv && (.*)\n```", (ROOT / "README.md").read_text())
    assert command is not None
    outside = ("UV_", "VIRTUAL_ENV", "PYTHON", "DURABLE_LOOP_", "TEMPORAL_", "LLM_MODEL", "TOX_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(outside)}
    typed = "".join(f"{line}\n" for line in [*SAYINGS, "quit"])

    process = await asyncio.create_subprocess_shell(
        command.group(1),
        cwd=checkout,
        env={**environment, "DURABLE_LOOP_DATA_DIR": str(tmp_path / "data"), "UV_PYTHON_DOWNLOADS": "never"},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate(typed.encode())

    assert process.returncode == 0, errors.decode()
    with FileLock(tmp_path / "data" / "stack.lock", timeout=30):
        pass  # the last client has left: the stack is gone
    replies = dict(re.findall(r"^You: (.*)\n(?:  .*\n)*Agent: ((?:.*\n)+?)(?=You: )", output.decode(), re.MULTILINE))
    assert replies.keys() == SAYINGS.keys()
    for said, expected in SAYINGS.items():
        assert expected in replies[said]


def _program(name: str) -> str:
    found = shutil.which(name)
    assert found is not None, f"{name} is needed for this test"
    return found
