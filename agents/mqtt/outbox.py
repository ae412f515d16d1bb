"""What waits for the broker: the latest state of each kind, and every receipt.

Reports and sightings are whole states, so only the newest of each is worth sending; receipts are
answers, so each is sent, in order, until the broker has confirmed it. Both are bounded: states by
their topics, receipts by ``MOST_RECEIPTS`` (the oldest go; the controller judges by reports).
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from itertools import count

import msgspec

MOST_RECEIPTS = 1000


class Letter(msgspec.Struct, frozen=True):
    """One message to the broker; ``number`` grows with every letter."""

    number: int
    topic: str
    payload: bytes
    retain: bool


class Outbox:
    """Letters not sent yet, and letters not confirmed yet."""

    def __init__(self) -> None:
        self._numbers = count()
        self._states: dict[str, Letter] = {}
        self._answers: OrderedDict[int, Letter] = OrderedDict()
        self._unsent: OrderedDict[int, Letter] = OrderedDict()
        self._wake = asyncio.Event()

    def put_state(self, topic: str, payload: bytes) -> None:
        """The newest state for ``topic``; replaces the one before it, sent or not."""
        before = self._states.get(topic)
        if before is not None:
            self._unsent.pop(before.number, None)
        letter = Letter(next(self._numbers), topic, payload, retain=True)
        self._states[topic] = letter
        self._offer(letter)

    def put_answer(self, topic: str, payload: bytes) -> None:
        """One more receipt."""
        letter = Letter(next(self._numbers), topic, payload, retain=False)
        self._answers[letter.number] = letter
        self._offer(letter)
        while len(self._answers) > MOST_RECEIPTS:
            number, _ = self._answers.popitem(last=False)
            self._unsent.pop(number, None)

    def _offer(self, letter: Letter) -> None:
        self._unsent[letter.number] = letter
        self._wake.set()

    async def take(self) -> tuple[Letter, ...]:
        """Every unsent letter, oldest first; waits until there is one."""
        while not self._unsent:
            self._wake.clear()
            await self._wake.wait()
        taken = tuple(self._unsent.values())
        self._unsent.clear()
        return taken

    def confirm(self, letter: Letter) -> None:
        """The broker has it; a state is kept for the next connection all the same."""
        self._answers.pop(letter.number, None)

    def again(self) -> None:
        """A new connection: all states, and every receipt that was not confirmed."""
        waiting = [*self._states.values(), *self._answers.values()]
        self._unsent = OrderedDict((each.number, each) for each in waiting)
        self._wake.set()
