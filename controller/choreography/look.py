"""One look at the world: everything a decision may depend on, besides the run itself."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from ambicast.model.fleet import Fleet
from ambicast.model.identifiers import Family, PopName
from controller.choreography.kept import Claim
from controller.choreography.technique import Technique
from controller.world.belief import Intent, World
from controller.world.condition import Assessment, Condition


class Look(msgspec.Struct, frozen=True):
    """What is believed at ``now`` (seconds, controller's clock), and how each PoP is judged.

    ``claims``: PoPs that others took over by themselves, and we do not know of yet.
    """

    world: World
    fleet: Fleet
    conditions: Mapping[PopName, Assessment]
    techniques: frozenset[Technique]
    now: float
    claims: Mapping[PopName, Claim] = {}

    def condition(self, pop: PopName) -> Condition:
        """How ``pop`` is, in one word."""
        return self.conditions[pop].condition

    def because(self, pop: PopName) -> str:
        """The evidence for it, in one sentence."""
        return self.conditions[pop].because

    def intent(self, pop: PopName) -> Intent | None:
        """The operator's wish to keep ``pop`` empty, if any."""
        return self.world.drains.get(pop)

    def serving(self) -> frozenset[PopName]:
        """The PoPs that serve now."""
        return frozenset(p for p in self.conditions if self.condition(p) is Condition.SERVING)

    def serves(self, pop: PopName, *kinds: Family) -> bool:
        """Whether ``pop`` serves in each of these families."""
        found = self.conditions.get(pop)
        if found is None or found.condition is not Condition.SERVING:
            return False
        return not (found.silent or found.bare) or not any(
            kind in found.silent or kind in found.bare for kind in kinds
        )
