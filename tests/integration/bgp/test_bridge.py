"""The bridge alone, between two pipes and a socket: it always reads, and never cuts a line."""

import asyncio
import socket
import stat
import sys

import pytest

from agents.bgp import bridge as bridge_module


class Bridge:
    """A bridge process; this test is its ExaBGP."""

    def __init__(self, process, path):
        self.process, self.path = process, path
        self._writers = []

    def exabgp_says(self, text):
        self.process.stdin.write(text.encode())

    async def exabgp_hears(self):
        async with asyncio.timeout(5):
            return (await self.process.stdout.readline()).decode()

    async def client(self):
        """A client that the bridge has welcomed: its first command came through."""
        reader, writer = await asyncio.open_unix_connection(self.path, limit=2**24)
        self._writers.append(writer)
        writer.write(b"hello\n")
        assert await self.exabgp_hears() == "hello\n"
        return reader, writer

    async def raw_client(self):
        """One that reads and writes only when the test does."""
        client = socket.socket(socket.AF_UNIX)
        client.setblocking(False)
        client.connect(str(self.path))
        client.send(b"raw\n")
        assert await self.exabgp_hears() == "raw\n"
        return client

    async def stop(self):
        for writer in self._writers:
            writer.close()
        if self.process.returncode is None:
            self.process.kill()
        await self.process.communicate()


async def start(path):
    """A bridge that listens: it reads (a pipe cannot hold this much), and it listened before."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", bridge_module.__file__, path,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=2**24,
    )  # fmt: skip
    process.stdin.write(b"x" * 2**20 + b"\n")
    async with asyncio.timeout(5):
        await process.stdin.drain()
    return Bridge(process, path)


@pytest.fixture
async def bridge(tmp_path):
    started = await start(tmp_path / "bridge.sock")
    yield started
    await started.stop()


async def line(reader):
    async with asyncio.timeout(5):
        return (await reader.readline()).decode()


async def test_lines_go_both_ways(bridge):
    reader, writer = await bridge.client()
    bridge.exabgp_says("done\n")
    assert await line(reader) == "done\n"
    writer.write(b"one\ntwo\n")
    assert [await bridge.exabgp_hears(), await bridge.exabgp_hears()] == ["one\n", "two\n"]


async def test_with_nobody_attached_it_reads_on(bridge):
    bridge.exabgp_says("lost\n" * 500_000)
    async with asyncio.timeout(5):
        await bridge.process.stdin.drain()
    reader, _ = await bridge.client()
    bridge.exabgp_says("marker\n")
    while (text := await line(reader)) != "marker\n":
        assert text == "lost\n"


async def test_the_newest_client_wins(bridge):
    older, _ = await bridge.client()
    newer, _ = await bridge.client()
    assert await line(older) == ""
    bridge.exabgp_says("done\n")
    assert await line(newer) == "done\n"


async def test_a_client_never_starts_in_the_middle_of_a_line(bridge):
    first, _ = await bridge.client()
    bridge.exabgp_says('{ "exabgp": half of')
    async with asyncio.timeout(5):
        assert await first.read(5) == b'{ "ex'
    second, _ = await bridge.client()
    bridge.exabgp_says(" a line }\nwhole\n")
    assert await line(second) == "whole\n"


async def test_half_a_command_of_a_client_that_died_is_thrown_away(bridge):
    _, writer = await bridge.client()
    writer.write(b"whole\nneighbor 10.3.1.1 announce att")
    writer.close()
    assert await bridge.exabgp_hears() == "whole\n"
    await bridge.client()


async def test_a_client_that_does_not_read_is_cut_off_and_exabgp_never_waits(bridge):
    with await bridge.raw_client() as stuck:
        for _ in range(2 * bridge_module.LARGEST_BACKLOG // 100_000):
            bridge.exabgp_says(("x" * 999 + "\n") * 100)
            async with asyncio.timeout(5):
                await bridge.process.stdin.drain()
        got = 0
        async with asyncio.timeout(5):
            while some := await asyncio.get_running_loop().sock_recv(stuck, 2**20):
                got += len(some)
    assert got < 1.1 * bridge_module.LARGEST_BACKLOG
    reader, _ = await bridge.client()
    bridge.exabgp_says("still here\n")
    while await line(reader) != "still here\n":
        pass


async def test_while_exabgp_does_not_read_the_client_waits_and_exabgp_is_still_read(bridge):
    loop, pipe = asyncio.get_running_loop(), bridge.process._transport.get_pipe_transport(1)
    with await bridge.raw_client() as eager:
        pipe.pause_reading()
        try:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    await loop.sock_sendall(eager, b"a command that waits\n" * 500_000)
            bridge.exabgp_says("event\n")
            async with asyncio.timeout(5):
                assert await loop.sock_recv(eager, 100) == b"event\n"
        finally:
            pipe.resume_reading()
        assert await bridge.exabgp_hears() == "a command that waits\n"


async def test_it_ends_with_exabgp(bridge):
    reader, _ = await bridge.client()
    bridge.process.stdin.close()
    async with asyncio.timeout(5):
        assert await bridge.process.wait() == 0
    assert await line(reader) == ""


async def test_a_successor_takes_the_socket_over_from_one_that_still_lives(bridge):
    successor = await start(bridge.path)
    bridge.process.stdin.close()
    await bridge.process.wait()
    reader, _ = await successor.client()
    successor.exabgp_says("new\n")
    assert await line(reader) == "new\n"
    await successor.stop()


async def test_only_its_owner_may_attach(bridge):
    assert stat.S_IMODE(bridge.path.stat().st_mode) == 0o600


GREETING = "#bridge heartbeat restart close\n"


async def test_a_client_that_asks_is_told_what_else_is_heeded(bridge):
    reader, writer = await bridge.client()
    writer.write(b"#hello\n")
    assert await line(reader) == GREETING
    bridge.exabgp_says("done\n")
    assert await line(reader) == "done\n"


async def test_a_client_that_does_not_ask_is_told_nothing(bridge):
    reader, _ = await bridge.client()
    bridge.exabgp_says("done\n")
    assert await line(reader) == "done\n"


async def test_a_greeting_never_cuts_a_line_of_exabgps(bridge):
    reader, writer = await bridge.client()
    bridge.exabgp_says("begun, ")
    assert (await reader.readexactly(7)) == b"begun, "
    writer.write(b"#hello\n")
    writer.write(b"sync\n")
    assert await bridge.exabgp_hears() == "sync\n"
    bridge.exabgp_says("ended\nmore\n")
    assert await line(reader) == "ended\n"
    assert {await line(reader), await line(reader)} == {"more\n", GREETING}
