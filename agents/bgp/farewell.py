"""A planned stop of ExaBGP under graceful restart: everything is withdrawn first.

With graceful restart, ExaBGP closes its sessions without a NOTIFICATION, also when it is told to
stop, and neighbors keep its routes for the restart time: traffic would go on coming to a host that
was stopped on purpose. So the service manager runs this before it stops ExaBGP: it takes the
bridge for itself, lets nobody attach any more (an agent would advertise all again), withdraws
everything on every session and waits until that was sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import structlog

from agents.advertising.observations import BgpSeen
from agents.bgp.session import Bgp
from ambicast.model.pops import Pop

WITHIN = 3.0
LOOK = 1.0  # what is on the wire is known only from echoes; a session that is down has none

log = structlog.get_logger()


async def say_farewell(bridge: Path, pop: Pop, asn: int, within: float = WITHIN) -> bool:
    """Whether everything was withdrawn; an ExaBGP that is not there, or stuck, says nothing."""
    if not bridge.exists():
        return False
    seen = _Seen()
    bgp = Bgp(bridge, pop, asn, seen.tell, last=True)
    async with asyncio.TaskGroup() as tasks:
        attached = tasks.create_task(bgp.run(), name="farewell")
        await seen.until(lambda now: now.rib == now.wire, LOOK)
        bgp.want(frozenset())
        done = await seen.until(lambda now: not now.rib | now.wire, within)
        attached.cancel()
    if not done:
        log.warning("not everything was withdrawn", within=within)
    return done


class _Seen:
    """What was told last."""

    def __init__(self) -> None:
        self._last = BgpSeen(attached=False)
        self._news = asyncio.Event()

    def tell(self, seen: BgpSeen) -> None:
        self._last = seen
        self._news.set()

    async def until(self, holds: Callable[[BgpSeen], bool], within: float) -> bool:
        """Whether it holds within so many seconds, while attached."""
        try:
            async with asyncio.timeout(within):
                while not (self._last.attached and holds(self._last)):
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return False
        return True
