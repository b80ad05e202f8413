"""A dev server that the Temporal SDK downloads and runs itself: `python -m …sdk_server PORT UI_PORT FILE`.

The last resort, where no `temporal` program is installed.
"""

import sys

from temporalio.testing import WorkflowEnvironment

from durable_loop.bootstrap.process import announce, main, until_signalled
from durable_loop.errors import TemporalBinaryNotFoundError
from durable_loop.settings import Settings
from durable_loop.stack.binaries import WAYS_OUT
from durable_loop.stack.plan import DYNAMIC_CONFIG


async def run(_settings: Settings) -> None:
    """Serve until told to stop."""
    port, ui_port, database = sys.argv[1:]
    try:
        environment = await WorkflowEnvironment.start_local(  # pyright: ignore[reportUnknownMemberType] - untyped kwargs of the SDK
            port=int(port),
            ui=True,
            ui_port=int(ui_port),
            dev_server_database_filename=database,
            dev_server_log_level="error",
            dev_server_extra_args=list(DYNAMIC_CONFIG),
        )
    except RuntimeError as error:
        raise TemporalBinaryNotFoundError(f"{WAYS_OUT}\n(The SDK's own download failed: {error})") from error
    async with environment:
        announce("Temporal dev server")
        await until_signalled()


if __name__ == "__main__":
    main(run)
