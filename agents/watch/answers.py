"""What the responder answers: the agent's last word, or what can be said without the agent.

Three things come in by the responder's unix socket, each a datagram of its own:

* from the agent: its word, as msgpack (:mod:`agents.watch.words`), whenever it changes and at
  least every 0.5 s. An agent that was not heard for ``PATIENCE`` seconds has lost its *voice*: its
  word goes on being said, but for what it saw, which is no longer so;
* from the bridge beside ExaBGP: the ASCII text ``switched`` when the dead man's switch has
  withdrawn what a failed service was behind, and ``unswitched`` when that is over. While it is
  so, the word names no services and no prefixes. An agent that speaks again knows better, and
  its word ends it too.

Anything else is refused and changes nothing. Nothing here reads a clock.
"""

from __future__ import annotations

from msgspec.structs import replace

from agents.watch.datagrams import Fault
from agents.watch.words import Word, read_word, say

PATIENCE = 2.0
SWITCHED = b"switched"
UNSWITCHED = b"unswitched"


class Answers:
    """The body of every reply; all instants are seconds of one clock that outlives restarts."""

    def __init__(self, pop: str, host: str) -> None:
        self._word = Word(pop, host, "")
        self._heard: float | None = None
        self._switched = False
        self._serial = 0
        self._said: Word | None = None
        self._body = b""
        self._until = float("-inf")

    def hear(self, datagram: bytes, now: float) -> Fault | None:
        """Something came by the unix socket; what is wrong with it, if anything."""
        match datagram.strip():
            case b"switched" | b"unswitched" as note:
                self._switched = note == SWITCHED
            case _:
                word = read_word(datagram)
                if isinstance(word, Fault):
                    return word
                self._word, self._heard, self._switched = word, now, False
        self._renew(now)
        return None

    def body(self, now: float) -> bytes:
        """What to answer now."""
        if now >= self._until:
            self._renew(now)
        return self._body

    def voice(self, now: float) -> bool:
        """Whether the agent was heard lately."""
        return self._heard is not None and now - self._heard <= PATIENCE

    def _renew(self, now: float) -> None:
        """Say what is so now; a serial of its own to whatever differs from what was said before.

        Serials follow the clock, so that a responder that was restarted does not seem to repeat
        old words.
        """
        voice = self.voice(now)
        self._until = self._heard + PATIENCE if voice and self._heard is not None else _FOREVER
        word = replace(self._word, voice=True, switched=False) if voice else self._unvoiced()
        if word != self._said:
            self._said = word
            self._serial = max(self._serial + 1, int(now * 1000))
            self._body = say(replace(word, serial=self._serial))

    def _unvoiced(self) -> Word:
        word = replace(self._word, seen={}, beside={}, voice=False, switched=self._switched)
        return replace(word, fit=(), offers=(), keeps=()) if self._switched else word


_FOREVER = float("inf")
