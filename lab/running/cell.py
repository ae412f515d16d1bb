"""One lab to be measured: a scenario in one cell of its matrix, or one baseline of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import msgspec

from ambicast.model.quantities import duration
from lab.scenarios.shapes import Load, Scenario
from lab.scenarios.words import BASELINES, COUNTS, TIMING
from lab.topology import Topology, three_pops
from lab.topology.shapes import PopPrograms, RouterChoice

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

    def topology(self) -> Topology:
        """The lab's topology."""
        settings = self.scenario.settings
        interval = settings.get("advertisement_interval", "0s")
        programs = "ambicast" if self.has_agents else "exabgp-healthcheck"
        return three_pops(
            router=cast(RouterChoice, self.params["router"]),
            hold_s=round(duration(settings.get("hold", f"{HOLD_S}s"))),
            delay=settings.get("delay"),
            advertisement_interval_s=round(duration(interval)),
            fleet_overrides=timing(settings),
            techniques=BASELINES[self.baseline] if self.baseline else None,
            pop_programs=cast(PopPrograms, programs),
        )


def timing(settings: Mapping[str, str]) -> dict[str, object]:
    """The settings that go over the fleet file's `timing`."""
    return {
        key: int(value) if key in COUNTS else value
        for key, value in settings.items()
        if key in TIMING
    }
