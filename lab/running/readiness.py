"""When a lab is healthy: nothing is measured before.

Every PoP is fit by the controller's own word, every PoP's address leads to it from every client,
names resolve to the nearest PoP, and no router changed its mind for a second.
"""

from __future__ import annotations

import asyncio
import math
import socket
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final

import httpx

from lab.engines.faults import LabError
from lab.fibs import FibMonitor
from lab.fibs.namespaces import inside
from lab.load.names import NameUnknown, Resolver
from lab.running.loading import resolver_of
from lab.scenarios.targets import AddressTarget, Target
from lab.topology.attachments import hosts_of
from lab.topology.internet import ANYCAST_ADDRESS, Client, Internet, Pop

PATIENCE_S: Final = 60.0
LOOK_S: Final = 0.25
QUIET_S: Final = 1.0
UDP_PORT: Final = 9000
FAMILIES: Final = ("v4", "v6")


def nearest(client: Client, pops: tuple[Pop, ...]) -> Pop:
    """The PoP at the smallest great-circle distance."""

    def angle(pop: Pop) -> float:
        a, b = math.radians(client.lat), math.radians(pop.lat)
        across = math.radians(client.lon - pop.lon)
        cosine = math.sin(a) * math.sin(b) + math.cos(a) * math.cos(b) * math.cos(across)
        return math.acos(max(-1.0, min(1.0, cosine)))

    return min(pops, key=angle)


def misrouted(internet: Internet, fibs: FibMonitor) -> list[str]:
    """Addresses that do not lead where they should, by the routers' tables."""
    found = []
    for client in internet.clients:
        for family in FAMILIES:
            for pop in internet.pops:
                nodes = [host.node for host in hosts_of(pop)]
                if fibs.walk(client.name, pop.service_address[family]).end not in nodes:
                    found.append(f"{client.name} does not reach {pop.name} by {family}")
            if fibs.walk(client.name, ANYCAST_ADDRESS[family]).end is None:
                found.append(f"{client.name} does not reach the anycast address by {family}")
    return found


async def unfit(api: str) -> list[str]:
    """PoPs that do not serve by the controller's own word, or why it cannot be asked."""
    try:
        async with httpx.AsyncClient(timeout=2.0) as client:
            answer = await client.get(f"{api}/api/v1/status")
            body: Any = answer.raise_for_status().json()
    except (httpx.HTTPError, ValueError) as fault:
        return [f"the controller's API does not answer ({type(fault).__name__})"]
    wrong = [
        f"{pop['name']} is {pop['condition']} ({pop['because']})"
        for pop in body["pops"]
        if pop["condition"] != "serving"
    ]
    return wrong or ([] if body["settled"] else ["the controller has not settled"])


async def misnamed(internet: Internet, networks: Mapping[str, Path], name: str) -> list[str]:
    """Clients whose resolver does not give the nearest PoP's own address."""
    found = []
    for client in internet.clients:
        with inside(networks[client.name]):
            resolver = Resolver(resolver_of(client))
        resolver.open()
        try:
            for family in FAMILIES:
                wanted = nearest(client, internet.pops).service_address[family]
                said = (await resolver.ask(name, family, tries=1)).addresses
                if said != (wanted,):
                    answer = ", ".join(said) or "nothing"
                    found.append(f"{name} is {answer} at {client.name}, not {wanted}")
        except NameUnknown:
            found.append(f"the resolver of {client.name} does not answer")
        finally:
            resolver.close()
    return found


async def until_healthy(
    checks: Callable[[], Awaitable[list[str]]], changes: Callable[[], int]
) -> None:
    """Wait until nothing is wrong and no route changed for a second.

    Args:
        checks: coroutine function that lists what is wrong.
        changes: how many route changes there were so far.

    Raises:
        LabError: not within 90 s; names what is wrong.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + PATIENCE_S
    while True:
        before = changes()
        wrong = await checks()
        if not wrong:
            await asyncio.sleep(QUIET_S)
            if changes() == before and not await checks():
                return
            wrong = ["routes are still changing"]
        if loop.time() > deadline:
            message = f"not healthy within {PATIENCE_S:g} s: {'; '.join(wrong[:6])}"
            raise LabError(message)
        await asyncio.sleep(LOOK_S)


async def catchment(network: Path, client: Client, target: Target) -> str:
    """The PoP that answers `client`, in its network namespace, at `target`.

    Raises:
        LabError: none does.
    """
    if isinstance(target, AddressTarget):
        return await _answering(network, target.address)
    with inside(network):
        resolver = Resolver(resolver_of(client))
    resolver.open()
    try:
        said = await resolver.ask(target.name, target.families[0])
        return await _answering(network, said.addresses[0])
    except (NameUnknown, IndexError):
        message = f"{target.name} has no address at {client.name}"
        raise LabError(message) from None
    finally:
        resolver.close()


async def _answering(network: Path, address: str) -> str:
    loop = asyncio.get_running_loop()
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with inside(network):
        sock = socket.socket(family, socket.SOCK_DGRAM)
    with sock:
        sock.setblocking(False)
        for _ in range(5):
            try:
                sock.sendto(b"0", (address, UDP_PORT))
                async with asyncio.timeout(0.5):
                    return (await loop.sock_recv(sock, 2048)).split(b" ")[0].decode()
            except OSError:
                continue
    message = f"nobody answers at {address}"
    raise LabError(message)
