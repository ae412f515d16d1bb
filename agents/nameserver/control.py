"""One short conversation with Knot's control socket.

Knot 3.2 serves one connection at a time and waits 5 s for an idle one, so a connection lives for
one conversation only and has a deadline. Commands of one conversation may be sent at once (one
round trip); but a transaction is committed only after the replies to its parts were read, because
Knot commits whatever parts it understood.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from agents.nameserver.wire import Reader, Unit, WireError, spell_block, spell_end

_CHUNK = 1 << 16


class ControlError(Exception):
    """The control socket could not be used; the state of the server is unknown now."""


class ControlUnreachableError(ControlError):
    """Nobody there, no answer in time, or the conversation broke off."""


class ControlRefusedError(ControlError):
    """Knot refused a command; the text has Knot's reason and what it was about."""

    def __init__(self, reason: str, unit: Unit) -> None:
        about = " ".join(unit[key] for key in ("command", "zone", "owner", "type") if key in unit)
        super().__init__(f"{reason} ({about})" if about else reason)
        self.reason = reason


class Conversation:
    """An open control connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._cut = Reader()
        self._ready: deque[list[dict[str, str]]] = deque()

    async def ask(self, *commands: Sequence[Unit]) -> list[list[dict[str, str]]]:
        """Sends all ``commands`` at once; one reply (its units) per command, errors among them."""
        self._writer.write(b"".join(spell_block(units) for units in commands))
        while len(self._ready) < len(commands):
            chunk = await self._reader.read(_CHUNK)
            if not chunk:
                raise ControlUnreachableError("knot closed the control connection")
            self._ready.extend(self._cut.feed(chunk))
        return [self._ready.popleft() for _ in commands]

    async def order(self, *commands: Sequence[Unit]) -> list[list[dict[str, str]]]:
        """Like :meth:`ask`, but the first error in any reply is raised."""
        replies = await self.ask(*commands)
        for reply in replies:
            for unit in reply:
                if "error" in unit:
                    raise ControlRefusedError(unit["error"], unit)
        return replies


@asynccontextmanager
async def conversation(socket: Path, timeout: float) -> AsyncIterator[Conversation]:
    """A connection that lives for this block, at most ``timeout`` seconds.

    Raises:
        ControlUnreachableError: no socket, no answer in time, broken off, or not the protocol.
    """
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(timeout):
            reader, writer = await asyncio.open_unix_connection(str(socket))
            yield Conversation(reader, writer)
            writer.write(spell_end())
    except TimeoutError:
        raise ControlUnreachableError(f"no answer from {socket} within {timeout} s") from None
    except (OSError, WireError, UnicodeDecodeError) as fault:
        raise ControlUnreachableError(f"{socket}: {fault}") from fault
    finally:
        if writer is not None:
            writer.close()
