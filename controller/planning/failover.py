"""The failover table: for every PoP, who takes over if it is lost, decided before it is (I13).

Every PoP with headroom advertises (three nearest alone put half the clients on one of them and
heal in 11 s at p99 under free-running MRAI; failover-simulation.md section 2), and the landing
load is predicted from where its client groups would go.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import GroupName, PopName
from controller.planning.assignment import assign


class Failover(msgspec.Struct, frozen=True):
    """What happens when one PoP is lost.

    ``advertisers`` take over its prefixes, nearest last to leave on return; ``answers`` is where
    its client groups are steered; ``overloaded`` names PoPs the landing load would overload.
    """

    advertisers: tuple[PopName, ...]
    answers: Mapping[GroupName, PopName]
    overloaded: tuple[PopName, ...]
    computed_at: float


def failover_table(
    fleet: Fleet, given: Mapping[PopName, float], now: float
) -> Mapping[PopName, Failover]:
    """One row per PoP that is given traffic now; ``given`` as for :func:`assign`."""
    table: dict[PopName, Failover] = {}
    for lost in given:
        survivors = {pop: share for pop, share in given.items() if pop != lost}
        after = assign(fleet, survivors)
        limit = fleet.limits.landing_load
        with_headroom = tuple(
            pop for pop in sorted(survivors) if after.load[pop] <= limit * fleet.pops[pop].capacity
        )
        table[lost] = Failover(
            # Nobody with headroom is no reason to leave the prefix dead: least bad is all.
            advertisers=with_headroom or tuple(sorted(survivors)),
            answers=after.pops,
            overloaded=after.overloaded,
            computed_at=now,
        )
    return table
