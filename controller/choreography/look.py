"""One look at the world: everything a decision may depend on, besides the run itself."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import PopName
from controller.choreography.technique import Technique
from controller.world.belief import Intent, World
from controller.world.condition import Assessment, Condition


class Look(msgspec.Struct, frozen=True):
    """What is believed at ``now`` (seconds, controller's clock), and how each PoP is judged."""

    world: World
    fleet: Fleet
    conditions: Mapping[PopName, Assessment]
    techniques: frozenset[Technique]
    now: float

    def condition(self, pop: PopName) -> Condition:
        """How ``pop`` is, in one word."""
        return self.conditions[pop].condition

    def because(self, pop: PopName) -> str:
        """The evidence for it, in one sentence."""
        return self.conditions[pop].because

    def intent(self, pop: PopName) -> Intent | None:
        """The operator's wish to keep ``pop`` empty, if any."""
        return self.world.drains.get(pop)

    def fail_open(self) -> bool:
        """Whether all checks that spoke fail: then the checks are wrong, or nothing helps."""
        found = {self.condition(pop) for pop in self.conditions}
        fit = {Condition.SERVING, Condition.WITHDRAWN}
        return Condition.UNFIT in found and not found & fit

    def serving(self) -> frozenset[PopName]:
        """The PoPs that serve now."""
        return frozenset(p for p in self.conditions if self.condition(p) is Condition.SERVING)

    def perhaps_serving(self) -> frozenset[PopName]:
        """The PoPs that serve now, and those of which nobody knows."""
        known = {Condition.SERVING, Condition.UNKNOWN}
        return frozenset(p for p in self.conditions if self.condition(p) in known)
