"""FRR as a direct neighbor of ExaBGP: both families, every attribute, and what a death does."""

from ambicast.model.routes import Advertisement, Attributes
from tests.behaviour.exabgp.advertiser import agent_at

V4, V6 = "198.18.0.0/22", "2001:db8:1000::/46"
WANTED = frozenset({Advertisement(V4, "north"), Advertisement(V6, "north")})


async def gone_from_the_kernel(frr, prefix):
    return any("route delete" in line and prefix in line for line in frr.log)


async def test_both_families_are_advertised_and_withdrawn(place, frr):
    await place.start_exabgp()
    async with agent_at(place, graceful=False) as agent:
        agent.bgp.want(WANTED)
        await frr.until_prefixes(V4, V6)
        for path in (*(await frr.paths("ipv4")).values(), *(await frr.paths("ipv6")).values()):
            assert path["valid"]
            assert path["path"] == "64500"
        agent.bgp.want(frozenset({Advertisement(V6, "north")}))
        await frr.until_prefixes(V6)
        agent.bgp.want(frozenset())
        await frr.until_prefixes()


async def test_every_attribute_arrives_as_it_is_meant(place, frr):
    attributes = Attributes(
        prepend=2, med=50, communities=("64500:100", "65535:65281"),
        large_communities=("64500:1:2",),
    )  # fmt: skip
    await place.start_exabgp()
    async with agent_at(place, graceful=False) as agent:
        agent.bgp.want(frozenset(Advertisement(each, "north", attributes) for each in (V4, V6)))
        await frr.until_prefixes(V4, V6)
        for family, prefix in (("ipv4", V4), ("ipv6", V6)):
            path = await frr.path(family, prefix)
            assert path["aspath"]["string"] == "64500 64500 64500"
            assert path["metric"] == 50
            assert path["community"]["string"] == "64500:100 no-export"
            assert path["largeCommunity"]["string"] == "64500:1:2"


async def test_a_change_of_attributes_replaces_the_path(place, frr):
    await place.start_exabgp()
    async with agent_at(place, graceful=False) as agent:
        agent.bgp.want(WANTED)
        await frr.until_prefixes(V4, V6)
        longer = Advertisement(V4, "north", Attributes(prepend=1))
        agent.bgp.want(frozenset({longer}))

        async def replaced(frr):
            paths = await frr.paths("ipv4")
            return [each["path"] for each in paths.values()] == ["64500 64500"]

        await frr.until(replaced)


async def test_without_graceful_restart_a_killed_exabgp_is_withdrawn_and_comes_back(place, frr):
    await place.start_exabgp()
    async with agent_at(place, graceful=False) as agent:
        agent.bgp.want(WANTED)
        await agent.until_wire(WANTED)
        await frr.until_prefixes(V4, V6)
        await place.kill_exabgp()
        await frr.until_prefixes()
        await place.start_exabgp()
        await frr.until_prefixes(V4, V6)


async def test_with_it_the_routes_never_leave_and_what_is_not_wanted_goes_at_the_end(place, frr):
    await place.start_exabgp(graceful=30)
    async with agent_at(place) as agent:
        agent.bgp.want(WANTED)
        await agent.until_wire(WANTED)
        await frr.until_prefixes(V4, V6)
        frr.log.clear()
        await place.kill_exabgp()
        agent.bgp.want(frozenset({Advertisement(V6, "north")}))
        await place.start_exabgp()
        await frr.until_prefixes(V6)
        await frr.until(lambda frr: gone_from_the_kernel(frr, V4))
        assert not await gone_from_the_kernel(frr, V6)


async def test_a_session_the_neighbor_clears_gets_everything_again(place, frr):
    await place.start_exabgp()
    async with agent_at(place, graceful=False) as agent:
        agent.bgp.want(WANTED)
        await agent.until_wire(WANTED)
        await frr.until_prefixes(V4, V6)
        await frr.ask("clear bgp *")
        await agent.until_wire(frozenset())
        await agent.until_wire(WANTED)
        await frr.until_prefixes(V4, V6)
