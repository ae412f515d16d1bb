"""A host that lost its order is sent it once more, under a new stamp.

An agent sets its order aside when it has crashed with it again and again: from then on it refuses
that stamp, says in its reports that it holds none, and goes by what is on the wire. Often the
order was not to blame. A controller whose orders do not change would never say anything again, so
it sends the same once more: at once where the host has refused it, and after a moment where the
host has answered nothing (an order topic that somebody emptied).

Once in an *episode*: an order that does crash its host must not be sent for ever. It ends when the
host has held an order again, and some minutes have passed.
"""

from __future__ import annotations

import msgspec

from ambicast.contract.codec import Stamp
from ambicast.model.identifiers import HostName
from controller.choreography.look import Look
from controller.choreography.run import Command, Happened, Orderless, Run
from controller.world.belief import HostBelief
from controller.world.condition import Condition

# Seconds; an order is answered within one, and reports are repeated every few.
PATIENCE = 5.0
EPISODE = 600.0
# No checksum is negative: what is remembered so differs from whatever is desired.
_UNSENT = -1


def reissued(run: Run, look: Look, commands: list[Command]) -> Run:
    """The run in which the orders of hosts that hold none are to be sent again."""
    known = dict(run.orderless)
    mine = {host: sent.stamp for host, sent in run.orders.items() if sent.stamp.epoch == run.epoch}
    due = [host for host, stamp in mine.items() if _is_due(host, stamp, known, look)]
    if known == run.orderless and not due:
        return run
    orders = dict(run.orders)
    for host in due:
        orders[host] = msgspec.structs.replace(orders[host], digest=_UNSENT)
        known[host] = msgspec.structs.replace(known[host], sent_at=look.now)
        text = f"{host} holds no order: sent again"
        commands.append(Happened(look.now, "order.again", look.fleet.pop_of(host).name, text))
    return msgspec.structs.replace(run, orders=orders, orderless=known)


def _is_due(host: HostName, stamp: Stamp, known: dict[HostName, Orderless], look: Look) -> bool:
    """Whether it is to be sent now; notes in ``known`` since when the host holds none."""
    belief = look.world.hosts.get(host)
    if belief is None or belief.report is None:
        return False
    found = known.get(host)
    if belief.report.order_epoch or belief.report.order_generation:
        if found is not None and (found.sent_at is None or look.now - found.sent_at >= EPISODE):
            del known[host]
        return False
    found = known.setdefault(host, Orderless(look.now))
    if found.sent_at is not None:
        return False
    wanted = belief.refused == stamp or _insists(belief, found, look.now)
    return wanted and not _is_silent(host, look)


def _insists(belief: HostBelief, found: Orderless, now: float) -> bool:
    """Whether it has said so for some time, and not only in its last words."""
    return now - found.since >= PATIENCE and belief.reported_at > found.since


def _is_silent(host: HostName, look: Look) -> bool:
    pop = look.fleet.pop_of(host).name
    lost = host in look.conditions[pop].lost
    return lost or look.condition(pop) in {Condition.SILENT, Condition.UNKNOWN}
