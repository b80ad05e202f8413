"""Connections to Temporal, and the namespaces that the project lives in."""

import asyncio
import logging
import os
import re
from collections.abc import Iterable, Sequence
from datetime import timedelta

from google.protobuf.duration_pb2 import Duration
from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    RegisterNamespaceRequest,
    UpdateNamespaceRequest,
)
from temporalio.client import Client, Interceptor, Plugin
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter
from temporalio.envconfig import ClientConfig, ClientConnectConfig
from temporalio.service import RPCError, RPCStatusCode

from durable_loop import names
from durable_loop.bootstrap.runtime import runtime
from durable_loop.errors import NamespaceMissingError, SettingsError, TemporalUnreachableError

__all__ = [
    "DEFAULT_ADDRESS",
    "chat_namespace",
    "configured_address",
    "connect",
    "ensure_namespaces",
    "until_it_answers",
]

logger = logging.getLogger(__name__)

DEFAULT_ADDRESS = "localhost:7233"
PROBE_INTERVAL = 0.1
CONNECT_TIMEOUT = timedelta(seconds=5)
# For the connection and for the first call over it, which has no end of its own where nobody answers.
ANSWER_TIMEOUT = timedelta(seconds=8)


def configured_address() -> str | None:
    """Return the Temporal address that the environment or a profile names, if any.

    Raises:
        SettingsError: what they say of Temporal cannot be read.
    """
    return _configured().get("target_host")


def chat_namespace() -> str:
    """Return the namespace of the chats: `TEMPORAL_NAMESPACE`, a profile's, else `default`."""
    return _configured().get("namespace") or names.NAMESPACE_CHAT


async def connect(
    *,
    address: str | None = None,
    namespace: str | None = None,
    plugins: Iterable[Plugin] = (),
    interceptors: Sequence[Interceptor] = (),
    lazy: bool = False,
) -> Client:
    """Connect to `address`, else to the Temporal that the environment names, else to a local one.

    `namespace` None means the chat's: `TEMPORAL_NAMESPACE`, else `default`. `lazy` connects at the first call.

    Raises:
        SettingsError: what the environment or a profile says of Temporal cannot be read.
        TemporalUnreachableError: nothing answers there.
    """
    config = _configured()
    address = config["target_host"] = address or config.get("target_host") or DEFAULT_ADDRESS
    if "://" in address:
        raise SettingsError(f"TEMPORAL_ADDRESS is {address}: write host:port, without what stands before ://.")
    config["namespace"] = namespace or config.get("namespace") or names.NAMESPACE_CHAT
    plugins = list(plugins)
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT.total_seconds()):
            return await Client.connect(
                **config,
                # The Agents plugin brings a converter of its own that speaks the same JSON.
                data_converter=DataConverter.default if plugins else pydantic_data_converter,
                plugins=plugins,
                interceptors=interceptors,
                lazy=lazy,
                connect_timeout=CONNECT_TIMEOUT,
                runtime=runtime(),
            )
    except (RuntimeError, OSError, RPCError, ValueError) as error:  # a ValueError: this is no address
        raise TemporalUnreachableError(
            f"No Temporal answers at {address}: {_reason(error)}\n{_advice(os.environ.get('TEMPORAL_ADDRESS'))}"
        ) from error


def _advice(named: str | None) -> str:
    if named:
        return f"Check TEMPORAL_ADDRESS (it is {named}), or unset it to have a local server started."
    return "Have a local server started (`durable-loop up`), or say in TEMPORAL_ADDRESS where another one is."


def _configured() -> ClientConnectConfig:
    try:
        return ClientConfig.load_client_connect_config()
    except (OSError, RuntimeError, ValueError) as error:  # a certificate, a profile or its file
        raise SettingsError(
            f"The settings for Temporal cannot be read: {_reason(error)}. "
            "Check TEMPORAL_PROFILE, TEMPORAL_CONFIG_FILE and what begins with TEMPORAL_TLS."
        ) from error


async def until_it_answers(address: str) -> Client:
    """Wait until a Temporal serves at `address`; return a client of the chat's namespace."""
    while True:
        try:
            return await connect(address=address)
        except TemporalUnreachableError as error:
            logger.debug("Temporal does not serve yet: %s", error)
            await asyncio.sleep(PROBE_INTERVAL)


async def ensure_namespaces(client: Client, *, retention: timedelta, own_server: bool = False) -> None:
    """Create the namespaces that are missing.

    On a server of our own the retention of existing ones is raised as well: the dev server
    deletes closed workflows after a day. Elsewhere that is the operator's decision.

    Raises:
        NamespaceMissingError: the server does not let us create one; the message has the command.
        TemporalUnreachableError: the server went away meanwhile.
    """
    try:
        for namespace in dict.fromkeys((client.namespace, names.NAMESPACE_FINANCE, names.NAMESPACE_IT)):
            if not await _exists(client, namespace):
                await _create(client, namespace, retention)
            elif own_server:
                await _keep_longer(client, namespace, retention)
    except RPCError as error:
        raise TemporalUnreachableError(f"Temporal does not tell about its namespaces: {_reason(error)}") from error


async def _exists(client: Client, namespace: str) -> bool:
    try:
        await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=namespace))
    except RPCError as error:
        if error.status in (RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT):
            return False  # there is none, or there cannot be one
        if error.status in (RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNIMPLEMENTED):
            return True  # not allowed to look: whoever uses it will tell
        raise
    return True


async def _create(client: Client, namespace: str, retention: timedelta) -> None:
    try:
        await client.workflow_service.register_namespace(
            RegisterNamespaceRequest(namespace=namespace, workflow_execution_retention_period=_duration(retention))
        )
    except RPCError as error:
        if error.status is RPCStatusCode.ALREADY_EXISTS:
            return
        raise NamespaceMissingError(
            f"The namespace {namespace} does not exist and cannot be created from here ({error.message}).\n"
            f"Create it: temporal operator namespace create --namespace {namespace}"
        ) from error


async def _keep_longer(client: Client, namespace: str, retention: timedelta) -> None:
    await client.workflow_service.update_namespace(
        UpdateNamespaceRequest(
            namespace=namespace,
            config=NamespaceConfig(workflow_execution_retention_ttl=_duration(retention)),
        )
    )


def _duration(value: timedelta) -> Duration:
    duration = Duration()
    duration.FromTimedelta(value)
    return duration


def _reason(error: Exception) -> str:
    """Return the sentence inside what the SDK's core says of its insides."""
    if isinstance(error, TimeoutError):
        return f"whatever listens there says nothing for {ANSWER_TIMEOUT.total_seconds():g} seconds"
    text = " ".join(str(error).split())
    inner = re.search(r'message: "([^"]+)"', text)
    return inner.group(1) if inner else text
