"""How its sessions come up, and how they end."""

from agents.bgp.events import Down

NORTH4 = "10.3.1.1"


async def test_a_neighbor_that_connects_is_taken_although_it_connects_itself_too(place):
    """After a silence the neighbor's next try comes sooner than the kernel repeats our SYN."""
    place.forbid_connecting()
    await place.start_exabgp()
    await place.start_bird()
    await place.bird.all_up()


async def test_the_end_of_a_session_comes_at_once_with_its_reason(running):
    client = await running.attach()
    running.bird.ask("disable north_v4")
    down = await client.event(Down)
    assert (down.neighbor, down.reason) == (NORTH4, "notification received (6,2)")
