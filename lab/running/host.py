"""Whether this machine is quiet enough to measure on."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Final

import msgspec

BUSY: Final = 1.5  # one-minute load average above which a run is not valid
PATIENCE_S: Final = 60.0
LOOK_S: Final = 2.0


class Host(msgspec.Struct, frozen=True):
    """The machine as a run found it."""

    cores: int
    load: float

    @property
    def quiet(self) -> bool:
        """Whether figures measured now mean anything."""
        return self.load <= BUSY


def look(load: Callable[[], float] = lambda: os.getloadavg()[0]) -> Host:
    """The machine now."""
    return Host(cores=os.cpu_count() or 1, load=round(load(), 2))


def when_quiet(
    look: Callable[[], Host] = look,
    sleep: Callable[[float], None] = time.sleep,
    patience_s: float = PATIENCE_S,
) -> Host:
    """The machine as soon as it is quiet, or as it is when patience ends."""
    waited = 0.0
    while not (host := look()).quiet and waited < patience_s:
        sleep(LOOK_S)
        waited += LOOK_S
    return host
