"""A fleet of three PoPs in documentation space, built by hand."""

from __future__ import annotations

import msgspec

from ambicast.model.clients import ClientGroup
from ambicast.model.fleet import Fleet, Limits, Nameserver, Timing
from ambicast.model.identifiers import (
    Family,
    GroupName,
    HostName,
    NameserverName,
    PopName,
    ProviderName,
    Role,
    ServiceName,
    UplinkName,
)
from ambicast.model.pops import Place, Pop, Provider, Uplink
from ambicast.model.services import Anycast, Check, CheckKind, Service

PLACES = {
    "ams": Place("Amsterdam", "NL", 52.31, 4.76),
    "fra": Place("Frankfurt", "DE", 50.03, 8.56),
    "lhr": Place("London", "GB", 51.47, -0.45),
    "mad": Place("Madrid", "ES", 40.42, -3.70),
}
PREFIXES = {
    "ams": ("198.18.0.0/22", "2001:db8:1000::/46"),
    "lhr": ("198.18.4.0/22", "2001:db8:1004::/46"),
    "fra": ("198.18.128.0/22", "2001:db8:1800::/46"),
    "mad": ("198.18.132.0/22", "2001:db8:1804::/46"),
}
AMS, FRA, LHR, MAD = PopName("ams"), PopName("fra"), PopName("lhr"), PopName("mad")


def three_pops(**timing: float) -> Fleet:
    """ams, fra, lhr with two uplinks each, one service, nameservers at ams and fra."""
    return fleet_of(("ams", "fra", "lhr"), **timing)


def four_pops(**timing: float) -> Fleet:
    """The same and mad, so that a quorum of two is left after one death."""
    return fleet_of(tuple(PLACES), **timing)


def fleet_of(names: tuple[str, ...], **timing: float) -> Fleet:
    """A fleet of some of the PLACES."""
    pops = {PopName(name): _pop(name, number) for number, name in enumerate(names)}
    www = Service(
        ServiceName("www"),
        ("www.cdn.example",),
        Anycast(
            {Family.V4: "198.19.254.1", Family.V6: "2001:db8:a::1"},
            ("198.19.254.0/23", "2001:db8:a::/47"),
        ),
        10,
        (Check(CheckKind.HTTP, 80, "/healthz"),),
    )
    groups = {
        GroupName(f"c{index + 1}"): ClientGroup(
            GroupName(f"c{index + 1}"),
            (f"198.19.{index + 1}.0/24", f"2001:db8:c0{index + 1}::/48"),
            place.lat,
            place.lon,
        )
        for index, place in enumerate(PLACES[name] for name in names)
    }
    nameservers = {
        NameserverName(name): Nameserver(
            NameserverName(name), PopName(name), HostName(f"{name}-1"), (f"10.{index}.1.2",)
        )
        for index, name in enumerate(("ams", "fra"))
    }
    return Fleet(
        "test",
        64500,
        "cdn.example",
        Timing(**timing),
        Limits(),
        {ProviderName("north"): Provider(ProviderName("north"), 64601)},
        ("198.18.0.0/17", "198.18.128.0/17", "2001:db8:1000::/37", "2001:db8:1800::/37"),
        pops,
        {ServiceName("www"): www},
        nameservers,
        groups,
    )


def _pop(name: str, number: int) -> Pop:
    uplinks = {
        UplinkName(link): Uplink(
            UplinkName(link),
            ProviderName("north"),
            f"eth{index + 1}",
            {Family.V4: f"10.{number}.{index}.1", Family.V6: f"fd00:{number}:{index}::1"},
            {Family.V4: f"10.{number}.{index}.2", Family.V6: f"fd00:{number}:{index}::2"},
            100e9,
            100,
        )
        for index, link in enumerate(("north", "south"))
    }
    hosts = {HostName(f"{name}-1"): (Role.BGP, Role.DNS)}
    return Pop(PopName(name), PLACES[name], 400e9, PREFIXES[name], hosts, uplinks)


def many_pops(count: int, groups: int = 0, **timing: float) -> Fleet:
    """``count`` PoPs spread over a belt around the earth, each with a client group or more."""
    names = [PopName(f"p{number:03}") for number in range(count)]
    three = fleet_of(("ams", "fra", "lhr"), **timing)
    groups = groups or count
    return msgspec.structs.replace(
        three,
        pops={name: _one_of_many(name, number, count) for number, name in enumerate(names)},
        covering=("198.18.0.0/15", "2001:db8:1000::/36"),
        nameservers={
            NameserverName(name): Nameserver(
                NameserverName(name), name, HostName(f"{name}-1"), (f"10.{index}.1.2",)
            )
            for index, name in enumerate(names[:2])
        },
        clients={
            GroupName(f"c{number:04}"): ClientGroup(
                GroupName(f"c{number:04}"),
                (f"2001:db8:{0x8000 + number:x}::/48",),
                *_belt(number, groups),
            )
            for number in range(groups)
        },
    )


def _belt(number: int, count: int) -> tuple[float, float]:
    return 40.0 * ((number % 7) - 3) / 3, 360.0 * number / count - 180.0


def _one_of_many(name: PopName, number: int, count: int) -> Pop:
    at = number * 4
    prefixes = (f"{10 + at // 65536}.{at // 256 % 256}.{at % 256}.0/22", f"2001:db8:{at:x}::/46")
    if count <= 60:
        prefixes = (f"198.18.{at % 256}.0/22", f"2001:db8:{0x1000 + at:x}::/46")
    made = _pop("ams", number % 250)
    place = Place(str(name), "NL", *_belt(number, count))
    hosts = {HostName(f"{name}-1"): (Role.BGP, Role.DNS)}
    return msgspec.structs.replace(
        made, name=name, place=place, prefixes=prefixes, hosts=hosts, capacity=5.0
    )
