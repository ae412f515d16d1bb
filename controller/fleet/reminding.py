"""Whether a host must be sent its order again, because something else lay on its order topic.

The order topic is retained: whatever somebody else puts there meets the host at each connect, for
ever, for a controller whose order has not changed says nothing. The host's own answers tell: one
that bears another stamp than our last order (one it cannot read is answered with stamp 0.0) says
that ours is not what lies there. Two kinds do not:

- the acceptance of an order of ours from before the last: it was on its way;
- the refusal of our own order, also by a host that crashed with it again and again.

Once a minute per host, so that two who both insist do not make a storm; what is due earlier waits.
"""

from __future__ import annotations

import math

from ambicast.contract.codec import Stamp
from ambicast.contract.messages import Outcome

AGAIN_AFTER = 60.0


class Reminders:
    """Our last order on every order topic, and on which of them it has to be said again."""

    def __init__(self) -> None:
        self._ours: dict[str, Stamp] = {}
        self._owed: set[str] = set()
        self._reminded: dict[str, float] = {}

    def sent(self, topic: str, stamp: Stamp) -> None:
        """We put an order on ``topic``: whatever lay there is gone."""
        self._ours[topic] = stamp
        self._owed.discard(topic)

    def answered(self, topic: str, stamp: Stamp, outcome: Outcome) -> None:
        """The host answered what lay on its order topic, which bore ``stamp``."""
        ours = self._ours.get(topic)
        if ours is None:
            return
        late = outcome is Outcome.ACCEPTED and stamp.epoch == ours.epoch and stamp < ours
        if stamp == ours:
            self._owed.discard(topic)
        elif not late:
            self._owed.add(topic)

    def due(self, now: float) -> list[str]:
        """The topics to say our last order on at once; each is given once."""
        due = sorted(
            topic
            for topic in self._owed
            if now - self._reminded.get(topic, -math.inf) >= AGAIN_AFTER
        )
        self._owed.difference_update(due)
        self._reminded.update(dict.fromkeys(due, now))
        return due
