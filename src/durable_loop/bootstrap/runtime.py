"""The SDK's core logs as this program does. Left to itself it writes to standard output, in colours."""

import logging
from functools import cache
from typing import Final

from temporalio.runtime import LogForwardingConfig, LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter

__all__ = ["runtime"]

_LOGGER: Final = logging.getLogger("temporalio.core")


@cache
def runtime() -> Runtime:
    """Return the runtime of this process: warnings of the core are records of the logger `temporalio.core`."""
    return Runtime(
        telemetry=TelemetryConfig(
            logging=LoggingConfig(
                filter=TelemetryFilter(core_level="WARN", other_level="ERROR"),
                forwarding=LogForwardingConfig(logger=_LOGGER),
            )
        )
    )
