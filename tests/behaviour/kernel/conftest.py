"""PoPs in network namespaces: each has two uplinks to one router that forwards everything."""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
from pathlib import Path

import pytest

from ambicast.model.fleet import Fleet, Limits, Timing
from ambicast.model.identifiers import Family, Role
from ambicast.model.pops import Place, Pop, Uplink
from ambicast.model.services import Anycast, Service

CLONE_NEWNET = 0x40000000
SELF = Path("/proc/thread-self/ns/net")
POPS = ("ams", "fra", "lhr")
UPLINKS = ("north", "south")

libc = ctypes.CDLL(None, use_errno=True)


def pytest_collection_modifyitems(items):
    for item in items:
        if os.geteuid() != 0 and item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.skip(reason="needs root: ./dev test"))


@contextlib.contextmanager
def inside(space):
    """This thread in the namespace ``space``: sockets opened here stay there."""
    with SELF.open() as home, Path(f"/run/netns/{space}").open() as there:
        _enter(there.fileno())
        try:
            yield
        finally:
            _enter(home.fileno())


def _enter(descriptor):
    if libc.setns(descriptor, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def run(*argv, text=None):
    subprocess.run(argv, input=text, text=True, check=True, capture_output=True)


class World:
    """Namespaces ``<prefix><pop>`` and a router; ``silence`` and ``speak`` are the faults."""

    def __init__(self, fleet, prefix):
        self.fleet = fleet
        self.prefix = prefix
        self.router = f"{prefix}router"

    def space(self, pop):
        return f"{self.prefix}{pop}"

    def inside(self, pop):
        return inside(self.space(pop))

    def ip(self, pop, command):
        run("ip", "-n", self.space(pop), *command.split())

    def silence(self, pop, interface=None):
        """Drop all that enters or leaves ``pop`` (on one interface); its carrier stays."""
        into = f'iifname "{interface}" drop;' if interface else 'iifname != "lo" drop;'
        out = f'oifname "{interface}" drop;' if interface else 'oifname != "lo" drop;'
        rules = (
            "table inet fault {\n"
            f"chain i {{ type filter hook input priority 0; {into} }}\n"
            f"chain o {{ type filter hook output priority 0; {out} }}\n}}\n"
        )
        with self.inside(pop):
            run("nft", "-f", "-", text=rules)

    def speak(self, pop):
        with self.inside(pop):
            run("nft", "delete", "table", "inet", "fault")

    def lose(self, pop, percent):
        """Lose that many percent of the packets that enter ``pop``."""
        rule = f'iifname != "lo" numgen random mod 100 < {percent} drop'
        with self.inside(pop):
            chain = f"chain i {{ type filter hook input priority 0; {rule}; }}"
            run("nft", "-f", "-", text=f"table inet fault {{ {chain} }}\n")

    def build(self):
        run("ip", "-batch", "-", text="".join(f"netns add {name}\n" for name in self.spaces()))
        for number, pop in enumerate(self.fleet.pops.values(), start=1):
            self._connect(pop, number)
        for key in ("net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"):
            run("ip", "netns", "exec", self.router, "sysctl", "-qw", f"{key}=1")

    def spaces(self):
        return (self.router, *(self.space(pop) for pop in self.fleet.pops))

    def _connect(self, pop, number):
        space = self.space(pop.name)
        here = ["link set lo up"]
        there = ["link set lo up"]
        for uplink in pop.uplinks.values():
            far = f"r{number}{uplink.interface}"
            run(
                *("ip", "link", "add", uplink.interface, "netns", space, "type", "veth"),
                *("peer", "name", far, "netns", self.router),
            )
            here.append(f"link set {uplink.interface} up")
            there.append(f"link set {far} up")
            for family, size in ((Family.V4, 30), (Family.V6, 64)):
                mine, other = uplink.identity[family], uplink.neighbor[family]
                here.append(f"addr add {mine}/{size} dev {uplink.interface} nodad")
                there.append(f"addr add {other}/{size} dev {far} nodad")
        for name, lines in ((space, here), (self.router, there)):
            text = "".join(f"{line}\n" for line in lines).replace("nodad\n", "nodad\n")
            text = "\n".join(
                line.removesuffix(" nodad") if "." in line and ":" not in line else line
                for line in text.splitlines()
            )
            run("ip", "-n", name, "-batch", "-", text=text)
        for uplink in pop.uplinks.values():
            self._steer_by_source(space, uplink)

    def _steer_by_source(self, space, uplink):
        """What agents.netlink does in a real PoP; here so that the watch is tested alone."""
        table = 100 + UPLINKS.index(uplink.name)
        for flag, family in (("-4", Family.V4), ("-6", Family.V6)):
            via = ("via", uplink.neighbor[family], "dev", uplink.interface)
            run("ip", "-n", space, flag, "route", "add", "default", *via, "table", str(table))
            run(
                *("ip", "-n", space, flag, "rule", "add", "from", uplink.identity[family]),
                *("lookup", str(table)),
            )
            if uplink.name == UPLINKS[0]:
                run("ip", "-n", space, flag, "route", "add", "default", *via, "metric", "100")


def make_uplink(number, place, name):
    """Uplink ``name`` of the PoP with this number."""
    net = f"10.{number}.{place + 1}"
    net6 = f"fd00:{number}:0:{place + 1}:"
    return Uplink(
        name=name,
        provider=name,
        interface=f"eth{place + 1}",
        neighbor={Family.V4: f"{net}.1", Family.V6: f"{net6}:1"},
        identity={Family.V4: f"{net}.2", Family.V6: f"{net6}:2"},
        capacity=1e9,
        max_prefixes=100,
    )


def make_pop(number, name):
    return Pop(
        name=name,
        place=Place(name, "XX", 0.0, 0.0),
        capacity=1e9,
        prefixes=(f"198.18.{4 * number}.0/22", f"2001:db8:{0x1000 + 4 * number:x}::/46"),
        hosts={f"{name}-1": (Role.BGP,)},
        uplinks={each: make_uplink(number, place, each) for place, each in enumerate(UPLINKS)},
    )


@pytest.fixture(scope="session")
def fleet():
    pops = {name: make_pop(number, name) for number, name in enumerate(POPS, start=1)}
    anycast = Anycast(
        {Family.V4: "198.19.254.1", Family.V6: "2001:db8:a::1"},
        ("198.19.254.0/23", "2001:db8:a::/47"),
    )
    return Fleet(
        name="test",
        asn=64500,
        zone="cdn.example",
        timing=Timing(),
        limits=Limits(),
        providers={},
        covering=(),
        pops=pops,
        services={"www": Service("www", ("www.cdn.example",), anycast, 10, ())},
        nameservers={},
        clients={},
    )


@pytest.fixture
def world(fleet):
    built = World(fleet, f"kernel{os.getpid()}-")
    try:
        built.build()
        yield built
    finally:
        for name in built.spaces():
            subprocess.run(("ip", "netns", "del", name), check=False, capture_output=True)
