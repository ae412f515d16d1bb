"""What can be wrong with a link that still carries packets: loss, delay, jitter.

Each direction of a link has its own. Jitter is a further delay, uniform between nothing and its
value; packets of one flow keep their order, as they do where the jitter comes from queues.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from lab.engines.faults import LabError

Direction = Literal["both", "in", "out"]
UNITS_S: Final = {"us": 1e-6, "ms": 1e-3, "s": 1.0}


class Impairment(msgspec.Struct, frozen=True, kw_only=True):
    """One direction's trouble, over the link's own delay.

    Attributes:
        loss: share of packets (0..1) that never arrive.
        delay_s: seconds every packet takes longer.
        jitter_s: at most so many seconds more, anew for each packet.
    """

    loss: float = 0.0
    delay_s: float = 0.0
    jitter_s: float = 0.0

    @property
    def only_loses(self) -> bool:
        """Whether no packet is late: then no relay is needed."""
        return self.delay_s == 0.0 and self.jitter_s == 0.0


def seconds(delay: str) -> float:
    """A delay as netem writes it ("20ms"), in seconds.

    Raises:
        LabError: not a number with a unit.
    """
    for unit in sorted(UNITS_S, key=len, reverse=True):
        if delay.endswith(unit):
            try:
                return float(delay.removesuffix(unit)) * UNITS_S[unit]
            except ValueError:
                break
    msg = f"delay {delay!r}: a number with one of {', '.join(UNITS_S)} is wanted"
    raise LabError(msg)
