"""One lab to be measured: a scenario in one cell of its matrix, or one baseline of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import msgspec
import yaml

from ambicast.model.quantities import duration
from lab.scenarios.shapes import Load, Scenario
from lab.scenarios.words import BASELINES, COUNTS, TIMING
from lab.topology import Options, Topology, lab_of
from lab.topology.internet import Internet
from lab.topology.places import named
from lab.topology.settings import FLEET_FILE
from lab.topology.shapes import BfdChoice, PopPrograms, RouterChoice

HOLD_S = 9
WITHOUT_AGENTS = ("exabgp-healthcheck",)


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """What is brought up. `baseline`: the technique that stands alone, empty for ours."""

    scenario: Scenario
    params: Mapping[str, str]
    seed: int
    baseline: str = ""

    @property
    def has_agents(self) -> bool:
        """Whether our programs run at all (else there is no controller and no nameserver)."""
        return self.baseline not in WITHOUT_AGENTS

    @property
    def loads(self) -> tuple[Load, ...]:
        """The loads that make sense here: without nameservers, names cannot be resolved."""
        every = self.scenario.load
        return every if self.has_agents else tuple(x for x in every if x.target[:4] != "name")

    @property
    def text(self) -> str:
        """For people."""
        params = " ".join(f"{key}={value}" for key, value in self.params.items())
        subject = f"baseline {self.baseline}" if self.baseline else f"trial {self.seed}"
        return f"{self.scenario.name}: {params}, {subject}"

    @property
    def internet(self) -> Internet:
        """What the topology is made from."""
        return named(self.scenario.topology)

    @property
    def relayed(self) -> frozenset[str]:
        """Ends of the links that will be late on the way, or `all`: these need a relay."""
        return frozenset(
            end
            for step in self.scenario.steps
            if step.action == "impair" and step.arguments.keys() & {"delay", "jitter"}
            for end in step.arguments["link"].split(",")
        )

    def topology(self) -> Topology:
        """The lab's topology."""
        settings = self.scenario.settings
        interval = settings.get("advertisement_interval", "0s")
        programs = "ambicast" if self.has_agents else "exabgp-healthcheck"
        options = Options(
            router=cast(RouterChoice, self.params["router"]),
            bfd=cast(BfdChoice, self.params.get("bfd", "off")),
            hold_s=round(duration(settings.get("hold", f"{HOLD_S}s"))),
            delay=settings.get("delay"),
            advertisement_interval_s=round(duration(interval)),
            fleet_overrides=timing(settings),
            techniques=BASELINES[self.baseline] if self.baseline else None,
            pop_programs=cast(PopPrograms, programs),
        )
        topology = lab_of(self.scenario.topology, options)
        if "uplink_capacity" in settings:
            return with_capacity(topology, settings["uplink_capacity"])
        return topology


def with_capacity(topology: Topology, capacity: str) -> Topology:
    """The same lab, where the fleet file gives every uplink that capacity.

    Small ones can be filled by a lab: the load that an agent sees is real then.
    """
    return msgspec.structs.replace(
        topology,
        nodes=tuple(
            msgspec.structs.replace(node, files=_narrowed(node.files, capacity))
            for node in topology.nodes
        ),
    )


def _narrowed(files: Mapping[str, str], capacity: str) -> dict[str, str]:
    if FLEET_FILE not in files:
        return dict(files)
    fleet = yaml.safe_load(files[FLEET_FILE])
    for pop in fleet["pops"].values():
        for uplink in pop["uplinks"].values():
            uplink["capacity"] = capacity
    text = yaml.safe_dump(fleet, sort_keys=False, width=99)
    return {**files, FLEET_FILE: text}


def timing(settings: Mapping[str, str]) -> dict[str, object]:
    """The settings that go over the fleet file's `timing`."""
    return {
        key: int(value) if key in COUNTS else value
        for key, value in settings.items()
        if key in TIMING
    }
