"""The agent's hold on ExaBGP: attach to the bridge, keep the conversation going, attach again.

``want`` writes what has to change before it returns. Nothing here decides anything: the
conversation does, and this gives it a socket and a clock.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path as File

import structlog

from agents.advertising.guard import Guard
from agents.advertising.observations import BgpSeen
from agents.bgp.commands import CLOSE, GREETING, HELLO, RESTART, heartbeat
from agents.bgp.conversation import Conversation, LostThread, Stuck
from agents.bgp.difference import Rib, placed
from agents.bgp.neighbors import by_address
from agents.bgp.paths import Path, attributes_of
from ambicast.contract.messages import Session
from ambicast.model.pops import Pop
from ambicast.model.routes import Advertisement

log = structlog.get_logger()

TICK = 1.0
ATTACH_PAUSE = 0.1
LONGEST_PAUSE = 2.0
MOST_UNREAD = 2**20
RESTART_PAUSE = 30.0
FIRST_EMPTY = 5.0


class Bgp:
    """What this PoP advertises, through ExaBGP; see :class:`BgpSeen` for what it tells."""

    def __init__(
        self,
        bridge: File,
        pop: Pop,
        asn: int,
        tell: Callable[[BgpSeen], None],
        *,
        graceful: bool = False,
        last: bool = False,
    ) -> None:
        """``graceful``: ExaBGP runs with it (RFC 4724); ``last``: nobody may attach after us."""
        self._last = last
        self._bridge = bridge
        self._graceful = graceful
        self._misfit: tuple[frozenset[str], frozenset[str]] = frozenset(), frozenset()
        self._restart = False
        self._restarted_at = float("-inf")
        self._asn = asn
        self._tell = tell
        self._sessions = by_address(pop)
        self._wanted: Rib | None = None
        self._conversation: Conversation | None = None
        self._told: BgpSeen | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._heeds = False
        self._told_deaf = False
        self._began: float | None = None

    def want(self, advertisements: frozenset[Advertisement] | None) -> None:
        """Advertise exactly these from now on; none means hands off: change nothing.

        A set with anything in it that cannot be advertised is logged, and nothing of it is done.
        """
        try:
            wanted = (
                None
                if advertisements is None
                else placed(advertisements, self._sessions, self._asn)
            )
        except ValueError as fault:
            log.error("advertisements refused", reason=str(fault))
            return
        self._wanted = wanted
        if self._conversation is not None:
            self._conversation.want(wanted, asyncio.get_running_loop().time())
            self._report()

    def guard(self, guard: Guard) -> None:
        """A heartbeat for the bridge, with what its dead man's switch may do; not stored.

        A bridge of an earlier release would hand it to ExaBGP: it gets none. Nor does one get an
        empty one at first: who has just begun has heard nobody and allows nothing, and an agent
        that crashes at every start would disarm the switch for good.
        """
        writer, now = self._writer, asyncio.get_running_loop().time()
        self._began = now if self._began is None else self._began
        young = now - self._began < FIRST_EMPTY
        if not self._heeds or (young and not guard.groups and not guard.held):
            return
        if writer is not None and writer.transport.get_write_buffer_size() < MOST_UNREAD:
            writer.write(heartbeat(guard, self._sessions.values()).encode("ascii"))

    async def run(self) -> None:
        """Stays attached to the bridge, for ever."""
        pause = ATTACH_PAUSE
        self._report()
        while True:
            was_ready = False
            try:
                reader, writer = await asyncio.open_unix_connection(self._bridge)
            except OSError:
                await asyncio.sleep(ATTACH_PAUSE)
                continue
            self._writer = writer
            try:
                await self._attend(reader, writer)
            except (LostThread, OSError) as fault:
                self._restart = isinstance(fault, Stuck)
                was_ready = self._conversation is not None and self._conversation.ready
                log.warning("detached from exabgp", reason=str(fault))
            finally:
                self._conversation = self._writer = None
                self._heeds = False
                writer.close()
                self._report()
            pause = ATTACH_PAUSE if was_ready else min(2 * pause, LONGEST_PAUSE)
            await asyncio.sleep(pause)

    async def _attend(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One attachment.

        Raises:
            LostThread: it has come to its end.
        """
        loop = asyncio.get_running_loop()
        self._end_stuck(writer, loop.time())
        writer.write(f"{HELLO}\n".encode("ascii"))
        if self._last:
            writer.write(f"{CLOSE}\n".encode("ascii"))
        talk = Conversation(
            self._sessions,
            lambda text: writer.write(text.encode("ascii")),
            loop.time(),
            says_end=self._graceful,
        )
        talk.want(self._wanted, loop.time())
        self._conversation = talk
        rest, tick_at = b"", loop.time() + TICK
        while True:
            try:
                async with asyncio.timeout_at(tick_at):
                    data = await reader.read(2**18)
            except TimeoutError:
                pass
            else:
                if not data:
                    raise LostThread("the bridge hung up")
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    if line.startswith(GREETING):
                        self._heeds = True
                    else:
                        talk.hear(line.decode("utf-8", "replace"), loop.time())
            if loop.time() >= tick_at:
                tick_at = loop.time() + TICK
                talk.tick(loop.time())
            self._compare(talk)
            self._tell_if_deaf(talk)
            self._report()

    def _tell_if_deaf(self, talk: Conversation) -> None:
        if talk.ready and not self._heeds and not self._told_deaf:
            self._told_deaf = True
            log.warning("the bridge is of an earlier release; no dead man's switch until it ends")

    def _end_stuck(self, writer: asyncio.StreamWriter, now: float) -> None:
        """Has the bridge kill an ExaBGP that is of no use; whoever started it does so again."""
        if self._restart and now - self._restarted_at >= RESTART_PAUSE:
            self._restarted_at = now
            log.error("exabgp is stuck: killed, to be started again")
            writer.write(f"{RESTART}\n".encode("ascii"))
        self._restart = False

    def _compare(self, talk: Conversation) -> None:
        """One line in the log where ExaBGP's neighbors are not ours, and one when they are."""
        misfit = talk.absent, talk.foreign
        if misfit == self._misfit or not talk.ready:
            return
        self._misfit = misfit
        absent = [f"{self._sessions[each].uplink} {each}" for each in sorted(talk.absent)]
        if absent or talk.foreign:
            log.error(
                "exabgp runs with other neighbors than ours; restart it to have them all",
                missing=absent,
                not_ours=sorted(talk.foreign),
            )

    def _report(self) -> None:
        seen = self._seen()
        if seen != self._told:
            self._told = seen
            self._tell(seen)

    def _seen(self) -> BgpSeen:
        talk = self._conversation
        if talk is None or not talk.ready:
            return BgpSeen(attached=False)
        lines = talk.lines
        return BgpSeen(
            attached=True,
            sessions=tuple(
                Session(
                    uplink=each.uplink,
                    family=each.family,
                    established=lines[address].established,
                    families=lines[address].families,
                    since=lines[address].since,
                )
                for address, each in self._sessions.items()
            ),
            rib=self._advertisements(talk.rib),
            wire=self._advertisements({address: line.wire for address, line in lines.items()}),
        )

    def _advertisements(self, rib: Mapping[str, Mapping[str, Path]]) -> frozenset[Advertisement]:
        return frozenset(
            Advertisement(prefix, self._sessions[address].uplink, attributes_of(path))
            for address, paths in rib.items()
            for prefix, path in paths.items()
        )
