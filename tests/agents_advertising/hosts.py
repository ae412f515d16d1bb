"""A PoP host to tell things to: ams-1 of a fleet of three PoPs with two services."""

from __future__ import annotations

from agents.advertising.allowance import Allowance
from agents.advertising.desire import Desired, desired
from agents.advertising.fitness import ServiceTable
from agents.advertising.observations import (
    BgpSeen,
    KernelSeen,
    OrderArrived,
    ServiceChecked,
    Tick,
    Told,
    Watched,
)
from agents.advertising.state import Facts, HostState, fold
from ambicast.contract.codec import Stamp
from ambicast.contract.messages import Order
from ambicast.model.fleet import Fleet, Limits, Timing
from ambicast.model.identifiers import Family, Role
from ambicast.model.pops import Place, Pop, Uplink
from ambicast.model.routes import Advertisement
from ambicast.model.services import Anycast, Service

OWN, OWN6 = "198.18.0.0/22", "2001:db8:1000::/46"
UPPER_HALF = "198.18.2.0/23"
ANYCAST, VIDEO = "198.19.254.0/23", "198.19.252.0/23"
COVER = "198.18.128.0/17"
WWW_HERE, VIDEO_HERE = "198.18.0.10", "198.18.0.11"
WWW_EVERYWHERE, VIDEO_EVERYWHERE = "198.19.254.1", "198.19.252.1"
WWW_FRA = "198.18.128.10"

ALLOW = (Allowance("198.18.0.0/15", 24), Allowance("2001:db8::/32", 48))


def uplink(place: int, name: str) -> Uplink:
    return Uplink(
        name=name,
        provider=name,
        interface=f"eth{place}",
        neighbor={Family.V4: f"10.{place}.1.1", Family.V6: f"fd00:{place}::1"},
        identity={Family.V4: f"10.{place}.1.2", Family.V6: f"fd00:{place}::2"},
        capacity=1e9,
        max_prefixes=20,
    )


def pop(name: str, *prefixes: str) -> Pop:
    uplinks = {each: uplink(place, each) for place, each in enumerate(("north", "south"), 1)}
    hosts = {f"{name}-1": (Role.BGP,)}
    return Pop(name, Place(name, "XX", 0.0, 0.0), 1e9, prefixes, hosts, uplinks)


AMS = pop("ams", OWN, OWN6)
SERVICES = {
    "www": Service(
        "www", ("www.cdn.example",), Anycast({Family.V4: WWW_EVERYWHERE}, (ANYCAST,)), 10, ()
    ),
    "video": Service(
        "video", ("v.cdn.example",), Anycast({Family.V4: VIDEO_EVERYWHERE}, (VIDEO,)), 11, ()
    ),
}
FLEET = Fleet(
    name="test",
    asn=64500,
    zone="cdn.example",
    timing=Timing(hold_addresses=3600.0),
    limits=Limits(),
    providers={},
    covering=(COVER,),
    pops={
        "ams": AMS,
        "fra": pop("fra", "198.18.128.0/22", "2001:db8:1800::/46"),
        "lhr": pop("lhr", "198.18.4.0/22", "2001:db8:1004::/46"),
    },
    services=SERVICES,
    nameservers={},
    clients={},
)
FACTS = Facts(FLEET, AMS, "ams-1", ALLOW, ServiceTable(FLEET), "instance", unix=1e9)
TERMINATE = tuple(
    sorted(
        address for address in FLEET.service_addresses() if not address.startswith("2001:db8:1800")
    )
)


def adverts(
    *prefixes: str, through: tuple[str, ...] = ("north", "south")
) -> tuple[Advertisement, ...]:
    return tuple(Advertisement(prefix, uplink) for prefix in prefixes for uplink in through)


def order(*prefixes: str, **fields: object) -> Order:
    """The prefixes through both uplinks, every service address terminated."""
    return Order(advertisements=adverts(*prefixes), **{"terminate": TERMINATE, **fields})


def stamp(generation: int, epoch: int = 1) -> Stamp:
    return Stamp(epoch, generation)


def watched(north: bool = True, south: bool = True, **fields: object) -> Watched:
    working = {
        "north": dict.fromkeys(Family, north),
        "south": dict.fromkeys(Family, south),
    }
    return Watched(seen=(), witnesses={}, working=working, **fields)


def told(pop: str, now: float, *fit: str, **fields: object) -> Told:
    """The word of another PoP's host, just heard."""
    fields = {"host": f"{pop}-1", "instance": "other", **fields}
    return Told(pop=pop, fit=frozenset(fit), heard=now, **fields)


class Host:
    """ams-1 with a clock; ``healthy`` gives one that was told everything and advertises."""

    def __init__(self) -> None:
        self.state, self.now = HostState(), 1000.0

    @classmethod
    def healthy(cls, *prefixes: str, **fields: object) -> Host:
        host = cls()
        host.attach()
        host.give(order(*prefixes, **fields), stamp(1))
        host.judge("www", fit=True)
        host.judge("video", fit=True)
        host.hear(*(told(pop, host.now, "www", "video") for pop in ("fra", "lhr")))
        host.obey()
        return host

    def tell(self, observation: object) -> Desired:
        self.state = fold(self.state, observation, FACTS, self.now)
        return self.desired

    @property
    def desired(self) -> Desired:
        return desired(self.state, FACTS, self.now)

    @property
    def prefixes(self) -> set[str]:
        """What is wanted on the wire."""
        return {each.prefix for each in self.desired.advertisements or ()}

    def wait(self, seconds: float) -> Desired:
        self.now += seconds
        return self.tell(Tick())

    def give(self, body: Order, by: Stamp) -> Desired:
        return self.tell(OrderArrived(by, body))

    def judge(self, service: str, *, fit: bool) -> Desired:
        return self.tell(ServiceChecked(service, fit, "as told"))

    def hear(self, *words: Told) -> Desired:
        """The watch has heard these words, and no others."""
        return self.tell(watched(told={each.host: each for each in words}))

    def attach(self, *advertised: Advertisement) -> Desired:
        known = frozenset(advertised)
        return self.tell(BgpSeen(attached=True, rib=known, wire=known))

    def look(
        self, *addresses: str, carrier: tuple[str, ...] = ("north", "south"), **fields
    ) -> Desired:
        """The kernel has these addresses."""
        there = {name: name in carrier for name in ("north", "south")}
        fields = {"default_uplink": dict.fromkeys(Family, "north"), **fields}
        return self.tell(KernelSeen(terminated=frozenset(addresses), carrier=there, **fields))

    def obey(self) -> None:
        """The kernel and ExaBGP do what is wanted, until nothing is left to do."""
        for _ in range(3):
            self.look(*(self.desired.addresses or ()), default_uplink=self.state.default_uplink)
            if self.desired.advertisements is not None:
                self.attach(*self.desired.advertisements)
