"""Whether the controller is there, by the beats of its presence. Pure.

A retained presence may be hours old, so it proves nothing; a beat that arrives while we listen
does. A controller that was replaced may not know it yet: what it says under its older epoch is
not heard, and its last will says nothing about its successor.
"""

from __future__ import annotations

from agents.advertising.observations import ControllerSeen
from ambicast.contract.messages import ControllerPresence


class Beats:
    """What was heard over one connection after another."""

    def __init__(self) -> None:
        self._epoch = 0
        self._last: tuple[str, int] | None = None

    def connected(self) -> None:
        """A new connection: the broker's retained presence says who is there now."""
        self._epoch, self._last = 0, None

    def hear(
        self, epoch: int, presence: ControllerPresence, *, retained: bool
    ) -> ControllerSeen | None:
        """What ``presence`` under ``epoch`` teaches, or none where it is no news."""
        if not presence.online:
            of_another = self._last is not None and self._last[0] != presence.instance
            return None if of_another and not retained else ControllerSeen(online=False)
        if epoch < self._epoch:
            return None
        beat = (presence.instance, presence.beat)
        fresh = not retained and beat != self._last
        self._epoch, self._last = epoch, beat
        return ControllerSeen(online=True, epoch=epoch) if fresh else None
