"""A TCP line to the broker that may be slow, deaf, or cut."""

from __future__ import annotations

import asyncio
import contextlib

CHUNK = 65536


class Line:
    """Forwards both ways.

    ``delay`` holds everything back for so many seconds each way; while ``deaf`` is set nothing is
    read any more, so that buffers fill up and writers wait.
    """

    def __init__(self, port):
        self._far = port
        self._writers = set()
        self._hearing = asyncio.Event()
        self._hearing.set()
        self.delay = 0.0
        self.port = 0

    @property
    def deaf(self):
        return not self._hearing.is_set()

    @deaf.setter
    def deaf(self, deaf):
        (self._hearing.clear if deaf else self._hearing.set)()

    def cut(self):
        """Every connection at once; new ones are let through."""
        for writer in self._writers:
            writer.transport.abort()

    @contextlib.asynccontextmanager
    async def open(self):
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        async with server:
            yield self
            self.deaf = False
            self.cut()

    async def _serve(self, reader, writer):
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._far)
        except OSError:
            writer.transport.abort()
            return
        ends = {writer, far_writer}
        self._writers |= ends
        try:
            async with asyncio.TaskGroup() as group:
                for name, source, target in (
                    ("to broker", reader, far_writer),
                    ("from broker", far_reader, writer),
                ):
                    group.create_task(self._pump(source, target), name=name)
        except* OSError:
            pass
        finally:
            self._writers -= ends
            for end in ends:
                end.transport.abort()

    async def _pump(self, source, target):
        waiting = asyncio.Queue()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._give(waiting, target), name="give")
            clock = asyncio.get_running_loop().time
            while True:
                await self._hearing.wait()
                chunk = await source.read(CHUNK)
                await self._hearing.wait()
                waiting.put_nowait((clock() + self.delay, chunk))
                if not chunk:
                    return

    async def _give(self, waiting, target):
        clock = asyncio.get_running_loop().time
        while True:
            due, chunk = await waiting.get()
            await asyncio.sleep(max(0.0, due - clock()))
            if not chunk:
                raise ConnectionResetError("the other side hung up")
            target.write(chunk)
            await target.drain()
