"""How one host of a PoP is: what its PoP is made of.

An agent's report stays what it was while the agent is silent (its responder says so, or nobody
says anything): a dead agent is no dead host. Three things overrule the report: a quorum that does
not see the host, the word of its responder that the dead man's switch has withdrawn it, and an
operator's brake on the host itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache

import msgspec

from ambicast.contract.messages import BrakeKind, Report, Said
from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import Family, HostName, PopName
from ambicast.model.prefixes import family
from controller.world.belief import World


class HostState(StrEnum):
    """``PASSING``: its checks pass; what it has on the wire is another question."""

    UNHEARD = "unheard"
    LOST = "lost"
    UNFIT = "unfit"
    PASSING = "passing"


class HostView(msgspec.Struct, frozen=True):
    """One host.

    Attributes:
        host: its name.
        state: in one word.
        why: the evidence, for people.
        bare: families whose own prefixes it has not sent through any uplink.
        resists: unfit by its checks, and still advertising: its agent has a reason to.
        doubted: its checks have begun to fail, as watchers heard it say, but not often enough.
        deaf: unfit, and its agent is silent: what it still advertises (a keeper's prefixes, which
            its dead man's switch spares) no order can take away.
    """

    host: HostName
    state: HostState
    why: str = ""
    bare: frozenset[Family] = frozenset()
    resists: bool = False
    doubted: bool = False
    deaf: bool = False


@lru_cache(maxsize=8192)
def _spoken(prefixes: tuple[str, ...], links: tuple[Family, ...]) -> tuple[Family, ...]:
    own = {family(prefix) for prefix in prefixes}
    return tuple(kind for kind in Family if kind in links and kind in own)


def spoken(fleet: Fleet, pop: PopName) -> tuple[Family, ...]:
    """The families that ``pop`` has prefixes and uplinks of, v4 first."""
    at = fleet.pops[pop]
    links = tuple(kind for link in at.uplinks.values() for kind in link.neighbor)
    return _spoken(at.prefixes, links)


def view_host(
    world: World,
    fleet: Fleet,
    pop: PopName,
    host: HostName,
    *,
    gone: frozenset[HostName],
    said: Sequence[Said],
) -> HostView:
    """The host as it is believed to be; ``gone`` and ``said`` as in ``liveness``."""
    belief = world.hosts.get(host)
    report = belief.report if belief else None
    if host in gone:
        return HostView(host, HostState.LOST, f"{host}: not seen by a quorum")
    if any(each.switched for each in said):
        why = f"{host}: the dead man's switch withdrew it"
        return HostView(host, HostState.UNFIT, why, deaf=True)
    if report is None or not (report.services or report.brake):
        return HostView(host, HostState.UNHEARD)
    if report.brake and report.brake.kind is BrakeKind.WITHDRAW:
        why = f"{host}: withdrawn on the host: {report.brake.reason}"
        return HostView(host, HostState.UNFIT, why)
    bare = _bare(report, fleet, pop)
    failing = [each for each in report.services if not each.fit]
    if failing:
        texts = [f"{host}: {each.service} {each.detail}".strip() for each in failing]
        return HostView(host, HostState.UNFIT, "; ".join(texts), bare, resists=not bare)
    doubted = any(each.voice and not set(fleet.services) <= set(each.fit) for each in said)
    return HostView(host, HostState.PASSING, "", bare, doubted=doubted)


def _bare(report: Report, fleet: Fleet, pop: PopName) -> frozenset[Family]:
    sent = {each.prefix for each in report.wire}
    missing = {family(prefix) for prefix in fleet.pops[pop].prefixes if prefix not in sent}
    return frozenset(kind for kind in spoken(fleet, pop) if kind in missing)
