"""``ambicast-agent status|hold|withdraw|release``: without broker, controller, or even an agent.

The brake file comes first, then the agent is told; so a command that dies in between is carried
out all the same. What only writes a file cannot fail for want of an agent. Withdrawing can: where
no agent answers, ExaBGP is told directly, and where that does not answer either, it is ended,
which closes its sessions. Holding can, too: the bridge is told not to withdraw what has failed,
and what is on the wire is written beside the brake, so that it is known after the next boot.

The outcome is judged by what is seen afterwards, never by what was asked for.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Protocol

import msgspec

from agents.advertising.accept import Held
from agents.advertising.observations import BgpSeen
from agents.brake.asking import ask
from agents.brake.file import BrakeFile
from agents.brake.status import Agent, Status, left
from ambicast.contract.messages import Brake, BrakeKind

OK, DIFFERS, ERROR = 0, 1, 2
LOOK_EVERY = 0.1
WIRE_WITHIN = 6.0
ECHO_WITHIN = 3.0
DISARM_WITHIN = 2.0
TAKEN_WITHIN = 3.0

GONE = "no agent runs here"
SILENT = "the agent does not answer: it is frozen, or busy beyond measure"
NO_EXABGP = "exabgp does not run here, so nothing is advertised"
DEAF = "exabgp does not answer"
KEPT = "exabgp goes on with what it was told last"
DISARMED = "the dead man's switch withdraws nothing until an agent is back"
ARMED = "the dead man's switch may still withdraw what has failed: the bridge did not answer"


class Speaker(Protocol):
    """ExaBGP, reached without the agent."""

    async def is_there(self) -> bool: ...
    async def look(self, within: float) -> BgpSeen | None: ...
    async def withdraw(self, within: float) -> BgpSeen | None: ...
    async def disarm(self, within: float) -> bool: ...
    async def restart(self) -> None: ...


class Said(msgspec.Struct, frozen=True):
    """What a command leads to: the exit code, and what was seen last."""

    code: int
    status: Status


class Glass:
    """The commands of one host."""

    def __init__(
        self,
        host: tuple[str, str],
        socket: Path,
        file: BrakeFile,
        held: Held | None,
        speaker: Speaker | None,
    ) -> None:
        """``host`` is (PoP, host); ``held`` the order on disk; no ``speaker`` without role bgp."""
        self._pop, self._host = host
        self._socket, self._file, self._held, self._speaker = socket, file, held, speaker

    async def status(self) -> Said:
        """One look; differs where no agent answers or a brake is in force."""
        seen = await self._look("status")
        braked = seen.agent is not Agent.RUNNING or seen.brake is not None
        return Said(DIFFERS if braked else OK, seen)

    async def hold(self, reason: str, now: float) -> Said:
        """What is on the wire stays, whatever is ordered, until released."""
        brake = Brake(kind=BrakeKind.HOLD, reason=reason, since=now)
        seen = await self._pull(brake)
        held = seen.brake == brake
        if seen.agent is not Agent.RUNNING and self._speaker is not None:
            seen, held = await self._hold_directly(self._speaker, seen)
        return Said(OK if held else DIFFERS, seen)

    async def release(self, reason: str) -> Said:
        """The order rules again; an agent that does not run finds no brake when it starts."""
        before = self._file.read()
        seen = await self._pull(None)
        text = "no brake was in force" if before is None else f"released: {reason}"
        held = before is not None and before.kind is BrakeKind.HOLD
        if held and seen.agent is not Agent.RUNNING and self._speaker is not None:
            # Nothing arms it again but an agent: only one knows what may be withdrawn.
            seen = _noted(seen, DISARMED)
        return Said(OK if seen.brake is None else DIFFERS, _noted(seen, text))

    async def withdraw(self, reason: str, now: float) -> Said:
        """This host advertises nothing until released; judged by the wire."""
        brake = Brake(kind=BrakeKind.WITHDRAW, reason=reason, since=now)
        seen = await self._pull(brake)
        if seen.agent is Agent.RUNNING:
            seen = await self._until_silent(seen)
        if self._speaker is not None and (seen.agent is not Agent.RUNNING or seen.wire is None):
            seen = await self._withdraw_directly(self._speaker, seen)
        return Said(_judged(seen, self._speaker), seen)

    async def _pull(self, brake: Brake | None) -> Status:
        """Writes the file and has the agent look, until it says that it did."""
        self._file.write(brake)
        seen = await ask(self._socket, "look")
        clock = asyncio.get_running_loop().time
        until = clock() + TAKEN_WITHIN
        while isinstance(seen, Status) and seen.brake != brake and clock() < until:
            await asyncio.sleep(LOOK_EVERY)
            seen = await ask(self._socket, "status")
        return seen if isinstance(seen, Status) else self._without_agent(seen)

    async def _until_silent(self, seen: Status) -> Status:
        clock = asyncio.get_running_loop().time
        until = clock() + WIRE_WITHIN
        while seen.wire and clock() < until:
            await asyncio.sleep(LOOK_EVERY)
            answer = await ask(self._socket, "status")
            if not isinstance(answer, Status):
                break
            seen = answer
        return seen

    async def _withdraw_directly(self, speaker: Speaker, seen: Status) -> Status:
        if not await speaker.is_there():
            return _noted(msgspec.structs.replace(seen, wire=()), NO_EXABGP)
        bgp = await speaker.withdraw(WIRE_WITHIN)
        if bgp is not None:
            return _noted(left(seen, self._held, seen.brake, bgp), "exabgp was told directly")
        await speaker.restart()
        text = f"{DEAF}: it was ended, which closes its sessions"
        return _noted(msgspec.structs.replace(seen, wire=()), text)

    async def _hold_directly(self, speaker: Speaker, seen: Status) -> tuple[Status, bool]:
        """What was seen, and whether nothing is left that would withdraw anything."""
        known = self._file.frozen() is not None
        if not await speaker.is_there():
            if self._held is None and not known:
                self._file.freeze(frozenset())
            return _noted(msgspec.structs.replace(seen, wire=()), NO_EXABGP), True
        disarmed = await speaker.disarm(DISARM_WITHIN)
        bgp = await speaker.look(ECHO_WITHIN)
        if bgp is not None and not known:
            self._file.freeze(bgp.rib)
        seen = _noted(left(seen, self._held, seen.brake, bgp), KEPT if bgp else DEAF)
        return _noted(seen, DISARMED if disarmed else ARMED), disarmed

    async def _look(self, question: str) -> Status:
        seen = await ask(self._socket, question)
        if isinstance(seen, Status):
            return seen
        status = self._without_agent(seen)
        if self._speaker is None:
            return status
        if not await self._speaker.is_there():
            return _noted(msgspec.structs.replace(status, wire=()), NO_EXABGP)
        bgp = await self._speaker.look(ECHO_WITHIN)
        told = left(status, self._held, status.brake, bgp)
        return _noted(told, KEPT if bgp else DEAF)

    def _without_agent(self, agent: Agent) -> Status:
        status = Status(pop=self._pop, host=self._host, agent=agent)
        text = SILENT if agent is Agent.SILENT else GONE
        return _noted(left(status, self._held, self._file.read(), None), text)


def _noted(status: Status, text: str) -> Status:
    return msgspec.structs.replace(status, notes=(*status.notes, text))


def _judged(seen: Status, speaker: Speaker | None) -> int:
    """Withdrawn is what is known to be on no wire."""
    if speaker is None or seen.wire == ():
        return OK
    return ERROR if seen.wire is None else DIFFERS
