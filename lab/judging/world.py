"""What the runner did to the lab so far: who can be living, and which nameservers can be asked.

The judge uses this and its own measurements only; it asks nothing of the programs under test.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from lab.scenarios.shapes import Step


class World(msgspec.Struct, frozen=True):
    """Faults that stand now.

    Attributes:
        dead: nodes that were silenced or powered off.
        mute: nodes whose nameserver was stopped.
        half: (node, family) of nodes that were silenced in that family only.
    """

    dead: frozenset[str] = frozenset()
    mute: frozenset[str] = frozenset()
    half: frozenset[tuple[str, str]] = frozenset()

    def after(self, step: Step) -> World:
        """The world once `step` is taken."""
        nodes = frozenset(step.arguments.get("node", "").split(","))
        family = step.arguments.get("family")
        named = step.arguments.get("process") == "nameserver"
        if step.action == "silence" and family is not None:
            half = self.half | {(node, family) for node in nodes}
            return msgspec.structs.replace(self, half=half)
        if step.action in ("silence", "poweroff"):
            return msgspec.structs.replace(self, dead=self.dead | nodes)
        if step.action in ("restore", "unsilence"):
            half = frozenset(each for each in self.half if each[0] not in nodes)
            return msgspec.structs.replace(self, dead=self.dead - nodes, half=half)
        if step.action == "dns-stop" or (step.action == "pause" and named):
            return msgspec.structs.replace(self, mute=self.mute | nodes)
        if step.action == "dns-start" or (step.action in ("restart", "resume") and named):
            return msgspec.structs.replace(self, mute=self.mute - nodes)
        return self

    def is_dead(self, node: str, family: str) -> bool:
        """Whether a node hears and says nothing in this family."""
        return node in self.dead or (node, family) in self.half

    def living_nameservers(self, nameservers: tuple[str, ...]) -> tuple[str, ...]:
        """Those that can be expected to answer; a nameserver is named after its PoP's first node.

        They are asked by IPv4.
        """
        return tuple(n for n in nameservers if not self.is_dead(n, "v4") and n not in self.mute)


class Answered(msgspec.Struct, frozen=True):
    """Which client network and family asked which nameserver."""

    client: str
    family: str
    nameserver: str


class Verdict(msgspec.Struct, frozen=True):
    """One look at one answer: why the layers disagree, and why the answer itself is wrong.

    `end` is the node that the answer led to, where anybody asked.
    """

    layers: str = ""
    dns: str = ""
    end: str = ""


def judge(
    address: str | None,
    end: str | None,
    owners: Mapping[str, str],
    healthy: frozenset[str],
    world: World,
    hosts: Mapping[str, tuple[str, ...]] = {},
) -> Verdict:
    """Whether an answer leads to a living PoP whose service answers.

    Args:
        address: what the nameserver answered, None where it said nothing.
        end: the node that the routers' tables lead to from the client.
        owners: PoPs' own addresses -> PoP.
        healthy: nodes of PoPs whose service passes its check now.
        world: faults that stand now.
        hosts: PoP -> its nodes, of PoPs with more than the one that has its name.
    """
    if address is None:
        return Verdict("no answer", "no answer")
    family = "v6" if ":" in address else "v4"
    if end is None:
        layers = f"{address} leads nowhere"
    elif world.is_dead(end, family):
        layers = f"{address} leads to {end}, which is dead"
    elif end not in healthy:
        layers = f"{address} leads to {end}, whose service does not answer"
    else:
        layers = ""
    owner = owners.get(address)
    if owner is not None and all(
        world.is_dead(host, family) or host not in healthy for host in hosts.get(owner, (owner,))
    ):
        return Verdict(layers, f"{address} is {owner}'s own, which is gone")
    return Verdict(layers, layers)
