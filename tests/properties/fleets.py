"""Fleets in which nothing is wrong, of every size and in every state that the promises allow."""

from __future__ import annotations

from functools import cache

import msgspec
from hypothesis import strategies as st

from ambicast.invariants import PopState, Snapshot, Stamp, Uplink
from ambicast.model.identifiers import Family
from ambicast.model.prefixes import host, split

NAMES = ("ams", "fra", "lhr", "iad", "sin")
ANYCAST = {"198.19.254.0/23": "198.19.254.1", "2001:db8:a::/47": "2001:db8:a::1"}
COVERS = frozenset({"198.18.0.0/16", "2001:db8:1000::/36"})


@cache
def own(name: str) -> tuple[str, str]:
    """The prefixes of a PoP."""
    at = 4 * NAMES.index(name)
    return f"198.18.{at}.0/22", f"2001:db8:{0x1000 + at:x}::/46"


@cache
def address(prefix: str) -> str:
    """The service address in a PoP's own prefix."""
    return host(prefix, 10)


@cache
def halves(name: str) -> frozenset[str]:
    return frozenset(half for prefix in own(name) for half in split(prefix, 1))


@cache
def every_address(names) -> frozenset[str]:
    return frozenset({*ANYCAST.values(), *(address(p) for name in names for p in own(name))})


def healthy(least=2):
    """A fleet that serves: whoever is advertised is there; some PoPs keep latched halves."""
    return st.sampled_from([NAMES[:n] for n in range(least, len(NAMES) + 1)]).flatmap(_serving)


@cache
def _serving(names):
    addresses = sorted(every_address(names))
    answers = st.lists(st.sampled_from(addresses), min_size=1, max_size=2, unique=True)
    groups = st.dictionaries(st.sampled_from(["nl", "de", "default"]), answers.map(tuple))
    return st.builds(
        _fleet,
        st.just(names),
        latched=st.frozensets(st.sampled_from(names)),
        with_south=st.frozensets(st.sampled_from(names)),
        with_roas=st.frozensets(st.sampled_from(names)),
        held=st.frozensets(st.sampled_from(addresses), max_size=4),
        stamped=st.lists(stamps(), min_size=len(names), max_size=len(names)),
        given=st.tuples(groups, groups),
    )


def _fleet(names, *, latched, with_south, with_roas, held, stamped, given):
    addresses = every_address(names)
    allowed = frozenset({*ANYCAST, *COVERS}).union(*(halves(n) | set(own(n)) for n in names))
    pops = {}
    for name in names:
        sent = frozenset({*ANYCAST, *COVERS, *own(name)})
        sent |= halves(name) if name in latched else frozenset()
        uplinks = {"north": Uplink(advertised=sent)}
        if name in with_south:
            uplinks["south"] = Uplink(advertised=sent - COVERS)
        pops[name] = PopState(
            fit=frozenset({"www"}),
            terminated=addresses,
            uplinks=uplinks,
            allowed=allowed,
            authorised=allowed if name in with_roas else None,
        )
    return observed(
        Snapshot(
            pops=pops,
            services={"www": addresses},
            covering=COVERS,
            held=held,
            stamps={f"{name}-1": stamp for name, stamp in zip(names, stamped, strict=True)},
            answers={
                nameserver: {"www": groups}
                for nameserver, groups in zip(("ams", "fra"), given, strict=True)
            },
        )
    )


@cache
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
