"""ExaBGP without an agent: look at what it has sent, or have it withdraw everything.

For break-glass only. It attaches to the bridge as an agent would, and the newest client wins: an
agent that only seemed to be dead loses its attachment, and comes back by itself when we are done.
An ExaBGP that does not answer cannot be told to withdraw. The bridge can end it (``#restart``),
and with it the sessions and everything that was sent over them; its successor begins empty.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

import msgspec

from agents.advertising.observations import BgpSeen
from agents.bgp.commands import GREETING
from agents.bgp.session import Bgp
from ambicast.model.pops import Pop

RESTART = b"#restart\n"
HELLO = b"#hello\n"
# Of no meaning to a bridge that knows "away"; one that does not waits for so many seconds.
DISARMED = 1e9
DISARM = msgspec.json.encode({"after": DISARMED, "groups": [], "away": True})
_LONGEST_LINE = 4 * 1024 * 1024


class Direct:
    """ExaBGP behind the bridge's socket; every method answers within ``within`` seconds."""

    def __init__(self, bridge: Path, pop: Pop | None, asn: int) -> None:
        """Without a ``pop`` it is not known whom ExaBGP talks to: it can be ended, no more."""
        self._bridge, self._pop, self._asn = bridge, pop, asn

    async def is_there(self) -> bool:
        """Whether anybody listens: if not, ExaBGP does not run, and nothing is advertised."""
        try:
            _, writer = await asyncio.open_unix_connection(self._bridge)
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        writer.close()
        return True

    async def look(self, within: float) -> BgpSeen | None:
        """What ExaBGP holds and has sent; none where it does not answer in time.

        What was sent before we came is known when it was sent, and echoed, again. Where a session
        is down that never happens, and what was seen until then is the answer.
        """
        return await self._until(lambda seen: seen.wire == seen.rib, within)

    async def withdraw(self, within: float) -> BgpSeen | None:
        """Withdraws all there is; what was seen last, or none where ExaBGP does not answer."""
        return await self._until(lambda seen: not seen.rib and not seen.wire, within, nothing=True)

    async def restart(self) -> None:
        """Has the bridge end ExaBGP; the sessions close at once. No bridge is no ExaBGP."""
        with contextlib.suppress(FileNotFoundError, ConnectionError):
            _, writer = await asyncio.open_unix_connection(self._bridge)
            writer.write(RESTART)
            await writer.drain()
            writer.close()

    async def disarm(self, within: float) -> bool:
        """Has the bridge's dead man's switch withdraw nothing until an agent is back.

        False where it did not say that it will: it is of an earlier release (a line for the
        bridge would then be ExaBGP's), or does not answer.
        """
        try:
            async with asyncio.timeout(within):
                reader, writer = await asyncio.open_unix_connection(
                    self._bridge, limit=_LONGEST_LINE
                )
                try:
                    await _greeted(reader, writer, HELLO)
                    await _greeted(reader, writer, b"#heartbeat " + DISARM + b"\n" + HELLO)
                finally:
                    writer.close()
        except (OSError, ValueError, TimeoutError):
            return False
        return True

    async def _until(
        self, holds: Callable[[BgpSeen], bool], within: float, *, nothing: bool = False
    ) -> BgpSeen | None:
        if self._pop is None:
            return None
        told: asyncio.Queue[BgpSeen] = asyncio.Queue()
        bgp = Bgp(self._bridge, self._pop, self._asn, told.put_nowait)
        if nothing:
            bgp.want(frozenset())
        last: BgpSeen | None = None
        async with asyncio.TaskGroup() as tasks:
            attached = tasks.create_task(bgp.run(), name="direct")
            try:
                async with asyncio.timeout(within):
                    while last is None or not holds(last):
                        seen = await told.get()
                        last = seen if seen.attached else last
            except TimeoutError:
                pass
            attached.cancel()
        return last


async def _greeted(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, lines: bytes
) -> None:
    """Says ``lines`` and waits until the bridge has answered the hello among them.

    Raises:
        ConnectionError: it hung up.
    """
    writer.write(lines)
    while not (line := await reader.readline()).startswith(GREETING):
        if not line:
            raise ConnectionResetError("the bridge hung up")
