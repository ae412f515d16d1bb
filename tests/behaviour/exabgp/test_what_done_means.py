"""ExaBGP's ``done`` says "taken in". It does not say sent, and it does not say accepted."""

from agents.bgp.commands import SHOW_RIB
from agents.bgp.events import Done, Failed, Sent

NORTH4, NORTH6 = "10.3.1.1", "fd00:3:0:1::1"


async def test_a_route_for_a_session_that_is_down_is_done_and_held_but_not_sent(place):
    await place.start_exabgp()
    client = await place.attach()
    said = f"neighbor {NORTH4} announce attributes next-hop self as-path [ 64500 ] nlri"
    assert (await client.ask(f"{said} 198.18.0.0/22"))[1] == Done()
    rows, _ = await client.ask(SHOW_RIB)
    assert [row.prefix for row in rows] == ["198.18.0.0/22"]
    assert not [event for event in client.events if isinstance(event, Sent)]


async def test_withdrawing_what_was_never_there_is_done_too(running):
    client = await running.attach()
    line = f"neighbor {NORTH4} withdraw attributes next-hop self nlri 198.18.9.0/24"
    assert (await client.ask(line))[1] == Done()


async def test_a_family_that_was_not_negotiated_is_done_and_held_and_never_sent(place):
    bird = await place.start_bird(without="north_v6")
    neighbor = await place.start_one_family_neighbor()
    await place.start_exabgp()
    client = await place.attach()
    await client.all_up()
    for each in (NORTH6, "fd00:4:0:1::1"):
        line = f"neighbor {each} announce attributes next-hop self as-path [ 64500 ] nlri"
        assert (await client.ask(f"{line} 2001:db8:1000::/46"))[1] == Done()
    assert (await client.event(Sent)).neighbor == "fd00:4:0:1::1"
    await bird.until(lambda bird: "2001:db8:1000::/46" in bird.routes("south_v6"))
    rows, _ = await client.ask(SHOW_RIB)
    assert {row.neighbor for row in rows} == {NORTH6, "fd00:4:0:1::1"}
    assert not [event for event in client.events if isinstance(event, Sent)]
    neighbor.kill()
    assert await neighbor.stdout.read() == b""  # it would have printed an UPDATE


async def test_nonsense_and_unknown_neighbors_get_an_error_without_a_reason(running):
    client = await running.attach()
    for line in (
        "frobnicate",
        "neighbor 192.0.2.1 announce attributes next-hop self nlri 198.18.0.0/22",
        f"neighbor {NORTH4} announce attributes next-hop self nlri 198.18.0.0/99",
        f"neighbor {NORTH4} announce attributes next-hop self med -1 nlri 198.18.0.0/22",
    ):
        assert await client.ask(line) == ([], Failed()), line


async def test_commands_written_at_once_are_carried_out_and_answered_in_order(running):
    client = await running.attach()
    good = f"neighbor {NORTH4} announce attributes next-hop self as-path [ 64500 ] nlri"
    for i in range(40):
        client.say(f"{good} 198.18.{i}.0/24", SHOW_RIB)
    for i in range(40):
        assert await client.answer() == ([], Done())
        rows, end = await client.answer()
        assert (len(rows), end) == (i + 1, Done())


async def test_the_error_to_an_unknown_word_overtakes_the_answers_before_it(running):
    """So an error never says which command failed: the whole conversation is lost."""
    client = await running.attach()
    good = f"neighbor {NORTH4} announce attributes next-hop self as-path [ 64500 ] nlri"
    client.say(*(f"{good} 198.18.{i}.0/24" for i in range(9)), "nonsense")
    ends = [(await client.answer())[1] for _ in range(10)]
    assert ends == [Failed(), *[Done()] * 9]
