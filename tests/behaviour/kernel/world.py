"""PoPs in network namespaces: each has two uplinks to one router that forwards everything."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import subprocess
from pathlib import Path

from ambicast.model.identifiers import Family

CLONE_NEWNET = 0x40000000
SIZES = ((Family.V4, "-4", 30), (Family.V6, "-6", 64))

libc = ctypes.CDLL(None, use_errno=True)


@contextlib.contextmanager
def inside(space):
    """This thread in the namespace ``space``: sockets opened here stay there."""
    with (
        Path("/proc/thread-self/ns/net").open() as home,
        Path(f"/run/netns/{space}").open() as new,
    ):
        _enter(new.fileno())
        try:
            yield
        finally:
            _enter(home.fileno())


def _enter(descriptor):
    if libc.setns(descriptor, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def run(*argv, text=None):
    done = subprocess.run(argv, input=text, text=True, check=False, capture_output=True)
    assert done.returncode == 0, (argv, text, done.stderr)
    return done.stdout


class Told:
    """What an adapter told, and a way to wait until it tells something."""

    def __init__(self):
        self.all = []
        self._more = asyncio.Event()

    def __call__(self, observation):
        self.all.append((asyncio.get_running_loop().time(), observation))
        self._more.set()

    @property
    def last(self):
        return self.all[-1][1]

    async def until(self, holds, within=5.0):
        """The instant of the first observation from now on, or of the last one, that ``holds``."""
        at = max(len(self.all) - 1, 0)
        async with asyncio.timeout(within):
            while True:
                for when, each in self.all[at:]:
                    if holds(each):
                        return when
                at = len(self.all)
                self._more.clear()
                await self._more.wait()


class World:
    """Namespaces ``<prefix><pop>`` and a router; ``silence``, ``lose`` and ``heal`` are faults."""

    def __init__(self, fleet, prefix):
        self.fleet = fleet
        self.prefix = prefix
        self.router = f"{prefix}router"

    def space(self, pop):
        return f"{self.prefix}{pop}"

    def inside(self, pop):
        return inside(self.space(pop))

    def ip(self, pop, command):
        return run("ip", "-n", self.space(pop), *command.split())

    def silence(self, pop, interface=None):
        """Drop all that enters or leaves ``pop`` (on one interface); its carrier stays."""
        which = f'== "{interface}"' if interface else '!= "lo"'
        self._rules(pop, f"iifname {which} drop", f"oifname {which} drop")

    def lose(self, pop, percent):
        """Lose that many percent of the packets in each direction."""
        dice = f"numgen random mod 100 < {percent} drop"
        self._rules(pop, f'iifname != "lo" {dice}', f'oifname != "lo" {dice}')

    def heal(self, pop):
        with self.inside(pop):
            run("nft", "delete", "table", "inet", "fault")

    def _rules(self, pop, into, out):
        text = (
            "table inet fault {\n"
            f"chain i {{ type filter hook input priority 0; {into}; }}\n"
            f"chain o {{ type filter hook output priority 0; {out}; }}\n}}\n"
        )
        with self.inside(pop):
            run("nft", "-f", "-", text=text)

    def build(self):
        """Namespaces, links and addresses."""
        run("ip", "-batch", "-", text="".join(f"netns add {name}\n" for name in self.spaces()))
        for number, pop in enumerate(self.fleet.pops.values(), start=1):
            self._connect(pop, number)
        for key in ("net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"):
            run("ip", "netns", "exec", self.router, "sysctl", "-qw", f"{key}=1")

    def spaces(self):
        return (self.router, *(self.space(pop) for pop in self.fleet.pops))

    def remove(self):
        for name in self.spaces():
            subprocess.run(("ip", "netns", "del", name), check=False, capture_output=True)

    def _connect(self, pop, number):
        here, there = ["link set lo up"], ["link set lo up"]
        for uplink in pop.uplinks.values():
            near, far = uplink.interface, f"r{number}{uplink.interface}"
            run(
                *("ip", "link", "add", near, "netns", self.space(pop.name), "type", "veth"),
                *("peer", "name", far, "netns", self.router),
            )
            here.append(f"link set {near} up")
            there.append(f"link set {far} up")
            for family, _, size in SIZES:
                extra = "nodad" if family is Family.V6 else ""
                here.append(f"addr add {uplink.identity[family]}/{size} dev {near} {extra}")
                there.append(f"addr add {uplink.neighbor[family]}/{size} dev {far} {extra}")
        run("ip", "-n", self.space(pop.name), "-batch", "-", text="\n".join(here))
        run("ip", "-n", self.router, "-batch", "-", text="\n".join(there))

    def lead(self, prefix, pop, uplink="north"):
        """The router sends ``prefix`` to ``pop``."""
        family = Family.V6 if ":" in prefix else Family.V4
        via = self.fleet.pops[pop].uplinks[uplink].identity[family]
        run("ip", "-n", self.router, "route", "replace", prefix, "via", via)

    def steer_by_source(self):
        """What agents.netlink does in a PoP, so that the watch can be tested alone."""
        for pop in self.fleet.pops.values():
            for place, (_, uplink) in enumerate(sorted(pop.uplinks.items())):
                self._steer(self.space(pop.name), uplink, place)

    def _steer(self, space, uplink, place):
        for family, flag, _ in SIZES:
            ip = ("ip", "-n", space, flag)
            via = ("default", "via", uplink.neighbor[family], "dev", uplink.interface)
            table = str(100 + place)
            run(*ip, "route", "add", *via, "table", table)
            run(*ip, "route", "add", *via, "metric", table)
            run(*ip, "rule", "add", "from", uplink.identity[family], "lookup", table)
