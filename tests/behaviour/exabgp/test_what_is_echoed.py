"""The echo of every UPDATE written to a neighbor: our only proof of "sent"."""

from agents.bgp.commands import SHOW_RIB, SHOW_SESSIONS, send_again
from agents.bgp.events import Done, Down, Sent, Up
from agents.bgp.paths import Path

NORTH4, NORTH6 = "10.3.1.1", "fd00:3:0:1::1"
PLAIN4 = Path("10.3.1.2", (64500,))
THREE = ("198.18.0.0/22", "198.18.0.0/23", "198.18.2.0/23")


def advertise(neighbor, *prefixes, attributes=""):
    said = f"neighbor {neighbor} announce attributes next-hop self as-path [ 64500 ] {attributes}"
    return f"{said} nlri {' '.join(prefixes)}"


def withdraw(neighbor, *prefixes):
    return f"neighbor {neighbor} withdraw attributes next-hop self nlri {' '.join(prefixes)}"


async def test_prefixes_of_one_command_travel_in_one_update_on_v4(running):
    client = await running.attach()
    await client.ask(advertise(NORTH4, *THREE))
    assert (await client.event(Sent)).advertised == dict.fromkeys(THREE, PLAIN4)
    await client.ask(withdraw(NORTH4, *THREE))
    assert sorted((await client.event(Sent)).withdrawn) == sorted(THREE)
    await running.bird.until(lambda bird: not bird.routes("north_v4"))


async def test_on_v6_each_prefix_travels_in_an_update_of_its_own(running):
    """ExaBGP groups no IPv6 unicast, whatever ``group-updates`` says."""
    client = await running.attach()
    three = ("2001:db8:1000::/46", "2001:db8:1000::/47", "2001:db8:1002::/47")
    await client.ask(advertise(NORTH6, *three))
    sent = [await client.event(Sent) for _ in three]
    assert [list(each.advertised) for each in sent] == [[prefix] for prefix in three]


async def test_both_spellings_of_attributes_mean_the_same(running):
    """The echo has numbers; the adj-rib-out has texts, and names for well-known communities."""
    client = await running.attach()
    attributes = (
        "med 50 community [ 64500:100 65535:0 65535:65281 65535:666 65535:65284 65535:65282 ]"
        " large-community [ 64500:4000000000:2 64500:1:1 ]"
    )
    await client.ask(advertise(NORTH4, THREE[0], attributes=attributes))
    [echoed] = (await client.event(Sent)).advertised.values()
    [[row], _] = await client.ask(SHOW_RIB)
    assert row.path == echoed
    assert len(echoed.communities) == 6
    assert echoed.large_communities == ((64500, 1, 1), (64500, 4_000_000_000, 2))


async def test_an_identical_route_is_not_sent_twice(running):
    client = await running.attach()
    await client.ask(advertise(NORTH4, THREE[0]))
    await client.ask(advertise(NORTH4, THREE[0]))
    await client.ask(advertise(NORTH4, THREE[1]))
    sent = [await client.event(Sent), await client.event(Sent)]
    assert [list(each.advertised) for each in sent] == [[THREE[0]], [THREE[1]]]


async def test_a_flush_sends_and_echoes_everything_and_changes_nothing_at_the_neighbor(running):
    client, bird = await running.attach(), running.bird
    await client.ask(advertise(NORTH4, *THREE))
    await bird.until(lambda bird: bird.routes("north_v4") == set(THREE))
    await bird.until(lambda bird: bird.told_of(*THREE))
    bird.changes.clear()
    await client.event(Sent)
    assert (await client.ask(send_again(NORTH4)))[1] == Done()
    again: dict[str, Path] = {}
    while len(again) < 3:
        again |= (await client.event(Sent)).advertised
    await client.ask(advertise(NORTH4, "198.18.4.0/24"))
    await bird.until(lambda bird: "198.18.4.0/24" in bird.routes("north_v4"))
    assert [line for line in bird.changes if "198.18.4.0/24" not in line] == []


async def test_a_session_that_comes_back_is_sent_everything_again_after_its_up(running):
    client, bird = await running.attach(), running.bird
    await client.ask(advertise(NORTH4, *THREE))
    await client.event(Sent)
    bird.ask("disable north_v4")
    assert (await client.event(Down)).neighbor == NORTH4
    await client.ask(advertise(NORTH4, "198.18.4.0/24"))
    bird.ask("enable north_v4")
    await client.event(Up)
    sent: dict[str, Path] = {}
    while len(sent) < 4:
        sent |= (await client.event(Sent, lambda sent: sent.neighbor == NORTH4)).advertised
    await bird.until(lambda bird: bird.routes("north_v4") == {*THREE, "198.18.4.0/24"})


async def test_what_a_neighbor_sends_is_not_heard(running):
    client, bird = await running.attach(), running.bird
    bird.ask("restart north_v4")  # it ends its table with an UPDATE (RFC 4724 section 2)
    await client.event(Up)
    while '"update": 0' in _received(await client.ask(SHOW_SESSIONS), client):
        pass
    assert not [line for line in client.lines if '"direction": "receive"' in line]


def _received(_, client):
    table = next(line for line in reversed(client.lines) if line.startswith("["))
    return table.partition('"received"')[2].partition("}")[0]


async def test_a_route_that_flips_within_one_turn_is_sent_in_the_wrong_order(running):
    """ExaBGP sorts what waits by attributes, not by time: the neighbor loses a route that is held.

    This is why held and sent are compared for ever (agents.bgp.conversation). Should this test
    fail one day, ExaBGP was mended.
    """
    client = await running.attach()
    await client.ask(advertise(NORTH4, THREE[1]))  # the first of a session is a case of its own
    await client.event(Sent)
    again = advertise(NORTH4, THREE[0])
    client.say(again, withdraw(NORTH4, THREE[0]), again)
    assert THREE[0] in (await client.event(Sent)).advertised
    assert THREE[0] in (await client.event(Sent)).withdrawn
    rows = []
    while not rows:
        rows, _ = await client.ask(SHOW_RIB)
    assert [row.prefix for row in rows] == [THREE[1], THREE[0]]
    assert running.bird.routes("north_v4") == {THREE[1]}
