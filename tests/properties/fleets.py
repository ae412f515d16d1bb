"""Fleets in which nothing is wrong, of every size and in every state that the promises allow."""

from __future__ import annotations

import msgspec
from hypothesis import strategies as st

from ambicast.invariants import PopState, Snapshot, Stamp, Uplink
from ambicast.model.identifiers import Family
from ambicast.model.prefixes import host, split

NAMES = ("ams", "fra", "lhr", "iad", "sin")
ANYCAST = {"198.19.254.0/23": "198.19.254.1", "2001:db8:a::/47": "2001:db8:a::1"}
COVERS = frozenset({"198.18.0.0/16", "2001:db8:1000::/36"})


def own(name: str) -> tuple[str, str]:
    """The prefixes of a PoP."""
    at = 4 * NAMES.index(name)
    return f"198.18.{at}.0/22", f"2001:db8:{0x1000 + at:x}::/46"


def address(prefix: str) -> str:
    """The service address in a PoP's own prefix."""
    return host(prefix, 10)


def halves(name: str) -> frozenset[str]:
    return frozenset(half for prefix in own(name) for half in split(prefix, 1))


def every_address(names) -> frozenset[str]:
    return frozenset({*ANYCAST.values(), *(address(p) for name in names for p in own(name))})


@st.composite
def healthy(draw, least=2) -> Snapshot:
    """A fleet that serves: whoever is advertised is there; some PoPs keep latched halves."""
    names = NAMES[: draw(st.integers(least, len(NAMES)))]
    latched = draw(st.sets(st.sampled_from(names)))
    addresses = every_address(names)
    allowed = {*ANYCAST, *COVERS}
    for name in names:
        allowed |= {*own(name), *halves(name)}
    pops = {}
    for name in names:
        sent = frozenset({*ANYCAST, *COVERS, *own(name)})
        sent |= halves(name) if name in latched else frozenset()
        uplinks = {"north": Uplink(advertised=sent)}
        if draw(st.booleans()):
            uplinks["south"] = Uplink(advertised=sent - COVERS)
        pops[name] = PopState(
            fit=frozenset({"www"}),
            terminated=addresses,
            uplinks=uplinks,
            allowed=frozenset(allowed),
            authorised=draw(st.sampled_from([None, frozenset(allowed)])),
        )
    fleet = Snapshot(
        pops=pops,
        services={"www": addresses},
        covering=COVERS,
        held=frozenset(draw(st.sets(st.sampled_from(sorted(addresses))))),
        stamps={f"{name}-1": draw(stamps()) for name in names},
    )
    answers = st.lists(st.sampled_from(sorted(addresses)), min_size=1, max_size=2, unique=True)
    groups = st.dictionaries(st.sampled_from(["nl", "de", "default"]), answers.map(tuple))
    given = {ns: {"www": draw(groups)} for ns in ("ams", "fra")}
    return observed(msgspec.structs.replace(fleet, answers=given))


def stamps():
    return st.builds(Stamp, st.integers(0, 3), st.integers(0, 3))


def observed(fleet: Snapshot) -> Snapshot:
    """The same fleet, every advertisement of living PoPs seen."""
    seen: dict[str, set[str]] = {}
    for name, pop in fleet.pops.items():
        for prefix in pop.advertised if pop.alive else ():
            seen.setdefault(prefix, set()).add(name)
    return msgspec.structs.replace(fleet, observed={k: frozenset(v) for k, v in seen.items()})


def with_pop(fleet: Snapshot, name: str, **changes) -> Snapshot:
    """The same fleet with one PoP changed."""
    pop = msgspec.structs.replace(fleet.pops[name], **changes)
    return msgspec.structs.replace(fleet, pops={**fleet.pops, name: pop})


def with_sent(fleet: Snapshot, name: str, *, add=frozenset(), drop=frozenset()) -> Snapshot:
    """The same fleet, one PoP advertising more or less through every uplink."""
    uplinks = {
        uplink: msgspec.structs.replace(state, advertised=(state.advertised | add) - drop)
        for uplink, state in fleet.pops[name].uplinks.items()
    }
    return with_pop(fleet, name, uplinks=uplinks)


def with_uplink(fleet: Snapshot, name: str, uplink: str, **changes) -> Snapshot:
    """The same fleet with one uplink changed."""
    pop = fleet.pops[name]
    state = msgspec.structs.replace(pop.uplinks[uplink], **changes)
    return with_pop(fleet, name, uplinks={**pop.uplinks, uplink: state})


def with_answer(fleet: Snapshot, given: str, nameserver="ams", group="nl") -> Snapshot:
    """The same fleet, one nameserver giving one group one address."""
    groups = {**fleet.answers[nameserver]["www"], group: (given,)}
    answers = {**fleet.answers, nameserver: {"www": groups}}
    return msgspec.structs.replace(fleet, answers=answers)


def without_families(kind: Family) -> frozenset[Family]:
    return frozenset(Family) - {kind}
