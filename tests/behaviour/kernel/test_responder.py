"""The responder's processes: killed, replaced, left alone; what watchers see of it."""

import asyncio
import os
import signal
import socket

import pytest

from agents.watch.datagrams import PORT
from tests.behaviour.kernel.watching import Watch, all_up, gone


@pytest.fixture
async def watch(world, tmp_path):
    async with Watch(world, tmp_path).running() as running:
        yield running


async def nothing_is_noticed(watch, seconds):
    """Every path to everybody stays up for so long."""
    since = {pop: len(told.all) for pop, told in watch.told.items()}
    with pytest.raises(TimeoutError):
        await watch.told["ams"].until(lambda seen: not all_up(seen, 8), within=seconds)
    for pop, told in watch.told.items():
        assert all(all_up(seen, 8) for _, seen in told.all[since[pop] :])


def voice(host):
    return lambda seen: seen.told[host].voice


async def test_a_worker_that_is_killed_is_replaced_before_anybody_notices(watch):
    fra = watch.responders["fra"]
    (worker,) = fra.workers()
    os.kill(worker, signal.SIGKILL)
    await nothing_is_noticed(watch, 1.0)
    assert fra.workers() != [worker]
    await watch.told["ams"].until(voice("fra-1"))


async def test_a_guardian_that_is_killed_leaves_a_worker_that_answers_until_the_next_takes_over(
    watch,
):
    fra = watch.responders["fra"]
    (worker,) = fra.workers()
    fra.process.kill()
    await nothing_is_noticed(watch, 1.0)
    assert fra.workers() == [worker]
    fra.start()
    await fra.until_said("succeeded")
    await nothing_is_noticed(watch, 0.5)
    assert worker not in fra.workers()
    await watch.told["ams"].until(voice("fra-1"))


async def test_a_reload_replaces_program_and_worker_without_a_gap(watch):
    fra = watch.responders["fra"]
    (worker,) = fra.workers()
    fra.process.send_signal(signal.SIGHUP)
    await fra.until_said("succeeded")
    await nothing_is_noticed(watch, 0.5)
    assert fra.process.poll() is None
    assert fra.workers() != [worker]


async def test_stopping_it_stops_both_and_takes_the_socket_away(watch):
    fra = watch.responders["fra"]
    fra.process.terminate()
    await watch.told["ams"].until(gone("fra"))
    assert fra.process.wait(5) == 0
    assert not fra.workers()
    assert not fra.socket.exists()


async def test_a_silent_agent_loses_its_voice_and_nothing_else(watch):
    watch.watchers["fra"].declare(frozenset({"www"}))
    ams = watch.told["ams"]
    await ams.until(lambda seen: seen.told["fra-1"].fit == {"www"})
    watch.watchers["fra"]._speak = lambda word: None
    before = asyncio.get_running_loop().time()
    silent = await ams.until(lambda seen: not seen.told["fra-1"].voice)
    assert 1.5 < silent - before < 3
    assert all_up(ams.last, 8)
    assert ams.last.told["fra-1"].fit == {"www"}


async def test_the_bridge_says_that_its_switch_has_fired(watch):
    watch.watchers["fra"].declare(frozenset({"www"}))
    watch.watchers["fra"]._speak = lambda word: None
    watch.responders["fra"].note(b"switched")
    ams = watch.told["ams"]
    await ams.until(lambda seen: seen.told["fra-1"].switched)
    assert not ams.last.told["fra-1"].fit
    watch.responders["fra"].note(b"unswitched")
    await ams.until(lambda seen: not seen.told["fra-1"].switched)


async def test_whatever_comes_by_the_unix_socket_it_goes_on(watch):
    fra = watch.responders["fra"]
    assert fra.socket.stat().st_mode & 0o777 == 0o600
    for text in (
        b"",
        b"\x00",
        b"switch",
        bytes(1500),
        b"\x93\x01\x02\x03",
        b"\xdd" + b"\xff" * 64,
    ):
        fra.note(text)
    await fra.until_said("word malformed")
    await nothing_is_noticed(watch, 0.5)


async def test_a_path_that_was_tidied_away_is_there_again(watch):
    fra = watch.responders["fra"]
    fra.socket.unlink()
    watch.watchers["fra"].declare(frozenset({"www"}))
    await watch.told["ams"].until(lambda seen: seen.told["fra-1"].fit == {"www"})
    assert fra.socket.exists()


async def test_it_waits_for_a_port_that_an_agent_of_before_still_holds(watch, world, manager):
    fra = watch.responders["fra"]
    fra.process.terminate()
    with world.inside("fra"):
        old = [
            socket.socket(kind, socket.SOCK_DGRAM) for kind in (socket.AF_INET6, socket.AF_INET)
        ]
    old[0].setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    await watch.told["ams"].until(gone("fra"))
    for each, wildcard in zip(old, ("::", "0.0.0.0"), strict=True):
        each.bind((wildcard, PORT))
    fra.start(NOTIFY_SOCKET=manager.getsockname())
    await fra.until_said("no port for v4", "no port for v6")
    assert await heard(manager) == b"READY=1\nSTATUS=waiting for udp 4791"
    for each in old:
        each.close()
    await watch.told["ams"].until(lambda seen: all_up(seen, 8))
    assert await heard(manager) == b"STATUS=v4 and v6, agent silent"


@pytest.fixture
def manager(tmp_path):
    """The service manager's end."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.setblocking(False)
        end.bind(str(tmp_path / "notify"))
        yield end


async def heard(manager):
    async with asyncio.timeout(10):
        return await asyncio.get_running_loop().sock_recv(manager, 999)
