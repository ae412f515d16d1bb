"""The judge at work: asks, follows the routers' tables, and keeps one sample each 100 ms.

An answer that is late counts as the last one known for 300 ms, so that one lost packet is no
disagreement; after that it is "no answer", which is one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from lab.fibs import FibMonitor
from lab.judging.agreement import Sample
from lab.judging.asking import Asker, Heard
from lab.judging.health import answers
from lab.judging.steadiness import Change
from lab.judging.world import Answered, Verdict, World, judge
from lab.topology.attachments import hosts_of
from lab.topology.fleetfile import identity_addresses
from lab.topology.internet import Internet

EVERY_S: Final = 0.1
STALE_NS: Final = 300_000_000


class Judge:
    """Samples while `run` runs; `samples` and `changes` are what it saw."""

    def __init__(
        self, internet: Internet, networks: Mapping[str, Path], fibs: FibMonitor, name: str
    ) -> None:
        """`networks`: node -> network namespace; `name`: the service's."""
        self.samples: list[Sample] = []
        self.changes: list[Change] = []
        self.world = World()
        self._fibs = fibs
        self._hosts = {p.name: tuple(h.node for h in hosts_of(p)) for p in internet.pops}
        self._networks = {n: networks[n] for nodes in self._hosts.values() for n in nodes}
        self._owners = {
            address: pop.name for pop in internet.pops for address in pop.service_address.values()
        }
        self._nameservers = {
            pop.name: [
                a for by_family in identity_addresses(pop).values() for a in by_family.values()
            ]
            for pop in internet.pops
            if pop.nameserver
        }
        clients = {client: networks[client.name] for client in internet.clients}
        self._asker = Asker(clients, self._nameservers, name, self._heard_now)
        self._heard: dict[Answered, Heard] = {}
        self._verdicts: dict[Answered, Verdict] = {}
        self._answers: dict[Answered, str | None] = {}
        self._healthy: frozenset[str] = frozenset(self._networks)

    async def run(self) -> None:
        """Until cancelled."""
        self._asker.open()
        try:
            async with asyncio.TaskGroup() as tasks:
                for node, network in self._networks.items():
                    tasks.create_task(self._check(node, network), name=f"check[{node}]")
                tasks.create_task(self._sample(), name="sample")
        finally:
            self._asker.close()

    def _living(self) -> Sequence[str]:
        return self.world.living_nameservers(tuple(self._nameservers))

    async def _check(self, node: str, network: Path) -> None:
        while True:
            ok = await answers(network)
            self._healthy = self._healthy | {node} if ok else self._healthy - {node}
            await asyncio.sleep(EVERY_S)

    async def _sample(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            living = self._living()
            asked_ns = self._asker.ask(living)
            due += EVERY_S
            await asyncio.sleep(max(0.0, due - loop.time()))
            self.samples.append(self._taken(asked_ns, living))

    def _taken(self, asked_ns: int, living: Sequence[str]) -> Sample:
        """The verdicts of the round asked at `asked_ns`; the late ones are judged anew."""
        verdicts = {}
        for asked in self._asker.questions(living):
            if self.world.is_dead(asked.nameserver, "v4"):
                continue  # died during the round
            heard = self._heard.get(asked)
            if heard is not None and heard.asked_ns == asked_ns:
                verdicts[asked] = self._verdicts[asked]
            elif heard is not None and asked_ns - heard.asked_ns <= STALE_NS:
                verdicts[asked] = self._judge(asked, heard.address)
            else:
                verdicts[asked] = self._judge(asked, None)
                self._note(asked, None)
        return Sample(asked_ns, verdicts)

    def _heard_now(self, asked: Answered, heard: Heard) -> None:
        known = self._heard.get(asked)
        if known is not None and known.asked_ns >= heard.asked_ns:
            return  # the same answer by the other uplink, or an older one
        self._note(asked, heard.address)
        self._heard[asked] = heard
        self._verdicts[asked] = self._judge(asked, heard.address)

    def _note(self, asked: Answered, address: str | None) -> None:
        if asked not in self._answers or self._answers[asked] != address:
            self._answers[asked] = address
            self.changes.append(Change(time.time_ns(), asked, address))

    def _judge(self, asked: Answered, address: str | None) -> Verdict:
        end = None if address is None else self._fibs.walk(asked.client, address).end
        found: Verdict = judge(address, end, self._owners, self._healthy, self.world, self._hosts)
        return msgspec.structs.replace(found, end=end or "")
