"""From the fleet file as written to the model: units resolved, names attached, defaults filled."""

from __future__ import annotations

from collections.abc import Mapping

from ambicast.files.raw import (
    RawAdjacency,
    RawCheck,
    RawFleet,
    RawLimits,
    RawPair,
    RawPop,
    RawService,
    RawTiming,
    RawUplink,
)
from ambicast.model.clients import ClientGroup
from ambicast.model.fleet import Fleet, Limits, LostAtOnce, Nameserver, Timing
from ambicast.model.identifiers import (
    Family,
    GroupName,
    HostName,
    NameserverName,
    PopName,
    ProviderName,
    ServiceName,
    UplinkName,
)
from ambicast.model.pops import Adjacency, Place, Pop, Provider, Uplink
from ambicast.model.quantities import duration, rate, share
from ambicast.model.services import Anycast, Check, Policy, Service


def build(raw: RawFleet, clients: Mapping[GroupName, ClientGroup]) -> Fleet:
    """The fleet that a file without faults describes."""
    pops = {PopName(name): _pop(PopName(name), pop) for name, pop in raw.pops.items()}
    return Fleet(
        name=raw.fleet,
        asn=raw.asn,
        zone=raw.dns.zone or _parent_of_first_name(raw),
        timing=timing(raw.timing),
        limits=limits(raw.limits),
        providers={
            ProviderName(name): Provider(ProviderName(name), each.asn, each.communities)
            for name, each in raw.providers.items()
        },
        covering=raw.covering,
        pops=pops,
        services={
            ServiceName(name): _service(ServiceName(name), each)
            for name, each in raw.services.items()
        },
        nameservers=_nameservers(raw, pops),
        clients=clients,
    )


def timing(raw: RawTiming) -> Timing:
    """Durations in seconds."""
    return Timing(
        ttl=duration(raw.ttl),
        tail=duration(raw.tail),
        watch_interval=duration(raw.watch_interval),
        watch_misses=raw.watch_misses,
        quorum=raw.quorum,
        stagger=duration(raw.stagger),
        settle_down=duration(raw.settle_down),
        shutdown_wait=duration(raw.shutdown_wait),
        hold_addresses=duration(raw.hold_addresses),
        deadman=duration(raw.deadman),
        lease=duration(raw.lease),
    )


def limits(raw: RawLimits) -> Limits:
    """Shares of one."""
    lost = raw.pops_lost_at_once
    return Limits(
        landing_load=share(raw.landing_load),
        change=share(raw.change),
        pops_lost_at_once=LostAtOnce(lost.count, share(lost.share)),
        anycast_halves_up_to=raw.anycast_halves_up_to,
    )


def _pop(name: PopName, raw: RawPop) -> Pop:
    place = raw.place
    return Pop(
        name=name,
        place=Place(place.city, place.country, place.lat, place.lon),
        capacity=rate(raw.capacity),
        prefixes=raw.prefixes,
        hosts={HostName(host): each.roles for host, each in raw.hosts.items()},
        uplinks={
            UplinkName(uplink): _uplink(UplinkName(uplink), each)
            for uplink, each in raw.uplinks.items()
        },
        min_hosts=raw.min_hosts,
        adjacencies={
            HostName(host): {
                UplinkName(uplink): _adjacency(adjacency, raw.uplinks[uplink])
                for uplink, adjacency in each.uplinks.items()
            }
            for host, each in raw.hosts.items()
            if each.uplinks
        },
    )


def _adjacency(raw: RawAdjacency, uplink: RawUplink) -> Adjacency:
    return Adjacency(
        interface=raw.interface or uplink.interface,
        neighbor=_pair(raw.neighbor or uplink.neighbor),
        identity=_pair(raw.identity),
    )


def _uplink(name: UplinkName, raw: RawUplink) -> Uplink:
    return Uplink(
        name=name,
        provider=ProviderName(raw.provider),
        interface=raw.interface,
        neighbor=_pair(raw.neighbor),
        identity=_pair(raw.identity),
        capacity=rate(raw.capacity),
        max_prefixes=raw.max_prefixes,
    )


def _pair(raw: RawPair) -> dict[Family, str]:
    both = {Family.V4: raw.v4, Family.V6: raw.v6}
    return {kind: text for kind, text in both.items() if text is not None}


def _service(name: ServiceName, raw: RawService) -> Service:
    return Service(
        name=name,
        names=raw.names,
        anycast=Anycast(
            _pair(RawPair(v4=raw.anycast.v4, v6=raw.anycast.v6)), raw.anycast.prefixes
        ),
        unicast_host=raw.unicast_host,
        checks=tuple(_check(each) for each in raw.checks),
        policy=Policy(raw.policy.strategy.value, raw.policy.min_pops),
    )


def _check(raw: RawCheck) -> Check:
    return Check(
        kind=raw.kind,
        port=raw.port,
        path=raw.path or "/",
        name=raw.name or "",
        interval=duration(raw.interval),
        fast_interval=duration(raw.fast_interval),
        timeout=duration(raw.timeout),
        rise=raw.rise,
        fall=raw.fall,
    )


def _nameservers(raw: RawFleet, pops: Mapping[PopName, Pop]) -> dict[NameserverName, Nameserver]:
    found = {}
    for name, each in raw.nameservers.items():
        pop = next(pop for pop in pops.values() if each.host in pop.hosts)
        found[NameserverName(name)] = Nameserver(
            name=NameserverName(name),
            pop=pop.name,
            host=HostName(each.host),
            addresses=each.addresses or _identities(pop.at(HostName(each.host))),
        )
    return found


def _identities(pop: Pop) -> tuple[str, ...]:
    return tuple(text for uplink in pop.uplinks.values() for text in uplink.identity.values())


def _parent_of_first_name(raw: RawFleet) -> str:
    first = next(iter(raw.services.values())).names[0]
    return first.partition(".")[2]
