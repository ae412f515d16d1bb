"""What waits for the broker: of every topic the newest; each carries the whole desired set.

A broker that comes back may have been restarted empty, so a new connection says everything again:
at 500 PoPs some 50 MB. Three rules keep that from standing in the way, or from never ending:

- The urgent topic goes first, then what was never confirmed, then what is only said again.
- Little is under way at a time (``WINDOW``), so that the time a message has to be confirmed in
  is its own, and not that of everything before it.
- What was confirmed longest ago is said again first: also on a line that breaks all the time
  every message gets its turn.
"""

from __future__ import annotations

import asyncio

# As many as client and Mosquitto have under way at once: more would only wait in the client, with
# their time to be confirmed running. So an emergency pays no round trip for it.
WINDOW = 20


class Outbox:
    """Payloads by topic: never confirmed, under way, to be said again; and what was confirmed."""

    def __init__(self, urgent: str) -> None:
        """``urgent`` is the topic that goes before all others."""
        self._urgent = urgent
        self._new: dict[str, bytes] = {}
        self._underway: dict[str, bytes] = {}
        self._again: dict[str, bytes] = {}
        self._confirmed: dict[str, bytes] = {}
        self._wake = asyncio.Event()

    def put(self, topic: str, payload: bytes) -> None:
        """The newest for ``topic``; replaces one that waits."""
        self._again.pop(topic, None)
        self._new[topic] = payload
        self._wake.set()

    def repeat(self, topic: str) -> None:
        """Says once more what was last confirmed on ``topic``, if nothing is on its way anyway."""
        if topic in self._confirmed and topic not in self._new and topic not in self._underway:
            self.put(topic, self._confirmed[topic])

    def again(self) -> None:
        """A new connection: everything, for what was sent may be gone with the broker's memory."""
        self._new = {**self._underway, **self._new}
        self._underway = {}
        self._again = {at: each for at, each in self._confirmed.items() if at not in self._new}
        self._wake.set()

    async def take(self) -> tuple[str, bytes]:
        """The topic and payload to send next; waits until there is one."""
        while not (self._new or self._again):
            self._wake.clear()
            await self._wake.wait()
        waiting = self._new or self._again
        topic = self._urgent if self._urgent in waiting else next(iter(waiting))
        self._underway[topic] = waiting.pop(topic)
        return topic, self._underway[topic]

    def confirm(self, topic: str, payload: bytes) -> None:
        """The broker has it: its turn comes last when everything is said again."""
        if self._underway.get(topic) == payload:
            del self._underway[topic]
            self._confirmed.pop(topic, None)
            self._confirmed[topic] = payload
