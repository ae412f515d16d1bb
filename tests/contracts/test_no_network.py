"""The guard of ``tests/conftest.py`` refuses what it should, and only that."""

from __future__ import annotations

import asyncio
import socket
import time

import pytest

Refused = pytest.fail.Exception


def test_an_unmarked_test_may_not_even_reach_loopback():
    with socket.socket() as sock, pytest.raises(Refused, match="not marked"):
        sock.connect(("127.0.0.1", 9))


@pytest.mark.integration
@pytest.mark.parametrize("host", ["8.8.8.8", "2606:4700::1111", "example.com"])
def test_no_test_reaches_the_internet(host):
    with pytest.raises(Refused, match=r"a test (reached out|asked)"):
        socket.create_connection((host, 53), timeout=0.01)


@pytest.mark.integration
def test_datagrams_are_refused_too():
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with sock, pytest.raises(Refused, match=r"reached out to 1\.1\.1\.1"):
        sock.sendto(b"", ("1.1.1.1", 53))


@pytest.mark.integration
async def test_a_marked_test_may_use_loopback():
    answered = asyncio.Event()

    async def serve(_reader, writer):
        writer.close()
        await writer.wait_closed()
        answered.set()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        await answered.wait()
        writer.close()
        await writer.wait_closed()


@pytest.mark.looptime
async def test_an_hour_of_virtual_time_takes_no_time():
    started = time.perf_counter()
    await asyncio.sleep(3600)
    assert time.perf_counter() - started < 5
