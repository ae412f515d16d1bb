"""The watch over real sockets, policy routing and packet loss."""

import asyncio

import pytest

from ambicast.model.identifiers import Family
from ambicast.model.prefixes import witness
from tests.behaviour.kernel.watching import BOTH, NEITHER, Watch, all_up, gone


@pytest.fixture
async def watch(world, tmp_path):
    async with Watch(world, tmp_path).running() as running:
        yield running


async def test_a_pop_that_falls_silent_is_told_after_300_ms_and_its_return_at_once(watch, world):
    """The best of three: a machine that stands still for a moment is no fault of the watch."""
    loop = asyncio.get_running_loop()
    late, back = [], []
    for _ in range(3):
        began = loop.time()
        world.silence("fra")
        dropped = loop.time()
        told = [await watch.told[pop].until(gone("fra")) for pop in ("ams", "lhr")]
        late.append(max(told) - dropped)
        assert min(told) - began > 0.25
        assert {each.pop for each in watch.told["ams"].last.seen if not each.up} == {"fra"}
        world.heal("fra")
        healed = loop.time()
        back.append(await watch.told["ams"].until(lambda seen: all_up(seen, 8)) - healed)
        await watch.told["lhr"].until(lambda seen: all_up(seen, 8))
    assert min(late) < 0.45  # 0.32 where nothing else runs
    assert min(back) < 0.3


async def test_two_percent_loss_flaps_nothing(watch, world):
    world.lose("fra", 2)
    before = {pop: len(told.all) for pop, told in watch.told.items()}
    with pytest.raises(TimeoutError):
        await watch.told["ams"].until(lambda seen: not all_up(seen, 8), within=4)
    for pop, told in watch.told.items():
        assert all(all_up(seen, 8) for _, seen in told.all[before[pop] :])


async def test_a_silent_own_uplink_is_told_while_every_pop_stays_seen(watch, world):
    world.silence("ams", "eth1")
    await watch.told["ams"].until(lambda seen: seen.working["north"] == NEITHER)
    assert watch.told["ams"].last.working["south"] == BOTH
    assert all_up(watch.told["ams"].last, 8)
    await watch.told["fra"].until(
        lambda seen: (
            {(s.uplink, s.up) for s in seen.seen if s.pop == "ams"}
            == {("north", False), ("south", True)}
        )
    )


async def test_an_uplink_without_carrier_is_told_too(watch, world):
    world.ip("ams", "link set eth2 down")
    await watch.told["ams"].until(lambda seen: seen.working["south"] == NEITHER)
    assert watch.told["ams"].last.working["north"] == BOTH


async def test_addresses_of_one_family_that_are_removed_stop_the_watch_in_that_family_alone(
    watch, world
):
    for interface in ("eth1", "eth2"):
        world.ip("ams", f"-6 addr flush dev {interface} scope global")
    blind = {Family.V4: True, Family.V6: False}
    await watch.told["ams"].until(
        lambda seen: seen.working["north"] == seen.working["south"] == blind
    )
    up = {(each.pop, each.family) for each in watch.told["ams"].last.seen if each.up}
    assert up == {("fra", Family.V4), ("lhr", Family.V4)}


@pytest.mark.parametrize(("prefix", "size"), [("198.18.8.0/23", 32), ("2001:db8:1008::/47", 128)])
async def test_a_witness_is_answered_only_where_it_is_terminated_and_the_prefix_leads(
    watch, world, prefix, size
):
    world.lead(prefix, "fra")
    world.ip("lhr", f"addr add {witness(prefix)}/{size} dev lo")
    watch.watchers["ams"].observe(frozenset({prefix}))
    told = watch.told["ams"]
    await told.until(lambda seen: seen.witnesses == {prefix: ()})
    world.ip("fra", f"addr add {witness(prefix)}/{size} dev lo")
    await told.until(lambda seen: seen.witnesses == {prefix: ("fra",)})
    world.lead(prefix, "lhr")
    await told.until(lambda seen: seen.witnesses == {prefix: ("lhr",)})
    world.ip("lhr", f"addr del {witness(prefix)}/{size} dev lo")
    await told.until(lambda seen: seen.witnesses == {prefix: ()})


async def test_the_own_kernel_answers_an_own_witness_and_that_proves_nothing(watch, world):
    prefix = "198.18.8.0/23"
    world.ip("ams", f"addr add {witness(prefix)}/32 dev lo")
    watch.watchers["ams"].observe(frozenset({prefix}))
    with pytest.raises(TimeoutError):
        await watch.told["ams"].until(lambda seen: seen.witnesses.get(prefix), within=0.6)


async def test_words_travel_with_the_replies(watch):
    watch.watchers["fra"].declare(frozenset({"www"}))
    told = watch.told["ams"]
    await told.until(lambda seen: seen.told["fra-1"].fit == {"www"})
    assert {s.pop for s in told.last.told["fra-1"].seen if s.up} == {"ams", "lhr"}
    assert told.last.told["fra-1"].voice


async def test_garbage_and_forged_datagrams_change_nothing(watch, world):
    loop = asyncio.get_running_loop()
    with world.inside("lhr"):
        transport, _ = await loop.create_datagram_endpoint(
            asyncio.DatagramProtocol, remote_addr=("10.1.1.2", 4791)
        )
    for payload in (b"Aw", b"x" * 1500, b"Aw\x01\x01" + bytes(60), b"Aw\x07\x01" + bytes(60)):
        transport.sendto(payload)
    transport.close()
    said = await watch.responders["ams"].until_said("malformed", "wrong tag", "unknown version")
    assert "Traceback" not in said
    assert all_up(watch.told["ams"].last, 8)
