"""Speaking on the lab's bus, with a voice of the lab's own, and listening to it.

The broker lets its user `lab` say anything on the fleet's topics. Each user has one connection:
whoever spoke as the controller would throw it off. Credentials and certificates are taken from
the files that the lab gave its broker and its controller.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

import aiomqtt
import msgspec
import yaml

from ambicast.contract.codec import LARGEST_PAYLOAD
from lab.engines.faults import LabError
from lab.engines.running import RunningLab
from lab.nodes.broker import LAB, LAB_FILE, LISTENER, LISTENER_FILE
from lab.topology.settings import FLEET_FILE

NODE: Final = "ctl1"
SETTINGS: Final = "controller.yaml"
RETAINED_WITHIN_S: Final = 1.0
TIMEOUT_S: Final = 5.0


class Letter(msgspec.Struct, frozen=True):
    """One message to send."""

    topic: str
    payload: bytes
    retain: bool = True


def publish(lab: RunningLab, letters: Iterable[Letter]) -> None:
    """Send all of them at once, and wait until the broker has them.

    Raises:
        LabError: the broker does not take them.
    """
    try:
        asyncio.run(_publish(lab, list(letters)))
    except (aiomqtt.MqttError, TimeoutError) as fault:
        raise LabError(f"the broker does not take it: {fault}") from fault
    except ExceptionGroup as faults:
        raise LabError(f"the broker does not take it: {faults.exceptions[0]}") from faults


def retained(
    lab: RunningLab, topics: Iterable[str], enough: Callable[[bytes], bool] = bool
) -> dict[str, bytes]:
    """What the broker holds for these topics, or is told within a second if that is not `enough`.

    Raises:
        LabError: the broker does not answer.
    """
    try:
        return asyncio.run(_retained(lab, list(topics), enough))
    except (aiomqtt.MqttError, TimeoutError) as fault:
        raise LabError(f"the broker does not tell: {fault}") from fault


def listener(lab: RunningLab) -> aiomqtt.Client:
    """A connection that may only listen, not yet open."""
    return _client(lab, LISTENER, LISTENER_FILE)


def _client(lab: RunningLab, user: str, secret: str) -> aiomqtt.Client:
    """A connection as ``user``, not yet open."""
    home = lab.directory / NODE
    said: dict[str, Any] = yaml.safe_load((home / SETTINGS).read_text())["broker"]
    host, port = lab.broker
    return aiomqtt.Client(
        host,
        port,
        username=user,
        password=_beside(home, secret).read_text().strip(),
        protocol=aiomqtt.ProtocolVersion.V5,
        tls_context=_tls(home, said.get("tls")),
        timeout=TIMEOUT_S,
        socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
    )


def fleet_name(lab: RunningLab) -> str:
    """The fleet's, which topics begin with."""
    text = lab.topology.node(NODE).files[FLEET_FILE]
    return str(yaml.safe_load(text)["fleet"])


async def _publish(lab: RunningLab, letters: list[Letter]) -> None:
    # A connection that the broker ends is what some letters are for.
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    async with _client(lab, LAB, LAB_FILE) as connected, asyncio.TaskGroup() as tasks:
        for letter in letters:
            sent = connected.publish(
                letter.topic, letter.payload, qos=1, retain=letter.retain, timeout=TIMEOUT_S
            )
            if len(letter.payload) > LARGEST_PAYLOAD:
                sent = _perhaps(sent)
            tasks.create_task(sent, name=f"publish[{letter.topic}]")


async def _perhaps(sent: Any) -> None:
    """A broker may answer a packet that is too large by closing the connection."""
    try:
        await sent
    except aiomqtt.MqttError:
        return


async def _retained(
    lab: RunningLab, topics: list[str], enough: Callable[[bytes], bool]
) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    async with _client(lab, LAB, LAB_FILE) as connected:
        for topic in topics:
            await connected.subscribe(topic, qos=1)
        try:
            async with asyncio.timeout(RETAINED_WITHIN_S):
                async for message in connected.messages:
                    found[str(message.topic)] = bytes(message.payload or b"")
                    if found.keys() >= set(topics) and all(map(enough, found.values())):
                        break
        except TimeoutError:
            pass
    return found


def _tls(home: Path, said: dict[str, str] | None) -> ssl.SSLContext | None:
    """The broker is reached by the lab's own way, which its certificate need not name."""
    if said is None:
        return None
    context = ssl.create_default_context(cafile=_beside(home, said["ca"]))
    context.check_hostname = False
    if said.get("cert"):
        context.load_cert_chain(_beside(home, said["cert"]), _beside(home, said["key"]))
    return context


def _beside(home: Path, inner: str) -> Path:
    """The lab's copy of a file of the controller's node."""
    return home / inner.rpartition("/")[2]
