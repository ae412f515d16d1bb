"""The two places where the programs tell what they do: the broker, and the controller's events."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

import aiomqtt
import httpx
import structlog

from ambicast.contract.topics import everything
from lab.judging.expectations import Happening
from lab.timeline.entries import Entry
from lab.timeline.messages import Differ

AGAIN_S: Final = 0.5
EVERY_S: Final = 1.0
log = structlog.get_logger()


async def listen_to_broker(
    connection: Callable[[], aiomqtt.Client],
    fleet: str,
    entries: list[Entry],
    hear: Callable[[str, bytes, int], None],
) -> None:
    """Append what messages say to `entries`, for ever; connects anew by itself.

    `hear` is given every message too: topic, payload, instant.
    """
    differ = Differ(fleet)
    while True:
        try:
            async with connection() as client:
                await client.subscribe(everything(fleet), qos=1)
                async for message in client.messages:
                    now_ns = time.time_ns()
                    entries += differ.entries(str(message.topic), message.payload, now_ns)
                    hear(str(message.topic), message.payload, now_ns)
        except aiomqtt.MqttError as fault:
            log.debug("broker is away", fault=str(fault))
            await asyncio.sleep(AGAIN_S)


class Decisions:
    """The controller's events, read again and again; each is kept once."""

    def __init__(self, api: str, since: float) -> None:
        """`since`: seconds since the epoch; what is older is left out.

        `faults` are the controller's own count of its faults, whenever that was another.
        """
        self._api = api
        self._since = since
        self._seen: set[tuple[float, str, str, str]] = set()
        self.entries: list[Entry] = []
        self.events: list[Happening] = []
        self.faults: list[tuple[int, int]] = []

    async def follow(self) -> None:
        """Read every second, for ever."""
        async with httpx.AsyncClient(base_url=self._api, timeout=1.0) as client:
            while True:
                await self.read(client)
                await asyncio.sleep(EVERY_S)

    async def read(self, client: httpx.AsyncClient) -> None:
        """Take in what is new; a controller that does not answer is no fault of the run."""
        try:
            answer = await client.get("/api/v1/events", params={"since": str(self._since)})
            found = answer.raise_for_status().json()
            answer = await client.get("/api/v1/status")
            self._count(int(answer.raise_for_status().json()["faults"]))
        except (httpx.HTTPError, ValueError, KeyError) as fault:
            log.debug("no events", fault=str(fault))
            return
        for event in found if isinstance(found, list) else found.get("events", []):
            self._take(float(event["at"]), event["kind"], event["text"], event.get("pop") or "")

    def _count(self, faults: int) -> None:
        if not self.faults or self.faults[-1][1] != faults:
            self.faults.append((time.time_ns(), faults))

    def _take(self, at: float, kind: str, text: str, pop: str) -> None:
        key = (at, kind, text, pop)
        if key in self._seen or at < self._since:
            return
        self._seen.add(key)
        t_ns = int(at * 1e9)
        self.events.append(Happening(t_ns, kind, text))
        self.entries.append(Entry(t_ns, "decision", pop or "controller", f"{kind}: {text}"))
