"""The dead man's switch: what becomes of advertisements whose agent has fallen silent.

Every second a living agent says what may be withdrawn should it fall silent, and how to see on
this host whether that is called for. Silent for ``after`` seconds, the services are checked from
here, and again every second: a silent agent over a fit service changes nothing. Where all checks
of a group fail, its lines go to ExaBGP, once; nothing is ever advertised again from here, that is
for the agent when it is back.

Checks take time, so they run in threads; their outcomes come back through a pipe, which also
wakes the relay. A heartbeat makes outcomes that are still under way void.

``heartbeat`` takes ``{"after": seconds, "groups": [{"checks": [...], "withdraw": [lines]}]}``,
each check as :func:`agents.bgp.localcheck.passes` reads it. With ``"away": true`` it is not the
agent's: an operator has what is there held while no agent answers. Then nothing more may be
withdrawn, but what was is so still, and goes on being said.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from typing import Any

from agents.bgp.localcheck import passes

AGAIN = 1.0
STOOD_STILL = 2.5

Check = dict[str, Any]


class Switch:
    """Judges by the clock it is given; ``tell`` says ``switched`` or ``unswitched``."""

    def __init__(
        self, tell: Callable[[bytes], None], passing: Callable[[Check], bool] = passes
    ) -> None:
        self._tell, self._passes = tell, passing
        self._outcomes, self._from_threads = os.pipe()
        os.set_blocking(self._outcomes, False)
        self._after = float("inf")
        self._groups: list[tuple[list[Check], bytes]] = []
        self._heard = self._looked = 0.0
        self._round = 0
        self._asked_at = float("-inf")
        self._asking: set[int] = set()
        self._fired: set[int] = set()
        self._told: bytes | None = None

    def fileno(self) -> int:
        """Readable when a check has an outcome."""
        return self._outcomes

    def heartbeat(self, text: bytes, now: float) -> None:
        """The agent is well; what cannot be read disarms the switch until the next one."""
        self._heard = self._looked = now
        self._after, self._groups = float("inf"), []
        self._round += 1
        self._asking = set()
        said = json.loads(text)
        groups = [
            (list(group["checks"]), "".join(f"{line}\n" for line in group["withdraw"]).encode())
            for group in said["groups"]
        ]
        if said.get("away"):
            self._after = 0.0 if self._fired else self._after
            return
        self._fired = set()
        if self._told != b"unswitched":
            self._told = b"unswitched"
            self._tell(self._told)
        self._after, self._groups = float(said["after"]), groups

    def look(self, now: float) -> bytes:
        """Whole lines for ExaBGP, mostly none."""
        if now - self._looked > STOOD_STILL:  # then the agent had no chance to be heard either
            self._heard += now - self._looked
        self._looked = now
        lines = b"".join(self._groups[each][1] for each in self._failed())
        if now - self._heard >= self._after and now - self._asked_at >= AGAIN:
            self._asked_at = now
            self._ask()
        return lines

    def _failed(self) -> list[int]:
        """Groups that have failed since last asked; they fire now."""
        try:
            said = os.read(self._outcomes, 65536).decode()
        except BlockingIOError:
            return []
        failed = []
        for line in said.splitlines():
            number, group, outcome = map(int, line.split())
            if number != self._round:
                continue
            self._asking.discard(group)
            if not outcome and group not in self._fired:
                self._fired.add(group)
                failed.append(group)
        if failed:
            self._say_switched()
        return failed

    def _ask(self) -> None:
        """Starts the checks of what has not fired yet."""
        if self._fired:
            self._say_switched()
        for number, (checks, _) in enumerate(self._groups):
            if number in self._fired | self._asking or not checks:
                continue
            self._asking.add(number)
            arguments = (self._round, number, checks)
            threading.Thread(target=self._check, args=arguments, daemon=True).start()

    def _check(self, number: int, group: int, checks: list[Check]) -> None:
        """In a thread. A line this short is written whole (pipe(7), PIPE_BUF)."""
        outcome = any(self._passes(each) for each in checks)
        os.write(self._from_threads, f"{number} {group} {int(outcome)}\n".encode())

    def _say_switched(self) -> None:
        """Again every second: who listens may have been started since."""
        self._told = b"switched"
        self._tell(self._told)
