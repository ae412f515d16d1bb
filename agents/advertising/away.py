"""Whether the controller is away: changes nothing by itself, and arms the contingencies (I8).

It is away when its last will was heard, when the broker has not been reachable for a moment (no
order could come through), or when no new beat came for the order's lease. An agent that has only
just begun has heard nothing of anybody yet: it gives the controller a whole lease, because every
agent starts without a broker.
"""

from __future__ import annotations

import msgspec

from agents.advertising.observations import BusChanged, ControllerSeen, Observation

# A broker that is reached again so soon was never away.
BROKER_PATIENCE = 0.3
NEVER = float("inf")


class Contact(msgspec.Struct, frozen=True):
    """What was heard of broker and controller; instants, none while there is none.

    Attributes:
        began: the first observation of this run.
        beat: the controller's last sign of life in this run.
        offline: its last will was heard after that.
        lost: since when the broker is not connected.
    """

    began: float | None = None
    beat: float | None = None
    offline: bool = False
    lost: float | None = None

    def away_at(self, lease: float) -> float:
        """When the controller is, or will be, away if nothing more is heard."""
        if self.began is None:
            return NEVER
        if self.beat is None:
            return self.began + lease
        if self.offline:
            return self.beat
        silent = self.beat + lease
        return silent if self.lost is None else min(silent, self.lost + BROKER_PATIENCE)

    def away(self, lease: float, now: float) -> bool:
        """Whether no order can be expected ``now``; ``lease`` in seconds."""
        return now >= self.away_at(lease)


def ordered(contact: Contact, now: float) -> Contact:
    """What is known after a new order was accepted: somebody is there who gives them.

    One that was read from disk at the start came over no broker, and says nothing.
    """
    return contact if contact.lost is not None else msgspec.structs.replace(contact, beat=now)


def heard(contact: Contact, observation: Observation, now: float) -> Contact:
    """What is known after ``observation``."""
    replace = msgspec.structs.replace
    if contact.began is None:
        contact = replace(contact, began=now, lost=now)
    match observation:
        case ControllerSeen(online=True):
            return replace(contact, beat=now, offline=False)
        case ControllerSeen(online=False):
            return replace(contact, offline=True)
        case BusChanged(connected=True):
            return replace(contact, lost=None)
        case BusChanged(connected=False) if contact.lost is None:
            return replace(contact, lost=now)
        case _:
            return contact
