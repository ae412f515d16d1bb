"""What a host goes by that holds no order: what it advertises already, and nothing more.

An agent loses its order when it was set aside after crashes, when the disk lost it, or when it no
longer fits the allow-list. Keeping its hands off until the next one would leave a dead service on
the wire, and the dead man's switch without anything it may do. So what ExaBGP held at the first
look stands in for the order: an upper bound, of which the host gives up what is unfit, by the
rules of :mod:`keeping`, and to which it adds nothing (deeds, paths, addresses).

Who keeps what is in no RIB. Any prefix that others advertise too may be this host's to keep, so it
leaves one only once somebody else says that he keeps it, and promises nothing itself.
"""

from __future__ import annotations

from collections.abc import Collection

from ambicast.contract.messages import Order
from ambicast.model.pops import Pop
from ambicast.model.prefixes import contains
from ambicast.model.routes import Advertisement

REASON = "no order is held: what is on the wire stays, less what is unfit"


def stand_in(rib: Collection[Advertisement], pop: Pop) -> Order:
    """What ``rib`` is as an order, with ``pop`` the keeper of everything that is not its own."""
    shared = {
        each.prefix for each in rib if not any(contains(own, each.prefix) for own in pop.prefixes)
    }
    return Order(
        advertisements=tuple(sorted(rib)),
        terminate=(),
        keepers=dict.fromkeys(sorted(shared), str(pop.name)),
        reason=REASON,
    )
