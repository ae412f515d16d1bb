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
    """

    dead: frozenset[str] = frozenset()
    mute: frozenset[str] = frozenset()

    def after(self, step: Step) -> World:
        """The world once `step` is taken."""
        node = step.arguments.get("node", "")
        named = step.arguments.get("process") == "nameserver"
        if step.action in ("silence", "poweroff"):
            return msgspec.structs.replace(self, dead=self.dead | {node})
        if step.action == "restore":
            return msgspec.structs.replace(self, dead=self.dead - {node})
        if step.action == "dns-stop" or (step.action == "pause" and named):
            return msgspec.structs.replace(self, mute=self.mute | {node})
        if step.action == "dns-start" or (step.action == "restart" and named):
            return msgspec.structs.replace(self, mute=self.mute - {node})
        return self

    def living_nameservers(self, nameservers: tuple[str, ...]) -> tuple[str, ...]:
        """Those that can be expected to answer; a nameserver is named after its PoP."""
        return tuple(n for n in nameservers if n not in self.dead and n not in self.mute)


class Answered(msgspec.Struct, frozen=True):
    """Which client network and family asked which nameserver."""

    client: str
    family: str
    nameserver: str


class Verdict(msgspec.Struct, frozen=True):
    """One look at one answer: why the layers disagree, and why the answer itself is wrong."""

    layers: str = ""
    dns: str = ""


def judge(
    address: str | None,
    end: str | None,
    owners: Mapping[str, str],
    healthy: frozenset[str],
    world: World,
) -> Verdict:
    """Whether an answer leads to a living PoP whose service answers.

    Args:
        address: what the nameserver answered, None where it said nothing.
        end: the node that the routers' tables lead to from the client.
        owners: PoPs' own addresses -> PoP.
        healthy: PoPs whose service passes its check now.
        world: faults that stand now.
    """
    if address is None:
        return Verdict("no answer", "no answer")
    if end is None:
        layers = f"{address} leads nowhere"
    elif end in world.dead:
        layers = f"{address} leads to {end}, which is dead"
    elif end not in healthy:
        layers = f"{address} leads to {end}, whose service does not answer"
    else:
        layers = ""
    owner = owners.get(address)
    if owner is not None and (owner in world.dead or owner not in healthy):
        return Verdict(layers, f"{address} is {owner}'s own, which is gone")
    return Verdict(layers, layers)
